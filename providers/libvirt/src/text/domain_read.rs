//! A body from a domain's XML, anybody's domain: what has no place in a body is left out, what differs from
//! what we write becomes a value that is not ours.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use infra_api::target::{
    Acceleration, Boot, Format, Machine, MachineDisk, MachineInterface, VolumeRef,
};
use infra_api::{IdSet, Mark, Text};
use roxmltree::Node;

use super::domain::SEED_SERIAL;
use super::mark::{self, NAMESPACE, Stamp};
use super::pool::Pools;
use super::xml::{all, attr, find, parse, size, size_at, text};

/// A domain as libvirt describes it. Its machine has no state and no autostart: these are not in the XML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) stamp: Option<Stamp>,
    pub(crate) machine: Machine,
    /// PCI addresses of the host's devices it is given.
    pub(crate) host_devices: Vec<String>,
}

impl Found {
    pub(crate) fn mark(&self) -> Option<&Mark> {
        self.stamp.as_ref().map(|stamp| &stamp.mark)
    }
}

pub(crate) fn read(xml: &str, pools: &Pools) -> Result<Found, String> {
    parse(xml, |root| {
        Some(Found {
            stamp: mark::read(root),
            machine: machine(root, pools)?,
            host_devices: host_devices(root),
        })
    })
}

fn machine(root: Node, pools: &Pools) -> Option<Machine> {
    let (seeds, disks): (Vec<Node>, Vec<Node>) = devices(root, "disk")
        .filter(|disk| disk.attribute("device").unwrap_or("disk") == "disk")
        .partition(|disk| text(*disk, "serial").as_deref() == Some(SEED_SERIAL));
    Some(Machine {
        name: text(root, "name")?,
        uuid: text(root, "uuid")?,
        state: String::new(),
        acceleration: acceleration(root),
        vcpus: vcpus(root)?,
        vcpu_pins: vcpu_pins(root),
        emulator_pin: attr(root, "cputune/emulatorpin", "cpuset").and_then(|set| set.parse().ok()),
        memory_bytes: size_at(root, "memory")?,
        memory_nodes: memory_nodes(root),
        page_size_bytes: page_size(root),
        boot: boot(root, pools),
        disks: disks.into_iter().map(|node| disk(node, pools)).collect(),
        seed: seeds.first().map(|node| volume(*node, pools)),
        interfaces: devices(root, "interface")
            .map(|node| interface(root, node))
            .collect(),
        console_log: attr(root, "devices/serial/log", "file"),
        autostart: false,
    })
}

fn devices<'a, 'i: 'a>(
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

/// How many are plugged in; `current` is only there where it is fewer than there could be.
fn vcpus(root: Node) -> Option<u32> {
    attr(root, "vcpu", "current")
        .or_else(|| text(root, "vcpu"))?
        .trim()
        .parse()
        .ok()
}

fn vcpu_pins(root: Node) -> BTreeMap<u32, IdSet> {
    let tune = find(root, "cputune");
    let pins = tune.into_iter().flat_map(|tune| all(tune, "vcpupin"));
    pins.filter_map(|pin| {
        Some((
            pin.attribute("vcpu")?.parse().ok()?,
            pin.attribute("cpuset")?.parse().ok()?,
        ))
    })
    .collect()
}

/// Only a strict binding is one.
fn memory_nodes(root: Node) -> Option<IdSet> {
    let memory = find(root, "numatune/memory")?;
    let strict = memory.attribute("mode").unwrap_or("strict") == "strict";
    memory.attribute("nodeset").filter(|_| strict)?.parse().ok()
}

/// Huge pages without a size are of the default one; x86's is 2 MiB unless the kernel was told otherwise.
fn page_size(root: Node) -> Option<u64> {
    let pages = find(root, "memoryBacking/hugepages")?;
    let page = find(pages, "page").and_then(|page| size(page, page.attribute("size")?));
    Some(page.unwrap_or(2 << 20))
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

/// Where a running domain has a volume: `vda`.
pub(crate) fn target(xml: &str, wanted: &VolumeRef, pools: &Pools) -> Option<String> {
    parse(xml, |root| {
        let mut disks = devices(root, "disk").filter(|disk| volume(*disk, pools) == *wanted);
        attr(disks.next()?, "target", "dev")
    })
    .ok()
}

fn disk(node: Node, pools: &Pools) -> MachineDisk {
    let format = match attr(node, "driver", "type").as_deref() {
        Some("qcow2") => Format::Qcow2,
        _ => Format::Raw,
    };
    MachineDisk {
        volume: volume(node, pools),
        format,
        read_only: find(node, "readonly").is_some(),
    }
}

/// Of a disk that is no volume, whatever names it.
fn volume(node: Node, pools: &Pools) -> VolumeRef {
    let source = |name| attr(node, "source", name);
    match (source("pool"), source("volume")) {
        (Some(pool), Some(name)) => VolumeRef { pool, name },
        _ => pools.volume(
            &source("file")
                .or(source("dev"))
                .or(source("name"))
                .unwrap_or_default(),
        ),
    }
}

fn interface(root: Node, node: Node) -> MachineInterface {
    let mac = attr(node, "mac", "address").unwrap_or_default();
    let network = attr(node, "source", "network").unwrap_or_default();
    let address = address(root, &mac).unwrap_or(Ipv4Addr::UNSPECIFIED);
    MachineInterface {
        mac,
        network,
        address,
    }
}

fn address(root: Node, mac: &str) -> Option<Ipv4Addr> {
    let notes = mark::node(root)?;
    let of_mac =
        |n: &Node| n.has_tag_name((NAMESPACE, "address")) && n.attribute("mac") == Some(mac);
    notes.children().find(of_mac)?.attribute("ip")?.parse().ok()
}

fn host_devices(root: Node) -> Vec<String> {
    let given = devices(root, "hostdev").chain(devices(root, "interface"));
    given
        .filter_map(|node| pci(find(node, "source/address")?))
        .collect()
}

/// `0000:3b:02.1`, as the kernel writes it.
fn pci(address: Node) -> Option<String> {
    let part =
        |name| u32::from_str_radix(address.attribute(name)?.trim_start_matches("0x"), 16).ok();
    let (domain, bus, slot, function) = (
        part("domain")?,
        part("bus")?,
        part("slot")?,
        part("function")?,
    );
    Some(format!("{domain:04x}:{bus:02x}:{slot:02x}.{function}"))
}
