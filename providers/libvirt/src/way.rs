//! How a running machine becomes another: by steps that leave it running, or by a restart. Pure.
//!
//! One machine is taken towards the other, attribute by attribute, as far as libvirt and QEMU can. Where nothing is
//! left that differs, that is the way; where something is, it takes a restart.

use infra_api::target::{DiskDevice, GuestCell, Hardware, Machine, MachineDisk, MachineInterface};
use infra_api::{IdSet, Impact};
use serde_json::Value;

use crate::text::domain::definition;
use crate::text::domain_read::{CUT_OFF, content};

/// After the name of the network a NIC is on for a moment, on its way back to its own.
pub(crate) const PASSING: &str = ".passing";

/// What is done to a running machine. Its definition has it already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    OnlineVcpus(u32),
    PinVcpu(u32, IdSet),
    PinEmulator(IdSet),
    AddIothread(u32),
    PinIothread(u32, IdSet),
    DropIothread(u32),
    Nodes(IdSet),
    Balloon(u64),
    Attach(MachineDisk),
    Detach(MachineDisk),
    /// Into the n-th drive.
    Medium(usize, MachineDisk),
    Throttle(MachineDisk),
    AttachNic(MachineInterface),
    DetachNic(MachineInterface),
    ChangeNic(MachineInterface),
    /// To another bridge, or to hear of another address: its cable is pulled on the way.
    MoveNic(MachineInterface),
    /// To the bridge of its network, which was stopped under it.
    Reattach(MachineInterface),
    Title(Option<String>),
    Description(Option<String>),
    OnPoweroff(Option<String>),
    OnReboot(Option<String>),
    OnCrash(Option<String>),
    /// What is noted under our mark is written anew.
    Remark,
}

/// The steps, in order; nothing where it takes a restart.
pub(crate) fn way(runs: &Machine, wanted: &Machine) -> Option<Vec<Step>> {
    let (mut now, wanted) = (definition(runs.clone()), definition(wanted.clone()));
    let mut steps = Vec::new();
    vcpus(&mut now, &wanted, &mut steps);
    iothreads(&mut now, &wanted, &mut steps);
    memory(&mut now, &wanted, &mut steps);
    detach(&mut now, &wanted, &mut steps);
    attach(&mut now, &wanted, &mut steps);
    contents(&mut now, &wanted, &mut steps);
    nics(&mut now, &wanted, &mut steps);
    words(&mut now.hardware, &wanted.hardware, &mut steps);
    // What stands under our mark alone.
    if (&now.ready, now.stop_timeout_s) != (&wanted.ready, wanted.stop_timeout_s) {
        now.ready.clone_from(&wanted.ready);
        now.stop_timeout_s = wanted.stop_timeout_s;
        steps.push(Step::Remark);
    }
    // A thread goes when no disk uses it any more.
    let used = |disks: &[MachineDisk]| disks.iter().filter_map(|disk| disk.iothread).max();
    while now.iothreads > wanted.iothreads && used(&now.disks) < Some(now.iothreads) {
        now.iothread_pins.remove(&now.iothreads);
        steps.push(Step::DropIothread(now.iothreads));
        now.iothreads -= 1;
    }
    (now == wanted).then_some(steps)
}

/// Whether only CPUs and NUMA nodes are others, on threads that were bound before as well: what is written of that is the
/// same but for numbers.
pub(crate) fn moves_alone(stored: &Machine, wanted: &Machine) -> bool {
    let threads = |machine: &Machine| {
        let vcpus: Vec<u32> = machine.vcpu_pins.keys().copied().collect();
        let iothreads: Vec<u32> = machine.iothread_pins.keys().copied().collect();
        let (emulator, nodes) = (&machine.emulator_pin, &machine.memory_nodes);
        let cells = machine.cells.iter().map(|cell| cell.nodes.is_some());
        let cells: Vec<bool> = cells.collect();
        (vcpus, iothreads, emulator.is_some(), nodes.is_some(), cells)
    };
    let on = |(cell, wanted): (&GuestCell, &GuestCell)| GuestCell {
        nodes: wanted.nodes.clone(),
        ..cell.clone()
    };
    let bound = |machine: &Machine| Machine {
        vcpu_pins: wanted.vcpu_pins.clone(),
        iothread_pins: wanted.iothread_pins.clone(),
        emulator_pin: wanted.emulator_pin.clone(),
        memory_nodes: wanted.memory_nodes.clone(),
        cells: machine.cells.iter().zip(&wanted.cells).map(on).collect(),
        ..definition(machine.clone())
    };
    threads(stored) == threads(wanted) && bound(stored) == bound(wanted)
}

/// What changing the attribute at a path alone takes.
pub(crate) fn impact(path: &[String], before: &Value, after: &Value) -> Impact {
    let mut changed = before.clone();
    set(&mut changed, path, get(after, path));
    let machine = |body: &Value| serde_json::from_value::<Machine>(body.clone()).ok();
    match machine(before).zip(machine(&changed)) {
        Some((before, after)) if way(&before, &after).is_some() => Impact::InPlace,
        _ => Impact::Restart,
    }
}

pub(crate) fn get<'a>(body: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(body, |value, key| match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => value.get(key),
    })
}

/// Puts a value at a path, or takes what is there away; what lies above it and is missing is made.
pub(crate) fn set(body: &mut Value, path: &[String], to: Option<&Value>) {
    match (path, body) {
        ([], body) => *body = to.cloned().unwrap_or_default(),
        ([key, rest @ ..], Value::Array(items)) => {
            let item = key
                .parse()
                .ok()
                .and_then(|index: usize| items.get_mut(index));
            if let Some(item) = item {
                set(item, rest, to);
            }
        }
        ([key], Value::Object(members)) if to.is_none() => {
            members.remove(key);
        }
        ([key, rest @ ..], Value::Object(members)) => {
            let empty = || Value::Object(serde_json::Map::new());
            set(members.entry(key).or_insert_with(empty), rest, to);
        }
        _ => {}
    }
}

/// A vCPU can be plugged in and never pulled out: the guest would have to help. A pin can be moved and not taken
/// away: a thread that was pinned stays bound to some set.
fn vcpus(now: &mut Machine, wanted: &Machine, steps: &mut Vec<Step>) {
    let online = |machine: &Machine| machine.online_vcpus.unwrap_or(machine.vcpus);
    if now.vcpus == wanted.vcpus && online(now) < online(wanted) {
        now.online_vcpus = wanted.online_vcpus;
        steps.push(Step::OnlineVcpus(online(wanted)));
    }
    for (vcpu, cpus) in &wanted.vcpu_pins {
        if now.vcpu_pins.insert(*vcpu, cpus.clone()).as_ref() != Some(cpus) {
            steps.push(Step::PinVcpu(*vcpu, cpus.clone()));
        }
    }
    if let Some(cpus) = wanted
        .emulator_pin
        .as_ref()
        .filter(|cpus| now.emulator_pin.as_ref() != Some(*cpus))
    {
        now.emulator_pin = Some(cpus.clone());
        steps.push(Step::PinEmulator(cpus.clone()));
    }
}

fn iothreads(now: &mut Machine, wanted: &Machine, steps: &mut Vec<Step>) {
    while now.iothreads < wanted.iothreads {
        now.iothreads += 1;
        steps.push(Step::AddIothread(now.iothreads));
    }
    for (thread, cpus) in &wanted.iothread_pins {
        if now.iothread_pins.insert(*thread, cpus.clone()).as_ref() != Some(cpus) {
            steps.push(Step::PinIothread(*thread, cpus.clone()));
        }
    }
}

/// libvirt moves the memory of a running machine only where it is bound by cgroups alone.
fn memory(now: &mut Machine, wanted: &Machine, steps: &mut Vec<Step>) {
    if now.memory_bytes == wanted.memory_bytes && now.balloon_bytes != wanted.balloon_bytes {
        now.balloon_bytes = wanted.balloon_bytes;
        steps.push(Step::Balloon(
            wanted.balloon_bytes.unwrap_or(wanted.memory_bytes),
        ));
    }
    let restrictive = |machine: &Machine| machine.memory_mode.as_deref() == Some("restrictive");
    if let (true, Some(nodes)) = (
        restrictive(now) && restrictive(wanted),
        &wanted.memory_nodes,
    ) && now.memory_nodes.as_ref() != Some(nodes)
    {
        now.memory_nodes = Some(nodes.clone());
        steps.push(Step::Nodes(nodes.clone()));
    }
}

/// A disk is known by what is in it.
fn same(one: &MachineDisk, other: &MachineDisk) -> bool {
    one.device == other.device && content(one) == content(other)
}

fn can_be_plugged(disk: &MachineDisk) -> bool {
    disk.device == DiskDevice::Disk && matches!(disk.bus(), "virtio" | "scsi")
}

/// The first disk is what the guest stands on.
fn detach(now: &mut Machine, wanted: &Machine, steps: &mut Vec<Step>) {
    let mut index = 1;
    while let Some(disk) = now.disks.get(index) {
        if can_be_plugged(disk) && !wanted.disks.iter().any(|other| same(disk, other)) {
            steps.push(Step::Detach(now.disks.remove(index)));
        } else {
            index += 1;
        }
    }
}

/// A disk comes after the last one of its bus, as libvirt has it. SCSI needs a controller that is there.
fn attach(now: &mut Machine, wanted: &Machine, steps: &mut Vec<Step>) {
    for disk in &wanted.disks {
        if now.disks.iter().any(|other| same(disk, other)) || !can_be_plugged(disk) {
            continue;
        }
        let after = now
            .disks
            .iter()
            .rposition(|other| other.bus() == disk.bus());
        if disk.bus() == "scsi" && after.is_none() {
            continue;
        }
        now.disks
            .insert(after.map_or(now.disks.len(), |at| at + 1), disk.clone());
        steps.push(Step::Attach(disk.clone()));
    }
}

/// What drives hold, and what disks may do.
fn contents(now: &mut Machine, wanted: &Machine, steps: &mut Vec<Step>) {
    if now.disks.len() != wanted.disks.len() {
        return;
    }
    let mut drive = 0;
    for (disk, other) in now.disks.iter_mut().zip(&wanted.disks) {
        if disk.device == DiskDevice::Cdrom {
            let exchanged = MachineDisk {
                volume: other.volume.clone(),
                path: other.path.clone(),
                remote: other.remote.clone(),
                format: other.format,
                ..disk.clone()
            };
            if other.device == DiskDevice::Cdrom && exchanged != *disk {
                *disk = exchanged.clone();
                steps.push(Step::Medium(drive, exchanged));
            }
            drive += 1;
        } else if same(disk, other) && disk.throttle != other.throttle {
            disk.throttle = other.throttle;
            steps.push(Step::Throttle(MachineDisk {
                throttle: Some(other.throttle.unwrap_or_default()),
                ..disk.clone()
            }));
        }
    }
}

/// A NIC is known by its MAC. Its cable, its limits and its bridge are changed while it runs. On a device of the host it is
/// made by what it is on, as a VLAN is: it is pulled out and plugged in anew.
fn nics(now: &mut Machine, wanted: &Machine, steps: &mut Vec<Step>) {
    let has = |nics: &[MachineInterface], mac: &str| nics.iter().any(|nic| nic.mac == mac);
    now.interfaces.retain(|nic| {
        let stays = has(&wanted.interfaces, &nic.mac);
        if !stays {
            steps.push(Step::DetachNic(nic.clone()));
        }
        stays
    });
    for (turn, nic) in wanted.interfaces.iter().enumerate() {
        match now.interfaces.iter_mut().find(|there| there.mac == nic.mac) {
            Some(there) => nic_towards(there, nic, steps),
            None => {
                let turn = turn.min(now.interfaces.len());
                now.interfaces.insert(turn, nic.clone());
                steps.push(Step::AttachNic(nic.clone()));
            }
        }
    }
}

fn nic_towards(there: &mut MachineInterface, nic: &MachineInterface, steps: &mut Vec<Step>) {
    let elsewhere = |there: &MachineInterface| {
        there.network != nic.network
            || there.bridge != nic.bridge
            || there.driver != nic.driver
            || there.function != nic.function
    };
    if [CUT_OFF, PASSING]
        .iter()
        .any(|end| there.network == format!("{}{end}", nic.network))
        && nic.driver.is_none()
    {
        there.network.clone_from(&nic.network);
        there.bridge.clone_from(&nic.bridge);
        there.driver = None;
        steps.push(Step::Reattach(there.clone()));
    }
    // What somebody else has made says nothing of it, and libvirt has no place for it but our mark.
    if there.address.is_none() && nic.address.is_some() {
        there.address = nic.address;
        steps.push(Step::Remark);
    }
    let is_device = |nic: &MachineInterface| nic.driver.is_some() || nic.function.is_some();
    let on_device = is_device(there) || is_device(nic);
    if there.vlan != nic.vlan || on_device && elsewhere(there) {
        let anew = MachineInterface {
            boot: there.boot,
            ..nic.clone()
        };
        steps.push(Step::DetachNic(std::mem::replace(there, anew.clone())));
        steps.push(Step::AttachNic(anew));
        return;
    }
    let changed = MachineInterface {
        network: nic.network.clone(),
        bridge: nic.bridge.clone(),
        address: nic.address,
        unplugged: nic.unplugged,
        bandwidth: nic.bandwidth.clone(),
        ..there.clone()
    };
    if changed == *there {
        return;
    }
    let moves = elsewhere(there) || there.address != nic.address;
    *there = changed.clone();
    steps.push(match moves {
        true => Step::MoveNic(changed),
        false => Step::ChangeNic(changed),
    });
}

fn words(now: &mut Hardware, wanted: &Hardware, steps: &mut Vec<Step>) {
    let mut word =
        |now: &mut Option<String>, wanted: &Option<String>, step: fn(Option<String>) -> Step| {
            if now != wanted {
                now.clone_from(wanted);
                steps.push(step(wanted.clone()));
            }
        };
    word(&mut now.title, &wanted.title, Step::Title);
    word(&mut now.description, &wanted.description, Step::Description);
    word(&mut now.on_poweroff, &wanted.on_poweroff, Step::OnPoweroff);
    word(&mut now.on_reboot, &wanted.on_reboot, Step::OnReboot);
    word(&mut now.on_crash, &wanted.on_crash, Step::OnCrash);
}

#[cfg(test)]
mod tests;
