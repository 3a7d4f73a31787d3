//! What may not be stopped now is not: its step and all that need it are left for another time.

use infra_api::Moment;
use infra_plan::{Reason, StepAction, When};
use serde_json::json;

use crate::house::{House, Wanted, Weather};
use crate::nouns::{id, thing};
use crate::three::{a, b, three};

/// The three, with another image, `a` to be stopped only then.
fn other_image(when: When) -> Wanted {
    let mut wanted = three();
    for resource in &mut wanted.resources {
        resource.body["image"] = json!(2);
    }
    wanted.stopped_when.insert(a(), when);
    wanted
}

pub(crate) fn week(window: &str) -> When {
    When::Window {
        window: window.to_owned(),
    }
}

fn night() -> When {
    week("Sun 02:00-04:00")
}

const SUNDAY_AT_THREE: Moment = Moment {
    day: 6,
    minute: 180,
};

fn image(house: &House, name: &str) -> serde_json::Value {
    house.sim.world().objects[&id("container", name)].body["image"].clone()
}

#[tokio::test(start_paused = true)]
async fn who_is_never_stopped_waits_and_so_does_who_depends_on_him() {
    let house = House::new();
    assert!(house.converge(&three()).await.is_complete());
    let wanted = other_image(When::Never);
    for _ in 0..2 {
        let report = house.converge(&wanted).await;
        assert!(report.is_complete(), "{report:#?}");
        assert_eq!(report.held.len(), 2, "{report:#?}");
        assert_eq!(
            ["a", "b", "c"].map(|name| image(&house, name)),
            [json!(1), json!(1), json!(2)]
        );
    }
    house.sim.world().objects.get_mut(&a()).unwrap().body["state"] = json!("exited");
    let report = house.converge(&wanted).await;
    assert!(
        report.held.is_empty(),
        "it does not run any more: {report:#?}"
    );
    house.assert_is(&wanted, "stopped by hand").await;
}

#[tokio::test(start_paused = true)]
async fn a_window_opens_and_the_same_plan_does_the_rest() {
    let mut house = House::new();
    assert!(house.converge(&three()).await.is_complete());
    let wanted = other_image(night());
    let plan = house.plan(&wanted).await;
    let report = house.apply(&plan, Weather::default()).await.report();
    assert_eq!(report.held.len(), 2, "{report:#?}");
    assert!(report.is_complete());
    house.settings.now = SUNDAY_AT_THREE;
    let report = house.apply(&plan, Weather::default()).await.report();
    assert!(
        report.is_complete() && report.held.is_empty(),
        "{report:#?}"
    );
    house.assert_is(&wanted, "in the window").await;
}

/// Nor is he removed who could not be made again: his network would be made anew under him.
#[tokio::test(start_paused = true)]
async fn who_is_never_stopped_keeps_what_he_stands_on() {
    let house = House::new();
    let lan = |subnet: &str| {
        let on = |name| {
            let body = json!({"image": 1, "state": "running"});
            thing("container", name, body, &[id("network", "lan")])
        };
        Wanted {
            resources: vec![
                thing("network", "lan", json!({ "subnet": subnet }), &[]),
                on("a"),
                on("b"),
            ],
            ..Wanted::default()
        }
    };
    assert!(house.converge(&lan("10.0.0.0/24")).await.is_complete());
    let mut wanted = lan("10.9.0.0/24");
    wanted.stopped_when.insert(a(), When::Never);
    let report = house.converge(&wanted).await;
    assert!(
        report.is_complete() && report.done.is_empty(),
        "{report:#?}"
    );
    assert!(
        house.plan(&lan("10.0.0.0/24")).await.is_empty(),
        "all is as it was"
    );
}

/// Only what stops is held.
#[tokio::test(start_paused = true)]
async fn a_change_in_place_waits_for_nothing() {
    let house = House::new();
    assert!(house.converge(&three()).await.is_complete());
    let mut wanted = three();
    wanted.resources[1].body["cpus"] = json!("1");
    wanted.stopped_when.insert(b(), When::Never);
    let report = house.converge(&wanted).await;
    assert!(report.held.is_empty(), "{report:#?}");
    house.assert_is(&wanted, "in place").await;
}

fn vm() -> infra_api::ResourceId {
    id("domain", "vm")
}

/// One machine of that size, that may be stopped then.
fn machine(memory: u32, when: When) -> Wanted {
    let body = json!({"memory_bytes": memory, "state": "running"});
    Wanted {
        resources: vec![thing("domain", "vm", body, &[])],
        stopped_when: [(vm(), when)].into(),
        ..Wanted::default()
    }
}

fn actions(plan: &infra_plan::Plan) -> Vec<StepAction> {
    plan.steps.iter().map(|step| step.action).collect()
}

/// A machine that runs with 1, with a next start prepared that makes it 2.
async fn prepared(when: &When) -> (House, Wanted) {
    let house = House::new();
    assert!(
        house
            .converge(&machine(1, when.clone()))
            .await
            .is_complete()
    );
    let wanted = machine(2, when.clone());
    let plan = house.plan(&wanted).await;
    assert_eq!(actions(&plan), [StepAction::Prepare, StepAction::Restart]);
    let report = house.apply(&plan, Weather::default()).await.report();
    assert_eq!((report.done, report.held), (vec![1], vec![2]));
    let body = house.sim.world().objects[&vm()].body.clone();
    assert_eq!(body["memory_bytes"], 1, "it runs as it did");
    assert!(body["next_start"].is_string());
    (house, wanted)
}

#[tokio::test(start_paused = true)]
async fn what_is_prepared_is_not_prepared_again() {
    let (house, wanted) = prepared(&When::Never).await;
    let plan = house.plan(&wanted).await;
    assert_eq!(actions(&plan), [StepAction::Restart]);
    let other = house.plan(&machine(3, When::Never)).await;
    assert_eq!(
        actions(&other),
        [StepAction::Prepare, StepAction::Restart],
        "another next start"
    );
}

/// Somebody else has restarted it.
#[tokio::test(start_paused = true)]
async fn who_was_restarted_by_anybody_is_as_wanted() {
    let (house, wanted) = prepared(&When::Never).await;
    house.sim.world().objects.get_mut(&vm()).unwrap().body =
        wanted.resources[0].body.clone().into_value();
    let report = house.converge(&wanted).await;
    assert!(report.done.is_empty() && report.held.is_empty());
    house.assert_is(&wanted, "restarted by hand").await;
}

/// Else the next start would bring what nobody wants any more.
#[tokio::test(start_paused = true)]
async fn who_thinks_better_of_it_takes_the_next_start_back() {
    let (house, _) = prepared(&When::Never).await;
    let wanted = machine(1, When::Never);
    let plan = house.plan(&wanted).await;
    assert_eq!(actions(&plan), [StepAction::Update]);
    assert_eq!(plan.steps[0].reason, Reason::Changed);
    assert!(house.converge(&wanted).await.is_complete());
    house.assert_is(&wanted, "as it was").await;
}

#[tokio::test(start_paused = true)]
async fn the_same_plan_restarts_what_it_has_prepared() {
    let (mut house, wanted) = (House::new(), machine(2, night()));
    assert!(house.converge(&machine(1, night())).await.is_complete());
    let plan = house.plan(&wanted).await;
    let report = house.apply(&plan, Weather::default()).await.report();
    assert_eq!((report.done, report.held), (vec![1], vec![2]));
    house.settings.now = SUNDAY_AT_THREE;
    let report = house.apply(&plan, Weather::default()).await.report();
    assert!(
        report.is_complete() && report.held.is_empty(),
        "{report:#?}"
    );
    house.assert_is(&wanted, "in the window").await;
}

/// Whoever changes the next start by hand has it looked at first.
#[tokio::test(start_paused = true)]
async fn a_next_start_that_was_changed_since_is_stale() {
    let (mut house, wanted) = prepared(&night()).await;
    let plan = house.plan(&wanted).await;
    house.sim.world().objects.get_mut(&vm()).unwrap().body["next_start"] = json!("another");
    house.settings.now = SUNDAY_AT_THREE;
    let report = house.apply(&plan, Weather::default()).await.report();
    assert_eq!(report.stale.len(), 1, "{report:#?}");
    assert_eq!(house.sim.world().objects[&vm()].body["memory_bytes"], 1);
}
