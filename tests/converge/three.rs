//! Three containers, small enough to be followed by hand.

use infra_api::ResourceId;
use infra_apply::Report;
use serde_json::json;

use crate::house::{House, Wanted, Weather};
use crate::nouns::{id, thing};

/// `b` waits for `a`; `c` stands alone.
pub(crate) fn three() -> Wanted {
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
        ..Wanted::default()
    }
}

pub(crate) fn a() -> ResourceId {
    id("container", "a")
}

pub(crate) fn b() -> ResourceId {
    id("container", "b")
}

/// Step numbers follow the addresses: `a` is 1, `b` 2, `c` 3.
pub(crate) async fn apply_with(house: &House, weather: Weather<'_>) -> Report {
    let plan = house.plan(&three()).await;
    house.apply(&plan, weather).await.report()
}

pub(crate) async fn apply(house: &House) -> Report {
    apply_with(house, Weather::default()).await
}

pub(crate) fn cause(report: &Report, step: u32) -> String {
    let (_, failure) = report
        .failed
        .iter()
        .find(|(number, _)| *number == step)
        .expect("it failed");
    failure.to_string()
}
