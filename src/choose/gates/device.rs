//! PCI devices are handed to virtual machines alone.

use infra_api::Runtime;

use super::OfHost;
use crate::declared::DeviceKind;

pub(super) const GATE: OfHost = OfHost {
    name: "device",
    closed: |workload, runtime, host, _| {
        if workload.devices.is_empty() {
            return None;
        }
        if runtime != Runtime::Kvm {
            return Some("its `device` blocks are for a virtual machine".to_owned());
        }
        let facts = &host.facts;
        let none = facts.iommu_groups.is_empty() && !facts.pci.is_empty();
        if none {
            return Some("it has no IOMMU: no device can be handed over".to_owned());
        }
        let fabrics = &host.declared.fabrics;
        workload
            .devices
            .iter()
            .find_map(|device| match &device.kind {
                DeviceKind::Fabric(name) if !fabrics.contains_key(name) => {
                    Some(format!("it has no `fabric \"{name}\"`"))
                }
                _ => None,
            })
    },
};
