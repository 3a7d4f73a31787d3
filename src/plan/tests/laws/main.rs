//! The laws of plans: on random small worlds, each plan is carried out on paper by a checker that knows nothing of
//! how it was made; beside it the cases that have a name.

mod cases;
mod checker;
mod rolling;
mod swaps;
mod world;

use infra_plan::{Refusal, read, write};
use proptest::prelude::*;

use world::{World, worlds};

fn backwards(world: &World) -> World {
    World {
        backwards: !world.backwards,
        ..world.clone()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Where only workloads hold anything there is always a plan, and the world lets every step of it happen.
    #[test]
    fn every_plan_can_be_carried_out(world in worlds(7)) {
        let plan = world.plan().expect("there is always a way");
        prop_assert_eq!(checker::check(&world, &plan), Ok(()), "{:#?}", plan.steps);
    }

    #[test]
    fn an_applied_plan_leaves_nothing_to_do(world in worlds(7)) {
        let plan = world.plan().unwrap();
        let again = world.again(&plan).unwrap();
        prop_assert!(again.is_empty(), "{:#?}", again.steps);
    }

    #[test]
    fn the_same_in_another_order_is_the_same_plan(world in worlds(9)) {
        let plan = write(&world.plan().unwrap());
        prop_assert_eq!(plan, write(&backwards(&world).plan().unwrap()));
    }

    #[test]
    fn a_plan_is_its_file(world in worlds(5)) {
        let plan = world.plan().unwrap();
        prop_assert_eq!(read(&write(&plan)), Ok(plan));
    }

    /// Nothing is destroyed under `prevent_destroy`, whatever else happens; and only that is refused.
    #[test]
    fn what_is_protected_stays(world in worlds(6), protected in 0..6usize) {
        let mut world = world;
        let protected = protected % world.things.len();
        world.things[protected].prevent_destroy = true;
        let id = world::id(protected);
        match world.plan() {
            Ok(plan) => {
                let gone = |s: &&infra_plan::Step| {
                    use infra_plan::StepAction::{Delete, Replace};
                    matches!(s.action, Delete | Replace)
                };
                let gone: Vec<_> = plan.steps.iter().filter(gone).map(|s| &s.resource).collect();
                let known = world.things[protected].recorded || world.things[protected].wanted && !world.destroy;
                prop_assert!(!known || !gone.contains(&&id));
            }
            Err(refusals) => {
                for refusal in refusals {
                    let about = match refusal {
                        Refusal::PreventDestroy { id, .. } => vec![id],
                        Refusal::Cycle(cycle) => cycle.0,
                        Refusal::NameTaken { .. } | Refusal::InUse { .. } => vec![],
                    };
                    prop_assert!(about.contains(&id));
                }
            }
        }
    }
}
