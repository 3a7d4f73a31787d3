//! Declared blocks against the schema: what is unknown, missing, written twice or in the wrong form is
//! reported here, once per block and not per instance. Values are looked at later, in `decode.rs`.

use crate::dynamic::dynamic;
use crate::evaluation::{Ignore, Spanned};
use crate::few::Few;
use crate::language::{checks, depends_on, nowhere, repeat};
use crate::load::Name;
use crate::schema::{Attribute, BlockKind, Given, Nested, Shape};
use crate::syntax::{Expr, Section, missing, twice};
use crate::tree::{Body, Declared, Item, Lifecycle, Repeat, Setting};
use crate::words::{listed, suggest};
use hcl_edit::expr::{Expression, TraversalOperator};
use infra_diag::{Diagnostic, Diagnostics, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A block of a kind of the schema.
pub(crate) fn declared(
    mut section: Section,
    kind: &'static BlockKind,
    found: &mut Diagnostics,
) -> Option<(Name, Declared)> {
    let name = section.name(kind.label.unwrap_or("name"), found);
    let repeat = match kind.meta.count_for_each {
        true => repeat(&mut section, found),
        false => Repeat::Once,
    };
    let depends_on = match kind.meta.depends_on {
        true => depends_on(&mut section, found),
        false => Vec::new(),
    };
    let lifecycle = match kind.meta.lifecycle {
        true => section
            .section("lifecycle", found)
            .map(|s| lifecycle(s, kind, found)),
        false => None,
    };
    let body = body(section, kind, None, found);
    Some((
        name?,
        Declared {
            kind,
            repeat,
            body,
            depends_on,
            lifecycle: lifecycle.unwrap_or_default(),
        },
    ))
}

fn lifecycle(mut section: Section, kind: &BlockKind, found: &mut Diagnostics) -> Lifecycle {
    section.no_label(found);
    let prevent_destroy = section.field("prevent_destroy").map(|field| field.value);
    let create_before_destroy = section
        .field("create_before_destroy")
        .map(|field| field.value);
    let ignore_changes = section
        .field("ignore_changes")
        .map(|f| ignored(&f.value, kind, found));
    let preconditions = checks(section.sections("precondition"), found);
    section.finish(nowhere, found);
    Lifecycle {
        prevent_destroy,
        create_before_destroy,
        ignore_changes: ignore_changes.unwrap_or_default(),
        preconditions,
    }
}

fn ignored(expr: &Expr, kind: &BlockKind, found: &mut Diagnostics) -> Ignore {
    if expr
        .node
        .as_variable()
        .is_some_and(|name| name.as_str() == "all")
    {
        return Ignore::All;
    }
    let Expression::Array(entries) = &expr.node else {
        found.push(
            Diagnostic::error("Invalid ignore_changes")
                .at(expr.span, "this is neither `all` nor a list of attributes")
                .hint("write ignore_changes = [name, block.name] or ignore_changes = all"),
        );
        return Ignore::default();
    };
    let entries = entries
        .iter()
        .map(|entry| Expr::new(entry.clone(), expr.source()));
    Ignore::These(
        entries
            .filter_map(|entry| ignored_path(&entry, kind, found))
            .collect(),
    )
}

/// A dotted path whose first part the block has.
fn ignored_path(expr: &Expr, kind: &BlockKind, found: &mut Diagnostics) -> Option<String> {
    let path = dotted(&expr.node);
    let first = path.first().map(String::as_str).unwrap_or_default();
    if kind.attribute(first).is_some() || kind.block(first).is_some() {
        return Some(path.join("."));
    }
    let error = Diagnostic::error("Invalid ignore_changes")
        .at(expr.span, format!("`{}` has no such attribute", kind.name));
    found.push(crate::syntax::hinted(
        error,
        suggest(first, names(kind), "it takes"),
    ));
    None
}

fn dotted(node: &Expression) -> Vec<String> {
    match node {
        Expression::Variable(name) => vec![name.as_str().to_owned()],
        Expression::String(name) => vec![name.value().clone()],
        Expression::Traversal(traversal) => {
            let mut path = dotted(&traversal.expr);
            path.extend(
                traversal
                    .operators
                    .iter()
                    .map(|operator| match operator.value() {
                        TraversalOperator::GetAttr(name) => name.as_str().to_owned(),
                        TraversalOperator::Index(key) => dotted(key).concat(),
                        _ => String::new(),
                    }),
            );
            path
        }
        _ => Vec::new(),
    }
}

/// All that a person may write in a block of a kind.
pub(crate) fn names(kind: &BlockKind) -> impl Iterator<Item = &'static str> + Clone {
    let blocks = kind.blocks.iter().map(|nested| nested.kind.name);
    kind.attributes
        .iter()
        .map(|attribute| attribute.name)
        .chain(blocks)
}

pub(crate) fn body(
    mut section: Section,
    kind: &'static BlockKind,
    label: Option<Spanned<Arc<str>>>,
    found: &mut Diagnostics,
) -> Body {
    let header = section.header;
    let mut settings = Vec::new();
    for (index, attribute) in kind.attributes.iter().enumerate() {
        match section.field(attribute.name) {
            Some(field) => settings.push((index, setting(field.value, &attribute.shape))),
            None if attribute.given == Given::Required => {
                found.push(missing(
                    header,
                    kind.name,
                    attribute.name,
                    &example(attribute),
                ));
            }
            None => {}
        }
    }
    let items = items(&mut section, kind, found);
    section.finish(|name| elsewhere(kind, name), found);
    Body {
        kind,
        header,
        label,
        settings: settings.into_iter().collect(),
        items,
    }
}

fn setting(value: Expr, shape: &Shape) -> Setting {
    let only_names = matches!(
        shape,
        Shape::Ref(_) | Shape::List(Shape::Ref(_)) | Shape::Set(Shape::Ref(_))
    );
    Setting {
        only_names: only_names && names_only(&value.node),
        value,
    }
}

/// Whether nothing is done with what is named: `network.lan`, `[network.lan, network.wan[0]]`.
fn names_only(node: &Expression) -> bool {
    match node {
        Expression::Array(entries) => entries.iter().all(names_only),
        Expression::Traversal(traversal) => traversal.expr.is_variable(),
        _ => false,
    }
}

fn example(attribute: &Attribute) -> String {
    match &attribute.shape {
        Shape::Text(text) => format!("\"{}\"", text.example),
        Shape::OneOf(words) => format!("\"{}\"", words.first().unwrap_or(&"…")),
        Shape::String => "\"…\"".to_owned(),
        Shape::Bool => "true".to_owned(),
        Shape::List(_) | Shape::Set(_) => "[…]".to_owned(),
        Shape::OneOrMore(Shape::Text(text)) => format!("\"{}\"", text.example),
        Shape::Map(_) => "{ … }".to_owned(),
        Shape::Ref(kinds) => format!("{}.…", kinds.first().unwrap_or(&"…")),
        _ => "…".to_owned(),
    }
}

/// Where in the block a name would be right that is not right here.
fn elsewhere(kind: &BlockKind, name: &str) -> Option<String> {
    if crate::words::nearest(name, names(kind)).is_some() {
        return None;
    }
    let inside = kind
        .blocks
        .iter()
        .filter(|nested| names(nested.kind).any(|known| known == name));
    let inside: Vec<&str> = inside.map(|nested| nested.kind.name).collect();
    (!inside.is_empty()).then(|| format!("`{name}` stands inside {}", listed(&inside, "or")))
}

fn items(
    section: &mut Section,
    kind: &'static BlockKind,
    found: &mut Diagnostics,
) -> Few<usize, Vec<Item>> {
    let mut items: BTreeMap<usize, Vec<Item>> = BTreeMap::new();
    for (index, nested) in kind.blocks.iter().enumerate() {
        let blocks = section.sections(nested.kind.name).into_iter();
        let blocks = blocks.map(|section| Item::Block(block(section, nested, found)));
        items.insert(index, blocks.collect());
    }
    for section in if kind.blocks.is_empty() {
        Vec::new()
    } else {
        section.sections("dynamic")
    } {
        if let Some((index, item)) = dynamic(section, kind, found) {
            items.entry(index).or_default().push(item);
        }
    }
    for (index, items) in &items {
        amount(section, &kind.blocks[*index], items, found);
    }
    items.retain(|_, items| !items.is_empty());
    items.into_iter().collect()
}

fn block(section: Section, nested: &'static Nested, found: &mut Diagnostics) -> Body {
    let label = match nested.kind.label {
        Some(what) => section.label(what, found),
        None => {
            section.no_label(found);
            None
        }
    };
    body(section, nested.kind, label, found)
}

/// How many there are, as far as that can be told; `dynamic` ones are counted when they are known.
fn amount(section: &Section, nested: &Nested, items: &[Item], found: &mut Diagnostics) {
    if items.iter().any(|item| matches!(item, Item::Dynamic(_))) {
        return;
    }
    let headers: Vec<Span> = items.iter().map(header).collect();
    if let Some(error) = wrong_amount(section.header, &section.kind.value, nested, &headers) {
        found.push(error);
    }
    same_label(items, found);
}

pub(crate) fn wrong_amount(
    outer: Span,
    outer_kind: &str,
    nested: &Nested,
    headers: &[Span],
) -> Option<Diagnostic> {
    let kind = nested.kind.name;
    if headers.len() < nested.min {
        let error =
            Diagnostic::error("Missing block").at(outer, format!("`{outer_kind}` needs `{kind}`"));
        return Some(error.hint(format!("add {kind} {{ … }}")));
    }
    let extra = headers.get(nested.max)?;
    Some(match nested.max {
        1 if *extra == headers[0] => Diagnostic::error("Too many blocks").at(
            *extra,
            format!(
                "this makes {} blocks `{kind}`, and one may stand here",
                headers.len()
            ),
        ),
        1 => twice(kind, *extra, headers[0]),
        max => Diagnostic::error("Too many blocks").at(
            *extra,
            format!("at most {max} `{kind}` stand in `{outer_kind}`"),
        ),
    })
}

fn same_label(items: &[Item], found: &mut Diagnostics) {
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for item in items {
        let Item::Block(Body {
            label: Some(label),
            kind,
            ..
        }) = item
        else {
            continue;
        };
        match seen.get(&*label.value) {
            Some(first) => {
                found.push(twice(
                    &format!("{} \"{}\"", kind.name, label.value),
                    label.span,
                    *first,
                ));
            }
            None => drop(seen.insert(&label.value, label.span)),
        }
    }
}

fn header(item: &Item) -> Span {
    match item {
        Item::Block(body) => body.header,
        Item::Dynamic(dynamic) => dynamic.content.header,
    }
}
