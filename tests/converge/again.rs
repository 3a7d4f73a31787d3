//! A plan that was cut off is applied again: it does the rest, and only where nobody else has touched anything since.

use infra_api::{Remedy, ResourceId};
use infra_sim::{Fault, Verb, When};
use infra_state::Kind;
use serde_json::json;

use crate::house::{End, House, Wanted, Weather};
use crate::nouns::{id, mark, thing};
use crate::three::{a, b, cause, three};

/// A plan of which `b` failed half way; `a` and `c` are done.
async fn half_failed(house: &House) -> infra_plan::Plan {
    let plan = house.plan(&three()).await;
    house
        .sim
        .world()
        .fail(When::On(b(), Verb::Create), Fault::Half(Remedy::Operator));
    let report = house.apply(&plan, Weather::default()).await.report();
    assert_eq!(
        (report.done.as_slice(), report.failed.len()),
        (&[1, 3][..], 1)
    );
    house.sim.world().calls.clear();
    plan
}

#[tokio::test(start_paused = true)]
async fn it_does_the_rest_and_nothing_twice() {
    let house = House::new();
    let plan = half_failed(&house).await;
    let report = house.apply(&plan, Weather::default()).await.report();
    assert!(report.is_complete(), "{report:#?}");
    let calls = house.sim.world().calls.clone();
    let called: Vec<_> = calls.iter().map(|call| &call.resource).collect();
    assert_eq!(called, [&b()]);
    house.assert_is(&three(), "applied again").await;
}

#[tokio::test(start_paused = true)]
async fn as_often_as_it_takes() {
    let house = House::new();
    let plan = half_failed(&house).await;
    house
        .sim
        .world()
        .fail(When::On(b(), Verb::Create), Fault::Before(Remedy::Operator));
    let report = house.apply(&plan, Weather::default()).await.report();
    assert!(cause(&report, 2).contains("failed before"), "{report:#?}");
    let report = house.apply(&plan, Weather::default()).await.report();
    assert!(report.is_complete(), "{report:#?}");
}

/// What was done is somebody's to change as well as what was not.
#[tokio::test(start_paused = true)]
async fn what_was_changed_since_is_named_and_nothing_is_touched() {
    for name in ["a", "b", "c"] {
        let house = House::new();
        let plan = half_failed(&house).await;
        let body = json!({"image": 9, "state": "running"});
        let changed = id("container", name);
        house
            .sim
            .world()
            .put(changed.clone(), Some(mark(name)), body);
        let report = house.apply(&plan, Weather::default()).await.report();
        let stale: Vec<_> = report.stale.iter().map(|stale| &stale.resource).collect();
        assert_eq!(stale, [&changed], "{report:#?}");
        assert!(house.sim.world().calls.is_empty());
    }
}

/// Nobody but the plan itself may have changed the state it was made on.
#[tokio::test(start_paused = true)]
async fn another_apply_in_between_ends_it() {
    let house = House::new();
    let plan = half_failed(&house).await;
    assert!(house.converge(&three()).await.is_complete());
    let lock = house.lock().unwrap();
    let error = house.store.begin(&lock, &house.load(), &plan, "x").err();
    assert_eq!(error.unwrap().kind, Kind::Stale);
}

/// An apply that could not begin has cut nothing off.
#[tokio::test(start_paused = true)]
async fn a_plan_that_was_refused_is_as_good_as_new() {
    let house = House::new();
    let plan = house.plan(&three()).await;
    house
        .sim
        .world()
        .put(a(), Some(mark("a")), json!({"image": 9}));
    assert_eq!(
        house
            .apply(&plan, Weather::default())
            .await
            .report()
            .stale
            .len(),
        1
    );
    house.sim.world().objects.remove(&a());
    let report = house.apply(&plan, Weather::default()).await.report();
    assert!(report.is_complete(), "{report:#?}");
}

/// An answer that did not come tells nothing: the call goes on in the daemon, and is done while the next apply begins.
#[tokio::test(start_paused = true)]
async fn what_is_still_going_on_may_end() {
    let house = House::new();
    let plan = house.plan(&three()).await;
    house
        .sim
        .world()
        .fail(When::On(a(), Verb::Create), Fault::CrashHalf);
    let end = house.apply(&plan, Weather::default()).await;
    assert!(matches!(end, End::Killed));
    let next = house.plan(&three()).await;
    assert_eq!(next.steps[0].before, infra_plan::Before::Partial);
    house.sim.world().objects.get_mut(&a()).unwrap().whole = true;
    let report = house.apply(&next, Weather::default()).await.report();
    assert!(report.is_complete(), "{report:#?}");
    house.assert_is(&three(), "it ended by itself").await;
}

/// Who could not be changed stands on what it stood on before: the next plan removes that only when it has let go of it.
#[tokio::test(start_paused = true)]
async fn what_failed_to_change_keeps_what_it_stands_on() {
    let house = House::new();
    let volume = |name| thing("volume", name, json!({"size_bytes": 1}), &[]);
    let standing = |image, on| {
        let body = json!({"image": image, "state": "running"});
        let it = thing("container", "it", body, &[id("volume", on)]);
        Wanted {
            resources: vec![volume(on), it],
            ..Wanted::default()
        }
    };
    let plan = house.plan(&standing(1, "old")).await;
    assert!(
        house
            .apply(&plan, Weather::default())
            .await
            .report()
            .is_complete()
    );
    let plan = house.plan(&standing(2, "new")).await;
    let it = id("container", "it");
    for verb in [Verb::Replace, Verb::Update] {
        let fault = Fault::Before(Remedy::Operator);
        house.sim.world().fail(When::On(it.clone(), verb), fault);
    }
    let report = house.apply(&plan, Weather::default()).await.report();
    assert!(!report.is_complete(), "{report:#?}");

    let plan = house.plan(&standing(2, "new")).await;
    let of = |id: &ResourceId| plan.steps.iter().find(|step| step.resource == *id);
    let changes = of(&it).expect("it is still to be changed");
    let goes = of(&id("volume", "old")).expect("nobody wants it any more");
    assert!(goes.needs.contains(&changes.number), "{plan:#?}");
}
