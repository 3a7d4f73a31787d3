//! What is waited for until it is ready: within its own time, and again by the next apply where that was in vain.

use std::time::Duration;

use infra_api::Readiness;
use infra_plan::{Reason, Timeouts};
use infra_sim::{Fault, Verb, When};
use serde_json::json;
use tokio::time::Instant;

use crate::house::{End, House, Wanted, Weather};
use crate::three::{a, cause, three};

fn waited_for() -> Wanted {
    Wanted {
        until_ready: [a()].into(),
        ..three()
    }
}

fn asleep() -> Vec<Readiness> {
    vec![Readiness::Waiting("it sleeps".to_owned())]
}

fn house() -> House {
    let mut house = House::new();
    house.timeouts = Timeouts {
        ready_ms: Some(7000),
        ..Timeouts::default()
    };
    house
}

#[tokio::test(start_paused = true)]
async fn in_vain_it_has_failed_and_the_next_apply_waits_again() {
    let house = house();
    house.sim.world().readiness.insert(a(), asleep());
    let began = Instant::now();
    let report = house.converge(&waited_for()).await;
    let took = began.elapsed();
    assert!((7..12).contains(&took.as_secs()), "its own time: {took:?}");
    let told = cause(&report, 1);
    assert!(
        told.contains("still waiting after 7 s: it sleeps"),
        "{told}"
    );
    assert_eq!(report.done, [3], "what depends on it was not started");

    let plan = house.plan(&waited_for()).await;
    assert_eq!(plan.steps[0].reason, Reason::NotReady);
    assert!(plan.steps[0].deltas.is_empty());
    let calls = house.sim.world().calls.len();
    let again = house.apply(&plan, Weather::default()).await.report();
    assert!(cause(&again, 1).contains("it sleeps"));
    assert_eq!(
        house.sim.world().calls.len(),
        calls,
        "it is only waited for"
    );

    house.sim.world().readiness.clear();
    assert!(house.converge(&waited_for()).await.is_complete());
    house.sim.world().readiness.insert(a(), asleep());
    assert!(house.plan(&waited_for()).await.is_empty(), "once is enough");
}

#[tokio::test(start_paused = true)]
async fn who_changes_in_place_is_not_waited_for_and_who_restarts_is() {
    let house = house();
    assert!(house.converge(&waited_for()).await.is_complete());
    let mut changed = waited_for();
    changed.resources[0].body["memory_bytes"] = json!(7);
    assert!(!house.plan(&changed).await.steps[0].until_ready);
    changed.resources[0].body["image"] = json!(2);
    assert!(house.plan(&changed).await.steps[0].until_ready);
}

/// Killed while it waits: nobody has seen it ready.
#[tokio::test(start_paused = true)]
async fn a_wait_that_was_cut_off_is_begun_again() {
    let house = house();
    let made = When::On(a(), Verb::Create);
    house.sim.world().fail(made, Fault::CrashAfter);
    let plan = house.plan(&waited_for()).await;
    let end = house.apply(&plan, Weather::default()).await;
    assert!(matches!(end, End::Killed));
    let plan = house.plan(&waited_for()).await;
    assert_eq!(plan.steps[0].reason, Reason::NotReady);
    house.sim.world().readiness.insert(a(), asleep());
    let report = house.apply(&plan, Weather::default()).await.report();
    assert!(cause(&report, 1).contains("it sleeps"));
    house.sim.world().readiness.clear();
    assert!(house.converge(&waited_for()).await.is_complete());
    assert!(house.plan(&waited_for()).await.is_empty());
}

/// The time a dependency may take is its own, also where it has no step.
#[tokio::test(start_paused = true)]
async fn a_dependency_has_the_time_it_declares() {
    let house = house();
    house.sim.world().readiness.insert(a(), asleep());
    for _ in 0..2 {
        let began = Instant::now();
        let report = house.converge(&three()).await;
        assert_eq!(report.failed.len(), 1, "{report:#?}");
        assert!(began.elapsed() < Duration::from_secs(12));
    }
}
