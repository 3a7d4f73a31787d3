//! What runs goes to another host while it runs: cut off anywhere, it is never in none, and never runs in both.

use infra_api::{Resource, ResourceId};
use infra_plan::{Reason, StepAction};
use infra_sim::{Fault, Verb, When};
use serde_json::json;

use crate::house::{House, Wanted, Weather};
use crate::nouns::{id, second_host, thing};
use crate::{Journey, Trip, dies_everywhere, fails_everywhere, faults};

pub(crate) const MOVED: Journey = Journey {
    name: "a machine moves",
    from: |_| here("0"),
    to: |_| there("2"),
};

/// A machine on its first host, with what it stands on.
fn here(cpus: &str) -> Wanted {
    let body = json!({"memory_bytes": 1, "state": "running", "vcpu_pins": {"0": cpus}});
    Wanted {
        resources: vec![
            thing("pool", "p", json!({}), &[]),
            thing("volume", "seed", json!({"data": 1}), &[id("pool", "p")]),
            thing("domain", "vm", body, &[id("volume", "seed")]),
        ],
        migrate: true,
        ..Wanted::default()
    }
}

fn on_second(id: &ResourceId) -> ResourceId {
    ResourceId {
        host: second_host(),
        ..id.clone()
    }
}

fn there(cpus: &str) -> Wanted {
    let mut wanted = here(cpus);
    for resource in &mut wanted.resources {
        *resource = Resource {
            id: on_second(&resource.id),
            after: resource.after.iter().map(on_second).collect(),
            ..resource.clone()
        };
    }
    wanted
}

fn vm() -> ResourceId {
    id("domain", "vm")
}

#[tokio::test(start_paused = true)]
async fn it_is_the_same_and_was_not_started_again() {
    let trip = Trip::begin(&MOVED).await;
    let before = trip.house.sim.world().objects[&vm()].clone();
    let plan = trip.house.plan(&trip.to).await;
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|s| (s.action, s.resource.to_string()))
        .collect();
    let step = |action, id: &str| (action, id.to_owned());
    assert_eq!(
        steps,
        [
            step(StepAction::Create, "r2/sim/pool/p"),
            step(StepAction::Create, "r2/sim/volume/seed"),
            step(StepAction::Migrate, "r2/sim/domain/vm"),
            step(StepAction::Delete, "r1/sim/volume/seed"),
            step(StepAction::Delete, "r1/sim/pool/p"),
        ]
    );
    let end = trip.house.apply(&plan, Weather::default()).await;
    assert!(end.report().is_complete());
    trip.house.assert_is(&trip.to, "moved").await;
    let after = trip.house.sim.world().objects[&on_second(&vm())].clone();
    assert_eq!(
        (after.identity, after.starts),
        (before.identity, before.starts)
    );
}

/// At no moment of any of these does it run in both places, or in none.
#[tokio::test(start_paused = true)]
async fn it_is_cut_off_anywhere() {
    fails_everywhere(&MOVED, &faults()).await;
    dies_everywhere(&MOVED).await;
}

#[tokio::test(start_paused = true)]
async fn it_stays_where_it_was_where_it_cannot_be_had_there() {
    for fault in [
        Fault::Before(infra_api::Remedy::Operator),
        Fault::Half(infra_api::Remedy::Operator),
    ] {
        let trip = Trip::begin(&MOVED).await;
        trip.house
            .sim
            .world()
            .fail(When::On(vm(), Verb::Migrate), fault);
        let plan = trip.house.plan(&trip.to).await;
        let report = trip.house.apply(&plan, Weather::default()).await.report();
        assert_eq!(report.failed.len(), 1);
        let state = trip.house.load().state.expect("there is one").outcome;
        assert!(state.resources.contains_key(&vm()), "{state:#?}");
        assert!(!state.resources.contains_key(&on_second(&vm())));
        let world = trip.house.sim.world();
        assert_eq!(world.objects[&vm()].body["state"], "running");
        assert!(
            world.objects.contains_key(&id("volume", "seed")),
            "what it stands on stays"
        );
    }
}

/// What is left where it was is removed before it may be taken for the one that runs.
#[tokio::test(start_paused = true)]
async fn who_stands_still_is_not_resumed_beside_who_runs() {
    let trip = Trip::begin(&MOVED).await;
    trip.house
        .sim
        .world()
        .fail(When::On(vm(), Verb::Migrate), Fault::CrashLate);
    let plan = trip.house.plan(&trip.to).await;
    trip.house.apply(&plan, Weather::default()).await;
    let back = trip.house.plan(&here("0")).await;
    let of = |id: &ResourceId| back.steps.iter().find(|s| s.resource == *id);
    let (resumed, removed) = (of(&vm()), of(&on_second(&vm())));
    let (Some(resumed), Some(removed)) = (resumed, removed) else {
        panic!("{:#?}", back.steps);
    };
    assert_eq!(removed.action, StepAction::Delete);
    assert!(resumed.needs.contains(&removed.number));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_move_is_started_anew_and_says_why() {
    let house = House::new();
    assert!(house.converge(&here("0")).await.is_complete());
    let mut wanted = there("0");
    wanted.resources[2].body["memory_bytes"] = json!(2);
    let plan = house.plan(&wanted).await;
    let made = plan.steps.iter().find(|s| s.resource == on_second(&vm()));
    let made = made.expect("it is made");
    assert_eq!(made.action, StepAction::Create);
    let why = vec!["it is changed otherwise, too".to_owned()];
    let from = "r1".to_owned();
    assert_eq!(made.reason, Reason::CannotMove { from, why });
    assert!(house.converge(&wanted).await.is_complete());
    house.assert_is(&wanted, "started anew").await;
}
