//! CPUs: which there are, and how threads, cores, dies and packages hang together.

use infra_api::IdSet;
use infra_api::facts::{Cpu, CpuKind, Cpus, L3, Node};

use crate::partition::{Group, group_of, partition};
use crate::reader::Reader;
use crate::task;

const CPU: &str = "sys/devices/system/cpu";

/// The CPUs the kernel schedules on. Old kernels do not list them: those are the directories whose
/// `online` does not say 0 (a CPU that cannot be switched off has no such file).
pub(crate) fn online(reader: &Reader<'_>) -> IdSet {
    let online = reader.list(&format!("{CPU}/online")).unwrap_or_else(|| {
        let ids = reader.ids(CPU, "cpu");
        ids.iter().filter(|id| switched_on(reader, *id)).collect()
    });
    if online.is_empty() {
        reader.problem(CPU, "no online CPU was found here");
    }
    online
}

fn switched_on(reader: &Reader<'_>, id: u32) -> bool {
    reader.text(&format!("{CPU}/cpu{id}/online")).as_deref() != Some("0")
}

pub(crate) fn read(
    reader: &Reader<'_>,
    online: &IdSet,
    nodes: &[Node],
    l3: &[L3],
    limit: Option<&IdSet>,
) -> Cpus {
    let present = present(reader);
    Cpus {
        online: online.clone(),
        // The kernel's own `offline` also lists CPUs that could be plugged in one day.
        offline: present.as_ref().map(|present| present - online),
        present,
        possible: reader.list(&format!("{CPU}/possible")),
        isolated: reader.list(&format!("{CPU}/isolated")),
        nohz_full: nohz_full(reader),
        allowed: limit.map(|limit| limit & online),
        affinity: task::affinity(reader),
        list: list(reader, online, nodes, l3),
    }
}

fn present(reader: &Reader<'_>) -> Option<IdSet> {
    let listed = reader.list(&format!("{CPU}/present"));
    listed.or_else(|| Some(reader.ids(CPU, "cpu")).filter(|ids| !ids.is_empty()))
}

/// Some kernels print a null pointer where the set is empty.
fn nohz_full(reader: &Reader<'_>) -> Option<IdSet> {
    let path = format!("{CPU}/nohz_full");
    match reader.text(&path)?.as_str() {
        "(null)" => Some(IdSet::new()),
        _ => reader.list(&path),
    }
}

/// The divisions a CPU's record refers to.
struct Divisions<'a> {
    cores: Vec<Group>,
    dies: Vec<Group>,
    packages: Vec<Group>,
    l3: &'a [L3],
    nodes: &'a [Node],
    kinds: Vec<(CpuKind, IdSet)>,
}

fn list(reader: &Reader<'_>, online: &IdSet, nodes: &[Node], l3: &[L3]) -> Vec<Cpu> {
    let divisions = Divisions {
        cores: partition(online, |cpu| core(reader, cpu)),
        dies: partition(online, |cpu| die(reader, cpu)),
        packages: partition(online, |cpu| package(reader, cpu)),
        l3,
        nodes,
        kinds: kinds(reader),
    };
    online
        .iter()
        .map(|id| record(reader, &divisions, id))
        .collect()
}

fn record(reader: &Reader<'_>, divisions: &Divisions<'_>, id: u32) -> Cpu {
    let core = group_of(&divisions.cores, id);
    let holds = |cpus: &IdSet| cpus.contains(id);
    Cpu {
        id,
        core: core.map(|group| group.id),
        die: group_of(&divisions.dies, id).map(|group| group.id),
        package: group_of(&divisions.packages, id).map(|group| group.id),
        l3: divisions
            .l3
            .iter()
            .find(|l3| holds(&l3.cpus))
            .map(|l3| l3.id),
        node: divisions
            .nodes
            .iter()
            .find(|node| holds(&node.cpus))
            .map(|node| node.id),
        siblings: core.map_or_else(|| IdSet::from([id]), |group| group.cpus.clone()),
        max_frequency_khz: reader.number(&format!("{CPU}/cpu{id}/cpufreq/cpuinfo_max_freq")),
        capacity: reader.number(&format!("{CPU}/cpu{id}/cpu_capacity")),
        kind: divisions
            .kinds
            .iter()
            .find(|(_, cpus)| holds(cpus))
            .map(|(kind, _)| *kind),
    }
}

/// The threads of a CPU's core. Some processors call cores siblings that only share a unit (an FPU
/// or a cache); these have core numbers of their own.
fn core(reader: &Reader<'_>, cpu: u32) -> Option<(IdSet, Option<u32>)> {
    let number = |cpu: u32| topology_id(reader, cpu, "core_id");
    let siblings = topology_set(reader, cpu, &["core_cpus", "thread_siblings"])?;
    let own = number(cpu);
    let threads = siblings
        .iter()
        .filter(|sibling| own.is_none() || number(*sibling) == own);
    Some((threads.collect(), own))
}

fn die(reader: &Reader<'_>, cpu: u32) -> Option<(IdSet, Option<u32>)> {
    let cpus = topology_set(reader, cpu, &["die_cpus"])?;
    Some((cpus, topology_id(reader, cpu, "die_id")))
}

fn package(reader: &Reader<'_>, cpu: u32) -> Option<(IdSet, Option<u32>)> {
    let cpus = topology_set(reader, cpu, &["package_cpus", "core_siblings"])?;
    Some((cpus, topology_id(reader, cpu, "physical_package_id")))
}

fn topology_id(reader: &Reader<'_>, cpu: u32, name: &str) -> Option<u32> {
    reader.id(&format!("{CPU}/cpu{cpu}/topology/{name}"))
}

fn topology_set(reader: &Reader<'_>, cpu: u32, names: &[&str]) -> Option<IdSet> {
    reader.mask_or_list(&format!("{CPU}/cpu{cpu}/topology"), names)
}

/// Hybrid processors have one performance monitor for each kind of core, with its CPUs.
fn kinds(reader: &Reader<'_>) -> Vec<(CpuKind, IdSet)> {
    let monitors = [
        (CpuKind::Performance, "sys/devices/cpu_core/cpus"),
        (CpuKind::Efficiency, "sys/devices/cpu_atom/cpus"),
    ];
    let known = monitors
        .into_iter()
        .filter_map(|(kind, path)| Some((kind, reader.list(path)?)));
    known.collect()
}
