//! What a domain's devices are plugged into, both ways: machine type, firmware, features, CPU, clock.
//!
//! libvirt writes down what it made of some wishes (a `q35` becomes `pc-q35-7.2`, a running CPU a list of features):
//! what was asked for is noted under our mark.

use std::collections::BTreeMap;

use infra_api::target::{
    Acceleration, Boot, Clock, Cpu, Firmware, Hardware, Machine, Timer, Topology,
};
use roxmltree::Node;

use super::super::mark::{self, NAMESPACE};
use super::super::pool::Pools;
use super::super::xml::{El, all, attr, el, find, leaf, text};

/// The board of a machine that names none.
pub(crate) const FAMILY: &str = "q35";

/// What was asked for, where libvirt writes down something else.
pub(crate) fn note(hardware: &Hardware) -> Option<El> {
    let (machine, cpu) = (hardware.machine_type.as_ref(), hardware.cpu.as_ref());
    let cpu = cpu.and_then(|cpu| serde_json::to_string(cpu).ok());
    let note = el("infra:asked")
        .attrs("machine", machine)
        .attrs("cpu", cpu.as_ref());
    (machine.is_some() || cpu.is_some()).then_some(note)
}

fn asked(root: Node, name: &str) -> Option<String> {
    let mut notes = mark::node(root)?.children();
    let note = notes.find(|n| n.has_tag_name((NAMESPACE, "asked")))?;
    note.attribute(name).map(str::to_owned)
}

/// A digest must never be written where a secret's value belongs.
pub(crate) const NO_SECRET: &str = "a secret's value was not put in";

pub(crate) fn os(machine: &Machine, pools: &Pools) -> Result<El, String> {
    let hardware = &machine.hardware;
    let family = hardware.machine_type.as_deref().unwrap_or(FAMILY);
    let kind = leaf("type", "hvm")
        .attr("arch", "x86_64")
        .attr("machine", family);
    let os = el("os");
    let os = match &hardware.firmware {
        None => os.child(kind),
        Some(Firmware { secure_boot }) => os.attr("firmware", "efi").child(kind).child(
            el("firmware")
                .child(feature("secure-boot", *secure_boot))
                .child(feature("enrolled-keys", *secure_boot)),
        ),
    };
    let order = boot_order(machine).map(|device| el("boot").attr("dev", device));
    match &machine.boot {
        Boot::Disk => Ok(os.children(order)),
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

fn feature(name: &str, enabled: bool) -> El {
    let enabled = if enabled { "yes" } else { "no" };
    el("feature").attr("enabled", enabled).attr("name", name)
}

/// Our words for what can be booted, and libvirt's.
const DEVICES: [(&str, &str); 3] = [("disk", "hd"), ("cdrom", "cdrom"), ("network", "network")];

fn boot_order(machine: &Machine) -> impl Iterator<Item = &'static str> {
    // libvirt takes turns of devices, or an order of kinds.
    let turns = machine.disks.iter().map(|disk| disk.boot);
    let mut turns = turns.chain(machine.interfaces.iter().map(|nic| nic.boot));
    let usual = machine.boot_order.is_empty() && turns.all(|turn| turn.is_none());
    let usual = usual.then_some("disk");
    let words = machine.boot_order.iter().map(String::as_str).chain(usual);
    words.filter_map(|word| Some(DEVICES.iter().find(|(ours, _)| *ours == word)?.1))
}

pub(crate) fn read_boot_order(root: Node) -> Vec<String> {
    let boots = find(root, "os").into_iter().flat_map(|os| all(os, "boot"));
    let words = boots.filter_map(|boot| {
        let device = boot.attribute("dev")?;
        let known = DEVICES.iter().find(|(_, theirs)| *theirs == device);
        Some(known.map_or(device, |(ours, _)| ours).to_owned())
    });
    let words: Vec<String> = words.collect();
    match words.as_slice() {
        [only] if only == "disk" => Vec::new(),
        _ => words,
    }
}

pub(crate) fn read_machine_type(root: Node) -> Option<String> {
    let found = attr(root, "os/type", "machine")?;
    let family = match found.as_str() {
        name if name.starts_with("pc-q35-") => FAMILY,
        name if name.starts_with("pc-i440fx-") => "pc",
        name => name,
    };
    // One version that was asked for by its name is that version; else any of its family is as good.
    let found = match asked(root, "machine") {
        Some(version) if version != family => found.clone(),
        _ => family.to_owned(),
    };
    (found != FAMILY).then_some(found)
}

/// Also where the domain names a firmware image itself.
pub(crate) fn read_firmware(root: Node) -> Option<Firmware> {
    let os = find(root, "os")?;
    let chosen = os.attribute("firmware") == Some("efi");
    let named = attr(os, "loader", "type").as_deref() == Some("pflash");
    let features = find(os, "firmware")
        .into_iter()
        .flat_map(|f| all(f, "feature"));
    let mut features = features.filter(|f| f.attribute("name") == Some("secure-boot"));
    let asked = features.next().and_then(|f| f.attribute("enabled"));
    let secure = asked.map_or_else(|| attr(os, "loader", "secure"), |yes| Some(yes.to_owned()));
    (chosen || named).then(|| Firmware {
        secure_boot: secure.as_deref() == Some("yes"),
    })
}

/// What lets Windows know that it is virtual: all that KVM has in the kernels of today.
const ENLIGHTENMENTS: [&str; 10] = [
    "relaxed",
    "vapic",
    "vpindex",
    "runtime",
    "synic",
    "stimer",
    "frequencies",
    "reenlightenment",
    "tlbflush",
    "ipi",
];

pub(crate) fn features(hardware: &Hardware) -> El {
    let on = |name: &'static str| el(name).attr("state", "on");
    let hyperv = hardware.hyperv.then(|| {
        let spinlocks = on("spinlocks").attr("retries", 8191);
        el("hyperv")
            .children(ENLIGHTENMENTS.map(on))
            .child(spinlocks)
    });
    let kvm = hardware.dedicated_hint.then(|| {
        el("kvm")
            .child(on("hint-dedicated"))
            .child(on("poll-control"))
    });
    let pmu = hardware.without_pmu.then(|| el("pmu").attr("state", "off"));
    // Secure boot guards its variables by the CPU's system management mode.
    let secure = hardware.firmware.is_some_and(|f| f.secure_boot);
    el("features")
        .child(el("acpi"))
        .child(el("apic"))
        .children(hyperv)
        .children(kvm)
        .children(pmu)
        .children(secure.then(|| on("smm")))
}

pub(crate) fn read_hyperv(root: Node) -> bool {
    attr(root, "features/hyperv/relaxed", "state").as_deref() == Some("on")
}

pub(crate) fn read_dedicated_hint(root: Node) -> bool {
    attr(root, "features/kvm/hint-dedicated", "state").as_deref() == Some("on")
}

pub(crate) fn read_without_pmu(root: Node) -> bool {
    attr(root, "features/pmu", "state").as_deref() == Some("off")
}

/// Of all vCPUs, or of none that is ours to say.
pub(crate) fn read_realtime(root: Node) -> Option<u32> {
    let scheduled = find(root, "cputune/vcpusched")?;
    let fifo = scheduled.attribute("scheduler") == Some("fifo");
    fifo.then(|| scheduled.attribute("priority")?.parse().ok())?
}

/// `maximum` is all that the emulation can do.
fn usual_cpu(acceleration: Acceleration) -> Cpu {
    let mode = match acceleration {
        Acceleration::Kvm => "host-passthrough",
        Acceleration::Emulated => "maximum",
    };
    Cpu {
        mode: mode.to_owned(),
        model: None,
        features: BTreeMap::new(),
        check: None,
    }
}

/// `migratable='on'` is not only for migration: without it QEMU 7.2 aborted on a newer nested CPU.
pub(crate) fn cpu(machine: &Machine) -> El {
    let usual = usual_cpu(machine.acceleration);
    let Cpu {
        mode,
        model,
        features,
        check,
    } = machine.hardware.cpu.as_ref().unwrap_or(&usual);
    let whole = matches!(mode.as_str(), "host-passthrough" | "maximum");
    let check = check.as_deref().unwrap_or(Cpu::usual_check(mode));
    let cpu = el("cpu").attr("mode", mode).attr("check", check);
    let cpu = match whole {
        true => cpu.attr("migratable", "on"),
        false => cpu,
    };
    let features = features
        .iter()
        .map(|(name, policy)| el("feature").attr("policy", policy).attr("name", name));
    cpu.children(
        model
            .as_ref()
            .map(|model| leaf("model", model).attr("fallback", "forbid")),
    )
    .children(machine.hardware.topology.as_ref().map(topology))
    .children(features)
    .children(super::numa::cells(machine))
}

fn topology(topology: &Topology) -> El {
    let Topology {
        sockets,
        cores,
        threads,
    } = topology;
    el("topology")
        .attr("sockets", sockets)
        .attr("cores", cores)
        .attr("threads", threads)
}

pub(crate) fn read_cpu(root: Node, acceleration: Acceleration) -> Option<Cpu> {
    let node = find(root, "cpu")?;
    let features = all(node, "feature").filter_map(|feature| {
        let (name, policy) = (feature.attribute("name")?, feature.attribute("policy"));
        Some((name.to_owned(), policy.unwrap_or("require").to_owned()))
    });
    let mode = node.attribute("mode").unwrap_or("custom").to_owned();
    // What runs is spelled out, feature by feature; it is what it was started from.
    let runs = node.attribute("check") == Some("full");
    let check = node
        .attribute("check")
        .filter(|check| !runs && *check != Cpu::usual_check(&mode));
    let found = Cpu {
        check: check.map(str::to_owned),
        mode,
        model: text(node, "model").filter(|model| !model.is_empty()),
        features: features.collect(),
    };
    let asked = || serde_json::from_str(&asked(root, "cpu")?).ok();
    let cpu = runs.then(asked).flatten().unwrap_or(found);
    (cpu != usual_cpu(acceleration)).then_some(cpu)
}

pub(crate) fn read_topology(root: Node) -> Option<Topology> {
    let node = find(root, "cpu/topology")?;
    let number = |name| node.attribute(name)?.parse().ok();
    // Dies and clusters lie between sockets and cores.
    let between = |name| number(name).unwrap_or(1);
    Some(Topology {
        sockets: number("sockets")?,
        cores: number("cores")? * between("dies") * between("clusters"),
        threads: number("threads")?,
    })
}

/// The clock policy that Nova gives every Linux guest.
fn usual_clock() -> Clock {
    let policy = |tick_policy: &str| Timer {
        present: None,
        tick_policy: Some(tick_policy.to_owned()),
    };
    let hpet = Timer {
        present: Some(false),
        tick_policy: None,
    };
    let timers = [
        ("rtc", policy("catchup")),
        ("pit", policy("delay")),
        ("hpet", hpet),
    ];
    Clock {
        offset: "utc".to_owned(),
        timers: timers.map(|(name, t)| (name.to_owned(), t)).into(),
    }
}

const HYPERV_CLOCK: &str = "hypervclock";

/// Declared timers stand beside the usual ones, or in their place.
pub(crate) fn clock(hardware: &Hardware) -> El {
    let Clock { offset, mut timers } = usual_clock();
    let offset = match &hardware.clock {
        Some(declared) => {
            timers.extend(declared.timers.clone());
            &declared.offset
        }
        None => &offset,
    };
    if hardware.hyperv {
        timers.insert(HYPERV_CLOCK.to_owned(), there());
    }
    el("clock")
        .attr("offset", offset)
        .children(timers.iter().map(|(name, t)| timer(name, t)))
}

fn there() -> Timer {
    Timer {
        present: Some(true),
        tick_policy: None,
    }
}

fn timer(name: &str, timer: &Timer) -> El {
    let Timer {
        present,
        tick_policy,
    } = timer;
    let present = present.map(|present| if present { "yes" } else { "no" });
    el("timer")
        .attr("name", name)
        .attrs("tickpolicy", tick_policy.as_ref())
        .attrs("present", present.as_ref())
}

/// What differs from the usual clock.
pub(crate) fn read_clock(root: Node, hyperv: bool) -> Option<Clock> {
    let node = find(root, "clock")?;
    let usual = usual_clock();
    let mut timers: BTreeMap<String, Timer> = all(node, "timer")
        .filter_map(|timer| {
            let found = Timer {
                present: timer.attribute("present").map(|word| word == "yes"),
                tick_policy: timer.attribute("tickpolicy").map(str::to_owned),
            };
            Some((timer.attribute("name")?.to_owned(), found))
        })
        .collect();
    // A usual one that is gone is one of which nothing is said.
    for name in usual.timers.keys() {
        timers.entry(name.clone()).or_default();
    }
    timers.retain(|name, timer| usual.timers.get(name) != Some(timer));
    if hyperv && timers.get(HYPERV_CLOCK) == Some(&there()) {
        timers.remove(HYPERV_CLOCK);
    }
    let clock = Clock {
        offset: node.attribute("offset").unwrap_or("utc").to_owned(),
        timers,
    };
    (clock != plain_clock()).then_some(clock)
}

fn plain_clock() -> Clock {
    Clock {
        offset: "utc".to_owned(),
        timers: BTreeMap::new(),
    }
}
