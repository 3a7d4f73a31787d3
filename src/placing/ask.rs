//! What a workload asks of a host, as one runtime.

use infra_api::{Address, CpuPolicy, IdSet, Placement, Runtime};

use crate::declared::{Threads, Workload};

/// Memory QEMU uses beside the guest's, per machine, in bytes; per vCPU, in bytes; and one byte for so many of the
/// guest's. From KubeVirt's own accounting (240 MiB + 8 MiB per vCPU + RAM/512), read 2026-08.
const MACHINE_BYTES: u64 = 240 << 20;
const VCPU_BYTES: u64 = 8 << 20;
const GUEST_BYTES_PER_BYTE: u64 = 512;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Ask {
    pub address: Address,
    pub runtime: Runtime,
    pub policy: CpuPolicy,
    pub threads: Threads,
    pub cpus: u32,
    pub set: Option<IdSet>,
    /// Its own memory.
    pub memory_bytes: u64,
    /// What running it takes beside.
    pub overhead_bytes: u64,
    pub nodes: Option<IdSet>,
    pub page_size_bytes: Option<u64>,
}

impl Ask {
    #[must_use]
    pub fn new(workload: &Workload, runtime: Runtime) -> Self {
        let memory_bytes = workload.memory.size_bytes.as_ref().map_or(0, |s| s.value);
        Self {
            address: workload.address.clone(),
            runtime,
            policy: workload.cpus.policy,
            threads: workload.cpus.threads,
            cpus: workload.cpus.count,
            set: workload.cpus.set.as_ref().map(|s| s.value.clone()),
            memory_bytes,
            overhead_bytes: overhead(runtime, memory_bytes, workload.cpus.count),
            nodes: workload.memory.nodes.as_ref().map(|n| n.value.clone()),
            page_size_bytes: workload
                .memory
                .page_size_bytes
                .as_ref()
                .map(|p| p.value)
                .filter(|size| runtime == Runtime::Kvm && *size > 0),
        }
    }

    /// What a workload has at its place, asked again in the same words: of one that is left as it is.
    #[must_use]
    pub fn held(address: &Address, placement: &Placement, threads: Threads) -> Self {
        let memory_bytes = placement.memory_bytes();
        let vcpus: usize = placement.cells.iter().map(|cell| cell.vcpus.len()).sum();
        let cpus = u32::try_from(vcpus).unwrap_or(u32::MAX);
        let (nodes, own) = (placement.nodes(), placement.cpus());
        Self {
            address: address.clone(),
            runtime: placement.runtime,
            policy: placement.policy,
            threads,
            cpus,
            set: (!own.is_empty()).then_some(own),
            memory_bytes,
            overhead_bytes: overhead(placement.runtime, memory_bytes, cpus),
            nodes: (!nodes.is_empty()).then_some(nodes),
            page_size_bytes: placement.cells.iter().find_map(|c| c.page_size_bytes),
        }
    }

    /// Ordinary memory it takes; huge pages are counted apart.
    #[must_use]
    pub fn ordinary_bytes(&self) -> u64 {
        let own = if self.page_size_bytes.is_some() {
            0
        } else {
            self.memory_bytes
        };
        own.saturating_add(self.overhead_bytes)
    }

    /// Whole pages it takes, with their size.
    #[must_use]
    pub fn pages(&self) -> Option<(u64, u64)> {
        self.page_size_bytes
            .map(|size| (size, self.memory_bytes.div_ceil(size)))
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
