//! How a virtual disk is made: words that a volume and a disk of a workload have in common.

use infra_api::Address;
use infra_api::target::{Allocation, Format};
use infra_diag::Span;
use infra_lang::{Attribute, Block, Shape};

use super::read::{At, Reader};
use super::words::word;

/// Words of a virtual disk.
pub(super) const POOL: Attribute = word(
    "pool",
    Shape::Ref(&["pool"]),
    "A virtual machine's: the pool it lies in; the project's own where none is written.",
);

pub(super) const ALLOCATION: Attribute = word(
    "allocation",
    Shape::OneOf(&["sparse", "metadata", "full"]),
    "A virtual machine's: what of its space is taken when it is made. `sparse` (where it is not written) is nothing, `metadata` a qcow2's tables, \
     `full` all of it, reserved and not written to. What it grows by later is taken beforehand of a `full` raw disk that \
     no machine runs on, and of no other.",
);

pub(super) const COPY_OF: Attribute = word(
    "copy_of",
    Shape::Ref(&["image", "volume"]),
    "A virtual machine's: the image with `disk`, or the volume, that it begins as a copy of; it needs neither \
     afterwards. `size` is the original's where it is not written, and never less. Once it is made neither another \
     original nor another size of it changes anything: `--replace` makes a volume anew. No running machine may have the volume while it is copied.",
);

/// How a virtual disk is to be made, as declared.
#[derive(Clone, Debug, Default)]
pub struct Storage {
    pub format: Option<At<Format>>,
    pub allocation: Option<At<Allocation>>,
    pub pool: Option<At<Address>>,
    /// An image or a volume.
    pub copy_of: Option<At<Address>>,
}

impl Storage {
    pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Self {
        let storage = Self {
            format: reader.string(block, "format").map(format),
            allocation: reader.string(block, "allocation").map(allocation),
            pool: reader.string(block, "pool").map(address),
            copy_of: reader.string(block, "copy_of").map(address),
        };
        let raw = storage
            .format
            .as_ref()
            .is_some_and(|f| f.value == Format::Raw);
        if let Some(allocation) = storage
            .allocation
            .as_ref()
            .filter(|a| raw && a.value == Allocation::Metadata)
        {
            reader.error(
                "Tables of a raw disk",
                allocation.span,
                "a raw disk has no tables to be made beforehand",
                "write `allocation = \"full\"`, or `format = \"qcow2\"`",
            );
        }
        storage
    }

    /// What is written of it, in the order of the words; the format apart.
    pub(super) fn written(&self) -> Option<(&'static str, Span)> {
        let allocation = self.allocation.as_ref().map(|a| ("allocation", a.span));
        let pool = || self.pool.as_ref().map(|p| ("pool", p.span));
        let allocation = allocation.or_else(pool);
        allocation.or_else(|| self.copy_of.as_ref().map(|c| ("copy_of", c.span)))
    }

    /// The same, and the format.
    #[must_use]
    pub fn any(&self) -> Option<(&'static str, Span)> {
        let format = self.format.as_ref().map(|f| ("format", f.span));
        format.or_else(|| self.written())
    }
}

fn address(word: At<String>) -> At<Address> {
    At {
        value: Address::new(word.value),
        span: word.span,
    }
}

fn format(word: At<String>) -> At<Format> {
    let value = match word.value.as_str() {
        "qcow2" => Format::Qcow2,
        _ => Format::Raw,
    };
    At {
        value,
        span: word.span,
    }
}

fn allocation(word: At<String>) -> At<Allocation> {
    let value = match word.value.as_str() {
        "metadata" => Allocation::Metadata,
        "full" => Allocation::Full,
        _ => Allocation::Sparse,
    };
    At {
        value,
        span: word.span,
    }
}
