//! Facts of real machines: saved sysfs trees against all that hwloc ships as expected of them, and against the counts
//! of an independent small parser.
//!
//! The trees are not part of this repository. They are looked for in `../shared/topologies` beside it, or where
//! `INFRA_TOPOLOGIES` says (also in a folder as hwloc's own `tests/hwloc/linux`); without them the test says so and
//! checks nothing. Where we differ on purpose stands in `tests/topologies/disagreements.md`.

#[path = "topologies/compare.rs"]
mod compare;
#[path = "topologies/hwloc.rs"]
mod hwloc;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use infra_api::facts::{Cpu, NodeKind};
use infra_api::{Facts, IdSet};
use infra_kernel::{Far, Root, printed_in, read};
use serde_json::Value;

use compare::{Comparison, Difference, Differences};
use hwloc::Shipped;

const TABLE: &str = include_str!("topologies/disagreements.md");

/// A row of the table: machine, fact, what hwloc has, what we have. Why is for people.
fn rows() -> Vec<[&'static str; 4]> {
    let lines = TABLE.lines().filter(|line| line.starts_with("| "));
    let rows = lines.skip(1).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(cell).collect();
        match cells.as_slice() {
            [machine, fact, theirs, ours, why] if !why.is_empty() => {
                [*machine, *fact, *theirs, *ours]
            }
            _ => panic!("a row has five cells, and the last says why: {line}"),
        }
    });
    rows.collect()
}

/// A fact that ends in `*` stands for all that begin so.
fn explains(row: &[&str; 4], found: &[&str; 4]) -> bool {
    let fact = match row[1].strip_suffix('*') {
        Some(begin) => found[1].starts_with(begin),
        None => row[1] == found[1],
    };
    fact && [row[0], row[2], row[3]] == [found[0], found[2], found[3]]
}

fn cell(text: &str) -> &str {
    text.trim().trim_matches('`')
}

#[test]
fn real_machines() {
    let Some(folder) = folder() else { return };
    let counted = counted(&folder);
    let machines = machines(&folder);
    assert!(machines.len() >= counted.len());
    let rows = rows();
    let mut used = BTreeSet::new();
    let mut unexplained = Vec::new();
    for machine in &machines {
        for found in differences(&folder, machine, &counted) {
            let row = [&*machine.name, &*found.fact, &*found.expected, &*found.ours];
            match rows.iter().position(|known| explains(known, &row)) {
                Some(row) => drop(used.insert(row)),
                None => unexplained.push(format!(
                    "| {} | {} | `{}` | `{}` | |",
                    row[0], row[1], row[2], row[3]
                )),
            }
        }
    }
    assert!(
        unexplained.is_empty(),
        "not in the table:\n{}",
        unexplained.join("\n")
    );
    let compared = |row: &&[&str; 4]| machines.iter().any(|machine| machine.name == row[0]);
    let idle = rows
        .iter()
        .enumerate()
        .filter(|(at, row)| compared(row) && !used.contains(at));
    let idle: Vec<_> = idle.map(|(_, row)| row.join(" | ")).collect();
    assert!(
        idle.is_empty(),
        "rows of the table that no longer apply:\n{}",
        idle.join("\n")
    );
}

fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/topologies");
    let folder = std::env::var_os("INFRA_TOPOLOGIES").map_or(beside, PathBuf::from);
    if folder.is_dir() {
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

/// A saved tree, and what hwloc made of it.
struct Machine {
    name: String,
    archive: PathBuf,
}

/// Every `.test` of a folder. Those that tell hwloc to change what it found are of no use here.
fn machines(folder: &Path) -> Vec<Machine> {
    const CHANGES: [&str; 6] = [
        "--merge",
        "--disallowed",
        "--no-caches",
        "--ignore",
        "--filter",
        "-kept",
    ];
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut tests: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|e| e == "test"))
        .collect();
    tests.sort();
    let machine = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let source = text.lines().find_map(|line| line.strip_prefix("source:"))?;
        let name = path.file_stem()?.to_str()?.to_owned();
        let archive = folder.join(source.trim());
        let same = |word: &&str| text.contains(*word) || name.contains(*word);
        (archive.exists() && !CHANGES.iter().any(same)).then_some(Machine { name, archive })
    };
    tests.into_iter().filter_map(machine).collect()
}

/// The counts of the independent parser, where the folder has them.
fn counted(folder: &Path) -> Vec<Value> {
    let Ok(index) = fs::read_to_string(folder.join("facts.json")) else {
        return Vec::new();
    };
    let index: Value = serde_json::from_str(&index).unwrap();
    let machines = index["machines"].as_array().unwrap().clone();
    assert!(machines.len() >= 15);
    machines
}

fn differences(folder: &Path, machine: &Machine, counted: &[Value]) -> Vec<Difference> {
    let dir = unpacked(&machine.archive);
    let top = fs::read_dir(dir.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let (facts, problems) = read(&Root::at(&top));
    same_from_afar(&machine.name, &facts, &top);

    let mut differences = Differences::default();
    differences.check("problems", "", join(&problems));
    differences.check("contradictions", "", join(facts.contradictions()));
    let json = serde_json::to_string(&facts).unwrap();
    assert_eq!(
        Facts::from_json(&json).unwrap(),
        facts,
        "{} does not survive JSON",
        machine.name
    );
    coherent(&facts);
    let is = |counts: &&Value| {
        counts["name"]
            .as_str()
            .unwrap()
            .trim_start_matches("hwloc-")
            == machine.name
    };
    if let Some(counts) = counted.iter().find(is) {
        check_counts(&mut differences, &facts, counts);
    }
    let shipped = Shipped::of(folder, &machine.name);
    differences
        .0
        .extend(Comparison::new(&facts, &shipped).everything().0);
    differences.0
}

/// What a shell tells of a machine is what its files tell, but for the reader's own control group.
fn same_from_afar(name: &str, near: &Facts, top: &Path) {
    let mut far = Far::parse(&printed_in(top).unwrap()).unwrap().facts().0;
    far.cpus.allowed = near.cpus.allowed.clone();
    far.cpus.affinity = near.cpus.affinity.clone();
    far.allowed_nodes = near.allowed_nodes.clone();
    far.cgroup = near.cgroup.clone();
    far.page_bytes = near.page_bytes;
    far.kernel.arch = near.kernel.arch.clone();
    assert_eq!(far, *near, "{name}");
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
fn check_counts(differences: &mut Differences, facts: &Facts, machine: &Value) {
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
    let mut check = |key: &str, ours: String| {
        differences.check(&format!("count of {key}"), plain(&machine[key]), ours)
    };
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
