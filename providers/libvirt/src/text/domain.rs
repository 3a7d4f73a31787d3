//! A domain's XML, from a body and nothing else: the same body gives the same bytes.
//!
//! What is left to defaults, on purpose: the disks' cache mode (QEMU's write-back honours the guest's flushes
//! and works on every file system; `none` needs O_DIRECT, which tmpfs lacks), and all that libvirt adds by
//! itself (controllers, addresses). What is left out: graphics, USB, sound. `<watchdog model='itco'>`, which a
//! q35 always has, is unknown to libvirt's schema before 9.1, so it cannot be named here.

use std::collections::BTreeMap;

use infra_api::target::{
    Acceleration, Boot, Format, Machine, MachineDisk, MachineInterface, VolumeRef,
};
use infra_api::{IdSet, Mark};

use super::mark;
use super::pool::Pools;
use super::xml::{El, el, leaf};

/// QEMU gives x86 machines whole mebibytes; libvirt rounds what is not, and would read back another number.
const MIB: u64 = 1 << 20;

/// The seed's disk is known by this serial number.
pub(crate) const SEED_SERIAL: &str = "cidata";

/// What runs the machines of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hypervisor {
    Qemu,
    /// libvirt's in-memory mock (`test:///default`), which has its own domain type.
    Test,
}

/// The body without what is not in the XML, and its digest. [`Machine::state`] and autostart are no part of a
/// definition.
pub(crate) fn fingerprint(machine: &Machine) -> String {
    mark::fingerprint(&definition(machine.clone()))
}

pub(crate) fn definition(machine: Machine) -> Machine {
    Machine {
        state: String::new(),
        autostart: false,
        ..machine
    }
}

pub(crate) fn write(
    machine: &Machine,
    mark: &Mark,
    pools: &Pools,
    runs: Hypervisor,
) -> Result<String, String> {
    let Machine {
        name,
        uuid,
        state,
        acceleration,
        vcpus,
        vcpu_pins,
        emulator_pin,
        memory_bytes,
        memory_nodes,
        page_size_bytes,
        boot,
        disks,
        seed,
        interfaces,
        console_log,
        autostart: _,
    } = machine;
    if state != "running" {
        return Err(format!("a machine can be wanted `running`, not `{state}`"));
    }
    if !memory_bytes.is_multiple_of(MIB) {
        return Err(format!(
            "{memory_bytes} bytes of memory are no whole number of MiB"
        ));
    }
    if disks.len() + usize::from(seed.is_some()) > 26 {
        return Err("a machine has room for 26 disks, vda to vdz".into());
    }
    let notes = interfaces.iter().map(note);
    let fixed_memory = memory_nodes.is_some() || page_size_bytes.is_some();
    el("domain")
        .attr("type", domain_type(*acceleration, runs))
        .child(leaf("name", name))
        .child(leaf("uuid", uuid))
        .child(el("metadata").child(mark::element(mark, &fingerprint(machine)).children(notes)))
        .child(leaf("memory", memory_bytes).attr("unit", "b"))
        .children(page_size_bytes.map(huge_pages))
        .child(leaf("vcpu", vcpus).attr("placement", "static"))
        .children(cputune(vcpu_pins, emulator_pin.as_ref()))
        .children(memory_nodes.as_ref().map(numatune))
        .child(os(boot, pools)?)
        .child(el("features").child(el("acpi")).child(el("apic")))
        .child(cpu(*acceleration))
        .child(clock())
        .child(leaf("on_poweroff", "destroy"))
        .child(leaf("on_reboot", "restart"))
        .child(leaf("on_crash", "destroy"))
        .child(devices(
            disks,
            seed.as_ref(),
            interfaces,
            console_log.as_deref(),
            fixed_memory,
        )?)
        .document()
}

fn domain_type(acceleration: Acceleration, runs: Hypervisor) -> &'static str {
    match (runs, acceleration) {
        (Hypervisor::Test, _) => "test",
        (Hypervisor::Qemu, Acceleration::Kvm) => "kvm",
        (Hypervisor::Qemu, Acceleration::Emulated) => "qemu",
    }
}

/// An interface's planned address has no place in libvirt's own XML: it is noted under our mark, by MAC.
fn note(interface: &MachineInterface) -> El {
    let MachineInterface {
        mac,
        network: _,
        address,
    } = interface;
    el("infra:address").attr("mac", mac).attr("ip", address)
}

/// Huge pages are taken whole and never merged; a balloon could not give them back.
fn huge_pages(size: u64) -> El {
    let page = el("page").attr("size", size / 1024).attr("unit", "KiB");
    el("memoryBacking")
        .child(el("hugepages").child(page))
        .child(el("nosharepages"))
}

fn cputune(vcpus: &BTreeMap<u32, IdSet>, emulator: Option<&IdSet>) -> Option<El> {
    let pins = vcpus
        .iter()
        .map(|(vcpu, cpus)| el("vcpupin").attr("vcpu", vcpu).attr("cpuset", cpus));
    let emulator = emulator.map(|cpus| el("emulatorpin").attr("cpuset", cpus));
    let all: Vec<El> = pins.chain(emulator).collect();
    (!all.is_empty()).then(|| el("cputune").children(all))
}

fn numatune(nodes: &IdSet) -> El {
    el("numatune").child(el("memory").attr("mode", "strict").attr("nodeset", nodes))
}

fn os(boot: &Boot, pools: &Pools) -> Result<El, String> {
    let os = el("os").child(
        leaf("type", "hvm")
            .attr("arch", "x86_64")
            .attr("machine", "q35"),
    );
    match boot {
        Boot::Disk => Ok(os.child(el("boot").attr("dev", "hd"))),
        Boot::Kernel {
            kernel,
            initramfs,
            cmdline,
        } => {
            let initramfs = initramfs
                .as_ref()
                .map(|volume| pools.path(volume))
                .transpose()?;
            let cmdline = cmdline
                .as_ref()
                .map(|text| text.plain().ok_or(NO_SECRET))
                .transpose()?;
            Ok(os
                .child(leaf("kernel", pools.path(kernel)?))
                .children(initramfs.map(|path| leaf("initrd", path)))
                .children(cmdline.map(|text| leaf("cmdline", text))))
        }
    }
}

/// A digest must never be written where a secret's value belongs.
pub(crate) const NO_SECRET: &str = "a secret's value was not put in";

/// `migratable='on'` is not only for migration: without it QEMU 7.2 aborted on a newer nested CPU. `maximum`
/// is all that the emulation can do.
fn cpu(acceleration: Acceleration) -> El {
    match acceleration {
        Acceleration::Kvm => el("cpu")
            .attr("mode", "host-passthrough")
            .attr("check", "none")
            .attr("migratable", "on"),
        Acceleration::Emulated => el("cpu")
            .attr("mode", "maximum")
            .attr("check", "none")
            .attr("migratable", "on"),
    }
}

/// The clock policy that Nova gives every Linux guest.
fn clock() -> El {
    let timer = |name| el("timer").attr("name", name);
    el("clock")
        .attr("offset", "utc")
        .child(timer("rtc").attr("tickpolicy", "catchup"))
        .child(timer("pit").attr("tickpolicy", "delay"))
        .child(timer("hpet").attr("present", "no"))
}

fn devices(
    disks: &[MachineDisk],
    seed: Option<&VolumeRef>,
    interfaces: &[MachineInterface],
    console_log: Option<&str>,
    fixed_memory: bool,
) -> Result<El, String> {
    let seed =
        seed.map(|volume| disk_of(volume, Format::Raw, true).child(leaf("serial", SEED_SERIAL)));
    let disks = disks.iter().map(|disk| {
        let MachineDisk {
            volume,
            format,
            read_only,
        } = disk;
        disk_of(volume, *format, *read_only)
    });
    let disks = disks
        .chain(seed)
        .zip('a'..='z')
        .map(|(disk, letter)| disk.child(target(letter)));
    let usb = el("controller").attr("type", "usb").attr("model", "none");
    let random = leaf("backend", "/dev/urandom").attr("model", "random");
    Ok(el("devices")
        .children(disks)
        .child(usb)
        .children(interfaces.iter().map(interface))
        .child(console("serial", console_log))
        .child(
            console("console", console_log)
                .child(el("target").attr("type", "serial").attr("port", 0)),
        )
        .child(el("memballoon").attr("model", if fixed_memory { "none" } else { "virtio" }))
        .child(el("rng").attr("model", "virtio").child(random)))
}

/// The seed is the last of the virtio disks, read-only: cloud-init takes any block device labelled `cidata`,
/// and a small guest that has virtio_blk for its disks needs no driver more.
fn disk_of(volume: &VolumeRef, format: Format, read_only: bool) -> El {
    let format = if format == Format::Raw {
        "raw"
    } else {
        "qcow2"
    };
    let driver = el("driver").attr("name", "qemu").attr("type", format);
    let driver = if read_only {
        driver
    } else {
        driver.attr("discard", "unmap")
    };
    let VolumeRef { pool, name } = volume;
    el("disk")
        .attr("type", "volume")
        .attr("device", "disk")
        .child(driver)
        .child(el("source").attr("pool", pool).attr("volume", name))
        .children(read_only.then(|| el("readonly")))
}

fn target(letter: char) -> El {
    el("target")
        .attr("dev", format!("vd{letter}"))
        .attr("bus", "virtio")
}

fn interface(interface: &MachineInterface) -> El {
    let MachineInterface {
        mac,
        network,
        address: _,
    } = interface;
    el("interface")
        .attr("type", "network")
        .child(el("mac").attr("address", mac))
        .child(el("source").attr("network", network))
        .child(el("model").attr("type", "virtio"))
}

fn console(name: &'static str, log: Option<&str>) -> El {
    let log = log.map(|path| el("log").attr("file", path).attr("append", "on"));
    el(name).attr("type", "pty").children(log)
}
