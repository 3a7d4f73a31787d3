//! `migration { … }`: how a machine goes to another host while it runs.

use infra_api::{Level, MigrationOptions, Need};
use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::Workload;
use crate::declared::read::Reader;
use crate::declared::words::{duration, size, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "migration",
    label: None,
    doc: "Where it is to run on another host (`host` names one, or its own is drained) it moves there while it runs, if it can; \
          else the plan says why, and it is started anew. A workload that needs `live_migration` at least `medium` has this \
          block without being given it.",
    attributes: &[
        duration(
            "downtime",
            "So long it may stand still at the end, while the last of its memory is sent; in whole milliseconds. As long \
             as QEMU takes for usual (300ms) where it is not written.",
        ),
        size(
            "bandwidth",
            "At most so much a second is sent, in whole MiB; without it there is no limit.",
        ),
        word(
            "post_copy",
            Shape::Bool,
            "Whether it goes on over there before all of its memory has arrived, when all of it was sent once: then it comes \
             to an end whatever the guest writes, but where the hosts lose each other meanwhile the guest is lost.",
        )
        .default("false"),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

impl Workload {
    /// How it goes to another host while it runs; nothing where nobody asks for that.
    #[must_use]
    pub fn migration(&self) -> Option<MigrationOptions> {
        let form = self.kvm.as_ref()?;
        let needed = self.suits.needs.get(Need::LiveMigration) >= Level::Medium;
        form.migration
            .or_else(|| needed.then(MigrationOptions::default))
    }

    /// Whether it is a machine that goes to another host while it runs and has no disk on its own.
    #[must_use]
    pub fn leaves_nothing_behind(&self) -> bool {
        let rootless = self.kvm.as_ref().is_some_and(|form| !form.has_root_disk);
        let elsewhere = self.disks.iter().all(|disk| disk.remote.is_some());
        self.migration().is_some() && rootless && elsewhere
    }
}

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> MigrationOptions {
    MigrationOptions {
        downtime_ms: downtime(block, reader),
        bandwidth_bytes: bandwidth(block, reader),
        post_copy: reader.bool(block, "post_copy").unwrap_or(false),
    }
}

fn downtime(block: &Block, reader: &mut Reader<'_>) -> Option<u64> {
    const MS: u64 = 1_000_000;
    let span = block.get("downtime")?.span;
    let written = reader.nanoseconds(block, "downtime")?;
    if written < MS || !written.is_multiple_of(MS) {
        let text = "it is no whole number of milliseconds, or none";
        reader.error("Uneven downtime", span, text, "write `300ms`");
    }
    Some(written / MS)
}

fn bandwidth(block: &Block, reader: &mut Reader<'_>) -> Option<u64> {
    const MIB: u64 = 1 << 20;
    let written = reader.bytes(block, "bandwidth")?;
    if written.value < MIB || !written.value.is_multiple_of(MIB) {
        let text = "it is no whole number of MiB, or none";
        reader.error("Uneven bandwidth", written.span, text, "write `100MiB`");
    }
    Some(written.value)
}
