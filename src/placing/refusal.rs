//! Why nothing fits: host by host, the first constraint that is broken, with its numbers.

use std::fmt;
use std::sync::Arc;

use infra_api::units::Bytes;
use infra_api::{Address, HostName, IdSet, Variant};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::affinity::Scopes;
use super::devices;
use crate::choose::Choice;
use crate::inventory::HostInventory;

/// A workload that has no place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    pub workload: Address,
    /// Why, by classes of equal hosts. Equal workloads share it.
    pub refused: Arc<[HostRefusal]>,
}

/// Hosts that refuse for the same reason with the same numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostRefusal {
    #[serde(flatten)]
    pub variant: Variant,
    pub hosts: Vec<HostName>,
    #[serde(flatten)]
    pub constraint: Constraint,
}

/// A constraint that is broken: what is needed and what there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "constraint")]
pub enum Constraint {
    /// A gate closed.
    Gate { gate: String, why: String },
    /// CPUs that were named are not there to be had.
    NamedCpus {
        need: IdSet,
        have: IdSet,
        why: String,
    },
    /// Not enough CPUs that nobody has, on the host or on the node that comes nearest.
    DedicatedCpus {
        need: u64,
        have: u64,
        threads: String,
        node: Option<u32>,
    },
    /// No L3 cache whose CPUs suffice for a cell.
    OneL3 { need: u64, have: u64, alone: bool },
    /// No CPU is left for workloads that share, on the host or a node.
    SharedCpus {
        need: u64,
        have: u64,
        node: Option<u32>,
    },
    /// More shared CPUs than the host's ratio allows.
    Overcommit { need: u64, have: u64 },
    /// No CPUs for helper threads.
    Helpers { need: u64, have: u64 },
    /// Nodes that were named are not there.
    NamedNodes { need: IdSet, have: IdSet },
    /// Not enough memory, in bytes.
    Memory {
        need: u64,
        have: u64,
        nodes: Option<IdSet>,
    },
    /// Not enough huge pages on any one node.
    HugePages {
        need: u64,
        have: u64,
        page_size_bytes: u64,
        node: Option<u32>,
    },
    /// Not enough nodes that could hold a cell each.
    Cells { need: u64, have: u64 },
    /// Not enough devices, anywhere or (`near`) where its CPUs could be.
    Devices {
        need: u64,
        have: u64,
        kind: String,
        near: bool,
        /// How many the host has, whoever uses them.
        there: u64,
    },
    /// Each thing is there, and not together.
    Together { why: String },
    /// Somebody is there whom it is to be apart from.
    Apart { scope: String },
    /// It has not that label.
    Nowhere { scope: String },
    /// Those it is to be with are elsewhere.
    Elsewhere { scope: String },
    /// The host is to be emptied.
    Drained,
    /// The search ended before it had looked at everything.
    Undecided { steps: u64 },
}

impl HostRefusal {
    /// Of CPUs that were named, and of devices, the host may know better why they cannot be had.
    pub(super) fn of_host(mut self, host: &HostInventory) -> Self {
        if let Constraint::NamedCpus { need, have: _, why } = &mut self.constraint {
            let kept = &*need & &host.reserved_cpus;
            let (absent, barred) = (&*need - &host.facts.cpus.online, &*need - &host.cpus);
            if !absent.is_empty() {
                *why = format!(
                    "CPU {absent} is not online; the host has {}",
                    host.facts.cpus.online
                );
            } else if !kept.is_empty() {
                *why = format!("CPU {kept} is kept for the host itself (`reserve`)");
            } else if !barred.is_empty() {
                *why = format!(
                    "CPU {barred} may not be used: outside this system's cgroup, or another's alone"
                );
            }
        }
        if let Constraint::Devices { kind, there, .. } = &mut self.constraint {
            *there = devices::there(host, kind) as u64;
        }
        self
    }
}

impl Constraint {
    pub(super) fn found(found: &infra_place::Constraint, scopes: &Scopes) -> Self {
        use infra_place::Constraint as Found;
        let (found, wide) = (found.clone(), u64::from);
        let word = |scope| scopes.word(scope).to_owned();
        match found {
            Found::NamedCpus { need, have, why } => Self::NamedCpus { need, have, why },
            Found::DedicatedCpus {
                need,
                have,
                threads,
                node,
            } => Self::DedicatedCpus {
                need: wide(need),
                have: wide(have),
                threads: threads.words().to_owned(),
                node,
            },
            Found::OneL3 { need, have, alone } => Self::OneL3 {
                need: wide(need),
                have: wide(have),
                alone,
            },
            Found::SharedCpus { need, have, node } => Self::SharedCpus {
                need: wide(need),
                have: wide(have),
                node,
            },
            Found::Overcommit { need, have } => Self::Overcommit { need, have },
            Found::Helpers { need, have } => Self::Helpers {
                need: wide(need),
                have: wide(have),
            },
            Found::NamedNodes { need, have } => Self::NamedNodes { need, have },
            Found::Memory { need, have, nodes } => Self::Memory { need, have, nodes },
            Found::HugePages {
                need,
                have,
                page_size_bytes,
                node,
            } => Self::HugePages {
                need,
                have,
                page_size_bytes,
                node,
            },
            Found::Cells { need, have } => Self::Cells {
                need: wide(need),
                have: wide(have),
            },
            Found::Devices {
                need,
                have,
                kind,
                near,
            } => Self::Devices {
                need: wide(need),
                have: wide(have),
                kind,
                near,
                there: 0,
            },
            Found::Together { why } => Self::Together { why },
            Found::Apart { scope } => Self::Apart { scope: word(scope) },
            Found::Nowhere { scope } => Self::Nowhere { scope: word(scope) },
            Found::Elsewhere { scope } => Self::Elsewhere { scope: word(scope) },
            Found::Drained => Self::Drained,
            Found::Undecided { steps } => Self::Undecided { steps: wide(steps) },
        }
    }
}

impl Refused {
    /// A workload to which every gate is closed.
    #[must_use]
    pub fn by_gates(choice: &Choice) -> Self {
        Self {
            workload: choice.workload.clone(),
            refused: with_gates(Vec::new(), choice),
        }
    }
}

/// Together with what gates ruled out, equal reasons once.
pub(super) fn with_gates(refusals: Vec<HostRefusal>, choice: &Choice) -> Arc<[HostRefusal]> {
    let gates = choice.ruled_out.iter().map(|out| HostRefusal {
        variant: out.runtime.into(),
        hosts: out.hosts.iter().cloned().collect(),
        constraint: Constraint::Gate {
            gate: out.gate.to_owned(),
            why: out.why.clone(),
        },
    });
    let mut refused: Vec<HostRefusal> = Vec::new();
    for refusal in refusals.into_iter().chain(gates) {
        let same = refused
            .iter_mut()
            .find(|r| r.variant == refusal.variant && r.constraint == refusal.constraint);
        match same {
            Some(class) => class.hosts.extend(refusal.hosts),
            None => refused.push(refusal),
        }
    }
    refused.into()
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.of_cpus().or_else(|| self.of_memory());
        f.write_str(&words.unwrap_or_else(|| self.of_the_rest()))
    }
}

impl Constraint {
    fn of_cpus(&self) -> Option<String> {
        Some(match self {
            Self::NamedCpus { why, .. } => why.clone(),
            Self::DedicatedCpus {
                need,
                have,
                threads,
                node,
            } => {
                let rest = if need <= have {
                    format!(", and the free cores ({have} CPUs) do not add up to that")
                } else {
                    format!(" and {have} can be had")
                };
                format!(
                    "{need} dedicated CPUs{threads} are asked for{rest}{}",
                    on_node(*node)
                )
            }
            Self::OneL3 { need, have, alone } => {
                let alone = if *alone { " that nobody else uses" } else { "" };
                format!("{need} CPUs of one L3 cache{alone} are asked for and {have} can be had")
            }
            Self::SharedCpus { node, .. } => {
                let of = node.map_or_else(String::new, |node| format!(" of node {node}"));
                format!("dedicated workloads have taken every CPU{of}, none is left to share")
            }
            Self::Overcommit { need, have } => {
                format!("{need} shared CPUs are asked for and the host's ratio leaves {have}")
            }
            Self::Helpers { need, have } => {
                format!(
                    "{need} CPUs for helper threads are asked for beside its own and {have} can be had"
                )
            }
            _ => return None,
        })
    }

    fn of_memory(&self) -> Option<String> {
        Some(match self {
            Self::NamedNodes { need, have } => {
                format!("NUMA node {need} is asked for and the host has {have}")
            }
            Self::Memory { need, have, nodes } => {
                let on = nodes
                    .as_ref()
                    .map_or_else(String::new, |n| format!(" on node {n}"));
                format!(
                    "{} of memory are needed and {} can be had{on}",
                    Bytes(*need),
                    Bytes(*have)
                )
            }
            Self::HugePages {
                need,
                have,
                page_size_bytes,
                node,
            } => {
                let on = node.map_or_else(|| " on one node".to_owned(), |node| on_node(Some(node)));
                format!(
                    "{need} pages of {} are needed and {have} can be had{on}",
                    Bytes(*page_size_bytes)
                )
            }
            _ => return None,
        })
    }

    fn of_the_rest(&self) -> String {
        match self {
            Self::Gate { why, .. } | Self::Together { why } => why.clone(),
            Self::Cells { need, have } => {
                format!(
                    "{need} NUMA cells are asked for, each on a node of its own, and {have} nodes could hold one"
                )
            }
            Self::Devices {
                need,
                have,
                kind,
                near,
                there,
            } => {
                let near = if *near {
                    " as near to its CPUs as asked"
                } else {
                    ""
                };
                let others = if near.is_empty() && there > have {
                    format!(
                        "; the host has {there}: the rest is somebody else's, used by the host itself, or guarded by no IOMMU"
                    )
                } else {
                    String::new()
                };
                format!("{need} of `{kind}` are asked for and {have} can be had{near}{others}")
            }
            Self::Apart { scope } => {
                format!("somebody it is to be apart from is on the same {scope}")
            }
            Self::Nowhere { scope } => {
                format!(
                    "it has no label {scope}: whom it would be near or apart from there is not known"
                )
            }
            Self::Elsewhere { scope } => {
                format!("those it is to be near are on another {scope}")
            }
            Self::Drained => "the host is to be emptied".to_owned(),
            Self::Undecided { steps } => {
                format!("nothing was found in {steps} steps, and not everything was looked at")
            }
            _ => String::new(),
        }
    }
}

fn on_node(node: Option<u32>) -> String {
    node.map_or_else(String::new, |node| format!(" on node {node}"))
}
