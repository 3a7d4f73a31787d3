//! A whole NVMe drive of the host, which the guest drives itself.

use infra_api::{Runtime, Setting};

use super::Knob;
use crate::declared::{Device, DeviceKind};

/// The PCI class of an NVMe drive.
const NVME: &str = "0108";

pub(super) const KNOB: Knob = Knob {
    setting: Setting::WholeDisk,
    given: |workload, runtime, _| {
        let nvme = |device: &Device| matches!(&device.kind, DeviceKind::Class(class) if class.starts_with(NVME));
        runtime == Runtime::Kvm && workload.devices.iter().any(nvme)
    },
    adding: None,
};
