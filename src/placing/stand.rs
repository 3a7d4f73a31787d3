//! Places as plan and state have them, and as placing has them.

use std::collections::BTreeMap;

use infra_api::{Cell, CpuPolicy, Needs, Placement, Tier, Variant, Vcpu};
use infra_place::{Assigned, Host, Stand, Standing};

/// What a workload has on its host. `helpers`: CPUs of its helper threads are its own. `devices`: so many it asked for;
/// after these come those that share an IOMMU group with one.
pub(super) fn standing(
    placement: &Placement,
    host: &Host,
    (helpers, devices): (bool, usize),
) -> Standing {
    let dedicated = placement.policy == CpuPolicy::Dedicated;
    // Memory is bound to none where there is only one; to placing it is that one.
    let only = host.topology.only_node().filter(|_| dedicated);
    let count = |cell: &Cell| u32::try_from(cell.vcpus.len()).unwrap_or(u32::MAX);
    let stand = |cell: &Cell| Stand {
        node: cell.node.or(only),
        count: count(cell),
        cpus: cell.cpus.clone(),
        bytes: cell.memory_bytes,
        page_size: cell.page_size_bytes,
    };
    let own = placement.helpers.get(super::EMULATOR).filter(|_| helpers);
    Standing {
        cells: placement.cells.iter().map(stand).collect(),
        helpers: own.cloned().unwrap_or_default(),
        devices: placement.devices.iter().take(devices).cloned().collect(),
        shared: !dedicated,
    }
}

/// The devices it asked for, then those that share an IOMMU group with one.
fn with_groups(assigned: &Assigned, host: &Host) -> Vec<String> {
    let view = assigned.fit.view(&host.topology);
    let mut devices = view.devices;
    for other in view.devices_taken {
        if !devices.contains(&other) {
            devices.push(other);
        }
    }
    devices
}

/// A place for the plan.
pub(super) fn placement(
    assigned: &Assigned,
    variant: Variant,
    host: &Host,
    bound: bool,
) -> Placement {
    let standing = assigned.fit.standing(&host.topology);
    let only = host.topology.only_node().filter(|_| !bound);
    let mut vcpus = 0..;
    let cell = |stand: Stand| {
        let order = host.topology.by_core(&stand.cpus);
        let own = |n: usize| {
            if standing.shared {
                None
            } else {
                order.get(n).copied()
            }
        };
        Cell {
            node: stand
                .node
                .filter(|node| only != Some(*node) || stand.page_size.is_some()),
            vcpus: (0..stand.count as usize)
                .zip(&mut vcpus)
                .map(|(n, id)| Vcpu { id, cpu: own(n) })
                .collect(),
            cpus: stand.cpus,
            memory_bytes: stand.bytes,
            page_size_bytes: stand.page_size,
        }
    };
    // A criterion that costs nothing is left out.
    let tiers = assigned
        .fit
        .cost
        .tiers()
        .into_iter()
        .filter(|(_, cost)| *cost > 0);
    let helpers = Some(standing.helpers).filter(|cpus| !cpus.is_empty());
    Placement {
        runtime: variant.runtime,
        with: variant.with,
        needs: Needs::default(),
        host: host.name.clone(),
        policy: if standing.shared {
            CpuPolicy::Shared
        } else {
            CpuPolicy::Dedicated
        },
        cells: standing.cells.into_iter().map(cell).collect(),
        helpers: helpers
            .map(|cpus| (super::EMULATOR.to_owned(), cpus))
            .into_iter()
            .collect(),
        devices: with_groups(assigned, host),
        addresses: BTreeMap::new(),
        tiers: if standing.shared {
            Vec::new()
        } else {
            tiers
                .map(|(name, cost)| Tier {
                    name: name.to_owned(),
                    cost,
                })
                .collect()
        },
    }
}
