//! What is claimed of a workload, one claim a file: what of the kernel is compared with what was made.

mod addresses;
mod alone;
mod cpus;
mod functions;
mod group;
mod huge_pages;
mod limits;
mod locked;
mod memory;
mod nodes;
mod processes;
mod scheduler;
mod settings;
mod waiting;

use super::{Case, Check};

/// A claim.
pub struct Claim {
    /// As the documentation calls it.
    pub name: &'static str,
    /// What is read, and when it holds.
    pub holds: &'static str,
    /// Where that is known from.
    pub source: &'static str,
    /// There is nothing to say where no process runs.
    pub(super) of_processes: bool,
    pub(super) check: fn(&Case<'_>) -> Vec<Check>,
}

/// In the order in which they are told.
pub const CLAIMS: [Claim; 14] = [
    settings::CLAIM,
    processes::CLAIM,
    cpus::CLAIM,
    nodes::CLAIM,
    memory::CLAIM,
    huge_pages::CLAIM,
    locked::CLAIM,
    group::CLAIM,
    scheduler::CLAIM,
    limits::CLAIM,
    functions::CLAIM,
    addresses::CLAIM,
    alone::CLAIM,
    waiting::CLAIM,
];
