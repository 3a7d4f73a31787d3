//! Machines that are attached to a bridge of Docker's start with their host only once it has made it.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::target::KernelSetting;
use infra_api::{Address, HostName, Placement, Runtime};

use crate::declared::Declared;
use crate::inventory::{HostInventory, Inventory};

/// libvirt's daemons that start machines with the host: all in one, and QEMU's alone.
const DAEMONS: &str = "libvirtd.service virtqemud.service";

/// Hosts whose systemd is told so.
pub(super) fn settings(
    declared: &Declared,
    inventory: &Inventory,
    placements: &BTreeMap<Address, Placement>,
) -> BTreeMap<HostName, KernelSetting> {
    let shared: BTreeSet<&HostName> = declared
        .networks
        .values()
        .filter(|network| network.driver.is_none() && network.existing.is_none())
        .flat_map(|network| {
            let on = |runtime| used(declared, placements, &network.address, runtime);
            let (containers, machines) = (on(Runtime::Container), on(Runtime::Kvm));
            let both = containers.intersection(&machines).copied();
            both.collect::<Vec<_>>()
        })
        .collect();
    let systemd = |host: &&HostName| {
        inventory
            .hosts
            .get(*host)
            .is_some_and(HostInventory::has_systemd)
    };
    let setting = || KernelSetting::new(KernelSetting::DOCKER_FIRST, DAEMONS);
    let shared = shared.into_iter().filter(systemd);
    shared.map(|host| (host.clone(), setting())).collect()
}

/// The hosts on which something of this runtime is in a network.
fn used<'a>(
    declared: &Declared,
    placements: &'a BTreeMap<Address, Placement>,
    network: &Address,
    runtime: Runtime,
) -> BTreeSet<&'a HostName> {
    let workloads = declared.workloads.iter().filter(|workload| {
        let mut interfaces = workload.interfaces.iter();
        interfaces.any(|interface| interface.network.value == *network)
    });
    let placed = workloads.filter_map(|workload| placements.get(&workload.address));
    let placed = placed.filter(|placement| placement.runtime == runtime);
    placed.map(|placement| &placement.host).collect()
}
