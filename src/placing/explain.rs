//! Why a workload is where it is: what the place costs, by what others lose, and what would make it fit elsewhere.

use std::collections::BTreeMap;

use infra_api::units::Bytes;
use infra_api::{Address, HostName, IdSet, Variant};
use infra_place::{Miss, Nearest, Verdict, Way};

use super::Arranged;
use super::refusal::Constraint;

/// All that is to be said of a place.
#[derive(Clone, Debug, Default)]
pub struct Explained {
    /// Each criterion and what the place comes to, the weightiest first.
    pub tiers: Vec<(&'static str, u64)>,
    /// What else has room for it, the next best first.
    pub rivals: Vec<Rival>,
    /// Nodes of its host that it is not on, and why.
    pub nodes: Vec<(u32, String)>,
    /// What would make it fit where it is refused, the nearest first.
    pub nearest: Vec<String>,
}

/// Hosts that lose in the same way.
#[derive(Clone, Debug)]
pub struct Rival {
    pub variant: Variant,
    pub hosts: Vec<HostName>,
    pub why: String,
}

/// So many classes of refused workloads are looked at for what would make them fit.
const MOST: usize = 8;
/// So many ways are told in a refusal.
const TOLD: usize = 2;

impl Arranged<'_> {
    /// Why a workload is where it is, or nowhere; nothing of whom no runtime is possible.
    #[must_use]
    pub fn explain(&self, address: &Address) -> Option<Explained> {
        let asked = &self.asked;
        let job = asked
            .binary_search_by(|(w, _)| w.address.cmp(address))
            .ok()?;
        let (hosts, jobs) = (&self.fleet.hosts, &self.jobs);
        let found = infra_place::explain(hosts, jobs, &self.outcome, job);
        let name = |host: u32| hosts[host as usize].name.clone();
        let rival = |rival: &infra_place::Rival| Rival {
            variant: self.variants[job][rival.form],
            hosts: rival.hosts.iter().map(name).collect(),
            why: loses(rival.verdict),
        };
        let node = |(id, verdict): &(u32, Result<Verdict, infra_place::Constraint>)| {
            let why = match verdict {
                Ok(verdict) => loses(*verdict),
                Err(constraint) => Constraint::found(constraint, &self.fleet.scopes).to_string(),
            };
            (*id, why)
        };
        Some(Explained {
            tiers: found.cost.map(|cost| cost.tiers()).unwrap_or_default(),
            rivals: found.rivals.iter().map(rival).collect(),
            nodes: found.nodes.iter().map(node).collect(),
            nearest: self.ways(job, &found.nearest, usize::MAX),
        })
    }

    /// What would make those fit that have no place, at most two ways for each.
    pub(super) fn nearest(&self) -> BTreeMap<Address, Vec<String>> {
        let refused: Vec<&infra_place::Refusal> = self.outcome.refused.iter().take(MOST).collect();
        let first: Vec<usize> = refused
            .iter()
            .filter_map(|r| r.jobs.first().copied())
            .collect();
        if first.is_empty() {
            return BTreeMap::new();
        }
        let (hosts, jobs) = (&self.fleet.hosts, &self.jobs);
        let found = infra_place::nearest(hosts, jobs, &self.outcome, &first);
        let mut all = BTreeMap::new();
        for (refusal, nearest) in refused.into_iter().zip(found) {
            for job in &refusal.jobs {
                let ways = self.ways(*job, &nearest, TOLD);
                if !ways.is_empty() {
                    all.insert(self.asked[*job].0.address.clone(), ways);
                }
            }
        }
        all
    }

    fn ways(&self, job: usize, nearest: &[Nearest], most: usize) -> Vec<String> {
        let variants = &self.variants[job];
        let mut told: Vec<String> = Vec::new();
        for Nearest { form, host, way } in nearest {
            if told.len() == most {
                break;
            }
            let at = &self.fleet.hosts[*host].name;
            let form = match variants.len() {
                0 | 1 => String::new(),
                _ => format!(" as {}", variants[*form]),
            };
            let way = match way {
                Way::Miss(miss) => words(miss),
                Way::Moves { job, host, nodes } => self.moves(*job, *host, at, nodes),
            };
            told.push(format!("on {at}{form}: {way}"));
        }
        told
    }

    fn moves(&self, job: usize, host: usize, from: &HostName, nodes: &IdSet) -> String {
        let to = &self.fleet.hosts[host].name;
        let node = match nodes.is_empty() {
            true => String::new(),
            false => format!("node {nodes}"),
        };
        let place = match (to == from, node.is_empty()) {
            (true, true) => "elsewhere on it".to_owned(),
            (true, false) => format!("to {node}"),
            (false, true) => format!("to {to}"),
            (false, false) => format!("to {to}, {node}"),
        };
        format!("it fits if `{}` moves {place}", self.asked[job].0.address)
    }
}

fn loses(verdict: Verdict) -> String {
    let of = |tier: &str, by: u64| {
        let by = match tier {
            "memory_left" => Bytes(by >> 20 << 20).to_string(),
            _ => by.to_string(),
        };
        (tier.replace('_', " "), by)
    };
    match verdict {
        Verdict::Loses {
            tier: "runtime", ..
        } => "the runtime comes later in preference".to_owned(),
        Verdict::Loses { tier: "moves", .. } => "it would have to move".to_owned(),
        Verdict::Loses {
            tier: "idle_host", ..
        } => "nothing runs there yet: used hosts come first".to_owned(),
        Verdict::Loses {
            tier: "cpus_per_tib",
            ..
        } => "less of its memory is free for each free CPU: who shares CPUs takes memory above all"
            .to_owned(),
        Verdict::Loses {
            tier: "memory_left",
            by,
        } => {
            let (_, by) = of("memory_left", by);
            format!("{by} more of its memory is free: fuller hosts come first")
        }
        Verdict::Loses { tier, by } => {
            let (tier, by) = of(tier, by);
            format!("loses at {tier}, by {by}")
        }
        Verdict::Better { tier, by } => {
            let (tier, by) = of(tier, by);
            format!("better at {tier}, by {by}, but what runs stays")
        }
        Verdict::Equal => "equal; the name decides".to_owned(),
    }
}

/// What would make it fit.
fn words(miss: &Miss) -> String {
    match miss {
        Miss::MorePages {
            node,
            size,
            more,
            need,
        } => {
            let size = Bytes(*size);
            format!(
                "node {node} lacks {more} of {need} pages of {size}; with them it fits (`hugepages` in its `host` block makes some)"
            )
        }
        Miss::MoreMemory { node, more } => {
            let who = node.map_or_else(|| "the host".to_owned(), |node| format!("node {node}"));
            format!("{who} lacks {} of memory; with it it fits", Bytes(*more))
        }
        Miss::InCells(count) => format!("it fits in {count} NUMA cells"),
        Miss::NotInCells => "it fits where it asks for no NUMA cells".to_owned(),
        Miss::Pages(0) => "it fits with ordinary memory".to_owned(),
        Miss::Pages(size) => format!("it fits with pages of {}", Bytes(*size)),
        Miss::AnyThreads => "it fits with `threads = \"any\"`".to_owned(),
        Miss::AnyL3 => "it fits with `l3 = \"any\"`".to_owned(),
        Miss::AnyNodes => "it fits where its memory names no nodes".to_owned(),
        Miss::AnyCpus => "it fits with as many other CPUs".to_owned(),
        Miss::FarDevices => "it fits with devices that are not so near".to_owned(),
        Miss::NoHelpers => "it fits without CPUs for helper threads".to_owned(),
        Miss::FewerCpus(1) => "it fits with 1 CPU less".to_owned(),
        Miss::FewerCpus(less) => format!("it fits with {less} CPUs less"),
        Miss::LessMemory(less) => format!("it fits with {} less memory", Bytes(*less)),
        Miss::SharedCpus => "it fits with shared CPUs".to_owned(),
    }
}
