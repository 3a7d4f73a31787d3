//! What no way of placing can go beyond: a linear program over kinds of machines and sorts of workloads, in which hosts
//! of a kind are one and workloads may be cut up.

use infra_place::{Ask, L3, Threads};

use super::arrivals::Sort;
use super::kinds::{Machine, PAGE, RATIO};
use super::rules::{cells, huge, threads, vfs};
use super::simplex::most;

/// CPUs, ordinary bytes (in GiB), huge pages, virtual functions.
const RESOURCES: usize = 4;

type Amounts = [f64; RESOURCES];

/// The program of a fleet, but for how many of each sort there are.
pub(crate) struct Bound {
    sorts: usize,
    /// Of each sort on each kind: what it takes there.
    uses: Vec<Vec<Amounts>>,
    rows: Vec<Vec<f64>>,
    limits: Vec<f64>,
}

fn has(machine: &Machine) -> Amounts {
    let gib = |bytes: u64| bytes as f64 / PAGE as f64;
    [
        machine.usable() as f64,
        gib(machine.bytes.iter().sum()),
        machine.pages.iter().sum::<u64>() as f64,
        machine.vfs.iter().map(Vec::len).sum::<usize>() as f64,
    ]
}

/// What one takes of a machine, wherever on it it is.
fn takes(machine: &Machine, ask: &Ask) -> Amounts {
    let smt = machine.cores[0].threads.len() as f64;
    let count = f64::from(ask.cpus.count);
    let cpus = match threads(ask) {
        None => count / RATIO as f64,
        Some(Threads::Isolate) => count * smt,
        Some(Threads::Require) => (count / smt).ceil() * smt,
        Some(Threads::Any | Threads::Prefer) => count,
    };
    let bytes = ask.memory.bytes as f64 / PAGE as f64;
    let beside = ask.memory.overhead_bytes as f64 / PAGE as f64;
    let (ordinary, pages) = match huge(ask) {
        true => (beside, bytes),
        false => (bytes + beside, 0.0),
    };
    [cpus, ordinary, pages, vfs(ask) as f64]
}

/// How many of a sort one host can hold at most, each counted whole.
fn at_most(machine: &Machine, ask: &Ask) -> f64 {
    let parts = has(machine).into_iter().zip(takes(machine, ask));
    let volume = parts
        .filter(|(_, takes)| *takes > 0.0)
        .map(|(has, takes)| (has / takes + 1e-9).floor())
        .fold(f64::INFINITY, f64::min);
    let by_l3 = match ask.cpus.l3 {
        L3::Require => in_l3s(machine, ask.cpus.count),
        L3::Any | L3::Prefer | L3::Alone => f64::INFINITY,
    };
    let nodes = machine.nodes.len();
    let cells = if cells(ask).len() > nodes {
        0.0
    } else {
        f64::INFINITY
    };
    volume.min(by_l3).min(cells)
}

fn in_l3s(machine: &Machine, count: u32) -> f64 {
    let mut l3s: Vec<(Option<usize>, u32)> = Vec::new();
    for (at, core) in machine.cores.iter().enumerate() {
        let free = if at == machine.kept {
            0
        } else {
            u32::try_from(core.threads.len()).unwrap_or(0)
        };
        match l3s.iter_mut().find(|(l3, _)| *l3 == core.l3) {
            Some((_, cpus)) => *cpus += free,
            None => l3s.push((core.l3, free)),
        }
    }
    l3s.iter().map(|(_, cpus)| f64::from(cpus / count)).sum()
}

impl Bound {
    /// `fleet`: kinds of machines, and how many of each.
    pub(crate) fn new(fleet: &[(&Machine, usize)], sorts: &[Sort]) -> Self {
        let (kinds, wide) = (fleet.len(), fleet.len() * sorts.len());
        let at = |sort: usize, kind: usize| sort * kinds + kind;
        let mut uses = vec![Vec::new(); sorts.len()];
        let (mut rows, mut limits) = (Vec::new(), Vec::new());
        for (sort, Sort { ask, .. }) in sorts.iter().enumerate() {
            let mut row = vec![0.0; wide];
            for (kind, (machine, count)) in fleet.iter().enumerate() {
                uses[sort].push(takes(machine, ask));
                row[at(sort, kind)] = 1.0;
                let mut one = vec![0.0; wide];
                one[at(sort, kind)] = 1.0;
                rows.push(one);
                limits.push(at_most(machine, ask) * *count as f64);
            }
            rows.push(row);
            limits.push(0.0);
        }
        for (kind, (machine, count)) in fleet.iter().enumerate() {
            for resource in 0..RESOURCES {
                let mut row = vec![0.0; wide];
                for (sort, uses) in uses.iter().enumerate() {
                    row[at(sort, kind)] = uses[kind][resource];
                }
                rows.push(row);
                limits.push(has(machine)[resource] * *count as f64);
            }
        }
        Self {
            sorts: sorts.len(),
            uses,
            rows,
            limits,
        }
    }

    fn with(&self, counts: &[usize]) -> Vec<f64> {
        let kinds = self.uses[0].len();
        let mut limits = self.limits.clone();
        for (sort, count) in counts.iter().enumerate() {
            limits[sort * (kinds + 1) + kinds] = *count as f64;
        }
        limits
    }

    /// Whether so many of each sort might all be placed; where it says no, they cannot.
    pub(crate) fn allows(&self, counts: &[usize]) -> bool {
        let gains = vec![1.0; self.sorts * self.uses[0].len()];
        let all: usize = counts.iter().sum();
        most(&gains, &self.rows, &self.with(counts)) > all as f64 - 1e-6
    }

    /// CPUs that can be given at most to some of so many of each sort.
    pub(crate) fn cpus(&self, counts: &[usize]) -> f64 {
        let gains: Vec<f64> = self.uses.iter().flatten().map(|u| u[0]).collect();
        most(&gains, &self.rows, &self.with(counts))
    }
}
