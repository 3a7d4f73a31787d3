//! The safety checks, one by one: each test dies when its check is removed.

use std::sync::Mutex;

use infra_api::{Remedy, ResourceId};
use infra_apply::{Event, Skipped};
use infra_sim::{Fault, Verb, When};
use infra_state::{Kind, Vault};
use serde_json::json;

use crate::house::{Death, End, House, PASSWORD, Wanted, Weather};
use crate::nouns::{At, Record, address, host, id, mark};
use crate::three::{a, apply, apply_with, b, cause, three};

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

/// What a plan was made of a moment ago need not be read once more; what changed since is found by its own step.
#[tokio::test(start_paused = true)]
async fn what_changed_since_a_plan_of_this_moment_is_found_by_its_step() {
    let house = House::new();
    let plan = house.plan(&three()).await;
    let other = json!({"image": 2});
    house
        .sim
        .world()
        .put(id("container", "c"), Some(mark("c")), other.clone());
    let weather = Weather {
        checked: true,
        ..Weather::default()
    };
    let report = house.apply(&plan, weather).await.report();
    assert!(report.stale.is_empty());
    assert_eq!(report.done, [1, 2]);
    assert!(
        cause(&report, 3).contains("the world changed meanwhile"),
        "{report:#?}"
    );
    let there = &house.sim.world().objects[&id("container", "c")];
    assert_eq!(there.body, other, "and nothing was done to it");
}

/// Applies `wanted`, and puts another `b` there once the first step is done.
async fn meddled(house: &House, wanted: &Wanted) {
    let plan = house.plan(wanted).await;
    house.sim.world().calls.clear();
    let other = json!({"image": 9, "state": "running"});
    let meddle = At(|event: &Event| {
        if matches!(event, Event::Done { step: 1, .. }) {
            let mut world = house.sim.world();
            world.put(b(), Some(mark("b")), other.clone());
        }
    });
    let weather = Weather {
        sink: &meddle,
        ..Weather::default()
    };
    let report = house.apply(&plan, weather).await.report();
    assert!(
        cause(&report, 2).contains("the world changed meanwhile"),
        "{report:#?}"
    );
    assert_eq!(report.done, [1, 3]);
    assert_eq!(house.sim.world().objects[&b()].body, other);
}

fn called(house: &House, id: &ResourceId) -> bool {
    let world = house.sim.world();
    world.calls.iter().any(|call| call.resource == *id)
}

/// What a step changes is looked at once more just before it.
#[tokio::test(start_paused = true)]
async fn the_world_may_move_after_the_first_check() {
    let house = House::new();
    assert!(house.converge(&three()).await.is_complete());
    let mut wanted = three();
    for one in &mut wanted.resources {
        one.body["memory_bytes"] = json!(1);
    }
    meddled(&house, &wanted).await;
    assert!(!called(&house, &b()), "it was not touched");
}

/// What a step makes has a name that the daemon lets only one have: it is asked to make a new one and nothing else. Kinds
/// of which it does not know that are looked at.
#[tokio::test(start_paused = true)]
async fn a_name_may_be_taken_after_the_first_check() {
    let house = House::new();
    meddled(&house, &three()).await;
    assert!(called(&house, &b()), "the daemon itself refused");

    let house = House::new();
    let mut wanted = three();
    let network = id("network", "b");
    wanted.resources[1].id = network.clone();
    wanted.depends_on = vec![(network.clone(), a())];
    let plan = house.plan(&wanted).await;
    let meddle = At(|event: &Event| {
        if matches!(event, Event::Done { step: 1, .. }) {
            let body = json!({"image": 1, "state": "created"});
            house
                .sim
                .world()
                .put(network.clone(), Some(mark("b")), body);
        }
    });
    let weather = Weather {
        sink: &meddle,
        ..Weather::default()
    };
    let report = house.apply(&plan, weather).await.report();
    let (step, failure) = &report.failed[0];
    assert!(
        failure.cause.contains("the world changed meanwhile"),
        "{step} {failure}"
    );
    assert!(!called(&house, &network), "it was not touched");
}

/// Nobody looks where the daemon refuses; but what an earlier attempt may have made is looked for.
#[tokio::test(start_paused = true)]
async fn what_was_tried_before_is_looked_for() {
    let house = House::new();
    let lost = Fault::Half(Remedy::Retry);
    house.sim.world().fail(When::On(a(), Verb::Create), lost);
    assert!(apply(&house).await.is_complete());
    assert_eq!(house.sim.world().made[&a()], 1);
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
        .put(b(), None, three().resources[1].body.clone().into_value());
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
    // The state holds what is there, not what was wanted: the next plan changes it, and calls it no drift.
    assert_eq!(
        report.outcome.resources[&a()].body,
        json!({"image": 2, "state": "running"})
    );
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
async fn a_host_that_does_not_answer_stops_the_apply_before_it_begins() {
    let house = House::new();
    let plan = house.plan(&three()).await;
    house.sim.world().unreachable.insert(host());
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
        PASSWORD
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

/// Three steps are six entries, and the seventh says that all is done.
#[tokio::test(start_paused = true)]
async fn an_apply_that_dies_before_the_state_is_written_is_known_to_be_complete() {
    let house = House::new();
    let plan = house.plan(&three()).await;
    let death = Some(Death::AfterEntry(7));
    let end = house
        .apply(
            &plan,
            Weather {
                death,
                ..Weather::default()
            },
        )
        .await;
    assert!(matches!(end, End::Killed));
    let loaded = house.load();
    assert!(loaded.recovered);
    assert_eq!(loaded.state.unwrap().outcome, plan.result);
}

/// A mark cannot be changed everywhere: what moved keeps the one it was made with, and what is made later gets it too.
#[tokio::test(start_paused = true)]
async fn what_moved_is_marked_as_it_was_made() {
    let house = House::new();
    let mut plan = house.plan(&three()).await;
    let (now, made) = (&plan.steps[0].address.clone(), &address("born"));
    plan.result.made_as.moved(made, now);
    let first = plan.steps[0].resource.clone();
    let report = house.apply(&plan, Weather::default()).await.report();
    assert!(report.is_complete());
    let objects = house.sim.world().objects.clone();
    let marks = |id| objects[id].mark.clone().unwrap().address;
    assert_eq!(marks(&first), *made);
    let others = plan.steps.iter().filter(|s| s.address != *now);
    for step in others {
        assert_eq!(marks(&step.resource), step.address);
    }
    let loaded = house.load();
    let state = loaded.outcome();
    assert_eq!(state.resources[&first].address, *now);
    assert_eq!(state.made_as.of(now), made);
}
