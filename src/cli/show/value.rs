//! Attributes of bodies in a person's words: their names, their values with units, secrets as such.

use infra_api::SECRET;
use infra_api::units::{Bytes, Duration};
use serde_json::{Map, Value};

use super::names::clean;

/// Where the configuration says it differently, and it is short enough to say so.
const WORDS: &[(&str, &str)] = &[
    ("emulator_pin", "emulator on CPU"),
    ("memory_bytes", "memory"),
    ("memory_nodes", "memory.nodes"),
    ("page_size_bytes", "memory.page_size"),
];

/// An attribute's name: `memory`, `env.GREETING`, `disks[0].size`, `networks["demo.lan"].address`.
pub(super) fn path(path: &[String]) -> String {
    match path {
        [] => String::new(),
        [pins, vcpu] if pins == "vcpu_pins" => format!("vcpu {vcpu} on CPU"),
        [first, rest @ ..] => rest
            .iter()
            .fold(word(first), |name, key| name + &further(key)),
    }
}

fn word(key: &str) -> String {
    let known = WORDS.iter().find(|(body, _)| *body == key);
    known.map_or_else(|| name(key), |(_, word)| (*word).to_owned())
}

/// Without the unit that its value is shown with.
fn name(key: &str) -> String {
    let bare = key
        .strip_suffix("_bytes")
        .or_else(|| key.strip_suffix("_ns"));
    clean(bare.unwrap_or(key))
}

fn further(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if key.parse::<usize>().is_ok() {
        format!("[{key}]")
    } else if key.chars().all(plain) {
        format!(".{}", name(key))
    } else {
        format!("[{}]", quoted(key))
    }
}

/// A value on one line; `key` is the last word of its path and says the unit.
pub(super) fn value(key: &str, value: &Value) -> String {
    match value {
        Value::Null => "(none)".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(n) => number(key, n),
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|v| self::value(key, v)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) if map.contains_key(SECRET) => "(sensitive)".to_owned(),
        Value::Object(map) => format!("{{{}}}", entries(map).join(", ")),
    }
}

fn entries(map: &Map<String, Value>) -> Vec<String> {
    map.iter()
        .map(|(key, v)| format!("{} = {}", name(key), value(key, v)))
        .collect()
}

fn number(key: &str, n: &serde_json::Number) -> String {
    match n.as_u64() {
        Some(n) if key.ends_with("_bytes") => Bytes(n).to_string(),
        Some(n) if key.ends_with("_ns") => Duration(n).to_string(),
        _ => n.to_string(),
    }
}

/// A text in quotes, on one line.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out += "\\n",
            '\t' => out += "\\t",
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out + "\""
}

/// A value over several lines: a text's own, one for each element of a list or map, else one.
pub(super) fn lines(key: &str, value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if text.contains('\n') => text.split('\n').map(clean).collect(),
        Value::Array(items) => items.iter().map(|v| self::value(key, v)).collect(),
        Value::Object(map) if !map.contains_key(SECRET) => entries(map),
        other => vec![self::value(key, other)],
    }
}

pub(super) fn is_secret(value: &Value) -> bool {
    value.get(SECRET).is_some()
}

pub(super) fn is_long_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains('\n'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names() {
        let name = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
            path(&words)
        };
        assert_eq!(name(&["memory_bytes"]), "memory");
        assert_eq!(name(&["vcpu_pins", "0"]), "vcpu 0 on CPU");
        assert_eq!(name(&["disks", "0", "capacity_bytes"]), "disks[0].capacity");
        assert_eq!(
            name(&["networks", "demo.lan", "address"]),
            "networks[\"demo.lan\"].address"
        );
        assert_eq!(name(&["env", "A_B"]), "env.A_B");
    }

    #[test]
    fn values() {
        assert_eq!(value("memory_bytes", &json!(64 << 20)), "64 MiB");
        assert_eq!(value("interval_ns", &json!(5_000_000_000_u64)), "5 s");
        assert_eq!(value("x", &json!(["a\n", 1])), r#"["a\n", 1]"#);
        assert_eq!(
            value(
                "mount",
                &json!({"size_bytes": 1024, "token": {"$secret": "hmac"}})
            ),
            "{size = 1 KiB, token = (sensitive)}"
        );
    }
}
