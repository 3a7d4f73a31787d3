//! Small worlds: a few hosts of a few CPUs, a few workloads; and how they look to the placement.

use std::collections::BTreeMap;

use infra::choose::{Choice, Hosts, Possible};
use infra::declared::{At, Cpus, Host, Memory, Reserve, Timeouts, Workload};
use infra::inventory::Inventory;
use infra::placing::{Placed, place};
use infra_api::facts::{self, Facts, HugePages, Node, NodeKind, Used, UsedPages};
use infra_api::{Address, CpuPolicy, HostName, IdSet, L3, Placement, Project, Runtime, Threads};
use infra_diag::{SourceId, Span};

pub(crate) const UNIT: u64 = 256 << 20;
pub(crate) const PAGE: u64 = 2 << 20;
/// Pages are few and large beside the machines' overhead.
pub(crate) const PAGES_A_UNIT: u64 = UNIT / PAGE;

/// One node: the threads of each core, memory and huge pages in units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NodeSpec {
    pub(crate) cores: Vec<u32>,
    pub(crate) memory: u64,
    pub(crate) pages: u64,
}

/// One host. CPUs are numbered node by node, core by core. Sets of CPUs are masks.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostSpec {
    pub(crate) nodes: Vec<NodeSpec>,
    pub(crate) reserved: u32,
    pub(crate) barred: u32,
    pub(crate) foreign: u32,
    /// CPUs that somebody else is bound to.
    pub(crate) bound: u32,
    /// Units of memory that somebody else has.
    pub(crate) foreign_memory: u64,
}

/// One workload.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    pub(crate) number: usize,
    pub(crate) machine: bool,
    pub(crate) host: Option<usize>,
    pub(crate) dedicated: bool,
    pub(crate) threads: Threads,
    pub(crate) count: u32,
    pub(crate) set: Option<u32>,
    pub(crate) memory: u64,
    pub(crate) nodes: Option<u32>,
    pub(crate) paged: bool,
}

/// Hosts and workloads.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) hosts: Vec<HostSpec>,
    pub(crate) asks: Vec<Ask>,
}

pub(crate) fn ids(mask: u32) -> IdSet {
    (0..32).filter(|n| mask >> n & 1 == 1).collect()
}

pub(crate) fn mask(ids: &IdSet) -> u32 {
    ids.iter().fold(0, |all, id| all | 1 << id)
}

impl HostSpec {
    /// The masks of its cores, with their nodes.
    pub(crate) fn cores(&self) -> Vec<(usize, u32)> {
        let mut next = 0;
        let mut cores = Vec::new();
        for (node, spec) in self.nodes.iter().enumerate() {
            for threads in &spec.cores {
                cores.push((node, ((1 << threads) - 1) << next));
                next += threads;
            }
        }
        cores
    }

    pub(crate) fn node_cpus(&self, node: usize) -> u32 {
        let cores = self.cores();
        let own = cores.iter().filter(|(n, _)| *n == node);
        own.fold(0, |all, (_, core)| all | core)
    }

    pub(crate) fn cpus(&self) -> u32 {
        self.cores().iter().fold(0, |all, (_, core)| all | core)
    }

    pub(crate) fn core_of(&self, cpu: u32) -> u32 {
        let cores = self.cores();
        let core = cores.iter().find(|(_, core)| core >> cpu & 1 == 1);
        core.map_or(1 << cpu, |(_, core)| *core)
    }

    fn facts(&self, own: &[UsedPages]) -> Facts {
        let cpu = |id| facts::Cpu {
            id,
            siblings: ids(self.core_of(id)),
            ..facts::Cpu::default()
        };
        let pool = |units: u64, own: u64| HugePages {
            size_bytes: PAGE,
            total: Some(units * PAGES_A_UNIT),
            free: Some(units * PAGES_A_UNIT - own),
            ..HugePages::default()
        };
        let taken = |node: u32| -> u64 {
            let here = own.iter().filter(|u| u.node == Some(node));
            here.map(|u| u.count).sum()
        };
        let node = |(index, spec): (usize, &NodeSpec)| {
            let id = u32::try_from(index).unwrap();
            Node {
                id,
                kind: if spec.cores.is_empty() {
                    NodeKind::MemoryOnly
                } else {
                    NodeKind::Normal
                },
                cpus: ids(self.node_cpus(index)),
                memory_bytes: Some((spec.memory + spec.pages) * UNIT),
                hugepages: vec![pool(spec.pages, taken(id))],
                ..Node::default()
            }
        };
        let memory = self.nodes.iter().map(|n| n.memory + n.pages).sum::<u64>();
        Facts {
            cpus: facts::Cpus {
                online: ids(self.cpus()),
                allowed: Some(ids(self.cpus() & !self.barred)),
                list: ids(self.cpus()).iter().map(cpu).collect(),
                ..facts::Cpus::default()
            },
            nodes: self.nodes.iter().enumerate().map(node).collect(),
            memory_bytes: Some(memory * UNIT),
            hugepages: vec![pool(self.nodes.iter().map(|n| n.pages).sum(), 0)],
            used: vec![
                Used {
                    owner: "stranger".to_owned(),
                    exclusive_cpus: ids(self.foreign),
                    shared_cpus: ids(self.bound),
                    memory_bytes: Some(self.foreign_memory * UNIT),
                    ..Used::default()
                },
                Used {
                    owner: "own".to_owned(),
                    project: Some("p".to_owned()),
                    hugepages: own.to_vec(),
                    ..Used::default()
                },
            ],
            ..Facts::default()
        }
    }

    fn declared(&self, name: &HostName) -> Host {
        Host {
            name: name.clone(),
            reserve: Some(Reserve {
                cpus: Some(at(ids(self.reserved))),
                ..Reserve::default()
            }),
            ..Host::local()
        }
    }
}

pub(crate) fn at<T>(value: T) -> At<T> {
    At {
        value,
        span: span(),
    }
}

pub(crate) fn span() -> Span {
    Span::new(SourceId(0), 0..0)
}

pub(crate) fn host_name(number: usize) -> HostName {
    HostName::new(format!("h{number}"))
}

impl Ask {
    pub(crate) fn address(&self) -> Address {
        Address::new(format!("workload.w{}", self.number))
    }

    pub(crate) fn runtime(&self) -> Runtime {
        if self.machine {
            Runtime::Kvm
        } else {
            Runtime::Container
        }
    }

    pub(crate) fn workload(&self) -> Workload {
        Workload {
            cpus: Cpus {
                says_whose: true,
                l3: L3::Prefer,
                count: self.count,
                maximum: None,
                set: self.set.map(|s| at(ids(s))),
                policy: if self.dedicated {
                    CpuPolicy::Dedicated
                } else {
                    CpuPolicy::Shared
                },
                threads: self.threads,
                span: None,
            },
            host: self.host.map(|h| at(host_name(h))),
            memory: Memory {
                size_bytes: Some(at(self.memory * UNIT)),
                maximum_bytes: None,
                mode: None,
                nodes: self.nodes.map(|n| at(ids(n))),
                page_sizes: self.paged.then(|| at(vec![PAGE])),
                span: None,
            },
            ..bare_workload(self.address())
        }
    }
}

pub(crate) fn bare_workload(address: Address) -> Workload {
    Workload {
        address,
        apart: None,
        placement_groups: vec![],
        company: vec![],
        host_labels: BTreeMap::new(),
        priority: 0,
        suits: infra::declared::Suits::default(),
        measure: None,
        spread: None,
        runtime: None,
        host: None,
        cpus: Cpus {
            says_whose: true,
            l3: L3::Prefer,
            count: 1,
            maximum: None,
            set: None,
            policy: CpuPolicy::Shared,
            threads: Threads::Any,
            span: None,
        },
        memory: Memory::default(),
        numa: Default::default(),
        interfaces: Vec::new(),
        disks: Vec::new(),
        devices: Vec::new(),
        container: None,
        kvm: None,
        bare_metal: None,
        update: None,
        timeouts: Timeouts::default(),
        stops: infra::declared::Stops::default(),
        depends_on: Default::default(),
        prevent_destroy: false,
        ignore_changes: Default::default(),
        origin: span(),
    }
}

impl World {
    /// Places everything; `prior` runs, and has its pages.
    pub(crate) fn place(&self, prior: &BTreeMap<Address, Placement>) -> Placed {
        let inventory = self.inventory(prior);
        let asked: Vec<(Workload, Choice)> = self.asks.iter().map(|a| self.asked(a)).collect();
        let pairs: Vec<(&Workload, &Choice)> = asked.iter().map(|(w, c)| (w, c)).collect();
        place(&pairs, &BTreeMap::new(), &inventory, prior, &[])
    }

    fn inventory(&self, prior: &BTreeMap<Address, Placement>) -> Inventory {
        let names = || {
            self.hosts
                .iter()
                .enumerate()
                .map(|(n, h)| (host_name(n), h))
        };
        let declared = names().map(|(name, h)| (name.clone(), h.declared(&name)));
        let held = |name: &HostName| -> Vec<UsedPages> {
            let here = prior.values().filter(|p| p.host == *name);
            let cells = here.flat_map(|p| &p.cells);
            let paged = cells.filter(|c| c.page_size_bytes.is_some());
            let held = paged.map(|c| UsedPages {
                node: c.node,
                size_bytes: PAGE,
                count: c.memory_bytes / PAGE,
            });
            held.collect()
        };
        let facts = names().map(|(name, h)| (name.clone(), h.facts(&held(&name))));
        let project = Project::new("p");
        let (inventory, found) = Inventory::new(&declared.collect(), facts.collect(), &project);
        assert!(found.is_empty());
        inventory
    }

    fn asked(&self, ask: &Ask) -> (Workload, Choice) {
        let all = Hosts::new((0..self.hosts.len()).map(host_name));
        let named = ask.host.map(host_name);
        let hosts = all.only(|host| named.as_ref().is_none_or(|named| named == host));
        let possible = Possible {
            variant: ask.runtime().into(),
            added: infra_api::Settings::NONE,
            hosts,
        };
        let choice = Choice {
            workload: ask.address(),
            possible: [possible].into(),
            ruled_out: [].into(),
            named: false,
            anew: false,
            suited: None,
        };
        (ask.workload(), choice)
    }
}
