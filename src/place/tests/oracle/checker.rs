//! Whether a place keeps to the rules: H1 to H7, H11 and H12 of what concerns one host, read off the place itself.

use infra_place::{Ask, CellView, Fit, Policy, View};

use crate::best::{Want, wants, wishes};
use crate::cpus::{helpers_beside, may_have, threads};
use crate::devices::{bridges, near, served_afar};
use crate::tiers::{self, CpuTiers, Tiers, device_nodes};
use crate::world::{State, World, bits, mask};

/// A place under examination.
struct Case<'a> {
    world: &'a World,
    state: &'a State,
    ask: &'a Ask,
    view: View,
    cost: Vec<(&'static str, u64)>,
    /// Its cells are bound to their nodes, CPUs and memory.
    bound: bool,
}

type Verdict = Result<(), String>;

fn hold(is: bool, what: &str) -> Verdict {
    if is { Ok(()) } else { Err(what.to_owned()) }
}

/// Everything that is wrong with a place, its cost included.
pub(crate) fn check(world: &World, state: &State, ask: &Ask, fit: &Fit) -> Verdict {
    let view = fit.view(&world.topology());
    let shared_on_nodes = view.shared.as_ref().map(|shared| shared.on_nodes);
    let own = fit.cost.remote_memory == 0 && ask.cpus.set.is_none();
    let case = Case {
        world,
        state,
        ask,
        view,
        cost: fit.cost.tiers(),
        bound: shared_on_nodes.unwrap_or(own),
    };
    case.counts()?;
    case.cpus()?;
    case.helpers()?;
    case.nodes()?;
    case.memory()?;
    case.devices()?;
    case.sharers()?;
    case.cost()
}

impl Case<'_> {
    fn cells(&self) -> &[CellView] {
        &self.view.cells
    }

    /// The CPUs it has to itself as vCPUs, or that it named.
    fn own(&self) -> u64 {
        let named = self
            .view
            .shared
            .as_ref()
            .map_or(0, |shared| mask(&shared.named));
        self.cells()
            .iter()
            .fold(named, |all, cell| all | mask(&cell.cpus))
    }

    /// Its CPUs are shared, and wherever they are.
    fn loose(&self) -> bool {
        self.own() == 0 && !self.bound
    }

    /// The nodes its CPUs are on: those of its cells where it shares on them, the named ones where it is bound to none.
    fn cpu_nodes(&self) -> u64 {
        let own = self.own();
        let node = |core: usize| 1u64 << self.world.cores[core].node;
        match own {
            0 if self.bound => self.memory_nodes(),
            0 if self.ask.memory.nodes.is_some() => self.world.named_nodes(self.ask),
            own => self
                .world
                .cores_of(own)
                .fold(0, |all, core| all | node(core)),
        }
    }

    fn memory_nodes(&self) -> u64 {
        let nodes = self
            .cells()
            .iter()
            .filter_map(|c| self.world.node_at(c.node?));
        nodes.fold(0, |all, node| all | 1u64 << node)
    }

    fn counts(&self) -> Verdict {
        let count: u32 = self.cells().iter().map(|c| c.count).sum();
        hold(
            count == self.ask.cpus.count,
            "as many CPUs as were asked for",
        )?;
        let shares = self.ask.cpus.policy == Policy::Shared;
        hold(
            shares == self.view.shared.is_some(),
            "shared if it was asked so",
        )?;
        for cell in self.cells() {
            let own = if shares { 0 } else { cell.count as usize };
            hold(cell.cpus.len() == own, "each cell has its CPUs")?;
        }
        if let Some(set) = &self.ask.cpus.set {
            hold(self.own() == mask(set), "exactly the CPUs that were named")?;
        }
        if let Some(shared) = &self.view.shared {
            let named = self.ask.cpus.set.clone().unwrap_or_default();
            hold(
                shared.named == named && shared.count == self.ask.cpus.count,
                "shared as asked",
            )?;
        }
        let bytes: u64 = self.cells().iter().map(|c| c.bytes).sum();
        let size = self.cells().iter().find_map(|c| c.page_size).unwrap_or(1);
        let whole = self.ask.memory.bytes.div_ceil(size) * size;
        hold(
            bytes == self.ask.memory.bytes || bytes == whole,
            "as much memory as was asked for",
        )?;
        let Some(wants) = wants(self.ask) else {
            return Ok(());
        };
        hold(
            wants.len() == self.cells().len(),
            "as many cells as were asked for",
        )?;
        let is = |(want, cell): (&Want, &CellView)| {
            want.cpus == cell.count
                && want.bytes == cell.bytes
                && want.wishes.contains(&cell.page_size.unwrap_or(0))
        };
        hold(
            wants.iter().zip(self.cells()).all(is),
            "each cell as it was asked for",
        )
    }

    /// H1, H4, H6.
    fn cpus(&self) -> Verdict {
        let (mut seen, mut taken) = (0, mask(&self.view.helpers));
        for cell in self.cells() {
            let cpus = mask(&cell.cpus);
            hold(seen & cpus == 0, "no CPU twice")?;
            seen |= cpus;
            let way = may_have(
                self.world,
                self.state,
                threads(self.ask),
                self.ask.cpus.l3,
                cpus,
            );
            let way = way.ok_or_else(|| format!("cell {cell:?} has CPUs it may not have"))?;
            taken |= way.taken;
        }
        let named = self
            .view
            .shared
            .as_ref()
            .map_or(0, |shared| mask(&shared.named));
        hold(
            named & !self.state.free == 0,
            "shared CPUs that nobody has to himself",
        )?;
        hold(
            taken == mask(&self.view.taken),
            "taken is what nobody else may have, and no more",
        )?;
        hold(
            taken & !self.state.open() == 0,
            "nothing taken that somebody has",
        )
    }

    /// H7.
    fn helpers(&self) -> Verdict {
        let (helpers, own) = (mask(&self.view.helpers), self.own());
        hold(
            helpers.count_ones() == if self.loose() { 0 } else { self.ask.helpers },
            "as many helpers as were asked for",
        )?;
        hold(helpers & own == 0, "no helper on a vCPU's thread")?;
        let beside = helpers_beside(self.world, threads(self.ask), own);
        hold(
            helpers & !beside == 0,
            "no helper on a core that is isolated",
        )?;
        let nodes = match self
            .cells()
            .first()
            .and_then(|c| self.world.node_at(c.node?))
        {
            Some(node) if self.bound => 1u64 << node,
            _ => self.cpu_nodes(),
        };
        let one = bits(nodes).any(|node| helpers & !self.world.node_cpus(node) == 0);
        hold(helpers == 0 || one, "helpers on the node of the first cell")
    }

    /// H3, H12.
    fn nodes(&self) -> Verdict {
        let allowed = self.world.named_nodes(self.ask);
        let nodes = self.memory_nodes();
        hold(
            nodes & !allowed == 0,
            "only nodes that give memory, and only the named ones",
        )?;
        if !self.bound {
            return Ok(());
        }
        hold(
            nodes.count_ones() as usize == self.cells().len(),
            "each cell on a node of its own",
        )?;
        let on = |cell: &CellView| {
            let node = cell.node.and_then(|node| self.world.node_at(node));
            node.is_some_and(|node| mask(&cell.cpus) & !self.world.node_cpus(node) == 0)
        };
        hold(self.cells().iter().all(on), "a cell's CPUs are on its node")
    }

    /// H2.
    fn memory(&self) -> Verdict {
        let memory = &self.ask.memory;
        let mut demands = Vec::new();
        for (nodes, bytes) in &self.view.memory {
            let at = nodes.iter().filter_map(|n| self.world.node_at(n));
            demands.push((at.fold(0, |all, node| all | 1u64 << node), *bytes));
        }
        hold(
            self.state.memory_fits(&demands),
            "no more memory than there is",
        )?;
        let huge: u64 = self
            .cells()
            .iter()
            .filter(|c| c.page_size.is_some())
            .map(|c| c.bytes)
            .sum();
        let all: u64 = self.cells().iter().map(|c| c.bytes).sum();
        let ordinary = all - huge + memory.overhead_bytes;
        let sum: u64 = demands.iter().map(|(_, bytes)| bytes).sum();
        hold(sum == ordinary, "as much ordinary memory as it takes")?;
        let nodes = self.memory_nodes();
        hold(
            demands
                .iter()
                .all(|(n, bytes)| *bytes == 0 || *n & !nodes == 0 && (*n != 0) == (nodes != 0)),
            "memory on the nodes of its cells",
        )?;
        self.pages()?;
        self.backing(&demands)
    }

    fn pages(&self) -> Verdict {
        for (node, size, count) in &self.view.pages {
            let node = self
                .world
                .node_at(*node)
                .ok_or("pages of a node that is there")?;
            let size = self
                .world
                .page_sizes
                .iter()
                .position(|s| s == size)
                .ok_or("a size that is there")?;
            hold(
                self.state.pages[node][size] >= *count,
                "no more pages than there are",
            )?;
        }
        let pages = self
            .cells()
            .iter()
            .filter(|c| c.page_size.is_some() && c.bytes > 0);
        let given = self.view.pages.iter().filter(|(.., count)| *count > 0);
        hold(
            pages.count() == given.count(),
            "pages only of cells that have some",
        )
    }

    /// Each cell has its memory, of its node and of a size that was wished for.
    fn backing(&self, demands: &[(u64, u64)]) -> Verdict {
        let sizes = wishes(self.ask, &[]);
        for cell in self.cells() {
            if cell.bytes == 0 {
                continue;
            }
            let size = cell.page_size.unwrap_or(0);
            hold(
                wants(self.ask).is_some() || sizes.contains(&size),
                "pages of a size that was wished for",
            )?;
            let node = cell.node.and_then(|node| self.world.node_at(node));
            let paged = |(n, s, count): &(u32, u64, u64)| {
                Some(*n) == cell.node && *s == size && *count == cell.bytes.div_ceil(size)
            };
            let on = node.map_or(0, |node| 1u64 << node);
            // Who asked for no cells has all of it on its nodes together.
            let together = wants(self.ask).is_none();
            let all = self.view.memory.len() == 1 && demands.iter().all(|(n, _)| n & on == on);
            let counts = |n: u64| n == on || (together && all);
            let demands = demands.iter().filter(|(n, _)| counts(*n));
            let bytes: u64 = demands.map(|(_, b)| b).sum();
            match size {
                0 if self.bound => hold(bytes >= cell.bytes, "a cell's memory is on its node")?,
                0 => {}
                _ => hold(self.view.pages.iter().any(paged), "a cell has its pages")?,
            }
        }
        Ok(())
    }

    /// H5.
    fn devices(&self) -> Verdict {
        let position = |address: &String| self.world.device_at(address);
        let given: Option<Vec<usize>> = self.view.devices.iter().map(position).collect();
        let given = given.ok_or("devices that are there")?;
        let all = given.iter().fold(0, |all, d| all | 1u64 << d);
        let groups = given.iter().fold(0, |all, d| all | self.world.group(*d));
        let taken = self.view.devices_taken.iter().filter_map(position);
        hold(all.count_ones() as usize == given.len(), "no device twice")?;
        hold(
            taken.fold(0, |all, d| all | 1u64 << d) == groups,
            "whole IOMMU groups, and no more",
        )?;
        hold(groups & !self.state.devices == 0, "devices that nobody has")?;
        let asked = self
            .ask
            .devices
            .iter()
            .flat_map(|d| (0..d.count).map(move |_| d));
        let asked: Vec<_> = asked.collect();
        hold(
            asked.len() == given.len(),
            "as many devices as were asked for",
        )?;
        let nodes = self.cpu_nodes();
        let remote = |bridge: Option<u32>| {
            let pairs = asked.iter().zip(&given);
            let mut remote = 0;
            for (asked, device) in pairs {
                let kind = self.world.devices[*device].kinds.contains(&asked.kind);
                let near = near(self.world, nodes, asked.near, bridge, *device);
                if !kind || asked.strict && !near {
                    return None;
                }
                remote += u64::from(!near);
            }
            Some(remote)
        };
        let remote = bridges(self.world).into_iter().filter_map(remote).min();
        let remote = remote.ok_or("devices of their kinds, as near as they must be")?;
        let helpers = self.world.cores_of(mask(&self.view.helpers));
        let helped = helpers.fold(0, |all, core| all | 1u64 << self.world.cores[core].node);
        let threads = if helped == 0 { nodes } else { helped };
        let afar = served_afar(self.world, self.ask, threads);
        hold(
            self.cost[4] == ("remote_devices", remote + afar),
            "as many remote devices as it says",
        )
    }

    /// H11.
    fn sharers(&self) -> Verdict {
        let on_nodes = self
            .view
            .shared
            .as_ref()
            .is_some_and(|shared| shared.on_nodes);
        let bound = if on_nodes { self.memory_nodes() } else { 0 };
        let taken = mask(&self.view.taken);
        hold(
            self.state.run(self.world, self.ask, bound, taken),
            "those who share still run",
        )
    }

    /// What it says it costs is what it costs.
    fn cost(&self) -> Verdict {
        let (world, state, ask) = (self.world, self.state, self.ask);
        let own = self.own();
        let loose = self.loose();
        let nodes = if loose { 0 } else { self.cpu_nodes() };
        let mut wish = 0;
        let wants = wants(ask);
        for (position, cell) in self.cells().iter().enumerate() {
            let of = wants
                .as_ref()
                .map_or_else(|| wishes(ask, &[]), |w| w[position].wishes.clone());
            let size = cell.page_size.unwrap_or(0);
            let rank = of.iter().position(|s| *s == size).unwrap_or(0) as u64;
            if wants.is_some() {
                wish += rank;
            } else if position == 0 {
                wish = rank;
            }
        }
        let left = self.view.pages.iter().filter_map(|(node, size, count)| {
            let size = world.page_sizes.iter().position(|s| s == size)?;
            Some(state.pages[world.node_at(*node)?][size] - count)
        });
        let set = ask.cpus.set.is_some();
        let shares = ask.cpus.policy == Policy::Shared;
        let near = nodes.count_ones() == 1 && self.memory_nodes() == nodes;
        let far = match (shares, set) {
            (true, _) => loose && self.view.pages.iter().any(|(.., count)| *count > 0),
            (false, true) => !near,
            (false, false) => !self.bound,
        };
        let free = set || loose;
        let tiers = Tiers {
            remote_memory: u64::from(far),
            page_wish: wish,
            extra_nodes: u64::from(nodes.count_ones().saturating_sub(1)),
            distance: if free { 0 } else { world.distance(nodes) },
            remote_devices: self.cost[4].1,
            cpus: match free {
                true => CpuTiers::default(),
                false => tiers::cpus(
                    world,
                    state,
                    ask,
                    nodes,
                    if shares { 0 } else { own },
                    mask(&self.view.helpers),
                ),
            },
            device_nodes: if free {
                0
            } else {
                device_nodes(world, state, ask, nodes)
            },
            pages_left: if set { 0 } else { left.sum() },
        };
        let said: Vec<u64> = self.cost.iter().map(|(_, cost)| *cost).collect();
        hold(
            said == tiers.list(),
            &format!("it costs {:?} and says {said:?}", tiers.list()),
        )
    }
}
