//! How much of the host a process on the metal may use, beside its CPUs and memory, and how the kernel schedules it.

use infra_api::target::{Scheduling, UnitLimits};
use infra_lang::{Attribute, Block, BlockKind, Meta, Shape};

use crate::declared::read::Reader;
use crate::declared::words::{size, whole, word};

/// What a unit and a slice both have.
pub(in crate::declared) const MEMORY_LOW: Attribute = size(
    "memory_low",
    "What it is left where the host's memory is short.",
);
pub(in crate::declared) const SWAP: Attribute = size(
    "swap",
    "So much of it may be swapped out; all where it is not written.",
);
pub(in crate::declared) const PIDS: Attribute = whole(
    "pids",
    1,
    i64::MAX,
    "So many tasks at most, threads among them.",
);
pub(in crate::declared) const CPU_WEIGHT: Attribute = whole(
    "cpu_weight",
    1,
    10_000,
    "Its weight where CPUs are short; others have 100.",
);
pub(in crate::declared) const IO_WEIGHT: Attribute = whole(
    "io_weight",
    1,
    10_000,
    "Its weight where disks are busy; others have 100.",
);

pub(super) static LIMITS: BlockKind = BlockKind {
    name: "limits",
    label: None,
    doc: "Weights and limits of the unit's control group, beside the workload's `cpus` and `memory`.",
    attributes: &[MEMORY_LOW, SWAP, PIDS, CPU_WEIGHT, IO_WEIGHT],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) static SCHEDULING: BlockKind = BlockKind {
    name: "scheduling",
    label: None,
    doc: "How the kernel's schedulers treat it.",
    attributes: &[
        word(
            "policy",
            Shape::OneOf(&["other", "batch", "idle", "fifo", "rr"]),
            "Of the CPU scheduler. `fifo` and `rr` are real-time: nothing else runs on its CPUs before it waits.",
        )
        .default("\"other\""),
        whole("priority", 1, 99, "Of `fifo` and `rr`; higher goes first."),
        whole("nice", -20, 19, "Lower gets more; 0 where it is not written."),
        word(
            "io_class",
            Shape::OneOf(&["best-effort", "realtime", "idle"]),
            "Of the disk scheduler.",
        ),
        whole("io_priority", 0, 7, "Lower goes first; with an `io_class` that is not `idle`."),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(in crate::declared) fn read(block: &Block, reader: &mut Reader<'_>) -> UnitLimits {
    let low = reader.bytes(block, "memory_low").map(|size| size.value);
    // 100 is everybody's.
    let weight = |name: &str, reader: &mut Reader<'_>| {
        let weight = reader.whole(block, name).map(|n| n.value);
        weight.filter(|weight: &u32| *weight != 100)
    };
    UnitLimits {
        memory_bytes: None,
        memory_low_bytes: low.filter(|bytes| *bytes != 0),
        swap_bytes: reader.bytes(block, "swap").map(|size| size.value),
        pids: reader.whole(block, "pids").map(|n| n.value),
        cpu_weight: weight("cpu_weight", reader),
        io_weight: weight("io_weight", reader),
    }
}

pub(super) fn scheduling(block: Option<&Block>, reader: &mut Reader<'_>) -> Scheduling {
    let Some(block) = block else {
        return Scheduling::default();
    };
    let policy = reader.string(block, "policy").map(|word| word.value);
    let policy = policy.filter(|word| word != "other");
    let priority = reader.whole(block, "priority");
    let realtime = matches!(policy.as_deref(), Some("fifo" | "rr"));
    match &priority {
        Some(priority) if !realtime => reader.error(
            "Priority without a policy",
            priority.span,
            "only `fifo` and `rr` have one",
            "write one of them as `policy`, or leave it out",
        ),
        None if realtime => reader.error(
            "Policy without a priority",
            block.span,
            "`fifo` and `rr` have a `priority`, from 1 to 99",
            "write one",
        ),
        _ => {}
    }
    Scheduling {
        policy,
        priority: priority.map(|n| n.value),
        nice: reader
            .whole(block, "nice")
            .map(|n| n.value)
            .filter(|n| *n != 0),
        io_class: reader.string(block, "io_class").map(|word| word.value),
        io_priority: reader.whole(block, "io_priority").map(|n| n.value),
    }
}
