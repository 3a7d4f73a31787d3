//! Whether the kernel does what was planned. Pure: of what was made, and what the kernel says of its processes, come
//! checks. What a daemon says of itself is no proof and is not asked for: it is what `diff` compares.

mod claims;
mod words;

pub mod wanted;

use std::collections::BTreeSet;

use infra_api::running::{Group, Process, Running, Thread};
use infra_api::{Address, HostName, IdSet, Trace};
use schemars::JsonSchema;
use serde::Serialize;

pub use claims::{CLAIMS, Claim};
pub use wanted::Wanted;

/// A workload on its host.
#[derive(Clone, Debug)]
pub struct Subject {
    pub address: Address,
    pub host: HostName,
    pub wanted: Wanted,
    /// By what its processes are known; nothing where its daemon does not know it.
    pub trace: Option<Trace>,
}

/// One thing that was planned, beside what the kernel says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// The workload.
    pub address: Address,
    pub host: HostName,
    /// Of what: `vCPU 0`, `memory`, …
    pub what: String,
    pub expected: String,
    pub found: String,
    pub verdict: Verdict,
}

/// What comes of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is so.
    Holds,
    /// Nothing that was planned: for who wants to know.
    Note,
    /// The kernel does not tell.
    Unknown,
    /// It is not so.
    Fails,
}

/// A subject and what is known of it: what a claim is made of.
pub(crate) struct Case<'a> {
    subject: &'a Subject,
    wanted: &'a Wanted,
    /// Its own, by their ids.
    processes: Vec<(u32, &'a Process)>,
    /// Threads that the kernel runs for it (vhost), each a process by itself.
    helpers: Vec<(u32, &'a Process)>,
    running: &'a Running,
    /// The same, a while before.
    earlier: Option<&'a Running>,
}

/// The checks of some workloads of one host, in their order. `earlier`: what the kernel said a while before.
#[must_use]
pub fn verify(subjects: &[Subject], running: &Running, earlier: Option<&Running>) -> Vec<Check> {
    let cases = subjects
        .iter()
        .map(|subject| Case::new(subject, running, earlier));
    cases.flat_map(|case| case.checks()).collect()
}

impl<'a> Case<'a> {
    fn new(subject: &'a Subject, running: &'a Running, earlier: Option<&'a Running>) -> Self {
        let own = |(_, process): &(u32, &Process)| {
            subject
                .trace
                .as_ref()
                .is_some_and(|trace| trace.is_of(process))
        };
        let all = || {
            running
                .processes
                .iter()
                .map(|(pid, process)| (*pid, process))
        };
        let mut processes: Vec<(u32, &Process)> = all().filter(own).collect();
        processes.sort_by_key(|(pid, process)| (process.started, *pid));
        let is_own: BTreeSet<u32> = processes.iter().map(|(pid, _)| *pid).collect();
        let names: BTreeSet<String> = processes
            .iter()
            .map(|(pid, _)| format!("vhost-{pid}"))
            .collect();
        // Newer kernels have them among the threads of the process itself.
        let helper = |(pid, process): &(u32, &Process)| {
            !is_own.contains(pid)
                && process
                    .threads
                    .values()
                    .any(|thread| names.contains(&thread.name))
        };
        Self {
            subject,
            wanted: &subject.wanted,
            helpers: all().filter(helper).collect(),
            processes,
            running,
            earlier,
        }
    }

    fn checks(&self) -> Vec<Check> {
        // Of what does not run there is one thing to say.
        let runs = !self.processes.is_empty();
        let claims = CLAIMS.iter().filter(|claim| runs || !claim.of_processes);
        claims.flat_map(|claim| (claim.check)(self)).collect()
    }

    fn check(
        &self,
        what: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
        verdict: Verdict,
    ) -> Check {
        Check {
            address: self.subject.address.clone(),
            host: self.subject.host.clone(),
            what: what.into(),
            expected: expected.into(),
            found: found.into(),
            verdict,
        }
    }

    /// Of all its processes, with their ids.
    fn threads(&self) -> impl Iterator<Item = (u32, &'a Thread)> {
        let all = self.processes.iter().chain(&self.helpers);
        all.flat_map(|(_, process)| process.threads.iter().map(|(id, thread)| (*id, thread)))
    }

    /// The first that was started of those that are there.
    fn main(&self) -> Option<&'a Process> {
        self.processes.first().map(|(_, process)| *process)
    }

    /// The control group of all of it, and its path. Of a machine that of its first process, in which no vCPU is.
    fn group(&self) -> Option<&'a Group> {
        let main = self.main()?;
        let trace = self.subject.trace.as_ref()?;
        let own = main.groups.iter().find_map(|path| trace.group(path));
        let path = own.or_else(|| main.groups.first().map(String::as_str))?;
        self.running.groups.get(path)
    }

    /// The main thread of [`Self::main`].
    fn main_thread(&self) -> Option<&'a Thread> {
        let (pid, process) = self.processes.first()?;
        process.threads.get(pid)
    }
}

impl Verdict {
    fn of(holds: bool) -> Self {
        match holds {
            true => Self::Holds,
            false => Self::Fails,
        }
    }
}

/// CPUs that someone of them has to himself: what is looked at beside them is every thread of the host.
#[must_use]
pub fn alone(subjects: &[Subject]) -> IdSet {
    subjects.iter().fold(IdSet::default(), |all, subject| {
        &all | &subject.wanted.alone
    })
}

#[cfg(test)]
mod tests;
