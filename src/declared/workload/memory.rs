//! `memory { … }`: how much memory, from which NUMA nodes, in pages of which size.

use infra_api::IdSet;
use infra_api::units::Bytes;
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::{DEFAULT_PAGE, PAGE, ids, size, word};

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
            "How the memory of a VM or of a process on the metal is bound to its nodes. `restrictive`: by the host's cgroups \
             alone. A process is bound to them by its control group; where they are `preferred` it takes other memory when its \
             node has none left, and with `interleave` its pages are of each node in turn.",
        )
        .default("\"strict\""),
        word(
            "page_size",
            Shape::OneOrMore(&Shape::Text(&PAGE)),
            "In huge pages of this size, from the host's pools (VMs). Of a list, in the order of preference, the first that \
             is to be had: `[\"1GiB\", \"2MiB\", \"default\"]`.",
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
    /// Sizes in the order of preference, 0 for ordinary pages.
    pub page_sizes: Option<Pages>,
    /// Of the block; absent where there is none.
    pub span: Option<Span>,
}

impl Memory {
    /// Whether it may get huge pages.
    #[must_use]
    pub fn huge(&self) -> bool {
        let mut sizes = self.page_sizes.iter().flat_map(|pages| &pages.value);
        sizes.any(|size| *size > 0)
    }

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
            page_sizes: pages(block, reader),
            span: Some(block.span),
        };
        if let (Some(size), Some(pages)) = (&memory.size_bytes, &memory.page_sizes) {
            whole_pages(size, pages, reader);
        }
        maximum(&memory, reader);
        memory
    }
}

/// Sizes of pages in the order of preference, 0 for ordinary ones.
pub type Pages = At<Vec<u64>>;

/// `page_size` of a block.
pub(super) fn pages(block: &Block, reader: &mut Reader<'_>) -> Option<Pages> {
    let words = reader.strings(block, "page_size")?;
    let span = block.get("page_size")?.span;
    let size = |word: &String| match word.as_str() {
        DEFAULT_PAGE => Some(0),
        // A size of nothing has been told by its shape.
        size => size.parse::<Bytes>().ok().map(|size| size.0),
    };
    let value: Vec<u64> = words.iter().filter_map(size).collect();
    let twice = value
        .iter()
        .enumerate()
        .any(|(n, size)| value[..n].contains(size));
    if twice || value.is_empty() {
        let (text, hint) = match twice {
            true => ("one size stands there twice", "name each size once"),
            false => ("none is named", "name a size, or leave `page_size` out"),
        };
        reader.error("Wish for no page", span, text, hint);
        return None;
    }
    Some(At { value, span })
}

/// Whichever of the pages it gets, it has whole ones.
pub(super) fn whole_pages(size: &At<u64>, pages: &Pages, reader: &mut Reader<'_>) {
    let uneven = |page: &&u64| **page > 0 && !size.value.is_multiple_of(**page);
    if let Some(page) = pages.value.iter().find(uneven) {
        let text = format!("this is no whole number of pages of {}", Bytes(*page));
        let hint = "make it a multiple of `page_size`";
        reader.error("Size and page size disagree", size.span, text, hint);
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
    if memory.huge() {
        reader.error(
            "Huge pages that could be given back",
            maximum.span,
            "huge pages are taken whole: a balloon cannot give them back",
            "leave `maximum` or `page_size` out",
        );
    }
}
