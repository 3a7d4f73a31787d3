//! `image "cache" { … }`: what a workload starts from: a container image, a disk image, a kernel, or files.

use infra_api::{Address, ImageTag, Pull};
use infra_diag::{Diagnostic, Span};
use infra_lang::{Block, BlockKind, Instance, Meta, Shape};

use super::read::{At, Reader};
use super::words::{PLATFORM, word};

pub(super) const KIND: BlockKind = BlockKind {
    name: "image",
    label: Some("name"),
    doc: "What a workload starts from. Exactly one of `archive`, `reference`, `disk`, `kernel` and `files` is written. Paths \
          are relative to the configuration's folder.",
    attributes: &[
        word(
            "archive",
            Shape::String,
            "Container image: a file that `docker save` or `docker export` wrote.",
        ),
        word(
            "reference",
            Shape::String,
            "Container image: a registry's, such as `docker.io/library/redis:7`. Pinned to its digest while planning.",
        ),
        word(
            "pull",
            Shape::OneOf(&["newer", "always", "missing", "never"]),
            "Of a `reference` with a tag: who says, at each plan, what it stands for. `newer`: its registry; where that does \
             not answer, what it stood for last or the image that the host has under it, with a warning. `always`: its \
             registry, or there is no plan. `missing`: what is known of it already, the registry only where nothing is. \
             `never`: the image that the host has under it. An image that was built or loaded on the host, and was never \
             in a registry, is taken as it is but with `always`.",
        )
        .default("\"newer\""),
        word(
            "platform",
            Shape::Text(&PLATFORM),
            "Of a `reference`: what it is for, where that is not the host's own (which then emulates it). Must be among \
             those its registry has; an engine keeps one platform of a reference.",
        ),
        word(
            "disk",
            Shape::String,
            "Disk image of a virtual machine, qcow2 or raw. Uploaded, never written to.",
        ),
        word(
            "kernel",
            Shape::String,
            "Linux kernel that a virtual machine boots directly.",
        ),
        word(
            "initramfs",
            Shape::String,
            "Initial file system that goes with `kernel`.",
        ),
        word(
            "files",
            Shape::String,
            "For processes on the metal: a tar archive, plain or compressed (gzip, xz, zstd). Unpacked on their host into a \
             folder of its own.",
        ),
    ],
    blocks: &[],
    computed: &[],
    // Order among workloads is declared on workloads; what these stand on follows by itself.
    meta: Meta {
        depends_on: false,
        ..Meta::ALL
    },
};

/// An image as declared.
#[derive(Clone, Debug)]
pub struct Image {
    pub address: Address,
    pub source: Source,
    pub origin: Span,
}

/// Where it comes from.
#[derive(Clone, Debug)]
pub enum Source {
    Archive(At<String>),
    Reference(At<ImageTag>),
    Disk(At<String>),
    Kernel {
        kernel: At<String>,
        initramfs: Option<At<String>>,
    },
    Files(At<String>),
}

impl Source {
    /// Whether containers can use it.
    #[must_use]
    pub fn is_container(&self) -> bool {
        matches!(self, Self::Archive(_) | Self::Reference(_))
    }

    /// The files of the person's that it consists of.
    #[must_use]
    pub fn files(&self) -> Vec<&At<String>> {
        match self {
            Self::Archive(path) | Self::Disk(path) | Self::Files(path) => vec![path],
            Self::Reference(_) => Vec::new(),
            Self::Kernel { kernel, initramfs } => {
                std::iter::once(kernel).chain(initramfs).collect()
            }
        }
    }
}

impl Image {
    pub(super) fn read(instance: &Instance, reader: &mut Reader<'_>) -> Option<Self> {
        let block = &instance.block;
        let initramfs = reader.string(block, "initramfs");
        let stray = initramfs.clone();
        let mut sources: Vec<Source> = Vec::new();
        sources.extend(reader.string(block, "archive").map(Source::Archive));
        sources.extend(reference(block, reader).map(Source::Reference));
        sources.extend(reader.string(block, "disk").map(Source::Disk));
        sources.extend(
            reader
                .string(block, "kernel")
                .map(|kernel| Source::Kernel { kernel, initramfs }),
        );
        sources.extend(reader.string(block, "files").map(Source::Files));
        if sources.len() != 1 {
            let found = if sources.is_empty() {
                "none"
            } else {
                "more than one"
            };
            reader.diagnostics.push(
                Diagnostic::error("Image without one source")
                    .at(
                        block.span,
                        format!(
                            "{found} of `archive`, `reference`, `disk`, `kernel` and `files` is written here"
                        ),
                    )
                    .hint("write exactly one of them"),
            );
            return None;
        }
        let source = sources.pop()?;
        if !matches!(source, Source::Reference(_)) {
            only_of_a_registry(block, reader);
        }
        if let (Some(stray), false) = (stray, matches!(source, Source::Kernel { .. })) {
            reader.error(
                "Initramfs without a kernel",
                stray.span,
                "an initramfs goes with `kernel`",
                "write `kernel` too, or leave it out",
            );
        }
        Some(Self {
            address: Address::new(instance.address.to_string()),
            source,
            origin: instance.origin,
        })
    }
}

fn reference(block: &Block, reader: &mut Reader<'_>) -> Option<At<ImageTag>> {
    let pull = reader.string(block, "pull").map(|pull| pull.value);
    let At { value, span } = reader.string(block, "reference")?;
    let tag = ImageTag {
        reference: value,
        pull: match pull.as_deref() {
            Some("always") => Pull::Always,
            Some("missing") => Pull::Missing,
            Some("never") => Pull::Never,
            _ => Pull::Newer,
        },
        platform: reader.string(block, "platform").map(|text| text.value),
    };
    Some(At { value: tag, span })
}

fn only_of_a_registry(block: &Block, reader: &mut Reader<'_>) {
    let pull = reader.string(block, "pull");
    let written = pull.filter(|pull| pull.value != "newer");
    let platform = reader.string(block, "platform");
    for (name, written) in [("pull", written), ("platform", platform)] {
        if let Some(written) = written {
            let text = format!("`{name}` is of an image of a registry");
            let hint = "write `reference`, or leave it out";
            reader.error("Not of a registry", written.span, text, hint);
        }
    }
}
