//! What may not be stopped now is not: its step and all that need it are left for another time.

use infra_api::Moment;
use infra_plan::When;
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

fn night() -> When {
    When::Window {
        window: "Sun 02:00-04:00".to_owned(),
    }
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
