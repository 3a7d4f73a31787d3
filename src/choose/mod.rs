//! Which runtime on which host: gates rule candidates out, each with its reason; what is left is in the order of
//! preference. Scores by needs and measurements come between the two when there are any.
//!
//! Hosts that no gate can tell apart are judged once, and all that is said is said of such a group.

mod gates;
mod hosts;
mod kinds;

use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::{Address, HostName, IdSet, Runtime};

use self::kinds::Kinds;
use crate::declared::Workload;
use crate::inventory::{HostInventory, Inventory};

pub use hosts::Hosts;

/// Among candidates that nothing rules out, lighter ones first: a container shares the host's kernel and starts at
/// once, a VM brings its own; a bare process has no packaging and no isolation of its own.
pub const PREFERENCE: [Runtime; 3] = [Runtime::Container, Runtime::Kvm, Runtime::BareMetal];

/// Where declared volumes are.
pub type Homes = BTreeMap<Address, Home>;

/// A volume's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    pub host: HostName,
    /// Whose it is; nothing where none has been made.
    pub runtime: Option<Runtime>,
}

/// A workload's candidates, the preferred first, and those ruled out, each with its reason. Equal ones share what is
/// said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub workload: Address,
    /// One for each runtime that anything is left of.
    pub possible: Arc<[Possible]>,
    pub ruled_out: Arc<[RuledOut]>,
    /// The person named the runtime.
    pub named: bool,
}

/// A runtime, and the hosts it could be on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Possible {
    pub runtime: Runtime,
    pub hosts: Hosts,
}

/// A runtime on a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    pub runtime: Runtime,
    pub host: HostName,
}

/// Candidates that a gate closed to for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuledOut {
    pub runtime: Runtime,
    pub hosts: Hosts,
    /// The gate's name.
    pub gate: &'static str,
    pub why: String,
}

impl Choice {
    /// Host by host, the preferred runtime first.
    pub fn candidates(&self) -> impl Iterator<Item = Candidate> {
        self.possible.iter().flat_map(|possible| {
            let runtime = possible.runtime;
            let host = possible.hosts.iter().cloned();
            host.map(move |host| Candidate { runtime, host })
        })
    }

    /// Host by host, the preferred runtime first, with the gate's name and why.
    #[must_use]
    pub fn losers(&self) -> Vec<(Candidate, &'static str, &str)> {
        let mut losers: Vec<_> = (self.ruled_out.iter())
            .flat_map(|out| {
                out.hosts.iter().map(|host| {
                    let (runtime, host) = (out.runtime, host.clone());
                    (Candidate { runtime, host }, out.gate, out.why.as_str())
                })
            })
            .collect();
        let of = |runtime: Runtime| self.ruled_out.iter().position(|out| out.runtime == runtime);
        losers.sort_by(|(a, ..), (b, ..)| (of(a.runtime), &a.host).cmp(&(of(b.runtime), &b.host)));
        losers
    }
}

/// Whether nothing rules a runtime out on a host.
#[must_use]
pub fn allows(workload: &Workload, runtime: Runtime, host: &HostInventory, homes: &Homes) -> bool {
    of_itself(workload, runtime).is_none() && of_host(workload, runtime, host, homes).is_none()
}

/// What gates say of hosts; nothing where all are open.
type Verdict = Option<(&'static str, String)>;

/// Of hosts that are judged together.
type Judged = (Runtime, Verdict);

/// What gates left open, and what they closed.
type Gated = (Arc<[Possible]>, Arc<[RuledOut]>);

/// Judges many workloads. Only those it was made for: of hosts it knows what these ask about.
pub struct Chooser<'a> {
    homes: &'a Homes,
    kinds: Kinds<'a>,
    /// What came of it, by what was judged in the order of judging: of the hosts that are named, and of the kinds.
    known: BTreeMap<(Vec<u32>, Vec<Judged>), Gated>,
}

impl<'a> Chooser<'a> {
    #[must_use]
    pub fn new(workloads: &[Workload], inventory: &'a Inventory, homes: &'a Homes) -> Self {
        Self {
            homes,
            kinds: Kinds::new(workloads, inventory),
            known: BTreeMap::new(),
        }
    }

    /// Judges every runtime on every host.
    pub fn choose(&mut self, workload: &Workload) -> Choice {
        let named = self.named(workload);
        let parts = self.kinds.without(&named);
        let mut judged = Vec::new();
        for runtime in PREFERENCE {
            match of_itself(workload, runtime) {
                Some(verdict) => judged.push((runtime, Some(verdict))),
                None => judged.extend(
                    parts
                        .iter()
                        .map(|(host, _)| (runtime, of_host(workload, runtime, host, self.homes))),
                ),
            }
        }
        let key = (named.iter().collect(), judged);
        let (possible, ruled_out) = self.known.entry(key).or_insert_with_key(|(_, judged)| {
            let parts: Vec<&IdSet> = parts.iter().map(|(_, hosts)| &**hosts).collect();
            gathered(judged, &parts, self.kinds.all())
        });
        Choice {
            workload: workload.address.clone(),
            possible: Arc::clone(possible),
            ruled_out: Arc::clone(ruled_out),
            named: workload.runtime.is_some(),
        }
    }

    /// Positions of the hosts that it or its volumes name: each is judged for itself.
    fn named(&self, workload: &Workload) -> IdSet {
        let own = workload.host.iter().map(|host| &host.value);
        let volumes = workload.disks.iter().filter_map(|d| d.volume.as_ref());
        let homes = volumes.filter_map(|v| Some(&self.homes.get(&v.value)?.host));
        let all = self.kinds.all();
        own.chain(homes).filter_map(|n| all.position(n)).collect()
    }
}

fn of_host(workload: &Workload, runtime: Runtime, host: &HostInventory, homes: &Homes) -> Verdict {
    let mut gates = gates::OF_HOSTS.iter();
    gates.find_map(|gate| {
        let why = (gate.closed)(workload, runtime, host, homes);
        why.map(|why| (gate.name, why))
    })
}

/// What rules a runtime out wherever it would be.
fn of_itself(workload: &Workload, runtime: Runtime) -> Verdict {
    let mut gates = gates::OF_WORKLOADS.iter();
    gates.find_map(|gate| (gate.closed)(workload, runtime).map(|why| (gate.name, why)))
}

/// What was judged part by part, equal verdicts together, in the order of their first hosts.
fn gathered(judged: &[Judged], parts: &[&IdSet], all: &Hosts) -> Gated {
    let (mut possible, mut ruled_out) = (Vec::new(), Vec::new());
    for runtime in PREFERENCE {
        let verdicts: Vec<&Verdict> = (judged.iter())
            .filter(|(of, _)| *of == runtime)
            .map(|(_, verdict)| verdict)
            .collect();
        let mut by: BTreeMap<&Verdict, IdSet> = BTreeMap::new();
        // One for all is of the workload itself.
        let whole = [&**all.positions()];
        let of = if verdicts.len() == parts.len() {
            parts
        } else {
            &whole
        };
        for (verdict, hosts) in verdicts.into_iter().zip(of) {
            let known = by.entry(verdict).or_default();
            *known = &*known | hosts;
        }
        let mut by: Vec<(&Verdict, IdSet)> = by.into_iter().collect();
        by.retain(|(_, hosts)| !hosts.is_empty());
        by.sort_by_key(|(_, hosts)| hosts.first());
        for (verdict, hosts) in by {
            let hosts = all.part(hosts);
            match verdict {
                None => possible.push(Possible { runtime, hosts }),
                Some((gate, why)) => ruled_out.push(RuledOut {
                    runtime,
                    hosts,
                    gate,
                    why: why.clone(),
                }),
            }
        }
    }
    (possible.into(), ruled_out.into())
}
