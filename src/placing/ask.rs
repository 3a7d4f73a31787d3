//! What a workload asks of a host, as one runtime.

use infra_api::{Address, CpuPolicy, Placement, Runtime, Threads};
use infra_place::{Ask, Cpus, Memory, Policy};

use crate::declared::Workload;

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
            ..Ask::default()
        };
        Self {
            address: address.clone(),
            ask,
            placement,
        }
    }
}

/// What it asks as this.
pub(super) fn ask(workload: &Workload, runtime: Runtime) -> Ask {
    let bytes = workload.memory.size_bytes.as_ref().map_or(0, |s| s.value);
    let page_size = workload.memory.page_size_bytes.as_ref().map(|p| p.value);
    let page_size = page_size.filter(|size| runtime == Runtime::Kvm && *size > 0 && bytes > 0);
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
            page_sizes: page_size.into_iter().collect(),
            nodes: workload.memory.nodes.as_ref().map(|n| n.value.clone()),
        },
        helpers: if runtime == Runtime::Kvm {
            helpers.unwrap_or(0)
        } else {
            0
        },
        ..Ask::default()
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
