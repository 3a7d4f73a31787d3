//! `affinity "db" { … }` and `anti_affinity "db" { … }`: whom a workload is to be near, and from whom apart.

use std::collections::BTreeSet;

use infra_diag::{Diagnostic, Diagnostics};
use infra_lang::{Attribute, Block, BlockKind, Meta, Shape};

use super::Workload;
use crate::declared::read::{At, Reader};
use crate::declared::words::word;

const SCOPE: Attribute = word(
    "scope",
    Shape::String,
    "What is to be the same, or another: `host`, or a label of hosts (`\"rack\"`).",
)
.default("\"host\"");

pub(super) static AFFINITY: BlockKind = BlockKind {
    name: "affinity",
    label: Some("placement group"),
    doc: "It is to be near others: on a host of one that says `placement_groups = [\"db\"]`, or on one with the same value of \
          a label. Where there are none of the group it is anywhere.",
    attributes: &[
        SCOPE,
        word(
            "required",
            Shape::Bool,
            "`true`: it has no place elsewhere, and where they go it goes. `false`: near them where that can be.",
        )
        .default("true"),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) static ANTI_AFFINITY: BlockKind = BlockKind {
    name: "anti_affinity",
    label: Some("placement group"),
    doc: "It is to be apart from others: on no host of one that says `placement_groups = [\"db\"]`, or on none with the same \
          value of a label; nor do they come to where it is.",
    attributes: &[
        SCOPE,
        word(
            "required",
            Shape::Bool,
            "`true`: it has no place beside them, nor on a host without that label. `false`: apart from them where that can be.",
        )
        .default("true"),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// Whom it is to be near, or apart from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    pub group: At<String>,
    /// `host` or a label of hosts.
    pub scope: String,
    pub near: bool,
    pub required: bool,
}

impl Company {
    pub(super) fn read_all(block: &Block, reader: &mut Reader<'_>) -> Vec<Self> {
        let near = block.nested(AFFINITY.name).map(|block| (block, true));
        let apart = block.nested(ANTI_AFFINITY.name).map(|block| (block, false));
        let mut read = |(block, near): (&Block, bool)| {
            let group = block.label.as_ref()?;
            Some(Self {
                group: At {
                    value: group.value.to_string(),
                    span: group.span,
                },
                scope: reader
                    .string(block, "scope")
                    .map_or_else(|| super::HOST.to_owned(), |scope| scope.value),
                near,
                required: reader.bool(block, "required").unwrap_or(true),
            })
        };
        near.chain(apart).filter_map(&mut read).collect()
    }
}

/// A group nobody is in would bind nobody: more likely its name is another.
pub(in crate::declared) fn nobody(workloads: &[Workload]) -> Diagnostics {
    let groups = workloads.iter().flat_map(|w| &w.placement_groups);
    let groups: BTreeSet<&str> = groups.map(String::as_str).collect();
    let known = match groups.is_empty() {
        true => "no workload is in any".to_owned(),
        false => format!(
            "there are {}",
            groups.iter().copied().collect::<Vec<_>>().join(", ")
        ),
    };
    let spoken_of = workloads.iter().flat_map(|w| &w.company);
    let unknown = spoken_of.filter(|c| !groups.contains(c.group.value.as_str()));
    let mut diagnostics = Diagnostics::new();
    diagnostics.extend(unknown.map(|company| {
        let text = format!("no workload is in `{}`", company.group.value);
        Diagnostic::error("No such placement group")
            .at(company.group.span, text)
            .note(known.clone())
            .hint("write `placement_groups = […]` in the workloads that are meant")
    }));
    diagnostics
}
