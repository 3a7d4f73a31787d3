//! What keeps a running machine on its host. Pure.

use infra_api::target::{DiskDevice, Machine, MachineDisk, MachineInterface};
use serde_json::Value;

use crate::text::domain::definition;

/// Every reason; none: it can move while it runs.
pub(crate) fn because(before: &Value, after: &Value) -> Vec<String> {
    let machine = |body: &Value| serde_json::from_value::<Machine>(body.clone());
    let (now, wanted) = match (machine(before), machine(after)) {
        (Ok(now), Ok(wanted)) => (now, wanted),
        (Err(error), _) | (_, Err(error)) => return vec![format!("it is no machine: {error}")],
    };
    let mut why = Vec::new();
    if now.next_start.is_some() {
        why.push("its next start makes another of it: restart it first".to_owned());
    }
    let changed = changed(&now, &wanted);
    if !changed.is_empty() {
        why.push(format!(
            "it is also changed in {}: apply that first",
            changed.join(", ")
        ));
    }
    why.extend(now.disks.iter().filter_map(disk));
    why.extend(now.interfaces.iter().filter_map(nic));
    let hardware = &now.hardware;
    let held = [
        (
            !hardware.host_devices.is_empty(),
            "it has a device of its host",
        ),
        (
            !hardware.filesystems.is_empty(),
            "it shares a directory with its host",
        ),
        (hardware.tpm.is_some(), "its TPM's memory is on its host"),
        (
            hardware.firmware.is_some(),
            "its firmware's variables are on its host",
        ),
    ];
    let held = held.into_iter().filter(|(is, _)| *is);
    why.extend(held.map(|(_, what)| what.to_owned()));
    why
}

/// Attributes that differ and say nothing of its place on its host.
fn changed(now: &Machine, wanted: &Machine) -> Vec<String> {
    let placed = Machine {
        vcpu_pins: wanted.vcpu_pins.clone(),
        iothread_pins: wanted.iothread_pins.clone(),
        emulator_pin: wanted.emulator_pin.clone(),
        memory_nodes: wanted.memory_nodes.clone(),
        cells: match now.cells.len() == wanted.cells.len() {
            true => now
                .cells
                .iter()
                .zip(&wanted.cells)
                .map(|(cell, wanted)| infra_api::target::GuestCell {
                    nodes: wanted.nodes.clone(),
                    ..cell.clone()
                })
                .collect(),
            false => now.cells.clone(),
        },
        ..definition(now.clone())
    };
    let json = |machine: &Machine| serde_json::to_value(machine).unwrap_or_default();
    let (placed, wanted) = (json(&placed), json(&definition(wanted.clone())));
    let keys = |body: &Value| body.as_object().cloned().unwrap_or_default();
    let (placed, wanted) = (keys(&placed), keys(&wanted));
    let mut all: Vec<String> = placed.keys().chain(wanted.keys()).cloned().collect();
    all.sort();
    all.dedup();
    all.retain(|key| placed.get(key) != wanted.get(key));
    all.iter().map(|key| format!("`{key}`")).collect()
}

/// What is only read is made there as well; what a server has is the same from everywhere.
fn disk(disk: &MachineDisk) -> Option<String> {
    let held = match (&disk.volume, &disk.path) {
        (Some(volume), _) if !disk.read_only && disk.device == DiskDevice::Disk => &volume.name,
        (None, Some(path)) => path,
        _ => return None,
    };
    Some(format!("its disk `{held}` is on its host"))
}

fn nic(nic: &MachineInterface) -> Option<String> {
    if let Some(function) = &nic.function {
        return Some(format!("it has the virtual function {function}"));
    }
    let driver = nic.driver.as_ref()?;
    Some(format!(
        "a NIC of it is on the card {} of its host",
        driver.parent
    ))
}

#[cfg(test)]
mod tests {
    use infra_api::IdSet;
    use infra_api::target::HostDevice;

    use super::*;
    use crate::text::domain_tests::{pinned, plain, whole};

    fn why(before: &Machine, after: &Machine) -> String {
        let json = |machine: &Machine| serde_json::to_value(machine).unwrap();
        because(&json(before), &json(after)).join("; ")
    }

    /// Without disks of its own.
    fn movable() -> Machine {
        let mut machine = pinned();
        machine.disks.retain(|disk| disk.read_only);
        machine
    }

    #[test]
    fn other_cpus_and_nodes_do_not_keep_it() {
        let now = movable();
        let mut wanted = now.clone();
        wanted.vcpu_pins.insert(0, IdSet::from([6]));
        wanted.memory_nodes = Some(IdSet::from([0]));
        wanted.emulator_pin = None;
        assert_eq!(why(&now, &wanted), "");
        assert_eq!(why(&plain(), &plain()), "");
        let disks = "its disk `root` is on its host; its disk `data` is on its host";
        assert_eq!(why(&pinned(), &pinned()), disks);
    }

    #[test]
    fn all_that_keeps_it_is_said() {
        let mut now = movable();
        now.next_start = Some("x".to_owned());
        now.interfaces[0].function = Some("0000:3b:02.1".to_owned());
        now.hardware.host_devices = vec![HostDevice::Pci {
            address: "0000:3b:02.1".to_owned(),
        }];
        let mut wanted = now.clone();
        wanted.memory_bytes *= 2;
        let said = why(&now, &wanted);
        for part in [
            "its next start",
            "changed in `memory_bytes`",
            "the virtual function 0000:3b:02.1",
            "a device of its host",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let all = why(&whole(), &whole());
        assert!(all.contains("its disk"), "{all}");
    }
}
