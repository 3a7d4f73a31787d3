//! Which runtime on which host, and with which settings: gates rule candidates out, each with its reason; what is left is
//! in the order in which it suits the workload's needs, or of preference where it needs nothing.
//!
//! Hosts that no gate can tell apart are judged once, and all that is said is said of such a group.

mod gates;
mod hosts;
mod kinds;
mod measured;
mod settings;
mod suited;

use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::{Address, HostName, IdSet, Needs, Runtime, Settings, Variant};
use infra_suitability::{Evidence, Table, rank_open};

use self::kinds::Kinds;
use self::suited::{Could, Kept};
use crate::declared::{Declared, Workload};
use crate::inventory::{HostInventory, Inventory};

pub use hosts::Hosts;
pub use measured::{Witness, class, versions};
pub use settings::{claims, with};
pub use suited::{Better, Lacking, Suited};

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
    /// One for each variant that anything is left of.
    pub possible: Arc<[Possible]>,
    pub ruled_out: Arc<[RuledOut]>,
    /// The person named the runtime.
    pub named: bool,
    /// What it runs as now does not count.
    pub anew: bool,
    /// How they suit; nothing where it needs nothing.
    pub suited: Option<Arc<Suited>>,
}

/// A runtime with its settings, and the hosts it could be on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Possible {
    pub variant: Variant,
    /// Of its settings those that are not declared: what a need asks for.
    pub added: Settings,
    pub hosts: Hosts,
}

/// A runtime with its settings, on a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    pub variant: Variant,
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
    /// Host by host, the preferred variant first.
    pub fn candidates(&self) -> impl Iterator<Item = Candidate> {
        self.possible.iter().flat_map(|possible| {
            let variant = possible.variant;
            let host = possible.hosts.iter().cloned();
            host.map(move |host| Candidate { variant, host })
        })
    }

    /// Host by host, the preferred runtime first, with the gate's name and why.
    #[must_use]
    pub fn losers(&self) -> Vec<(Candidate, &'static str, &str)> {
        let mut losers: Vec<_> = (self.ruled_out.iter())
            .flat_map(|out| {
                out.hosts.iter().map(|host| {
                    let (variant, host) = (out.runtime.into(), host.clone());
                    (Candidate { variant, host }, out.gate, out.why.as_str())
                })
            })
            .collect();
        let of = |runtime: Runtime| self.ruled_out.iter().position(|out| out.runtime == runtime);
        losers.sort_by(|(a, ..), (b, ..)| {
            (of(a.variant.runtime), &a.host).cmp(&(of(b.variant.runtime), &b.host))
        });
        losers
    }
}

/// Whether nothing rules a runtime out on a host.
#[must_use]
pub fn allows(workload: &Workload, runtime: Runtime, host: &HostInventory, homes: &Homes) -> bool {
    let word = workload.runtime.as_ref().map(|runtime| runtime.value);
    of_itself(workload, runtime, word).is_none()
        && of_host(workload, runtime, host, homes).is_none()
}

/// What gates say of hosts; nothing where all are open.
type Verdict = Option<(&'static str, String)>;

/// Of hosts that are judged together.
type Judged = (Runtime, Verdict);

/// What gates left open, and what they closed.
type Gated = (Arc<[Possible]>, Arc<[RuledOut]>);

/// What a choice by needs follows from: the needs, whether neighbours are trusted, what it could be, the gates' result that
/// this is of, and the workload itself where more is known of it.
type Asked = (Needs, bool, Could, usize, Option<Address>);

/// Judges many workloads. Only those it was made for: of hosts it knows what these ask about.
pub struct Chooser<'a> {
    homes: &'a Homes,
    kinds: Kinds<'a>,
    inventory: &'a Inventory,
    declared: &'a Declared,
    table: Arc<Table>,
    /// What came of it, by what was judged in the order of judging: of the hosts that are named, and of the kinds.
    known: BTreeMap<(Vec<u32>, Vec<Judged>), Gated>,
    /// The same of those who need something.
    suited: BTreeMap<Asked, Kept>,
}

impl<'a> Chooser<'a> {
    /// `declared`: networks, and the table by which runtimes suit.
    #[must_use]
    pub fn new(
        workloads: &[Workload],
        inventory: &'a Inventory,
        homes: &'a Homes,
        declared: &'a Declared,
    ) -> Self {
        Self {
            homes,
            kinds: Kinds::new(workloads, inventory),
            inventory,
            declared,
            table: declared.table(),
            known: BTreeMap::new(),
            suited: BTreeMap::new(),
        }
    }

    /// Judges every runtime on every host.
    pub fn choose(&mut self, workload: &Workload) -> Choice {
        let named = self.named(workload);
        let word = workload.runtime.as_ref().map(|runtime| runtime.value);
        let gated = self.gated(workload, &named, word);
        let (possible, ruled_out, suited) = match workload.suits.needs.is_none() {
            true => (gated.0, gated.1, None),
            false => self.by_needs(workload, &named, gated),
        };
        Choice {
            workload: workload.address.clone(),
            possible,
            ruled_out,
            named: word.is_some(),
            anew: false,
            suited,
        }
    }

    /// What gates leave open: of the runtime that is named where one is.
    fn gated(&mut self, workload: &Workload, named: &IdSet, word: Option<Runtime>) -> Gated {
        let parts = self.kinds.without(named);
        let mut judged = Vec::new();
        for runtime in PREFERENCE {
            match of_itself(workload, runtime, word) {
                Some(verdict) => judged.push((runtime, Some(verdict))),
                None => judged.extend(
                    parts
                        .iter()
                        .map(|(host, _)| (runtime, of_host(workload, runtime, host, self.homes))),
                ),
            }
        }
        let key = (named.iter().collect(), judged);
        let gated = self.known.entry(key).or_insert_with_key(|(_, judged)| {
            let parts: Vec<&IdSet> = parts.iter().map(|(_, hosts)| &**hosts).collect();
            gathered(judged, &parts, self.kinds.all())
        });
        gated.clone()
    }

    /// Of what gates leave open, all variants, in the order in which they suit.
    fn by_needs(&mut self, workload: &Workload, named: &IdSet, gated: Gated) -> Kept {
        let could = self.could(workload, named, &gated.0);
        let (evidence, witnesses) = self.measured(workload, &gated.0);
        let is_named = workload.runtime.is_some();
        // What was measured is one workload's, and so is what would be better than what one says.
        let own = is_named || !witnesses.is_empty();
        let key: Asked = (
            workload.suits.needs,
            workload.suits.trusted,
            could.clone(),
            Arc::as_ptr(&gated.1).addr(),
            own.then(|| workload.address.clone()),
        );
        if let Some(known) = self.suited.get(&key) {
            return known.clone();
        }
        let (possible, mut out, mut suited) =
            suited::suited(workload, (&could, &evidence), &self.kinds, &self.table);
        suited.witnesses = witnesses;
        out.extend(gated.1.iter().cloned());
        if is_named {
            suited.better = self.better(workload, named, &suited);
        }
        let kept: Kept = (possible.into(), out.into(), Some(Arc::new(suited)));
        self.suited.insert(key, kept.clone());
        kept
    }

    /// What was measured of it where it could be.
    fn measured(
        &self,
        workload: &Workload,
        possible: &[Possible],
    ) -> (BTreeMap<Variant, Evidence>, Vec<Witness>) {
        let all = &self.declared.evidence;
        if all.is_empty() {
            return (BTreeMap::new(), Vec::new());
        }
        let among = |host: &HostName| possible.iter().any(|p| p.hosts.contains(host));
        let hosts = self.kinds.all().only(among);
        measured::says(all, workload, &hosts, (self.inventory, &self.table))
    }

    fn could(&self, workload: &Workload, named: &IdSet, possible: &[Possible]) -> Could {
        let mut could = Could::default();
        let model = (&*self.table, &self.declared.networks);
        for possible in possible {
            let of = (workload, possible.variant.runtime);
            let hosts = possible.hosts.positions();
            could.extend(of, hosts, (&self.kinds, named), model);
        }
        could
    }

    /// What would suit clearly better, if the person did not say what it runs as.
    fn better(&mut self, workload: &Workload, named: &IdSet, own: &Suited) -> Option<Better> {
        let all = self.gated(workload, named, None);
        let could = self.could(workload, named, &all.0);
        let (evidence, _) = self.measured(workload, &all.0);
        let variants = could.variants.into_keys();
        let variants: Vec<_> = variants.map(|v| (v, evidence.get(&v).copied())).collect();
        let (needs, trusted) = (&workload.suits.needs, workload.suits.trusted);
        let ranking = rank_open(&self.table, needs, trusted, &variants);
        let best = &ranking.best()?.score;
        let named = own.ranking.best().map(|best| &best.score);
        let clearly = named.is_none_or(|named| !named.ties(best, &self.table));
        clearly.then(|| Better {
            variant: best.variant,
            score: best.mean().to_string(),
            named: named.map_or_else(|| "excluded".to_owned(), |s| s.mean().to_string()),
        })
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

/// What rules a runtime out wherever it would be. `word`: the only one that is wanted.
fn of_itself(workload: &Workload, runtime: Runtime, word: Option<Runtime>) -> Verdict {
    let mut gates = gates::OF_WORKLOADS.iter();
    gates.find_map(|gate| (gate.closed)(workload, runtime, word).map(|why| (gate.name, why)))
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
                None => possible.push(Possible {
                    variant: runtime.into(),
                    added: Settings::NONE,
                    hosts,
                }),
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
