//! `kvm { … }`: the form of a virtual machine.

mod hardware;
mod migration;
mod ready;
mod serial;
mod xml;

use std::collections::BTreeMap;

use infra_api::target::{Acceleration, GuestReady, Hardware, XmlPatch};
use infra_api::{Address, MigrationOptions, Text};
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Nested, Shape};

use self::hardware::{CRASH, POWEROFF};
use crate::declared::image::{Image, Source};
use crate::declared::read::{At, Reader};
use crate::declared::words::{LINE, LOG, STRINGS, UUID, duration, path, size, whole, word};
use crate::declared::workload::container::stop_timeout;

static CDROM: BlockKind = BlockKind {
    name: "cdrom",
    label: Some("name"),
    doc: "A CD-ROM drive, with a medium or empty. The medium is changed while the machine runs.",
    attributes: &[
        word(
            "image",
            Shape::Ref(&["image"]),
            "A declared image with `disk`: its file is the medium.",
        ),
        path("path", "Instead: a file of the host, which must be there."),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) static KIND: BlockKind = BlockKind {
    name: "kvm",
    label: None,
    doc: "The form of a virtual machine.",
    attributes: &[
        word(
            "image",
            Shape::Ref(&["image"]),
            "A disk image, or a kernel to boot directly; without it the machine boots what its disks and drives hold.",
        ),
        word(
            "acceleration",
            Shape::OneOf(&["kvm", "emulated"]),
            "`kvm`: the hardware's, which the host must offer. `emulated`: in software, slowly, on any host.",
        )
        .default("\"kvm\""),
        size("root_size", "What the guest sees of the disk made from the image; the image's own size where it is not written."),
        word("root_pool", Shape::Ref(&["pool"]), "The pool of files in which the disk made from the image lies; the project's own where none is written."),
        word("cmdline", Shape::Text(&LINE), "The kernel's command line, with a kernel image."),
        word("user_data", Shape::String, "cloud-init user data, given by a NoCloud seed with name and planned addresses."),
        word("vendor_data", Shape::String, "cloud-init vendor data, which the user data is laid over."),
        word(
            "ignition",
            Shape::String,
            "The configuration of Ignition (Fedora CoreOS, Flatcar), as JSON: `file(\"core.ign\")`, `jsonencode({ … })`. The \
             firmware hands it to the guest; there is no NoCloud seed then. Ignition does it at the first start of a \
             disk alone: a change restarts the machine, and a new disk is made from the image only where the old one \
             was removed. Needs libvirt 6.5.",
        ),
        word("seed", Shape::Bool, "Whether there is a NoCloud seed; default: where there is user data or a disk image."),
        word("autostart", Shape::Bool, "Started when the host starts.").default("true"),
        word(
            "boot",
            STRINGS,
            "What the firmware tries, in this order: kinds (`disk`, `cdrom`, `network`), or devices, each by its block: \
             `image` (the disk made from the image), `disk.NAME`, `cdrom.NAME`, `interface.NAME`.",
        )
        .default("[\"disk\"]"),
        word("firmware", Shape::OneOf(&["bios", "uefi"]), "What starts the guest. Changing it makes the machine anew; its disks stay.")
            .default("\"bios\""),
        word("secure_boot", Shape::Bool, "Of UEFI: boots only what is signed, with the usual keys enrolled (libvirt 8.6).")
            .default("false"),
        word("machine", Shape::String, "QEMU's board: a family (`q35`, `pc`), or one version of it (`pc-q35-7.2`).")
            .default("\"q35\""),
        word(
            "uuid",
            Shape::Text(&UUID),
            "What libvirt and the guest's firmware know it by; derived from project and address where it is not written. \
             Another one makes the machine anew; its disks stay.",
        ),
        word(
            "console_log",
            Shape::Text(&LOG),
            "The file of the host that its serial console is also written to, or `none`; \
             `/var/log/libvirt/qemu/NAME.console.log` where it is not written.",
        ),
        word("title", Shape::String, "A short name for people."),
        word("description", Shape::String, "What it is, for people."),
        word("video", Shape::OneOf(&["none", "vga", "virtio", "bochs", "qxl"]), "Its graphics card; with `graphics` it is `vga` where it is not written."),
        word("hyperv", Shape::Bool, "What lets a Windows guest know that it is virtual, with its clock. With KVM alone.")
            .default("false"),
        word("dedicated_hint", Shape::Bool, "Whether the guest is told that each vCPU has a CPU to itself (`hint-dedicated`): its locks spin, and it polls \
            before it sleeps in place of the host (`poll-control`; Linux by `cpuidle_haltpoll`). With dedicated CPUs and KVM it is told unless \
            this is `false`; on shared CPUs it would hold up others."),
        word("pmu", Shape::Bool, "Whether the guest has performance counters; without them entering it is cheaper.").default("true"),
        whole("realtime", 1, 99, "The real-time priority (class FIFO) of its vCPUs' threads, with dedicated CPUs alone: what else wants to run there waits for ever."),
        word("locked_memory", Shape::Bool, "Its memory is never swapped out by the host.").default("false"),
        word("shared_memory", Shape::Bool, "Its memory may be mapped by other processes of the host.").default("false"),
        whole("iothreads", 1, 64, "How many threads serve its disks beside the emulator's own, on the emulator's CPUs; changed while it runs. See `emulator_cpus` for where these are."),
        whole("emulator_cpus", 1, 64, "So many CPUs of its own, beside the vCPUs', for QEMU's other threads, the `iothreads` and vhost's, which \
            libvirt keeps with them: on the node of its first vCPUs, which is where it can be that of the disks and cards they serve, \
            never on a thread whose core is isolated. Without it they run on CPUs that nobody has to himself."),
        whole("vsock_cid", 3, 0xffff_fffe, "Its number for sockets between host and guest; no other guest of the host may have it."),
        word("rng", Shape::Bool, "Whether it is given random numbers of the host's.").default("true"),
        word("balloon", Shape::Bool, "Whether the host can take memory back and see what is used; never with huge pages or locked memory.")
            .default("true"),
        word("agent", Shape::Bool, "Whether it has the channel of QEMU's guest agent.").default("false"),
        word("panic", Shape::Bool, "Whether it can tell that its kernel has panicked, so that `on_crash` is heard.").default("false"),
        duration(
            "stop_timeout",
            "So long its guest may take to shut down, once it was told by its power button, before its power is taken; in \
             whole seconds, `30s` where it is not written. `0s`: its power is taken at once.",
        ),
        word("on_poweroff", Shape::OneOf(POWEROFF), "What becomes of it when the guest powers off.").default("\"destroy\""),
        word("on_reboot", Shape::OneOf(POWEROFF), "When the guest reboots.").default("\"restart\""),
        word("on_crash", Shape::OneOf(CRASH), "When it crashes.").default("\"destroy\""),
    ],
    blocks: &[
        Nested::one(&hardware::CPU),
        Nested::one(&hardware::TOPOLOGY),
        Nested::one(&hardware::TPM),
        Nested::one(&hardware::CLOCK),
        Nested::one(&hardware::GRAPHICS),
        Nested::one(&hardware::WATCHDOG),
        Nested::many(&hardware::FILESYSTEM),
        Nested::many(&hardware::HOST_DEVICE),
        Nested::many(&serial::KIND),
        Nested::many(&CDROM),
        Nested::one(&ready::KIND),
        Nested::one(&migration::KIND),
        Nested::many(&xml::KIND),
    ],
    computed: &[],
    meta: Meta::NONE,
};

/// What it boots from.
pub type KvmImage = At<Address>;

/// The form of a virtual machine.
#[derive(Clone, Debug)]
pub struct Kvm {
    pub image: Option<KvmImage>,
    /// It has a disk made from its image. Known when the images are (see [`Kvm::resolve`]).
    pub has_root_disk: bool,
    pub acceleration: Acceleration,
    pub root_size_bytes: Option<At<u64>>,
    pub root_pool: Option<At<Address>>,
    pub cmdline: Option<Text>,
    pub user_data: Option<Text>,
    pub vendor_data: Option<Text>,
    pub seed: Option<bool>,
    pub ignition: Option<At<Text>>,
    pub autostart: bool,
    /// Absent: derived.
    pub uuid: Option<At<String>>,
    /// Absent: infra's own; `none`: there is none.
    pub console_log: Option<At<String>>,
    /// Other than the disk alone: kinds, or devices.
    pub boot: At<Vec<String>>,
    pub iothreads: u32,
    /// Absent: it is told where it has dedicated CPUs.
    pub dedicated_hint: Option<At<bool>>,
    /// Of its vCPUs' threads; where that is written.
    pub realtime: Option<At<u32>>,
    /// CPUs of its own for them and the emulator.
    pub emulator_cpus: Option<At<u32>>,
    pub cdroms: Vec<Cdrom>,
    pub hardware: Hardware,
    pub ready: Option<At<GuestReady>>,
    /// How it moves to another host while it runs; absent: only where that is needed.
    pub migration: Option<MigrationOptions>,
    pub stop_timeout_s: Option<u32>,
    pub patches: Vec<At<XmlPatch>>,
    pub span: Span,
}

/// A CD-ROM drive.
#[derive(Clone, Debug)]
pub struct Cdrom {
    pub label: String,
    pub image: Option<KvmImage>,
    pub path: Option<String>,
}

impl Kvm {
    pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Option<Self> {
        let emulated = reader
            .string(block, "acceleration")
            .is_some_and(|a| a.value == "emulated");
        let boot = reader.strings(block, "boot").unwrap_or_default();
        let boot = At {
            value: if boot == ["disk"] { Vec::new() } else { boot },
            span: block.get("boot").map_or(block.span, |boot| boot.span),
        };
        let form = Self {
            image: image(block, reader),
            has_root_disk: block.get("image").is_some(),
            acceleration: if emulated {
                Acceleration::Emulated
            } else {
                Acceleration::Kvm
            },
            root_size_bytes: reader.bytes(block, "root_size"),
            root_pool: reader.string(block, "root_pool").map(|pool| At {
                value: Address::new(pool.value),
                span: pool.span,
            }),
            cmdline: reader.text(block, "cmdline"),
            user_data: reader.text(block, "user_data"),
            vendor_data: reader.text(block, "vendor_data"),
            seed: reader.bool(block, "seed"),
            ignition: ignition(block, reader),
            autostart: reader.bool(block, "autostart").unwrap_or(true),
            uuid: reader.string(block, "uuid"),
            console_log: reader.string(block, "console_log"),
            boot,
            iothreads: reader.whole(block, "iothreads").map_or(0, |n| n.value),
            dedicated_hint: reader.bool(block, "dedicated_hint").and_then(|value| {
                let span = block.get("dedicated_hint")?.span;
                Some(At { value, span })
            }),
            realtime: reader.whole(block, "realtime"),
            emulator_cpus: reader.whole(block, "emulator_cpus"),
            cdroms: block.nested("cdrom").map(|b| cdrom(b, reader)).collect(),
            hardware: hardware::read(block, reader),
            ready: block
                .nested("ready")
                .next()
                .and_then(|b| ready::read(b, reader)),
            migration: block
                .nested("migration")
                .next()
                .map(|b| migration::read(b, reader)),
            stop_timeout_s: stop_timeout(block, reader),
            patches: block
                .nested("xml")
                .filter_map(|b| xml::read(b, reader))
                .collect(),
            span: block.span,
        };
        // An image that is not known yet comes with the next evaluation.
        let written = block.get("image").filter(|image| !image.value.is_null());
        let unknown = written.is_some() && form.image.is_none();
        (!unknown).then_some(form)
    }
}

impl Kvm {
    /// A kernel is booted without a disk.
    pub(crate) fn resolve(&mut self, images: &BTreeMap<Address, Image>) {
        let image = self
            .image
            .as_ref()
            .and_then(|image| images.get(&image.value));
        let is_kernel = image.is_some_and(|image| matches!(image.source, Source::Kernel { .. }));
        self.has_root_disk &= !is_kernel;
    }

    /// All it names: what it boots from, and the media of its drives.
    pub fn images(&self) -> impl Iterator<Item = &Address> {
        let media = self.cdroms.iter().filter_map(|cdrom| cdrom.image.as_ref());
        self.image.iter().chain(media).map(|image| &image.value)
    }
}

/// What Ignition would refuse when nobody looks any more is said here; a secret's value is not.
fn ignition(block: &Block, reader: &mut Reader<'_>) -> Option<At<Text>> {
    let value = reader.text(block, "ignition")?;
    let written = block.get("ignition")?;
    let seeds = ["user_data", "vendor_data", "seed"];
    let of_seed = seeds
        .into_iter()
        .filter_map(|name| Some((name, block.get(name)?)));
    for (name, seed) in
        of_seed.filter(|(_, seed)| !seed.value.is_null() && seed.value.as_bool() != Some(false))
    {
        let text = format!("`{name}` is cloud-init's");
        let hint = "a guest has one or the other: leave one out";
        reader.error("Ignition beside cloud-init", seed.span, text, hint);
    }
    let hint = "write it as Butane makes it: `jsonencode({ ignition = { version = \"3.4.0\" } })`";
    let parsed: Result<serde_json::Value, _> =
        serde_json::from_str(written.value.as_str().unwrap_or_default());
    match parsed {
        Err(error) => {
            let text = format!("it is no JSON: {error}");
            reader.error("Unusable Ignition configuration", written.span, text, hint);
        }
        Ok(config) if !config["ignition"]["version"].is_string() => {
            let text = "it has no `ignition.version`";
            reader.error("Unusable Ignition configuration", written.span, text, hint);
        }
        Ok(_) => {}
    }
    let span = written.span;
    Some(At { value, span })
}

fn image(block: &Block, reader: &mut Reader<'_>) -> Option<KvmImage> {
    let image = reader.string(block, "image")?;
    Some(At {
        value: Address::new(image.value),
        span: image.span,
    })
}

fn cdrom(block: &Block, reader: &mut Reader<'_>) -> Cdrom {
    super::plain_label(block, reader);
    let (image, path) = (image(block, reader), reader.string(block, "path"));
    if let (Some(_), Some(path)) = (&image, &path) {
        let hint = "write `image` or `path`";
        reader.error(
            "Two media in one drive",
            path.span,
            "it has an image already",
            hint,
        );
    }
    Cdrom {
        label: block
            .label
            .as_ref()
            .map_or_else(String::new, |label| label.value.to_string()),
        image,
        path: path.map(|path| path.value),
    }
}
