//! How a workload is placed of which something is left as it is.

use std::borrow::Cow;

use infra_api::{Cell, IdSet, Placement, Runtime, Threads};
use infra_lang::Ignore;

use super::{CPUS, DEVICE, MEMORY, MEMORY_NODES, MEMORY_SIZE, OF_CELLS, PAGE_SIZE};
use crate::choose::{Homes, allows};
use crate::decide::Inputs;
use crate::declared::{At, Declared, Device, DeviceKind, DeviceNear, Numa, NumaCell, Workload};
use crate::inventory::HostInventory;

/// The declarations as they are decided on. What is left on its CPUs is asked for with exactly these, on its host:
/// placed elsewhere, it would still run where it is, and somebody else might be given its CPUs.
pub(in crate::decide) fn left<'a>(inputs: &Inputs<'a>) -> Cow<'a, Declared> {
    let mut left = Cow::Borrowed(inputs.declared);
    for (index, workload) in inputs.declared.workloads.iter().enumerate() {
        let Some(before) = inputs.prior.get(&workload.address) else {
            continue;
        };
        if workload.ignore_changes == Ignore::default() {
            continue;
        }
        let host = inputs.inventory.hosts.get(&before.host);
        if let Some(host) = host.filter(|host| stays(workload, before, host, inputs.homes)) {
            let workload = &mut left.to_mut().workloads[index];
            if ignores(workload, &[DEVICE]) {
                with_its_devices(workload, before);
            }
            if ignores(workload, OF_CELLS) && in_its_cells(workload, before) {
                continue;
            }
            if ignores(workload, &[CPUS]) {
                on_its_cpus(workload, before, host);
            }
            in_its_memory(workload, before);
        }
    }
    left
}

fn ignores(workload: &Workload, words: &[&str]) -> bool {
    match &workload.ignore_changes {
        Ignore::All => true,
        Ignore::These(written) => words.iter().any(|word| written.contains(*word)),
    }
}

/// Whether it is where it was: with `all` wherever the declaration would have it, else where it still may run.
fn stays(workload: &Workload, before: &Placement, host: &HostInventory, homes: &Homes) -> bool {
    match workload.ignore_changes {
        Ignore::All => workload.has_form(before.runtime),
        Ignore::These(_) => allows(workload, before.runtime, host, homes),
    }
}

fn where_it_runs(workload: &mut Workload, before: &Placement) {
    let span = workload.origin;
    workload.host = Some(At {
        value: before.host.clone(),
        span,
    });
    workload.runtime = Some(At {
        value: before.runtime,
        span,
    });
}

fn on_its_cpus(workload: &mut Workload, before: &Placement, host: &HostInventory) {
    let span = workload.origin;
    where_it_runs(workload, before);
    let value = before.cpus();
    let vcpus = before
        .cells
        .iter()
        .map(|cell| cell.vcpus.len())
        .sum::<usize>();
    let cpus = &mut workload.cpus;
    cpus.policy = before.policy;
    cpus.count = u32::try_from(vcpus).unwrap_or(cpus.count);
    if !lie(&value, cpus.threads, host) {
        cpus.threads = Threads::Any;
    }
    cpus.set = (!value.is_empty()).then_some(At { value, span });
}

/// Cells are kept whole: a part of one is no cell. False: there are none to keep, and none are made either.
fn in_its_cells(workload: &mut Workload, before: &Placement) -> bool {
    let span = workload.origin;
    let bytes = |value: u64| (value > 0).then_some(At { value, span });
    let full = before.cells.iter().all(|cell| !cell.vcpus.is_empty());
    if workload.numa.count().is_none() || before.cells.len() < 2 || !full {
        workload.numa = Numa::default();
        return false;
    }
    let cell = |cell: &Cell| NumaCell {
        cpus: u32::try_from(cell.vcpus.len()).unwrap_or(u32::MAX),
        memory_bytes: bytes(cell.memory_bytes),
        page_sizes: Some(At {
            value: vec![cell.page_size_bytes.unwrap_or(0)],
            span,
        }),
        span,
    };
    workload.numa = Numa {
        nodes: None,
        on: Some(At {
            value: before.nodes(),
            span,
        }),
        cells: before.cells.iter().map(cell).collect(),
        span: Some(span),
    };
    where_it_runs(workload, before);
    workload.cpus.policy = before.policy;
    workload.cpus.set = None;
    workload.cpus.count = workload.numa.cells.iter().map(|cell| cell.cpus).sum();
    workload.memory.size_bytes = bytes(before.memory_bytes());
    workload.memory.nodes = None;
    true
}

/// These and no others, wherever they are.
fn with_its_devices(workload: &mut Workload, before: &Placement) {
    let device = |address: &String| Device {
        kind: DeviceKind::Pci(address.clone()),
        count: 1,
        near: DeviceNear::Anywhere,
        required: false,
        span: workload.origin,
    };
    workload.devices = before.devices.iter().map(device).collect();
}

/// Whether CPUs lie to each other as is asked now; they were chosen when something else may have been.
fn lie(cpus: &IdSet, threads: Threads, host: &HostInventory) -> bool {
    let mut siblings = cpus.iter().map(|cpu| host.siblings(cpu));
    match threads {
        Threads::Any | Threads::Prefer => true,
        Threads::Require => siblings.all(|core| core.is_subset(cpus)),
        Threads::Isolate => siblings.all(|core| (&core & cpus).len() == 1),
    }
}

/// What it keeps of its memory is promised to nobody else.
fn in_its_memory(workload: &mut Workload, before: &Placement) {
    let span = workload.origin;
    let Some(first) = before.cells.first() else {
        return;
    };
    if ignores(workload, &[MEMORY, MEMORY_SIZE]) && first.memory_bytes > 0 {
        let value = first.memory_bytes;
        workload.memory.size_bytes = Some(At { value, span });
    }
    let with_cpus = before.runtime == Runtime::Container && ignores(workload, &[CPUS]);
    let nodes = before.nodes();
    if (ignores(workload, &[MEMORY, MEMORY_NODES]) || with_cpus) && !nodes.is_empty() {
        workload.memory.nodes = Some(At { value: nodes, span });
    }
    if ignores(workload, &[MEMORY, PAGE_SIZE]) {
        let size = first.page_size_bytes;
        workload.memory.page_sizes = size.map(|size| At {
            value: vec![size],
            span,
        });
    }
}
