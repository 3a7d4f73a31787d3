//! Machines and workloads of a realistic fleet, made by arithmetic.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use infra_api::{Address, HostName, IdSet};
use infra_place::{
    Affinity, Ask, Cell, Core, Cpus, Device, Devices, Form, Host, Job, L3, Memory, Near, Node,
    NodeKind, Numa, Outcome, Policy, Room, Stock, Stood, Threads, Topology, fit,
};

const GIB: u64 = 1 << 30;

/// A machine of equal nodes.
pub(crate) struct Machine {
    pub(crate) nodes: u32,
    pub(crate) nodes_per_package: u32,
    pub(crate) cores: u32,
    pub(crate) threads: u32,
    pub cores_per_l3: u32,
    pub(crate) gib_per_node: u64,
    pub(crate) huge_per_node: u64,
    pub(crate) vfs: u32,
}

impl Machine {
    pub(crate) fn topology(&self) -> Topology {
        let package = |node: u32| node / self.nodes_per_package;
        let distance = |a: u32, b: u32| {
            if a == b {
                10
            } else if package(a) == package(b) {
                12
            } else {
                32
            }
        };
        let nodes = (0..self.nodes).map(|id| Node {
            id,
            kind: NodeKind::Whole,
            distances: (0..self.nodes).map(|other| distance(id, other)).collect(),
            package: Some(package(id)),
        });
        let all = self.nodes * self.cores;
        let cores = (0..all).map(|core| Core {
            node: (core / self.cores) as usize,
            l3: Some((core / self.cores_per_l3) as usize),
            threads: (0..self.threads).map(|t| core + t * all).collect(),
        });
        let devices = (0..self.vfs).map(|vf| Device {
            address: format!("0000:3b:{:02x}.{}", vf / 8, vf % 8),
            kinds: vec!["vf".to_owned()],
            node: Some(0),
            bridges: vec![1],
            group: Some(vf),
        });
        Topology::new(
            nodes.collect(),
            cores.collect(),
            devices.collect(),
            vec![2 << 20, GIB],
        )
    }

    pub(crate) fn stock(&self, topology: &Topology) -> Room {
        let cpus = self.nodes * self.cores * self.threads;
        let all = self.nodes * self.cores;
        let first: IdSet = (0..self.threads).map(|t| t * all).collect();
        let cpus: IdSet = &(0..cpus).collect::<IdSet>() - &first;
        let ordinary = (self.gib_per_node - self.huge_per_node) * GIB;
        Room::new(
            topology,
            &Stock {
                cpus,
                bound: IdSet::new(),
                bytes: Some(u64::from(self.nodes) * ordinary),
                node_bytes: (0..self.nodes).map(|n| (n, ordinary)).collect(),
                pages: (0..self.nodes)
                    .map(|n| ((n, GIB), self.huge_per_node))
                    .collect::<BTreeMap<_, _>>(),
                devices: (0..self.vfs)
                    .map(|vf| format!("0000:3b:{:02x}.{}", vf / 8, vf % 8))
                    .collect(),
                cpu_ratio: Some(8000),
                memory_percent: None,
            },
        )
    }
}

const MACHINES: [Machine; 5] = [
    Machine {
        nodes: 2,
        nodes_per_package: 1,
        cores: 16,
        threads: 2,
        cores_per_l3: 16,
        gib_per_node: 192,
        huge_per_node: 128,
        vfs: 16,
    },
    Machine {
        nodes: 2,
        nodes_per_package: 1,
        cores: 32,
        threads: 2,
        cores_per_l3: 8,
        gib_per_node: 256,
        huge_per_node: 192,
        vfs: 32,
    },
    Machine {
        nodes: 8,
        nodes_per_package: 4,
        cores: 12,
        threads: 2,
        cores_per_l3: 4,
        gib_per_node: 96,
        huge_per_node: 64,
        vfs: 32,
    },
    Machine {
        nodes: 1,
        nodes_per_package: 1,
        cores: 16,
        threads: 1,
        cores_per_l3: 16,
        gib_per_node: 128,
        huge_per_node: 0,
        vfs: 0,
    },
    Machine {
        nodes: 4,
        nodes_per_package: 2,
        cores: 10,
        threads: 2,
        cores_per_l3: 10,
        gib_per_node: 96,
        huge_per_node: 48,
        vfs: 8,
    },
];

pub(crate) fn hosts(count: usize) -> Vec<Host> {
    let kinds: Vec<(Arc<Topology>, Room)> = MACHINES
        .iter()
        .map(|m| {
            let topology = m.topology();
            let room = m.stock(&topology);
            (Arc::new(topology), room)
        })
        .collect();
    (0..count)
        .map(|i| {
            let (topology, room) = &kinds[i % kinds.len()];
            Host {
                name: HostName::new(format!("h{i:05}")),
                topology: Arc::clone(topology),
                room: room.clone(),
                domains: vec![None, u32::try_from(i / 40).ok()],
                drained: false,
            }
        })
        .collect()
}

fn dedicated(count: u32, threads: Threads, gib: u64, huge: bool) -> Ask {
    Ask {
        cpus: Cpus {
            count,
            policy: Policy::Dedicated(threads),
            ..Cpus::default()
        },
        memory: Memory {
            bytes: gib * GIB,
            overhead_bytes: 256 << 20,
            page_sizes: if huge { vec![GIB] } else { Vec::new() },
            nodes: None,
        },
        ..Ask::default()
    }
}

fn asks() -> Vec<(usize, Ask)> {
    let shared = |count: u32, gib: u64| Ask {
        cpus: Cpus {
            count,
            policy: Policy::Shared,
            ..Cpus::default()
        },
        ..dedicated(count, Threads::Any, gib, false)
    };
    let vf = |ask: Ask, count: u32| Ask {
        devices: vec![Devices {
            kind: "vf".to_owned(),
            count,
            near: Near::Node,
            strict: true,
        }],
        ..ask
    };
    let cells = |cells: &[(u32, u64)]| {
        let count = cells.iter().map(|c| c.0).sum();
        let gib = cells.iter().map(|c| c.1).sum();
        let cell = |(cpus, gib): &(u32, u64)| Cell {
            cpus: *cpus,
            bytes: gib * GIB,
            page_sizes: Vec::new(),
        };
        Ask {
            numa: Numa::Cells(cells.iter().map(cell).collect()),
            ..dedicated(count, Threads::Prefer, gib, true)
        }
    };
    vec![
        (30, shared(2, 4)),
        (15, shared(4, 8)),
        (10, dedicated(2, Threads::Any, 8, false)),
        (12, dedicated(4, Threads::Prefer, 16, true)),
        (8, dedicated(8, Threads::Require, 16, true)),
        (5, vf(dedicated(4, Threads::Isolate, 8, true), 1)),
        (3, dedicated(16, Threads::Require, 32, true)),
        (2, cells(&[(8, 16), (8, 16)])),
        (2, cells(&[(4, 8), (8, 24)])),
        (
            1,
            Ask {
                cpus: Cpus {
                    l3: L3::Require,
                    ..dedicated(6, Threads::Any, 8, true).cpus
                },
                ..dedicated(6, Threads::Any, 8, true)
            },
        ),
        (12, dedicated(1, Threads::Any, 2, false)),
    ]
}

pub(crate) fn jobs(count: usize, hosts: usize) -> Vec<Job> {
    let all: Arc<IdSet> = Arc::new((0..u32::try_from(hosts).unwrap_or(0)).collect());
    let asks = asks();
    let weight: usize = asks.iter().map(|a| a.0).sum();
    let forms: Vec<Arc<[Form]>> = asks
        .iter()
        .map(|(_, ask)| {
            Arc::from(
                [Form {
                    ask: ask.clone(),
                    hosts: Arc::clone(&all),
                }]
                .as_slice(),
            )
        })
        .collect();
    let affinity = Arc::new(Affinity::default());
    (0..count)
        .map(|i| {
            let mut at = (i * 37) % weight;
            let mut kind = 0;
            while at >= asks[kind].0 {
                at -= asks[kind].0;
                kind += 1;
            }
            Job {
                name: Address::new(format!("workload.w{i:06}")),
                forms: Arc::clone(&forms[kind]),
                priority: 0,
                affinity: Arc::clone(&affinity),
                stands: None,
            }
        })
        .collect()
}

pub(crate) fn standing(hosts: &[Host], jobs: &[Job], outcome: &Outcome) -> Vec<Job> {
    let stands = |job: &Job, assigned: &Option<infra_place::Assigned>| Job {
        stands: assigned.as_ref().map(|a| Stood {
            host: a.host,
            form: a.form,
            standing: Arc::new(a.fit.standing(&hosts[a.host].topology)),
            anchored: false,
        }),
        ..job.clone()
    };
    jobs.iter()
        .zip(&outcome.assigned)
        .map(|(job, assigned)| stands(job, assigned))
        .collect()
}

/// The hard cases of one host.
pub(crate) fn single() {
    let many = Machine {
        nodes: 8,
        nodes_per_package: 4,
        cores: 8,
        threads: 2,
        cores_per_l3: 4,
        gib_per_node: 32,
        huge_per_node: 16,
        vfs: 4,
    };
    let even = |cells: u32| Ask {
        numa: Numa::Nodes(cells),
        ..dedicated(2 * cells, Threads::Any, u64::from(cells), true)
    };
    let with = |ask: Ask, kind: &str, count: u32| Ask {
        devices: vec![Devices {
            kind: kind.to_owned(),
            count,
            near: Near::Node,
            strict: true,
        }],
        ..ask
    };
    time("8 nodes, 6 cells", &many, &even(6));
    time(
        "8 nodes, 6 cells, 5 of 4 devices",
        &many,
        &with(even(6), "vf", 5),
    );
    time(
        "8 nodes, 6 cells, no such device",
        &many,
        &with(even(6), "gpu", 1),
    );
    time("8 nodes, 6 cells, devices", &many, &with(even(6), "vf", 4));
    let huge = Machine {
        nodes: 64,
        nodes_per_package: 8,
        ..many
    };
    let uneven = (1..9)
        .map(|n| Cell {
            cpus: n,
            bytes: u64::from(n) * GIB,
            page_sizes: Vec::new(),
        })
        .collect();
    let ask = Ask {
        numa: Numa::Cells(uneven),
        ..dedicated(36, Threads::Any, 36, true)
    };
    time("64 nodes, 8 uneven cells", &huge, &ask);
    time(
        "64 nodes, 8 uneven cells, devices",
        &huge,
        &with(ask.clone(), "vf", 4),
    );
    time(
        "64 nodes, auto over 5",
        &huge,
        &dedicated(70, Threads::Any, 70, true),
    );
}

fn time(what: &str, machine: &Machine, ask: &Ask) {
    let topology = machine.topology();
    let room = machine.stock(&topology);
    let mut took = std::time::Duration::MAX;
    for _ in 0..20 {
        let start = Instant::now();
        std::hint::black_box(fit(&topology, &room, ask)).ok();
        took = took.min(start.elapsed());
    }
    let found = fit(&topology, &room, ask);
    println!(
        "{what}: {took:?} {:?}",
        found.map(|f| (
            f.cost.tiers().iter().map(|t| t.1).collect::<Vec<_>>(),
            f.proven
        ))
    );
}
