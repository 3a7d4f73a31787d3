//! The way to a host ends in the middle of an apply.

use infra_api::Remedy;
use infra_apply::Event;
use infra_sim::{Fault, When};

use crate::house::{House, Weather};
use crate::nouns::{At, host};
use crate::three::{a, apply, apply_with, cause};

/// The first call is done, and its answer is lost with the connection.
async fn cut(house: &House) -> infra_apply::Report {
    house
        .sim
        .world()
        .fail(When::Call(1), Fault::After(Remedy::Retry));
    let sim = house.sim.clone();
    let sink = At(move |event: &Event| {
        if matches!(event, Event::Progress { text, .. } if text.contains("trying again")) {
            sim.world().unreachable.insert(host());
        }
    });
    let weather = Weather {
        sink: &sink,
        ..Weather::default()
    };
    apply_with(house, weather).await
}

#[tokio::test(start_paused = true)]
async fn it_is_opened_anew_and_nothing_is_made_twice() {
    let mut house = House::new();
    house.reopens = true;
    let report = cut(&house).await;
    assert_eq!(report.done, [1, 2, 3], "{:?}", report.failed);
    assert_eq!(house.sim.world().calls.len(), 3);
    assert!(house.load().in_doubt.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_nobody_can_look_at_is_in_doubt_until_somebody_can() {
    let house = House::new();
    let report = cut(&house).await;
    assert!(
        cause(&report, 1).contains("does not answer"),
        "{:?}",
        report.failed
    );
    let in_doubt = house.load().in_doubt;
    assert!(in_doubt.contains(&a()), "{in_doubt:?}");
    house.sim.world().unreachable.clear();
    assert!(apply(&house).await.is_complete());
    assert!(house.load().in_doubt.is_empty());
    let made = |name: &str| {
        let world = house.sim.world();
        world
            .calls
            .iter()
            .filter(|call| call.resource.name == name)
            .count()
    };
    assert_eq!((made("a"), made("b")), (1, 1), "it was there");
}
