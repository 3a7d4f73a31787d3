//! How many more of a shape fit: so many can be placed one after the other, and no further one.

use infra_place::{Lack, capacity, fit};

use crate::random::world;
use crate::world::bits;

/// So many are placed where it is said that they have no end.
const ENDLESS: u64 = 40;

fn law(seed: u64) -> Result<u64, String> {
    let mut world = world(seed);
    if let Some(small) = world.earlier.pop() {
        world.ask = small;
    }
    let topology = world.topology();
    let (room, state) = world.rooms(&topology, |_, _, _| ());
    let said = capacity(&topology, &room, &[&world.ask]);
    let mut left = (room.clone(), state);
    let mut count = 0;
    let mut on_nodes = std::collections::BTreeMap::new();
    let refused = loop {
        match fit(&topology, &left.0, &world.ask) {
            Err(why) => break Some(why),
            Ok(_) if said.count.is_none() && count == ENDLESS => break None,
            Ok(found) => {
                left.0.take(&topology, &found);
                left.1.take(&world, &found.view(&topology));
                *on_nodes.entry(found.nodes(&topology)).or_insert(0u64) += 1;
            }
        }
        count += 1;
    };
    if said.count.is_some_and(|n| n != count) || said.count.is_none() != refused.is_none() {
        return Err(format!("{:?} are said to fit, and {count} do", said.count));
    }
    if let Some(why) = refused {
        let own: std::collections::BTreeMap<_, _> = said.on_nodes.into_iter().collect();
        if own != on_nodes {
            return Err(format!("they lie on {on_nodes:?}, not {own:?}"));
        }
        if said.short != [(0, why.clone())] {
            return Err(format!("{why:?} is wanting, not {:?}", said.short));
        }
    }
    for node in said.left.iter().filter(|_| said.count.is_some()) {
        let at = world.node_at(node.node).ok_or("a node")?;
        let open = (left.1.open() & world.node_cpus(at)).count_ones();
        let pages: u64 = node.pages.iter().map(|(_, count)| count).sum();
        let devices = bits(left.1.devices).filter(|d| world.devices[*d].node == Some(at));
        let so = node.cpus == open
            && pages == left.1.pages[at].iter().sum::<u64>()
            && node.devices.len() == devices.count()
            && (!node.lacks.contains(&Lack::Cpus) || node.blocked <= node.cpus);
        if !so {
            return Err(format!("{node:?} is left, and {open} CPUs are"));
        }
    }
    Ok(count)
}

#[test]
fn what_nobody_counts_is_not_tried_one_by_one() {
    let node = infra_place::Node::default();
    let core = |cpu| infra_place::Core {
        node: 0,
        l3: None,
        threads: vec![cpu],
    };
    let topology = infra_place::Topology::new(vec![node], vec![core(0)], Vec::new(), Vec::new());
    let stock = |bytes, cpu_ratio| infra_place::Stock {
        cpus: [0].into(),
        bytes,
        cpu_ratio,
        ..infra_place::Stock::default()
    };
    let mut ask = infra_place::Ask::default();
    (ask.cpus.count, ask.cpus.policy) = (1, infra_place::Policy::Shared);
    ask.memory.bytes = 1 << 20;
    let count = |bytes, ratio| {
        let room = infra_place::Room::new(&topology, &stock(bytes, ratio));
        capacity(&topology, &room, &[&ask]).count
    };
    assert_eq!(count(Some(1 << 40), None), Some(1 << 20));
    assert_eq!(count(Some((3 << 20) + 1), None), Some(3));
    assert_eq!(count(Some(1 << 40), Some(7000)), Some(7));
    assert_eq!(count(None, None), None);
}

#[test]
fn so_many_fit_and_no_more() {
    let (mut many, mut wrong) = (0, Vec::new());
    for seed in 1..=4000 {
        match law(seed) {
            Ok(count) => many += u64::from(count > 1),
            Err(why) => wrong.push((seed, why)),
        }
    }
    for (seed, why) in &wrong {
        println!("seed {seed}: {why}\n    {:?}", world(*seed));
    }
    assert!(wrong.is_empty(), "{} hosts", wrong.len());
    assert!(many > 400, "of {many} there was more than one");
}
