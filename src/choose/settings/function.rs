//! Virtual functions of a card for a machine's interfaces, where they say of which fabric.

use infra_api::{Runtime, Setting};

use super::{Adding, Knob};
use crate::declared::{Device, DeviceKind, DeviceNear, Workload};

pub(super) const KNOB: Knob = Knob {
    setting: Setting::Function,
    given: |workload, runtime, networks| {
        let fabric = |device: &Device| matches!(device.kind, DeviceKind::Fabric(_));
        let pool = workload.interfaces.iter().any(|interface| {
            let network = networks.get(&interface.network.value);
            let driver = network.and_then(|network| network.driver.as_ref());
            driver.is_some_and(|driver| driver.value.name == "sriov")
        });
        runtime == Runtime::Kvm && (pool || workload.devices.iter().any(fabric))
    },
    adding: Some(Adding {
        open: |workload, runtime| {
            let mut interfaces = workload.interfaces.iter();
            runtime == Runtime::Kvm && interfaces.any(|i| i.fabric.is_some() && !i.function)
        },
        lacks: |workload, _, host| {
            if host.facts.iommu_groups.is_empty() {
                return Some("it has no IOMMU".to_owned());
            }
            let fabrics = workload.interfaces.iter().filter_map(|i| i.fabric.as_ref());
            let mut lacking = fabrics.filter(|f| !host.declared.fabrics.contains_key(&f.value));
            let lacking = lacking.next()?;
            Some(format!("it has no fabric `{}`", lacking.value))
        },
        claims: true,
        add: |workload, _| add(workload),
    }),
};

fn add(workload: &mut Workload) {
    let Workload {
        interfaces,
        devices,
        ..
    } = workload;
    for interface in interfaces.iter_mut() {
        let Some(fabric) = &interface.fabric else {
            continue;
        };
        interface.function = true;
        devices.push(Device {
            kind: DeviceKind::Fabric(fabric.value.clone()),
            count: 1,
            near: DeviceNear::Node,
            required: false,
            span: fabric.span,
        });
    }
}
