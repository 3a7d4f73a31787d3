//! A configuration's folder with the recorded facts of a host that has room for all of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use infra::cli::session::{Options, Session};
use infra::cli::ui::Ui;
use infra_lang::Mode;
use infra_state::{Clock, Holder, Paths, Store};
use serde_json::{Value, json};

/// Gone with its owner.
pub(crate) struct Folder {
    temporary: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn new(text: &str) -> Self {
        let temporary = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let folder = Self { temporary };
        folder.write("main.infra.hcl", text);
        folder.write("guest.raw", vec![0; 1 << 20]);
        fs::create_dir(folder.path().join("hosts")).expect("a folder");
        folder.write("hosts/r1.json", facts().to_string());
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.temporary.path()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path().join(name), content).expect("a file");
    }

    /// The program, about to plan here.
    pub(crate) fn plan(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_infra"));
        command.env_clear().env("HOME", self.path());
        command.arg("-C").arg(self.path());
        command.args(["plan", "--facts", "hosts"]);
        command
    }
}

/// A server of two nodes, with memory and disk for ten thousand workloads.
fn facts() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts/r1.json");
    let text = fs::read_to_string(path).expect("recorded facts");
    let mut facts: Value = serde_json::from_str(&text).expect("recorded facts");
    let node: u64 = 1 << 44;
    for size in ["memory_bytes", "memory_available_bytes"] {
        facts[size] = json!(2 * node);
    }
    for of in facts["nodes"].as_array_mut().into_iter().flatten() {
        of["memory_bytes"] = json!(node);
        of["free_bytes"] = json!(node);
    }
    facts
}

/// Leaves the state that applying its plan would: everything came to be.
pub(crate) fn applied(path: &Path) {
    let options = Options {
        directory: PathBuf::from(path),
        facts: Some(path.join("hosts")),
        ..Options::default()
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let session = Session::open(options, Mode::Plan, Ui::default());
    let planned = session.and_then(|session| runtime.block_on(session.plan(Ui::default())));
    let planned = planned.unwrap_or_else(|stop| panic!("{stop:?}"));
    let store = Store::open(Paths::in_directory(&path.join(".infra")));
    let lock = store.lock(somebody(), None, &Noon).expect("the lock");
    let (project, outcome) = (&planned.plan.project, planned.plan.result.clone());
    store
        .rebuild(&lock, project, "lineage", outcome)
        .expect("the state");
}

pub(crate) fn somebody() -> Holder {
    Holder {
        user: "bench".to_owned(),
        host: "here".to_owned(),
        pid: 1,
        command: "apply".to_owned(),
        started: "2026-01-01T12:00:00Z".to_owned(),
        lease_until: 0,
    }
}

/// Time does not pass.
pub(crate) struct Noon;

impl Clock for Noon {
    fn now(&self) -> u64 {
        0
    }

    fn sleep(&self, _: Duration) {}
}
