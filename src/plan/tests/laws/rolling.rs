//! Instances that change in batches: cases that have a name.

use infra_plan::Plan;
use serde_json::json;

use crate::cases::{cpus, made, told};
use crate::world::{Found, Thing, World, id};

fn needs(plan: &Plan) -> Vec<Vec<u32>> {
    plan.steps.iter().map(|s| s.needs.clone()).collect()
}

/// Two at a time, each pair when the one before is ready; what is new waits for nobody.
#[test]
fn instances_change_in_batches() {
    let mut things: Vec<Thing> = (0..5)
        .map(|n| Thing::settled(n).with("live", json!(0), json!(1)))
        .collect();
    things.push(Thing::settled(5).found(Found::Nothing, false));
    let world = World {
        rolling: vec![((0..6).collect(), 2)],
        ..World::of(things)
    };
    let plan = made(&world);
    assert_eq!(
        needs(&plan),
        [vec![], vec![], vec![1, 2], vec![1, 2], vec![3, 4], vec![]]
    );
    assert_eq!(plan.steps[3].waits_for, [id(1), id(0)], "by their ids");
    assert!(plan.steps[5].waits_for.is_empty());
}

/// The first was changed by an apply that the second failed.
#[test]
fn the_first_to_change_waits_for_the_one_before_it() {
    let world = World {
        rolling: vec![((0..4).collect(), 1)],
        ..World::of([
            Thing::settled(0),
            Thing::settled(1),
            Thing::settled(2).with("live", json!(0), json!(1)),
            Thing::settled(3),
        ])
    };
    assert_eq!(made(&world).steps[0].waits_for, [id(1)]);
}

/// A replacement has its turn from its removal on.
#[test]
fn the_next_is_not_removed_before_the_one_before_is_ready() {
    let replaced = |n| Thing::settled(n).with("core", json!(0), json!(1));
    let world = World {
        rolling: vec![(vec![0, 2], 1)],
        ..World::of([replaced(0), replaced(2)])
    };
    let plan = made(&world);
    assert_eq!(told(&plan), "delete t0, create t0, delete t2, create t2");
    assert_eq!(plan.steps[2].waits_for, [id(0)]);
}

/// The first takes what the second lets go of.
#[test]
fn who_lets_go_has_his_turn_first() {
    let world = World {
        rolling: vec![(vec![0, 1, 2], 1)],
        ..World::of([
            cpus(0, "ip", "a", "b"),
            cpus(1, "ip", "b", "c"),
            cpus(2, "ip", "d", "e"),
        ])
    };
    let plan = made(&world);
    assert_eq!(told(&plan), "update t1, update t0, update t2");
    assert_eq!(needs(&plan), [vec![], vec![1], vec![2]]);
}
