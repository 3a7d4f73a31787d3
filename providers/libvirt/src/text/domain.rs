//! A domain's XML, from a body and nothing else: the same body gives the same bytes.
//!
//! What is left to defaults, on purpose: the disks' cache mode where none is asked for (QEMU's write-back honours the
//! guest's flushes and works on every file system; `none` needs O_DIRECT, which tmpfs lacks), and all that libvirt
//! adds by itself (controllers, addresses). What is left out: sound, and USB that nothing is plugged into.

pub(crate) mod board;
pub(crate) mod devices;
pub(crate) mod disk;
#[cfg(test)]
pub(crate) mod hardware_tests;
pub(crate) mod ignition;
pub(crate) mod interface;
pub(crate) mod numa;
#[cfg(test)]
mod numa_tests;
pub(crate) mod patched;
pub(crate) mod ready;
pub(crate) mod remote;
pub(crate) mod serial;
pub(crate) mod stop;

use std::collections::BTreeMap;

use infra_api::target::{Acceleration, Machine, MachineDisk, VolumeRef};
use infra_api::{IdSet, Mark};

use super::mark;
use super::pool::Pools;
use super::xml::{El, el, leaf};

pub(crate) use board::NO_SECRET;

/// QEMU gives x86 machines whole mebibytes; libvirt rounds what is not, and would read back another number.
const MIB: u64 = 1 << 20;

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
        next_start: None,
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
    check(machine)?;
    let hardware = &machine.hardware;
    let word =
        |name, word: &Option<String>, usual: &str| leaf(name, word.as_deref().unwrap_or(usual));
    let text = |name, text: &Option<String>| text.as_ref().map(|text| leaf(name, text));
    let ignition = machine.ignition.as_ref();
    let ignition = ignition.map(|i| ignition::write(i, pools)).transpose()?;
    let domain = el("domain")
        .attr("type", domain_type(machine.acceleration, runs))
        .child(leaf("name", &machine.name))
        .child(leaf("uuid", &machine.uuid))
        .children(text("title", &hardware.title))
        .children(text("description", &hardware.description))
        .child(el("metadata").child(mark_of(machine, mark)))
        .children(resources(machine))
        .children(ignition)
        .child(board::os(machine, pools)?)
        .child(board::features(hardware))
        .child(board::cpu(machine))
        .child(board::clock(hardware))
        .child(word("on_poweroff", &hardware.on_poweroff, "destroy"))
        .child(word("on_reboot", &hardware.on_reboot, "restart"))
        .child(word("on_crash", &hardware.on_crash, "destroy"))
        .child(devices(machine)?);
    patched::write(domain.document()?, &machine.patches)
}

fn check(machine: &Machine) -> Result<(), String> {
    // All of these are written: a new one must be, too.
    let Machine {
        name: _,
        uuid: _,
        state,
        // Read only: there is no next start in the definition of one.
        next_start: _,
        acceleration: _,
        vcpus: _,
        online_vcpus: _,
        vcpu_pins: _,
        emulator_pin: _,
        iothreads: _,
        iothread_pins: _,
        memory_bytes,
        balloon_bytes,
        memory_nodes: _,
        memory_mode: _,
        page_size_bytes: _,
        cells: _,
        boot: _,
        boot_order: _,
        disks: _,
        seed: _,
        seed_digest: _,
        ignition: _,
        interfaces: _,
        console_log: _,
        autostart: _,
        ready: _,
        stop_timeout_s: _,
        patches: _,
        hardware: _,
    } = machine;
    if state != "running" {
        return Err(format!("a machine can be wanted `running`, not `{state}`"));
    }
    numa::check(machine)?;
    let sizes = [Some(*memory_bytes), *balloon_bytes];
    let mut uneven = sizes
        .into_iter()
        .flatten()
        .filter(|bytes| !bytes.is_multiple_of(MIB));
    match uneven.next() {
        Some(bytes) => Err(format!(
            "{bytes} bytes of memory are no whole number of MiB"
        )),
        None => Ok(()),
    }
}

/// What of the host it gets.
fn resources(machine: &Machine) -> Vec<El> {
    let (memory, hardware) = (machine.memory_bytes, &machine.hardware);
    let vcpu = leaf("vcpu", machine.vcpus).attr("placement", "static");
    let pins = [
        ("vcpupin", "vcpu", &machine.vcpu_pins),
        ("iothreadpin", "iothread", &machine.iothread_pins),
    ];
    let bytes = |name, bytes: u64| leaf(name, bytes).attr("unit", "b");
    let threads = machine.iothreads;
    let all = [
        Some(bytes("memory", memory)),
        machine
            .balloon_bytes
            .map(|size| bytes("currentMemory", size)),
        memory_backing(machine),
        Some(vcpu.attrs("current", machine.online_vcpus.as_ref())),
        (threads > 0).then(|| leaf("iothreads", threads)),
        cputune(pins, machine),
        hardware.locked_memory.then(|| memtune(memory)),
        numa::tune(machine),
    ];
    all.into_iter().flatten().collect()
}

fn devices(machine: &Machine) -> Result<El, String> {
    let hardware = &machine.hardware;
    let scsi = machine.disks.iter().any(|disk| disk.bus() == "scsi");
    let fixed_memory = machine.has_huge_pages() || hardware.locked_memory;
    let target = el("target").attr("type", "serial").attr("port", 0);
    let (numbered, first) = (!hardware.serial_ports.is_empty(), || {
        el("target").attr("port", 0)
    });
    Ok(el("devices")
        .children(placed(&machine.disks, machine.seed.as_ref())?)
        .children(devices::controllers(hardware, scsi))
        .children(machine.interfaces.iter().map(interface::write))
        // Beside numbered ports one without a number would be the last.
        .child(devices::console("serial", machine).children(numbered.then(first)))
        .children(serial::write(&hardware.serial_ports))
        .child(devices::console("console", machine).child(target))
        .children(devices::write(hardware)?)
        .child(balloon(fixed_memory || hardware.without_balloon))
        .children((!hardware.without_rng).then(devices::rng)))
}

/// Our mark, with what has no other place in the XML.
pub(crate) fn mark_of(machine: &Machine, mark: &Mark) -> El {
    mark::element(mark, &fingerprint(machine))
        .children(board::note(&machine.hardware))
        .children(machine.ready.as_ref().and_then(ready::note))
        .children(machine.stop_timeout_s.map(stop::note))
        .children(patched::note(&machine.patches))
        .children(machine.ignition.as_ref().map(ignition::note))
        .children(
            machine
                .seed_digest
                .as_ref()
                .map(|digest| el("infra:seed").attr("digest", digest)),
        )
        .children(machine.interfaces.iter().map(interface::note))
}

fn domain_type(acceleration: Acceleration, runs: Hypervisor) -> &'static str {
    match (runs, acceleration) {
        (Hypervisor::Test, _) => "test",
        (Hypervisor::Qemu, Acceleration::Kvm) => "kvm",
        (Hypervisor::Qemu, Acceleration::Emulated) => "qemu",
    }
}

/// Huge pages are taken whole and never merged. What other processes map must be a file in memory.
fn memory_backing(machine: &Machine) -> Option<El> {
    let hardware = &machine.hardware;
    let (locked, shared) = (hardware.locked_memory, hardware.shared_memory);
    let pages = numa::pages(machine).map(|pages| [pages, el("nosharepages")]);
    let shared = shared.then(|| {
        [
            el("source").attr("type", "memfd"),
            el("access").attr("mode", "shared"),
        ]
    });
    let all: Vec<El> = pages
        .into_iter()
        .flatten()
        .chain(locked.then(|| el("locked")))
        .chain(shared.into_iter().flatten())
        .collect();
    (!all.is_empty()).then(|| el("memoryBacking").children(all))
}

/// Without a limit libvirt would let a machine lock as much as it likes: its memory, and what QEMU takes for itself.
fn memtune(memory: u64) -> El {
    const OWN: u64 = 1 << 30;
    let limit = leaf("hard_limit", memory.saturating_add(OWN) / 1024);
    el("memtune").child(limit.attr("unit", "KiB"))
}

type Pins<'a> = (&'static str, &'static str, &'a BTreeMap<u32, IdSet>);

fn cputune(pins: [Pins; 2], machine: &Machine) -> Option<El> {
    let [vcpus, iothreads] = pins.map(|(name, id, pins)| {
        pins.iter()
            .map(move |(number, cpus)| el(name).attr(id, number).attr("cpuset", cpus))
    });
    let emulator = machine.emulator_pin.as_ref();
    let emulator = emulator.map(|cpus| el("emulatorpin").attr("cpuset", cpus));
    let realtime = machine.hardware.realtime.map(|priority| {
        let every: IdSet = (0..machine.vcpus).collect();
        el("vcpusched")
            .attr("vcpus", every)
            .attr("scheduler", "fifo")
            .attr("priority", priority)
    });
    let pins = vcpus.chain(emulator).chain(iothreads);
    let all: Vec<El> = pins.chain(realtime).collect();
    (!all.is_empty()).then(|| el("cputune").children(all))
}

/// Huge and locked pages one could not give back.
fn balloon(none: bool) -> El {
    let model = if none { "none" } else { "virtio" };
    el("memballoon").attr("model", model)
}

/// Each in its place on its bus, the seed last.
fn placed(disks: &[MachineDisk], seed: Option<&VolumeRef>) -> Result<Vec<El>, String> {
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    let seed = seed.map(disk::seed);
    let placed = disks.iter().chain(&seed).map(|disk| {
        let prefix = disk::prefix(disk.bus());
        let index = taken.entry(prefix).or_default();
        let place = disk::place(prefix, *index)
            .ok_or_else(|| format!("a machine has room for 26 disks of a kind (`{prefix}`)"))?;
        *index += 1;
        Ok(disk::write(disk, &place))
    });
    placed.collect()
}
