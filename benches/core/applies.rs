//! What apply costs by itself: its journal, its checks, its state, on a daemon that is a map in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use infra_api::{Address, Daemon, HostName, Observed, Project, Resource, ResourceId};
use infra_apply::{Event, Job, Settings, Sink, World, run};
use infra_plan::{Claims, Desired, Inputs, Outcome, Plan, Timeouts, assemble};
use infra_sim::{Sim, SimDaemon};
use infra_state::{Paths, Store, Vault};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use tokio::sync::watch;

use super::folder::{Noon, somebody};

/// What an apply took.
pub(crate) struct Applied {
    pub(crate) cpu: Duration,
    /// Handed to the kernel by `write`: the journal and the state.
    pub(crate) written: u64,
    /// The state in the end.
    pub(crate) state: u64,
}

struct Host(SimDaemon);

impl World for Host {
    fn daemon(&self, _: &HostName, _: &str) -> Option<&dyn Daemon> {
        Some(&self.0)
    }
}

struct Deaf;

impl Sink for Deaf {
    fn event(&self, _: &Event) {}
}

/// Makes so many objects, the state in this directory.
pub(crate) fn apply(steps: usize, directory: &Path) -> Applied {
    let store = Store::open(Paths::in_directory(directory));
    let lock = store.lock(somebody(), None, &Noon).expect("the lock");
    let loaded = store.load(&project()).expect("no state");
    let plan = plan(steps, loaded.basis());
    let world = Host(Sim::default().daemon(&HostName::new("r1")));
    let key = store.key().expect("a key");
    let (_stop, stop) = watch::channel(infra_apply::Stop::No);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let before = (cpu(), written());
    let journal = store
        .begin(&lock, &loaded, &plan, "lineage")
        .expect("a journal");
    let job = Job {
        plan: &plan,
        prior: &Outcome::default(),
        world: &world,
        log: &journal,
        key: &key,
        vault: &Vault::new(),
        sink: &Deaf,
        settings: &Settings::default(),
        earlier: &journal.begin().unfinished,
        in_doubt: &[],
        checked: false,
    };
    let report = runtime.block_on(run(job, stop)).expect("an apply");
    assert!(report.is_complete());
    store
        .finish(&lock, &loaded, journal, report.outcome)
        .expect("a state");
    let state = fs::metadata(&store.paths().state).expect("a state").len();
    Applied {
        cpu: cpu() - before.0,
        written: written() - before.1,
        state,
    }
}

fn project() -> Project {
    Project::new("demo")
}

fn plan(steps: usize, basis: infra_plan::Basis) -> Plan {
    let impact = |_: &ResourceId, _: &infra_api::Edit<'_>| infra_api::Impact::Replace;
    assemble(Inputs {
        project: &project(),
        basis,
        state: &Outcome::default(),
        desired: (0..steps).map(desired).collect(),
        observed: &BTreeMap::<ResourceId, Observed>::new(),
        depends_on: &[],
        rolling: &[],
        left: &BTreeSet::new(),
        in_doubt: &BTreeSet::new(),
        imported: &BTreeMap::new(),
        swaps: &|_| false,
        prepared: &|_, _, _| None,
        migrates: &|_, _| Err(Vec::new()),
        impact: &impact,
        claims: &|_, _, _, _| Claims::default(),
        replace: &BTreeSet::new(),
        result: Outcome::default(),
        secrets: Vec::new(),
        destroy: false,
    })
    .expect("a plan")
}

fn desired(n: usize) -> Desired {
    let name = format!("w{n}");
    let body = json!({
        "name": name, "image": "registry.example/web:1", "command": ["--port", "80"],
        "env": {"A": n.to_string(), "B": "two words"}, "labels": {"team": "web"},
        "cpus": "0-7", "memory_bytes": 67_108_864, "state": "running",
    });
    Desired {
        resource: Resource {
            id: ResourceId::new(&HostName::new("r1"), "sim", "container", &name),
            address: Address::new(format!("workload.{name}")),
            body: body.into(),
            source: None,
            after: Vec::new(),
        },
        prevent_destroy: false,
        create_before_destroy: false,
        ignore_changes: Vec::new(),
        timeouts: Timeouts::default(),
        until_ready: false,
        stopped_when: None,
        migration: None,
    }
}

/// Of this process so far.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default())
}

/// Bytes this process has written so far.
fn written() -> u64 {
    let io = fs::read_to_string("/proc/self/io").expect("a kernel that counts");
    let line = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    line.and_then(|n| n.parse().ok()).expect("a number")
}
