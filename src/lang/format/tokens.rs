//! Text → tokens, as far as the layout needs to know them. Every byte but blanks is in a token.

use std::borrow::Cow;

use hcl_primitives::ident::{is_id_continue, is_id_start};

use super::spacing::apart;

/// What a token is to the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, a number, a quoted text.
    Word,
    /// Between two operands, or before one.
    Operator,
    Assign,
    Comma,
    /// `.` and `...`.
    Dot,
    Open,
    Close,
    Comment,
    /// A heredoc, to its last line.
    Heredoc,
    Newline,
}

#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// As it is written in the end: quoted texts have their interpolations formatted.
    pub(super) text: Cow<'a, str>,
    pub(super) text_of_source: &'a str,
}

pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        let Some(first) = rest.chars().next() else {
            return tokens;
        };
        let after_dot = tokens.last().is_some_and(|t| t.text == ".");
        let (kind, length) = one(rest, first, after_dot);
        let (own, after) = rest.split_at(length.clamp(first.len_utf8(), rest.len()));
        let written = match kind {
            Kind::Word if first == '"' => template(own),
            Kind::Heredoc => template(own),
            Kind::Comment if first != '/' || !own.starts_with("/*") => own.trim_end().into(),
            _ => own.into(),
        };
        tokens.push(Token {
            kind,
            text: written,
            text_of_source: own,
        });
        rest = after;
    }
}

/// Of operators the longest first.
const SIGNS: [(&str, Kind); 24] = [
    ("...", Kind::Dot),
    ("==", Kind::Operator),
    ("!=", Kind::Operator),
    (">=", Kind::Operator),
    ("<=", Kind::Operator),
    ("=>", Kind::Operator),
    ("&&", Kind::Operator),
    ("||", Kind::Operator),
    ("=", Kind::Assign),
    (",", Kind::Comma),
    (".", Kind::Dot),
    ("{", Kind::Open),
    ("[", Kind::Open),
    ("(", Kind::Open),
    ("}", Kind::Close),
    ("]", Kind::Close),
    (")", Kind::Close),
    (">", Kind::Operator),
    ("<", Kind::Operator),
    ("+", Kind::Operator),
    ("-", Kind::Operator),
    ("!", Kind::Operator),
    ("?", Kind::Operator),
    (":", Kind::Operator),
];

/// Kind and length of the token at the beginning of a text.
fn one(text: &str, first: char, after_dot: bool) -> (Kind, usize) {
    let while_ = |good: &dyn Fn(char) -> bool| text.find(|c| !good(c)).unwrap_or(text.len());
    match first {
        '\n' => (Kind::Newline, 1),
        '\r' if text.starts_with("\r\n") => (Kind::Newline, 2),
        '#' => (Kind::Comment, line(text)),
        '/' if text.starts_with("//") => (Kind::Comment, line(text)),
        '/' if text.starts_with("/*") => (
            Kind::Comment,
            text.find("*/").map_or(text.len(), |at| at + 2),
        ),
        '"' => (Kind::Word, quoted(text)),
        '<' if text.starts_with("<<") => (Kind::Heredoc, heredoc(text)),
        '0'..='9' if after_dot => (Kind::Word, while_(&|c| c.is_ascii_digit())),
        '0'..='9' => (Kind::Word, number(text)),
        c if is_id_start(c) => (Kind::Word, while_(&is_id_continue)),
        _ => {
            let sign = SIGNS.iter().find(|(sign, _)| text.starts_with(sign));
            // `*`, `/`, `%`, and whatever else the parser took.
            sign.map_or((Kind::Operator, first.len_utf8()), |(sign, kind)| {
                (*kind, sign.len())
            })
        }
    }
}

/// To the end of the line, without it.
fn line(text: &str) -> usize {
    let end = text.find('\n').unwrap_or(text.len());
    if text[..end].ends_with('\r') {
        end - 1
    } else {
        end
    }
}

fn number(text: &str) -> usize {
    let digits = |from: usize| {
        let rest = &text[from..];
        from + rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len())
    };
    let mut end = digits(0);
    if text[end..].starts_with('.') && digits(end + 1) > end + 1 {
        end = digits(end + 1);
    }
    if let Some(exponent) = text[end..].strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        let from = end + 1 + sign;
        if digits(from) > from {
            end = digits(from);
        }
    }
    end
}

/// Of a quoted text, with the quotes.
fn quoted(text: &str) -> usize {
    let mut at = 1;
    while let Some(c) = text[at..].chars().next() {
        match c {
            '"' => return at + 1,
            '\\' => at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8),
            '$' | '%' => at += sequence(&text[at..]).map_or(1, |(_, length)| length),
            c => at += c.len_utf8(),
        }
    }
    text.len()
}

/// At a `${` or `%{`: whether it is one that is evaluated, and its length.
fn sequence(text: &str) -> Option<(bool, usize)> {
    if text.starts_with("$${") || text.starts_with("%%{") {
        return Some((false, 3));
    }
    if !text.starts_with("${") && !text.starts_with("%{") {
        return None;
    }
    let (mut at, mut depth) = (2, 1);
    while let Some(c) = text[at..].chars().next() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            '"' => at += quoted(&text[at..]) - 1,
            _ => {}
        }
        at += c.len_utf8();
        if depth == 0 {
            return Some((true, at));
        }
    }
    Some((true, text.len()))
}

/// From `<<WORD` to the line that holds the word alone, without the end of that line.
fn heredoc(text: &str) -> usize {
    let begin = line(text);
    let word = text[..begin]
        .trim_start_matches('<')
        .trim_start_matches('-')
        .trim();
    let mut at = begin;
    for body in text[begin..].split_inclusive('\n') {
        let end = at + body.len();
        if at > begin && body.trim() == word {
            return at + line(body);
        }
        at = end;
    }
    text.len()
}

/// A text with what is evaluated in it in its canonical form.
fn template(text: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let length = match sequence(&text[at..]).filter(|_| matches!(c, '$' | '%')) {
            Some((true, length)) => {
                out.push_str(&evaluated(&text[at..at + length]));
                length
            }
            Some((false, length)) => {
                out.push_str(&text[at..at + length]);
                length
            }
            // An escaped character is no beginning of anything. Heredocs have no escapes, and none of what follows a
            // backslash there begins a sequence by itself either: both halves are copied.
            None => {
                out.push(c);
                c.len_utf8()
            }
        };
        at += length;
    }
    out.into()
}

/// `${ a }` as `${a}`; as it is where it goes over lines or is not whole.
fn evaluated(text: &str) -> Cow<'_, str> {
    let strip = if text.as_bytes().get(2) == Some(&b'~') {
        3
    } else {
        2
    };
    let inner = text.get(strip..).and_then(|t| t.strip_suffix('}'));
    let Some(inner) = inner.filter(|inner| !inner.contains('\n')) else {
        return text.into();
    };
    let (inner, end) = match inner.strip_suffix('~') {
        Some(inner) => (inner, "~}"),
        None => (inner, "}"),
    };
    let tokens = tokens(inner);
    if tokens
        .iter()
        .any(|t| matches!(t.kind, Kind::Comment | Kind::Heredoc))
    {
        return text.into();
    }
    let mut out = text[..strip].to_owned();
    for (at, token) in tokens.iter().enumerate() {
        if apart(&tokens[..at], token) {
            out.push(' ');
        }
        out.push_str(&token.text);
    }
    out.push_str(end);
    out.into()
}
