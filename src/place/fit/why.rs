//! Why a workload does not fit: the first thing that is wanting, the plainest first.

use crate::ask::{Numa, Policy};
use crate::capacity::Lack;
use crate::devices;
use crate::fit::search::{Need, STEPS, Search};
use crate::memory::{self, Demand, positions};
use crate::refusal::Constraint;
use infra_api::Threads;

impl Search<'_> {
    /// What no search could mend.
    pub(crate) fn hopeless(&self) -> Option<Constraint> {
        let first = self.nodes_missing().or_else(|| self.memory_in_all());
        first
            .or_else(|| self.devices_in_all())
            .or_else(|| self.devices_of_nodes())
    }

    /// After everything was tried in vain.
    pub(super) fn why(&self) -> Constraint {
        if self.exhausted() {
            return Constraint::Undecided { steps: STEPS };
        }
        let first = [Self::cpus_in_all, Self::pages_in_all, Self::memory_of_nodes];
        // What holds alone: what is there in number may be wanting at its place.
        let true_of = |of: Option<Constraint>| of.filter(Constraint::holds);
        let plain = first.iter().find_map(|of| true_of(of(self)));
        plain
            .or_else(|| true_of(self.of_cells()))
            .or_else(|| true_of(self.near_devices()))
            .or_else(|| self.broken_groups())
            .unwrap_or_else(|| Constraint::Together {
                why: "CPUs, memory, pages and devices are there, but not on the same nodes"
                    .to_owned(),
            })
    }

    fn nodes_missing(&self) -> Option<Constraint> {
        let need = self.ask.memory.nodes.as_ref()?;
        let gives = |id: &u32| {
            let node = self.topology.node(*id);
            node.is_some_and(|n| self.topology.nodes[n].kind != crate::topology::NodeKind::Barred)
        };
        let nodes = self.topology.nodes.iter().map(|n| n.id);
        let have = nodes.filter(gives).collect();
        (!need.is_subset(&have)).then(|| Constraint::NamedNodes {
            need: need.clone(),
            have,
        })
    }

    /// Ordinary memory; what could be in huge pages is left out.
    fn ordinary(&self) -> u64 {
        let sizes = self.wishes(&[]);
        let cells = match &self.ask.numa {
            Numa::Cells(cells) => cells
                .iter()
                .filter(|c| self.wishes(&c.page_sizes).iter().all(|s| *s == 0))
                .map(|c| c.bytes)
                .sum(),
            _ if sizes.iter().all(|size| *size == 0) => self.ask.memory.bytes,
            _ => 0,
        };
        self.ask.memory.overhead_bytes.saturating_add(cells)
    }

    fn memory_in_all(&self) -> Option<Constraint> {
        let need = self.ordinary();
        let have = self.room.for_one()?;
        (need > have).then_some(Constraint::Memory {
            need,
            have,
            nodes: None,
        })
    }

    fn cpus_in_all(&self) -> Option<Constraint> {
        let free: u32 = self.room.cores.iter().map(|c| c.free.count_ones()).sum();
        let Policy::Dedicated(threads) = self.ask.cpus.policy else {
            return self.shared_in_all(free);
        };
        let need = self.ask.cpus.count;
        let have: u32 = self
            .room
            .cores
            .iter()
            .zip(&self.topology.cores)
            .map(|(room, core)| most(room.open(), core.all(), threads))
            .sum();
        if need > have {
            return Some(Constraint::DedicatedCpus {
                need,
                have,
                threads,
                node: None,
            });
        }
        let open = self
            .room
            .cores
            .iter()
            .map(|c| c.open().count_ones())
            .sum::<u32>();
        if self.ask.helpers > 0 && need + self.ask.helpers > open {
            return Some(Constraint::Helpers {
                need: self.ask.helpers,
                have: open - need,
            });
        }
        let exact = match threads {
            Threads::Require => self.adds_up(),
            _ => need,
        };
        let last = if self.room.sharers {
            free.saturating_sub(1)
        } else {
            need
        };
        let have = exact.min(last);
        if have < need {
            return Some(Constraint::DedicatedCpus {
                need,
                have,
                threads,
                node: None,
            });
        }
        None
    }

    fn shared_in_all(&self, free: u32) -> Option<Constraint> {
        if free == 0 {
            return Some(Constraint::SharedCpus {
                need: 1,
                have: 0,
                node: None,
            });
        }
        let ratio = u64::from(self.room.cpu_ratio?);
        let have = (u64::from(free) * ratio / 1000).saturating_sub(self.room.shared_cpus);
        let need = u64::from(self.ask.cpus.count);
        (need > have).then_some(Constraint::Overcommit { need, have })
    }

    /// The most whole cores of the host add up to without being more than the number.
    fn adds_up(&self) -> u32 {
        let need = self.ask.cpus.count as usize;
        let mut sums = vec![false; need + 1];
        sums[0] = true;
        for (room, core) in self.room.cores.iter().zip(&self.topology.cores) {
            let size = core.all().count_ones() as usize;
            if room.open() == core.all() {
                for sum in (size..=need).rev() {
                    sums[sum] |= sums[sum - size];
                }
            }
        }
        let most = sums.iter().rposition(|sum| *sum).unwrap_or(0);
        u32::try_from(most).unwrap_or(u32::MAX)
    }

    fn devices_in_all(&self) -> Option<Constraint> {
        self.ask.devices.iter().find_map(|asked| {
            let free = self
                .room
                .devices
                .iter()
                .map(|d| &self.topology.devices[d as usize]);
            let have = free.filter(|d| d.kinds.contains(&asked.kind)).count();
            let have = u32::try_from(have).unwrap_or(u32::MAX);
            let (need, kind) = (asked.count, asked.kind.clone());
            (need > have).then_some(Constraint::Devices {
                need,
                have,
                kind,
                near: false,
            })
        })
    }

    /// Free devices that others of their IOMMU group hold back.
    fn broken_groups(&self) -> Option<Constraint> {
        let whole = |device: &usize| {
            let given = devices::with_groups(self.topology, &[*device]);
            given.taken.is_subset(&self.room.devices)
        };
        self.ask.devices.iter().find_map(|asked| {
            let free = self.room.devices.iter().map(|d| d as usize);
            let of = |d: &usize| self.topology.devices[*d].kinds.contains(&asked.kind);
            let have = free.filter(of).filter(whole).count();
            let (need, kind) = (asked.count as usize, &asked.kind);
            (need > have).then(|| Constraint::Together {
                why: format!("{need} of `{kind}` are asked for and {have} can be had with all of their IOMMU group"),
            })
        })
    }

    /// Devices that must be on its nodes: those that have the most together.
    fn devices_of_nodes(&self) -> Option<Constraint> {
        let most = match &self.ask.numa {
            Numa::Auto => self.seats_at_most(),
            Numa::Nodes(count) => *count as usize,
            Numa::Cells(cells) => cells.len(),
        };
        // Apart from their memory its CPUs may be anywhere.
        let nodes: Vec<usize> = match &self.ask.numa {
            Numa::Auto => (0..self.topology.nodes.len()).collect(),
            Numa::Nodes(_) | Numa::Cells(_) => self.eligible(),
        };
        let strict =
            |d: &&crate::ask::Devices| d.strict && d.count > 0 && d.near == crate::ask::Near::Node;
        let several = self.topology.nodes.len() > 1;
        self.ask
            .devices
            .iter()
            .filter(strict)
            .filter(|_| several && self.ask.cpus.set.is_none())
            .find_map(|asked| {
                let free = || {
                    self.room
                        .devices
                        .iter()
                        .map(|d| &self.topology.devices[d as usize])
                };
                let on = |node: usize| {
                    free()
                        .filter(|d| d.node == Some(node) && d.kinds.contains(&asked.kind))
                        .count()
                };
                let mut counts: Vec<usize> = nodes.iter().copied().map(on).collect();
                counts.sort_unstable_by(|a, b| b.cmp(a));
                let have =
                    u32::try_from(counts.iter().take(most).sum::<usize>()).unwrap_or(u32::MAX);
                let (need, kind) = (asked.count, asked.kind.clone());
                (need > have).then_some(Constraint::Devices {
                    need,
                    have,
                    kind,
                    near: true,
                })
            })
    }

    fn pages_in_all(&self) -> Option<Constraint> {
        if matches!(self.ask.numa, Numa::Cells(_)) {
            return None;
        }
        let parts = match self.ask.numa {
            Numa::Nodes(count) => u64::from(count.max(1)),
            _ => 1,
        };
        let wishes = self.wishes(&[]);
        let eligible = self.eligible();
        let short = |size: &u64| {
            let position = self.topology.page_size(*size);
            let have = |n: &usize| position.map_or(0, |p| self.room.nodes[*n].pages[p]);
            let most = eligible.iter().map(have).max().unwrap_or(0);
            let need = (self.ask.memory.bytes / parts).div_ceil(*size);
            let node = (eligible.len() == 1).then(|| self.topology.nodes[eligible[0]].id);
            (need > most).then_some(Constraint::HugePages {
                need,
                have: most,
                page_size_bytes: *size,
                node,
            })
        };
        let all: Option<Vec<Constraint>> = wishes
            .iter()
            .map(|size| if *size == 0 { None } else { short(size) })
            .collect();
        all?.into_iter().next()
    }

    fn memory_of_nodes(&self) -> Option<Constraint> {
        let named = self.ask.memory.nodes.as_ref()?;
        let nodes = named.iter().filter_map(|id| self.topology.node(id));
        let demand = Demand {
            nodes: positions(nodes),
            bytes: self.ordinary(),
        };
        let short = memory::check(self.room, &[demand]).err()?;
        Some(Constraint::Memory {
            need: short.need,
            have: short.have,
            nodes: Some(named.clone()),
        })
    }

    /// The first cell that no node could hold, or too few nodes for all.
    fn of_cells(&self) -> Option<Constraint> {
        let needs = self.needs();
        let eligible = self.eligible();
        for need in &needs {
            if !eligible.iter().any(|node| self.seat(need, *node)) {
                return self.of_cell(need, &eligible);
            }
        }
        let holds = |node: &&usize| needs.iter().any(|need| self.seat(need, **node));
        let have = u32::try_from(eligible.iter().filter(holds).count()).unwrap_or(u32::MAX);
        let need = u32::try_from(needs.len()).unwrap_or(u32::MAX);
        (need > have).then_some(Constraint::Cells { need, have })
    }

    /// What the best node lacks for a cell.
    fn of_cell(&self, need: &Need, eligible: &[usize]) -> Option<Constraint> {
        let lacks = |node: &usize| self.lacks(need, *node);
        eligible
            .iter()
            .filter_map(lacks)
            .min_by_key(|(count, constraint)| (*count, constraint.gap()))
            .map(|(_, constraint)| constraint)
    }

    /// How many things a node lacks for a cell, and the last of them.
    fn lacks(&self, need: &Need, node: usize) -> Option<(usize, Constraint)> {
        let id = self.topology.nodes[node].id;
        let room = &self.room.nodes[node];
        let (free, open) = self.room.count(self.topology, node);
        let mut lacks = Vec::new();
        if let Some(have) = room
            .for_one()
            .filter(|have| need.wishes == [0] && need.bytes > *have)
        {
            let nodes = Some([id].into());
            lacks.push(Constraint::Memory {
                need: need.bytes,
                have,
                nodes,
            });
        }
        if let [size] = need.wishes.as_slice()
            && *size > 0
        {
            let have = self.topology.page_size(*size).map_or(0, |p| room.pages[p]);
            let pages = need.bytes.div_ceil(*size);
            if pages > have {
                lacks.push(Constraint::HugePages {
                    need: pages,
                    have,
                    page_size_bytes: *size,
                    node: Some(id),
                });
            }
        }
        if !self.waste(node, need.cpus, need.helpers).can_be_had() {
            lacks.push(match self.ask.cpus.policy {
                Policy::Shared => Constraint::SharedCpus {
                    need: 1,
                    have: free,
                    node: Some(id),
                },
                Policy::Dedicated(threads) => self.lacks_cpus(need, node, threads, open),
            });
        }
        let count = lacks.len();
        lacks.pop().map(|constraint| (count, constraint))
    }

    fn lacks_cpus(&self, need: &Need, node: usize, threads: Threads, open: u32) -> Constraint {
        let cores = self.topology.cores_of(node);
        let have: u32 = cores
            .map(|c| {
                most(
                    self.room.cores[c].open(),
                    self.topology.cores[c].all(),
                    threads,
                )
            })
            .sum();
        if need.cpus <= have && need.cpus + need.helpers <= open && self.ask.cpus.l3.undivided() {
            let alone = self.ask.cpus.l3 == infra_api::L3::Alone;
            return Constraint::OneL3 {
                need: need.cpus,
                have: self.most_in_l3(node, threads, alone),
                alone,
            };
        }
        if need.helpers > 0 && need.cpus <= have {
            return Constraint::Helpers {
                need: need.helpers,
                have: open.saturating_sub(need.cpus),
            };
        }
        let node = Some(self.topology.nodes[node].id);
        Constraint::DedicatedCpus {
            need: need.cpus,
            have,
            threads,
            node,
        }
    }

    fn most_in_l3(&self, node: usize, threads: Threads, alone: bool) -> u32 {
        let groups = self.topology.groups(node).iter().filter(|g| g.l3.is_some());
        let whole =
            |core: &usize| self.room.cores[*core].open() == self.topology.cores[*core].all();
        let groups = groups.filter(|g| !alone || g.cores.iter().all(whole));
        let of = |core: &usize| {
            most(
                self.room.cores[*core].open(),
                self.topology.cores[*core].all(),
                threads,
            )
        };
        groups
            .map(|g| g.cores.iter().map(of).sum())
            .max()
            .unwrap_or(0)
    }

    /// Devices that are there and not where its cells could be.
    fn near_devices(&self) -> Option<Constraint> {
        let asked = self.ask.devices.iter().find(|d| d.count > 0 && d.strict)?;
        let without = crate::ask::Ask {
            devices: Vec::new(),
            ..self.ask.clone()
        };
        Search::new(self.topology, self.room, &without)
            .best()
            .ok()?;
        let nodes = self.eligible();
        let needs = self.needs();
        let holds = |node: &usize| needs.iter().any(|need| self.seat(need, *node));
        let near: Vec<usize> = nodes.into_iter().filter(holds).collect();
        let free = self
            .room
            .devices
            .iter()
            .map(|d| &self.topology.devices[d as usize]);
        let there = free
            .filter(|d| d.kinds.contains(&asked.kind) && d.node.is_some_and(|n| near.contains(&n)));
        let have = u32::try_from(there.count()).unwrap_or(u32::MAX);
        Some(Constraint::Devices {
            need: asked.count,
            have,
            kind: asked.kind.clone(),
            near: true,
        })
    }

    /// What a node has too little of for the cell that comes nearest.
    pub(crate) fn lacking(&self, node: usize) -> Vec<Lack> {
        if self.shared() && !self.wants_node(&self.wishes(&[])) {
            // It is bound to none.
            return Vec::new();
        }
        let of = |need: &Need| {
            let cpus = !self.waste(node, need.cpus, need.helpers).can_be_had();
            let sizes = need.wishes.iter();
            let backed = sizes
                .map(|size| self.backing(need.bytes, *size, node))
                .any(|b| b.is_some());
            let of_memory = if need.wishes.contains(&0) {
                Lack::Memory
            } else {
                Lack::Pages
            };
            let cpus = cpus.then_some(Lack::Cpus);
            let memory = (!backed).then_some(of_memory);
            cpus.into_iter().chain(memory).collect::<Vec<Lack>>()
        };
        let lacks = self.needs().into_iter().map(|need| of(&need));
        lacks.min_by_key(Vec::len).unwrap_or_default()
    }
}

/// How many CPUs a core could give at most.
fn most(open: u64, all: u64, threads: Threads) -> u32 {
    match threads {
        Threads::Any | Threads::Prefer => open.count_ones(),
        Threads::Require if open == all => open.count_ones(),
        Threads::Isolate if open == all => 1,
        Threads::Require | Threads::Isolate => 0,
    }
}
