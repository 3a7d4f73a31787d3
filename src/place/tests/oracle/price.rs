//! What a place costs that the search found is what it says, and what the definitions come to.

use infra_place::{fit, keep, price};

use crate::random::world;

#[test]
fn a_known_place_costs_what_the_search_says() {
    let mut wrong = Vec::new();
    for seed in 1..=6000 {
        let world = world(seed);
        let topology = world.topology();
        let (room, _) = world.rooms(&topology, |_, _, _| ());
        let Ok(found) = fit(&topology, &room, &world.ask) else {
            continue;
        };
        let cost = price(&topology, &room, &world.ask, &found);
        if cost.tiers() != found.cost.tiers() {
            let (said, is) = (found.cost.tiers(), cost.tiers());
            let differ: Vec<_> = said.iter().zip(&is).filter(|(a, b)| a != b).collect();
            wrong.push(format!(
                "seed {seed}: {differ:?}: {:?} {:?}",
                world.ask,
                found.view(&topology)
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of 6000: {}",
        wrong.len(),
        wrong[..wrong.len().min(4)].join("\n")
    );
}

#[test]
fn a_place_that_is_kept_has_as_much_afar_as_when_it_was_found() {
    let mut afar = 0;
    for seed in 1..=6000 {
        let world = world(seed);
        let topology = world.topology();
        let (room, _) = world.rooms(&topology, |_, _, _| ());
        let Ok(found) = fit(&topology, &room, &world.ask) else {
            continue;
        };
        // Where the memory is elsewhere, its nodes are not those of the CPUs.
        if found.cost.remote_memory > 0 || world.ask.cpus.set.is_some() {
            continue;
        }
        let standing = found.standing(&topology);
        let Some(kept) = keep(&topology, &room, &world.ask, &standing) else {
            continue;
        };
        let (is, was) = (kept.cost.remote_devices, found.cost.remote_devices);
        assert_eq!(is, was, "seed {seed}: {:?}", world.ask);
        afar += u32::from(was > 0 && world.ask.devices.iter().all(|d| d.count == 0));
    }
    assert!(afar > 100, "{afar}");
}
