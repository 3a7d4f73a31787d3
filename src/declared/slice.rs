//! `slice "desk" { … }`: weights and limits that several processes on the metal share.

use infra_api::target::UnitLimits;
use infra_diag::Span;
use infra_lang::{BlockKind, Instance, Meta};

use super::read::Reader;
use super::words::size;
use super::workload::bare_metal::limits::{self, CPU_WEIGHT, IO_WEIGHT, MEMORY_LOW, PIDS, SWAP};

pub(super) const KIND: BlockKind = BlockKind {
    name: "slice",
    label: Some("name"),
    doc: "A slice of systemd below `infra.slice`, on each host where a workload names it by `bare_metal { slice = slice.NAME }`: \
          those in it share its weights and limits, whatever each has of its own.",
    attributes: &[
        size("memory", "So much memory at most, all together."),
        MEMORY_LOW,
        SWAP,
        PIDS,
        CPU_WEIGHT,
        IO_WEIGHT,
    ],
    blocks: &[],
    computed: &[],
    // Order among workloads is declared on workloads; what these stand on follows by itself.
    meta: Meta {
        depends_on: false,
        ..Meta::ALL
    },
};

/// A slice as declared.
#[derive(Clone, Debug)]
pub struct Slice {
    pub limits: UnitLimits,
    pub origin: Span,
}

impl Slice {
    pub(super) fn read(instance: &Instance, reader: &mut Reader<'_>) -> Self {
        let block = &instance.block;
        let memory = reader.bytes(block, "memory");
        if let Some(none) = memory.as_ref().filter(|memory| memory.value == 0) {
            reader.error(
                "Slice without memory",
                none.span,
                "nothing in it could run",
                "write how much, or leave it out",
            );
        }
        Self {
            limits: UnitLimits {
                memory_bytes: memory.map(|memory| memory.value),
                ..limits::read(block, reader)
            },
            origin: instance.origin,
        }
    }
}
