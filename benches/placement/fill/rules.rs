//! What is free on a host, and whether a place keeps to the rules: H1 to H5, H6, H11 of what these workloads can ask.
//! Nothing of the search's own book-keeping is used.

use std::collections::BTreeSet;
use std::sync::Arc;

use infra_api::IdSet;
use infra_place::{Ask, L3, Numa, Policy, Threads, View};

use super::kinds::{Machine, PAGE, RATIO};

/// A host while it fills.
#[derive(Clone)]
pub(crate) struct Free {
    pub(crate) machine: Arc<Machine>,
    /// Free threads of each core.
    pub(crate) cores: Vec<u64>,
    /// Ordinary bytes of each node that are not bound to it alone, and those of the host that nobody has.
    pub(crate) node_bytes: Vec<u64>,
    pub(crate) bytes: u64,
    /// Bound to several nodes together.
    together: Vec<(IdSet, u64)>,
    pub(crate) pages: Vec<u64>,
    pub(crate) vfs: Vec<bool>,
    /// vCPUs of those who share.
    pub(crate) shared: u64,
}

pub(crate) type Verdict = Result<(), String>;

fn hold(is: bool, what: &str) -> Verdict {
    if is { Ok(()) } else { Err(what.to_owned()) }
}

/// How its own CPUs lie on cores; nothing where it shares them.
pub(crate) fn threads(ask: &Ask) -> Option<Threads> {
    match ask.cpus.policy {
        Policy::Dedicated(threads) => Some(threads),
        Policy::Shared => None,
    }
}

pub(crate) fn huge(ask: &Ask) -> bool {
    ask.memory.page_sizes == [PAGE]
}

pub(crate) fn vfs(ask: &Ask) -> usize {
    ask.devices.iter().map(|d| d.count as usize).sum()
}

/// CPUs and bytes of the cells it asks for; none where that is left open.
pub(crate) fn cells(ask: &Ask) -> Vec<(u32, u64)> {
    match &ask.numa {
        Numa::Auto => Vec::new(),
        Numa::Cells(cells) => cells.iter().map(|c| (c.cpus, c.bytes)).collect(),
        Numa::Nodes(count) => {
            let (cpus, pages) = (ask.cpus.count, ask.memory.bytes / PAGE);
            let part = |i: u32| {
                let more = u64::from(u64::from(i) < pages % u64::from(*count));
                let bytes = (pages / u64::from(*count) + more) * PAGE;
                (cpus / count + u32::from(i < cpus % count), bytes)
            };
            (0..*count).map(part).collect()
        }
    }
}

impl Free {
    pub(crate) fn new(machine: &Arc<Machine>) -> Self {
        let all = |core: usize| match core == machine.kept {
            true => 0,
            false => machine.all(core),
        };
        Self {
            machine: Arc::clone(machine),
            cores: (0..machine.cores.len()).map(all).collect(),
            node_bytes: machine.bytes.clone(),
            bytes: machine.bytes.iter().sum(),
            together: Vec::new(),
            pages: machine.pages.clone(),
            vfs: vec![true; machine.vfs.iter().map(Vec::len).sum()],
            shared: 0,
        }
    }

    pub(crate) fn cpus(&self) -> u64 {
        self.cores.iter().map(|c| u64::from(c.count_ones())).sum()
    }

    pub(crate) fn cpus_of(&self, node: usize) -> u32 {
        let cores = self.machine.cores_of(node);
        cores.map(|core| self.cores[core].count_ones()).sum()
    }

    /// Whether those who share still run, `more` of them, beside so many CPUs that go.
    pub(crate) fn run(&self, more: u64, gone: u64) -> bool {
        let left = self.cpus().saturating_sub(gone);
        let shared = self.shared + more;
        shared == 0 || left > 0 && shared <= RATIO * left
    }

    pub(crate) fn free_vfs(&self, node: usize) -> Vec<usize> {
        let all = self.machine.vfs[node].iter().copied();
        all.filter(|vf| self.vfs[*vf]).collect()
    }

    /// Ordinary bytes of a node that are certainly free.
    pub(crate) fn bytes_of(&self, node: usize) -> u64 {
        let id = self.machine.nodes[node].id;
        let bound: u64 = (self.together.iter())
            .filter(|(nodes, _)| nodes.contains(id))
            .map(|(_, bytes)| bytes)
            .sum();
        self.node_bytes[node].saturating_sub(bound).min(self.bytes)
    }

    /// Whether a place may be given.
    pub(crate) fn check(&self, ask: &Ask, view: &View) -> Verdict {
        hold(view.helpers.is_empty(), "no helpers were asked for")?;
        self.counts(ask, view)?;
        self.are_free(ask, view)?;
        let bound = self.is_near(view);
        hold(
            bound || cells(ask).is_empty(),
            "the CPUs of a cell that was asked for are on its node",
        )?;
        self.memory(ask, view)?;
        self.devices(ask, view)
    }

    fn counts(&self, ask: &Ask, view: &View) -> Verdict {
        let shares = threads(ask).is_none();
        hold(shares == view.shared.is_some(), "shared if asked so")?;
        let shared = view.shared.as_ref();
        let loose = |s: &infra_place::SharedView| s.named.is_empty() && !s.on_nodes;
        hold(shared.is_none_or(loose), "shared wherever there are CPUs")?;
        let count: u32 = view.cells.iter().map(|c| c.count).sum();
        let told = shared.is_none_or(|s| s.count == ask.cpus.count);
        hold(count == ask.cpus.count && told, "as many CPUs as asked")?;
        for cell in &view.cells {
            let own = if shares { 0 } else { cell.count as usize };
            hold(cell.cpus.len() == own, "each cell has its CPUs")?;
        }
        let nodes: Vec<u32> = view.cells.iter().filter_map(|c| c.node).collect();
        let distinct: BTreeSet<&u32> = nodes.iter().collect();
        hold(distinct.len() == nodes.len(), "each cell on its own node")?;
        let bytes: u64 = view.cells.iter().map(|c| c.bytes).sum();
        hold(bytes == ask.memory.bytes, "as much memory as asked")?;
        let asked = cells(ask);
        let given = view.cells.iter().map(|c| (c.count, c.bytes));
        hold(
            asked.is_empty() || given.eq(asked.iter().copied()),
            "the cells that were asked for",
        )
    }

    /// H1, H4, H6, H11.
    fn are_free(&self, ask: &Ask, view: &View) -> Verdict {
        let gone = view.taken.len() as u64;
        let more = if threads(ask).is_none() {
            ask.cpus.count
        } else {
            0
        };
        hold(
            self.run(u64::from(more), gone),
            "those who share still have CPUs",
        )?;
        let own = view.cells.iter().flat_map(|c| &c.cpus).collect::<IdSet>();
        let listed: usize = view.cells.iter().map(|c| c.cpus.len()).sum();
        hold(own.len() == listed, "no CPU twice")?;
        let mut taken = IdSet::new();
        for core in 0..self.cores.len() {
            let mine = self.machine.mask(core, &own);
            let Some(threads) = threads(ask).filter(|_| mine != 0) else {
                continue;
            };
            let all = self.machine.all(core);
            hold(mine & !self.cores[core] == 0, "free CPUs")?;
            match threads {
                Threads::Any | Threads::Prefer => {}
                Threads::Require => hold(mine == all, "whole cores")?,
                Threads::Isolate => hold(
                    mine.count_ones() == 1 && self.cores[core] == all,
                    "one thread of a core that is free",
                )?,
            }
            let with = threads == Threads::Isolate;
            taken.extend(&self.machine.ids(core, if with { all } else { mine }));
        }
        hold(taken == view.taken, "what is taken is what nobody may have")?;
        hold(
            ask.cpus.l3 != L3::Require || view.cells.iter().all(|c| self.one_l3(&c.cpus)),
            "the CPUs of a cell share one L3",
        )
    }

    fn one_l3(&self, cpus: &IdSet) -> bool {
        let cores = cpus.iter().map(|cpu| self.machine.cpus[&cpu].0);
        let l3s: BTreeSet<_> = cores.map(|core| self.machine.cores[core].l3).collect();
        l3s.len() == 1
    }

    /// Whether all its CPUs are on the nodes of their cells.
    pub(crate) fn is_near(&self, view: &View) -> bool {
        let on = |cpu: u32| Some(self.machine.nodes[self.machine.node_of(cpu)].id);
        let near = |cell: &infra_place::CellView| cell.cpus.iter().all(|c| on(c) == cell.node);
        view.cells.iter().all(near)
    }

    /// H2: the pages and bytes are there, and where they are said to be.
    fn memory(&self, ask: &Ask, view: &View) -> Verdict {
        let on_cells: IdSet = view.cells.iter().filter_map(|c| c.node).collect();
        for (node, size, count) in &view.pages {
            let free = self.machine.node(*node).map_or(0, |n| self.pages[n]);
            hold(*size == PAGE && *count <= free, "pages that are free")?;
        }
        let near = self.is_near(view);
        let mut pages = 0;
        for cell in view.cells.iter().filter(|c| c.bytes > 0 && huge(ask)) {
            let own = cell.bytes.div_ceil(PAGE);
            pages += own;
            let there =
                |(node, _, count): &(u32, u64, u64)| Some(*node) == cell.node && *count == own;
            hold(cell.page_size == Some(PAGE), "pages as asked")?;
            hold(
                !near || view.pages.iter().any(there),
                "a cell's pages are on its node",
            )?;
        }
        let given: u64 = view.pages.iter().map(|(.., count)| count).sum();
        hold(given == pages, "as many pages as asked")?;
        let sum: u64 = view.memory.iter().map(|(_, bytes)| bytes).sum();
        let own = if huge(ask) { 0 } else { ask.memory.bytes };
        hold(
            sum == own + ask.memory.overhead_bytes,
            "as much ordinary memory as it takes",
        )?;
        hold(sum <= self.bytes, "no more memory than the host has")?;
        let bound = |(nodes, bytes): &(IdSet, u64)| {
            *bytes == 0 || nodes.is_subset(&on_cells) && (!nodes.is_empty() || on_cells.is_empty())
        };
        hold(view.memory.iter().all(bound), "bound to its cells' nodes")?;
        let mut own = vec![0; view.cells.len()];
        for (cell, own) in view.cells.iter().zip(&mut own) {
            let here = |(nodes, _): &&(IdSet, u64)| cell.node.is_some_and(|n| nodes.contains(n));
            *own = view
                .memory
                .iter()
                .filter(here)
                .map(|(_, bytes)| *bytes)
                .sum();
        }
        let mut parts = view.cells.iter().zip(own);
        hold(
            !near || huge(ask) || threads(ask).is_none() || parts.all(|(c, own)| own >= c.bytes),
            "a cell's memory is on its node",
        )?;
        hold(self.flows(&view.memory), "no more memory than nodes have")
    }

    /// Whether all that is bound finds room: by pushing each demand to its nodes, moving others aside.
    fn flows(&self, more: &[(IdSet, u64)]) -> bool {
        let mut demands: Vec<(IdSet, u64)> = self.together.clone();
        demands.extend(more.iter().filter(|(n, _)| !n.is_empty()).cloned());
        let ids: Vec<u32> = self.machine.nodes.iter().map(|n| n.id).collect();
        let mut left = self.node_bytes.clone();
        let mut put = vec![vec![0u64; ids.len()]; demands.len()];
        for at in 0..demands.len() {
            let mut open = demands[at].1;
            while open > 0 {
                let Some(path) = path(&demands, &put, &left, &ids, at) else {
                    return false;
                };
                let mut flow = open.min(left[path[path.len() - 1].1]);
                for pair in path.windows(2) {
                    flow = flow.min(put[pair[1].0][pair[0].1]);
                }
                for pair in path.windows(2) {
                    put[pair[1].0][pair[0].1] -= flow;
                }
                for (demand, node) in &path {
                    put[*demand][*node] += flow;
                }
                left[path[path.len() - 1].1] -= flow;
                open -= flow;
            }
        }
        true
    }

    /// H5.
    fn devices(&self, ask: &Ask, view: &View) -> Verdict {
        let distinct: BTreeSet<&String> = view.devices.iter().collect();
        hold(
            distinct.len() == vfs(ask) && view.devices.len() == vfs(ask),
            "as many devices as asked",
        )?;
        let mut taken = view.devices_taken.clone();
        taken.sort();
        hold(
            distinct.into_iter().eq(taken.iter()),
            "each is alone in its group",
        )?;
        let cpus = view.cells.iter().flat_map(|c| &c.cpus);
        let nodes: BTreeSet<usize> = cpus.map(|c| self.machine.node_of(c)).collect();
        for address in &view.devices {
            let at = self.machine.vf(address).ok_or("a device that is there")?;
            hold(self.vfs[at.1], "a device nobody has")?;
            hold(nodes.contains(&at.0), "a device on a node of its CPUs")?;
        }
        Ok(())
    }

    /// Gives a place away.
    pub(crate) fn take(&mut self, view: &View) {
        for cpu in &view.taken {
            let (core, bit) = self.machine.cpus[&cpu];
            self.cores[core] &= !bit;
        }
        self.account(view, |have, less| *have -= less);
        let several = |(nodes, bytes): &&(IdSet, u64)| nodes.len() > 1 && *bytes > 0;
        self.together
            .extend(view.memory.iter().filter(several).cloned());
        self.shared += view.shared.as_ref().map_or(0, |s| u64::from(s.count));
        for address in &view.devices {
            if let Some((_, at)) = self.machine.vf(address) {
                self.vfs[at] = false;
            }
        }
    }

    /// Gets it back.
    pub(crate) fn give(&mut self, view: &View) {
        for cpu in &view.taken {
            let (core, bit) = self.machine.cpus[&cpu];
            self.cores[core] |= bit;
        }
        self.account(view, |have, more| *have += more);
        for demand in view
            .memory
            .iter()
            .filter(|(nodes, bytes)| nodes.len() > 1 && *bytes > 0)
        {
            if let Some(at) = self.together.iter().position(|other| other == demand) {
                self.together.remove(at);
            }
        }
        self.shared -= view.shared.as_ref().map_or(0, |s| u64::from(s.count));
        for address in &view.devices {
            if let Some((_, at)) = self.machine.vf(address) {
                self.vfs[at] = true;
            }
        }
    }

    fn account(&mut self, view: &View, change: fn(&mut u64, u64)) {
        for (nodes, bytes) in &view.memory {
            change(&mut self.bytes, *bytes);
            let only = nodes.first().filter(|_| nodes.len() == 1);
            if let Some(node) = only.and_then(|id| self.machine.node(id)) {
                change(&mut self.node_bytes[node], *bytes);
            }
        }
        for (node, _, count) in &view.pages {
            if let Some(node) = self.machine.node(*node) {
                change(&mut self.pages[node], *count);
            }
        }
    }
}

/// From a demand to a node with room, by way of demands that can go elsewhere: pairs of demand and the node it gets
/// more of.
fn path(
    demands: &[(IdSet, u64)],
    put: &[Vec<u64>],
    left: &[u64],
    ids: &[u32],
    from: usize,
) -> Option<Vec<(usize, usize)>> {
    let mut paths: Vec<Vec<(usize, usize)>> = vec![Vec::new()];
    let mut seen = vec![false; ids.len()];
    let mut next = 0;
    while next < paths.len() {
        let path = paths[next].clone();
        next += 1;
        let last = path.last().map(|(_, node)| *node);
        let moving: Vec<usize> = match last {
            None => vec![from],
            Some(node) => (0..demands.len()).filter(|d| put[*d][node] > 0).collect(),
        };
        for demand in moving {
            for (node, id) in ids.iter().enumerate() {
                if seen[node] || !demands[demand].0.contains(*id) {
                    continue;
                }
                seen[node] = true;
                let mut longer = path.clone();
                longer.push((demand, node));
                if left[node] > 0 {
                    return Some(longer);
                }
                paths.push(longer);
            }
        }
    }
    None
}

impl Machine {
    pub(crate) fn all(&self, core: usize) -> u64 {
        (1 << self.cores[core].threads.len()) - 1
    }

    fn mask(&self, core: usize, of: &IdSet) -> u64 {
        let threads = self.cores[core].threads.iter().enumerate();
        threads
            .filter(|(_, cpu)| of.contains(**cpu))
            .fold(0, |all, (bit, _)| all | 1 << bit)
    }

    pub(crate) fn ids(&self, core: usize, mask: u64) -> IdSet {
        let threads = self.cores[core].threads.iter().enumerate();
        threads
            .filter(|(bit, _)| mask >> bit & 1 == 1)
            .map(|(_, cpu)| *cpu)
            .collect()
    }

    pub(crate) fn node_of(&self, cpu: u32) -> usize {
        self.cores[self.cpus[&cpu].0].node
    }

    /// Node and position of a virtual function.
    fn vf(&self, address: &str) -> Option<(usize, usize)> {
        let at = (0..u32::MAX)
            .take(self.vfs.iter().map(Vec::len).sum())
            .position(|vf| super::kinds::address(vf) == address)?;
        let node = self.vfs.iter().position(|of| of.contains(&at))?;
        Some((node, at))
    }
}
