//! What is made anew beside the old one, in one step: cases that have a name. Odd things can.

use infra_plan::{Reason, Starts};
use serde_json::json;

use crate::cases::{made, told};
use crate::world::{Thing, World, id};

fn replaced(n: usize) -> Thing {
    Thing::settled(n).with("core", json!(0), json!(1))
}

fn first(thing: Thing) -> Thing {
    Thing {
        first: true,
        ..thing
    }
}

#[test]
fn one_step_where_it_can_be_beside_the_old_one() {
    let plan = made(&World::of([replaced(0), replaced(1)]));
    assert_eq!(told(&plan), "delete t0, create t0, replace t1");
    assert_eq!(plan.steps[2].starts, None);
}

/// Neither what stands on something that goes for a moment, nor what is the same afterwards.
#[test]
fn two_steps_where_it_cannot() {
    let world = World {
        replace: [id(3)].into(),
        ..World::of([replaced(0), replaced(1).on(&[0]), Thing::settled(3)])
    };
    assert_eq!(
        told(&made(&world)),
        "delete t1, delete t0, create t0, create t1, delete t3, create t3"
    );
}

/// What it no longer stands on goes after it.
#[test]
fn what_it_lets_go_of_goes_after() {
    let mut user = replaced(3);
    user.stood_on.insert(0);
    let plan = made(&World::of([Thing::settled(0).unwanted(), user]));
    assert_eq!(told(&plan), "replace t3, delete t0");
}

#[test]
fn it_runs_first_where_both_may_run() {
    let plan = made(&World::of([first(replaced(1)).on(&[0]), Thing::settled(0)]));
    assert_eq!(plan.steps[0].starts, Some(Starts::First));
}

#[test]
fn what_both_would_have_is_said() {
    let one = first(replaced(1).with("ip", json!("ip 1"), json!("ip 1")));
    let plan = made(&World::of([one]));
    let both = vec!["ip 1".to_owned()];
    assert_eq!(plan.steps[0].starts, Some(Starts::Second { both }));
}

/// In a swap it is the one that is stopped, for it is stopped anyway; its reason stays.
#[test]
fn it_yields_rather_than_one_that_need_not_stop() {
    let other = Thing::settled(0).with("ip", json!("a"), json!("b"));
    let world = World::of([other, replaced(1).with("ip", json!("b"), json!("a"))]);
    let plan = made(&world);
    assert_eq!(told(&plan), "delete t1, update t0, create t1");
    assert!(matches!(plan.steps[2].reason, Reason::Replaced { .. }));
}
