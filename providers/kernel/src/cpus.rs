//! CPUs: which there are, and how threads, cores, dies and packages hang together.

use infra_api::IdSet;
use infra_api::facts::{Cpu, CpuKind, Cpus, L3, Node};

use crate::partition::{Division, Group, partition};
use crate::reader::Reader;
use crate::{kinds, task};

pub(crate) const CPU: &str = "sys/devices/system/cpu";

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
    let present = present(reader, online);
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
        smt_control: reader.line(&format!("{CPU}/smt/control")),
        smt_active: smt_active(reader),
        list: list(reader, online, nodes, l3),
    }
}

/// CPUs that are plugged in. Old kernels do not list them: those are the directories, of which a
/// saved tree may lack some.
fn present(reader: &Reader<'_>, online: &IdSet) -> Option<IdSet> {
    listed_present(reader).or_else(|| {
        let ids = reader.ids(CPU, "cpu");
        (!ids.is_empty()).then(|| &ids | online)
    })
}

pub(crate) fn listed_present(reader: &Reader<'_>) -> Option<IdSet> {
    reader.list(&format!("{CPU}/present"))
}

/// Some kernels print a null pointer where the set is empty.
fn nohz_full(reader: &Reader<'_>) -> Option<IdSet> {
    let path = format!("{CPU}/nohz_full");
    match reader.text(&path)?.as_str() {
        "(null)" => Some(IdSet::new()),
        _ => reader.list(&path),
    }
}

fn smt_active(reader: &Reader<'_>) -> Option<bool> {
    let active: u32 = reader.number(&format!("{CPU}/smt/active"))?;
    Some(active != 0)
}

/// The divisions a CPU's record refers to.
struct Divisions<'a> {
    cores: Division,
    clusters: Division,
    dies: Division,
    packages: Division,
    books: Division,
    drawers: Division,
    l3: &'a [L3],
    nodes: &'a [Node],
    kinds: Vec<(CpuKind, IdSet)>,
}

fn list(reader: &Reader<'_>, online: &IdSet, nodes: &[Node], l3: &[L3]) -> Vec<Cpu> {
    let by = |names: &[&str], number: &str| {
        let division = partition(online, |cpu| shared(reader, cpu, names, number));
        division.tell(reader, |cpu| reader.which(&topology(cpu), names));
        division
    };
    let divisions = Divisions {
        cores: partition(online, |cpu| core(reader, cpu)),
        clusters: by(&["cluster_cpus"], "cluster_id"),
        dies: by(&["die_cpus"], "die_id"),
        packages: by(&["package_cpus", "core_siblings"], "physical_package_id"),
        books: by(&["book_cpus", "book_siblings"], "book_id"),
        drawers: by(&["drawer_cpus", "drawer_siblings"], "drawer_id"),
        l3,
        nodes,
        kinds: kinds::read(reader, online),
    };
    online
        .iter()
        .map(|id| record(reader, &divisions, id))
        .collect()
}

fn record(reader: &Reader<'_>, divisions: &Divisions<'_>, id: u32) -> Cpu {
    let core = divisions.cores.of(id);
    let holds = |cpus: &IdSet| cpus.contains(id);
    let number = |division: &Division| division.of(id).map(|group| group.id);
    Cpu {
        id,
        core: core.map(|group| group.id),
        cluster: divisions
            .clusters
            .of(id)
            .filter(|cluster| core.is_some_and(|core| core.cpus != cluster.cpus))
            .map(|cluster| cluster.id),
        die: number(&divisions.dies),
        package: number(&divisions.packages),
        book: number(&divisions.books),
        drawer: number(&divisions.drawers),
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
        siblings: siblings(divisions, core, id),
        max_frequency_khz: reader.number(&format!("{CPU}/cpu{id}/cpufreq/cpuinfo_max_freq")),
        capacity: kinds::capacity(reader, id),
        kind: divisions
            .kinds
            .iter()
            .find(|(_, cpus)| holds(cpus))
            .map(|(kind, _)| *kind),
    }
}

/// The threads of a CPU's core. Where CPUs contradict each other about it, each record has its
/// own CPU's word: the contradiction is for whoever reads the facts to find.
fn siblings(divisions: &Divisions<'_>, core: Option<&Group>, id: u32) -> IdSet {
    let said = divisions.cores.denied(id).cloned();
    said.or_else(|| core.map(|group| group.cpus.clone()))
        .unwrap_or_else(|| IdSet::from([id]))
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

/// The set a CPU shares something with, and the kernel's number of that set.
fn shared(
    reader: &Reader<'_>,
    cpu: u32,
    names: &[&str],
    number: &str,
) -> Option<(IdSet, Option<u32>)> {
    let cpus = topology_set(reader, cpu, names)?;
    Some((cpus, topology_id(reader, cpu, number)))
}

fn topology(cpu: u32) -> String {
    format!("{CPU}/cpu{cpu}/topology")
}

fn topology_id(reader: &Reader<'_>, cpu: u32, name: &str) -> Option<u32> {
    reader.id(&format!("{}/{name}", topology(cpu)))
}

fn topology_set(reader: &Reader<'_>, cpu: u32, names: &[&str]) -> Option<IdSet> {
    reader.mask_or_list(&topology(cpu), names)
}
