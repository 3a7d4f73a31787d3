//! What is chosen for each class of workload, on a capable host and on hosts that lack something: the whole matrix,
//! by way of `infra plan --facts --json`.
//!
//! `tests/choosing/matrix.txt` is what it comes to; `INFRA_BLESS=1` rewrites it.

mod support;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use infra_api::{Need, Settings, Variant};
use infra_suitability::Table;
use serde_json::{Value, json};
use support::Folder;

/// What a host may lack, and its facts without it.
type Lack = (&'static str, fn(&mut Value));

const LACKS: [Lack; 6] = [
    ("capable", |_| {}),
    ("no VF", |facts| {
        facts["iommu_groups"] = json!([]);
    }),
    ("no huge pages", |facts| {
        for node in facts["nodes"].as_array_mut().unwrap() {
            node["hugepages"] = json!([]);
        }
        facts["hugepages"] = json!([]);
    }),
    ("no /dev/kvm", |facts| {
        let why = "there is no /dev/kvm";
        facts["runtimes"]["kvm"] = json!({ "offered": false, "why_not": why });
    }),
    ("no systemd", |facts| {
        let why = "process 1 is `init`, not systemd";
        facts["runtimes"]["bare_metal"] = json!({ "offered": false, "why_not": why });
    }),
    ("no Docker", |facts| {
        let why = "there is no Docker Engine";
        facts["runtimes"]["container"] = json!({ "offered": false, "why_not": why });
    }),
];

/// A host of two sockets with huge pages, a card with virtual functions, systemd, Docker and KVM.
fn capable() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts/r1.json");
    let mut facts: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let card = |address: &str, group: u32, of: Option<&str>| {
        json!({ "address": address, "class": "020000", "vendor": "8086", "device": "1592",
            "numa_node": 1, "iommu_group": group, "physfn": of })
    };
    let mut cards = vec![card("0000:3b:00.0", 10, None)];
    cards[0]["interfaces"] = json!([{ "name": "ens1f0", "state": "up" }]);
    let functions = (0..4).map(|n| card(&format!("0000:3b:02.{n}"), 20 + n, Some("0000:3b:00.0")));
    cards.extend(functions);
    let group = |card: &Value| json!({ "id": card["iommu_group"], "devices": [card["address"]] });
    facts["iommu_groups"] = cards.iter().map(group).collect();
    facts["pci"] = cards.into();
    facts
}

/// A workload of a class, in every form.
fn configuration(class: &str) -> String {
    format!(
        r#"
        host "r1" {{
          fabric "fast" {{ parents = ["ens1f0"] }}
        }}
        network "lan" {{
          subnet = "10.20.0.0/24"
          driver = "macvlan"
          parent = "ens1f0"
        }}
        image "linux" {{ kernel = "vmlinuz" }}
        workload "own" {{
          class = "{class}"
          cpus {{ count = 2 }}
          memory {{ size = "2GiB" }}
          interface "lan" {{
            network = network.lan
            fabric  = "fast"
          }}
          disk "data" {{
            size  = "1GiB"
            mount = "/data"
          }}
          container {{ image = "registry.example/own:1" }}
          kvm {{ image = image.linux }}
          bare_metal {{ exec = ["/usr/bin/own"] }}
        }}
        "#
    )
}

/// The same without a network of its own: no VM.
fn on_the_host(class: &str) -> String {
    format!(
        r#"
        host "r1" {{}}
        workload "own" {{
          class = "{class}"
          memory {{ size = "1GiB" }}
          container {{
            image = "registry.example/own:1"
            port {{
              host      = 11211
              container = 11211
            }}
          }}
          bare_metal {{ exec = ["/usr/bin/own"] }}
        }}
        "#
    )
}

#[test]
fn what_is_chosen_is_what_stands_in_the_matrix() {
    let table = Table::built_in();
    let mut text = String::new();
    for class in &table.classes {
        let levels: Vec<String> = (class.needs.iter())
            .filter(|(_, level)| *level != infra_api::Level::None)
            .map(|(need, level)| format!("{need} {level}"))
            .collect();
        let _ = writeln!(text, "{}: {}", class.name, levels.join(", "));
        for (lack, take) in LACKS {
            let mut facts = capable();
            take(&mut facts);
            let _ = writeln!(
                text,
                "  {lack:<14} {}",
                chosen(&configuration(&class.name), &facts)
            );
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/choosing/matrix.txt");
    if std::env::var_os("INFRA_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), text);
}

/// Five workloads of the talk, on a capable host.
#[test]
fn the_talks_workloads_are_chosen_as_argued() {
    for (class, runtime, runner_up) in [
        ("build-farm", "container", None),
        ("render-farm", "container", None),
        (
            "memcached",
            "container with the host's network",
            Some("bare_metal"),
        ),
        ("stock-trading", "bare_metal", Some("container")),
        ("gluster", "bare_metal", Some("container")),
    ] {
        let line = match settings(runtime).is_empty() {
            true => chosen(&configuration(class), &capable()),
            false => chosen(&on_the_host(class), &capable()),
        };
        let first = runtime.split(" with ").next().unwrap();
        assert!(line.starts_with(first), "{class}: {line}");
        assert!(line.contains(settings(runtime)), "{class}: {line}");
        let tie = runner_up.map(|other| format!("ties with {other}"));
        assert_eq!(line.contains("ties"), tie.is_some(), "{class}: {line}");
        assert!(tie.is_none_or(|tie| line.contains(&tie)), "{class}: {line}");
    }
}

/// What stands after `with`.
fn settings(variant: &str) -> &str {
    variant.split_once(" with ").map_or("", |(_, with)| with)
}

/// `container with … 0.16, then bare_metal 0.15 (ties with …: it is packed)`.
fn chosen(configuration: &str, facts: &Value) -> String {
    let (document, stderr) = plan(configuration, facts);
    let Some(document) = document else {
        let why = stderr.lines().find(|line| line.contains("on r1:"));
        return format!("nothing: {}", why.unwrap_or(&stderr).trim());
    };
    let workload = &document["workloads"][0];
    let candidates = workload["suits"]["candidates"].as_array().unwrap();
    let runtime = workload["runtime"].as_str().unwrap();
    let none = Vec::new();
    let with = workload["with"].as_array().unwrap_or(&none);
    let is_own = |c: &&Value| c["runtime"] == runtime;
    let own = candidates
        .iter()
        .find(|c| is_own(c) && c["with"].as_array() == Some(with));
    let own = own.expect("what was placed is among the candidates");
    let mut line = told(own);
    if let Some(other) = candidates.iter().find(|c| c["runtime"] != runtime) {
        let _ = write!(line, ", then {}", told(other));
        let sums = |c: &Value| sum(c, workload);
        if (sums(own) - sums(other)).abs() < Table::built_in().tie {
            let _ = write!(line, ", ties with {}", other["runtime"].as_str().unwrap());
        }
    }
    line
}

fn told(candidate: &Value) -> String {
    let with: Settings = serde_json::from_value(candidate["with"].clone()).unwrap();
    let runtime = candidate["runtime"].as_str().unwrap();
    let with = match with.is_empty() {
        true => String::new(),
        false => format!(" with {with}"),
    };
    format!(
        "{runtime}{with} {:.2}",
        candidate["score"].as_f64().unwrap()
    )
}

/// The weighted penalties added up.
fn sum(candidate: &Value, workload: &Value) -> f64 {
    let table = Table::built_in();
    let weight = |need: &str| {
        let level = serde_json::from_value(workload["suits"]["needs"][need].clone()).unwrap();
        table.weights[&level]
    };
    let penalties = candidate["penalties"].as_object().unwrap().iter();
    penalties
        .map(|(need, penalty)| weight(need) * penalty.as_f64().unwrap())
        .sum()
}

/// The document, or what was said instead.
fn plan(configuration: &str, facts: &Value) -> (Option<Value>, String) {
    let folder = Folder::new("choosing");
    folder.write("main.infra.hcl", configuration);
    folder.write("vmlinuz", "kernel");
    folder.write("hosts/r1.json", facts.to_string());
    let ran = folder.infra(&["plan", "--facts", "hosts", "--json"]);
    (
        serde_json::from_str(&ran.stdout)
            .ok()
            .filter(|_| ran.exit == 0),
        ran.stderr,
    )
}

/// A setting that a host loses never makes the best score better.
#[test]
fn what_a_host_loses_makes_no_score_better() {
    let table = Table::built_in();
    let mut best: BTreeMap<&str, f64> = BTreeMap::new();
    for class in &table.classes {
        for (lack, take) in LACKS {
            let mut facts = capable();
            take(&mut facts);
            let (document, _) = plan(&configuration(&class.name), &facts);
            let Some(document) = document else { continue };
            let candidates = document["workloads"][0]["suits"]["candidates"].clone();
            let scores = candidates.as_array().unwrap().iter();
            let least = scores
                .filter_map(|c| c["score"].as_f64())
                .fold(f64::MAX, f64::min);
            let whole = *best.entry(&class.name).or_insert(least);
            assert!(least >= whole, "{} {lack}: {least} < {whole}", class.name);
        }
    }
    assert_eq!(best.len(), table.classes.len());
}

/// Names of needs are those of the table: a misspelt one would count nothing.
#[test]
fn every_need_counts() {
    let table = Table::built_in();
    for need in Need::ALL {
        let needs = infra_api::Needs::default().with(need, infra_api::Level::High);
        let variant = Variant::from(infra_api::Runtime::Kvm);
        let score = infra_suitability::score(&table, &needs, variant, None);
        assert_eq!(score.figured.len(), 1);
    }
}
