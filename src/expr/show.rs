//! Values and types as a person reads them, as Terraform's console prints them. What is marked sensitive is
//! never shown.

use crate::{Kind, Map, Type, Value};
use std::fmt::Write as _;

/// What stands for a value that must not be shown.
pub const SENSITIVE: &str = "(sensitive value)";

/// What stands for a value that is not known yet.
pub const UNKNOWN: &str = "(known after allocation)";

/// The value over as many lines as it takes.
#[must_use]
pub fn show(value: &Value) -> String {
    let mut out = String::new();
    Printer {
        out: &mut out,
        lines: true,
    }
    .value(value, 0);
    out
}

/// The value on one line.
#[must_use]
pub fn line(value: &Value) -> String {
    let mut out = String::new();
    Printer {
        out: &mut out,
        lines: false,
    }
    .value(value, 0);
    out
}

struct Printer<'a> {
    out: &'a mut String,
    lines: bool,
}

impl Printer<'_> {
    fn value(&mut self, value: &Value, depth: usize) {
        if value.is_sensitive() && !value.is_unknown() {
            return self.out.push_str(SENSITIVE);
        }
        match value.kind() {
            Kind::Unknown(_) => self.out.push_str(UNKNOWN),
            Kind::Null(ty) => self.out.push_str(&null(ty)),
            Kind::Bool(b) => {
                let _ = write!(self.out, "{b}");
            }
            Kind::Number(n) => {
                let _ = write!(self.out, "{n}");
            }
            Kind::String(s) => self.string(s, depth),
            Kind::Tuple(items) => self.items("", items, "", depth),
            Kind::List(_, items) => self.items("tolist(", items, ")", depth),
            Kind::Set(_, items) => self.items("toset(", items, ")", depth),
            Kind::Object(members) => self.members("", members, "", depth),
            Kind::Map(_, members) => self.members("tomap(", members, ")", depth),
        }
    }

    fn items(&mut self, open: &str, items: &[Value], close: &str, depth: usize) {
        self.out.push_str(open);
        self.out.push('[');
        for (i, item) in items.iter().enumerate() {
            self.next(i, depth + 1, "");
            self.value(item, depth + 1);
            if self.lines {
                self.out.push(',');
            }
        }
        self.end(items.is_empty(), depth, "");
        self.out.push(']');
        self.out.push_str(close);
    }

    fn members(&mut self, open: &str, members: &Map, close: &str, depth: usize) {
        self.out.push_str(open);
        self.out.push('{');
        for (i, (name, member)) in members.iter().enumerate() {
            self.next(i, depth + 1, " ");
            let _ = write!(self.out, "{} = ", quote(name));
            self.value(member, depth + 1);
        }
        self.end(members.is_empty(), depth, " ");
        self.out.push('}');
        self.out.push_str(close);
    }

    /// Goes to where the next element starts.
    fn next(&mut self, index: usize, depth: usize, pad: &str) {
        match (self.lines, index) {
            (true, _) => {
                let _ = write!(self.out, "\n{:1$}", "", depth * 2);
            }
            (false, 0) => self.out.push_str(pad),
            (false, _) => self.out.push_str(", "),
        }
    }

    fn end(&mut self, empty: bool, depth: usize, pad: &str) {
        match (self.lines, empty) {
            (_, true) => {}
            (true, false) => {
                let _ = write!(self.out, "\n{:1$}", "", depth * 2);
            }
            (false, false) => self.out.push_str(pad),
        }
    }

    fn string(&mut self, text: &str, depth: usize) {
        if !self.lines || !text.contains('\n') {
            return self.out.push_str(&quote(text));
        }
        let indent = " ".repeat(depth * 2);
        self.out
            .push_str(if depth == 0 { "<<EOT" } else { "<<-EOT" });
        for line in text.split('\n') {
            let _ = write!(self.out, "\n{indent}{line}");
        }
        let _ = write!(self.out, "\n{indent}EOT");
    }
}

fn null(ty: &Type) -> String {
    match ty {
        Type::Any => "null".into(),
        Type::Tuple(_) | Type::Object(_) => format!("null /* {} */", ty.family()),
        Type::Bool | Type::Number | Type::String => format!("to{ty}(null)"),
        Type::List(element) | Type::Set(element) | Type::Map(element) => {
            format!(
                "to{}(null) /* of {} */",
                ty.family(),
                element.family().replace("any", "dynamic")
            )
        }
    }
}

/// The string as it is written in HCL.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => out.extend([c, c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A type as the `type` function describes it.
#[must_use]
pub fn describe(ty: &Type) -> String {
    let mut out = String::new();
    describe_into(&mut out, ty, 0);
    out
}

fn describe_into(out: &mut String, ty: &Type, depth: usize) {
    let indent = |out: &mut String, depth: usize| {
        let _ = write!(out, "\n{:1$}", "", depth * 4);
    };
    match ty {
        Type::Any => out.push_str("dynamic"),
        Type::Bool | Type::Number | Type::String => out.push_str(ty.family()),
        Type::List(element) | Type::Set(element) | Type::Map(element) => {
            let _ = write!(out, "{}(", ty.family());
            let over_lines = matches!(**element, Type::Tuple(_) | Type::Object(_));
            if over_lines {
                indent(out, depth + 1);
                describe_into(out, element, depth + 1);
                out.push(',');
                indent(out, depth);
            } else {
                describe_into(out, element, depth);
            }
            out.push(')');
        }
        Type::Tuple(items) => {
            out.push_str("tuple([");
            for item in items.iter() {
                indent(out, depth + 1);
                describe_into(out, item, depth + 1);
                out.push(',');
            }
            if !items.is_empty() {
                indent(out, depth);
            }
            out.push_str("])");
        }
        Type::Object(attributes) => {
            out.push_str("object({");
            for (name, attribute) in attributes.iter() {
                indent(out, depth + 1);
                let _ = write!(out, "{name}: ");
                describe_into(out, &attribute.ty, depth + 1);
                out.push(',');
            }
            if !attributes.is_empty() {
                indent(out, depth);
            }
            out.push_str("})");
        }
    }
}
