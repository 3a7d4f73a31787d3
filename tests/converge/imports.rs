//! What somebody else has made and was imported: whatever fails, it is the same object, and no other of its name is.

use infra_api::{Remedy, ResourceId};
use infra_sim::{Fault, When};
use serde_json::{Value, json};

use crate::house::{End, House, Wanted, Weather};
use crate::nouns::{id, thing};

fn theirs() -> ResourceId {
    id("domain", "theirs")
}

fn body(memory: u32, vcpus: u32) -> Value {
    json!({"memory_bytes": memory, "vcpus": vcpus, "state": "running"})
}

fn wanted(body: Value) -> Wanted {
    Wanted {
        resources: vec![thing("domain", "theirs", body, &[])],
        imports: [theirs()].into(),
        ..Wanted::default()
    }
}

/// A house in which somebody else has made it.
fn house() -> House {
    let house = House::new();
    house.sim.world().put(theirs(), None, body(1, 1));
    house
}

fn identity(house: &House) -> Option<u64> {
    house.sim.world().objects.get(&theirs()).map(|o| o.identity)
}

#[tokio::test(start_paused = true)]
async fn it_is_taken_over_as_it_is() {
    let house = house();
    let plan = house.plan(&wanted(body(1, 1))).await;
    assert!(plan.is_empty(), "{plan:#?}");
    assert_eq!(plan.imports, [theirs()].into());
    assert!(
        house
            .apply(&plan, Weather::default())
            .await
            .report()
            .is_complete()
    );
    assert!(house.sim.world().calls.is_empty());
    let state = house.load().state.unwrap();
    assert!(state.outcome.resources[&theirs()].imported.is_some());
    let plan = house.plan(&wanted(body(1, 1))).await;
    assert!(plan.is_empty() && plan.imports.is_empty(), "known by now");
}

/// Changed in place, by a restart, and gone: with every fault at its call.
#[tokio::test(start_paused = true)]
async fn whatever_fails_it_is_the_same_object() {
    let faults = [Remedy::Retry, Remedy::Replan, Remedy::Operator]
        .into_iter()
        .flat_map(|remedy| {
            [
                Fault::Before(remedy),
                Fault::Half(remedy),
                Fault::After(remedy),
            ]
        })
        .chain([
            Fault::Lie,
            Fault::CrashBefore,
            Fault::CrashHalf,
            Fault::CrashAfter,
        ]);
    for fault in faults {
        for to in [body(2, 1), body(1, 2)] {
            let house = house();
            let own = identity(&house);
            house.sim.world().fail(When::Call(1), fault.clone());
            let plan = house.plan(&wanted(to.clone())).await;
            let _mishap: End = house.apply(&plan, Weather::default()).await;
            assert_eq!(house.sim.world().faults_left(), 0);
            let report = house.converge(&wanted(to.clone())).await;
            assert!(report.is_complete(), "{fault:?}: {report:#?}");
            assert_eq!(identity(&house), own, "{fault:?}");
            assert_eq!(house.sim.world().objects[&theirs()].body, to, "{fault:?}");
        }
        let house = house();
        assert!(house.converge(&wanted(body(1, 1))).await.is_complete());
        house.sim.world().fail(When::Call(1), fault.clone());
        let plan = house.plan(&Wanted::default()).await;
        let _mishap: End = house.apply(&plan, Weather::default()).await;
        let report = house.converge(&Wanted::default()).await;
        assert!(report.is_complete(), "{fault:?}: {report:#?}");
        assert_eq!(identity(&house), None, "{fault:?}");
    }
}

/// The check that does not go by the name alone: another object of that name is a stranger's.
#[tokio::test(start_paused = true)]
async fn another_one_of_its_name_is_nobodys() {
    for known in [false, true] {
        let house = house();
        if known {
            assert!(house.converge(&wanted(body(1, 1))).await.is_complete());
        }
        let plan = house.plan(&wanted(body(2, 1))).await;
        assert_eq!(plan.steps.len(), 1);
        house.sim.world().put(theirs(), None, body(1, 1));
        let report = house.apply(&plan, Weather::default()).await.report();
        assert!(report.stale[0].differs.contains("not ours"), "{report:#?}");
        assert!(house.sim.world().calls.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_made_anew_carries_the_mark() {
    let house = House::new();
    let theirs = id("container", "theirs");
    let image = |n: u32| json!({"image": n, "state": "running"});
    house.sim.world().put(theirs.clone(), None, image(1));
    let to = Wanted {
        resources: vec![thing("container", "theirs", image(2), &[])],
        imports: [theirs.clone()].into(),
        ..Wanted::default()
    };
    let report = house.converge(&to).await;
    assert!(report.is_complete(), "{report:#?}");
    assert!(house.sim.world().objects[&theirs].mark.is_some());
    let state = house.load().state.unwrap();
    assert!(state.outcome.resources[&theirs].imported.is_none());
}
