//! What the simple orders have in common: CPUs of a node as a policy wants them, and a place made of its parts.

use infra_api::IdSet;
use infra_place::{Ask, CellView, L3, SharedView, Threads, View};

use super::kinds::{PAGE, address};
use super::rules::{Free, cells, huge, threads, vfs};

/// A part of a place.
pub(crate) struct Part {
    /// None: wherever.
    pub(crate) node: Option<usize>,
    pub(crate) cpus: IdSet,
    /// As many vCPUs.
    pub(crate) count: u32,
    pub(crate) bytes: u64,
}

/// Of some cores, in their order, so many CPUs that lie on them as is asked; nothing where there are not so many.
pub(crate) fn pick(free: &Free, cores: &[usize], ask: &Ask, count: u32) -> Option<IdSet> {
    let machine = &free.machine;
    let threads = threads(ask)?;
    if ask.cpus.l3 == L3::Require {
        let mut l3s: Vec<_> = cores.iter().map(|c| machine.cores[*c].l3).collect();
        l3s.dedup();
        let of = |l3| -> Vec<usize> {
            let own = cores.iter().copied();
            own.filter(|c| machine.cores[*c].l3 == l3).collect()
        };
        return l3s
            .into_iter()
            .find_map(|l3| choose(free, &of(l3), threads, count));
    }
    choose(free, cores, threads, count)
}

fn choose(free: &Free, cores: &[usize], threads: Threads, count: u32) -> Option<IdSet> {
    let machine = &free.machine;
    let whole = |core: &usize| free.cores[*core] == machine.all(*core);
    let mut chosen = IdSet::new();
    let open = |chosen: &IdSet| count as usize - chosen.len();
    let cpus = |core: usize| machine.ids(core, free.cores[core]);
    match threads {
        Threads::Isolate => {
            let first = |core: &usize| machine.cores[*core].threads[0];
            let cores = cores.iter().filter(|c| whole(c));
            chosen = cores.take(count as usize).map(first).collect();
        }
        Threads::Require | Threads::Prefer => {
            for core in cores.iter().filter(|c| whole(c)) {
                if machine.cores[*core].threads.len() <= open(&chosen) {
                    chosen.extend(&cpus(*core));
                }
            }
        }
        Threads::Any => {}
    }
    if matches!(threads, Threads::Any | Threads::Prefer) {
        let rest = cores
            .iter()
            .flat_map(|core| cpus(*core).iter().collect::<Vec<_>>())
            .collect::<Vec<u32>>();
        for cpu in rest {
            if chosen.len() < count as usize {
                chosen.insert(cpu);
            }
        }
    }
    (chosen.len() == count as usize).then_some(chosen)
}

/// CPUs that go with these.
fn taken(free: &Free, ask: &Ask, cpus: &IdSet) -> IdSet {
    if threads(ask) != Some(Threads::Isolate) {
        return cpus.clone();
    }
    let cores = cpus.iter().map(|cpu| free.machine.cpus[&cpu].0);
    cores
        .flat_map(|core| free.machine.cores[core].threads.clone())
        .collect()
}

/// A place of parts and virtual functions. `apart`: pages that are not on the parts' nodes.
pub(crate) fn view(
    free: &Free,
    ask: &Ask,
    parts: &[Part],
    vfs: &[usize],
    apart: Option<Vec<(usize, u64)>>,
) -> View {
    let id = |node: usize| free.machine.nodes[node].id;
    let size = huge(ask).then_some(PAGE);
    let cell = |part: &Part| CellView {
        node: part.node.map(id),
        count: part.count,
        cpus: part.cpus.clone(),
        bytes: part.bytes,
        page_size: size,
    };
    let nodes: IdSet = parts.iter().filter_map(|p| p.node).map(id).collect();
    let mut memory = vec![(nodes, ask.memory.overhead_bytes)];
    if !huge(ask) {
        memory[0].1 += ask.memory.bytes;
    }
    let near = || {
        let pages = parts.iter().filter(|p| p.bytes > 0);
        pages
            .filter_map(|p| Some((p.node?, p.bytes.div_ceil(PAGE))))
            .collect()
    };
    let pages: Vec<(usize, u64)> = apart.unwrap_or_else(near);
    let all = parts.iter().flat_map(|p| &p.cpus).collect();
    let devices: Vec<String> = (vfs.iter())
        .map(|vf| address(u32::try_from(*vf).unwrap_or(u32::MAX)))
        .collect();
    let shares = threads(ask).is_none();
    View {
        cells: parts.iter().map(cell).collect(),
        helpers: IdSet::new(),
        taken: taken(free, ask, &all),
        memory,
        pages: (pages.into_iter())
            .filter(|_| huge(ask))
            .map(|(node, count)| (id(node), PAGE, count))
            .collect(),
        devices_taken: devices.clone(),
        devices,
        shared: shares.then(|| SharedView {
            count: ask.cpus.count,
            ..SharedView::default()
        }),
    }
}

/// Shared CPUs and memory wherever they are.
pub(crate) fn loose(free: &Free, ask: &Ask) -> Option<View> {
    let enough = ask.memory.bytes + ask.memory.overhead_bytes <= free.bytes;
    let part = Part {
        node: None,
        cpus: IdSet::new(),
        count: ask.cpus.count,
        bytes: ask.memory.bytes,
    };
    let runs = free.run(u64::from(ask.cpus.count), 0);
    (enough && runs).then(|| view(free, ask, &[part], &[], None))
}

/// Whether a node has so much memory, and what running it takes beside.
pub(crate) fn has(free: &Free, ask: &Ask, node: usize, bytes: u64) -> bool {
    let (pages, ordinary) = match huge(ask) {
        true => (bytes.div_ceil(PAGE), 0),
        false => (0, bytes),
    };
    pages <= free.pages[node] && ordinary + ask.memory.overhead_bytes <= free.bytes_of(node)
}

/// On one host, by nodes in two orders: where it goes whole, or cell by cell, to the first that has room; where none has,
/// in parts over several.
pub(crate) fn on_host(free: &Free, ask: &Ask, whole: &[usize], parts: &[usize]) -> Option<View> {
    let view = match threads(ask) {
        None => loose(free, ask),
        Some(_) if !cells(ask).is_empty() => in_cells(free, ask, whole),
        Some(_) => whole
            .iter()
            .find_map(|node| on_node(free, ask, *node))
            .or_else(|| in_parts(free, ask, parts)),
    }?;
    let gone = view.taken.len() as u64;
    (threads(ask).is_none() || free.run(0, gone)).then_some(view)
}

fn cores(free: &Free, node: usize) -> Vec<usize> {
    free.machine.cores_of(node).collect()
}

/// All of it on one node.
pub(crate) fn on_node(free: &Free, ask: &Ask, node: usize) -> Option<View> {
    let vfs = some_vfs(free, ask, node)?;
    let part = part(free, ask, node, ask.cpus.count, ask.memory.bytes)?;
    Some(view(free, ask, &[part], &vfs, None))
}

fn part(free: &Free, ask: &Ask, node: usize, count: u32, bytes: u64) -> Option<Part> {
    let there = has(free, ask, node, bytes);
    let cpus = pick(free, &cores(free, node), ask, count).filter(|_| there)?;
    Some(Part {
        node: Some(node),
        cpus,
        count,
        bytes,
    })
}

fn some_vfs(free: &Free, ask: &Ask, node: usize) -> Option<Vec<usize>> {
    let mut there = free.free_vfs(node);
    there.truncate(vfs(ask));
    (there.len() == vfs(ask)).then_some(there)
}

/// Each cell on the first node that has room and no other.
fn in_cells(free: &Free, ask: &Ask, nodes: &[usize]) -> Option<View> {
    let mut parts: Vec<Part> = Vec::new();
    for (count, bytes) in cells(ask) {
        let unused = |node: &&usize| parts.iter().all(|p| p.node != Some(**node));
        let mut nodes = nodes.iter().filter(unused);
        let found = nodes.find_map(|node| part(free, ask, *node, count, bytes))?;
        parts.push(found);
    }
    Some(view(free, ask, &parts, &[], None))
}

/// As much as each node has, until it is all there.
fn in_parts(free: &Free, ask: &Ask, nodes: &[usize]) -> Option<View> {
    let (mut count, mut bytes) = (ask.cpus.count, ask.memory.bytes);
    let mut parts = Vec::new();
    if ask.cpus.l3 == L3::Require {
        return None;
    }
    for node in nodes {
        let most = count.min(free.cpus_of(*node));
        let had = (1..=most)
            .rev()
            .find_map(|n| Some((n, pick(free, &cores(free, *node), ask, n)?)));
        let Some((own, cpus)) = had else { continue };
        let there = match huge(ask) {
            true => free.pages[*node] * PAGE,
            false => free
                .bytes_of(*node)
                .saturating_sub(ask.memory.overhead_bytes),
        };
        // What running it takes beside may come to lie on any of them.
        if free.bytes_of(*node) < ask.memory.overhead_bytes {
            continue;
        }
        let mine = bytes.min(there);
        (count, bytes) = (count - own, bytes - mine);
        parts.push(Part {
            node: Some(*node),
            cpus,
            count: own,
            bytes: mine,
        });
        if count == 0 {
            break;
        }
    }
    let on = |part: &Part| some_vfs(free, ask, part.node?);
    let vfs = parts.iter().find_map(on)?;
    let beside = ask.memory.overhead_bytes;
    let ordinary = if huge(ask) { 0 } else { ask.memory.bytes };
    let there = count == 0 && bytes == 0 && ordinary + beside <= free.bytes;
    there.then(|| view(free, ask, &parts, &vfs, None))
}
