//! The host has what the machine is built of: what libvirt or QEMU lacks there would only be said when it starts.

use infra_api::Runtime;
use infra_api::facts::{Facts, Libvirt};
use infra_api::target::{Hardware, HostDevice};

use super::OfHost;
use crate::declared::{Kvm, Workload};
use crate::inventory::HostInventory;

pub(super) const GATE: OfHost = OfHost {
    name: "hardware",
    closed: |workload, runtime, host, _| {
        let form = workload.kvm.as_ref().filter(|_| runtime == Runtime::Kvm)?;
        let libvirt = host.facts.libvirt.as_ref()?;
        lacking(&form.hardware, libvirt)
            .or_else(|| old(workload, form, host))
            .or_else(|| devices(&form.hardware, host))
    },
};

/// What libvirt itself says it does not have. What it did not say may well be there.
fn lacking(hardware: &Hardware, libvirt: &Libvirt) -> Option<String> {
    let lacks = |list: &Option<Vec<String>>, word: &str| {
        list.as_ref()
            .is_some_and(|list| !list.iter().any(|w| w == word))
    };
    let offers = &libvirt.devices;
    if let Some(machine) = &hardware.machine_type
        && !libvirt.machines.is_empty()
        && !libvirt.machines.contains(machine)
    {
        return Some(format!("QEMU has no machine type `{machine}`"));
    }
    if hardware.firmware.is_some() && lacks(&offers.firmware, "efi") {
        return Some("there is no UEFI firmware (package ovmf)".to_owned());
    }
    let secure = hardware.firmware.is_some_and(|f| f.secure_boot);
    if secure && offers.secure_boot == Some(false) {
        return Some("there is no UEFI firmware for secure boot (package ovmf)".to_owned());
    }
    if hardware.tpm.is_some() && lacks(&offers.tpm, "emulator") {
        return Some("there is no emulated TPM (package swtpm)".to_owned());
    }
    if let Some(graphics) = &hardware.graphics
        && lacks(&offers.graphics, &graphics.protocol)
    {
        return Some(format!(
            "QEMU has no screen that speaks {}",
            graphics.protocol
        ));
    }
    if let Some(video) = hardware.video.as_ref().filter(|v| lacks(&offers.video, v)) {
        return Some(format!("QEMU has no graphics card `{video}`"));
    }
    if !hardware.filesystems.is_empty() && lacks(&offers.filesystems, "virtiofs") {
        return Some("there is no virtiofs (package virtiofsd)".to_owned());
    }
    None
}

type Needs = (&'static str, (u32, u32), fn(&Workload, &Kvm) -> bool);

/// Since which libvirt there is what. Older ones would refuse the definition.
const SINCE: &[Needs] = &[
    (
        "the choice of a firmware with secure boot",
        (8, 6),
        |_, k| k.hardware.firmware.is_some_and(|f| f.secure_boot),
    ),
    ("the CPU mode `maximum`", (7, 1), |_, k| {
        k.hardware.cpu.as_ref().is_some_and(|c| c.mode == "maximum")
    }),
    ("`ignition`", (6, 5), |_, k| k.ignition.is_some()),
    ("`io_uring`", (6, 3), |w, _| {
        let ring = |io: &crate::declared::At<String>| io.value == "io_uring";
        w.disks.iter().any(|d| d.io.as_ref().is_some_and(ring))
    }),
    (
        "memory bound by cgroups alone (`restrictive`)",
        (7, 3),
        |w, _| w.memory.mode.as_deref() == Some("restrictive"),
    ),
    ("a disk on `nvme`", (11, 5), |w, _| {
        let nvme = |bus: &crate::declared::At<String>| bus.value == "nvme";
        w.disks.iter().any(|d| d.bus.as_ref().is_some_and(nvme))
    }),
    ("shared memory without a file", (4, 10), |_, k| {
        k.hardware.shared_memory
    }),
];

fn old(workload: &Workload, form: &Kvm, host: &HostInventory) -> Option<String> {
    let version = host.facts.versions.libvirt.as_ref()?;
    let mut numbers = version.split('.').map(str::parse::<u32>);
    let is = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    let (what, since, _) = SINCE
        .iter()
        .find(|(_, since, asked)| is < *since && asked(workload, form))?;
    Some(format!(
        "{what} needs libvirt {}.{}, and it is {version}",
        since.0, since.1
    ))
}

/// A device that is there, in a host that can hand it over.
fn devices(hardware: &Hardware, host: &HostInventory) -> Option<String> {
    let facts = &host.facts;
    hardware.host_devices.iter().find_map(|device| {
        let HostDevice::Pci { address } = device else {
            return None;
        };
        if facts.pci.is_empty() {
            return None;
        }
        if !facts.pci.iter().any(|found| found.address == *address) {
            return Some(format!("there is no PCI device {address}"));
        }
        let mut groups = facts.iommu_groups.iter();
        let Some(group) = groups.find(|group| group.devices.contains(address)) else {
            return Some(format!(
                "{address} is in no IOMMU group: it cannot be handed over"
            ));
        };
        let kept = group.devices.iter().find(|other| {
            let pci = |device: &HostDevice| matches!(device, HostDevice::Pci { address } if address == *other);
            !hardware.host_devices.iter().any(pci) && stays(other, facts)
        })?;
        Some(format!(
            "{address} shares IOMMU group {} with {kept}, which a driver of the host has: hand it over too, or unbind it",
            group.id
        ))
    })
}

/// A device of the group that is the host's own keeps all of it from a guest. A bridge does not count.
fn stays(address: &str, facts: &Facts) -> bool {
    const HARMLESS: [&str; 2] = ["vfio-pci", "pci-stub"];
    let device = facts.pci.iter().find(|device| device.address == address);
    let bridge = |class: &str| class.starts_with("0604");
    device.is_some_and(|device| {
        let driver = device.driver.as_deref();
        driver.is_some_and(|driver| !HARMLESS.contains(&driver))
            && !device.class.as_deref().is_some_and(bridge)
    })
}
