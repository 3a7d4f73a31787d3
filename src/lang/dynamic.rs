//! `dynamic "kind" { for_each … content { … } }` as written, against the schema. What it makes stands in
//! `decode.rs`.

use crate::declared::body;
use crate::evaluation::Spanned;
use crate::language::nowhere;
use crate::schema::{BlockKind, Nested};
use crate::syntax::{Expr, Section, hinted};
use crate::tree::{Dynamic, Item};
use crate::words::suggest;
use infra_diag::{Diagnostic, Diagnostics, Span};
use std::sync::Arc;

/// The item that a `dynamic` block is, and the index of its kind among those of the block around it.
pub(crate) fn dynamic(
    mut section: Section,
    kind: &'static BlockKind,
    found: &mut Diagnostics,
) -> Option<(usize, Item)> {
    let label = section.label("kind", found);
    let for_each = section.required("for_each", found);
    let iterator = section.field("iterator");
    let labels = section.field("labels").map(|field| field.value);
    let content = section.section("content", found);
    if content.is_none() {
        let error =
            Diagnostic::error("Missing block").at(section.header, "`dynamic` needs `content`");
        found.push(error.hint("add content { … }: the body of each block"));
    }
    section.finish(nowhere, found);
    let (label, for_each) = (label?, for_each?);
    let Some(index) = kind
        .blocks
        .iter()
        .position(|n| n.kind.name == &*label.value)
    else {
        found.push(unknown_dynamic(&label, kind));
        return None;
    };
    let nested = &kind.blocks[index];
    let iterator = match iterator {
        Some(field) => iterator_name(&field.value, found)?,
        None => label.value.clone(),
    };
    labels_fit(nested, labels.as_ref(), label.span, found);
    let content = body(renamed(content?, &label), nested.kind, None, found);
    Some((
        index,
        Item::Dynamic(Box::new(Dynamic {
            for_each,
            iterator,
            labels,
            content,
        })),
    ))
}

/// Errors in `content` speak of the block that it makes, at its name.
fn renamed(mut content: Section, kind: &Spanned<Arc<str>>) -> Section {
    content.kind.value = kind.value.clone();
    content.header = kind.span;
    content
}

fn unknown_dynamic(label: &Spanned<Arc<str>>, kind: &BlockKind) -> Diagnostic {
    let (name, blocks) = (
        &label.value,
        kind.blocks.iter().map(|nested| nested.kind.name),
    );
    let error = Diagnostic::error("Unknown block")
        .at(label.span, format!("`{}` has no block `{name}`", kind.name));
    let hint = match kind.attribute(name) {
        Some(_) => Some(format!(
            "`{name}` is an attribute: write {name} = [for … in … : …]"
        )),
        None => suggest(name, blocks, "it takes"),
    };
    hinted(error, hint)
}

fn iterator_name(expr: &Expr, found: &mut Diagnostics) -> Option<Arc<str>> {
    let name = expr.node.as_variable().map(|name| name.as_str().into());
    if name.is_none() {
        let error = Diagnostic::error("Invalid name").at(expr.span, "an iterator is a bare name");
        found.push(error.hint("write iterator = name"));
    }
    name
}

fn labels_fit(nested: &Nested, labels: Option<&Expr>, header: Span, found: &mut Diagnostics) {
    let kind = nested.kind.name;
    match (nested.kind.label, labels) {
        (Some(_), None) => found.push(
            Diagnostic::error("Missing attribute")
                .at(
                    header,
                    format!("`{kind}` has a label, so `dynamic` needs `labels`"),
                )
                .hint(format!("add labels = [{kind}.key]")),
        ),
        (None, Some(labels)) => found.push(
            Diagnostic::error("Too many labels")
                .at(labels.span, format!("`{kind}` has no label"))
                .hint("leave `labels` out"),
        ),
        _ => {}
    }
}
