//! What a virtual machine is built of: the blocks and attributes of `kvm` that say so.

use std::collections::BTreeMap;

use infra_api::target::{
    Clock, Cpu, Filesystem, Firmware, Graphics, Hardware, HostDevice, Timer, Topology, Tpm,
    Watchdog,
};
use infra_lang::{Block, BlockKind, Meta, Nested, Shape};

use crate::declared::read::Reader;
use crate::declared::words::{PCI, STRING_MAP, USB, path, whole, word};

const fn nested(
    name: &'static str,
    label: Option<&'static str>,
    doc: &'static str,
    attributes: &'static [infra_lang::Attribute],
    blocks: &'static [Nested],
) -> BlockKind {
    BlockKind {
        name,
        label,
        doc,
        attributes,
        blocks,
        computed: &[],
        meta: Meta::NONE,
    }
}

pub(super) static CPU: BlockKind = nested(
    "cpu",
    None,
    "The CPU the guest sees. Without it: the host's own, or with emulation all that QEMU can do.",
    &[
        word(
            "mode",
            Shape::OneOf(&["host-passthrough", "host-model", "maximum", "custom"]),
            "`host-passthrough`: the host's own. `host-model`: libvirt's nearest model of it, which another host may \
             have too. `maximum`: all that the hypervisor can do (libvirt 7.1). `custom`: the `model`.",
        )
        .required(),
        word("model", Shape::String, "Of `custom`: a name such as `EPYC` or `Skylake-Server`."),
        word(
            "check",
            Shape::OneOf(&["none", "partial"]),
            "Whether libvirt sees to it that the host can give the guest all of it; `partial` for `custom` and \
             `host-model`, else `none`, where it is not written.",
        ),
        word(
            "features",
            STRING_MAP,
            "Single features: `force`, `require`, `optional`, `disable` or `forbid`, by their names.",
        ),
    ],
    &[],
);

pub(super) static TOPOLOGY: BlockKind = nested(
    "topology",
    None,
    "How its CPUs hang together, as the guest sees it. They multiply to `cpus.count`, or to its maximum.",
    &[
        whole("sockets", 1, 4096, "Sockets.").default("1"),
        whole("cores", 1, 4096, "Cores of a socket.").required(),
        whole("threads", 1, 4096, "Threads of a core.").default("1"),
    ],
    &[],
);

pub(super) static TPM: BlockKind = nested(
    "tpm",
    None,
    "A TPM, emulated by swtpm on the host.",
    &[
        word("version", Shape::OneOf(&["2.0", "1.2"]), "Of the TPM.").default("\"2.0\""),
        word(
            "model",
            Shape::OneOf(&["crb", "tis"]),
            "How the guest speaks to it; 1.2 has `tis` alone.",
        )
        .default("\"crb\""),
    ],
    &[],
);

static TIMER: BlockKind = nested(
    "timer",
    Some("name"),
    "A timer: `rtc`, `pit`, `hpet`, `tsc`, `kvmclock`. It stands in the place of infra's own: an rtc that catches up, \
     a pit that delays, no hpet.",
    &[
        word("present", Shape::Bool, "Whether the guest has it."),
        word(
            "tick_policy",
            Shape::OneOf(&["delay", "catchup", "merge", "discard"]),
            "What becomes of ticks the guest missed.",
        ),
    ],
    &[],
);

pub(super) static CLOCK: BlockKind = nested(
    "clock",
    None,
    "The guest's clock.",
    &[word(
        "offset",
        Shape::OneOf(&["utc", "localtime"]),
        "What it shows; Windows expects `localtime`.",
    )
    .default("\"utc\"")],
    &[Nested::many(&TIMER)],
);

pub(super) static GRAPHICS: BlockKind = nested(
    "graphics",
    None,
    "A screen, on the host's loopback address alone: reach it through SSH.",
    &[
        word(
            "protocol",
            Shape::OneOf(&["vnc", "spice"]),
            "What it speaks.",
        )
        .default("\"vnc\""),
        whole(
            "port",
            5900,
            65535,
            "Its port; the first that is free where it is not written.",
        ),
    ],
    &[],
);

pub(super) static WATCHDOG: BlockKind = nested(
    "watchdog",
    None,
    "A watchdog (i6300esb): it acts when the guest no longer resets it.",
    &[word(
        "action",
        Shape::OneOf(&[
            "reset",
            "shutdown",
            "poweroff",
            "pause",
            "none",
            "dump",
            "inject-nmi",
        ]),
        "What it does.",
    )
    .default("\"reset\"")],
    &[],
);

pub(super) static FILESYSTEM: BlockKind = nested(
    "filesystem",
    Some("tag"),
    "A directory of the host that the guest mounts by the tag: `mount -t virtiofs TAG /mnt`. The machine's memory is \
     then shared with virtiofsd.",
    &[path("source", "The host's directory, which must be there.").required()],
    &[],
);

pub(super) static HOST_DEVICE: BlockKind = nested(
    "host_device",
    None,
    "A device of the host that is the guest's alone: `pci` or `usb`.",
    &[
        word(
            "pci",
            Shape::Text(&PCI),
            "Its PCI address. The host needs an IOMMU.",
        ),
        word("usb", Shape::Text(&USB), "Its vendor and product."),
    ],
    &[],
);

/// Of the `kvm` block itself.
pub(super) const POWEROFF: &[&str] = &["destroy", "restart", "preserve"];
pub(super) const CRASH: &[&str] = &[
    "destroy",
    "restart",
    "preserve",
    "coredump-destroy",
    "coredump-restart",
];

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Hardware {
    let one = |name: &'static str| block.nested(name).next();
    let mut word = |name, usual: &str| {
        let word = reader.string(block, name).map(|word| word.value);
        word.filter(|word| word != usual)
    };
    let (title, description) = (word("title", ""), word("description", ""));
    let (machine_type, video) = (word("machine", "q35"), word("video", "none"));
    let on_poweroff = word("on_poweroff", "destroy");
    let (on_reboot, on_crash) = (word("on_reboot", "restart"), word("on_crash", "destroy"));
    let graphics = one("graphics").and_then(|b| graphics(b, reader));
    let filesystems = filesystems(block, reader);
    let serial_ports = super::serial::read(block, reader);
    let [without_rng, without_balloon, without_pmu] =
        ["rng", "balloon", "pmu"].map(|name| reader.bool(block, name) == Some(false));
    let mut yes = |name| reader.bool(block, name).unwrap_or(false);
    Hardware {
        title,
        description,
        machine_type,
        hyperv: yes("hyperv"),
        on_poweroff,
        on_reboot,
        on_crash,
        locked_memory: yes("locked_memory"),
        // virtiofsd maps it.
        shared_memory: yes("shared_memory") || !filesystems.is_empty(),
        // A screen without a card would show nothing; every guest knows this one.
        video: video.or_else(|| graphics.is_some().then(|| "vga".to_owned())),
        graphics,
        without_rng,
        without_balloon,
        without_pmu,
        // Both depend on where its vCPUs run.
        dedicated_hint: false,
        realtime: None,
        serial_ports,
        panic: yes("panic"),
        agent: yes("agent"),
        filesystems,
        vsock_cid: reader.whole(block, "vsock_cid").map(|cid| cid.value),
        cpu: one("cpu").and_then(|b| cpu(b, reader)),
        topology: one("topology").and_then(|b| topology(b, reader)),
        firmware: firmware(block, reader),
        tpm: one("tpm").and_then(|b| tpm(b, reader)),
        // What is the usual clock is no other one: libvirt's answer does not tell them apart.
        clock: one("clock")
            .map(|b| clock(b, reader))
            .filter(|clock| clock.offset != "utc" || !clock.timers.is_empty()),
        watchdog: one("watchdog").and_then(|b| {
            let action = reader.string(b, "action")?.value;
            Some(Watchdog { action })
        }),
        host_devices: block
            .nested("host_device")
            .filter_map(|b| host_device(b, reader))
            .collect(),
    }
}

fn cpu(block: &Block, reader: &mut Reader<'_>) -> Option<Cpu> {
    const POLICIES: [&str; 5] = ["force", "require", "optional", "disable", "forbid"];
    let mode = reader.string(block, "mode")?;
    let model = reader.string(block, "model");
    match (mode.value == "custom", &model) {
        (true, None) => {
            let hint = "write `model = \"…\"`; `virsh domcapabilities` lists the host's";
            reader.error("CPU without a model", mode.span, "of which model?", hint);
        }
        (false, Some(model)) => {
            let hint = "write `mode = \"custom\"`, or leave it out";
            let text = format!("`{}` has a model of its own", mode.value);
            reader.error("CPU of two models", model.span, text, hint);
        }
        _ => {}
    }
    let features = reader.string_map(block, "features");
    let unknown = features
        .iter()
        .find(|(_, policy)| !POLICIES.contains(&policy.as_str()));
    if let (Some((name, policy)), Some(written)) = (unknown, block.get("features")) {
        let text = format!("`{policy}` of `{name}`");
        let hint = format!("it is one of {}", POLICIES.join(", "));
        reader.error("Unknown policy of a CPU feature", written.span, text, hint);
    }
    let check = reader.string(block, "check").map(|check| check.value);
    Some(Cpu {
        check: check.filter(|check| check != Cpu::usual_check(&mode.value)),
        mode: mode.value,
        model: model.map(|model| model.value),
        features,
    })
}

fn topology(block: &Block, reader: &mut Reader<'_>) -> Option<Topology> {
    let mut number = |name| reader.whole::<u32>(block, name).map(|n| n.value);
    Some(Topology {
        sockets: number("sockets")?,
        cores: number("cores")?,
        threads: number("threads")?,
    })
}

fn firmware(block: &Block, reader: &mut Reader<'_>) -> Option<Firmware> {
    let uefi = reader
        .string(block, "firmware")
        .is_some_and(|firmware| firmware.value == "uefi");
    let secure_boot = reader.bool(block, "secure_boot").unwrap_or(false);
    if let Some(written) = block.get("secure_boot").filter(|_| secure_boot && !uefi) {
        let hint = "write `firmware = \"uefi\"`";
        reader.error(
            "Secure boot without UEFI",
            written.span,
            "a BIOS boots anything",
            hint,
        );
    }
    uefi.then_some(Firmware { secure_boot })
}

fn tpm(block: &Block, reader: &mut Reader<'_>) -> Option<Tpm> {
    let version = reader.string(block, "version")?.value;
    let model = reader.string(block, "model")?;
    if version == "1.2" && model.value == "crb" {
        let hint = "write `model = \"tis\"`";
        reader.error(
            "TPM 1.2 without its interface",
            block.span,
            "it has no CRB",
            hint,
        );
    }
    let model = format!("tpm-{}", model.value);
    Some(Tpm { version, model })
}

const TIMERS: [&str; 6] = ["rtc", "pit", "hpet", "tsc", "kvmclock", "hypervclock"];

/// Infra's own policy, written out, is no policy of the person's.
fn clock(block: &Block, reader: &mut Reader<'_>) -> Clock {
    let offset = reader.string(block, "offset");
    let mut timers = BTreeMap::new();
    for timer in block.nested("timer") {
        let Some(label) = &timer.label else { continue };
        if !TIMERS.contains(&&*label.value) {
            let hint = format!("it is one of {}", TIMERS.join(", "));
            reader.error("Unknown timer", label.span, "QEMU has no such timer", hint);
        }
        let found = Timer {
            present: reader.bool(timer, "present"),
            tick_policy: reader
                .string(timer, "tick_policy")
                .map(|policy| policy.value),
        };
        timers.insert(label.value.to_string(), found);
    }
    Clock {
        offset: offset.map_or_else(|| "utc".to_owned(), |offset| offset.value),
        timers,
    }
}

fn graphics(block: &Block, reader: &mut Reader<'_>) -> Option<Graphics> {
    Some(Graphics {
        protocol: reader.string(block, "protocol")?.value,
        port: reader.whole(block, "port").map(|port| port.value),
    })
}

fn filesystems(block: &Block, reader: &mut Reader<'_>) -> BTreeMap<String, Filesystem> {
    let mut found = BTreeMap::new();
    for filesystem in block.nested("filesystem") {
        super::super::plain_label(filesystem, reader);
        let source = reader.string(filesystem, "source");
        if let (Some(label), Some(source)) = (&filesystem.label, source) {
            let source = source.value;
            found.insert(label.value.to_string(), Filesystem { source });
        }
    }
    found
}

fn host_device(block: &Block, reader: &mut Reader<'_>) -> Option<HostDevice> {
    let (pci, usb) = (reader.string(block, "pci"), reader.string(block, "usb"));
    match (pci, usb) {
        (Some(pci), None) => Some(HostDevice::Pci { address: pci.value }),
        (None, Some(usb)) => {
            let (vendor, product) = usb.value.split_once(':')?;
            let (vendor, product) = (vendor.to_owned(), product.to_owned());
            Some(HostDevice::Usb { vendor, product })
        }
        _ => {
            let hint = "write `pci = \"0000:3b:00.0\"` or `usb = \"1d6b:0002\"`";
            reader.error(
                "Which device of the host",
                block.span,
                "one of the two is needed",
                hint,
            );
            None
        }
    }
}
