//! Environment files: lines of `NAME=VALUE`, as shells and container tools read them.

use super::{Fault, Outcome};
use crate::{Type, Value};

/// Nothing is put in for `$NAME`: what a file means does not depend on who reads it.
pub(super) fn envdecode(args: &[Value]) -> Outcome {
    let text = args[0].as_str().unwrap_or_default();
    let mut variables: Vec<(&str, Value)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some(read) = variable(line) else { continue };
        let wrong = |why| Fault::at(0, format!("line {}: {why}", number + 1));
        let (name, value) = read.map_err(wrong)?;
        // The last one holds, as in a shell.
        variables.retain(|(other, _)| *other != name);
        variables.push((name, value.into()));
    }
    Ok(Value::map(Type::String, variables))
}

/// Nothing of an empty line or a comment. A fault shows no value: it may be a secret.
fn variable(line: &str) -> Option<Result<(&str, String), &'static str>> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let line = line.strip_prefix("export ").unwrap_or(line);
    let Some((name, value)) = line.split_once('=') else {
        return Some(Err("there is no equals sign"));
    };
    let name = name.trim_end();
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let other = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if !name.starts_with(first) || !name.chars().all(other) {
        return Some(Err("what stands before the equals sign is no name"));
    }
    Some(unquoted(value.trim()).map(|value| (name, value)))
}

fn unquoted(value: &str) -> Result<String, &'static str> {
    let not_closed = "a quote is not closed, or something follows it";
    if let Some(rest) = value.strip_prefix('\'') {
        let (inner, after) = rest.split_once('\'').ok_or(not_closed)?;
        return ends(after).then(|| inner.to_owned()).ok_or(not_closed);
    }
    let Some(rest) = value.strip_prefix('"') else {
        // A comment begins after a space.
        let end = value.find(" #").unwrap_or(value.len());
        return Ok(value[..end].trim_end().to_owned());
    };
    let mut text = String::new();
    let mut rest = rest.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' if ends(rest.as_str()) => return Ok(text),
            '"' => return Err(not_closed),
            '\\' => match rest.next().ok_or(not_closed)? {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                c @ ('"' | '\\' | '$') => text.push(c),
                other => text.extend(['\\', other]),
            },
            c => text.push(c),
        }
    }
    Err(not_closed)
}

/// Whether nothing but a comment follows.
fn ends(after: &str) -> bool {
    let after = after.trim_start();
    after.is_empty() || after.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Result<String, String> {
        match envdecode(&[text.into()]) {
            Ok(value) => crate::json::to_text(&value).map_err(|_| String::new()),
            Err(fault) => Err(fault.message),
        }
    }

    #[test]
    fn as_a_shell_would() {
        let text = "# first\nA=1\n\nexport B = two words # more\nC='a # \"b\"' # c\nD=\"x\\n\\\"y\\q\"\nE=\nA=2\nF=a#b\r\n";
        let expected =
            r##"{"A":"2","B":"two words","C":"a # \"b\"","D":"x\n\"y\\q","E":"","F":"a#b"}"##;
        assert_eq!(decoded(text).as_deref(), Ok(expected));
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line_alone() {
        for (text, why) in [
            ("A=1\nhunter2", "line 2: there is no equals sign"),
            ("1=2", "line 1: what stands before"),
            ("A B=2", "line 1: what stands before"),
            ("A='x", "line 1: a quote is not closed"),
            ("A=\"x\" y", "line 1: a quote is not closed"),
            ("A=\"x\\", "line 1: a quote is not closed"),
        ] {
            let told = decoded(text).unwrap_err();
            assert!(told.starts_with(why), "{text}: {told}");
        }
    }
}
