//! `memory { … }`: how much memory, from which NUMA nodes, in pages of which size.

use infra_api::IdSet;
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::{ids, size, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "memory",
    label: None,
    doc: "The memory it gets. A hard limit in every runtime; a VM needs it.",
    attributes: &[
        size("size", "How much."),
        size(
            "maximum",
            "What a VM's `size` may be raised to while it runs; its balloon takes the rest.",
        ),
        ids("nodes", "Only from these NUMA nodes of the host."),
        word(
            "mode",
            Shape::OneOf(&["strict", "preferred", "interleave", "restrictive"]),
            "How a VM's memory is bound to its nodes. `restrictive`: by the host's cgroups alone.",
        )
        .default("\"strict\""),
        size(
            "page_size",
            "In huge pages of this size, from the host's pools (VMs).",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// Memory as asked for.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub size_bytes: Option<At<u64>>,
    pub maximum_bytes: Option<At<u64>>,
    /// Other than strict.
    pub mode: Option<String>,
    pub nodes: Option<At<IdSet>>,
    pub page_size_bytes: Option<At<u64>>,
    /// Of the block; absent where there is none.
    pub span: Option<Span>,
}

impl Memory {
    pub(super) fn read(block: Option<&Block>, reader: &mut Reader<'_>) -> Self {
        let Some(block) = block else {
            return Self::default();
        };
        let memory = Self {
            size_bytes: reader.bytes(block, "size"),
            maximum_bytes: reader.bytes(block, "maximum"),
            mode: reader
                .string(block, "mode")
                .map(|mode| mode.value)
                .filter(|mode| mode != "strict"),
            nodes: reader.ids(block, "nodes"),
            page_size_bytes: reader.bytes(block, "page_size"),
            span: Some(block.span),
        };
        if let Some(page) = memory.page_size_bytes.as_ref().filter(|p| p.value == 0) {
            reader.error(
                "Pages of no size",
                page.span,
                "a page has a size",
                "write a size the host has pages of, such as \"2MiB\" or \"1GiB\"",
            );
        } else if let (Some(size), Some(page)) = (&memory.size_bytes, &memory.page_size_bytes)
            && size.value % page.value != 0
        {
            let text = "this is no whole number of these pages";
            reader.error(
                "Size and page size disagree",
                size.span,
                text,
                "make `size` a multiple of `page_size`",
            );
        }
        maximum(&memory, reader);
        memory
    }
}

fn maximum(memory: &Memory, reader: &mut Reader<'_>) {
    let (Some(size), Some(maximum)) = (&memory.size_bytes, &memory.maximum_bytes) else {
        return;
    };
    if maximum.value < size.value {
        reader.error(
            "Maximum below the size",
            maximum.span,
            "less than `size`",
            "make it larger, or leave it out",
        );
    }
    if memory.page_size_bytes.is_some() {
        reader.error(
            "Huge pages that could be given back",
            maximum.span,
            "huge pages are taken whole: a balloon cannot give them back",
            "leave `maximum` or `page_size` out",
        );
    }
}
