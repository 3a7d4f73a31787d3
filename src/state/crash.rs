//! Tests: the world ends between any two system calls, and nothing is lost.
//!
//! [`Platter`] is a file system as a crash may leave it at worst: a file's bytes count only once it was
//! synced, a name only once its directory was. At best everything counts. What is really left lies between;
//! each test tries both.

mod platter;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use infra_api::{Address, CpuPolicy, HostName, Placement, Project, ResourceId, Runtime};
use infra_plan::{Basis, Outcome, Output, Plan, Record, StepAction};
use serde_json::json;

use crate::{Clock, Disk, Entry, Error, Holder, Kind, Loaded, Lock, Log, Paths, Store};
use platter::Platter;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> u64 {
        1000
    }

    fn sleep(&self, _: Duration) {}
}

fn project() -> Project {
    Project::new("demo")
}

fn paths() -> Paths {
    Paths::in_directory(Path::new("/p/.infra"))
}

/// The lock is on a real file; these tests are about the others.
fn lock() -> (tempfile::TempDir, Lock) {
    let dir = tempfile::tempdir().unwrap();
    let holder = Holder {
        user: "ann".to_owned(),
        host: "desk".to_owned(),
        pid: 1,
        command: "apply".to_owned(),
        started: String::new(),
        lease_until: 0,
    };
    let lock = Store::open(Paths::in_directory(dir.path()))
        .lock(holder, None, &Fixed)
        .unwrap();
    (dir, lock)
}

fn id(name: &str) -> ResourceId {
    ResourceId::new(&HostName::new("r1"), "sim", "container", name)
}

fn address(name: &str) -> Address {
    Address::new(format!("workload.{name}"))
}

fn record(name: &str, body: u32) -> Record {
    Record {
        address: address(name),
        body: json!({ "x": body }).into(),
        after: vec![],
        prevent_destroy: false,
        imported: None,
        unready: false,
    }
}

fn placement() -> Placement {
    Placement {
        runtime: Runtime::Container,
        with: infra_api::Settings::NONE,
        needs: infra_api::Needs::default(),
        host: HostName::new("r1"),
        policy: CpuPolicy::Shared,
        cells: vec![],
        helpers: Default::default(),
        devices: vec![],
        addresses: Default::default(),
        tiers: vec![],
    }
}

fn outcome(objects: &[(&str, u32)]) -> Outcome {
    Outcome {
        resources: objects
            .iter()
            .map(|(name, body)| (id(name), record(name, *body)))
            .collect(),
        workloads: objects
            .iter()
            .map(|(name, _)| (address(name), placement()))
            .collect(),
        outputs: [(
            "count".to_owned(),
            Output {
                value: Some(json!(objects.len())),
                digest: None,
            },
        )]
        .into(),
        ..Outcome::default()
    }
}

fn plan(basis: Basis, result: Outcome) -> Plan {
    Plan {
        format_version: "1.0".to_owned(),
        project: project(),
        basis,
        result,
        steps: vec![],
        secrets: vec![],
        daemons: std::collections::BTreeMap::new(),
        left_out: std::collections::BTreeSet::new(),
        unreachable: std::collections::BTreeMap::new(),
        moved: std::collections::BTreeMap::new(),
        let_go: std::collections::BTreeSet::new(),
        imports: std::collections::BTreeSet::new(),
    }
}

fn started(step: u32, name: &str) -> Entry {
    Entry::Started {
        step,
        resource: id(name),
        address: address(name),
        action: StepAction::Create,
        from: None,
    }
}

fn done(step: u32, name: &str, body: Option<u32>) -> Entry {
    let kept = body.map(|body| record(name, body));
    Entry::Done {
        step,
        resource: id(name),
        address: address(name),
        kept,
        from: None,
    }
}

/// One apply. What is known to be durable is noted in `witness` as soon as it is.
#[derive(Default)]
struct Witness {
    started: Vec<&'static str>,
    done: Vec<(&'static str, Option<u32>)>,
    finished: Option<Outcome>,
}

fn apply(
    store: &Store,
    lock: &Lock,
    steps: &[(&'static str, Option<u32>)],
    result: &Outcome,
    witness: &mut Witness,
) -> Result<(), Error> {
    let loaded = store.load(&project())?;
    let journal = store.begin(
        lock,
        &loaded,
        &plan(loaded.basis(), result.clone()),
        "lineage",
    )?;
    for (number, (name, body)) in (1..).zip(steps) {
        journal.append(&[started(number, name)])?;
        witness.started.push(name);
        journal.append(&[done(number, name, *body)])?;
        witness.done.push((name, *body));
    }
    journal.append(&[Entry::End { complete: true }])?;
    store.finish(lock, &loaded, journal, result.clone())?;
    witness.finished = Some(result.clone());
    Ok(())
}

/// What two applies, the first of them on nothing, may have left; each is cut off at the `operation`-th
/// system call of the second.
fn two_applies(disk: &Arc<Platter>, lock: &Lock, operation: usize) -> (bool, Witness) {
    let store = Store::on(paths(), disk.clone());
    let first = outcome(&[("a", 1), ("b", 1)]);
    apply(
        &store,
        lock,
        &[("a", Some(1)), ("b", Some(1))],
        &first,
        &mut Witness::default(),
    )
    .unwrap();
    disk.crash_after(operation);
    let mut witness = Witness::default();
    let second = outcome(&[("a", 2), ("c", 1)]);
    let steps = [("b", None), ("a", Some(2)), ("c", Some(1))];
    let ended = apply(&store, lock, &steps, &second, &mut witness).is_ok();
    (ended, witness)
}

/// Everything the witness saw is in what is loaded, and what was merely started is there or in doubt. Where it was the
/// machine that ended, and not the program alone, the last end of a step may be in doubt too.
fn nothing_is_lost(loaded: &Loaded, witness: &Witness, machine: bool, at: usize) {
    let state = loaded
        .state
        .as_ref()
        .unwrap_or_else(|| panic!("{at}: no state"));
    let lost = |name: &str| {
        let last = witness.started.last().is_some_and(|last| *last == name);
        machine && last && witness.finished.is_none() && loaded.in_doubt.contains(&id(name))
    };
    for (name, body) in witness.done.iter().filter(|(name, _)| !lost(name)) {
        let kept = state
            .outcome
            .resources
            .get(&id(name))
            .map(|record| &record.body["x"]);
        assert_eq!(kept, body.map(|body| json!(body)).as_ref(), "{at}: {name}");
    }
    for name in witness
        .started
        .iter()
        .filter(|name| !witness.done.iter().any(|(done, _)| done == *name))
    {
        let known = state
            .outcome
            .resources
            .get(&id(name))
            .is_some_and(|record| record.body["x"] != json!(1) || *name == "c");
        let gone = *name == "b" && !state.outcome.resources.contains_key(&id(name));
        assert!(
            known || gone || loaded.in_doubt.contains(&id(name)),
            "{at}: {name} is forgotten"
        );
    }
    if let Some(outcome) = &witness.finished {
        assert_eq!(&state.outcome, outcome, "{at}");
    }
}

#[test]
fn a_crash_between_any_two_system_calls_loses_nothing() {
    let (_dir, lock) = lock();
    for everything in [false, true] {
        let mut operation = 0;
        loop {
            let disk = Arc::new(Platter::default());
            let (ended, witness) = two_applies(&disk, &lock, operation);
            let after = Arc::new(disk.after_crash(everything));
            let store = Store::on(paths(), after.clone());
            let loaded = store
                .load(&project())
                .unwrap_or_else(|e| panic!("{operation}: {e}"));
            nothing_is_lost(&loaded, &witness, !everything, operation);
            go_on(&after, &lock, &loaded, operation);
            if ended {
                break;
            }
            operation += 1;
        }
        assert!(operation > 16, "it was cut off often: {operation}");
    }
}

/// The next apply, cut off anywhere too, finds its way from there.
fn go_on(disk: &Platter, lock: &Lock, loaded: &Loaded, at: usize) {
    let wanted = outcome(&[("z", 9)]);
    let mut operation = 0;
    loop {
        let disk = Arc::new(disk.after_crash(true));
        let store = Store::on(paths(), disk.clone());
        disk.crash_after(operation);
        let mut witness = Witness::default();
        let ended = apply(&store, lock, &[("z", Some(9))], &wanted, &mut witness).is_ok();
        let again = Store::on(paths(), Arc::new(disk.after_crash(false))).load(&project());
        let again = again.unwrap_or_else(|e| panic!("{at}, {operation}: {e}"));
        let state = again.state.as_ref().unwrap();
        let known = state.outcome.resources.contains_key(&id("z"))
            || witness.finished.is_none() && again.in_doubt.contains(&id("z"));
        assert!(known || witness.started.is_empty(), "{at}, {operation}");
        if !ended {
            let doubts = |id| again.in_doubt.contains(id);
            let resolved = witness.finished.is_some() || state.outcome == wanted;
            assert!(
                resolved || loaded.in_doubt.iter().all(doubts),
                "{at}, {operation}: a doubt was forgotten"
            );
        } else {
            assert_eq!(state.outcome, wanted);
            // The journal's removal is not waited for: it may be there again, and what it held in doubt is then read
            // once more.
            let before = |doubt: &ResourceId| loaded.in_doubt.contains(doubt) || *doubt == id("z");
            assert!(again.in_doubt.iter().all(before));
            assert!(store.load(&project()).unwrap().in_doubt.is_empty());
            return;
        }
        operation += 1;
    }
}

#[test]
fn a_journal_that_cannot_be_written_takes_no_more() {
    let (_dir, lock) = lock();
    let disk = Arc::new(Platter::default());
    let store = Store::on(paths(), disk.clone());
    let loaded = store.load(&project()).unwrap();
    let journal = store
        .begin(
            &lock,
            &loaded,
            &plan(Basis::default(), outcome(&[])),
            "lineage",
        )
        .unwrap();
    journal.append(&[started(1, "a")]).unwrap();
    disk.tear_next_append();
    assert!(journal.append(&[done(1, "a", Some(1))]).is_err());
    assert!(
        journal
            .append(&[started(2, "b")])
            .unwrap_err()
            .cause
            .contains("earlier write")
    );
    assert!(!journal.is_settled());
    let again = store.load(&project()).unwrap();
    assert_eq!(again.in_doubt, [id("a")]);
    store
        .finish(&lock, &loaded, journal, outcome(&[("a", 1)]))
        .unwrap();
    assert_eq!(
        store.load(&project()).unwrap().in_doubt,
        [id("a")],
        "the journal stays while there is doubt"
    );
}

#[test]
fn what_starts_at_once_is_written_at_once_and_before_that_nothing() {
    let (_dir, lock) = lock();
    let disk = Arc::new(Platter::default());
    let store = Store::on(paths(), disk.clone());
    let begin = || {
        let loaded = store.load(&project()).unwrap();
        let plan = plan(loaded.basis(), outcome(&[]));
        (
            store.begin(&lock, &loaded, &plan, "lineage").unwrap(),
            loaded,
        )
    };
    let (journal, loaded) = begin();
    journal.append(&[Entry::End { complete: false }]).unwrap();
    assert_eq!(disk.read(&paths().journal).unwrap(), None);
    store
        .finish(&lock, &loaded, journal, Outcome::default())
        .unwrap();
    let (journal, _) = begin();
    disk.crash_after(4);
    journal.append(&[started(1, "a"), started(2, "b")]).unwrap();
    let after = Store::on(paths(), Arc::new(disk.after_crash(false)));
    assert_eq!(after.load(&project()).unwrap().in_doubt, [id("a"), id("b")]);
}

#[test]
fn two_states_before_are_not_confused() {
    let (_dir, lock) = lock();
    let disk = Arc::new(Platter::default());
    let store = Store::on(paths(), disk.clone());
    apply(
        &store,
        &lock,
        &[("a", Some(1))],
        &outcome(&[("a", 1)]),
        &mut Witness::default(),
    )
    .unwrap();
    let stale = plan(Basis::default(), outcome(&[]));
    let loaded = store.load(&project()).unwrap();
    let error = store.begin(&lock, &loaded, &stale, "other").err().unwrap();
    assert_eq!(
        (error.kind, error.hint.as_deref()),
        (Kind::Stale, Some("plan again"))
    );
    assert_eq!(
        store.load(&project()).unwrap(),
        loaded,
        "nothing was written"
    );
}
