//! The canonical form, and that nothing but blanks changes on the way to it.

use super::format;
use hcl_edit::parser::parse_body;
use hcl_edit::structure::Body;
use proptest::prelude::*;
use std::ops::Add;

/// What `terraform fmt` (1.11) makes of the same text, but for `in (a)`, `if (b)` and `"x"[0]`.
const BEFORE: &str = include_str!("tests/before.hcl");
const AFTER: &str = include_str!("tests/after.hcl");

#[test]
fn as_people_expect_it() {
    assert_eq!(format(BEFORE), AFTER);
}

#[test]
fn what_cannot_be_seen_stays() {
    assert_eq!(format(""), "");
    assert_eq!(format("\n\n"), "\n\n");
    assert_eq!(format("a=1"), "a = 1\n");
    assert_eq!(
        format("\u{feff}a=1\r\nbb=2\r\n"),
        "\u{feff}a  = 1\r\nbb = 2\r\n"
    );
    assert_eq!(format("a = \"  x  $${ y }\"\n"), "a = \"  x  $${ y }\"\n");
    assert_eq!(format("a = <<X\n  \\${ y }\nX\n"), "a = <<X\n  \\${y}\nX\n");
}

/// A tree without places and blanks: parts of `hcl-edit`'s count those when they are compared (object keys, splats,
/// directives).
fn tree(body: &Body) -> String {
    let debug = format!("{body:?}");
    let mut out = String::new();
    let mut rest = debug.as_str();
    while !rest.is_empty() {
        let length = hidden(rest);
        if length == 0 {
            let first = rest.chars().next().map_or(0, char::len_utf8);
            out.push_str(&rest[..first]);
            rest = &rest[first..];
        } else {
            rest = &rest[length..];
        }
    }
    out
}

/// How much of it says nothing: `Decor { … }`, `RawString(…)`, `12..13`.
fn hidden(text: &str) -> usize {
    for (begin, open, close) in [("Decor {", '{', '}'), ("RawString(", '(', ')')] {
        if text.starts_with(begin) {
            let mut depth = 0;
            for (at, c) in text.char_indices() {
                depth += i32::from(c == open) - i32::from(c == close);
                if depth == 0 && c == close {
                    return at + 1;
                }
            }
        }
    }
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
    let first = digits(text);
    match text[first..].strip_prefix("..") {
        Some(after) if first > 0 && digits(after) > 0 => first + 2 + digits(after),
        _ => 0,
    }
}

/// The parsed trees are equal, whatever stands between their words.
fn same(text: &str) {
    // Whether a file ends with a line is in the tree too.
    let text = &text.trim_end_matches('\n').to_owned().add("\n");
    let formatted = format(text);
    let (before, after) = (parse_body(text), parse_body(&formatted));
    match (before, after) {
        (Ok(before), Ok(after)) => {
            let same = before == after || tree(&before) == tree(&after);
            assert!(same, "{text}\n---\n{formatted}");
        }
        (Err(_), _) => return,
        (Ok(_), Err(error)) => panic!("{error}\n{text}\n---\n{formatted}"),
    }
    assert_eq!(format(&formatted), formatted, "twice is once");
    assert_eq!(text.lines().count(), formatted.lines().count());
}

#[test]
fn a_name_is_what_the_parser_takes_for_one() {
    // A mark that combines with the letter before it goes on with the name.
    same("\u{23a}=s\u{1cf05}RH\n");
    assert_eq!(format("a=s\u{1cf05}b\n"), "a = s\u{1cf05}b\n");
}

#[test]
fn trees_are_told_apart() {
    assert_eq!(
        parse_body("a=1").unwrap(),
        parse_body("a  =  1 # x\n").unwrap()
    );
    assert_ne!(parse_body("a=1").unwrap(), parse_body("a=2").unwrap());
    let tree = |text: &str| tree(&parse_body(text).unwrap());
    assert_eq!(tree("a={b=x.*.y}\n"), tree("a  =  { b = x.*.y } # x\n"));
    for (one, other) in [
        ("a=b-c", "a=b - c"),
        ("a=[1]", "a=[2]"),
        ("a=\"b\"", "a=\" b\""),
        ("a=x[*]", "a=x.*"),
    ] {
        assert_ne!(tree(one), tree(other));
    }
}

#[test]
fn whole_configurations_mean_the_same() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let mut seen = 0;
    let mut folders = vec![
        std::path::PathBuf::from(root).join("tests"),
        std::path::PathBuf::from(root).join("examples"),
    ];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "hcl")
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                same(&text);
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "{seen} files");
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-z][a-z0-9_-]{0,4}",
        "[0-9]{1,3}(\\.[0-9]{1,2})?",
        Just("\"x ${ y } $${z} \\\" %{ if a }b%{ endif }\"".to_owned()),
        Just("null".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (
                inner.clone(),
                "(\\+|-|\\*|/|%|==|!=|<|>|<=|>=|&&|\\|\\|)",
                inner.clone()
            )
                .prop_map(|(a, op, b)| format!("{a} {op}{b}")),
            inner.clone().prop_map(|a| format!("( {a})")),
            inner.clone().prop_map(|a| format!("-{a}")),
            inner.clone().prop_map(|a| format!("!  {a}")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("{a} ?{b}: {c}")),
            prop::collection::vec(inner.clone(), 0..3)
                .prop_map(|v| format!("[{}]", v.join(" ,\n "))),
            prop::collection::vec(inner.clone(), 0..3).prop_map(|v| format!("f( {})", v.join(","))),
            prop::collection::vec(("[a-z]{1,5}", inner.clone()), 0..3).prop_map(|v| {
                let members: Vec<String> = v.iter().map(|(k, e)| format!("{k}={e}")).collect();
                format!("{{\n{}\n}}", members.join("\n"))
            }),
            inner
                .clone()
                .prop_map(|a| format!("[for k ,v in {a}: k if ({a})]")),
            inner
                .clone()
                .prop_map(|a| format!("{{for k in [{a}]:k=>{a} ...}}")),
            inner
                .clone()
                .prop_map(|a| format!("x [ {a} ] . y[*] .z.*.w")),
            inner.prop_map(|a| format!("<<-EOT\n  a ${{ {} }}\n   EOT\n", a.replace('\n', " "))),
        ]
    })
}

fn body() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        4 => ("[a-z]{1,6}", expression(), "( *#[a-z ]{0,5}| *//x| */\\* y \\*/)?").prop_map(|(k, e, c)| {
            let c = if e.trim_end().ends_with("EOT") { "" } else { c.trim_end_matches('\r') };
            format!("{k}={}{c}", e.trim_end())
        }),
        1 => Just(String::new()),
        1 => Just("   # alone".to_owned()),
        1 => Just("/* over\n   lines */".to_owned()),
    ];
    let lines = prop::collection::vec(line, 0..5).prop_map(|lines| lines.join("\n"));
    lines.prop_recursive(2, 8, 2, |inner| {
        (inner.clone(), "[a-z]{1,4}", inner)
            .prop_map(|(a, kind, b)| format!("{a}\n  {kind}   \"l\"{{\n{b}\n}}\n"))
    })
}

proptest! {
    #[test]
    fn nothing_changes_its_meaning_and_twice_is_once(text in body()) {
        same(&text);
    }

    #[test]
    fn any_text_is_taken(text in "\\PC{0,60}") {
        let _formatted = format(&text);
        same(&text);
    }
}
