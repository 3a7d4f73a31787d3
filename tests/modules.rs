//! The modules of `modules/`: each is whole, its README says what it takes and gives, its example is planned without a
//! word of warning in every runtime that this version has, and bad input is refused in words of the module's own.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{Folder, files, hosts};

/// No machine can be asked for: what runs is not in Debian.
const CONTAINER_ONLY: &[&str] = &["onload-trading"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("modules")
}

fn modules() -> Vec<String> {
    let entries = fs::read_dir(root()).unwrap();
    let folders = entries.map(|entry| entry.unwrap().path());
    let modules = folders.filter(|path| path.join("main.infra.hcl").is_file());
    let mut names: Vec<String> = modules
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 10, "{names:?}");
    names
}

/// A module as it stands, with something in the place of its images, and the recorded facts of a host.
fn folder(module: &str) -> Folder {
    let folder = Folder::new("modules");
    // but for the state of who has tried its example
    let parts = files(&root().join(module));
    for (name, bytes) in parts.into_iter().filter(|(n, _)| !n.contains(".infra/")) {
        folder.write(&format!("{module}/{name}"), bytes);
    }
    let archive = root().join("../tests/fuzz/corpus/archive/root.tar");
    folder.write(
        &format!("build/{module}.tar"),
        fs::read(archive).expect("there is one"),
    );
    folder.write("build/vmlinuz", "a kernel");
    folder.write(&format!("build/{module}.initrd"), "a file system");
    folder.add(&hosts(), "facts");
    folder.write("facts/local.json", folder.read("facts/r1.json"));
    folder
}

fn plan(folder: &Folder, of: &str, more: &[&str]) -> support::Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_infra"));
    command.env_clear().arg("-C").arg(folder.path().join(of));
    folder.run(
        command.args(["plan", "--facts", "../../facts"]).args(more),
        "",
    )
}

#[test]
fn every_example_is_planned_without_a_warning() {
    for module in modules() {
        let folder = folder(&module);
        let example = format!("{module}/example");
        let runtimes: &[&str] = match CONTAINER_ONLY.contains(&module.as_str()) {
            true => &["container"],
            false => &["auto", "container", "kvm"],
        };
        for runtime in runtimes {
            let word = format!("runtime={runtime}");
            let mut more = vec!["--json"];
            if !CONTAINER_ONLY.contains(&module.as_str()) {
                more.extend(["--var", &word]);
            }
            let ran = plan(&folder, &example, &more);
            assert_eq!(
                (ran.exit, ran.stderr.as_str()),
                (0, ""),
                "{module} {runtime}"
            );
            let document: Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
            let workloads = document["workloads"].as_array().expect("a list");
            assert!(!workloads.is_empty(), "{module} {runtime}");
            for workload in workloads {
                assert_eq!(
                    workload["refused"],
                    Value::Array(Vec::new()),
                    "{module} {runtime}: {workload}"
                );
                let runs = workload["runtime"].as_str();
                assert!(
                    *runtime == "auto" || runs == Some(*runtime),
                    "{module} {runtime}: {workload}"
                );
            }
        }
    }
}

#[test]
fn every_readme_names_what_the_module_takes_and_gives() {
    for module in modules() {
        let path = root().join(&module);
        let text = fs::read_to_string(path.join("main.infra.hcl")).unwrap();
        let readme = fs::read_to_string(path.join("README.md")).unwrap();
        for kind in ["variable", "output"] {
            let heads = text.lines().filter_map(|line| line.strip_prefix(kind));
            for name in heads.filter_map(|head| head.split('"').nth(1)) {
                let row = format!("| `{name}` |");
                assert!(readme.contains(&row), "{module}: {kind} {name}");
            }
        }
        let described = text.matches("\n  description = ").count();
        let declared = text.matches("\nvariable ").count() + text.matches("\noutput ").count();
        assert_eq!(described, declared, "{module}: all are described");
    }
}

#[test]
fn every_module_is_in_the_list() {
    let list = fs::read_to_string(root().join("README.md")).unwrap();
    for module in modules() {
        assert!(
            list.contains(&format!("| [{module}]({module}) |")),
            "{module}"
        );
        let image = root().join(&module).join("image");
        assert_eq!(image.is_file(), module != "onload-trading", "{module}");
    }
}

/// (module, what it is given, what it says).
const REFUSED: &[(&str, &str, &str)] = &[
    ("memcached", "memory = 32", "memcached wants at least"),
    ("memcached", "cpus = -1", "not negative"),
    (
        "memcached",
        "runtime = \"docker\"",
        "\"container\", \"kvm\"",
    ),
    (
        "build-farm",
        "network = network.lan.id\n  allow = \"anybody\"",
        "an IPv4 address, or a subnet",
    ),
    (
        "build-farm",
        "network = network.lan.id\n  workers = 0",
        "at least one worker",
    ),
    (
        "gluster",
        "network = network.lan.id\n  nodes = 3\n  replicas = 2",
        "as many as there are replicas",
    ),
    (
        "gluster",
        "network = network.lan.id\n  volume = \"a;b\"",
        "small letters",
    ),
    (
        "imap-server",
        "network = network.lan.id\n  users = { \"a b\" = \"x\" }",
        "A name is small letters",
    ),
    (
        "imap-server",
        "network = network.lan.id\n  users = { a = \"x\" }\n  key = \"k\"",
        "go together",
    ),
    (
        "java-app-server",
        "network = network.lan.id\n  heap = 900",
        "leaves 704 MiB",
    ),
    (
        "java-app-server",
        "network = network.lan.id\n  pages = { \"../etc/passwd\" = \"\" }",
        "APPLICATION/FILE",
    ),
    ("batch", "command = []", "nothing to run"),
    (
        "nfv",
        "left = network.lan.id\n  right = network.lan.id\n  mode = \"flood\"",
        "\"macswap\"",
    ),
    (
        "onload-trading",
        "image = \"a\"\n  command = [\"a\"]\n  devices = [\"onload\"]",
        "below /dev",
    ),
];

#[test]
fn bad_input_is_refused() {
    for (module, given, says) in REFUSED {
        let folder = folder(module);
        let text = format!(
            "network \"lan\" {{\n  subnet = \"10.9.0.0/24\"\n}}\nmodule \"it\" {{\n  source = \"../../{module}\"\n  {given}\n}}\n"
        );
        folder.write("other/config/main.infra.hcl", text);
        let ran = plan(&folder, "other/config", &[]);
        assert_eq!(ran.exit, 1, "{module}: {given}\n{}", ran.stdout);
        assert!(
            ran.stderr.contains("Validation failed") && ran.stderr.contains(says),
            "{module}: {given}\n{}",
            ran.stderr
        );
    }
}

/// On a host that has them a network function is given devices: as a machine of a fabric, as a container by groups.
#[test]
fn nfv_takes_devices_where_they_are() {
    let folder = folder("nfv");
    let host = root().join("../tests/cases/devices-chosen/hosts/r1.json");
    folder.write("facts/r1.json", fs::read(host).unwrap());
    let with = |given: &str| {
        let text = format!(
            "host \"r1\" {{\n  fabric \"cards\" {{ parents = [\"ens1f0\", \"0000:bd:00.0\"] }}\n}}\n\
             network \"a\" {{ subnet = \"10.9.0.0/24\" }}\nnetwork \"b\" {{ subnet = \"10.9.1.0/24\" }}\n\
             module \"it\" {{\n  source = \"../../nfv\"\n  left = network.a.id\n  right = network.b.id\n  {given}\n}}\n"
        );
        folder.write("other/config/main.infra.hcl", text);
        let ran = plan(&folder, "other/config", &[]);
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{given}");
        ran.stdout
    };
    let machine = with("fabric = \"cards\"");
    assert!(
        machine.contains("KVM on r1") && machine.contains("devices"),
        "{machine}"
    );
    let container = with("vfs = { \"0000:3b:02.1\" = 42 }");
    for word in [
        "container on r1",
        "/dev/vfio/42",
        "pci 0000:3b:02.1",
        "+IPC_LOCK",
    ] {
        assert!(container.contains(word), "{word}: {container}");
    }
}
