//! Recorded facts of mixed machines: saved trees of real ones where they are (as `tests/topologies.rs` looks for them),
//! else made up.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use infra_api::facts::{Cpu, HugePages, L3, Node, NodeKind, Used};
use infra_api::{Facts, IdSet};
use infra_kernel::{Root, read};

const GIB: u64 = 1 << 30;

/// A machine with fewer CPUs is no server.
const SERVER_CPUS: usize = 8;

/// All kinds of machines there are.
pub(crate) fn machines() -> Vec<Facts> {
    let mut machines = found();
    if machines.is_empty() {
        machines = made();
    }
    for machine in &mut machines {
        furnish(machine);
    }
    machines
}

/// Facts of one host: like others of its kind, but for its name, what is free just now, and on some what is there already.
pub(crate) fn of(machines: &[Facts], n: usize, name: &str) -> Facts {
    let mut facts = machines[n % machines.len()].clone();
    facts.hostname = Some(name.to_owned());
    let taken = GIB + (n as u64 * 7919 % 1024) * (1 << 20);
    let less = |bytes: &mut Option<u64>| *bytes = bytes.map(|b| b.saturating_sub(taken));
    less(&mut facts.memory_available_bytes);
    facts.nodes.iter_mut().for_each(|n| less(&mut n.free_bytes));
    if n % 20 == 7 {
        let last = facts.usable_cpus().iter().last();
        facts.used.push(Used {
            owner: "docker:monitoring".to_owned(),
            exclusive_cpus: last.into_iter().collect(),
            memory_bytes: Some(GIB),
            ..Used::default()
        });
    }
    facts
}

fn found() -> Vec<Facts> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/topologies");
    let folder = std::env::var_os("INFRA_TOPOLOGIES").map_or(beside, PathBuf::from);
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut archives: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    archives.retain(|path| path.to_string_lossy().ends_with(".tar.bz2"));
    archives.sort();
    let server = |facts: &Facts| {
        let whole = facts.nodes.iter().any(|n| n.kind == NodeKind::Normal);
        facts.usable_cpus().len() >= SERVER_CPUS && whole && facts.contradictions().is_empty()
    };
    archives.iter().map(|a| tree(a)).filter(server).collect()
}

fn tree(archive: &Path) -> Facts {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let mut tar = Command::new("tar");
    tar.arg("-xjf").arg(archive).arg("-C").arg(directory.path());
    let unpacked = tar.status().is_ok_and(|status| status.success());
    assert!(unpacked, "{} cannot be unpacked", archive.display());
    let mut entries = fs::read_dir(directory.path()).expect("a folder");
    let root = entries.next().expect("a tree").expect("a tree").path();
    read(&Root::at(root)).0
}

/// Nodes, cores on each, threads of a core, cores that share an L3.
const MADE: [(u32, u32, u32, u32); 5] = [
    (2, 16, 2, 16),
    (2, 32, 2, 8),
    (8, 12, 2, 4),
    (1, 16, 1, 16),
    (4, 10, 2, 10),
];

fn made() -> Vec<Facts> {
    MADE.map(|(nodes, cores, threads, shared)| {
        let all = nodes * cores;
        let siblings = |core: u32| (0..threads).map(|t| core + t * all).collect::<IdSet>();
        let cpus = |cores: std::ops::Range<u32>| {
            cores
                .flat_map(|c| siblings(c).iter().collect::<Vec<_>>())
                .collect::<IdSet>()
        };
        let cpu = |id: u32| {
            let core = id % all;
            Cpu {
                id,
                core: Some(core),
                package: Some(core / cores),
                l3: Some(core / shared),
                node: Some(core / cores),
                siblings: siblings(core),
                ..Cpu::default()
            }
        };
        let node = |id: u32| Node {
            id,
            cpus: cpus(id * cores..(id + 1) * cores),
            memory_bytes: Some(0),
            distances: (0..nodes)
                .map(|to| (to, if to == id { 10 } else { 21 }))
                .collect::<BTreeMap<_, _>>(),
            ..Node::default()
        };
        let l3 = |id: u32| L3 {
            id,
            cpus: cpus(id * shared..(id + 1) * shared),
            size_bytes: Some(32 << 20),
        };
        let mut facts = Facts::default();
        facts.cpus.online = (0..all * threads).collect();
        facts.cpus.list = (0..all * threads).map(cpu).collect();
        facts.nodes = (0..nodes).map(node).collect();
        facts.l3 = (0..all / shared).map(l3).collect();
        facts
    })
    .to_vec()
}

/// What every server of the fleet has: 4 GiB for each CPU, a quarter of it in pages of 1 GiB where the machine knows them
/// or is made up, Docker, libvirt and KVM.
fn furnish(facts: &mut Facts) {
    let recorded = include_str!("../../tests/hosts/r1.json");
    let recorded = Facts::from_json(recorded).expect("recorded facts");
    let huge = facts.nodes.len() > 1;
    facts.hugepages.clear();
    let mut all = 0;
    for node in &mut facts.nodes {
        if node.kind != NodeKind::Normal {
            continue;
        }
        let bytes = (node.cpus.len() as u64 * 4).max(8) * GIB;
        node.memory_bytes = Some(bytes);
        node.free_bytes = Some(bytes);
        node.hugepages = Vec::new();
        if huge {
            node.hugepages.push(pages(bytes / 4 / GIB));
        }
        all += bytes;
    }
    if huge {
        facts.hugepages.push(pages(all / 4 / GIB));
        facts.default_hugepage_bytes = Some(GIB);
    }
    facts.memory_bytes = Some(all);
    facts.memory_available_bytes = Some(all);
    facts.kernel = recorded.kernel;
    facts.cgroup = recorded.cgroup;
    facts.versions = recorded.versions;
    facts.runtimes = recorded.runtimes;
    facts.docker = recorded.docker;
    facts.libvirt = recorded.libvirt;
}

fn pages(count: u64) -> HugePages {
    HugePages {
        size_bytes: GIB,
        total: Some(count),
        free: Some(count),
        reserved: Some(0),
        surplus: Some(0),
    }
}
