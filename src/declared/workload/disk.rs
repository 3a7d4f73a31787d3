//! `disk "data" { … }`: storage of its own, or a declared volume.

use infra_api::Address;
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::{path, size, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "disk",
    label: Some("name"),
    doc: "A VM's virtual disk, a container's volume.",
    attributes: &[
        size(
            "size",
            "What the guest sees; needed for VMs unless `volume` is written.",
        ),
        path("mount", "Where a container finds it."),
        word(
            "volume",
            Shape::Ref(&["volume"]),
            "A declared volume; without it the disk lives and goes with the workload.",
        ),
        word("read_only", Shape::Bool, "Not written to.").default("false"),
    ],
    blocks: &[],
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
    pub read_only: bool,
    pub span: Span,
}

impl Disk {
    pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Self {
        super::plain_label(block, reader);
        Self {
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
            read_only: reader.bool(block, "read_only").unwrap_or(false),
            span: block.span,
        }
    }
}
