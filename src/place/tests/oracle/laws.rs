//! What holds of every place and of every refusal.

use std::time::{Duration, Instant};

use infra_place::{Ask, L3, Numa, Policy, Room, Threads, Topology, fit};

use crate::world::{State, World, bits, mask};
use crate::{best, checker, random, refusals};

/// Whether it has a place, or what is wrong with the answer.
pub(crate) fn judge(world: &World) -> Result<bool, String> {
    let topology = world.topology();
    let mut wrong = None;
    let (room, state) = world.rooms(&topology, |state, ask, found| {
        let complaint = checker::check(world, state, ask, found).err();
        let complaint = complaint.map(|c| format!("placed before: {ask:?}: {c}"));
        wrong = wrong.take().or(complaint);
    });
    wrong.map_or_else(|| answer(world, &topology, &room, &state, &world.ask), Err)
}

fn answer(
    world: &World,
    topology: &Topology,
    room: &Room,
    state: &State,
    ask: &Ask,
) -> Result<bool, String> {
    let best = best::best(world, state, ask).map(|tiers| tiers.list().to_vec());
    let found = match (fit(topology, room, ask), &best) {
        (Err(why), None) => {
            return refusals::check(world, state, ask, &why)
                .map(|()| false)
                .map_err(|wrong| format!("refused with {why:?}: {wrong}"));
        }
        (Err(why), Some(best)) => {
            return Err(format!("refused with {why:?}; there is one of {best:?}"));
        }
        (Ok(found), _) => found,
    };
    let view = || found.view(topology);
    checker::check(world, state, ask, &found).map_err(|c| format!("not so: {c}: {:?}", view()))?;
    let tiers: Vec<u64> = found.cost.tiers().iter().map(|(_, cost)| *cost).collect();
    if best.as_ref() != Some(&tiers) {
        return Err(format!(
            "costs {tiers:?}, and the best {best:?}: {:?}",
            view()
        ));
    }
    if !found.proven {
        return Err("it is not proven".to_owned());
    }
    match fit(topology, room, ask) {
        Ok(again) if again == found => Ok(true),
        _ => Err("another answer the second time".to_owned()),
    }
}

/// Fails with what is wrong, and the seeds of it.
fn hold(wrong: &[(u64, String)], run: u64) {
    for (seed, why) in wrong {
        println!("seed {seed}: {why}\n    {:?}\n", random::world(*seed).ask);
    }
    if let Some((seed, _)) = wrong.first() {
        println!("{:#?}", random::world(*seed));
    }
    assert!(wrong.is_empty(), "{} of {run} hosts", wrong.len());
}

/// `INFRA_ORACLE` is how many; else a hundred thousand, or as many as are done in a while.
#[test]
fn random_hosts() {
    let asked = std::env::var("INFRA_ORACLE").ok();
    let asked = asked.and_then(|n| n.parse::<u64>().ok());
    let end = Instant::now() + Duration::from_secs(20);
    let (mut placed, mut run, mut wrong) = (0u64, 0, Vec::new());
    for seed in 1..=asked.unwrap_or(100_000) {
        if asked.is_none() && Instant::now() > end || wrong.len() >= 40 {
            break;
        }
        run = seed;
        match judge(&random::world(seed)) {
            Ok(found) => placed += u64::from(found),
            Err(why) => wrong.push((seed, why)),
        }
    }
    println!("{run} hosts, {placed} of them with a place");
    hold(&wrong, run);
    // (two in five, give or take how many were done)
    let part = 100 * placed / run;
    assert!((30..=70).contains(&part), "the dice are loaded");
}

/// Who asks for little but devices is refused where there are none for him, and nowhere else; of each way to be near, as it
/// must be or as it may be, there are enough who are placed and who are not.
#[test]
fn devices_that_fit_are_given() {
    let run = 20_000;
    let (mut placed, mut wrong) = (0, Vec::new());
    let mut ways = std::collections::BTreeMap::<_, [u32; 2]>::new();
    for seed in 1..=run {
        let world = random::with_devices(seed);
        match judge(&world) {
            Ok(found) => {
                placed += u64::from(found);
                for asked in world.ask.devices.iter().filter(|d| d.count > 0) {
                    let way = ways.entry((asked.near as u32, asked.strict)).or_default();
                    way[usize::from(found)] += 1;
                }
            }
            Err(why) => wrong.push(format!("seed {seed}: {why}\n{:?}", world.ask)),
        }
    }
    println!(
        "{placed} of {run} with a place; by nearness and whether it must be, refused and placed: {ways:?}"
    );
    assert!(wrong.is_empty(), "{} of {run}: {}", wrong.len(), wrong[0]);
    assert!(
        (40..=80).contains(&(100 * placed / run)),
        "the dice are loaded"
    );
    assert!(
        ways.len() == 8 && ways.values().flatten().all(|n| *n > 200),
        "{ways:?}"
    );
}

/// Worlds for a law that needs no oracle.
fn each(law: impl Fn(&World) -> Result<(), String>) {
    let worlds = 1..=4000;
    let wrong = worlds.filter_map(|seed| Some((seed, law(&random::world(seed)).err()?)));
    hold(&wrong.collect::<Vec<_>>(), 4000);
}

#[test]
fn one_node_where_one_will_do() {
    each(|world| {
        let topology = world.topology();
        let (room, _) = world.rooms(&topology, |_, _, _| ());
        let mut ask = world.ask.clone();
        ask.cpus.set = None;
        ask.memory.page_sizes.truncate(1);
        let one = Ask {
            numa: Numa::Nodes(1),
            ..ask.clone()
        };
        ask.numa = Numa::Auto;
        match (fit(&topology, &room, &one), fit(&topology, &room, &ask)) {
            (Ok(_), Ok(found)) if found.cost.extra_nodes + found.cost.remote_memory == 0 => Ok(()),
            (Ok(_), other) => Err(format!("one node will do, and {other:?}")),
            (Err(_), _) => Ok(()),
        }
    });
}

#[test]
fn no_more_domains_than_needed() {
    each(|world| {
        let topology = world.topology();
        let (room, state) = world.rooms(&topology, |_, _, _| ());
        let mut ask = world.ask.clone();
        ask.cpus.set = None;
        ask.cpus.policy = Policy::Dedicated(Threads::Any);
        ask.cpus.l3 = L3::Prefer;
        ask.numa = Numa::Nodes(1);
        let Ok(found) = fit(&topology, &room, &ask) else {
            return Ok(());
        };
        let cell = &found.view(&topology).cells[0];
        let node = world
            .node_at(cell.node.unwrap_or(u32::MAX))
            .ok_or("a node")?;
        // The largest first are the fewest.
        let mut domains = std::collections::BTreeMap::<Option<usize>, u32>::new();
        for core in world.cores_of(world.node_cpus(node)) {
            let open = (world.core_mask(core) & state.open()).count_ones();
            *domains.entry(world.cores[core].l3).or_default() += open;
        }
        let mut sizes: Vec<u32> = domains.into_values().collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let mut need = cell.count;
        let few = sizes.iter().take_while(|size| {
            let more = need > 0;
            need = need.saturating_sub(**size);
            more
        });
        let few = few.count();
        let cores = world.cores_of(mask(&cell.cpus));
        let mut own: Vec<_> = cores.map(|core| world.cores[core].l3).collect();
        own.sort_unstable();
        own.dedup();
        if own.len() == few {
            Ok(())
        } else {
            Err(format!("{few} will do: {cell:?}"))
        }
    });
}

#[test]
fn fewer_cpus_are_no_remedy() {
    each(|world| {
        let world = World {
            earlier: Vec::new(),
            ..world.clone()
        };
        let topology = world.topology();
        if fit(&topology, &Room::new(&topology, &world.stock), &world.ask).is_ok() {
            return Ok(());
        }
        for cpu in bits(mask(&world.stock.cpus)) {
            let mut stock = world.stock.clone();
            stock.cpus.remove(cpu as u32);
            if fit(&topology, &Room::new(&topology, &stock), &world.ask).is_ok() {
                return Err(format!("it fits without CPU {cpu}"));
            }
        }
        Ok(())
    });
}
