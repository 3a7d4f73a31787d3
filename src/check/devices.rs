//! No device of a host is given to two machines, nor an IOMMU group: one process has it open.

use std::collections::BTreeMap;

use infra_api::target::HostDevice;
use infra_api::{Address, HostName, Runtime};
use infra_diag::{Diagnostic, Diagnostics, Span};

use super::View;

/// What only one can have, of a host.
type Thing = (HostName, String);

pub(super) fn check(view: &View<'_>, diagnostics: &mut Diagnostics) {
    let mut taken: BTreeMap<Thing, (&Address, Span)> = BTreeMap::new();
    for workload in &view.declared.workloads {
        let placement = view.placements.get(&workload.address);
        let placement = placement.filter(|p| p.runtime == Runtime::Kvm);
        let (Some(placement), Some(form)) = (placement, &workload.kvm) else {
            continue;
        };
        for device in &form.hardware.host_devices {
            let thing = (placement.host.clone(), thing(view, &placement.host, device));
            let owner = *taken
                .entry(thing.clone())
                .or_insert((&workload.address, form.span));
            if owner.0 == &workload.address {
                continue;
            }
            let (host, what) = thing;
            diagnostics.push(
                Diagnostic::error("Device given to two machines")
                    .at(form.span, format!("it is to have {what} of {host}"))
                    .at(owner.1, format!("{} has it", owner.0))
                    .hint("give it to one, or run them on different hosts"),
            );
        }
    }
}

/// Devices of one group go together.
fn thing(view: &View<'_>, host: &HostName, device: &HostDevice) -> String {
    match device {
        HostDevice::Usb { vendor, product } => format!("the USB device {vendor}:{product}"),
        HostDevice::Pci { address } => {
            let groups = view.inventory.hosts.get(host).into_iter();
            let mut groups = groups.flat_map(|host| &host.facts.iommu_groups);
            match groups.find(|group| group.devices.contains(address)) {
                Some(group) => format!("IOMMU group {}", group.id),
                None => format!("the PCI device {address}"),
            }
        }
    }
}
