//! Where a declared thing stands: `module.m["eu"].workload.feed[0]`, typed, parsed, shown and ordered.
//! Not a reference in an expression: an address always names exactly one instance.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Which instance of a block that has `count` or `for_each`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    Index(u64),
    Text(Arc<str>),
}

/// One `module.NAME[KEY]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub name: Arc<str>,
    pub key: Option<Key>,
}

/// The way from the root module to a module; the root's own is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModulePath(pub Vec<Step>);

/// One declared instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub module: ModulePath,
    pub kind: Arc<str>,
    pub name: Arc<str>,
    pub key: Option<Key>,
}

impl ModulePath {
    /// The path one module further in.
    #[must_use]
    pub fn join(&self, name: &Arc<str>, key: Option<Key>) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step {
            name: name.clone(),
            key,
        });
        Self(steps)
    }

    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl Address {
    #[must_use]
    pub fn new(module: ModulePath, kind: &str, name: &str, key: Option<Key>) -> Self {
        Self {
            module,
            kind: kind.into(),
            name: name.into(),
            key,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Text(text) => write!(f, "[{}]", quoted(text)),
        }
    }
}

/// A text as HCL writes it, so that an address can be pasted into a configuration.
#[must_use]
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if rest.peek() == Some(&'{') => out.extend([c, c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "module.{}", self.name)?;
        self.key.iter().try_for_each(|key| key.fmt(f))
    }
}

/// Empty for the root.
impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            step.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.module.0 {
            write!(f, "{step}.")?;
        }
        write!(f, "{}.{}", self.kind, self.name)?;
        self.key.iter().try_for_each(|key| key.fmt(f))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Index(a), Self::Index(b)) => a.cmp(b),
            (Self::Index(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Index(_)) => Ordering::Greater,
            (Self::Text(a), Self::Text(b)) => natural(a, b),
        }
    }
}

impl Ord for Step {
    fn cmp(&self, other: &Self) -> Ordering {
        natural(&self.name, &other.name).then_with(|| self.key.cmp(&other.key))
    }
}

/// Module by module, then by kind, name and key, so that what belongs together stands together.
impl Ord for Address {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.module.cmp(&other.module))
            .then_with(|| self.kind.cmp(&other.kind))
            .then_with(|| natural(&self.name, &other.name))
            .then_with(|| self.key.cmp(&other.key))
    }
}

macro_rules! partial_ord_by_ord {
    ($($t:ty),*) => {$(
        impl PartialOrd for $t {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
    )*};
}
partial_ord_by_ord!(Key, Step, Address);

/// As a person sorts names: runs of digits by their number, so `feed2` comes before `feed10`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut x, mut y) = (a.as_bytes(), b.as_bytes());
    loop {
        let order = match (x.first(), y.first()) {
            (Some(c), Some(d)) if c.is_ascii_digit() && d.is_ascii_digit() => {
                take_number(&mut x).cmp(&take_number(&mut y))
            }
            (Some(c), Some(d)) => {
                (x, y) = (&x[1..], &y[1..]);
                c.cmp(d)
            }
            // The same but for leading zeros: any fixed order will do.
            (None, None) => return a.cmp(b),
            (c, d) => c.cmp(&d),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Length and digits order numbers of any size without reading them.
fn take_number<'a>(text: &mut &'a [u8]) -> (usize, &'a [u8]) {
    let end = text
        .iter()
        .position(|c| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let zeros = text[..end].iter().position(|c| *c != b'0').unwrap_or(end);
    let digits = &text[zeros..end];
    *text = &text[end..];
    (digits.len(), digits)
}

/// What is wrong with a text that should be an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnAddress(pub String);

impl fmt::Display for NotAnAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotAnAddress {}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let mut rest = text;
        let mut module = ModulePath::default();
        loop {
            let kind = take_name(&mut rest)?;
            take(&mut rest, '.')?;
            let name = take_name(&mut rest)?;
            let key = take_key(&mut rest)?;
            if kind == "module" {
                take(&mut rest, '.')?;
                module.0.push(Step {
                    name: name.into(),
                    key,
                });
            } else if rest.is_empty() {
                return Ok(Self::new(module, kind, name, key));
            } else {
                return Err(NotAnAddress(format!("`{rest}` is left over at its end")));
            }
        }
    }
}

fn take(rest: &mut &str, wanted: char) -> Result<(), NotAnAddress> {
    *rest = (rest.strip_prefix(wanted)).ok_or_else(|| expected(&format!("`{wanted}`"), rest))?;
    Ok(())
}

fn expected(what: &str, rest: &str) -> NotAnAddress {
    NotAnAddress(match rest {
        "" => format!("{what} is missing at its end"),
        rest => format!("{what} is expected where `{rest}` stands"),
    })
}

fn take_name<'a>(rest: &mut &'a str) -> Result<&'a str, NotAnAddress> {
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let name = &rest[..end];
    if !is_name(name) {
        return Err(expected("a name", rest));
    }
    *rest = &rest[end..];
    Ok(name)
}

/// Whether HCL takes the text for an identifier.
#[must_use]
pub(crate) fn is_name(text: &str) -> bool {
    match text.as_bytes() {
        // As most are; the parser would make a copy to tell.
        [first, rest @ ..] if text.is_ascii() => {
            let goes_on = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
            (first.is_ascii_alphabetic() || *first == b'_') && rest.iter().all(goes_on)
        }
        _ => hcl_edit::Ident::try_new(text).is_ok(),
    }
}

fn take_key(rest: &mut &str) -> Result<Option<Key>, NotAnAddress> {
    let Some(inner) = rest.strip_prefix('[') else {
        return Ok(None);
    };
    *rest = inner;
    let key = match inner.strip_prefix('"') {
        Some(text) => {
            *rest = text;
            Key::Text(take_text(rest)?.into())
        }
        None => Key::Index(take_index(rest)?),
    };
    take(rest, ']')?;
    Ok(Some(key))
}

fn take_index(rest: &mut &str) -> Result<u64, NotAnAddress> {
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let index = rest[..end].parse();
    let index = index.map_err(|_| expected("a whole number or a quoted key", rest))?;
    *rest = &rest[end..];
    Ok(index)
}

/// The inverse of [`quoted`], from after the opening quote to after the closing one.
fn take_text(rest: &mut &str) -> Result<String, NotAnAddress> {
    let mut text = String::new();
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                *rest = &rest[at + 1..];
                return Ok(text);
            }
            '\\' => text.push(unescape(&mut chars.by_ref().map(|(_, c)| c))?),
            // `$${` stands for `${`, which a key's text may hold.
            '$' | '%' if rest[at + 1..].starts_with(&format!("{c}{{")) => {
                chars.next();
                text.push(c);
            }
            c => text.push(c),
        }
    }
    Err(NotAnAddress("its quoted key does not end".to_owned()))
}

fn unescape(rest: &mut dyn Iterator<Item = char>) -> Result<char, NotAnAddress> {
    let wrong = |what: &str| NotAnAddress(format!("`\\{what}` is no escape"));
    match rest.next() {
        Some('n') => Ok('\n'),
        Some('r') => Ok('\r'),
        Some('t') => Ok('\t'),
        Some(c @ ('"' | '\\')) => Ok(c),
        Some('u') => {
            let digits: String = rest.take(4).collect();
            let code = u32::from_str_radix(&digits, 16)
                .ok()
                .and_then(char::from_u32);
            code.ok_or_else(|| wrong(&format!("u{digits}")))
        }
        other => Err(wrong(&other.map(String::from).unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_the_parser_takes_for_one() {
        let letters = (0..=0x7f).map(char::from).chain(['ä', '→', 'ⅷ', '·']);
        for c in letters {
            for text in [c.to_string(), format!("a{c}"), format!("ä{c}")] {
                let parsed = hcl_edit::Ident::try_new(text.as_str()).is_ok();
                assert_eq!(is_name(&text), parsed, "{text:?}");
            }
        }
        assert!(!is_name(""));
    }

    fn parse(text: &str) -> Address {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn what_is_shown_is_what_was_read() {
        for text in [
            "workload.feed",
            "workload.feed[0]",
            "workload.feed[\"a\"]",
            "workload.feed[\"\"]",
            "workload.feed[\"a.b[0]\"]",
            r#"workload.feed["q\"b\\s\nl\tt"]"#,
            r#"workload.feed["$${x} %%{y} $z $$"]"#,
            r#"workload.feed["\u0007"]"#,
            "workload.feed[\"ü\"]",
            "workload.größe-1",
            "module.m.workload.feed",
            "module.m[\"x\"].module.n[3].workload.feed[\"k\"]",
        ] {
            assert_eq!(parse(text).to_string(), text);
        }
    }

    #[test]
    fn any_text_can_be_a_key() {
        for key in [
            "",
            "\"",
            "\\",
            "$",
            "${",
            "$${",
            "%{%{",
            "$$${",
            "]",
            "\u{0}",
            "a\r\n\tb",
            "\u{1f600}",
        ] {
            let address = Address::new(
                ModulePath::default(),
                "workload",
                "a",
                Some(Key::Text(key.into())),
            );
            assert_eq!(parse(&address.to_string()), address, "{key:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_said() {
        for (text, why) in [
            ("", "a name is missing at its end"),
            ("workload", "`.` is missing at its end"),
            ("workload.", "a name is missing at its end"),
            ("workload.feed.x", "`.x` is left over at its end"),
            ("workload.0", "a name is expected where `0` stands"),
            (
                "workload.feed[",
                "a whole number or a quoted key is missing at its end",
            ),
            (
                "workload.feed[-1]",
                "a whole number or a quoted key is expected where `-1]` stands",
            ),
            (
                "workload.feed[99999999999999999999]",
                "a whole number or a quoted key is expected where `99999999999999999999]` stands",
            ),
            ("workload.feed[\"a]", "its quoted key does not end"),
            ("workload.feed[\"a\"", "`]` is missing at its end"),
            ("workload.feed[\"\\q\"]", "`\\q` is no escape"),
            ("workload.feed[\"\\ud800\"]", "`\\ud800` is no escape"),
            ("workload.feed[0][1]", "`[1]` is left over at its end"),
            ("module.m", "`.` is missing at its end"),
            ("module.m.feed", "`.` is missing at its end"),
            (
                "work load.feed",
                "a name is expected where `work load.feed` stands",
            ),
        ] {
            assert_eq!(
                text.parse::<Address>().map_err(|e| e.0),
                Err(why.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn order_is_natural() {
        let sorted = [
            "network.lan",
            "workload.feed",
            "workload.feed[0]",
            "workload.feed[2]",
            "workload.feed[10]",
            "workload.feed[\"a2\"]",
            "workload.feed[\"a10\"]",
            "workload.feed2",
            "workload.feed10",
            "module.a.workload.z",
            "module.a[1].workload.a",
            "module.a[1].module.b.workload.a",
            "module.a[02].workload.a",
            "module.a[10].workload.a",
            "module.b.network.a",
        ];
        let addresses: Vec<_> = sorted.iter().map(|t| parse(t)).collect();
        for (i, a) in addresses.iter().enumerate() {
            for (j, b) in addresses.iter().enumerate() {
                assert_eq!(a.cmp(b), i.cmp(&j), "{a} and {b}");
            }
        }
    }

    #[test]
    fn order_agrees_with_equality() {
        let texts = [
            "", "0", "00", "01", "1", "1a", "01a", "a", "a0", "a00", "a1", "a01", "a1b2", "b",
        ];
        for a in texts {
            for b in texts {
                assert_eq!(natural(a, b).is_eq(), a == b, "{a:?} {b:?}");
                assert_eq!(natural(a, b), natural(b, a).reverse(), "{a:?} {b:?}");
                for c in texts.iter().filter(|_| natural(a, b).is_lt()) {
                    assert!(
                        natural(b, c).is_gt() || natural(a, c).is_lt() || natural(b, c).is_eq(),
                        "{a} {b} {c}"
                    );
                }
            }
        }
    }
}
