//! `infra measure host`, as its user has it: figures in every runtime, a table that a plan takes, and nothing left.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Bench, said};

const EMPTY: &str = "infra { project = \"PROJECT\" }\n";

const OURS: &str = r#"
infra { project = "PROJECT" }
suitability "ours" { table = jsondecode(file("ours.json")) }
image "memcached" { archive = "build/memcached.tar" }
workload "web" {
  needs { cpu = "high" }
  container { image = image.memcached }
}
"#;

/// With a configuration and a state of its own, whoever else measures this host.
fn measure(bench: &Bench, subnet: &str, more: &[&str]) -> Command {
    let mut command = bench.command(&["measure", "host", "--subnet", subnet]);
    command
        .args(more)
        .env("XDG_CACHE_HOME", bench.path("cache"));
    command
}

/// Neither objects nor records nor large files.
fn nothing_is_left(bench: &Bench) {
    let folder = bench.path("cache/infra/measure");
    assert_eq!(bench.left_of(&project(bench)), Vec::<String>::new());
    let state = std::fs::read_to_string(folder.join(".infra/state.json")).unwrap();
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["resources"], serde_json::json!({}), "{state}");
    for file in ["container.tar", "machine.initramfs"] {
        assert!(!folder.join(file).exists(), "{file}");
    }
}

fn project(bench: &Bench) -> String {
    let text = std::fs::read_to_string(bench.path("cache/infra/measure/main.infra.hcl")).unwrap();
    let (_, rest) = text.split_once("project = \"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// Every figure that can be known anywhere, and why others are not.
fn all_is_told(variant: &Value) {
    for figure in [
        "cpu",
        "memory_bandwidth",
        "memory_latency",
        "disk_write_latency",
        "disk_read_latency",
        "loopback",
        "round_trip",
    ] {
        let series = &variant["figures"][figure];
        assert_eq!(
            series["samples"].as_array().map(Vec::len),
            Some(1),
            "{figure}: {variant}"
        );
        assert!(series["median"].as_f64().unwrap() > 0.0);
        assert!(series["unit"].is_string());
    }
    for figure in variant["figures"].as_object().unwrap().iter() {
        let (name, series) = figure;
        assert_eq!(
            series.is_null(),
            variant["unknown"][name].is_string(),
            "{name}: {variant}"
        );
    }
    let plain = variant["runtime"] == "bare_metal";
    assert_eq!(variant["placement"].is_null(), plain, "{variant}");
}

/// Structure alone: how fast anything is says nothing of the program.
#[test]
fn a_host_is_measured_in_each_runtime() {
    let Some(bench) = Bench::new("infra-live-host", EMPTY) else {
        return;
    };
    let ran = measure(
        &bench,
        "10.77.19.0/28",
        &[
            "--kernel",
            "build/vmlinuz",
            "--initramfs",
            "build/initrd.img",
        ],
    )
    .args(["--runs", "1", "--out", "ours.json", "--json"])
    .output()
    .expect("infra runs");
    assert_eq!(ran.status.code(), Some(0), "{}", said(&ran));
    nothing_is_left(&bench);
    let document: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(document["failed"], serde_json::json!([]));
    let variants = document["variants"].as_array().unwrap();
    let runtimes = variants.iter().filter_map(|v| v["runtime"].as_str());
    let runtimes: BTreeSet<&str> = runtimes.collect();
    assert_eq!(runtimes, BTreeSet::from(["bare_metal", "container", "kvm"]));
    variants.iter().for_each(all_is_told);
    bench.write(OURS);
    bench.run(0, &["plan"]);
    let table = bench.json(&["suitability", "--json"]);
    let measured = |runtime: &str| {
        let figures = table["figures"].as_array().unwrap().iter();
        let own = figures.filter(|f| f["kind"] == "measured" && f["runtime"] == runtime);
        own.map(|f| f["need"].as_str().unwrap().to_owned())
            .collect::<BTreeSet<_>>()
    };
    let needs = |needs: &[&str]| {
        needs
            .iter()
            .map(|n| (*n).to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert!(measured("container").is_superset(&needs(&["cpu", "memory"])));
    let of_machines = measured("kvm");
    assert_eq!(
        document["emulated"] == true,
        of_machines.is_empty(),
        "{of_machines:?}"
    );
}

/// One Ctrl-C, while the probe is there.
#[test]
fn an_interrupted_measurement_of_a_host_leaves_nothing() {
    let Some(bench) = Bench::new("infra-live-host-int", EMPTY) else {
        return;
    };
    let child = measure(
        &bench,
        "10.77.19.16/28",
        &["--runtimes", "container", "--runs", "300"],
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .expect("infra runs");
    let began = Instant::now();
    let there = || {
        bench.path("cache/infra/measure/main.infra.hcl").exists()
            && !bench.left_of(&project(&bench)).is_empty()
    };
    while !there() {
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "the probe was never there"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupt.expect("kill runs").success());
    let ended = child.wait_with_output().expect("infra ends");
    assert_eq!(ended.status.code(), Some(1), "{}", said(&ended));
    assert!(said(&ended).contains("interrupted"), "{}", said(&ended));
    nothing_is_left(&bench);
}
