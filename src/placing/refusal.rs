//! Why nothing fits: host by host, the first constraint that is broken, with its numbers.

use std::fmt;

use infra_api::units::Bytes;
use infra_api::{Address, HostName, IdSet, Runtime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::choose::{Candidate, Choice};

/// A workload that has no place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    pub workload: Address,
    /// Why, by classes of equal hosts.
    pub refused: Vec<HostRefusal>,
}

/// Hosts that refuse for the same reason with the same numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostRefusal {
    pub runtime: Runtime,
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
    /// Not enough CPUs that nobody has.
    DedicatedCpus {
        need: u64,
        have: u64,
        threads: String,
    },
    /// No CPU is left for workloads that share.
    SharedCpus { need: u64, have: u64 },
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
}

impl Constraint {
    pub(super) fn of(self, candidate: &Candidate) -> HostRefusal {
        HostRefusal {
            runtime: candidate.runtime,
            hosts: vec![candidate.host.clone()],
            constraint: self,
        }
    }
}

impl Refused {
    pub(super) fn new(workload: Address, refusals: Vec<HostRefusal>, choice: &Choice) -> Self {
        let gates = choice.ruled_out.iter().map(|r| {
            Constraint::Gate {
                gate: r.gate.to_owned(),
                why: r.why.clone(),
            }
            .of(&r.candidate)
        });
        let mut refused: Vec<HostRefusal> = Vec::new();
        for refusal in refusals.into_iter().chain(gates) {
            let same = refused
                .iter_mut()
                .find(|r| r.runtime == refusal.runtime && r.constraint == refusal.constraint);
            match same {
                Some(class) => class.hosts.extend(refusal.hosts),
                None => refused.push(refusal),
            }
        }
        Self { workload, refused }
    }

    /// A workload to which every gate is closed.
    #[must_use]
    pub fn by_gates(choice: &Choice) -> Self {
        Self::new(choice.workload.clone(), Vec::new(), choice)
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gate { gate: _, why } => f.write_str(why),
            Self::NamedCpus {
                need: _,
                have: _,
                why,
            } => f.write_str(why),
            Self::DedicatedCpus {
                need,
                have,
                threads,
            } if need <= have => {
                write!(
                    f,
                    "{need} dedicated CPUs{threads} are asked for, and the free cores ({have} CPUs) do not add up to that"
                )
            }
            Self::DedicatedCpus {
                need,
                have,
                threads,
            } => {
                write!(
                    f,
                    "{need} dedicated CPUs{threads} are asked for and {have} can be had"
                )
            }
            Self::SharedCpus { need: _, have: _ } => {
                f.write_str("dedicated workloads have taken every CPU, none is left to share")
            }
            Self::NamedNodes { need, have } => {
                write!(f, "NUMA node {need} is asked for and the host has {have}")
            }
            Self::Memory { need, have, nodes } => {
                write!(
                    f,
                    "{} of memory are needed and {} can be had",
                    Bytes(*need),
                    Bytes(*have)
                )?;
                nodes.as_ref().map_or(Ok(()), |n| write!(f, " on node {n}"))
            }
            Self::HugePages {
                need,
                have,
                page_size_bytes,
                node,
            } => {
                write!(
                    f,
                    "{need} pages of {} are needed and {have} can be had",
                    Bytes(*page_size_bytes)
                )?;
                match node {
                    Some(node) => write!(f, " on node {node}"),
                    None => f.write_str(" on one node"),
                }
            }
        }
    }
}
