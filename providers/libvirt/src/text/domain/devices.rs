//! The smaller devices of a domain, both ways: screen, watchdog, TPM, channels, shared directories, devices of the host.

use infra_api::target::{
    Filesystem, Graphics, GuestReady, Hardware, HostDevice, Machine, Tpm, Watchdog,
};
use roxmltree::Node;

use super::super::xml::{El, all, attr, el, find, leaf};
use super::serial;

const AGENT: &str = "org.qemu.guest_agent.0";
const LOOPBACK: &str = "127.0.0.1";

/// An itco belongs to every q35, and is unknown to libvirt's schema before 9.1.
const WATCHDOG: &str = "i6300esb";

/// In the order of libvirt's schema where it has one.
pub(crate) fn write(hardware: &Hardware) -> Result<Vec<El>, String> {
    let Hardware {
        graphics,
        video,
        watchdog,
        vsock_cid,
        panic,
        agent,
        filesystems,
        host_devices,
        tpm,
        // The rest is no device.
        title: _,
        description: _,
        machine_type: _,
        cpu: _,
        topology: _,
        firmware: _,
        clock: _,
        hyperv: _,
        dedicated_hint: _,
        without_pmu: _,
        realtime: _,
        on_poweroff: _,
        on_reboot: _,
        on_crash: _,
        locked_memory: _,
        shared_memory: _,
        // Written with what stands beside them.
        without_rng: _,
        without_balloon: _,
        serial_ports: _,
    } = hardware;
    let host_devices: Vec<El> = host_devices
        .iter()
        .map(host_device)
        .collect::<Result<_, _>>()?;
    let some = [
        tpm.as_ref().map(write_tpm),
        graphics.as_ref().map(write_graphics),
        video
            .as_ref()
            .map(|model| el("video").child(el("model").attr("type", model))),
        watchdog.as_ref().map(|Watchdog { action }| {
            el("watchdog")
                .attr("model", WATCHDOG)
                .attr("action", action)
        }),
        agent.then(write_agent),
        vsock_cid.map(|cid| {
            let cid = el("cid").attr("auto", "no").attr("address", cid);
            el("vsock").attr("model", "virtio").child(cid)
        }),
        panic.then(|| el("panic").attr("model", "isa")),
    ];
    Ok(filesystems
        .iter()
        .map(|(tag, filesystem)| write_filesystem(tag, filesystem))
        .chain(some.into_iter().flatten())
        .chain(host_devices)
        .collect())
}

/// Everything in the devices of a domain that a body has a word for.
pub(crate) fn read(root: Node, hardware: &mut Hardware) {
    let Some(devices) = find(root, "devices") else {
        return;
    };
    hardware.tpm = find(devices, "tpm").and_then(read_tpm);
    hardware.graphics = find(devices, "graphics").map(read_graphics);
    hardware.video = attr(devices, "video/model", "type").filter(|model| model != "none");
    hardware.watchdog = all(devices, "watchdog")
        .find(|node| node.attribute("model") == Some(WATCHDOG))
        .map(|node| Watchdog {
            action: node.attribute("action").unwrap_or("reset").to_owned(),
        });
    hardware.without_rng = find(devices, "rng").is_none();
    hardware.serial_ports = serial::read(devices);
    hardware.agent =
        all(devices, "channel").any(|node| attr(node, "target", "name").as_deref() == Some(AGENT));
    hardware.vsock_cid = attr(devices, "vsock/cid", "address").and_then(|cid| cid.parse().ok());
    hardware.panic = all(devices, "panic").any(|node| node.attribute("model") != Some("hyperv"));
    hardware.filesystems = all(devices, "filesystem")
        .filter_map(read_filesystem)
        .collect();
    hardware.host_devices = all(devices, "hostdev")
        .filter_map(read_host_device)
        .collect();
}

fn write_tpm(tpm: &Tpm) -> El {
    let Tpm { version, model } = tpm;
    let backend = el("backend")
        .attr("type", "emulator")
        .attr("version", version);
    el("tpm").attr("model", model).child(backend)
}

fn read_tpm(node: Node) -> Option<Tpm> {
    Some(Tpm {
        version: attr(node, "backend", "version")?,
        model: node.attribute("model")?.to_owned(),
    })
}

fn write_graphics(graphics: &Graphics) -> El {
    let Graphics { protocol, port } = graphics;
    let screen = el("graphics").attr("type", protocol);
    let screen = match port {
        Some(port) => screen.attr("port", port).attr("autoport", "no"),
        None => screen.attr("autoport", "yes"),
    };
    let listen = el("listen").attr("type", "address");
    screen
        .attr("listen", LOOPBACK)
        .child(listen.attr("address", LOOPBACK))
}

/// One that listens elsewhere is none of ours: its protocol says where.
fn read_graphics(node: Node) -> Graphics {
    let protocol = node.attribute("type").unwrap_or_default();
    let listens = attr(node, "listen", "address")
        .or(node.attribute("listen").map(str::to_owned))
        .filter(|address| address != LOOPBACK);
    let port = node.attribute("port").and_then(|port| port.parse().ok());
    Graphics {
        protocol: match listens {
            Some(address) => format!("{protocol} on {address}"),
            None => protocol.to_owned(),
        },
        port: port.filter(|_| node.attribute("autoport") != Some("yes")),
    }
}

fn write_agent() -> El {
    el("channel")
        .attr("type", "unix")
        .child(el("target").attr("type", "virtio").attr("name", AGENT))
}

fn write_filesystem(tag: &str, filesystem: &Filesystem) -> El {
    let Filesystem { source } = filesystem;
    el("filesystem")
        .attr("type", "mount")
        .attr("accessmode", "passthrough")
        .child(el("driver").attr("type", "virtiofs"))
        .child(el("source").attr("dir", source))
        .child(el("target").attr("dir", tag))
}

fn read_filesystem(node: Node) -> Option<(String, Filesystem)> {
    let source = attr(node, "source", "dir")?;
    Some((attr(node, "target", "dir")?, Filesystem { source }))
}

fn host_device(device: &HostDevice) -> Result<El, String> {
    let hostdev = |kind| {
        el("hostdev")
            .attr("mode", "subsystem")
            .attr("type", kind)
            .attr("managed", "yes")
    };
    Ok(match device {
        HostDevice::Pci { address } => {
            let place = place(address).ok_or_else(|| format!("`{address}` is no PCI address"))?;
            hostdev("pci").child(el("source").child(place))
        }
        HostDevice::Usb { vendor, product } => {
            let id = |name, id: &str| el(name).attr("id", format!("0x{id}"));
            let source = el("source")
                .child(id("vendor", vendor))
                .child(id("product", product));
            hostdev("usb").child(source)
        }
    })
}

/// Where a device of the host is.
pub(crate) fn place(address: &str) -> Option<El> {
    let [domain, bus, slot, function] = parts(address)?;
    let place = el("address")
        .attr("domain", format!("0x{domain:04x}"))
        .attr("bus", format!("0x{bus:02x}"))
        .attr("slot", format!("0x{slot:02x}"))
        .attr("function", format!("0x{function:x}"));
    Some(place)
}

/// Of `0000:3b:02.1`.
fn parts(address: &str) -> Option<[u32; 4]> {
    let (domain, rest) = address.split_once(':')?;
    let (bus, rest) = rest.split_once(':')?;
    let (slot, function) = rest.split_once('.')?;
    let hex = |text| u32::from_str_radix(text, 16).ok();
    Some([hex(domain)?, hex(bus)?, hex(slot)?, hex(function)?])
}

fn read_host_device(node: Node) -> Option<HostDevice> {
    if let Some(address) = find(node, "source/address").and_then(pci) {
        return Some(HostDevice::Pci { address });
    }
    let id = |path| Some(attr(node, path, "id")?.trim_start_matches("0x").to_owned());
    Some(HostDevice::Usb {
        vendor: id("source/vendor")?,
        product: id("source/product")?,
    })
}

/// PCI addresses of the host's devices it is given, also as NICs.
pub(crate) fn host_devices(root: Node) -> Vec<String> {
    let devices = || find(root, "devices").into_iter();
    let given = devices()
        .flat_map(|d| all(d, "hostdev"))
        .chain(devices().flat_map(|d| all(d, "interface")));
    given
        .filter_map(|node| pci(find(node, "source/address")?))
        .collect()
}

/// `0000:3b:02.1`, as the kernel writes it.
pub(crate) fn pci(address: Node) -> Option<String> {
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

/// What is the same in all domains: no USB that nothing is plugged into, free PCIe ports for what is plugged in while
/// it runs, and a controller for SCSI disks.
pub(crate) fn controllers(hardware: &Hardware, scsi: bool) -> Vec<El> {
    let usb = |d: &HostDevice| matches!(d, HostDevice::Usb { .. });
    let usb = if hardware.host_devices.iter().any(usb) {
        "qemu-xhci"
    } else {
        "none"
    };
    let controller =
        |kind: &str, model: &str| el("controller").attr("type", kind).attr("model", model);
    let express = hardware
        .machine_type
        .as_deref()
        .is_none_or(|m| m.contains(super::board::FAMILY));
    let ports = if express { ROOT_PORTS } else { 0 };
    std::iter::once(controller("usb", usb))
        .chain(scsi.then(|| controller("scsi", "virtio-scsi").attr("index", 0)))
        .chain((1..=ports).map(|index| controller("pci", "pcie-root-port").attr("index", index)))
        .collect()
}

/// On a q35 each device has a root port of its own. What is plugged in while it runs takes one that is free.
const ROOT_PORTS: usize = 16;

/// The log goes on from start to start, unless what this one says is waited for.
pub(crate) fn console(name: &'static str, machine: &Machine) -> El {
    let awaits = |ready: &GuestReady| ready.console.is_some() || ready.cloud_init;
    let anew = machine.ready.as_ref().is_some_and(awaits);
    let append = if anew { "off" } else { "on" };
    let log = machine.console_log.as_ref();
    let log = log.map(|path| el("log").attr("file", path).attr("append", append));
    el(name).attr("type", "pty").children(log)
}

pub(crate) fn rng() -> El {
    let random = leaf("backend", "/dev/urandom").attr("model", "random");
    el("rng").attr("model", "virtio").child(random)
}
