//! Whether workloads may stand where they stand: every rule once, in the plainest words, over masks.

use std::collections::BTreeMap;

use infra_api::{CpuPolicy, Placement, Threads};

use crate::world::{Ask, HostSpec, PAGES_A_UNIT, UNIT, World, host_name, mask};

/// Where one workload stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stand {
    pub(crate) host: usize,
    /// Its own CPUs; of one that shares those it may run on, or none: whatever is left.
    pub(crate) cpus: u32,
    /// Nodes its memory is bound to; none: to no node.
    pub(crate) nodes: u32,
    /// Huge pages of each node.
    pub(crate) pages: BTreeMap<u32, u64>,
}

impl Stand {
    pub(crate) fn of(placement: &Placement, world: &World) -> Self {
        let host = (0..world.hosts.len()).find(|n| host_name(*n) == placement.host);
        Self {
            host: host.expect("a host of this world"),
            cpus: mask(&placement.cpus()),
            nodes: mask(&placement.nodes()),
            pages: pages(placement),
        }
    }
}

fn pages(placement: &Placement) -> BTreeMap<u32, u64> {
    let mut pages = BTreeMap::new();
    for cell in placement.cells.iter().filter(|c| c.memory_bytes > 0) {
        if let (Some(node), Some(size)) = (cell.node, cell.page_size_bytes) {
            *pages.entry(node).or_default() += cell.memory_bytes / size;
        }
    }
    pages
}

/// KubeVirt's accounting, once more: 240 MiB, 8 MiB a vCPU, a 512th of the guest.
fn ordinary_bytes(ask: &Ask) -> u64 {
    let guest = ask.memory * UNIT;
    let beside = (240 << 20) + (8 << 20) * u64::from(ask.count) + guest / 512;
    u64::from(!ask.paged || !ask.machine) * guest + u64::from(ask.machine) * beside
}

fn taken(host: &HostSpec, ask: &Ask, stand: &Stand) -> u32 {
    let cpus = (0..32).filter(|cpu| stand.cpus >> cpu & 1 == 1);
    match (ask.dedicated, ask.threads) {
        (false, _) => 0,
        (true, Threads::Isolate) => cpus.fold(0, |all, cpu| all | host.core_of(cpu)),
        (true, _) => stand.cpus,
    }
}

pub(crate) fn usable(host: &HostSpec) -> u32 {
    host.cpus() & !host.reserved & !host.barred & !host.foreign
}

/// The first rule that is broken, if any.
pub(crate) fn check(world: &World, stands: &[(&Ask, Stand)]) -> Result<(), String> {
    for (number, host) in world.hosts.iter().enumerate() {
        let here: Vec<&(&Ask, Stand)> = stands.iter().filter(|(_, s)| s.host == number).collect();
        for (ask, stand) in &here {
            alone(host, ask, stand).map_err(|why| format!("w{}: {why}", ask.number))?;
        }
        cpus(host, &here)?;
        memory(host, &here)?;
    }
    Ok(())
}

fn ensure(holds: bool, why: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why.to_owned()) }
}

/// Rules of one workload by itself.
fn alone(host: &HostSpec, ask: &Ask, stand: &Stand) -> Result<(), String> {
    ensure(
        ask.host.is_none_or(|h| h == stand.host),
        "on another host than named",
    )?;
    ensure(stand.cpus & !usable(host) == 0, "on CPUs nobody may use")?;
    if let Some(set) = ask.set {
        ensure(stand.cpus == set, "not on the CPUs it names")?;
    }
    if ask.dedicated {
        ensure(
            stand.cpus.count_ones() == ask.count,
            "not its number of CPUs",
        )?;
        threads(host, ask, stand)?;
    }
    let named = ask.nodes.unwrap_or(0);
    if let Some(nodes) = ask.nodes {
        ensure(
            stand.nodes != 0 && stand.nodes & !nodes == 0,
            "memory not where it is named",
        )?;
    }
    ensure(
        (stand.nodes | named) < 1 << host.nodes.len(),
        "memory on a node that is not there",
    )?;
    if ask.nodes.is_none() {
        let bare =
            (0..host.nodes.len()).any(|n| stand.nodes >> n & 1 == 1 && host.node_cpus(n) == 0);
        ensure(!bare, "on a node without CPUs that it does not name")?;
    }
    if ask.paged && ask.machine {
        let all: u64 = stand.pages.values().sum();
        ensure(all == ask.memory * PAGES_A_UNIT, "another number of pages")?;
        let bound = stand.pages.keys().all(|node| stand.nodes >> node & 1 == 1);
        ensure(bound, "pages of a node it is not bound to")?;
    }
    Ok(())
}

fn threads(host: &HostSpec, ask: &Ask, stand: &Stand) -> Result<(), String> {
    for cpu in (0..32).filter(|cpu| stand.cpus >> cpu & 1 == 1) {
        let core = host.core_of(cpu);
        match ask.threads {
            Threads::Require => ensure(core & !stand.cpus == 0, "not whole cores")?,
            Threads::Isolate => {
                ensure(
                    (core & stand.cpus).count_ones() == 1,
                    "two of its CPUs on one core",
                )?;
                ensure(core & !usable(host) == 0, "a sibling that is another's")?;
            }
            Threads::Any | Threads::Prefer => {}
        }
    }
    Ok(())
}

/// Nobody is where somebody has a CPU to himself, and who shares has something to share.
fn cpus(host: &HostSpec, here: &[&(&Ask, Stand)]) -> Result<(), String> {
    let mut gone = 0;
    let allowed = host.cpus() & !host.barred;
    let bound = if allowed & !host.bound == 0 {
        0
    } else {
        host.bound
    };
    for (index, (ask, stand)) in here.iter().enumerate() {
        let own = taken(host, ask, stand);
        gone |= own;
        ensure(own & bound == 0, "alone where others are bound to")?;
        for (other, its) in here.iter().skip(index + 1) {
            let theirs = taken(host, other, its);
            ensure(
                own & its.cpus == 0 && theirs & stand.cpus == 0,
                &format!("w{} and w{} meet", ask.number, other.number),
            )?;
        }
    }
    let shares = here.iter().any(|(ask, _)| !ask.dedicated);
    ensure(
        !shares || usable(host) & !gone != 0,
        "nothing left to share",
    )
}

/// Every set of nodes has what is bound within it; the host has what is asked in all; each node has its pages.
fn memory(host: &HostSpec, here: &[&(&Ask, Stand)]) -> Result<(), String> {
    let total: u64 = here.iter().map(|(ask, _)| ordinary_bytes(ask)).sum();
    let has: u64 = host.nodes.iter().map(|n| n.memory * UNIT).sum();
    ensure(
        total == 0 || total + host.foreign_memory * UNIT <= has,
        "more memory than there is",
    )?;
    for nodes in 1u32..1 << host.nodes.len() {
        let within = here
            .iter()
            .filter(|(_, s)| s.nodes != 0 && s.nodes & !nodes == 0);
        let asked: u64 = within.map(|(ask, _)| ordinary_bytes(ask)).sum();
        let of = |(n, node): (usize, &_)| {
            let node: &crate::world::NodeSpec = node;
            u64::from(nodes >> n & 1) * node.memory * UNIT
        };
        let has: u64 = host.nodes.iter().enumerate().map(of).sum();
        ensure(asked <= has, "more memory than a node has")?;
    }
    let mut pages: BTreeMap<u32, u64> = BTreeMap::new();
    for (_, stand) in here {
        for (node, count) in &stand.pages {
            *pages.entry(*node).or_default() += count;
        }
    }
    let enough =
        |(node, count): (&u32, &u64)| *count <= host.nodes[*node as usize].pages * PAGES_A_UNIT;
    ensure(pages.iter().all(enough), "more pages than a node has")
}

/// Checks what the placement made, and that what it says is one story.
pub(crate) fn check_placed(world: &World, placed: &infra::placing::Placed) -> Result<(), String> {
    let mut stands = Vec::new();
    for ask in &world.asks {
        let refused = placed
            .refused
            .iter()
            .filter(|r| r.workload == ask.address())
            .count();
        let Some(placement) = placed.placements.get(&ask.address()) else {
            ensure(refused == 1, "neither placed nor refused")?;
            continue;
        };
        ensure(refused == 0, "placed and refused")?;
        stands.push((ask, Stand::of(placement, world)));
        story(ask, placement)?;
        let host = &world.hosts[stands[stands.len() - 1].1.host];
        helpers(world, placed, placement, host)?;
    }
    for (ask, stand) in &stands {
        ensure(stand.cpus != 0, &format!("w{} may run nowhere", ask.number))?;
    }
    check(world, &stands)
}

fn story(ask: &Ask, placement: &Placement) -> Result<(), String> {
    let dedicated = placement.policy == CpuPolicy::Dedicated;
    ensure(
        dedicated == ask.dedicated && placement.runtime == ask.runtime(),
        "another policy",
    )?;
    ensure(
        placement.memory_bytes() == ask.memory * UNIT,
        "another size",
    )?;
    let vcpus: Vec<_> = placement.cells.iter().flat_map(|c| &c.vcpus).collect();
    ensure(
        vcpus.len() == ask.count as usize,
        &format!("another number of vCPUs: {placement:?}"),
    )?;
    let mut pinned: Vec<u32> = vcpus.iter().filter_map(|v| v.cpu).collect();
    pinned.sort_unstable();
    let own: Vec<u32> = placement.cpus().iter().filter(|_| ask.dedicated).collect();
    ensure(pinned == own, "pins that are not its CPUs")
}

/// A machine's helper threads run where nobody has a CPU to himself, or else on its own.
fn helpers(
    world: &World,
    placed: &infra::placing::Placed,
    placement: &Placement,
    host: &HostSpec,
) -> Result<(), String> {
    let gone = world
        .asks
        .iter()
        .filter_map(|ask| Some((ask, placed.placements.get(&ask.address())?)))
        .filter(|(_, p)| p.host == placement.host)
        .fold(0, |all, (ask, p)| {
            all | taken(host, ask, &Stand::of(p, world))
        });
    let left = usable(host) & !gone;
    let mine = mask(&placement.cpus());
    let fine = |cpus: u32| cpus != 0 && (cpus & !left == 0 || left == 0 && cpus == mine);
    ensure(
        placement.helpers.values().all(|h| fine(mask(h))),
        "helpers on another's CPUs",
    )
}
