//! `bare_metal { … }`: the form of a systemd unit. Planned on recorded facts; no provider makes its units yet.

use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta};

use crate::declared::read::Reader;
use crate::declared::words::{STRINGS, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "bare_metal",
    label: None,
    doc: "The form of a process under the host's systemd: planned on recorded facts (`--facts`), and not run by this version.",
    attributes: &[word("exec", STRINGS, "The program and its arguments.").required()],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// The form of a unit.
#[derive(Clone, Debug)]
pub struct BareMetal {
    pub exec: Vec<String>,
    pub span: Span,
}

impl BareMetal {
    pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            exec: reader.strings(block, "exec")?,
            span: block.span,
        })
    }
}
