//! Facts of real machines: saved sysfs trees against what hwloc ships for them, and against the
//! counts of an independent small parser.
//!
//! The trees are not part of this repository. They are looked for in `../shared/topologies` beside
//! it, or where `INFRA_TOPOLOGIES` says; without them the test says so and checks nothing.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use infra_api::facts::{Cpu, NodeKind};
use infra_api::{Facts, IdSet};
use infra_kernel::{Root, read};
use serde_json::Value;

/// Where we differ on purpose: machine, fact, what was expected, what we say, and why. A row that
/// no longer applies fails the test.
const DISAGREEMENTS: &[[&str; 5]] = &[
    // The small parser lists directories, and this kernel has none. hwloc ships one node 0.
    [
        "2arm-2c",
        "numa_ids",
        "",
        "0",
        "no node directory at all is one node",
    ],
    [
        "2arm-2c",
        "has_distance",
        "false",
        "true",
        "the one node is local to itself",
    ],
];

/// One comparison that failed.
#[derive(Debug)]
struct Difference {
    fact: String,
    expected: String,
    ours: String,
}

#[test]
fn real_machines() {
    let Some(folder) = folder() else { return };
    let index = std::fs::read_to_string(folder.join("facts.json")).unwrap();
    let index: Value = serde_json::from_str(&index).unwrap();
    let machines = index["machines"].as_array().unwrap();
    assert_eq!(machines.len(), 15);

    let mut unexplained = Vec::new();
    let mut explained = BTreeSet::new();
    for machine in machines {
        let name = machine["name"]
            .as_str()
            .unwrap()
            .trim_start_matches("hwloc-");
        for difference in differences(&folder, name, machine) {
            match explanation(name, &difference) {
                Some(row) => drop(explained.insert(row)),
                None => unexplained.push((name.to_owned(), difference)),
            }
        }
    }
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    let idle: Vec<_> = (0..DISAGREEMENTS.len())
        .filter(|row| !explained.contains(row))
        .collect();
    assert!(
        idle.is_empty(),
        "rows of DISAGREEMENTS that no longer apply: {idle:?}"
    );
}

fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/topologies");
    let folder = std::env::var_os("INFRA_TOPOLOGIES").map_or(beside, PathBuf::from);
    if folder.join("facts.json").exists() {
        return Some(folder);
    }
    // Past the test harness, which keeps to itself what a passing test prints.
    let place = folder.display();
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED real_machines: no trees in {place}; set INFRA_TOPOLOGIES"
    );
    None
}

fn explanation(machine: &str, found: &Difference) -> Option<usize> {
    DISAGREEMENTS
        .iter()
        .position(|[name, fact, expected, ours, _]| {
            (*name, *fact, *expected, *ours)
                == (machine, &*found.fact, &*found.expected, &*found.ours)
        })
}

fn differences(folder: &Path, name: &str, machine: &Value) -> Vec<Difference> {
    let text = |key: &str| machine[key].as_str().unwrap();
    let dir = unpacked(&folder.join(text("archive")));
    let top = text("root").trim_end_matches("/sys");
    let (facts, problems) = read(&Root::at(dir.path().join(top)));

    let mut differences = Differences::default();
    differences.check("problems", "", join(&problems));
    let json = serde_json::to_string(&facts).unwrap();
    assert_eq!(
        Facts::from_json(&json).unwrap(),
        facts,
        "{name} does not survive JSON"
    );
    coherent(&facts);
    counts(&mut differences, &facts, machine);
    shipped(&mut differences, &facts, &Shipped::of(folder, name));
    differences.0
}

fn unpacked(archive: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let status = Command::new("tar")
        .arg("-xjf")
        .arg(archive)
        .arg("-C")
        .arg(dir.path())
        .status();
    assert!(
        status.unwrap().success(),
        "{} cannot be unpacked",
        archive.display()
    );
    dir
}

#[derive(Default)]
struct Differences(Vec<Difference>);

impl Differences {
    fn check(&mut self, fact: &str, expected: impl Display, ours: impl Display) {
        let (expected, ours) = (expected.to_string(), ours.to_string());
        if expected != ours {
            let fact = fact.to_owned();
            self.0.push(Difference {
                fact,
                expected,
                ours,
            });
        }
    }
}

/// What must hold of any machine.
fn coherent(facts: &Facts) {
    let listed: IdSet = facts.cpus.list.iter().map(|cpu| cpu.id).collect();
    assert_eq!(listed, facts.cpus.online);
    assert!(facts.usable_cpus().is_subset(&facts.cpus.online));
    let ids: Vec<u32> = facts.nodes.iter().map(|node| node.id).collect();
    assert!(ids.is_sorted() && facts.l3.iter().map(|l3| l3.id).is_sorted());
    for cpu in &facts.cpus.list {
        assert!(cpu.siblings.contains(cpu.id));
        let sibling = |id| facts.cpu(id).unwrap();
        assert!(cpu.siblings.iter().all(|id| sibling(id).core == cpu.core));
        let node = cpu.node.map(|id| facts.node(id).unwrap());
        assert!(node.is_none_or(|node| node.cpus.contains(cpu.id)));
    }
    for node in &facts.nodes {
        assert!(node.distances.keys().all(|id| ids.contains(id)));
        assert!(
            node.distances
                .get(&node.id)
                .is_none_or(|local| *local == 10)
        );
    }
}

/// The counts of the independent parser.
fn counts(differences: &mut Differences, facts: &Facts, machine: &Value) {
    let cpus: Vec<&Cpu> = facts.cpus.list.iter().collect();
    let offline = facts.cpus.offline.as_ref().map_or(0, IdSet::len);
    let widest = cpus.iter().map(|cpu| cpu.siblings.len()).max();
    let memory_only = nodes(facts, |kind| {
        matches!(kind, NodeKind::MemoryOnly | NodeKind::Device)
    });
    let sizes = facts.nodes.iter().flat_map(|node| &node.hugepages);
    let mut sizes: Vec<String> = sizes
        .map(|p| format!("hugepages-{}kB", p.size_bytes >> 10))
        .collect();
    sizes.sort();
    sizes.dedup();
    let mut check = |key: &str, ours: String| differences.check(key, plain(&machine[key]), ours);
    check("numa_ids", join(nodes(facts, |_| true).iter()));
    check("online", facts.cpus.online.len().to_string());
    check("offline", offline.to_string());
    check(
        "package_cpu_sets",
        distinct(&cpus, |cpu| cpu.package).to_string(),
    );
    check("cores", distinct(&cpus, |cpu| cpu.core).to_string());
    check("smt", widest.unwrap_or(0).to_string());
    check("l3", distinct(&cpus, |cpu| cpu.l3).to_string());
    check("memory_only", join(memory_only.iter()));
    check(
        "no_memory",
        join(nodes(facts, |kind| kind == NodeKind::CpuOnly).iter()),
    );
    check("hugepages", join(&sizes));
    check(
        "has_distance",
        facts
            .nodes
            .iter()
            .any(|node| !node.distances.is_empty())
            .to_string(),
    );
    check("pci", facts.pci.len().to_string());
}

fn nodes(facts: &Facts, wanted: impl Fn(NodeKind) -> bool) -> IdSet {
    facts
        .nodes
        .iter()
        .filter(|node| wanted(node.kind))
        .map(|node| node.id)
        .collect()
}

fn distinct(cpus: &[&Cpu], of: impl Fn(&Cpu) -> Option<u32>) -> usize {
    cpus.iter()
        .filter_map(|cpu| of(cpu))
        .collect::<BTreeSet<_>>()
        .len()
}

fn plain(value: &Value) -> String {
    match value {
        Value::Array(values) => join(values.iter().map(plain)),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn join<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items
        .into_iter()
        .map(|item| item.to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The output hwloc ships. It shows what may be used under the cgroup the tree was saved in, so it
/// is compared with that part of ours.
fn shipped(differences: &mut Differences, facts: &Facts, shipped: &Shipped) {
    let usable = facts.usable_cpus();
    let host = nodes(facts, |kind| kind != NodeKind::Device);
    let allowed = facts
        .allowed_nodes
        .as_ref()
        .map_or(host.clone(), |allowed| allowed & &host);
    let of = |keep: &dyn Fn(&Cpu) -> bool| -> Vec<&Cpu> {
        facts.cpus.list.iter().filter(|cpu| keep(cpu)).collect()
    };
    let running = of(&|cpu| usable.contains(cpu.id));
    // A package or cache also stays for the memory that belongs to it.
    let with_memory =
        of(&|cpu| usable.contains(cpu.id) || cpu.node.is_some_and(|node| allowed.contains(node)));
    differences.check("shipped cpus", &shipped.cpus, usable);
    differences.check("shipped nodes", &shipped.nodes, &allowed);
    differences.check(
        "shipped cores",
        shipped.cores,
        distinct(&running, |cpu| cpu.core),
    );
    differences.check(
        "shipped packages",
        shipped.packages,
        distinct(&with_memory, |cpu| cpu.package),
    );
    differences.check(
        "shipped l3",
        shipped.l3,
        distinct(&with_memory, |cpu| cpu.l3),
    );
    for (node, memory) in &shipped.memory {
        let ours = facts.node(*node).and_then(|node| node.memory_bytes);
        differences.check(
            &format!("shipped memory of {node}"),
            memory,
            rounded(ours, memory),
        );
    }
    for (address, ids) in &shipped.pci {
        differences.check(&format!("shipped {address}"), ids, pci_ids(facts, address));
    }
}

/// A size in the unit of another text: `2935MiB`.
fn rounded(bytes: Option<u64>, like: &str) -> String {
    let unit = like.trim_start_matches(|c: char| c.is_ascii_digit());
    let units = ["", "KiB", "MiB", "GiB", "TiB"];
    let power = units.iter().position(|known| *known == unit).unwrap();
    let scale = 1024u64.pow(u32::try_from(power).unwrap());
    bytes.map_or("unknown".to_owned(), |bytes| {
        format!("{}{unit}", (bytes + scale / 2) / scale)
    })
}

/// `VENDOR:DEVICE CLASS`, zeros for what is unknown, as hwloc prints it.
fn pci_ids(facts: &Facts, address: &str) -> String {
    let Some(device) = facts.pci(address) else {
        return "no such device".to_owned();
    };
    let digits = |text: &Option<String>| text.clone().unwrap_or_else(|| "0000".to_owned());
    let class = device.class.as_deref().map_or("0000", |class| &class[..4]);
    format!(
        "{}:{} {class}",
        digits(&device.vendor),
        digits(&device.device)
    )
}

/// What hwloc's `.console` or `.xml` output says of a machine.
#[derive(Default)]
struct Shipped {
    cpus: IdSet,
    nodes: IdSet,
    cores: usize,
    packages: usize,
    l3: usize,
    /// Memory of each node, rounded.
    memory: Vec<(u32, String)>,
    pci: Vec<(String, String)>,
}

impl Shipped {
    fn of(folder: &Path, name: &str) -> Shipped {
        let read = |kind: &str| std::fs::read_to_string(folder.join(format!("{name}.{kind}")));
        match read("console") {
            Ok(text) => Shipped::from_console(&text),
            Err(_) => Shipped::from_xml(&read("xml").unwrap()),
        }
    }

    /// `PU L#0 (P#3)`, `NUMANode(DRAM) L#0 (P#1 local=…)`, `PCI L#0 (busid=… id=… class=0101(IDE)`.
    fn from_console(text: &str) -> Shipped {
        // The tree of objects ends where the counts of each depth begin.
        let objects = text
            .lines()
            .take_while(|line| !line.starts_with("depth 0:"));
        let lines: Vec<&str> = objects.map(str::trim).collect();
        let all = |kind: &str| -> Vec<&str> {
            let is = |line: &&str| line.contains(" L#") && word(line) == kind;
            lines.iter().copied().filter(is).collect()
        };
        let ids = |kind: &str| all(kind).iter().map(|line| number(line, "(P#")).collect();
        let pci = all("PCI").into_iter().map(|line| {
            let class = between(line, "class=", "(");
            let ids = format!("{} {class}", between(line, " id=", " "));
            (between(line, "busid=", " ").to_owned(), ids)
        });
        Shipped {
            cpus: ids("PU"),
            nodes: ids("NUMANode"),
            cores: all("Core").len(),
            packages: all("Package").len(),
            l3: all("L3Cache").len(),
            memory: memory(&all("NUMANode"), "(P#", ["local=", " "]),
            pci: pci.collect(),
        }
    }

    /// `<object type="PU" os_index="3" …>`, `pci_busid="…" pci_type="0600 [8086:3407] …"`.
    fn from_xml(text: &str) -> Shipped {
        let all = |kind: &str| -> Vec<&str> {
            let start = format!("<object type=\"{kind}\"");
            text.lines()
                .filter(|line| line.trim().starts_with(&start))
                .collect()
        };
        let ids = |kind: &str| {
            all(kind)
                .iter()
                .map(|line| number(line, "os_index=\""))
                .collect()
        };
        let pci = text
            .lines()
            .filter(|line| line.contains("pci_busid"))
            .map(|line| {
                let class = between(line, "pci_type=\"", " ");
                let ids = format!("{} {class}", between(line, " [", "]"));
                (between(line, "pci_busid=\"", "\"").to_owned(), ids)
            });
        Shipped {
            cpus: ids("PU"),
            nodes: ids("NUMANode"),
            cores: all("Core").len(),
            packages: all("Package").len(),
            l3: all("L3Cache").len(),
            memory: memory(&all("NUMANode"), "os_index=\"", ["local_memory=\"", "\""]),
            pci: pci.collect(),
        }
    }
}

fn memory(nodes: &[&str], id: &str, [start, end]: [&str; 2]) -> Vec<(u32, String)> {
    let known = nodes.iter().filter(|line| line.contains(start));
    known
        .map(|line| (number(line, id), between(line, start, end).to_owned()))
        .collect()
}

/// The first word, without what is in brackets behind it.
fn word(line: &str) -> &str {
    line.split([' ', '(']).next().unwrap_or_default()
}

fn between<'a>(line: &'a str, start: &str, end: &str) -> &'a str {
    let rest = line.split_once(start).map_or("", |(_, rest)| rest);
    rest.split_once(end).map_or(rest, |(inner, _)| inner)
}

fn number(line: &str, start: &str) -> u32 {
    let rest = between(line, start, "\n");
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
    digits
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_else(|| panic!("no number: {line}"))
}
