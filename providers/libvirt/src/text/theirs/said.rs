//! Which devices the blocks of a machine have words for: of those that are read at all.

use std::collections::BTreeMap;

use infra_api::target::{DiskDevice, MachineDisk, MachineNetwork};

use super::super::domain::disk;
use super::super::tree::{Child, Tree};
use super::super::xml::parse;

const AGENT: &str = "org.qemu.guest_agent.0";

fn below<'a>(device: &'a Tree, name: &str) -> Option<&'a Tree> {
    device.elements().find(|element| element.name == name)
}

fn of<'a>(device: &'a Tree, child: &str, attribute: &str) -> Option<&'a str> {
    below(device, child)?.attribute(attribute)
}

/// `before`: the devices before it that are said.
pub(super) fn is_said(
    device: &Tree,
    before: &[Child],
    networks: &BTreeMap<String, MachineNetwork>,
) -> bool {
    let is =
        |name: &str, values: &[&str]| device.attribute(name).is_some_and(|v| values.contains(&v));
    let same = |child: &Child| matches!(child, Child::Element(other) if other.name == device.name);
    let first = !before.iter().any(same);
    match device.name.as_str() {
        "disk" => a_disk(device),
        "interface" => a_nic(device, networks),
        "serial" => a_port(device),
        "graphics" => first && a_screen(device),
        "video" => {
            let models = ["none", "vga", "virtio", "bochs", "qxl"];
            first && of(device, "model", "type").is_some_and(|model| models.contains(&model))
        }
        "watchdog" => first && is("model", &["i6300esb", "itco"]),
        "tpm" => {
            let version = of(device, "backend", "version");
            let emulated = of(device, "backend", "type") == Some("emulator");
            first && emulated && version.is_some() && is("model", &["tpm-crb", "tpm-tis"])
        }
        "channel" => {
            let agent = of(device, "target", "name") == Some(AGENT);
            // Others are not read.
            !agent || is("type", &["unix"])
        }
        "vsock" => {
            first
                && of(device, "cid", "auto") == Some("no")
                && of(device, "cid", "address").is_some()
        }
        "panic" => first && is("model", &["isa"]),
        "filesystem" => a_directory(device),
        "hostdev" => a_host_device(device),
        "rng" => first,
        "memballoon" => is("model", &["none", "virtio"]),
        _ => true,
    }
}

fn a_disk(device: &Tree) -> bool {
    let known = |disk: &MachineDisk| {
        let serial = disk.serial.as_deref();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let serial =
            serial.is_none_or(|s| s.len() <= 20 && s != disk::SEED_SERIAL && s.chars().all(plain));
        let among = |word: &Option<String>, words: &[&str]| {
            word.as_ref()
                .is_none_or(|word| words.contains(&word.as_str()))
        };
        let remote = disk.remote.as_ref();
        let protocols = ["nbd", "rbd", "iscsi", "http", "https"];
        serial
            && matches!(disk.bus(), "virtio" | "scsi" | "sata")
            && among(
                &disk.cache,
                &["none", "writeback", "writethrough", "directsync", "unsafe"],
            )
            && among(&disk.io, &["native", "threads", "io_uring"])
            && among(&disk.discard, &["ignore"])
            && remote
                .is_none_or(|r| protocols.contains(&r.protocol.as_str()) && !r.servers.is_empty())
            && (remote.is_some() || disk.path.is_some() || disk.device == DiskDevice::Cdrom)
    };
    // A drive has a medium and a turn, and else what each drive has.
    let drive = |disk: &MachineDisk| {
        let plain = MachineDisk {
            path: disk.path.clone(),
            boot: disk.boot,
            ..MachineDisk::drive()
        };
        disk.device == DiskDevice::Disk || *disk == plain
    };
    let kind = device.attribute("type");
    let kind = matches!(kind, Some("file" | "block" | "network"));
    let device_kind = matches!(device.attribute("device"), None | Some("disk" | "cdrom"));
    kind && device_kind && read(device).is_some_and(|disk| known(&disk) && drive(&disk))
}

fn read(device: &Tree) -> Option<MachineDisk> {
    let xml = device.document().ok()?;
    parse(&xml, |node| Some(disk::read(node))).ok()
}

fn a_nic(device: &Tree, networks: &BTreeMap<String, MachineNetwork>) -> bool {
    let models = ["virtio", "e1000e", "e1000", "rtl8139", "vmxnet3"];
    let model = of(device, "model", "type");
    let network = of(device, "source", "network");
    device.attribute("type") == Some("network")
        && model.is_some_and(|model| models.contains(&model))
        && network.is_some_and(|network| networks.contains_key(network))
        && of(device, "mac", "address").is_some()
}

/// The console's is a terminal; of the others those that a declaration has a word for.
fn a_port(device: &Tree) -> bool {
    let bound = of(device, "source", "mode") == Some("bind");
    let raw = matches!(of(device, "protocol", "type"), None | Some("raw"));
    let console = matches!(of(device, "target", "port"), None | Some("0"));
    match device.attribute("type") {
        Some("pty") => true,
        Some("file") => !console,
        Some("unix") => !console && bound,
        Some("tcp") => {
            let host = of(device, "source", "host").map(str::parse::<std::net::IpAddr>);
            !console && bound && raw && matches!(host, Some(Ok(_)))
        }
        _ => false,
    }
}

fn a_screen(device: &Tree) -> bool {
    let known = matches!(device.attribute("type"), Some("vnc" | "spice"));
    let listens = device
        .attribute("listen")
        .or(of(device, "listen", "address"));
    let port = device
        .attribute("port")
        .and_then(|port| port.parse::<i32>().ok());
    let port = device.attribute("autoport") == Some("yes") || port.is_some_and(|port| port >= 5900);
    let listen: Vec<&Tree> = device.elements().filter(|e| e.name == "listen").collect();
    let addresses = listen.len() <= 1
        && listen
            .iter()
            .all(|e| e.attribute("type") == Some("address"));
    known && port && addresses && listens.is_none_or(|address| address == "127.0.0.1")
}

fn a_directory(device: &Tree) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let tag = of(device, "target", "dir");
    of(device, "driver", "type") == Some("virtiofs")
        && of(device, "source", "dir").is_some()
        && tag.is_some_and(|tag| !tag.is_empty() && tag.len() <= 40 && tag.chars().all(plain))
}

fn a_host_device(device: &Tree) -> bool {
    let Some(source) = below(device, "source") else {
        return false;
    };
    let managed =
        device.attribute("mode") == Some("subsystem") && device.attribute("managed") == Some("yes");
    managed
        && match device.attribute("type") {
            Some("pci") => below(source, "address").is_some(),
            Some("usb") => {
                below(source, "vendor").is_some()
                    && below(source, "product").is_some()
                    && below(source, "address").is_none()
            }
            _ => false,
        }
}
