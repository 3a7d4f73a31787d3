//! The host itself: its facts, read from a tree of `sys/` and `proc/`.
//!
//! [`read`] is a function of the tree alone, live or saved: no process is started, no clock read,
//! nothing outside the tree seen. What needs a system call is in [`live()`], what needs running
//! programs in [`programs()`]; what Docker and libvirt know is their providers' to add.

mod block;
mod cgroup;
mod cpus;
mod far;
mod hugepages;
mod iommu;
mod kernel;
mod kinds;
mod l3;
mod links;
mod live;
mod looked;
mod memory;
mod memory_kinds;
mod mounts;
mod nodes;
mod numa_maps;
mod partition;
mod pci;
mod printed;
mod reader;
mod run;
mod settings;
mod systemd;
mod task;
mod thread;
mod tree;

#[doc(hidden)]
pub mod fuzzing;
pub mod kvm;

#[doc(hidden)]
pub use far::printed_in;
pub use far::{Far, script};
pub use live::{emulator, live, programs};
pub use looked::{Search, looked, looking};
pub use reader::Problem;
pub use settings::Kernel;
pub use tree::{Root, Tree};

use infra_api::Facts;
use infra_api::facts::Runtimes;

use reader::Reader;

/// The facts a tree holds, and what in it could not be understood. A bad file leaves its own fact
/// unknown and no other.
pub fn read(tree: &dyn Tree) -> (Facts, Vec<Problem>) {
    let reader = Reader::new(tree);
    let facts = assemble(&reader);
    (facts, reader.into_problems())
}

fn assemble(reader: &Reader<'_>) -> Facts {
    let online = cpus::online(reader);
    let nodes = nodes::read(reader, &online);
    let l3 = l3::read(reader, &online);
    let mounts = mounts::read(reader);
    let memory = memory::host(reader);
    let limits = cgroup::limits(reader, &mounts);
    let facts = Facts {
        hostname: reader.line("proc/sys/kernel/hostname"),
        kernel: kernel::read(reader),
        cpus: cpus::read(reader, &online, &nodes, &l3, limits.cpus.as_ref()),
        allowed_nodes: nodes::allowed(reader, &nodes, limits.nodes.as_ref()),
        memory_bytes: memory.total,
        memory_available_bytes: memory.available,
        page_bytes: memory::page_bytes(reader),
        default_hugepage_bytes: memory.hugepage,
        hugepages: hugepages::read(reader, hugepages::HOST),
        hugetlbfs: hugepages::mounts(&mounts, memory.hugepage),
        pci: pci::read(reader),
        iommu_groups: iommu::read(reader),
        links: links::read(reader),
        cgroup: cgroup::read(reader, &mounts),
        thp: kernel::thp(reader),
        ksm: kernel::ksm(reader),
        numa_balancing: reader.number("proc/sys/kernel/numa_balancing"),
        tuned_profile: reader.line("etc/tuned/active_profile"),
        runtimes: Runtimes {
            bare_metal: systemd::offer(reader),
            ..Runtimes::default()
        },
        nodes,
        l3,
        ..Facts::default()
    };
    Facts {
        block_devices: block::read(reader, &facts),
        ..facts
    }
}
