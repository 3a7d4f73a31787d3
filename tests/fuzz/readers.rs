//! What each reader is given, how far its result is followed, and whether it took it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use infra::cli::session::{Options, Session};
use infra::cli::show::{self, PlanView};
use infra::cli::ui::Ui;
use infra::configuration::{Configuration, Source};
use infra_api::{Project, names};
use infra_diag::{Style, render};
use infra_lang::{Files, GivenValues, Memory, Mode};
use infra_plan::Outcome;
use infra_state::{Loaded, Paths, Store};
use serde_json::Value;

use super::driver::Reader;

fn text(input: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(input)
}

/// From the text to everything declared; what is wrong with it is said.
pub(crate) fn language() -> Reader {
    Box::new(|input| {
        let told = |mode| {
            let found = evaluated(input, mode);
            render(&found.diagnostics, &found.sources, Style::Plain)
        };
        told(Mode::Validate);
        told(Mode::Plan).is_empty()
    })
}

fn evaluated(main: &[u8], mode: Mode) -> Configuration {
    let files = [("main.infra.hcl".to_owned(), main.to_vec())];
    let files: Arc<dyn Files> = Arc::new(Memory(files.into()));
    let nowhere = BTreeMap::new();
    let mut secret = |text: &str| text.to_owned();
    Source::read(&files, "demo").evaluate(&GivenValues::default(), mode, &nowhere, &mut secret)
}

/// Expressions of names that are there.
pub(crate) fn console() -> Reader {
    const NAMES: &str = "locals {\n  a = [1, \"b\", null, { c = true }]\n  m = { x = 1, y = \"2\" }\n}\nnetwork \"n\" { subnet = \"10.0.0.0/24\" }\nworkload \"w\" {\n  count = 2\n  interface \"n\" { network = network.n }\n  container { image = \"i\" }\n}\n";
    let names = RefCell::new(evaluated(NAMES.as_bytes(), Mode::Validate));
    Box::new(move |input| {
        let mut names = names.borrow_mut();
        let Ok(value) = names.console(&text(input)) else {
            return false;
        };
        infra_expr::json::encode(&value).is_ok() && !infra_expr::show::show(&value).is_empty()
    })
}

/// The document with the checksum it would have: else nothing behind that would be tried.
fn signed(input: &[u8]) -> Vec<u8> {
    match serde_json::from_slice::<Value>(input) {
        Ok(Value::Object(mut members)) => {
            members.remove("checksum");
            let mut document = Value::Object(members);
            let digest = names::digest(&[&document.to_string()]);
            document["checksum"] = format!("sha256:{digest}").into();
            document.to_string().into_bytes()
        }
        _ => input.to_vec(),
    }
}

/// A plan file, and what is shown of it.
pub(crate) fn plan() -> Reader {
    Box::new(|input| {
        let Ok(plan) = infra_plan::read(&text(&signed(input))) else {
            return false;
        };
        let view = PlanView {
            project: &plan.project,
            plan: &plan,
            prior: &Outcome::default(),
            decision: None,
            inventory: None,
            concise: false,
        };
        !show::plan::plan(&view).is_empty()
            && serde_json::to_value(show::json::plan(&view)).is_ok_and(|plan| plan.is_object())
    })
}

/// The state, and what is shown of it.
pub(crate) fn state() -> Reader {
    let folder = Folder::new();
    Box::new(move |input| {
        folder.write(".infra/state.json", signed(input));
        let state = folder.loaded().and_then(|loaded| loaded.state);
        state.is_some_and(|state| !show::state::state(&state).is_empty())
    })
}

/// The journal of an apply that was cut off.
pub(crate) fn journal() -> Reader {
    let folder = Folder::new();
    Box::new(move |input| {
        let text = text(input);
        let sign = |line: &str| format!("{} {line}\n", &names::digest(&[line])[..16]);
        let journal: String = text.lines().map(sign).collect();
        folder.write(".infra/journal", journal);
        folder.loaded().is_some()
    })
}

/// Recorded facts, and a plan on them.
pub(crate) fn facts() -> Reader {
    const MAIN: &str = "infra { project = \"demo\" }\nhost \"r1\" {}\nnetwork \"n\" { subnet = \"10.0.0.0/24\" }\nimage \"g\" { disk = \"g.raw\" }\nworkload \"c\" {\n  cpus {\n    count = 2\n    policy = \"dedicated\"\n  }\n  memory { size = \"64MiB\" }\n  interface \"n\" { network = network.n }\n  container { image = \"i@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\" }\n}\nworkload \"m\" {\n  cpus { count = 2 }\n  memory {\n    size = \"4MiB\"\n    page_size = \"2MiB\"\n  }\n  kvm { image = image.g }\n}\n";
    let folder = Folder::new();
    folder.write("main.infra.hcl", MAIN);
    folder.write("g.raw", [0; 512]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    Box::new(move |input| {
        folder.write("hosts/r1.json", input);
        let options = Options {
            directory: folder.path().to_owned(),
            facts: Some(folder.path().join("hosts")),
            ..Options::default()
        };
        let session = Session::open(options, Mode::Plan, Ui::default()).unwrap();
        runtime.block_on(session.plan(Ui::default())).is_ok()
    })
}

/// An image's archive, as it would be sent to an engine.
pub(crate) fn archive() -> Reader {
    use sha2::{Digest, Sha256};
    let folder = Folder::new();
    Box::new(move |input| {
        folder.write("image.tar", input);
        let sha256 = names::hex(&Sha256::digest(input));
        infra_docker::fuzzing::archive(&folder.path().join("image.tar"), &sha256)
    })
}

pub(crate) fn container() -> Reader {
    Box::new(infra_docker::fuzzing::container)
}

pub(crate) fn engine_network() -> Reader {
    Box::new(infra_docker::fuzzing::network)
}

pub(crate) fn engine_volume() -> Reader {
    Box::new(|input| {
        infra_docker::fuzzing::reference(&text(input));
        infra_docker::fuzzing::volume(input)
    })
}

pub(crate) fn domain() -> Reader {
    Box::new(|input| infra_libvirt::fuzzing::domain(&text(input)))
}

pub(crate) fn patch() -> Reader {
    Box::new(|input| infra_libvirt::fuzzing::patch(&text(input)))
}

pub(crate) fn network() -> Reader {
    Box::new(|input| infra_libvirt::fuzzing::network(&text(input)))
}

pub(crate) fn volume() -> Reader {
    Box::new(|input| infra_libvirt::fuzzing::volume(&text(input)))
}

pub(crate) fn pool() -> Reader {
    Box::new(|input| infra_libvirt::fuzzing::pool(&text(input)))
}

pub(crate) fn seed() -> Reader {
    Box::new(infra_libvirt::fuzzing::seed)
}

/// A configuration's folder, in memory where there is such a place.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = Self(folder.unwrap());
        folder.write("main.infra.hcl", "infra { project = \"demo\" }\n");
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn loaded(&self) -> Option<Loaded> {
        let store = Store::open(Paths::in_directory(&self.path().join(".infra")));
        store.load(&Project::new("demo")).ok()
    }
}

/// What scripts on hosts printed: facts, processes and settings.
pub(crate) fn far() -> Reader {
    Box::new(infra_kernel::fuzzing::far)
}

pub(crate) fn processes() -> Reader {
    Box::new(infra_kernel::fuzzing::processes)
}

pub(crate) fn settings() -> Reader {
    Box::new(infra_kernel::fuzzing::settings)
}
