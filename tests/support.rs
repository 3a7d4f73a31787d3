//! The program on a folder of its own, for the tests that run it. Nothing of this machine reaches it: no
//! environment, no daemon, no terminal.

#![allow(dead_code, reason = "each test program uses its part of it")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use infra::cli::session::{Options, Session};
use infra::cli::ui::Ui;
use infra::select::Asked;
use infra_lang::{Argument, GivenValues, Mode};
use infra_plan::Plan;
use infra_state::{Clock, Holder, Paths, Store};

/// The key of every folder: with it the digests of secrets are the same everywhere.
const KEY: [u8; infra_state::Key::BYTES] = *b"a key of tests, no secret at all";

/// A configuration's folder, gone with the test.
pub(crate) struct Folder {
    _temporary: tempfile::TempDir,
    path: PathBuf,
}

/// How the program ended and what it said, without the path of the folder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) exit: i32,
}

impl Folder {
    /// Empty, under a name that does not change.
    pub(crate) fn new(name: &str) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().canonicalize().unwrap().join(name);
        fs::create_dir_all(&path).unwrap();
        Self {
            _temporary: temporary,
            path,
        }
    }

    /// A configuration of one file, with the recorded hosts.
    pub(crate) fn of(main: &str) -> Self {
        let folder = Self::new("demo");
        folder.write("main.infra.hcl", main);
        folder.add(&hosts(), "hosts");
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path.join(name)).unwrap()
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path.join(name).exists()
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.path.join(name)).unwrap();
    }

    /// Copies a folder over what is there.
    pub(crate) fn add(&self, from: &Path, to: &str) {
        for (name, bytes) in files(from) {
            self.write(&format!("{to}/{name}"), bytes);
        }
    }

    pub(crate) fn with_key(self) -> Self {
        self.write(".infra/key", KEY);
        self
    }

    /// The program, about to run here.
    pub(crate) fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_infra"));
        command.env_clear().env("HOME", &self.path);
        command.arg("-C").arg(&self.path).args(args);
        command
    }

    pub(crate) fn infra(&self, args: &[&str]) -> Ran {
        self.run(&mut self.command(args.iter().copied()), "")
    }

    pub(crate) fn run(&self, command: &mut Command, stdin: &str) -> Ran {
        let piped = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        // A program that ends without reading is no failure of the test's.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ran {
            stdout: self.said(output.stdout),
            stderr: self.said(output.stderr),
            exit: output.status.code().unwrap_or(-1),
        }
    }

    fn said(&self, bytes: Vec<u8>) -> String {
        let text = String::from_utf8(bytes).expect("the program prints UTF-8");
        text.replace(&*self.path.to_string_lossy(), "[FOLDER]")
    }

    /// The plan that is made here, as `apply` would have it.
    pub(crate) fn plan(&self) -> Result<Plan, String> {
        self.plan_of(Asked::default())
    }

    /// A plan of a part.
    pub(crate) fn plan_of(&self, asked: Asked) -> Result<Plan, String> {
        let options = Options {
            asked,
            directory: self.path.clone(),
            facts: Some(self.path.join("hosts")),
            given: self.given(),
            ..Options::default()
        };
        let (runtime, ui) = (tokio::runtime::Runtime::new().unwrap(), Ui::default());
        let planned = Session::open(options, Mode::Plan, ui)
            .and_then(|session| runtime.block_on(session.plan(ui)));
        planned.map(|p| p.plan).map_err(|stop| format!("{stop:?}"))
    }

    /// Values of the file `args`: `--var x=1`, `--var-file f`, `INFRA_VAR_x=1`, a line each.
    fn given(&self) -> GivenValues {
        let mut given = GivenValues::default();
        let args = fs::read_to_string(self.path.join("args")).unwrap_or_default();
        for line in args.lines() {
            match (line.split_once(' '), line.split_once('=')) {
                (Some(("--var", text)), _) => given.arguments.push(Argument::Var(text.to_owned())),
                (Some(("--var-file", path)), _) => {
                    given.arguments.push(Argument::File(path.to_owned()));
                }
                (_, Some((name, value))) => {
                    given.environment.push((name.to_owned(), value.to_owned()));
                }
                _ => {}
            }
        }
        given
    }

    /// Makes the state that applying a plan would leave: everything it says came to be.
    pub(crate) fn applied(&self, plan: &Plan) {
        let store = self.store();
        let lock = store.lock(tester(), None, &Noon).unwrap();
        let outcome = plan.result.clone();
        store
            .rebuild(&lock, &plan.project, "lineage", outcome)
            .unwrap();
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(Paths::in_directory(&self.path.join(".infra")))
    }
}

/// Recorded facts of three hosts: a server of two nodes, a small one, and one without libvirt.
pub(crate) fn hosts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts")
}

/// Every file under a folder, by its path in it, in the order of these.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            let below = files(&entry.path()).into_iter();
            found.extend(below.map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else {
            found.push((name, fs::read(entry.path()).unwrap()));
        }
    }
    found.sort();
    found
}

pub(crate) fn tester() -> Holder {
    Holder {
        user: "tester".to_owned(),
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
