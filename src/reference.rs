//! The reference documentation of the language, as a walk over its own tables: what is documented is what is
//! checked.

mod changes;
mod compose;
mod knobs;
mod suitability;
mod verification;

use std::fmt::Write;

use infra_expr::functions::FUNCTIONS;
use infra_lang::{Attribute, BlockKind, Given, Nested, Shape};

use crate::declared::SCHEMA;

pub use changes::changes;
pub use compose::{Answer, Row, SERVICE, compose};
pub use knobs::knobs;
pub(crate) use suitability::in_order;
pub use suitability::suitability;
pub use verification::verification;

const HEAD: &str = "\
# Reference of the blocks

Made from the program's own tables; a test keeps it true. The language's own blocks (`variable`, `locals`, `output`,
`module`, `infra`, `dynamic`) are in [language.md](language.md).

What stands between brackets is the default. Sizes are written with their unit (`8GiB`, `512MiB`), CPUs and nodes as
Linux lists them (`0-3,8`), times as `200us`, `1.5s`, `2m`.
";

/// All blocks that are about machines.
#[must_use]
pub fn blocks() -> String {
    let mut text = HEAD.to_owned();
    for kind in SCHEMA.kinds {
        block(&mut text, kind, &[]);
    }
    text
}

fn block(text: &mut String, kind: &BlockKind, above: &[&str]) {
    let path: Vec<&str> = above.iter().copied().chain([kind.name]).collect();
    let label = kind
        .label
        .map_or_else(String::new, |l| format!(" \"{}\"", l.to_uppercase()));
    let hashes = "#".repeat((above.len() + 2).min(4));
    let _ = write!(
        text,
        "\n{hashes} `{}{label}`\n\n{}\n",
        path.join(" › "),
        kind.doc
    );
    meta(text, kind);
    attributes(text, kind.attributes);
    computed(text, kind);
    for nested in kind.blocks {
        count(text, nested);
    }
    for nested in kind.blocks {
        block(text, nested.kind, &path);
    }
}

fn meta(text: &mut String, kind: &BlockKind) {
    if kind.meta.count_for_each {
        let _ = writeln!(
            text,
            "\nTakes `count`, `for_each`, `depends_on` and `lifecycle`."
        );
    }
}

fn attributes(text: &mut String, attributes: &[Attribute]) {
    if attributes.is_empty() {
        return;
    }
    let _ = write!(text, "\n| attribute | is | |\n|---|---|---|\n");
    for attribute in attributes {
        let given = match attribute.given {
            Given::Required => ", required".to_owned(),
            Given::Optional => String::new(),
            Given::Default(value) => format!(" [`{value}`]"),
        };
        let _ = writeln!(
            text,
            "| `{}` | {}{given} | {} |",
            attribute.name,
            shape(&attribute.shape),
            attribute.doc.replace('|', "\\|")
        );
    }
}

fn computed(text: &mut String, kind: &BlockKind) {
    if kind.computed.is_empty() {
        return;
    }
    let _ = write!(
        text,
        "\nMay be read besides:\n\n| attribute | is | |\n|---|---|---|\n"
    );
    for computed in kind.computed {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} |",
            computed.name,
            (computed.ty)(),
            computed.doc
        );
    }
}

fn count(text: &mut String, nested: &Nested) {
    let often = match (nested.min, nested.max) {
        (0, 1) => "at most once",
        (_, 1) => "once",
        (0, _) => "any number of times",
        (_, _) => "at least once",
    };
    let _ = writeln!(text, "\nBlock `{}`: {often}.", nested.kind.name);
}

/// What an attribute's value is, for a person.
fn shape(shape: &Shape) -> String {
    match shape {
        Shape::Any => "anything".to_owned(),
        Shape::Bool => "bool".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Whole { min, max: i64::MAX } => format!("whole number from {min}"),
        Shape::Whole { min, max } => format!("whole number, {min} to {max}"),
        Shape::String => "string".to_owned(),
        Shape::Text(text) => format!("{}, as `\"{}\"`", text.name, text.example),
        Shape::OneOf(words) => {
            let words: Vec<String> = words.iter().map(|w| format!("`\"{w}\"`")).collect();
            words.join(", ")
        }
        Shape::Ref(kinds) => {
            let kinds: Vec<String> = kinds.iter().map(|k| format!("`{k}.NAME`")).collect();
            kinds.join(" or ")
        }
        Shape::OneOrMore(inner) => {
            let inner = self::shape(inner);
            format!("{inner}, or a list of such")
        }
        Shape::List(inner) => format!("list of {}", self::shape(inner)),
        Shape::Set(inner) => format!("set of {}", self::shape(inner)),
        Shape::Map(inner) => format!("map of {}", self::shape(inner)),
        Shape::Of(ty) => ty().to_string(),
    }
}

/// Whether a block or attribute is there: `workload.container.limits.swap`.
#[must_use]
pub fn is_known(path: &str) -> bool {
    let mut words = path.split('.');
    let Some(mut kind) = words.next().and_then(|name| SCHEMA.kind(name)) else {
        return false;
    };
    let mut words = words.peekable();
    while let Some(word) = words.next() {
        match kind.block(word) {
            Some(nested) => kind = nested.kind,
            None => return words.peek().is_none() && kind.attribute(word).is_some(),
        }
    }
    true
}

/// All functions.
#[must_use]
pub fn functions() -> String {
    let mut text = "# Functions\n\nMade from the program's own table; a test keeps it true. By Terraform's names, with \
                    Terraform's results.\n\n| function | |\n|---|---|\n"
        .to_owned();
    for function in FUNCTIONS.iter() {
        let signature = function.signature.replace('|', "\\|");
        let _ = writeln!(
            text,
            "| `{}{signature}` | {} |",
            function.name,
            function.doc.replace('|', "\\|")
        );
    }
    text
}
