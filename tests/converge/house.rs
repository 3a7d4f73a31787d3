//! A house to break into: one simulated host, a state directory, and the way from what is wanted through
//! planning to an apply, as the CLI goes it.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::FutureExt;
use infra_api::{
    Daemon, Failure, HostName, MigrationOptions, Observed, Pending, Provider, Resource, ResourceId,
};
use infra_apply::{Job, Report, Settings, Sink, Stop, World, run};
use infra_plan::{
    Claims, Desired, Inputs, Outcome, Output, Plan, Rolling, Timeouts, When, assemble,
};
use infra_sim::{Sim, SimDaemon};
use infra_state::{
    Clock, Entry, Error, Holder, Journal, Key, Kind, Loaded, Lock, Log, Paths, Store, Vault, mask,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::nouns::{Deaf, host, id, placement, project, second_host};

/// The secret that must be seen nowhere but in the world.
pub(crate) const PASSWORD: &str = "hunter2-and-more";

pub(crate) struct House {
    dir: TempDir,
    pub(crate) sim: Sim,
    pub(crate) store: Store,
    pub(crate) key: Key,
    pub(crate) vault: Vault,
    pub(crate) settings: Settings,
    pub(crate) timeouts: Timeouts,
    /// Ways that have ended are opened anew.
    pub(crate) reopens: bool,
}

#[derive(Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) resources: Vec<Resource>,
    pub(crate) depends_on: Vec<(ResourceId, ResourceId)>,
    pub(crate) rolling: Vec<Rolling>,
    pub(crate) stopped_when: BTreeMap<ResourceId, When>,
    pub(crate) until_ready: BTreeSet<ResourceId>,
    /// What runs on another host moves while it runs.
    pub(crate) migrate: bool,
    /// Taken over where they carry no mark.
    pub(crate) imports: BTreeSet<ResourceId>,
}

/// Where the process dies, counted in entries of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    BeforeEntry(u32),
    AfterEntry(u32),
    /// Not the process dies but the disk is full, from this entry on.
    FullDisk(u32),
}

/// How an apply ended.
pub(crate) enum End {
    Report(Box<Report>),
    Refused(Failure),
    Killed,
}

impl End {
    pub(crate) fn report(self) -> Report {
        match self {
            Self::Report(report) => *report,
            Self::Refused(failure) => panic!("refused: {failure}"),
            Self::Killed => panic!("killed"),
        }
    }
}

/// What an apply is exposed to beside the faults of the world.
pub(crate) struct Weather<'a> {
    pub(crate) death: Option<Death>,
    pub(crate) sink: &'a dyn Sink,
    pub(crate) stop: watch::Receiver<Stop>,
    pub(crate) checked: bool,
}

impl Default for Weather<'_> {
    fn default() -> Self {
        let (_, stop) = watch::channel(Stop::No);
        Self {
            death: None,
            sink: &Deaf,
            stop,
            checked: false,
        }
    }
}

pub(crate) struct Noon;

impl Clock for Noon {
    fn now(&self) -> u64 {
        1000
    }

    fn sleep(&self, _: Duration) {}
}

/// With the world in which a way that has ended is opened anew, where that may be.
struct Hosts {
    daemons: BTreeMap<HostName, SimDaemon>,
    reopens: Option<Sim>,
}

impl Hosts {
    fn new(sim: &Sim, reopens: bool) -> Self {
        let both = [host(), second_host()];
        Self {
            daemons: both.map(|host| (host.clone(), sim.daemon(&host))).into(),
            reopens: reopens.then(|| sim.clone()),
        }
    }
}

impl World for Hosts {
    fn daemon(&self, host: &HostName, provider: &str) -> Option<&dyn Daemon> {
        let daemon = self.daemons.get(host).filter(|_| provider == "sim")?;
        Some(daemon)
    }

    fn reopen<'a>(&'a self, host: &'a HostName) -> Pending<'a, Result<(), Failure>> {
        if let Some(sim) = &self.reopens {
            sim.world().unreachable.remove(host);
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The journal, and the death of the process at one of its entries.
struct Deadly {
    journal: Journal,
    death: Option<Death>,
    entries: Mutex<u32>,
}

struct Killed;

impl Log for Deadly {
    fn append(&self, entries: &[Entry]) -> Result<(), Error> {
        // Cut off anywhere in it, the first of them are there.
        entries.iter().try_for_each(|entry| self.write(entry))
    }
}

impl Deadly {
    fn write(&self, entry: &Entry) -> Result<(), Error> {
        let number = {
            let mut entries = self.entries.lock().unwrap();
            *entries += 1;
            *entries
        };
        if matches!(self.death, Some(Death::FullDisk(full)) if full <= number) {
            return Err(no_space());
        }
        self.die_at(Death::BeforeEntry(number));
        self.journal.append(std::slice::from_ref(entry))?;
        self.die_at(Death::AfterEntry(number));
        Ok(())
    }
}

fn no_space() -> Error {
    Error {
        kind: Kind::Io,
        doing: "writing the journal".to_owned(),
        cause: "no space left".to_owned(),
        hint: None,
    }
}

impl Deadly {
    fn die_at(&self, death: Death) {
        if self.death == Some(death) {
            std::panic::resume_unwind(Box::new(Killed));
        }
    }
}

impl House {
    pub(crate) fn new() -> Self {
        // In memory where there is such a place: the sweep syncs many thousand times.
        let dir = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap();
        let store = Store::open(Paths::in_directory(dir.path()));
        let key = store.key().unwrap();
        let mut vault = Vault::new();
        vault.insert(&key, PASSWORD);
        let house = Self {
            dir,
            sim: Sim::default(),
            store,
            key,
            vault,
            settings: Settings::default(),
            timeouts: Timeouts::default(),
            reopens: false,
        };
        house.sim.world().put(
            id("container", "stranger"),
            None,
            json!({"image": "theirs"}),
        );
        house.watch_the_journal();
        house
    }

    /// At each effect the journal must say already that the step was started, and not that it ended.
    fn watch_the_journal(&self) {
        let path = self.store.paths().journal.clone();
        self.sim.world().witness = Some(Box::new(move |change| {
            let text = std::fs::read_to_string(&path).unwrap();
            let of_it = |line: &&str| {
                let is = |key: &str| line.contains(&format!("\"{key}\":\"{}\"", change.id));
                is("resource") || is("from")
            };
            let last = text.lines().rfind(of_it).unwrap_or_default();
            assert!(
                last.contains("\"record\":\"started\""),
                "no word of {} in the journal: {last}",
                change.id
            );
        }));
    }

    pub(crate) fn secret(&self) -> Value {
        json!({"$secret": self.key.digest(PASSWORD)})
    }

    pub(crate) fn lock(&self) -> Result<Lock, Error> {
        let holder = Holder {
            user: "ann".to_owned(),
            host: "desk".to_owned(),
            pid: 1,
            command: "apply".to_owned(),
            started: "noon".to_owned(),
            lease_until: 0,
        };
        self.store.lock(holder, None, &Noon)
    }

    pub(crate) fn load(&self) -> Loaded {
        self.store.load(&project()).unwrap()
    }

    pub(crate) async fn plan(&self, wanted: &Wanted) -> Plan {
        let loaded = self.load();
        let state = loaded
            .state
            .as_ref()
            .map(|state| state.outcome.clone())
            .unwrap_or_default();
        let mut observed = self.observe(wanted, &loaded, &state).await;
        let imported = taken(wanted, &state, &mut observed);
        let workloads = wanted
            .resources
            .iter()
            .map(|resource| (resource.address.clone(), placement()));
        let outputs = [("count".to_owned(), count(wanted.resources.len()))].into();
        let result = Outcome {
            workloads: workloads.collect(),
            outputs,
            ..Outcome::default()
        };
        let desire = |resource: &Resource| Desired {
            resource: resource.clone(),
            prevent_destroy: false,
            create_before_destroy: false,
            timeouts: self.timeouts,
            until_ready: wanted.until_ready.contains(&resource.id),
            stopped_when: wanted.stopped_when.get(&resource.id).cloned(),
            ignore_changes: vec![],
            migration: wanted.migrate.then(MigrationOptions::default),
        };
        assemble(Inputs {
            project: &project(),
            basis: loaded.basis(),
            state: &state,
            desired: wanted.resources.iter().map(desire).collect(),
            observed: &observed,
            depends_on: &wanted.depends_on,
            rolling: &wanted.rolling,
            impact: &|id, edit| self.sim.impact_of(&id.kind, edit),
            claims: &|_, _, _, _| Claims::default(),
            swaps: &|id| self.sim.swaps(&id.kind),
            prepared: &|id, before, after| self.sim.prepared(&id.kind, before, after),
            migrates: &|(_, before), (id, after)| {
                let why = self.sim.stays_because(&id.kind, before, after);
                why.is_empty().then(|| "sim://".to_owned()).ok_or(why)
            },
            replace: &BTreeSet::new(),
            result,
            secrets: vec![self.key.digest(PASSWORD)],
            destroy: false,
            left: &BTreeSet::new(),
            imported: &imported,
            in_doubt: &loaded.in_doubt.iter().cloned().collect(),
        })
        .unwrap()
    }

    async fn observe(
        &self,
        wanted: &Wanted,
        loaded: &Loaded,
        state: &Outcome,
    ) -> BTreeMap<ResourceId, Observed> {
        let hosts = Hosts::new(&self.sim, false);
        let desired = wanted.resources.iter().map(|resource| resource.id.clone());
        let mut ids: BTreeSet<ResourceId> =
            desired.chain(state.resources.keys().cloned()).collect();
        ids.extend(loaded.in_doubt.iter().cloned());
        for daemon in hosts.daemons.values() {
            let listed = daemon.list(&project()).await.unwrap();
            ids.extend(listed.into_iter().map(|(id, _)| id));
        }
        let mut observed = BTreeMap::new();
        for id in ids {
            let found = match hosts.daemons[&id.host].read(&project(), &id).await.unwrap() {
                Observed::Present { address, body } => {
                    let wanted = wanted
                        .resources
                        .iter()
                        .filter(|resource| resource.id == id)
                        .map(|r| &*r.body);
                    let like: Vec<&Value> = wanted
                        .chain(state.resources.get(&id).map(|r| &*r.body))
                        .collect();
                    Observed::Present {
                        address,
                        body: mask(&body, &like, &self.key).into(),
                    }
                }
                other => other,
            };
            observed.insert(id, found);
        }
        observed
    }

    /// Plans and applies.
    pub(crate) async fn converge(&self, wanted: &Wanted) -> Report {
        let plan = self.plan(wanted).await;
        self.apply(&plan, Weather::default()).await.report()
    }

    pub(crate) async fn apply(&self, plan: &Plan, weather: Weather<'_>) -> End {
        let lock = self.lock().unwrap();
        let loaded = self.load();
        let journal = self.store.begin(&lock, &loaded, plan, "lineage").unwrap();
        let log = Deadly {
            journal,
            death: weather.death,
            entries: Mutex::new(0),
        };
        let prior = loaded
            .state
            .as_ref()
            .map(|state| state.outcome.clone())
            .unwrap_or_default();
        let job = Job {
            plan,
            prior: &prior,
            world: &Hosts::new(&self.sim, self.reopens),
            log: &log,
            key: &self.key,
            vault: &self.vault,
            sink: weather.sink,
            settings: &self.settings,
            earlier: &log.journal.begin().unfinished,
            in_doubt: &log.journal.begin().in_doubt,
            checked: weather.checked,
        };
        let end = tokio::select! {
            end = AssertUnwindSafe(run(job, weather.stop)).catch_unwind() => end,
            () = self.sim.crashed() => return End::Killed,
        };
        let report = match end {
            Ok(Ok(report)) => report,
            Ok(Err(failure)) => return End::Refused(failure),
            Err(panic) if panic.is::<Killed>() => return End::Killed,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        self.store
            .finish(&lock, &loaded, log.journal, report.outcome.clone())
            .unwrap();
        End::Report(Box::new(report))
    }

    /// The world is as wanted, the state says so, strangers are as they were, and nothing is left to plan.
    pub(crate) async fn assert_is(&self, wanted: &Wanted, context: &str) {
        let objects = self.sim.world().objects.clone();
        let ours: BTreeMap<&ResourceId, Value> = objects
            .iter()
            .filter(|(_, object)| object.mark.is_some())
            .map(|(id, object)| {
                assert!(object.whole, "{context}: {id} is half made");
                (
                    id,
                    mask(&object.body, &[&json!([self.secret()])], &self.key),
                )
            })
            .collect();
        let expected: BTreeMap<&ResourceId, Value> = wanted
            .resources
            .iter()
            .map(|resource| (&resource.id, resource.body.clone().into_value()))
            .collect();
        assert_eq!(ours, expected, "{context}");
        assert_eq!(
            objects[&id("container", "stranger")].body,
            json!({"image": "theirs"}),
            "{context}"
        );
        let plan = self.plan(wanted).await;
        assert!(plan.is_empty(), "{context}: {:#?}", plan.steps);
        let loaded = self.load();
        let state = loaded.state.map(|state| state.outcome).unwrap_or_default();
        assert_eq!(state, plan.result, "{context}");
        assert_eq!(
            (loaded.in_doubt, loaded.recovered),
            (vec![], false),
            "{context}"
        );
        self.assert_secret(context);
    }

    /// The secret's value is in no file.
    pub(crate) fn assert_secret(&self, context: &str) {
        for entry in std::fs::read_dir(self.dir.path()).unwrap() {
            let text = std::fs::read(entry.unwrap().path()).unwrap();
            let leaked = String::from_utf8_lossy(&text).contains(PASSWORD);
            assert!(!leaked, "{context}: the secret was written down");
        }
    }
}

fn count(things: usize) -> Output {
    Output {
        value: Some(json!(things)),
        digest: None,
    }
}

/// What is ours without a mark, by what its daemon knows it by: recorded so, or asked for now.
fn taken(
    wanted: &Wanted,
    state: &Outcome,
    observed: &mut BTreeMap<ResourceId, Observed>,
) -> BTreeMap<ResourceId, String> {
    let mut imported = BTreeMap::new();
    for (id, found) in observed {
        let record = state.resources.get(id);
        let recorded = record.and_then(|record| record.imported.clone());
        let there = match found {
            Observed::Foreign {
                unmarked: Some(found),
                ..
            } if wanted.imports.contains(id) && record.is_none() => Some(found.identity.clone()),
            _ => None,
        };
        if let Some(identity) = recorded.or(there) {
            let address = crate::nouns::address(&id.name);
            *found = std::mem::replace(found, Observed::Absent).imported(&identity, &address);
            imported.insert(id.clone(), identity);
        }
    }
    imported
}
