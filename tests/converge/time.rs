//! What takes time and what is cut short: readiness, deadlines, stops. The clock is paused and jumps.

use std::time::Duration;

use infra_api::Readiness;
use infra_apply::{Event, Stop};
use infra_sim::{Fault, Verb, When};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::house::{House, Weather};
use crate::nouns::{At, Deaf, Record, id};
use crate::three::{a, apply, apply_with, cause, three};

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
    let waiting = at(&|event| matches!(event, Event::Waiting { step: 2, .. }));
    assert!(at(&|event| matches!(event, Event::Done { step: 1, .. })) < waiting);
    assert!(waiting < at(&|event| matches!(event, Event::Done { step: 2, .. })));
}

/// The dependency has no step of its own any more, and is waited for all the same.
#[tokio::test(start_paused = true)]
async fn what_is_there_already_is_waited_for_too() {
    let house = House::new();
    house
        .sim
        .world()
        .readiness
        .insert(a(), vec![Readiness::Failed("it is unwell".to_owned())]);
    assert!(cause(&apply(&house).await, 2).contains("it is unwell"));
    let again = apply(&house).await;
    assert!(cause(&again, 1).contains("it is unwell"), "{again:#?}");
    assert!(again.done.is_empty());
    house
        .sim
        .world()
        .readiness
        .insert(a(), vec![Readiness::Ready]);
    assert!(apply(&house).await.is_complete());
}

#[tokio::test(start_paused = true)]
async fn what_never_gets_ready_fails_in_the_end() {
    for answer in [
        Readiness::Waiting("the moon".to_owned()),
        Readiness::Failed("it exited with 1".to_owned()),
    ] {
        let house = House::new();
        house.sim.world().readiness.insert(a(), vec![answer]);
        let began = Instant::now();
        let report = apply(&house).await;
        assert!(began.elapsed() < Duration::from_secs(130));
        let cause = cause(&report, 2);
        assert!(
            cause.contains("still waiting after 120 s: the moon")
                || cause.contains("it exited with 1"),
            "{cause}"
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
            checked: false,
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
            checked: false,
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
            checked: false,
        },
    )
    .await;
    assert_eq!(report.left, [1, 2, 3]);
    assert!(house.sim.world().calls.is_empty());
}

/// A declaration's own time holds for its action, and no other's.
#[tokio::test(start_paused = true)]
async fn a_declaration_says_how_long_it_may_take() {
    let mut house = House::new();
    house.timeouts.create_ms = Some(1500);
    house
        .sim
        .world()
        .fail(When::On(a(), Verb::Create), Fault::Hang);
    let report = apply(&house).await;
    assert!(
        cause(&report, 1).contains("no answer for 1.5 s"),
        "{report:#?}"
    );
    assert!(house.converge(&three()).await.is_complete());
    house
        .sim
        .world()
        .fail(When::On(a(), Verb::Delete), Fault::Hang);
    let began = Instant::now();
    let report = house.converge(&crate::house::Wanted::default()).await;
    assert_eq!(report.failed.len(), 1);
    assert!(began.elapsed() > Duration::from_secs(3000));
}
