//! Kinds of cores of a hybrid processor.

use infra_api::IdSet;
use infra_api::facts::CpuKind;

use crate::cpus::CPU;
use crate::reader::Reader;

/// The CPUs of each kind; empty where all are alike, or nothing tells them apart.
pub(crate) fn read(reader: &Reader<'_>, online: &IdSet) -> Vec<(CpuKind, IdSet)> {
    let kinds = monitors(reader);
    if kinds.is_empty() {
        by_capacity(reader, online)
    } else {
        kinds
    }
}

/// Intel's hybrid processors have one performance monitor for each kind of core, with its CPUs.
fn monitors(reader: &Reader<'_>) -> Vec<(CpuKind, IdSet)> {
    let monitors = [
        (CpuKind::Performance, "sys/devices/cpu_core/cpus"),
        (CpuKind::Efficiency, "sys/devices/cpu_atom/cpus"),
        (CpuKind::Efficiency, "sys/devices/cpu_lowpower/cpus"),
    ];
    let known = monitors
        .into_iter()
        .filter_map(|(kind, path)| Some((kind, reader.list(path)?)));
    known.collect()
}

/// How much a CPU computes beside the largest one.
pub(crate) fn capacity(reader: &Reader<'_>, cpu: u32) -> Option<u32> {
    reader.number(&format!("{CPU}/cpu{cpu}/cpu_capacity"))
}

/// Where the smallest CPUs compute less than three quarters of what the largest do, they and those
/// at most a tenth above them are one kind and all others the other. Smaller differences are those
/// of one design.
fn by_capacity(reader: &Reader<'_>, online: &IdSet) -> Vec<(CpuKind, IdSet)> {
    let known = online
        .iter()
        .filter_map(|cpu| Some((cpu, capacity(reader, cpu)?)));
    let known: Vec<(u32, u64)> = known.map(|(cpu, size)| (cpu, u64::from(size))).collect();
    let sizes = || known.iter().map(|(_, size)| *size);
    let (Some(least), Some(most)) = (sizes().min(), sizes().max()) else {
        return Vec::new();
    };
    if least * 4 >= most * 3 {
        return Vec::new();
    }
    let of = |small: bool| -> IdSet {
        let alike = known
            .iter()
            .filter(|(_, size)| (size * 10 <= least * 11) == small);
        alike.map(|(cpu, _)| *cpu).collect()
    };
    vec![
        (CpuKind::Efficiency, of(true)),
        (CpuKind::Performance, of(false)),
    ]
}
