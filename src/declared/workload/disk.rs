//! `disk "data" { … }`: storage of its own, or a declared volume.

use infra_api::Address;
use infra_api::target::{RemoteDisk, Throttle};
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Nested, Shape};

use super::remote;
use crate::declared::read::{At, Reader};
use crate::declared::storage::{ALLOCATION, COPY_OF, POOL, Storage};
use crate::declared::words::{SERIAL, path, size, whole, word};

static THROTTLE: BlockKind = BlockKind {
    name: "throttle",
    label: None,
    doc: "The most a VM's disk may do in a second; changed while it runs. A total goes without its parts.",
    attributes: &[
        size("bytes", "Reading and writing together."),
        size("read_bytes", "Reading."),
        size("write_bytes", "Writing."),
        whole("iops", 1, i64::MAX, "Requests of both kinds together."),
        whole("read_iops", 1, i64::MAX, "Requests to read."),
        whole("write_iops", 1, i64::MAX, "Requests to write."),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) static KIND: BlockKind = BlockKind {
    name: "disk",
    label: Some("name"),
    doc: "A VM's virtual disk, a container's volume.",
    attributes: &[
        size(
            "size",
            "What the guest sees; needed for VMs unless `volume`, `path`, `remote` or `copy_of` is written.",
        ),
        path("mount", "Where a container finds it."),
        word(
            "volume",
            Shape::Ref(&["volume"]),
            "A declared volume; without it the disk lives and goes with the workload.",
        ),
        path(
            "path",
            "Instead of `size`, for VMs: a disk image of the host, or below `/dev/` a block device. It is used and \
             never made or removed.",
        ),
        word(
            "format",
            Shape::OneOf(&["raw", "qcow2"]),
            "A VM's: how it lies on the host. `raw` of a `path` or `remote` where it is not written, else `qcow2`; an \
             image's copy has the image's. A declared volume has its own.",
        ),
        POOL,
        ALLOCATION,
        COPY_OF,
        word("read_only", Shape::Bool, "Not written to.").default("false"),
        word(
            "bus",
            Shape::OneOf(&["virtio", "scsi", "sata", "nvme"]),
            "What a VM sees it on; `nvme` needs libvirt 11.5.",
        )
        .default("\"virtio\""),
        word(
            "cache",
            Shape::OneOf(&["none", "writeback", "writethrough", "directsync", "unsafe"]),
            "A VM's: how the host caches it; QEMU's default is `writeback`.",
        ),
        word(
            "io",
            Shape::OneOf(&["native", "threads", "io_uring"]),
            "A VM's: how QEMU reads and writes. `native` needs a `cache` of `none` or `directsync`.",
        ),
        word(
            "discard",
            Shape::OneOf(&["unmap", "ignore"]),
            "A VM's: whether what the guest discards is given back.",
        )
        .default("\"unmap\""),
        word(
            "serial",
            Shape::Text(&SERIAL),
            "A VM's: what the guest finds it by, in /dev/disk/by-id. A disk on `nvme` has its label where none is written.",
        ),
        whole("queues", 1, 256, "A VM's virtio disk: request queues."),
        whole(
            "iothread",
            1,
            64,
            "A VM's virtio disk: the I/O thread that serves it, of `kvm { iothreads = … }`.",
        ),
    ],
    blocks: &[Nested::one(&THROTTLE), Nested::one(&remote::KIND)],
    computed: &[],
    meta: Meta::NONE,
};

/// A disk as declared.
#[derive(Clone, Debug)]
pub struct Disk {
    pub label: String,
    pub size_bytes: Option<At<u64>>,
    pub mount: Option<At<String>>,
    pub volume: Option<At<Address>>,
    pub path: Option<At<String>>,
    pub remote: Option<At<RemoteDisk>>,
    pub storage: Storage,
    pub read_only: bool,
    /// Other than virtio.
    pub bus: Option<At<String>>,
    pub cache: Option<String>,
    pub io: Option<At<String>>,
    /// Other than `unmap`.
    pub discard: Option<String>,
    pub serial: Option<String>,
    pub queues: Option<At<u32>>,
    pub iothread: Option<At<u32>>,
    pub throttle: Option<Throttle>,
    pub span: Span,
}

impl Disk {
    pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Self {
        super::plain_label(block, reader);
        let mut word = |name, usual: &str| {
            reader
                .string(block, name)
                .filter(|word| word.value != usual)
        };
        let (bus, discard) = (word("bus", "virtio"), word("discard", "unmap"));
        let disk = Self {
            label: block
                .label
                .as_ref()
                .map_or_else(String::new, |l| l.value.to_string()),
            size_bytes: reader.bytes(block, "size"),
            mount: reader.string(block, "mount"),
            volume: reader.string(block, "volume").map(|v| At {
                value: Address::new(v.value),
                span: v.span,
            }),
            path: reader.string(block, "path"),
            remote: block
                .nested("remote")
                .next()
                .and_then(|b| remote::read(b, reader)),
            storage: Storage::read(block, reader),
            read_only: reader.bool(block, "read_only").unwrap_or(false),
            bus,
            cache: reader.string(block, "cache").map(|cache| cache.value),
            io: reader.string(block, "io"),
            discard: discard.map(|discard| discard.value),
            serial: reader.string(block, "serial").map(|serial| serial.value),
            queues: reader.whole(block, "queues"),
            iothread: reader.whole(block, "iothread"),
            throttle: block
                .nested("throttle")
                .next()
                .and_then(|b| throttle(b, reader)),
            span: block.span,
        };
        disk.check(reader);
        disk
    }

    /// What QEMU refuses only when the machine starts.
    fn check(&self, reader: &mut Reader<'_>) {
        let direct = matches!(self.cache.as_deref(), Some("none" | "directsync"));
        if let Some(io) = self
            .io
            .as_ref()
            .filter(|io| io.value == "native" && !direct)
        {
            let hint = "write `cache = \"none\"`, or `io = \"io_uring\"`";
            reader.error(
                "Native I/O through a cache",
                io.span,
                "it needs a file opened without one",
                hint,
            );
        }
        let bus = self.bus.as_ref().map_or("virtio", |bus| &bus.value);
        if let Some(queues) = self.queues.as_ref().filter(|_| bus != "virtio") {
            let text = format!("a disk on {bus} has no queues of its own");
            reader.error("Queues without virtio", queues.span, text, "leave it out");
        }
        if let Some(thread) = self.iothread.as_ref().filter(|_| bus != "virtio") {
            let text = format!("a disk on {bus} is served by the emulator's own thread");
            reader.error(
                "I/O thread without virtio",
                thread.span,
                text,
                "leave it out",
            );
        }
        self.check_content(reader);
    }

    /// One thing is in it, and what is there already is as large as it is.
    fn check_content(&self, reader: &mut Reader<'_>) {
        let there = [
            self.path
                .as_ref()
                .map(|path| (path.span, format!("`{}` is there already", path.value))),
            self.remote
                .as_ref()
                .map(|r| (r.span, "the server's is there already".to_owned())),
        ];
        let there: Vec<_> = there.into_iter().flatten().collect();
        if let (Some((_, text)), Some(size)) = (there.first(), &self.size_bytes) {
            let hint = "leave `size` out: it is as large as it is";
            reader.error("Size of what is there", size.span, text.clone(), hint);
        }
        if let (Some((_, text)), Some((word, span))) = (there.first(), self.storage.written()) {
            let hint = format!("leave `{word}` out: it is not made here");
            reader.error("Making what is there", span, text.clone(), hint);
        }
        if let (Some(_), Some((word, span))) = (&self.volume, self.storage.any()) {
            let hint = format!("write `{word}` in the volume's block");
            let text = "the volume says how it is made";
            reader.error("Word of a volume", span, text, hint);
        }
        let several = there.len() > 1 || self.volume.is_some();
        if let Some((span, _)) = there.last().filter(|_| several) {
            let hint = "write one of `volume`, `path` and `remote`";
            let text = "it has another content already";
            reader.error("Two contents of one disk", *span, text, hint);
        }
        let web = |r: &&At<RemoteDisk>| r.value.protocol.starts_with("http");
        if let Some(remote) = self.remote.as_ref().filter(web)
            && !self.read_only
        {
            let hint = "write `read_only = true`";
            reader.error(
                "Disk that cannot be written",
                remote.span,
                "QEMU only reads it",
                hint,
            );
        }
    }
}

/// A total cannot stand beside its parts.
fn throttle(block: &Block, reader: &mut Reader<'_>) -> Option<Throttle> {
    for (total, parts) in [
        ("bytes", ["read_bytes", "write_bytes"]),
        ("iops", ["read_iops", "write_iops"]),
    ] {
        let part = parts
            .into_iter()
            .find_map(|part| block.get(part).map(|p| (part, p.span)));
        if let (Some((part, span)), Some(_)) = (part, block.get(total)) {
            let text = format!("`{part}` beside `{total}`");
            reader.error(
                "Total and part limited",
                span,
                text,
                "write the total, or its parts",
            );
        }
    }
    let limits = Throttle {
        bytes: reader.bytes(block, "bytes").map(|n| n.value),
        read_bytes: reader.bytes(block, "read_bytes").map(|n| n.value),
        write_bytes: reader.bytes(block, "write_bytes").map(|n| n.value),
        iops: reader.whole(block, "iops").map(|n| n.value),
        read_iops: reader.whole(block, "read_iops").map(|n| n.value),
        write_iops: reader.whole(block, "write_iops").map(|n| n.value),
    };
    (limits != Throttle::default()).then_some(limits)
}
