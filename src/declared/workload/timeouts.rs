//! `timeouts { … }`: how long changes of a workload's objects may take.

use infra_lang::{Block, BlockKind, Meta};

use crate::declared::read::Reader;
use crate::declared::words::duration;

pub(super) static KIND: BlockKind = BlockKind {
    name: "timeouts",
    label: None,
    doc: "How long one change of each of its objects may take; an hour where nothing is written, and two minutes to \
          become ready. One that takes longer has failed: what depends on it is not started, and the next plan looks \
          at what became of it.",
    attributes: &[
        duration("create", "It is made or made anew."),
        duration("update", "It is changed in place or by a restart."),
        duration("delete", "It is removed."),
        duration(
            "ready",
            "It becomes ready once it runs, where something waits for that: what depends on it, the next batch of an \
             `update`, or the machine's own `ready`. As a container its health checks pass.",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// As written, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timeouts {
    pub create_ms: Option<u64>,
    pub update_ms: Option<u64>,
    pub delete_ms: Option<u64>,
    pub ready_ms: Option<u64>,
}

impl Timeouts {
    pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Self {
        let mut milliseconds = |name| {
            let nanoseconds = reader.nanoseconds(block, name)?;
            Some(nanoseconds.div_ceil(1_000_000).max(1))
        };
        Self {
            create_ms: milliseconds("create"),
            update_ms: milliseconds("update"),
            delete_ms: milliseconds("delete"),
            ready_ms: milliseconds("ready"),
        }
    }
}
