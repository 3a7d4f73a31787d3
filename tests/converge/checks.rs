//! The safety checks, one by one: each test dies when its check is removed.

use std::sync::Mutex;
use std::time::Duration;

use infra_api::{Readiness, Remedy};
use infra_apply::{Event, Report, Skipped, Stop};
use infra_sim::{Fault, Verb, When};
use infra_state::{Kind, Vault};
use serde_json::json;
use tokio::sync::watch;

use crate::house::{At, Deaf, End, House, Record, Wanted, Weather, address, id, mark, thing};

/// `b` waits for `a`; `c` stands alone.
fn three() -> Wanted {
    let object = |name| {
        thing(
            "container",
            name,
            json!({"image": 1, "state": "running"}),
            &[],
        )
    };
    Wanted {
        resources: vec![object("a"), object("b"), object("c")],
        depends_on: vec![(id("container", "b"), id("container", "a"))],
    }
}

fn a() -> infra_api::ResourceId {
    id("container", "a")
}

fn b() -> infra_api::ResourceId {
    id("container", "b")
}

/// Step numbers follow the addresses: `a` is 1, `b` 2, `c` 3.
async fn apply_with(house: &House, weather: Weather<'_>) -> Report {
    let plan = house.plan(&three()).await;
    house.apply(&plan, weather).await.report()
}

async fn apply(house: &House) -> Report {
    apply_with(house, Weather::default()).await
}

fn cause(report: &Report, step: u32) -> String {
    let (_, failure) = report
        .failed
        .iter()
        .find(|(number, _)| *number == step)
        .expect("it failed");
    failure.to_string()
}

#[tokio::test(start_paused = true)]
async fn a_stale_plan_touches_nothing() {
    let house = House::new();
    let plan = house.plan(&three()).await;
    house
        .sim
        .world()
        .put(id("container", "c"), Some(mark("c")), json!({"image": 2}));
    let record = Record::default();
    let report = house
        .apply(
            &plan,
            Weather {
                sink: &record,
                ..Weather::default()
            },
        )
        .await
        .report();
    assert!(
        house.sim.world().calls.is_empty(),
        "not even the steps before it"
    );
    let stale: Vec<_> = report
        .stale
        .iter()
        .map(|stale| (stale.step, stale.address.clone()))
        .collect();
    assert_eq!(stale, [(3, address("c"))]);
    assert_eq!(report.left, [1, 2, 3]);
    assert!(!report.is_complete());
    assert!(
        record
            .0
            .lock()
            .unwrap()
            .iter()
            .any(|event| matches!(event, Event::Stale { step: 3, .. }))
    );
}

#[tokio::test(start_paused = true)]
async fn the_world_may_move_after_the_first_check() {
    let house = House::new();
    let meddle = At(|event: &Event| {
        if matches!(event, Event::Done { step: 1, .. }) {
            house
                .sim
                .world()
                .put(b(), Some(mark("b")), json!({"image": 9}));
        }
    });
    let report = apply_with(
        &house,
        Weather {
            sink: &meddle,
            ..Weather::default()
        },
    )
    .await;
    assert!(
        cause(&report, 2).contains("the world changed meanwhile"),
        "{report:#?}"
    );
    assert!(
        !house
            .sim
            .world()
            .calls
            .iter()
            .any(|call| call.resource == b()),
        "it was not touched"
    );
    assert_eq!(report.done, [1, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_a_stranger_takes_meanwhile_is_his() {
    let house = House::new();
    let plan = house.plan(&three()).await;
    house.sim.world().put(b(), None, json!({"image": 9}));
    let report = house.apply(&plan, Weather::default()).await.report();
    assert!(
        report.stale[0].differs.contains("not ours: container `b`"),
        "{report:#?}"
    );
    assert!(house.sim.world().calls.is_empty());
    // Equal to what is wanted, and still not ours.
    house
        .sim
        .world()
        .put(b(), None, three().resources[1].body.clone());
    assert_eq!(
        house
            .apply(&plan, Weather::default())
            .await
            .report()
            .stale
            .len(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_said_to_be_done_is_read_back() {
    let house = House::new();
    house.sim.world().fail(
        When::On(a(), Verb::Create),
        Fault::LieWith(json!({"image": 2, "state": "running"})),
    );
    let report = apply(&house).await;
    assert!(
        cause(&report, 1).contains("did not take: attribute `image` is `2` instead of `1`"),
        "{report:#?}"
    );
    assert_eq!(
        report.skipped,
        [Skipped {
            step: 2,
            because: 1
        }]
    );
    assert_eq!(report.done, [3]);
    assert!(!report.outcome.resources.contains_key(&a()));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_not_a_second_call() {
    let house = House::new();
    house
        .sim
        .world()
        .fail(When::On(a(), Verb::Create), Fault::After(Remedy::Retry));
    house
        .sim
        .world()
        .fail(When::On(b(), Verb::Create), Fault::Before(Remedy::Retry));
    assert!(apply(&house).await.is_complete());
    let calls = |id| {
        house
            .sim
            .world()
            .calls
            .iter()
            .filter(|call| call.resource == id)
            .count()
    };
    assert_eq!((calls(a()), calls(b())), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn trying_again_has_an_end() {
    let house = House::new();
    for _ in 0..9 {
        house
            .sim
            .world()
            .fail(When::On(a(), Verb::Create), Fault::Before(Remedy::Retry));
    }
    assert!(cause(&apply(&house).await, 1).contains("failed before its effect"));
    assert_eq!(house.sim.world().faults_left(), 6, "three attempts");
}

#[tokio::test(start_paused = true)]
async fn two_applies_do_not_meet() {
    let house = House::new();
    let second = Mutex::new(None);
    let sink = At(|event: &Event| {
        if matches!(event, Event::Done { step: 1, .. }) {
            *second.lock().unwrap() = Some(house.lock().map(drop));
        }
    });
    assert!(
        apply_with(
            &house,
            Weather {
                sink: &sink,
                ..Weather::default()
            }
        )
        .await
        .is_complete()
    );
    let error = second.lock().unwrap().take().unwrap().unwrap_err();
    assert_eq!(error.kind, Kind::Locked);
    assert!(house.lock().is_ok(), "it was let go");
}

#[tokio::test(start_paused = true)]
async fn who_depends_waits_until_it_is_ready() {
    let house = House::new();
    let wait = || Readiness::Waiting("its health check passes".to_owned());
    house
        .sim
        .world()
        .readiness
        .insert(a(), vec![wait(), wait(), Readiness::Ready]);
    let record = Record::default();
    assert!(
        apply_with(
            &house,
            Weather {
                sink: &record,
                ..Weather::default()
            }
        )
        .await
        .is_complete()
    );
    let events = record.0.lock().unwrap();
    let at = |wanted: &dyn Fn(&Event) -> bool| events.iter().position(wanted).unwrap();
    let waiting = at(&|event| matches!(event, Event::Waiting { step: 1, .. }));
    assert!(waiting < at(&|event| matches!(event, Event::Done { step: 1, .. })));
    assert!(
        at(&|event| matches!(event, Event::Done { step: 1, .. }))
            < at(&|event| matches!(event, Event::Started { step: 2, .. }))
    );
}

#[tokio::test(start_paused = true)]
async fn what_never_gets_ready_fails_in_the_end() {
    for answer in [
        Readiness::Waiting("the moon".to_owned()),
        Readiness::Failed("it exited with 1".to_owned()),
    ] {
        let house = House::new();
        house.sim.world().readiness.insert(a(), vec![answer]);
        let report = apply(&house).await;
        let cause = cause(&report, 1);
        assert!(
            cause.contains("still waiting after 120 s: the moon")
                || cause.contains("it exited with 1"),
            "{cause}"
        );
        assert_eq!(
            report.skipped,
            [Skipped {
                step: 2,
                because: 1
            }]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_ends_is_given_up() {
    let mut house = House::new();
    house.settings.change_deadline = Duration::from_secs(60);
    house
        .sim
        .world()
        .fail(When::On(a(), Verb::Create), Fault::Hang);
    let report = apply(&house).await;
    assert!(
        cause(&report, 1).contains("no answer for 60 s"),
        "{report:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn one_stop_ends_what_runs_and_starts_nothing() {
    let house = House::new();
    let (stop, receiver) = watch::channel(Stop::No);
    let sink = At(|event: &Event| {
        if matches!(event, Event::Started { step: 1, .. }) {
            stop.send_replace(Stop::Finish);
        }
    });
    let report = apply_with(
        &house,
        Weather {
            sink: &sink,
            stop: receiver,
            death: None,
        },
    )
    .await;
    assert_eq!(
        (report.done.as_slice(), report.left.as_slice()),
        (&[1, 3][..], &[2][..])
    );
    assert!(report.interrupted && report.abandoned.is_empty());
    assert!(house.converge(&three()).await.is_complete());
    house.assert_is(&three(), "after a stop").await;
}

#[tokio::test(start_paused = true)]
async fn a_second_stop_returns_at_once_and_the_journal_remembers() {
    let house = House::new();
    house
        .sim
        .world()
        .fail(When::On(a(), Verb::Create), Fault::Hang);
    let (stop, receiver) = watch::channel(Stop::No);
    let sink = At(|event: &Event| match event {
        Event::Done { step: 3, .. } => drop(stop.send_replace(Stop::Finish)),
        Event::Stopping { .. } => drop(stop.send_replace(Stop::Now)),
        _ => {}
    });
    let report = apply_with(
        &house,
        Weather {
            sink: &sink,
            stop: receiver,
            death: None,
        },
    )
    .await;
    assert_eq!(
        (report.done.as_slice(), report.abandoned.as_slice()),
        (&[3][..], &[1][..])
    );
    let loaded = house.load();
    assert_eq!(loaded.in_doubt, [a()]);
    assert!(
        loaded
            .state
            .unwrap()
            .outcome
            .resources
            .contains_key(&id("container", "c"))
    );
    assert!(house.converge(&three()).await.is_complete());
    house.assert_is(&three(), "after two stops").await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_before_the_first_step_is_obeyed() {
    let house = House::new();
    let (_stop, receiver) = watch::channel(Stop::Finish);
    let report = apply_with(
        &house,
        Weather {
            sink: &Deaf,
            stop: receiver,
            death: None,
        },
    )
    .await;
    assert_eq!(report.left, [1, 2, 3]);
    assert!(house.sim.world().calls.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_host_that_does_not_answer_stops_the_apply_before_it_begins() {
    let house = House::new();
    let plan = house.plan(&three()).await;
    house.sim.world().unreachable.insert(crate::house::host());
    let report = house.apply(&plan, Weather::default()).await.report();
    assert_eq!(report.failed.len(), 3);
    assert!(report.stale.is_empty() && house.sim.world().calls.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_apply_without_the_secrets_does_not_begin() {
    let mut house = House::new();
    let mut wanted = three();
    wanted.resources[1].body["env"] = json!({"PASSWORD": house.secret()});
    let plan = house.plan(&wanted).await;
    let vault = std::mem::replace(&mut house.vault, Vault::new());
    let End::Refused(failure) = house.apply(&plan, Weather::default()).await else {
        panic!("it began")
    };
    assert!(
        failure.cause.contains("1 of its secret values"),
        "{failure}"
    );
    assert!(house.sim.world().calls.is_empty());
    house.vault = vault;
    assert!(
        house
            .apply(&plan, Weather::default())
            .await
            .report()
            .is_complete()
    );
    assert_eq!(
        house.sim.world().objects[&b()].body["env"]["PASSWORD"],
        crate::house::PASSWORD
    );
    house.assert_is(&wanted, "with a secret").await;
}

#[tokio::test(start_paused = true)]
async fn an_applied_plan_is_not_applied_again() {
    let house = House::new();
    let plan = house.plan(&three()).await;
    assert!(
        house
            .apply(&plan, Weather::default())
            .await
            .report()
            .is_complete()
    );
    let error = house
        .store
        .begin(&house.lock().unwrap(), &house.load(), &plan, "x")
        .err()
        .unwrap();
    assert_eq!(error.kind, Kind::Stale);
}
