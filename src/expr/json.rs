//! Values ↔ JSON, as `jsonencode` and `jsondecode` do it.

use crate::{Kind, Number, Value};
use serde_json::Value as Json;
use std::fmt::Write as _;

/// Why something unknown cannot be written.
const UNKNOWN: &str = "it is not known yet";

/// The value as JSON. Marks are gone: who calls this answers for what is sensitive. Numbers that JSON
/// readers commonly cannot hold are rounded to double precision; [`to_text`] keeps them.
///
/// # Errors
/// When something in it is unknown.
pub fn encode(value: &Value) -> Result<Json, String> {
    Ok(match value.kind() {
        Kind::Null(_) => Json::Null,
        Kind::Unknown(_) => return Err(UNKNOWN.into()),
        Kind::Bool(b) => Json::Bool(*b),
        Kind::Number(n) => n
            .as_i64()
            .map_or_else(|| Json::from(n.to_f64()), Json::from),
        Kind::String(s) => Json::String(s.to_string()),
        Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
            Json::Array(items.iter().map(encode).collect::<Result<_, _>>()?)
        }
        Kind::Map(_, members) | Kind::Object(members) => {
            let member = |(k, v): (&std::sync::Arc<str>, &Value)| Ok((k.to_string(), encode(v)?));
            Json::Object(members.iter().map(member).collect::<Result<_, String>>()?)
        }
    })
}

/// The value that JSON stands for: arrays are tuples, objects are objects.
#[must_use]
pub fn decode(json: &Json) -> Value {
    match json {
        Json::Null => Value::null(),
        Json::Bool(b) => Value::bool(*b),
        Json::Number(n) => Number::parse(&n.to_string()).map_or_else(Value::null, Value::number),
        Json::String(s) => Value::string(s.as_str()),
        Json::Array(items) => Value::tuple(items.iter().map(decode)),
        Json::Object(members) => {
            Value::object(members.iter().map(|(k, v)| (k.as_str(), decode(v))))
        }
    }
}

/// The value as JSON text without spaces, numbers with all their digits.
///
/// # Errors
/// When something in it is unknown.
pub fn to_text(value: &Value) -> Result<String, String> {
    let mut out = String::new();
    write(&mut out, value)?;
    Ok(out)
}

fn write(out: &mut String, value: &Value) -> Result<(), String> {
    match value.kind() {
        Kind::Null(_) => out.push_str("null"),
        Kind::Unknown(_) => return Err(UNKNOWN.into()),
        Kind::Bool(b) => {
            let _ = write!(out, "{b}");
        }
        Kind::Number(n) => {
            let _ = write!(out, "{n}");
        }
        Kind::String(s) => write_string(out, s),
        Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                write(out, item)?;
            }
            out.push(']');
        }
        Kind::Map(_, members) | Kind::Object(members) => {
            out.push('{');
            for (i, (name, member)) in members.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                write_string(out, name);
                out.push(':');
                write(out, member)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

/// What could end a script element is escaped, as Terraform does, so that digests of the text agree.
fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The value that JSON text stands for. Numbers of more than 17 digits are rounded to double precision.
///
/// # Errors
/// When the text is not JSON; where and why.
pub fn from_text(text: &str) -> Result<Value, String> {
    let json: Json = serde_json::from_str(text).map_err(|e| format!("this is not JSON: {e}"))?;
    Ok(decode(&json))
}
