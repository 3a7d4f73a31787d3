//! `memory { … }`: how much memory, from which NUMA nodes, in pages of which size.

use infra_api::IdSet;
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta};

use crate::declared::read::{At, Reader};
use crate::declared::words::{ids, size};

pub(super) static KIND: BlockKind = BlockKind {
    name: "memory",
    label: None,
    doc: "The memory it gets. A hard limit in every runtime; a VM needs it.",
    attributes: &[
        size("size", "How much."),
        ids("nodes", "Only from these NUMA nodes of the host."),
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
        memory
    }
}
