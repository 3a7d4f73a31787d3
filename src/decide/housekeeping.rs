//! What keeps all else of a host off the CPUs that workloads have to themselves.

use std::collections::BTreeMap;

use infra_api::facts::CgroupVersion;
use infra_api::target::KernelSetting;
use infra_api::{Address, CpuPolicy, HostName, IdSet, Placement, Threads};
use infra_diag::{Diagnostic, Diagnostics};

use crate::declared::Workload;
use crate::inventory::{HostInventory, Inventory};

/// Where systemd has all that no workload is: what starts with the host, who logs in, and process 1.
const UNITS: [&str; 3] = ["init.scope", "system.slice", "user.slice"];

/// The CPUs of these, of each host that is to be kept so.
pub(super) fn settings(
    inventory: &Inventory,
    workloads: &[Workload],
    placements: &BTreeMap<Address, Placement>,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<HostName, Vec<KernelSetting>> {
    let hosts = inventory.hosts.iter();
    let kept = hosts.filter_map(|(name, host)| Some((name, host, host.declared.housekeeping?)));
    kept.map(|(name, host, span)| {
        let placed = workloads.iter().filter_map(|workload| {
            let placement = placements.get(&workload.address)?;
            (placement.host == *name).then_some((workload, placement))
        });
        let alone = placed.fold(IdSet::new(), |all, (workload, placement)| {
            &all | &alone(workload, placement, host)
        });
        let rest = &host.facts.cpus.online - &alone;
        let settings = match refused(host, &rest) {
            Some(error) => {
                diagnostics.push(error.at(span, format!("`{name}` is to be kept so")));
                Vec::new()
            }
            None => keeping_to(&rest),
        };
        (name.clone(), settings)
    })
    .collect()
}

/// What the kernel does itself, for whom it may: its unbound workers, and interrupts.
const MASKS: [&str; 2] = [
    "/proc/irq/default_smp_affinity",
    "/sys/devices/virtual/workqueue/cpumask",
];

fn keeping_to(cpus: &IdSet) -> Vec<KernelSetting> {
    let units = UNITS.map(|unit| {
        let file = format!("/sys/fs/cgroup/{unit}/cpuset.cpus");
        KernelSetting::new(file, cpus.to_string())
    });
    let masks = MASKS.map(|file| KernelSetting::new(file, mask(cpus)));
    units.into_iter().chain(masks).collect()
}

/// As the kernel has it: hexadecimal, a comma after each 32 CPUs from the right; without the digits that would only say that
/// others are not among them.
fn mask(cpus: &IdSet) -> String {
    let mut words = BTreeMap::new();
    for cpu in cpus.iter() {
        *words.entry(cpu / 32).or_insert(0_u32) |= 1 << (cpu % 32);
    }
    let Some((&last, first)) = words.last_key_value() else {
        return String::new();
    };
    let rest = (0..last).rev().map(|n| words.get(&n).copied().unwrap_or(0));
    rest.fold(format!("{first:x}"), |all, word| {
        format!("{all},{word:08x}")
    })
}

/// Its CPUs, and the other threads of their cores where these are to stay idle.
fn alone(workload: &Workload, placement: &Placement, host: &HostInventory) -> IdSet {
    if placement.policy != CpuPolicy::Dedicated {
        return IdSet::new();
    }
    let mut cpus = placement.cpus();
    if workload.cpus.threads == Threads::Isolate {
        let siblings: Vec<IdSet> = cpus.iter().map(|cpu| host.siblings(cpu)).collect();
        cpus = siblings.iter().fold(cpus, |all, more| &all | more);
    }
    cpus
}

fn refused(host: &HostInventory, rest: &IdSet) -> Option<Diagnostic> {
    let facts = &host.facts;
    let version = facts.cgroup.as_ref().map(|group| group.version);
    let (why, hint) = match () {
        () if !host.has_systemd() => (
            "there is no systemd, which would keep it so",
            "leave `housekeeping` out: CPUs can be kept free when the host starts, by `isolcpus=` on its kernel's command line",
        ),
        () if version != Some(CgroupVersion::V2) => (
            "its control groups are not those of version 2, and the older ones do not keep it so",
            "start the host with `systemd.unified_cgroup_hierarchy=1` on its kernel's command line, or leave `housekeeping` out",
        ),
        () if rest.is_empty() => (
            "workloads have every CPU to themselves",
            "leave the host some: `reserve { cpus_per_node = 1 }`",
        ),
        () => return None,
    };
    Some(
        Diagnostic::error("A host that cannot be kept off its workloads' CPUs")
            .note(why)
            .hint(hint),
    )
}

/// Docker's containers are under `system.slice` where systemd writes its control groups: who has CPUs to himself is taken
/// out of there.
pub(crate) fn parent(host: &HostInventory, placement: &Placement) -> Option<&'static str> {
    let docker = host.facts.docker.as_ref()?;
    let kept = host.declared.housekeeping.is_some()
        && placement.policy == CpuPolicy::Dedicated
        && docker.cgroup_driver.as_deref() == Some("systemd");
    kept.then_some("infra.slice")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_the_kernels() {
        for (cpus, wanted) in [
            ("0-7", "ff"),
            ("0,3-4,6-7", "d9"),
            ("31", "80000000"),
            ("0,32-35", "f,00000001"),
            ("96", "1,00000000,00000000,00000000"),
        ] {
            let cpus: IdSet = cpus.parse().unwrap();
            assert_eq!(mask(&cpus), wanted, "{cpus}");
        }
    }
}
