//! A disk or CD-ROM drive of a domain, both ways.

use infra_api::target::{DiskDevice, Format, MachineDisk, Throttle, VolumeRef};

use super::remote;
use roxmltree::Node;

use super::super::xml::{El, attr, el, find, leaf, text};

/// The seed's disk is known by this serial number.
pub(crate) const SEED_SERIAL: &str = "cidata";

/// How the names of its places begin: `vda`, `sda`.
pub(crate) fn prefix(bus: &str) -> &'static str {
    match bus {
        "virtio" => "vd",
        "nvme" => "nvme",
        _ => "sd",
    }
}

/// Of 26 places on a bus, the one with this index. An NVMe disk is the one namespace of a controller of its own: the
/// serial number is the controller's.
pub(crate) fn place(prefix: &str, index: usize) -> Option<String> {
    let letter = ('a'..='z').nth(index)?;
    Some(match prefix {
        "nvme" => format!("nvme{index}n1"),
        _ => format!("{prefix}{letter}"),
    })
}

/// The seed is a read-only virtio disk: cloud-init takes any block device labelled `cidata`, and a small guest that
/// has virtio_blk for its disks needs no driver more.
pub(crate) fn seed(volume: &VolumeRef) -> MachineDisk {
    MachineDisk {
        serial: Some(SEED_SERIAL.to_owned()),
        ..MachineDisk::new(volume.clone(), Format::Raw, true)
    }
}

/// At a place such as `vda`.
pub(crate) fn write(disk: &MachineDisk, place: &str) -> El {
    let MachineDisk {
        volume,
        path,
        remote,
        format,
        read_only,
        device,
        bus: _,
        cache,
        io,
        discard,
        serial,
        queues,
        iothread,
        throttle,
        boot,
    } = disk;
    let discard = discard.as_deref().unwrap_or("unmap");
    let driver = el("driver")
        .attr("name", "qemu")
        .attr("type", format_name(*format))
        .attrs("cache", cache.as_ref())
        .attrs("io", io.as_ref())
        .attrs("discard", writable(disk).then_some(discard))
        .attrs("queues", queues.as_ref())
        .attrs("iothread", iothread.as_ref());
    let (kind, source) = match remote {
        Some(remote) => ("network", Some(remote::write(remote))),
        None => source(volume.as_ref(), path.as_deref()),
    };
    el("disk")
        .attr("type", kind)
        .attr("device", device_name(*device))
        .child(driver)
        .children(source)
        .child(el("target").attr("dev", place).attr("bus", disk.bus()))
        .children(throttle.as_ref().map(iotune))
        .children((*read_only || *device == DiskDevice::Cdrom).then(|| el("readonly")))
        .children(serial.as_ref().map(|serial| leaf("serial", serial)))
        .children(boot.map(|turn| el("boot").attr("order", turn)))
}

fn writable(disk: &MachineDisk) -> bool {
    !disk.read_only && disk.device == DiskDevice::Disk
}

fn format_name(format: Format) -> &'static str {
    match format {
        Format::Raw => "raw",
        Format::Qcow2 => "qcow2",
    }
}

fn device_name(device: DiskDevice) -> &'static str {
    match device {
        DiskDevice::Disk => "disk",
        DiskDevice::Cdrom => "cdrom",
    }
}

fn source(volume: Option<&VolumeRef>, path: Option<&str>) -> (&'static str, Option<El>) {
    let source = el("source");
    match (volume, path) {
        (Some(VolumeRef { pool, name }), _) => (
            "volume",
            Some(source.attr("pool", pool).attr("volume", name)),
        ),
        (None, Some(path)) if path.starts_with("/dev/") => {
            ("block", Some(source.attr("dev", path)))
        }
        (None, Some(path)) => ("file", Some(source.attr("file", path))),
        (None, None) => ("file", None),
    }
}

/// A limit's names in libvirt, and the limits.
pub(crate) fn limits(throttle: &Throttle) -> [(&'static str, Option<u64>); 6] {
    let Throttle {
        bytes,
        read_bytes,
        write_bytes,
        iops,
        read_iops,
        write_iops,
    } = *throttle;
    [
        ("total_bytes_sec", bytes),
        ("read_bytes_sec", read_bytes),
        ("write_bytes_sec", write_bytes),
        ("total_iops_sec", iops),
        ("read_iops_sec", read_iops),
        ("write_iops_sec", write_iops),
    ]
}

fn iotune(throttle: &Throttle) -> El {
    let limits = limits(throttle).into_iter();
    el("iotune").children(limits.filter_map(|(name, limit)| Some(leaf(name, limit?))))
}

pub(crate) fn read(node: Node) -> MachineDisk {
    let driver = |name| attr(node, "driver", name);
    let format = match driver("type").as_deref() {
        Some("qcow2") => Format::Qcow2,
        _ => Format::Raw,
    };
    let device = match node.attribute("device") {
        Some("cdrom") => DiskDevice::Cdrom,
        _ => DiskDevice::Disk,
    };
    let remote = remote::read(node);
    let (volume, path) = match remote {
        Some(_) => (None, None),
        None => content(node),
    };
    let disk = MachineDisk {
        volume,
        path,
        remote,
        format,
        read_only: device == DiskDevice::Disk && find(node, "readonly").is_some(),
        device,
        bus: attr(node, "target", "bus"),
        cache: driver("cache").filter(|mode| mode != "default"),
        io: driver("io"),
        discard: None,
        serial: text(node, "serial"),
        queues: driver("queues").and_then(|n| n.parse().ok()),
        iothread: driver("iothread").and_then(|n| n.parse().ok()),
        throttle: find(node, "iotune").and_then(throttle),
        boot: attr(node, "boot", "order").and_then(|n| n.parse().ok()),
    };
    let discard = driver("discard").unwrap_or_else(|| "ignore".to_owned());
    let usual = match device {
        DiskDevice::Disk => "virtio",
        DiskDevice::Cdrom => "sata",
    };
    MachineDisk {
        discard: Some(discard).filter(|mode| writable(&disk) && mode != "unmap"),
        bus: disk.bus.filter(|bus| bus != usual),
        ..disk
    }
}

fn throttle(node: Node) -> Option<Throttle> {
    let limit = |name| -> Option<u64> {
        let limit = text(node, name)?.trim().parse().ok()?;
        (limit > 0).then_some(limit)
    };
    let throttle = Throttle {
        bytes: limit("total_bytes_sec"),
        read_bytes: limit("read_bytes_sec"),
        write_bytes: limit("write_bytes_sec"),
        iops: limit("total_iops_sec"),
        read_iops: limit("read_iops_sec"),
        write_iops: limit("write_iops_sec"),
    };
    (throttle != Throttle::default()).then_some(throttle)
}

/// A volume where it is given as one; else the path, or whatever else names it.
fn content(node: Node) -> (Option<VolumeRef>, Option<String>) {
    let source = |name| attr(node, "source", name);
    if let (Some(pool), Some(name)) = (source("pool"), source("volume")) {
        return (Some(VolumeRef { pool, name }), None);
    }
    (None, source("file").or(source("dev")).or(source("name")))
}
