//! Instances that change in batches: who fails stops the rest, who is not ready too.

use infra_api::{Readiness, Remedy, ResourceId};
use infra_plan::Rolling;
use infra_sim::{Fault, Verb, When};
use serde_json::json;

use crate::house::{House, Wanted, Weather};
use crate::nouns::{id, thing};

/// Three of one block.
pub(crate) fn three(image: u32) -> Wanted {
    let names = ["web0", "web1", "web2"];
    let body = json!({"image": image, "state": "running"});
    let object = |name| thing("container", name, body.clone(), &[]);
    let rolling = Rolling {
        instances: names.iter().map(|name| id("container", name)).collect(),
        max_parallel: 1,
        until_ready: true,
    };
    Wanted {
        resources: names.into_iter().map(object).collect(),
        rolling: vec![rolling],
        ..Wanted::default()
    }
}

fn web(n: u32) -> ResourceId {
    id("container", &format!("web{n}"))
}

fn images(house: &House) -> Vec<serde_json::Value> {
    let world = house.sim.world();
    let image = |n| world.objects.get(&web(n)).map(|o| o.body["image"].clone());
    (0..3).filter_map(image).collect()
}

#[tokio::test(start_paused = true)]
async fn who_fails_stops_the_rest() {
    let house = House::new();
    assert!(house.converge(&three(1)).await.is_complete());
    let plan = house.plan(&three(2)).await;
    let fault = Fault::Before(Remedy::Operator);
    house
        .sim
        .world()
        .fail(When::On(web(1), Verb::Replace), fault);
    let report = house.apply(&plan, Weather::default()).await.report();
    assert_eq!(report.failed.len(), 1, "{report:#?}");
    assert_eq!(images(&house), [2, 1, 1]);
    assert!(house.converge(&three(2)).await.is_complete());
    house.assert_is(&three(2), "rolled out").await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_get_ready_stops_the_rest() {
    let house = House::new();
    assert!(house.converge(&three(1)).await.is_complete());
    let plan = house.plan(&three(2)).await;
    let unwell = vec![Readiness::Failed("it is unwell".to_owned())];
    house.sim.world().readiness.insert(web(0), unwell);
    let report = house.apply(&plan, Weather::default()).await.report();
    assert_eq!(report.failed.len(), 1, "{report:#?}");
    assert!(report.failed[0].1.cause.contains("it is unwell"));
    assert_eq!(images(&house), [2, 1, 1]);
    let again = house.converge(&three(2)).await;
    assert_eq!(
        again.failed.len(),
        1,
        "nor does the next apply go on: {again:#?}"
    );
    house.sim.world().readiness.clear();
    assert!(house.converge(&three(2)).await.is_complete());
    assert_eq!(images(&house), [2, 2, 2]);
}
