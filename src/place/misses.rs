//! The nearest miss: what a person could ask for instead, or what would have to be there, so that a workload fits. Each is
//! tried: what is told has a place.

use infra_api::{L3, Threads};

use crate::ask::{Ask, Numa, Policy};
use crate::fit::{Fit, fit};
use crate::room::Room;
use crate::topology::{NodeKind, Topology};

/// One thing that is asked for otherwise, or that there is more of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// So many pages of this size more on this node (its id); so many are needed there in all.
    MorePages {
        node: u32,
        size: u64,
        more: u64,
        need: u64,
    },
    /// So many bytes more of ordinary memory, on this node or on the host as a whole.
    MoreMemory { node: Option<u32>, more: u64 },
    /// In so many cells.
    InCells(u32),
    /// On as few nodes as may be, not in cells.
    NotInCells,
    /// With pages of this size; 0: with ordinary memory.
    Pages(u64),
    /// Whichever threads.
    AnyThreads,
    /// Whichever L3 caches.
    AnyL3,
    /// On any nodes.
    AnyNodes,
    /// Any CPUs, as many as were named.
    AnyCpus,
    /// Devices wherever they are.
    FarDevices,
    /// Without CPUs for helper threads.
    NoHelpers,
    /// With so many CPUs fewer.
    FewerCpus(u32),
    /// With so many bytes less.
    LessMemory(u64),
    /// Sharing CPUs.
    SharedCpus,
}

/// CPU counts tried at most.
const COUNTS: u32 = 256;

impl Miss {
    /// What is asked for then.
    #[must_use]
    pub fn ask(&self, ask: &Ask) -> Ask {
        let mut ask = ask.clone();
        match self {
            Self::MorePages { .. } | Self::MoreMemory { .. } => {}
            Self::InCells(count) => ask.numa = Numa::Nodes(*count),
            Self::NotInCells => ask.numa = Numa::Auto,
            Self::Pages(size) => {
                ask.memory.page_sizes = vec![*size];
                if let Numa::Cells(cells) = &mut ask.numa {
                    cells.iter_mut().for_each(|cell| cell.page_sizes.clear());
                }
            }
            Self::AnyThreads => ask.cpus.policy = Policy::Dedicated(Threads::Any),
            Self::AnyL3 => ask.cpus.l3 = L3::Any,
            Self::AnyNodes => ask.memory.nodes = None,
            Self::AnyCpus => ask.cpus.set = None,
            Self::FarDevices => ask.devices.iter_mut().for_each(|d| d.strict = false),
            Self::NoHelpers => ask.helpers = 0,
            Self::FewerCpus(less) => ask.cpus.count = ask.cpus.count.saturating_sub(*less),
            Self::LessMemory(less) => ask.memory.bytes = ask.memory.bytes.saturating_sub(*less),
            Self::SharedCpus => {
                (ask.cpus.policy, ask.cpus.l3) = (Policy::Shared, L3::default());
                ask.helpers = 0;
            }
        }
        ask
    }

    /// What there is then.
    #[must_use]
    pub fn room(&self, topology: &Topology, room: &Room) -> Room {
        let mut room = room.clone();
        match self {
            Self::MorePages {
                node, size, more, ..
            } => {
                let at = topology.node(*node).zip(topology.page_size(*size));
                if let Some((node, size)) = at {
                    let pages = &mut room.nodes[node].pages[size];
                    *pages = pages.saturating_add(*more);
                }
            }
            Self::MoreMemory { node, more } => {
                let add = |bytes: Option<u64>| bytes.map(|bytes| bytes.saturating_add(*more));
                (room.bytes, room.most) = (add(room.bytes), add(room.most));
                if let Some(node) = node.and_then(|id| topology.node(id)) {
                    let node = &mut room.nodes[node];
                    (node.bytes, node.most) = (add(node.bytes), add(node.most));
                }
            }
            _ => {}
        }
        room
    }

    /// The place it has then.
    #[must_use]
    pub fn applied(&self, topology: &Topology, room: &Room, ask: &Ask) -> Option<Fit> {
        fit(topology, &self.room(topology, room), &self.ask(ask)).ok()
    }
}

/// What would make a workload fit that does not, the nearest first.
#[must_use]
pub fn misses(topology: &Topology, room: &Room, ask: &Ask) -> Vec<Miss> {
    let mut found = Vec::new();
    let fits = |miss: &Miss| miss.applied(topology, room, ask).is_some();
    found.extend(lacking(topology, room, ask).into_iter().filter(fits));
    found.extend(otherwise(topology, ask).into_iter().filter(fits));
    found.extend(fewer(&fits, ask));
    found.extend(less(&fits, ask));
    let shared = Some(Miss::SharedCpus).filter(|_| ask.cpus.policy != Policy::Shared);
    found.extend(shared.filter(|miss| ask.cpus.set.is_none() && fits(miss)));
    found
}

/// What a node, or the host, would have to have more of, for all that is asked for in one cell; least first.
fn lacking(topology: &Topology, room: &Room, ask: &Ask) -> Vec<Miss> {
    let bytes = match &ask.numa {
        Numa::Auto => ask.memory.bytes,
        Numa::Nodes(count) => ask.memory.bytes.div_ceil(u64::from((*count).max(1))),
        Numa::Cells(cells) => cells.iter().map(|cell| cell.bytes).max().unwrap_or(0),
    };
    let mut pages = Vec::new();
    let mut memory = Vec::new();
    let usable = |kind: NodeKind| kind == NodeKind::Whole || ask.memory.nodes.is_some();
    for (position, node) in topology
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, n)| usable(n.kind))
    {
        let at = &room.nodes[position];
        for size in ask.memory.page_sizes.iter().filter(|size| **size > 0) {
            let Some(have) = topology.page_size(*size).map(|s| at.pages[s]) else {
                continue;
            };
            let need = bytes.div_ceil(*size);
            if need > have {
                let (node, size, more) = (node.id, *size, need - have);
                pages.push(Miss::MorePages {
                    node,
                    size,
                    more,
                    need,
                });
            }
        }
        let whole = bytes.saturating_add(ask.memory.overhead_bytes);
        for need in [bytes, whole] {
            if let Some(more) = at.for_one().and_then(|have| need.checked_sub(have)) {
                let node = Some(node.id);
                memory.extend((more > 0).then_some(Miss::MoreMemory { node, more }));
            }
        }
    }
    let all = ask.memory.bytes.saturating_add(ask.memory.overhead_bytes);
    let host = room.for_one().and_then(|have| all.checked_sub(have));
    let host = host.filter(|more| *more > 0);
    memory.extend(host.map(|more| Miss::MoreMemory { node: None, more }));
    let amount = |miss: &Miss| match miss {
        Miss::MorePages { more, size, .. } => more.saturating_mul(*size),
        Miss::MoreMemory { more, .. } => *more,
        _ => 0,
    };
    pages.sort_by_key(amount);
    memory.sort_by_key(amount);
    pages.dedup();
    memory.dedup();
    // One of each kind is enough to know what is near; further nodes that lack more are not nearer.
    let fits = |miss: &Miss| miss.applied(topology, room, ask).is_some();
    let first = |all: Vec<Miss>| all.into_iter().find(|miss| fits(miss));
    first(pages).into_iter().chain(first(memory)).collect()
}

/// The same asked for in another way.
fn otherwise(topology: &Topology, ask: &Ask) -> Vec<Miss> {
    let mut ways = Vec::new();
    let dedicated = ask.cpus.policy != Policy::Shared && ask.cpus.set.is_none();
    let nodes = u32::try_from(topology.whole_nodes().count()).unwrap_or(u32::MAX);
    if let (Numa::Auto, true) = (&ask.numa, dedicated) {
        let most = nodes.min(ask.cpus.count);
        ways.extend((2..=most).map(Miss::InCells));
    } else if ask.numa != Numa::Auto {
        ways.push(Miss::NotInCells);
    }
    if ask.memory.bytes > 0 {
        let mut sizes: Vec<u64> = topology.page_sizes.iter().rev().copied().collect();
        sizes.push(0);
        let asked = |size: &u64| match ask.memory.page_sizes.as_slice() {
            [] => true,
            own => own.contains(size) || !ask.memory.bytes.is_multiple_of((*size).max(1)),
        };
        ways.extend(sizes.into_iter().filter(|s| !asked(s)).map(Miss::Pages));
    }
    let strict = matches!(
        ask.cpus.policy,
        Policy::Dedicated(Threads::Require | Threads::Isolate)
    );
    ways.extend(strict.then_some(Miss::AnyThreads));
    ways.extend(ask.cpus.l3.undivided().then_some(Miss::AnyL3));
    ways.extend(ask.memory.nodes.is_some().then_some(Miss::AnyNodes));
    ways.extend(ask.cpus.set.is_some().then_some(Miss::AnyCpus));
    let far = ask.devices.iter().any(|d| d.strict && d.count > 0);
    ways.extend(far.then_some(Miss::FarDevices));
    ways.extend((ask.helpers > 0).then_some(Miss::NoHelpers));
    ways
}

/// As few CPUs less as will do.
fn fewer(fits: &impl Fn(&Miss) -> bool, ask: &Ask) -> Option<Miss> {
    let cells = matches!(ask.numa, Numa::Cells(_));
    if cells || ask.cpus.set.is_some() || ask.cpus.count < 2 {
        return None;
    }
    let least = match ask.numa {
        Numa::Nodes(count) => count.max(1),
        _ => 1,
    };
    let most = ask.cpus.count.saturating_sub(least).min(COUNTS);
    (1..=most).map(Miss::FewerCpus).find(|miss| fits(miss))
}

/// As little memory less as will do, in whole pages, or MiB.
fn less(fits: &impl Fn(&Miss) -> bool, ask: &Ask) -> Option<Miss> {
    if matches!(ask.numa, Numa::Cells(_)) || ask.memory.bytes == 0 {
        return None;
    }
    let unit = ask.memory.page_sizes.iter().copied().max().unwrap_or(0);
    let unit = if unit == 0 { 1 << 20 } else { unit };
    let units = ask.memory.bytes / unit;
    // The less the better it fits: halve what may be enough.
    let miss = |less: u64| Miss::LessMemory(less * unit);
    let most = units.checked_sub(1).filter(|most| *most > 0)?;
    if !fits(&miss(most)) {
        return None;
    }
    let (mut short, mut enough) = (0, most);
    while enough - short > 1 {
        let middle = short + (enough - short) / 2;
        if fits(&miss(middle)) {
            enough = middle;
        } else {
            short = middle;
        }
    }
    Some(miss(enough))
}
