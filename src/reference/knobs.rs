//! What makes a workload run well, knob by knob: what each does, what it needs, how it is seen that it is so, and where that is
//! known from.

use std::fmt::Write;

const HEAD: &str = "\
# Knobs

Made from the program's own tables; a test keeps it true. Each is an attribute or block of [blocks.md](blocks.md), which has all
its values. *Seen by*: the claim of [verification.md](verification.md) that reads it back from the kernel; where none can, `plan`
and `diff` compare what the daemon says. What each is worth, and to which need, stands in [suitability.md](suitability.md).
";

/// One of them.
pub(crate) struct Knob {
    /// Blocks and the attribute, from the outermost: `workload › kvm › pmu`.
    pub path: &'static [&'static str],
    pub does: &'static str,
    pub needs: &'static str,
    /// Claims of `infra verify`, by name; none: the daemon's word is compared.
    pub seen: &'static [&'static str],
    pub source: &'static str,
}

/// Knobs of one kind.
pub(crate) struct Group {
    pub name: &'static str,
    pub knobs: &'static [Knob],
}

const fn knob(
    path: &'static [&'static str],
    does: &'static str,
    needs: &'static str,
    seen: &'static [&'static str],
    source: &'static str,
) -> Knob {
    Knob {
        path,
        does,
        needs,
        seen,
        source,
    }
}

/// All of them.
pub(crate) const GROUPS: [Group; 5] = [
    Group {
        name: "CPUs",
        knobs: &[
            knob(
                &["workload", "cpus", "policy"],
                "`dedicated`: each vCPU on a CPU of its own (`vcpupin`), a container or unit alone on its CPUs (`cpuset.cpus`). Nobody waits for somebody else's time slice.",
                "free CPUs; without `housekeeping` only workloads are kept off them",
                &[
                    "CPUs",
                    "control group",
                    "dedicated CPUs",
                    "waiting and moving",
                ],
                "libvirt, Domain XML: CPU Tuning; kernel documentation: Control Group v2, Cpuset",
            ),
            knob(
                &["workload", "cpus", "threads"],
                "Whole cores, or one thread of each with the other idle: no neighbour on the same core's units and caches.",
                "dedicated CPUs; cores with several threads",
                &["CPUs"],
                "kernel documentation: `/sys/devices/system/cpu/cpuN/topology/thread_siblings_list`",
            ),
            knob(
                &["workload", "cpus", "l3"],
                "CPUs of one L3 cache, or of one that nobody else has CPUs of.",
                "dedicated CPUs; several L3 caches in a node",
                &["CPUs"],
                "kernel documentation: `/sys/devices/system/cpu/cpuN/cache/indexN/shared_cpu_list`",
            ),
            knob(
                &["workload", "kvm", "emulator_cpus"],
                "CPUs for QEMU's other threads and vhost's (`emulatorpin`, `iothreadpin`): they do not interrupt vCPUs.",
                "a VM; free CPUs on the node of its first vCPUs",
                &["CPUs"],
                "libvirt, Domain XML: CPU Tuning",
            ),
            knob(
                &["workload", "kvm", "dedicated_hint"],
                "The guest is told that its vCPUs are not taken away (`hint-dedicated`): it uses plain spinlocks, and polls before it halts while the host does not (`poll-control`).",
                "KVM; each vCPU on a CPU of its own, else locks would spin while their holder waits",
                &[],
                "kernel documentation: KVM CPUID bits, KVM_HINTS_REALTIME and KVM_FEATURE_POLL_CONTROL; Guest halt polling; libvirt 5.7 and 6.10",
            ),
            knob(
                &["workload", "kvm", "realtime"],
                "The vCPUs' threads are scheduled before all that is not real-time (`vcpusched`, FIFO).",
                "a VM with dedicated CPUs: what else wants to run there waits as long as the guest is busy",
                &["scheduler"],
                "sched(7); libvirt, Domain XML: `vcpusched`",
            ),
            knob(
                &["workload", "kvm", "pmu"],
                "Without performance counters of the guest's none are saved and restored at its entries and exits.",
                "a VM whose guest does not profile",
                &[],
                "libvirt, Domain XML: Hypervisor features",
            ),
            knob(
                &["workload", "kvm", "cpu"],
                "Which CPU the guest sees: the host's own with all it can do, or a model that other hosts have, too, so that it can move.",
                "a VM; a model needs hosts that have it",
                &[],
                "libvirt, Domain XML: CPU model and topology",
            ),
            knob(
                &["workload", "kvm", "topology"],
                "Sockets, cores and threads as the guest sees them: its scheduler treats threads of one core as such.",
                "a VM; threads that are threads of one core on the host: `cpus { threads = \"require\" }`",
                &[],
                "libvirt, Domain XML: CPU model and topology",
            ),
            knob(
                &["workload", "bare_metal", "scheduling"],
                "Class and priority of a unit's processes (`CPUSchedulingPolicy=`, `Nice=`).",
                "a unit; real-time classes need dedicated CPUs to leave others alone",
                &["scheduler"],
                "systemd.exec(5); sched(7)",
            ),
            knob(
                &["host", "housekeeping"],
                "All else of the host, the kernel's unbound workers and movable interrupts among it, stays off dedicated CPUs.",
                "systemd, control groups of version 2",
                &["settings", "dedicated CPUs"],
                "systemd.resource-control(5): `AllowedCPUs=`; kernel documentation: workqueue, IRQ affinity",
            ),
            knob(
                &["host", "kernel", "halt_polling"],
                "So long the host polls for a vCPU that has halted before the CPU sleeps: a wake-up costs less, idle guests cost CPU time.",
                "KVM",
                &["settings"],
                "kernel documentation: The KVM halt polling system",
            ),
            knob(
                &["host", "tuned"],
                "A profile of tuned: C-states, governors, sysctls in one.",
                "tuned on the host",
                &["settings"],
                "tuned-profiles(7); `tuned-adm verify`",
            ),
        ],
    },
    Group {
        name: "Memory",
        knobs: &[
            knob(
                &["workload", "memory", "page_size"],
                "Memory in huge pages: fewer TLB misses, page tables of a fraction, never swapped out or merged.",
                "a VM; a pool of that size with free pages on its nodes (`host { hugepages }`)",
                &["huge pages"],
                "kernel documentation: HugeTLB Pages; libvirt, Domain XML: Memory Backing",
            ),
            knob(
                &["host", "hugepages"],
                "Pools of huge pages by node and size, made before anything runs.",
                "memory that is free and in one piece; 1 GiB pages mostly only when the host starts",
                &["settings"],
                "kernel documentation: HugeTLB Pages",
            ),
            knob(
                &["workload", "numa"],
                "Cells: the guest sees the host's nodes as its own, with their distances, and each cell's vCPUs and memory are bound to its node (`memnode`).",
                "a VM that is larger than a node, or wants to be spread",
                &["CPUs", "memory"],
                "libvirt, Domain XML: Guest NUMA topology, NUMA Node Tuning; ACPI: SLIT",
            ),
            knob(
                &["workload", "memory", "mode"],
                "How memory is bound to its nodes: strictly, preferred, interleaved (`numatune`, `NUMAPolicy=`).",
                "a VM or a unit with nodes",
                &["memory nodes", "memory"],
                "set_mempolicy(2); libvirt, Domain XML: NUMA Node Tuning; systemd.exec(5)",
            ),
            knob(
                &["workload", "kvm", "locked_memory"],
                "The guest's memory never leaves the host's (`locked`).",
                "a VM; as much memory of the host's",
                &["locked memory"],
                "mlock(2); libvirt, Domain XML: Memory Backing",
            ),
            knob(
                &["workload", "kvm", "shared_memory"],
                "Other processes of the host map the guest's memory (memfd): virtiofs and vhost-user need it, and set it.",
                "a VM",
                &[],
                "libvirt, Domain XML: Memory Backing",
            ),
            knob(
                &["workload", "kvm", "balloon"],
                "Without a balloon no memory is taken back; with huge or locked pages there is none anyway.",
                "a VM",
                &[],
                "libvirt, Domain XML: Memory balloon device",
            ),
            knob(
                &["host", "kernel", "transparent_hugepages"],
                "Whether the kernel makes huge pages of ordinary memory by itself: `madvise` leaves it to programs, so that nobody waits while it does.",
                "",
                &["settings"],
                "kernel documentation: Transparent Hugepage Support",
            ),
            knob(
                &["host", "kernel", "ksm"],
                "Merging equal pages saves memory, and costs CPU time and a fault at each write to one.",
                "",
                &["settings"],
                "kernel documentation: Kernel Samepage Merging",
            ),
            knob(
                &["host", "kernel", "numa_balancing"],
                "Without it no page of a bound workload is unmapped only to see who uses it.",
                "",
                &["settings"],
                "kernel documentation: `/proc/sys/kernel/numa_balancing`",
            ),
        ],
    },
    Group {
        name: "Networks",
        knobs: &[
            knob(
                &["host", "fabric", "vfs"],
                "Virtual functions of a card (SR-IOV), each with queues and DMA of its own.",
                "a card that can; nobody has one while their number changes",
                &["settings"],
                "kernel documentation: PCI Express I/O Virtualization Howto",
            ),
            knob(
                &["host", "fabric", "trust"],
                "What a function may: change its address and hear all (`trust`), send under other addresses (`spoof_check`), so much (`max_tx_mbit`), in which VLAN.",
                "`vfs`; a driver of the card that takes it",
                &["settings"],
                "ip-link(8): `vf NUM`",
            ),
            knob(
                &["workload", "device"],
                "PCI functions that are its alone, on the node of its CPUs: no switch of the host's in between.",
                "a VM; an IOMMU, and all of the function's IOMMU group free",
                &["devices"],
                "kernel documentation: VFIO",
            ),
            knob(
                &["workload", "interface", "fabric"],
                "A virtual function in place of an emulated card, with this interface's MAC and VLAN.",
                "a VM that needs `network_latency`; a free function near its CPUs",
                &["devices"],
                "libvirt, Domain XML: PCI passthrough of network devices",
            ),
            knob(
                &["workload", "interface", "queues"],
                "Several queues: as many CPUs of the guest take packets at once.",
                "a VM's virtio NIC; vCPUs",
                &[],
                "libvirt, Domain XML: Setting NIC driver-specific options",
            ),
            knob(
                &["workload", "interface", "queue_size"],
                "Longer rings: bursts wait and are not dropped.",
                "a VM's virtio NIC; to the guest libvirt 2.3, from it with `vhost_user` libvirt 3.7",
                &[],
                "libvirt, Domain XML: `rx_queue_size`, `tx_queue_size`",
            ),
            knob(
                &["workload", "interface", "vhost_user"],
                "A switch in user space polls the guest's rings: no kernel of the host in the way.",
                "a VM; a switch with DPDK that polls on CPUs of its own; huge pages",
                &[],
                "libvirt, Domain XML: vhost-user interface; Open vSwitch: DPDK vHost User Ports",
            ),
            knob(
                &["network", "driver"],
                "`macvlan`, `ipvlan` and `sriov` put a workload on the host's device, beside its bridge and NAT.",
                "a device of the host; the host itself does not reach what is there",
                &[],
                "Docker: macvlan and ipvlan network drivers; libvirt, Network XML: Connectivity",
            ),
            knob(
                &["host", "kernel", "sysctl"],
                "All else that sysctl(8) names: `net.core.busy_poll` and `busy_read` make who waits for a packet poll for it (of the host and of containers on its network; no container has its own).",
                "",
                &["settings"],
                "kernel documentation: `/proc/sys/net/core`",
            ),
        ],
    },
    Group {
        name: "Disks",
        knobs: &[
            knob(
                &["workload", "kvm", "iothreads"],
                "Threads that serve disks beside QEMU's own, which serves all else.",
                "a VM with virtio disks (`disk { iothread }`)",
                &["CPUs"],
                "libvirt, Domain XML: IOThreads Allocation",
            ),
            knob(
                &["workload", "disk", "cache"],
                "`none` goes past the host's page cache (O_DIRECT).",
                "a VM; a file system that has O_DIRECT",
                &[],
                "libvirt, Domain XML: Hard drives, `cache`",
            ),
            knob(
                &["workload", "disk", "io"],
                "`native` and `io_uring` ask the kernel without a thread for each request.",
                "a VM; `native` needs `cache = \"none\"` or `\"directsync\"`, `io_uring` libvirt 6.3",
                &[],
                "libvirt, Domain XML: Hard drives, `io`",
            ),
            knob(
                &["workload", "disk", "queues"],
                "Several queues: as many CPUs of the guest send requests at once.",
                "a VM's virtio disk; vCPUs",
                &[],
                "libvirt, Domain XML: Hard drives, `queues`",
            ),
            knob(
                &["workload", "container", "mount"],
                "What is written goes to a volume or the host's directory, not through the layers of the container's file system.",
                "a container",
                &[],
                "Docker: storage drivers, volumes",
            ),
        ],
    },
    Group {
        name: "Limits and order",
        knobs: &[
            knob(
                &["workload", "bare_metal", "limits"],
                "`MemoryMax=`, weights and counts of a unit: what it may take of what it shares.",
                "a unit",
                &["control group", "limits"],
                "systemd.resource-control(5)",
            ),
            knob(
                &["workload", "container", "limits"],
                "The same of a container, changed while it runs where the engine can.",
                "a container",
                &["control group", "limits"],
                "Docker: resource constraints",
            ),
            knob(
                &["slice"],
                "Limits that several units share.",
                "units",
                &["control group"],
                "systemd.slice(5)",
            ),
        ],
    },
];

/// The page.
#[must_use]
pub fn knobs() -> String {
    let mut text = HEAD.to_owned();
    for Group { name, knobs } in &GROUPS {
        let _ = write!(
            text,
            "\n## {name}\n\n| knob | what it does | needs | seen by | known from |\n|---|---|---|---|---|\n"
        );
        for knob in *knobs {
            let (path, seen) = (knob.path.join(" › "), knob.seen.join(", "));
            let seen = if seen.is_empty() { "plan" } else { &seen };
            let Knob {
                does,
                needs,
                source,
                ..
            } = knob;
            let _ = writeln!(text, "| `{path}` | {does} | {needs} | {seen} | {source} |");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use infra_lang::BlockKind;

    use super::*;
    use crate::declared::SCHEMA;
    use crate::verify::CLAIMS;

    fn is_there(kinds: &[&BlockKind], path: &[&str]) -> bool {
        let Some((first, rest)) = path.split_first() else {
            return true;
        };
        let Some(kind) = kinds.iter().find(|kind| kind.name == *first) else {
            return false;
        };
        let is_attribute = |name| kind.attributes.iter().any(|a| a.name == name);
        let nested: Vec<&BlockKind> = kind.blocks.iter().map(|nested| nested.kind).collect();
        matches!(rest, [last] if is_attribute(*last)) || is_there(&nested, rest)
    }

    #[test]
    fn every_knob_is_there_and_every_claim() {
        let kinds: Vec<&BlockKind> = SCHEMA.kinds.iter().collect();
        for knob in GROUPS.iter().flat_map(|group| group.knobs) {
            assert!(is_there(&kinds, knob.path), "{:?}", knob.path);
            for name in knob.seen {
                assert!(CLAIMS.iter().any(|claim| claim.name == *name), "{name}");
            }
        }
    }
}
