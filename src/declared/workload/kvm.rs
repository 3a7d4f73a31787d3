//! `kvm { … }`: the form of a virtual machine.

use infra_api::{Address, Text, target::Acceleration};
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::{size, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "kvm",
    label: None,
    doc: "The form of a virtual machine.",
    attributes: &[
        word("image", Shape::Ref(&["image"]), "A disk image, or a kernel to boot directly.").required(),
        word(
            "acceleration",
            Shape::OneOf(&["kvm", "emulated"]),
            "`kvm`: the hardware's, which the host must offer. `emulated`: in software, slowly, on any host.",
        )
        .default("\"kvm\""),
        size("root_size", "What the guest sees of the disk made from the image; the image's own size where it is not written."),
        word("cmdline", Shape::String, "The kernel's command line, with a kernel image."),
        word("user_data", Shape::String, "cloud-init user data, given by a NoCloud seed with name and planned addresses."),
        word("seed", Shape::Bool, "Whether there is a NoCloud seed; default: where there is user data or a disk image."),
        word("autostart", Shape::Bool, "Started when the host starts.").default("true"),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// What it boots from.
pub type KvmImage = At<Address>;

/// The form of a virtual machine.
#[derive(Clone, Debug)]
pub struct Kvm {
    pub image: KvmImage,
    pub acceleration: Acceleration,
    pub root_size_bytes: Option<At<u64>>,
    pub cmdline: Option<Text>,
    pub user_data: Option<Text>,
    pub seed: Option<bool>,
    pub autostart: bool,
    pub span: Span,
}

impl Kvm {
    pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Option<Self> {
        let image = reader.string(block, "image")?;
        let emulated = reader
            .string(block, "acceleration")
            .is_some_and(|a| a.value == "emulated");
        Some(Self {
            image: At {
                value: Address::new(image.value),
                span: image.span,
            },
            acceleration: if emulated {
                Acceleration::Emulated
            } else {
                Acceleration::Kvm
            },
            root_size_bytes: reader.bytes(block, "root_size"),
            cmdline: reader.text(block, "cmdline"),
            user_data: reader.text(block, "user_data"),
            seed: reader.bool(block, "seed"),
            autostart: reader.bool(block, "autostart").unwrap_or(true),
            span: block.span,
        })
    }
}
