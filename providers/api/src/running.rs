//! What a host's kernel says of the processes that are looked for, at one moment. What it does not say is `None`, or not
//! there; nothing here is what was asked for.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;

use crate::IdSet;

/// By what an object's processes are known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trace {
    /// What stands in the path of their control group.
    Group(String),
    /// The word behind this one on their command line.
    Argument(String, String),
}

impl Trace {
    /// What a search finds them by, and maybe others.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Group(text) | Self::Argument(_, text) => text,
        }
    }

    #[must_use]
    pub fn is_of(&self, process: &Process) -> bool {
        match self {
            Self::Group(_) => process.groups.iter().any(|path| self.group(path).is_some()),
            Self::Argument(name, value) => {
                let mut words = process.command.windows(2);
                words.any(|pair| pair[0] == *name && pair[1] == *value)
            }
        }
    }
}

impl Trace {
    /// The object's own control group, of the path of one below it or of itself.
    #[must_use]
    pub fn group<'a>(&self, path: &'a str) -> Option<&'a str> {
        let Self::Group(text) = self else {
            return None;
        };
        // A whole step of the path: `p.a.service` is not `xp.a.service`.
        let own = |step: &str| match step.strip_suffix(".scope") {
            Some(scope) => scope.ends_with(text.as_str()),
            None => step == text,
        };
        let mut end = 0;
        for step in path.split('/') {
            end += step.len();
            if own(step) {
                return Some(&path[..end]);
            }
            end += 1;
        }
        None
    }
}

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Since the host was started.
    pub uptime_ms: u64,
    /// Those that were looked for, by their ids.
    pub processes: BTreeMap<u32, Process>,
    /// Every other thread of the host's programs, by its id, where that was asked for. The kernel's own are none.
    pub others: BTreeMap<u32, Thread>,
    /// CPU → how long it has run anything since the host was started.
    pub busy_ns: BTreeMap<u32, u64>,
    /// Control groups of these processes and those above them, by their paths.
    pub groups: BTreeMap<String, Group>,
    /// Functions that were asked for, by PCI address; those that are there.
    pub functions: BTreeMap<String, Function>,
    /// Files of the kernel's settings that were asked for, by their whole paths, and what they say; those that are there.
    pub settings: BTreeMap<String, String>,
    /// IPv4 addresses, with the devices that have them.
    pub addresses: BTreeSet<(String, Ipv4Net)>,
}

/// A process with its threads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    pub command: Vec<String>,
    /// The path of its control group; with version 1 of each controller's, that of the cpuset first.
    pub groups: Vec<String>,
    /// When it was started, in the kernel's ticks since the host was.
    pub started: u64,
    pub threads: BTreeMap<u32, Thread>,
    /// Its memory that is in use; `None` where the kernel does not let it be read.
    pub memory: Option<Vec<Mapping>>,
    /// Memory that never leaves the host's (mlock).
    pub locked_bytes: Option<u64>,
    /// Resource limits by the names that `ulimits` have: `memlock`, …; `None` is no limit.
    pub limits: BTreeMap<String, (Option<u64>, Option<u64>)>,
    /// Files it has open below `/dev`.
    pub opened: BTreeSet<String>,
}

/// A control group: what it leaves to its processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Effective, not asked for.
    pub cpus: Option<IdSet>,
    /// Effective, not asked for.
    pub nodes: Option<IdSet>,
    pub memory_bytes: Option<Most>,
    pub pids: Option<Most>,
    /// What its processes have run so far, those that have ended among them.
    pub ran_ns: Option<u64>,
}

/// A limit of a control group that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Most {
    None,
    At(u64),
}

/// A thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// As it calls itself; the kernel keeps 15 bytes of it.
    pub name: String,
    /// Where it may run: what it asked for, within its control group.
    pub cpus: IdSet,
    /// Nodes its memory may come from.
    pub nodes: IdSet,
    /// As [`crate::target::Scheduling::policy`] calls it, and `other`, `deadline`.
    pub policy: String,
    /// Of real-time policies; 0 of the others.
    pub priority: u32,
    pub nice: i32,
    /// Where it ran last.
    pub last_cpu: u32,
    /// How long it has run.
    pub ran_ns: u64,
    /// How long it was ready and no CPU was free.
    pub waited_ns: Option<u64>,
}

/// A part of a process's memory that is in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Its policy in the kernel's words (`bind`, `prefer`, `interleave`), and the nodes that this is about; `None`: of no nodes.
    pub policy: Option<(String, IdSet)>,
    /// A file of a file system: others may have read it into memory before, wherever they ran.
    pub is_file: bool,
    pub page_bytes: u64,
    /// Huge pages that nobody can take from it (hugetlb).
    pub is_huge: bool,
    /// Node → pages.
    pub pages: BTreeMap<u32, u64>,
}

impl Mapping {
    /// Whether its policy is that one, about just these nodes.
    #[must_use]
    pub fn is_under(&self, policy: &str, nodes: &IdSet) -> bool {
        let own = self.policy.as_ref();
        own.is_some_and(|(own, about)| own == policy && about == nodes)
    }

    #[must_use]
    pub fn bytes(&self) -> u64 {
        let pages = self.pages.values().copied();
        let pages = pages.fold(0, u64::saturating_add);
        pages.saturating_mul(self.page_bytes)
    }
}

/// A PCI function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Function {
    pub driver: Option<String>,
    pub iommu_group: Option<u32>,
    pub node: Option<u32>,
}
