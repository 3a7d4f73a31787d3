//! A block of the language as text. What is at its default is never written.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};

use infra_api::units::{Bytes, Duration};

/// One block, being filled.
#[derive(Debug, Default)]
pub struct Block {
    header: String,
    /// Comments at its top: what could not be said.
    notes: Vec<String>,
    attributes: Vec<(&'static str, String)>,
    blocks: Vec<Block>,
}

impl Block {
    #[must_use]
    pub fn new(kind: &str) -> Self {
        Self {
            header: kind.to_owned(),
            ..Self::default()
        }
    }

    #[must_use]
    pub fn labelled(kind: &str, label: &str) -> Self {
        Self::new(&format!("{kind} {}", quoted(label)))
    }

    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// An expression as it is: a number, a reference.
    pub fn raw(&mut self, name: &'static str, expression: impl Display) {
        self.attributes.push((name, expression.to_string()));
    }

    pub fn text(&mut self, name: &'static str, text: &str) {
        self.raw(name, quoted(text));
    }

    pub fn maybe(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    pub fn flag(&mut self, name: &'static str, is: bool) {
        if is {
            self.raw(name, true);
        }
    }

    pub fn number<T: Display>(&mut self, name: &'static str, number: Option<T>) {
        if let Some(number) = number {
            self.raw(name, number);
        }
    }

    pub fn size(&mut self, name: &'static str, bytes: Option<u64>) {
        self.maybe(name, bytes.map(|n| compact(Bytes(n))).as_deref());
    }

    pub fn duration(&mut self, name: &'static str, nanoseconds: Option<u64>) {
        self.maybe(name, nanoseconds.map(|n| compact(Duration(n))).as_deref());
    }

    pub fn list(&mut self, name: &'static str, items: &[String]) {
        if !items.is_empty() {
            self.raw(name, list(items));
        }
    }

    pub fn map(&mut self, name: &'static str, map: &BTreeMap<String, String>) {
        if map.is_empty() {
            return;
        }
        let mut text = "{\n".to_owned();
        for (key, value) in map {
            let key = if is_identifier(key) {
                key.clone()
            } else {
                quoted(key)
            };
            let _infallible = writeln!(text, "{key} = {}", quoted(value));
        }
        text.push('}');
        self.raw(name, text);
    }

    /// Also where it says nothing: that it is there is what it says.
    pub fn required(&mut self, block: Self) {
        self.blocks.push(block);
    }

    /// Where it says anything.
    pub fn block(&mut self, block: Self) {
        if !block.attributes.is_empty() || !block.blocks.is_empty() {
            self.blocks.push(block);
        }
    }
}

impl Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {{", self.header)?;
        for note in &self.notes {
            writeln!(f, "# {}", note.replace('\n', " "))?;
        }
        for (name, value) in &self.attributes {
            writeln!(f, "{name} = {value}")?;
        }
        for block in &self.blocks {
            if !self.attributes.is_empty() {
                writeln!(f)?;
            }
            write!(f, "{block}")?;
        }
        writeln!(f, "}}")
    }
}

fn compact(quantity: impl Display) -> String {
    quantity.to_string().replace(' ', "")
}

pub(super) fn list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    format!("[{}]", items.join(", "))
}

/// A string that evaluates to this text.
pub(super) fn quoted(text: &str) -> String {
    let mut out = "\"".to_owned();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if rest.peek() == Some(&'{') => out.extend([c, c]),
            c if c.is_control() => {
                let _infallible = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether it may be a name in the language.
pub(super) fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}
