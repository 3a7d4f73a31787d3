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
            true => &["auto"],
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

/// A configuration that calls the module with this.
fn called(folder: &Folder, module: &str, given: &str) -> support::Ran {
    let text = format!(
        "network \"lan\" {{\n  subnet = \"10.9.0.0/24\"\n}}\nmodule \"it\" {{\n  source = \"../../{module}\"\n  {given}\n}}\n"
    );
    folder.write("other/config/main.infra.hcl", text);
    plan(folder, "other/config", &[])
}

#[test]
fn bad_input_is_refused() {
    for (module, given, says) in REFUSED {
        let folder = folder(module);
        let ran = called(&folder, module, given);
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
    let container = with("runtime = \"container\"\n  vfs = { \"0000:3b:02.1\" = 42 }");
    for word in [
        "container on r1",
        "/dev/vfio/42",
        "pci 0000:3b:02.1",
        "+IPC_LOCK",
    ] {
        assert!(container.contains(word), "{word}: {container}");
    }
}

/// (module, what it is given, what is chosen on a host that offers all, in the plan's words).
const CHOSEN: &[(&str, &str, &str)] = &[
    (
        "build-farm",
        "network = network.lan.id",
        "a container suits best (0.90) with volumes",
    ),
    (
        "memcached",
        "",
        "a container suits best (0.16) with the host's network",
    ),
    (
        "render-farm",
        "",
        "a container suits best (0.73) with the host's network, volumes",
    ),
    (
        "stock-trading",
        "",
        "bare metal suits best (0.14) with CPUs of its own",
    ),
    (
        "gluster",
        "network = network.lan.id\n  apart = false",
        "bare metal suits best (0.11) · a container 2.46, by network_latency",
    ),
    (
        "java-app-server",
        "network = network.lan.id",
        "KVM suits best (2.30) with huge pages",
    ),
    (
        "imap-server",
        "network = network.lan.id\n  users = { a = \"x\" }",
        "a container suits best (2.14) with volumes",
    ),
    (
        "batch",
        "command = [\"true\"]",
        "a container suits best (1.27) with volumes",
    ),
    (
        "batch",
        "command = [\"true\"]\n  image = \"docker.io/library/debian:12\"",
        "a container suits best (1.27) with volumes",
    ),
    (
        "nfv",
        "left = network.lan.id\n  right = network.lan.id\n  mode = \"mac\"",
        "bare metal suits best (1.05) · a container 2.93, by network_latency",
    ),
    (
        "onload-trading",
        "image = \"registry.example.org/trader:1\"\n  command = [\"a\"]",
        "a container 0.17: a tie",
    ),
];

#[test]
fn each_is_chosen_as_its_readme_says() {
    for (module, given, says) in CHOSEN {
        let folder = folder(module);
        let ran = called(&folder, module, given);
        assert_eq!(
            (ran.exit, ran.stderr.as_str()),
            (0, ""),
            "{module}: {given}"
        );
        assert!(
            ran.stdout.contains(says),
            "{module}: {given}\n{}",
            ran.stdout
        );
        let readme = fs::read_to_string(root().join(module).join("README.md")).unwrap();
        assert!(
            readme.contains(says),
            "{module}: its README does not say `{says}`"
        );
    }
}

/// (module, what it is given, what the host does not offer, what is chosen then).
const OTHERWISE: &[(&str, &str, &str, &str)] = &[
    ("stock-trading", "", "bare_metal", "a container suits best"),
    (
        "gluster",
        "network = network.lan.id\n  apart = false",
        "bare_metal",
        "a container suits best",
    ),
    (
        "java-app-server",
        "network = network.lan.id",
        "kvm",
        "bare metal suits best",
    ),
    ("memcached", "", "container", "bare metal suits best"),
    (
        "build-farm",
        "network = network.lan.id",
        "container",
        "bare metal suits best",
    ),
];

#[test]
fn where_a_host_lacks_something_another_is_chosen() {
    for (module, given, lacks, says) in OTHERWISE {
        let folder = folder(module);
        let mut facts: Value = serde_json::from_str(&folder.read("facts/local.json")).unwrap();
        facts["runtimes"][lacks] = serde_json::json!({ "offered": false, "why_not": "not here" });
        folder.write("facts/local.json", facts.to_string());
        let ran = called(&folder, module, given);
        assert_eq!(
            (ran.exit, ran.stderr.as_str()),
            (0, ""),
            "{module} without {lacks}"
        );
        assert!(
            ran.stdout.contains(says),
            "{module} without {lacks}\n{}",
            ran.stdout
        );
    }
}
