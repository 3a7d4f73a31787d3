//! What a workload asks of a host, as one runtime.

use infra_api::{Address, CpuPolicy, Placement, Runtime, Threads, Variant};
use infra_place::{Ask, Cell, Cpus, Memory, Numa, Policy};

use super::devices;
use super::served::Served;
use crate::choose;
use crate::declared::{self, NumaCell, Pages, Workload};

/// Memory QEMU uses beside the guest's, per machine, in bytes; per vCPU, in bytes; and one byte for so many of the
/// guest's. From KubeVirt's own accounting (240 MiB + 8 MiB per vCPU + RAM/512), read 2026-08.
const MACHINE_BYTES: u64 = 240 << 20;
const VCPU_BYTES: u64 = 8 << 20;
const GUEST_BYTES_PER_BYTE: u64 = 512;

/// What a workload has that is left as it is, asked again in the same words, and where.
#[derive(Clone, Debug)]
pub struct Held {
    pub address: Address,
    pub ask: Ask,
    pub placement: Placement,
}

impl Held {
    #[must_use]
    pub fn new(address: &Address, placement: Placement, threads: Threads) -> Self {
        let vcpus: usize = placement.cells.iter().map(|cell| cell.vcpus.len()).sum();
        let count = u32::try_from(vcpus).unwrap_or(u32::MAX);
        let (nodes, own, bytes) = (
            placement.nodes(),
            placement.cpus(),
            placement.memory_bytes(),
        );
        let ask = Ask {
            cpus: Cpus {
                count,
                policy: policy(placement.policy, threads),
                // Who is left out cannot be asked to leave CPUs either that he shares.
                set: (!own.is_empty()).then_some(own),
                ..Cpus::default()
            },
            memory: Memory {
                bytes,
                overhead_bytes: overhead(placement.runtime, bytes, count),
                page_sizes: placement
                    .cells
                    .iter()
                    .find_map(|c| c.page_size_bytes)
                    .into_iter()
                    .collect(),
                nodes: (!nodes.is_empty()).then_some(nodes),
            },
            numa: cells(&placement),
            ..Ask::default()
        };
        Self {
            address: address.clone(),
            ask,
            placement,
        }
    }
}

/// Shared CPUs in several cells are told apart by these; to others they are where they are.
fn cells(placement: &Placement) -> Numa {
    let full = placement.cells.iter().all(|cell| !cell.vcpus.is_empty());
    if placement.policy == CpuPolicy::Dedicated || placement.cells.len() < 2 || !full {
        return Numa::Auto;
    }
    let cell = |cell: &infra_api::Cell| Cell {
        cpus: u32::try_from(cell.vcpus.len()).unwrap_or(u32::MAX),
        bytes: cell.memory_bytes,
        page_sizes: cell.page_size_bytes.into_iter().collect(),
    };
    Numa::Cells(placement.cells.iter().map(cell).collect())
}

/// What it asks as one of its variants.
pub(super) fn as_one(workload: &Workload, variant: Variant, served: &Served) -> Ask {
    match variant.with.is_empty() {
        true => ask(workload, variant.runtime, served),
        false => {
            let with = choose::with(workload, variant.runtime, variant.with);
            ask(&with, variant.runtime, served)
        }
    }
}

/// What it asks as this.
fn ask(workload: &Workload, runtime: Runtime, served: &Served) -> Ask {
    let bytes = workload.memory.size_bytes.as_ref().map_or(0, |s| s.value);
    let pages = |pages: Option<&Pages>| {
        let pages = pages.filter(|_| runtime == Runtime::Kvm && bytes > 0);
        pages.map_or_else(Vec::new, |pages| pages.value.clone())
    };
    let named = workload.numa.named(&workload.memory);
    let helpers = workload
        .kvm
        .as_ref()
        .and_then(|kvm| kvm.emulator_cpus.as_ref())
        .map(|n| n.value);
    Ask {
        cpus: Cpus {
            count: workload.cpus.count,
            policy: policy(workload.cpus.policy, workload.cpus.threads),
            set: workload.cpus.set.as_ref().map(|s| s.value.clone()),
            l3: workload.cpus.l3,
        },
        memory: Memory {
            bytes,
            overhead_bytes: overhead(runtime, bytes, workload.cpus.count),
            page_sizes: pages(workload.memory.page_sizes.as_ref()),
            nodes: named.map(|nodes| nodes.value.clone()),
        },
        numa: numa(&workload.numa, &pages),
        helpers: if runtime == Runtime::Kvm {
            helpers.unwrap_or(0)
        } else {
            0
        },
        devices: match runtime {
            Runtime::Kvm => devices::asked(workload),
            Runtime::Container | Runtime::BareMetal => Vec::new(),
        },
        serves: match runtime {
            Runtime::Kvm => served.asked(workload),
            Runtime::Container | Runtime::BareMetal => Vec::new(),
        },
    }
}

/// `pages`: the sizes of a cell, as the runtime has them.
fn numa(asked: &declared::Numa, pages: &dyn Fn(Option<&Pages>) -> Vec<u64>) -> Numa {
    let cell = |cell: &NumaCell| Cell {
        cpus: cell.cpus,
        bytes: cell.memory_bytes.as_ref().map_or(0, |m| m.value),
        page_sizes: pages(cell.page_sizes.as_ref()),
    };
    match (asked.cells.as_slice(), asked.count()) {
        ([], Some(count)) => Numa::Nodes(count),
        ([], None) => Numa::Auto,
        (cells, _) => Numa::Cells(cells.iter().map(cell).collect()),
    }
}

fn policy(policy: CpuPolicy, threads: Threads) -> Policy {
    match policy {
        CpuPolicy::Shared => Policy::Shared,
        CpuPolicy::Dedicated => Policy::Dedicated(threads),
    }
}

fn overhead(runtime: Runtime, memory: u64, vcpus: u32) -> u64 {
    match runtime {
        Runtime::Kvm => {
            MACHINE_BYTES + VCPU_BYTES * u64::from(vcpus) + memory / GUEST_BYTES_PER_BYTE
        }
        Runtime::Container | Runtime::BareMetal => 0,
    }
}
