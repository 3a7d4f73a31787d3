//! `suitability "ours" { … }`: what its owner knows better than the table infra comes with.

use infra_diag::{Diagnostic, Diagnostics, Span};
use infra_expr::json;
use infra_lang::{BlockKind, Instance, Meta, Shape};
use infra_suitability::{Overlay, Table};

use super::read::{At, Reader};
use super::words::word;

pub(super) const KIND: BlockKind = BlockKind {
    name: "suitability",
    label: Some("name"),
    doc: "Parts of the table by which runtimes are chosen, in place of those infra comes with: figures, weights, bands, the width \
          of a tie, exclusions, settings, classes. Several blocks are laid over it in the order of their names.",
    attributes: &[word(
        "table",
        Shape::Any,
        "As `infra suitability --json` prints it, or parts of it: an object, or `jsondecode(file(\"ours.json\"))`. A figure \
         replaces the one of the same need, runtime and settings, a class the one of the same name; what is new is added.",
    )
    .required()],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// One block of it.
#[derive(Clone, Debug)]
pub(super) struct Own {
    overlay: At<Overlay>,
}

impl Own {
    pub(super) fn read(instance: &Instance, reader: &mut Reader<'_>) -> Option<Self> {
        let table = reader.clear(&instance.block, "table")?;
        let span = table.span;
        let parsed = json::encode(&table.value)
            .map_err(|e| e.to_string())
            .and_then(|json| serde_json::from_value(json).map_err(|e| e.to_string()));
        match parsed {
            Ok(value) => Some(Self {
                overlay: At { value, span },
            }),
            Err(why) => {
                let hint = "`infra suitability --json` prints the whole table; schemas/suitability.json describes it";
                reader.error("Not a table of suitability", span, why, hint);
                None
            }
        }
    }
}

/// The table with all of these laid over it, and what is wrong with it then.
pub(super) fn table(own: &[Own]) -> (Table, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let mut table = Table::built_in();
    for own in own {
        let before = table.flaws();
        table = table.overlaid(own.overlay.value.clone());
        let flaws = table.flaws().into_iter();
        let flaws = flaws.filter(|flaw| !before.contains(flaw));
        diagnostics.extend(flaws.map(|flaw| flawed(own.overlay.span, flaw)));
    }
    (table, diagnostics)
}

fn flawed(span: Span, flaw: String) -> Diagnostic {
    Diagnostic::error("Table that cannot be counted with")
        .at(span, flaw)
        .hint("correct it there; `infra suitability` shows the table as it is without")
}
