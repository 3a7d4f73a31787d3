//! `update { … }`: how many instances of a block change at a time.

use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::read::Reader;
use crate::declared::words::{whole, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "update",
    label: None,
    doc: "How instances of one block (`count`, `for_each`) are changed: in batches, in their order, each when the one \
          before it is done. A failed instance stops the rest. New ones are made at once. Without this block all \
          change side by side.",
    attributes: &[
        whole("max_parallel", 1, 1_000_000, "How many change at a time.").default("1"),
        word(
            "wait",
            Shape::OneOf(&["healthy", "running"]),
            "What a batch waits for: `healthy`, the health checks of the one before it pass and a machine is as its \
             `ready` says (or it runs and has neither); `running`, it runs as planned.",
        )
        .default("\"healthy\""),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// How instances change.
#[derive(Clone, Debug)]
pub struct Update {
    pub max_parallel: usize,
    /// Or else until they run.
    pub until_healthy: bool,
}

impl Update {
    pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Self {
        let max_parallel: Option<u32> = reader.whole(block, "max_parallel").map(|n| n.value);
        Self {
            max_parallel: max_parallel.map_or(1, |n| n as usize),
            until_healthy: reader
                .string(block, "wait")
                .is_none_or(|wait| wait.value == "healthy"),
        }
    }
}
