//! A body from a domain's XML, anybody's domain: what has no place in a body is left out, what differs from
//! what we write becomes a value that is not ours.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::target::{
    Acceleration, Boot, DiskDevice, Hardware, Machine, MachineDisk, MachineInterface, RemoteDisk,
    VolumeRef,
};
use infra_api::{IdSet, Mark, Text};
use roxmltree::Node;

use super::domain::disk::{self, SEED_SERIAL};
use super::domain::{board, devices, ignition, interface, numa, patched, ready, stop};
use super::mark::{self, NAMESPACE, Stamp};
use super::pool::Pools;
use super::xml::{all, attr, find, parse, size_at, text};

/// A domain as libvirt describes it. Its machine has no state and no autostart: these are not in the XML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) stamp: Option<Stamp>,
    pub(crate) machine: Machine,
    /// PCI addresses of the host's devices it is given.
    pub(crate) host_devices: Vec<String>,
    /// The port of each NIC in its network, where it is cut off without it.
    pub(crate) ports: Vec<Option<String>>,
}

/// After the name of the network of a NIC that is on no bridge.
pub(crate) const CUT_OFF: &str = " (cut off)";

impl Found {
    /// Marks the NICs whose port is gone.
    pub(crate) fn cut_off(&mut self, gone: impl Fn(&str) -> bool) {
        for (nic, port) in self.machine.interfaces.iter_mut().zip(&self.ports) {
            if port.as_deref().is_some_and(&gone) {
                nic.network += CUT_OFF;
            }
        }
    }

    /// The NICs that stand and fall with a network.
    pub(crate) fn on_bridge(&self, network: &str) -> Vec<MachineInterface> {
        let nics = self.machine.interfaces.iter().zip(&self.ports);
        let nics = nics.filter(|(nic, port)| nic.network == network && port.is_some());
        nics.map(|(nic, _)| nic.clone()).collect()
    }

    /// The networks that may have left a NIC behind.
    pub(crate) fn stands_on(&self) -> BTreeSet<String> {
        let nics = self.machine.interfaces.iter().zip(&self.ports);
        let nics = nics.filter(|(_, port)| port.is_some());
        nics.map(|(nic, _)| nic.network.clone()).collect()
    }

    /// Whether it has files of pools that are not known.
    pub(crate) fn is_astray(&self) -> bool {
        let Machine { boot, ignition, .. } = &self.machine;
        let kernel = match boot {
            Boot::Disk => [None, None],
            Boot::Kernel {
                kernel, initramfs, ..
            } => [Some(kernel), initramfs.as_ref()],
        };
        let ignition = ignition.as_ref().map(|ignition| &ignition.volume);
        let mut files = kernel.into_iter().chain([ignition]).flatten();
        files.any(|file| file.pool.is_empty())
    }

    pub(crate) fn mark(&self) -> Option<&Mark> {
        self.stamp.as_ref().map(|stamp| &stamp.mark)
    }
}

pub(crate) fn read(xml: &str, pools: &Pools) -> Result<Found, String> {
    let Some((patches, rest)) = patched::read(xml)? else {
        return plain(xml, pools);
    };
    let mut found = plain(&rest, pools)?;
    found.machine.patches = patches;
    Ok(found)
}

/// As if nothing were patched.
pub(crate) fn plain(xml: &str, pools: &Pools) -> Result<Found, String> {
    parse(xml, |root| {
        Some(Found {
            stamp: mark::read(root),
            machine: machine(root, pools)?,
            host_devices: devices::host_devices(root),
            ports: nics(root).into_iter().map(port).collect(),
        })
    })
}

fn machine(root: Node, pools: &Pools) -> Option<Machine> {
    let known = |disk: &Node| matches!(disk.attribute("device"), None | Some("disk" | "cdrom"));
    let disks = devices_named(root, "disk").filter(known).map(disk::read);
    let (seeds, disks): (Vec<MachineDisk>, Vec<MachineDisk>) =
        disks.partition(|disk| disk.serial.as_deref() == Some(SEED_SERIAL));
    let vcpus = text(root, "vcpu")?.trim().parse().ok()?;
    let memory_bytes = size_at(root, "memory")?;
    let tune = find(root, "cputune");
    let acceleration = acceleration(root);
    Some(Machine {
        name: text(root, "name")?,
        uuid: text(root, "uuid")?,
        state: String::new(),
        next_start: None,
        acceleration,
        vcpus,
        online_vcpus: attr(root, "vcpu", "current")
            .and_then(|n| n.parse().ok())
            .filter(|online| *online != vcpus),
        vcpu_pins: pins(tune, "vcpupin", "vcpu"),
        emulator_pin: attr(root, "cputune/emulatorpin", "cpuset").and_then(|set| set.parse().ok()),
        iothreads: text(root, "iothreads")
            .and_then(|n| n.trim().parse().ok())
            .unwrap_or(0),
        iothread_pins: pins(tune, "iothreadpin", "iothread"),
        memory_bytes,
        balloon_bytes: size_at(root, "currentMemory").filter(|bytes| *bytes != memory_bytes),
        memory_nodes: attr(root, "numatune/memory", "nodeset").and_then(|set| set.parse().ok()),
        memory_mode: numa::read_mode(root),
        page_size_bytes: numa::read_page_size(root),
        cells: numa::read_cells(root),
        boot: boot(root, pools),
        boot_order: board::read_boot_order(root),
        disks: in_order(disks),
        seed: seeds.into_iter().next().and_then(|seed| seed.volume),
        ignition: ignition::read(root, pools),
        seed_digest: mark::node(root).and_then(seed_digest),
        interfaces: nics(root)
            .into_iter()
            .map(|node| interface::read(root, node))
            .collect(),
        console_log: attr(root, "devices/serial/log", "file"),
        autostart: false,
        ready: ready::read(root),
        stop_timeout_s: stop::read(root),
        patches: Vec::new(),
        hardware: hardware(root, acceleration),
    })
}

/// In the order in which they were noted: libvirt puts what is plugged in last.
fn nics<'a, 'i: 'a>(root: Node<'a, 'i>) -> Vec<Node<'a, 'i>> {
    let mut nics: Vec<Node> = devices_named(root, "interface").collect();
    nics.sort_by_key(|node| {
        let mac = attr(*node, "mac", "address").unwrap_or_default();
        interface::turn(root, &mac)
    });
    nics
}

/// What it stands and falls with.
fn port(node: Node) -> Option<String> {
    attr(node, "source", "portid").filter(|_| interface::stands_on_network(node))
}

/// A declaration's drives come after its disks, and libvirt keeps the disks of a bus together.
pub(crate) fn in_order(mut disks: Vec<MachineDisk>) -> Vec<MachineDisk> {
    disks.sort_by_key(|disk| disk.device != DiskDevice::Disk);
    let mut buses: Vec<String> = Vec::new();
    for disk in &disks {
        if !buses.iter().any(|bus| bus == disk.bus()) {
            buses.push(disk.bus().to_owned());
        }
    }
    disks.sort_by_key(|disk| buses.iter().position(|bus| bus == disk.bus()));
    disks
}

fn seed_digest(mark: Node) -> Option<String> {
    let mut notes = mark.children();
    let note = notes.find(|n| n.has_tag_name((NAMESPACE, "seed")))?;
    note.attribute("digest").map(str::to_owned)
}

fn hardware(root: Node, acceleration: Acceleration) -> Hardware {
    let unusual = |path, usual: &str| text(root, path).filter(|word| word != usual);
    let hyperv = board::read_hyperv(root);
    let mut hardware = Hardware {
        title: text(root, "title"),
        description: text(root, "description"),
        machine_type: board::read_machine_type(root),
        cpu: board::read_cpu(root, acceleration),
        topology: board::read_topology(root),
        firmware: board::read_firmware(root),
        clock: board::read_clock(root, hyperv),
        hyperv,
        dedicated_hint: board::read_dedicated_hint(root),
        without_pmu: board::read_without_pmu(root),
        realtime: board::read_realtime(root),
        on_poweroff: unusual("on_poweroff", "destroy"),
        on_reboot: unusual("on_reboot", "restart"),
        on_crash: unusual("on_crash", "destroy"),
        locked_memory: find(root, "memoryBacking/locked").is_some(),
        shared_memory: attr(root, "memoryBacking/access", "mode").as_deref() == Some("shared"),
        ..Hardware::default()
    };
    devices::read(root, &mut hardware);
    let balloon = attr(root, "devices/memballoon", "model");
    let fixed = hardware.locked_memory || find(root, "memoryBacking/hugepages").is_some();
    hardware.without_balloon = !fixed && balloon.is_none_or(|model| model == "none");
    hardware
}

fn devices_named<'a, 'i: 'a>(
    root: Node<'a, 'i>,
    name: &'a str,
) -> impl Iterator<Item = Node<'a, 'i>> + use<'a, 'i> {
    find(root, "devices")
        .into_iter()
        .flat_map(move |devices| all(devices, name))
}

fn acceleration(root: Node) -> Acceleration {
    match root.attribute("type") {
        Some("kvm") => Acceleration::Kvm,
        _ => Acceleration::Emulated,
    }
}

fn pins(tune: Option<Node>, name: &str, id: &str) -> BTreeMap<u32, IdSet> {
    let pins = tune.into_iter().flat_map(|tune| all(tune, name));
    pins.filter_map(|pin| {
        Some((
            pin.attribute(id)?.parse().ok()?,
            pin.attribute("cpuset")?.parse().ok()?,
        ))
    })
    .collect()
}

fn boot(root: Node, pools: &Pools) -> Boot {
    match text(root, "os/kernel") {
        None => Boot::Disk,
        Some(kernel) => Boot::Kernel {
            kernel: pools.volume(&kernel),
            initramfs: text(root, "os/initrd").map(|path| pools.volume(&path)),
            cmdline: text(root, "os/cmdline").map(Text::Plain),
        },
    }
}

/// The networks its NICs are in, by name.
pub(crate) fn networks(xml: &str) -> Result<BTreeSet<String>, String> {
    parse(xml, |root| {
        let nics = devices_named(root, "interface");
        Some(
            nics.filter_map(|nic| attr(nic, "source", "network"))
                .collect(),
        )
    })
}

/// Where a running domain has its disks.
pub(crate) struct Places(Vec<(String, MachineDisk)>);

pub(crate) fn places(xml: &str) -> Result<Places, String> {
    parse(xml, |root| {
        let disks = devices_named(root, "disk")
            .filter_map(|node| Some((attr(node, "target", "dev")?, disk::read(node))));
        Some(Places(disks.collect()))
    })
}

/// What is in a disk.
pub(crate) fn content(
    disk: &MachineDisk,
) -> (Option<&VolumeRef>, Option<&str>, Option<&RemoteDisk>) {
    let (path, remote) = (disk.path.as_deref(), disk.remote.as_ref());
    (disk.volume.as_ref(), path, remote)
}

impl Places {
    /// `vda`, of the disk with this content.
    pub(crate) fn of(&self, disk: &MachineDisk) -> Option<String> {
        self.find(|other| content(other) == content(disk))
    }

    /// Of a volume, given as such or by its path.
    pub(crate) fn of_volume(&self, volume: &VolumeRef, path: &str) -> Option<String> {
        self.find(|disk| disk.volume.as_ref() == Some(volume) || disk.path.as_deref() == Some(path))
    }

    fn find(&self, is: impl Fn(&MachineDisk) -> bool) -> Option<String> {
        let found = self.0.iter().find(|(_, disk)| is(disk));
        found.map(|(place, _)| place.clone())
    }

    /// Of the n-th CD-ROM drive.
    pub(crate) fn drive(&self, number: usize) -> Option<String> {
        let drives = self.0.iter().filter(|(_, d)| d.device == DiskDevice::Cdrom);
        drives.map(|(place, _)| place.clone()).nth(number)
    }

    /// After the last one that is taken, so that a disk that comes later stays after the others.
    pub(crate) fn free(&self, bus: &str) -> Option<String> {
        let prefix = disk::prefix(bus);
        let taken = |index: &usize| {
            let place = disk::place(prefix, *index);
            self.0
                .iter()
                .any(|(other, _)| Some(other) == place.as_ref())
        };
        let next = (0..26).rev().find(taken).map_or(0, |last| last + 1);
        disk::place(prefix, next)
    }
}

pub(crate) fn has_nic(root: Node, mac: &str) -> bool {
    devices_named(root, "interface").any(|nic| attr(nic, "mac", "address").as_deref() == Some(mac))
}
