//! Tests on real files: what is refused, what it says, and who may read what is written.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use infra_api::Address;
use infra_plan::Record;
use serde_json::json;
use tempfile::TempDir;

use super::read::REBUILD;
use super::*;
use crate::{Entry, Log};

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

fn id(name: &str) -> ResourceId {
    format!("r1/sim/container/{name}").parse().unwrap()
}

fn outcome(names: &[&str]) -> Outcome {
    let record = |name: &str| {
        let address = Address::new(format!("workload.{name}"));
        Record {
            address,
            body: json!({}).into(),
            after: vec![],
            prevent_destroy: false,
            imported: None,
            unready: false,
        }
    };
    Outcome {
        resources: names.iter().map(|name| (id(name), record(name))).collect(),
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

fn holder() -> Holder {
    Holder {
        user: "ann".to_owned(),
        host: "desk".to_owned(),
        pid: 1,
        command: "apply".to_owned(),
        started: String::new(),
        lease_until: 0,
    }
}

struct Place {
    _dir: TempDir,
    store: Store,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(Paths::in_directory(&dir.path().join(".infra")));
        Self { _dir: dir, store }
    }

    /// After applies with these outcomes.
    fn with(outcomes: &[&[&str]]) -> Self {
        let place = Self::new();
        outcomes.iter().for_each(|names| place.apply(names));
        place
    }

    fn lock(&self) -> Lock {
        self.store.lock(holder(), None, &Fixed).unwrap()
    }

    fn apply(&self, names: &[&str]) {
        let lock = self.lock();
        let loaded = self.load().unwrap();
        let journal = self.begin(&lock, &loaded, names);
        self.store
            .finish(&lock, &loaded, journal, outcome(names))
            .unwrap();
    }

    fn begin(&self, lock: &Lock, loaded: &Loaded, names: &[&str]) -> Journal {
        self.store
            .begin(
                lock,
                loaded,
                &plan(loaded.basis(), outcome(names)),
                "lineage",
            )
            .unwrap()
    }

    /// An apply that is killed after it started one step.
    fn killed(&self) {
        let lock = self.lock();
        let journal = self.begin(&lock, &self.load().unwrap(), &["x"]);
        let (resource, address) = (id("x"), Address::new("workload.x"));
        let action = infra_plan::StepAction::Create;
        journal
            .append(&[Entry::Started {
                step: 1,
                resource,
                address,
                action,
                from: None,
            }])
            .unwrap();
    }

    fn load(&self) -> Result<Loaded, Error> {
        self.store.load(&project())
    }

    fn error(&self) -> (Kind, String, String) {
        let error = self.load().unwrap_err();
        let hint = error.hint.clone().unwrap_or_default();
        (error.kind, error.to_string(), hint)
    }

    fn paths(&self) -> &Paths {
        self.store.paths()
    }
}

#[test]
fn nothing_yet_is_nothing_and_reading_leaves_no_trace() {
    let place = Place::new();
    assert_eq!(place.load().unwrap(), Loaded::default());
    assert!(!directory(&place.paths().state).exists());
}

#[test]
fn serials_count_changes_and_the_former_state_is_kept() {
    let place = Place::with(&[&["a"], &["a"], &["a", "b"]]);
    let state = place.load().unwrap().state.unwrap();
    assert_eq!((state.serial, state.lineage.as_str()), (2, "lineage"));
    assert_eq!(state.outcome, outcome(&["a", "b"]));
    let backup = format::read(&fs::read(&place.paths().backup).unwrap()).unwrap();
    assert_eq!((backup.serial, backup.outcome), (1, outcome(&["a"])));
    assert!(!place.paths().journal.exists());
}

#[test]
fn only_the_owner_may_read() {
    let place = Place::with(&[&["a"], &["b"]]);
    place.store.key().unwrap();
    place.killed();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let Paths {
        state,
        backup,
        journal,
        lock,
        key,
    } = place.paths();
    for path in [state, backup, journal, lock, key] {
        assert_eq!(mode(path), 0o600, "{}", path.display());
    }
    assert_eq!(mode(directory(state)), 0o700);
    let names = fs::read_dir(directory(state)).unwrap().count();
    assert_eq!(names, 5, "no other file is left");
}

#[test]
fn an_unreadable_state_is_an_error_that_says_how_to_go_on() {
    let place = Place::with(&[&["a"], &["b"]]);
    let good = fs::read_to_string(&place.paths().state).unwrap();
    for (bad, why) in [
        ("", "it is empty"),
        (" \n", "it is empty"),
        (&good[..good.len() / 2], "it is truncated"),
        (
            &good.replace("workload.b", "workload.c"),
            "does not have its checksum",
        ),
        ("hello", "it is no JSON"),
    ] {
        fs::write(&place.paths().state, bad).unwrap();
        let (kind, text, hint) = place.error();
        assert_eq!(kind, Kind::Broken, "{text}");
        assert!(
            text.contains("state.json: ") && text.contains(why),
            "{text}"
        );
        assert!(
            hint.contains("cp ") && hint.contains("infra state rebuild"),
            "{hint}"
        );
    }
    fs::write(&place.paths().backup, "").unwrap();
    assert_eq!(place.error().2, REBUILD, "a broken backup is not offered");
}

#[test]
fn a_missing_state_with_a_witness_is_an_error() {
    let place = Place::with(&[&["a"], &["b"]]);
    fs::remove_file(&place.paths().state).unwrap();
    let (kind, text, hint) = place.error();
    assert_eq!(kind, Kind::Broken);
    assert!(
        text.contains("is missing, though") && text.contains("state.json.backup"),
        "{text}"
    );
    assert!(hint.contains("cp "));

    let place = Place::with(&[&["a"]]);
    place.killed();
    fs::remove_file(&place.paths().state).unwrap();
    assert!(place.error().1.contains("journal shows that there was one"));
}

#[test]
fn the_backup_can_be_restored_also_after_a_crash() {
    let place = Place::with(&[&["a"], &["b"]]);
    place.killed();
    fs::write(&place.paths().state, "").unwrap();
    fs::copy(&place.paths().backup, &place.paths().state).unwrap();
    let loaded = place.load().unwrap();
    assert_eq!(loaded.state.unwrap().outcome, outcome(&["a"]));
    assert_eq!(loaded.in_doubt, [id("x")]);
}

#[test]
fn another_project_and_another_version_are_refused() {
    let place = Place::with(&[&["a"]]);
    let error = place.store.load(&Project::new("other")).unwrap_err();
    assert_eq!(error.kind, Kind::Foreign);
    assert!(error.cause.contains("project `demo`, not of `other`"));
    let newer = fs::read_to_string(&place.paths().state)
        .unwrap()
        .replace("\"1.1\"", "\"2.0\"");
    fs::write(&place.paths().state, newer).unwrap();
    let (kind, text, hint) = place.error();
    assert_eq!(kind, Kind::Foreign);
    assert!(text.contains("format version 2.0") && hint.contains("newer one"));
    let lock = place.lock();
    let rebuilt = place
        .store
        .rebuild(&lock, &project(), "new", outcome(&["a"]));
    assert_eq!(
        rebuilt.unwrap_err().kind,
        Kind::Foreign,
        "it is good, for a newer infra"
    );
}

#[test]
fn a_journal_of_something_else_is_refused() {
    let place = Place::with(&[&["a"]]);
    place.killed();
    let journal = fs::read(&place.paths().journal).unwrap();
    let error = place.store.load(&Project::new("other")).unwrap_err();
    assert_eq!(error.kind, Kind::Foreign);

    let later = Place::with(&[&["a"], &["b"], &["c"]]);
    fs::write(&later.paths().journal, &journal).unwrap();
    assert!(
        later
            .error()
            .1
            .contains("it began on serial 1, but the state is at 3")
    );

    let stranger = Place::new();
    let lock = stranger.lock();
    stranger
        .store
        .rebuild(&lock, &project(), "another", outcome(&["a"]))
        .unwrap();
    fs::write(&stranger.paths().journal, &journal).unwrap();
    assert!(stranger.error().1.contains("another lineage"));
}

#[test]
fn a_corrupt_journal_is_an_error_and_rebuilding_mends_it() {
    let place = Place::with(&[&["a"]]);
    place.killed();
    let text = fs::read_to_string(&place.paths().journal).unwrap();
    for bad in [text.replacen("lineage", "lineagf", 1), String::new()] {
        fs::write(&place.paths().journal, bad).unwrap();
        let (kind, _, hint) = place.error();
        assert_eq!((kind, hint.as_str()), (Kind::Broken, REBUILD));
    }
    fs::write(&place.paths().state, "").unwrap();
    let rebuilt = place
        .store
        .rebuild(&place.lock(), &project(), "new", outcome(&["a", "x"]))
        .unwrap();
    let loaded = place.load().unwrap();
    assert_eq!(
        loaded,
        Loaded {
            state: Some(rebuilt),
            ..Loaded::default()
        }
    );
}

#[test]
fn a_rebuilt_state_outnumbers_every_plan_and_spares_a_good_backup() {
    let place = Place::with(&[&["a"], &["b"], &["c"]]);
    fs::write(&place.paths().state, "").unwrap();
    let rebuilt = place
        .store
        .rebuild(&place.lock(), &project(), "new", outcome(&["c"]))
        .unwrap();
    assert_eq!((rebuilt.serial, rebuilt.lineage.as_str()), (5, "lineage"));
    let backup = format::read(&fs::read(&place.paths().backup).unwrap()).unwrap();
    assert_eq!(
        backup.outcome,
        outcome(&["b"]),
        "the broken one did not take its place"
    );
}

#[test]
fn the_key_is_made_once_and_never_again() {
    let place = Place::new();
    let key = place.store.key().unwrap();
    assert_eq!(place.store.key().unwrap(), key);
    assert_ne!(Place::new().store.key().unwrap(), key);
    place.store.make_key().unwrap();
    assert_eq!(
        place.store.key().unwrap(),
        key,
        "a second maker takes the first's"
    );
    fs::write(&place.paths().key, "short").unwrap();
    let error = place.store.key().unwrap_err();
    assert!(error.cause.contains("5 bytes instead of 32"), "{error}");
}

#[test]
fn a_state_elsewhere_has_the_rest_beside_it() {
    let paths = Paths::of_file(Path::new("/srv/demo.json"));
    assert_eq!(paths.journal, Path::new("/srv/demo.json.journal"));
    assert_eq!(paths.backup, Path::new("/srv/demo.json.backup"));
}

/// What a configuration says of former addresses is known before anything is planned, and written before the first
/// step: a plan made on it holds, and a crash in between changes nothing.
#[test]
fn what_is_known_besides_is_written_before_the_first_step() {
    let place = Place::with(&[&["a"]]);
    let mut loaded = place.load().unwrap();
    let moved = |mut outcome: Outcome| {
        for record in outcome.resources.values_mut() {
            record.address = Address::new("workload.b");
        }
        (outcome, ())
    };
    loaded.map(moved);
    assert_eq!(loaded.basis().serial, 2);
    assert_eq!(
        place.load().unwrap().basis().serial,
        1,
        "nothing is written yet"
    );
    let again = loaded.clone();
    loaded.map(moved);
    assert_eq!(loaded, again, "the same once more is no change");

    let lock = place.lock();
    let plan = plan(loaded.basis(), loaded.outcome().clone());
    let journal = place.store.begin(&lock, &loaded, &plan, "lineage").unwrap();
    drop((journal, lock));
    let after = place.load().unwrap();
    assert_eq!(after.outcome(), loaded.outcome());
    assert_eq!(after.basis(), loaded.basis());
}
