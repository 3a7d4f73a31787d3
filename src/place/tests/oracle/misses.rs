//! Every stated nearest miss fits when it is applied: there is a place, and the checker, which believes
//! nothing, finds it valid.

use infra_place::{Miss, fit, misses};

use crate::random::world;
use crate::world::State;
use crate::{best, checker};

/// What there is then, as the oracle sees it.
fn with_more(world: &crate::world::World, state: &State, miss: &Miss) -> State {
    let mut state = state.clone();
    match miss {
        Miss::MorePages {
            node, size, more, ..
        } => {
            let size = world.page_sizes.iter().position(|s| s == size);
            state.pages[world.node_at(*node).unwrap()][size.unwrap()] += more;
        }
        Miss::MoreMemory { node, more } => {
            let add = |bytes: &mut Option<u64>| *bytes = bytes.map(|bytes| bytes + more);
            add(&mut state.bytes);
            add(&mut state.most);
            if let Some(at) = node.and_then(|id| world.node_at(id)) {
                add(&mut state.node_bytes[at]);
                add(&mut state.node_most[at]);
            }
        }
        _ => {}
    }
    state
}

fn law(seed: u64) -> Result<Vec<Miss>, String> {
    let world = world(seed);
    let topology = world.topology();
    let (room, state) = world.rooms(&topology, |_, _, _| ());
    if fit(&topology, &room, &world.ask).is_ok() {
        return Ok(Vec::new());
    }
    let told = misses(&topology, &room, &world.ask);
    for miss in &told {
        let (ask, state) = (miss.ask(&world.ask), with_more(&world, &state, miss));
        let found = fit(&topology, &miss.room(&topology, &room), &ask);
        let found = found.map_err(|why| format!("{miss:?}: {why:?}"))?;
        checker::check(&world, &state, &ask, &found).map_err(|c| format!("{miss:?}: {c}"))?;
        // Nothing nearer will do.
        if let Miss::FewerCpus(less @ 2..) = miss {
            let nearer = Miss::FewerCpus(less - 1).ask(&world.ask);
            if best::best(&world, &state, &nearer).is_some() {
                return Err(format!("{miss:?}: one more would fit"));
            }
        }
    }
    Ok(told)
}

#[test]
fn what_is_said_to_fit_fits() {
    let (mut told, mut wrong) = (std::collections::BTreeMap::<String, u32>::new(), Vec::new());
    for seed in 1..=12_000 {
        match law(seed) {
            Ok(all) => all.iter().for_each(|miss| {
                let word = format!("{miss:?}");
                let end = word
                    .find(|c: char| !c.is_alphanumeric())
                    .unwrap_or(word.len());
                *told.entry(word[..end].to_owned()).or_default() += 1;
            }),
            Err(why) => wrong.push(format!("seed {seed}: {why}: {:?}", world(seed).ask)),
        }
    }
    let first = &wrong[..wrong.len().min(4)];
    assert!(wrong.is_empty(), "{}: {}", wrong.len(), first.join("\n"));
    println!("{told:?}");
    assert_eq!(told.len(), 14, "every kind was told of: {told:?}");
}
