//! What a person most likely meant where a text does not parse. The parser says which token it expected;
//! this goes by what stands there instead.

use crate::limits::exceeded;
use hcl_edit::expr::Expression;
use hcl_edit::parser::{parse_body, parse_expr};
use infra_diag::{Diagnostic, SourceId, Span};

/// What was found: a summary, what to say at the place, and what to do.
struct Finding {
    label: String,
    hint: Option<String>,
}

fn finding(label: impl Into<String>, hint: impl Into<String>) -> Finding {
    Finding {
        label: label.into(),
        hint: Some(hint.into()),
    }
}

/// Parses an expression that is a whole text.
pub(crate) fn expression(text: &str, source: SourceId) -> Result<Expression, Diagnostic> {
    if let Some(error) = exceeded(text, source) {
        return Err(error);
    }
    parse_expr(text).map_err(|error| {
        // Of an expression alone the parser only says that it is none; of an attribute it says where.
        const NAME: &str = "x=";
        match parse_body(&format!("{NAME}{text}\n")) {
            Err(better) => {
                let at = better.location().offset().saturating_sub(NAME.len());
                syntax_error(text, at, better.message(), source)
            }
            Ok(_) => syntax_error(text, error.location().offset(), error.message(), source),
        }
    })
}

/// The diagnostic for a syntax error: what the parser says of a place, or better what we make of it.
pub(crate) fn syntax_error(text: &str, at: usize, message: &str, source: SourceId) -> Diagnostic {
    let place = Place::new(text, at, message);
    let found = RULES.iter().find_map(|rule| rule(&place));
    let found = found.unwrap_or_else(|| Finding {
        label: place.expected.clone(),
        hint: None,
    });
    let span = Span::new(source, place.at..place.at + place.token().len());
    let diagnostic = Diagnostic::error("Invalid syntax").at(span, found.label);
    found.hint.into_iter().fold(diagnostic, Diagnostic::hint)
}

/// Where the parser stopped.
struct Place<'a> {
    at: usize,
    /// The line up to there.
    before: &'a str,
    /// The line from there.
    after: &'a str,
    /// The parser's own words.
    expected: String,
}

impl<'a> Place<'a> {
    fn new(text: &'a str, at: usize, message: &str) -> Self {
        let at = text.floor_char_boundary(at.min(text.len()));
        let at = step_back(text, at);
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[at..]
            .find('\n')
            .map_or(text.len(), |newline| at + newline);
        let (before, after) = (&text[start..at], text[at..end].trim_end());
        Self {
            at,
            before,
            after,
            expected: message.to_owned(),
        }
    }

    /// The offending word or character.
    fn token(&self) -> &'a str {
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let end = self.after.find(|c| !word(c)).unwrap_or(self.after.len());
        let first = self.after.chars().next().map_or(0, char::len_utf8);
        &self.after[..end.max(first)]
    }

    /// The name of the attribute whose value is being written.
    fn attribute(&self) -> Option<&'a str> {
        let (name, _) = self.before.rsplit_once('=')?;
        name.split_whitespace()
            .next_back()
            .filter(|name| crate::address::is_name(name))
    }

    /// The innermost thing the line has opened and not closed.
    fn inside(&self) -> Option<char> {
        let mut open = Vec::new();
        for c in self.before.chars() {
            match c {
                '{' | '[' | '(' => open.push(c),
                '}' | ']' | ')' => drop(open.pop()),
                _ => {}
            }
        }
        open.pop()
    }
}

/// An error at the end of a line is about what stands before it; at a line's start it is about the line
/// above when an expression is cut off there.
fn step_back(text: &str, at: usize) -> usize {
    let line_is_over = text[at..].chars().next().is_none_or(char::is_whitespace);
    match line_is_over && at > 0 {
        true => text[..at]
            .char_indices()
            .next_back()
            .map_or(0, |(i, c)| match c {
                '\n' => at,
                _ if c.is_whitespace() => i + c.len_utf8(),
                _ => at,
            }),
        false => at,
    }
}

type Rule = fn(&Place<'_>) -> Option<Finding>;

/// The first that knows an answer is heard.
const RULES: [Rule; 16] = [
    single_quotes,
    bare_interpolation,
    comma_between_attributes,
    set_twice,
    several_on_a_line,
    colon,
    missing_value,
    missing_equals,
    unquoted_with_unit,
    brace_on_next_line,
    word_operator,
    stray_brace,
    missing_comma,
    unclosed_bracket,
    unended_heredoc,
    cut_off,
];

fn single_quotes(place: &Place<'_>) -> Option<Finding> {
    let rest = place.after.strip_prefix(['\'', '`'])?;
    let text = rest.split(['\'', '`']).next().unwrap_or(rest);
    Some(finding(
        "a string stands in double quotes",
        format!("write \"{text}\""),
    ))
}

fn bare_interpolation(place: &Place<'_>) -> Option<Finding> {
    let inner = place.after.strip_prefix("${")?.split('}').next()?;
    Some(finding(
        "`${ … }` only stands inside a string",
        format!("write {}", inner.trim()),
    ))
}

fn comma_between_attributes(place: &Place<'_>) -> Option<Finding> {
    let sign = place
        .after
        .chars()
        .next()
        .filter(|c| [',', ';'].contains(c))?;
    Some(finding(
        format!("no `{sign}` stands between attributes"),
        "end the line here: each attribute has a line of its own",
    ))
}

fn set_twice(place: &Place<'_>) -> Option<Finding> {
    let twice = place.expected.contains("redefined attribute");
    let label = || format!("`{}` is set a second time", place.token());
    twice.then(|| finding(label(), "keep one of the two"))
}

/// `a { x = 1  y = 2 }`, `a { b { } }` and `x = 1 y = 2`.
fn several_on_a_line(place: &Place<'_>) -> Option<Finding> {
    let word = place
        .token()
        .starts_with(|c: char| c.is_alphabetic() || c == '_');
    let nested = place.after.starts_with('{') && place.inside() == Some('{');
    let spaced = place.before.ends_with(char::is_whitespace) && !place.before.trim().is_empty();
    let assigns = place
        .after
        .trim_start_matches(place.token())
        .trim_start()
        .starts_with('=');
    if !(nested || (word && spaced && assigns)) {
        return None;
    }
    Some(match place.inside() {
        Some('{') => finding(
            "a block on one line holds at most one attribute",
            "give each attribute and each block a line of its own",
        ),
        _ => finding(
            "the line must end before this",
            "each attribute has a line of its own",
        ),
    })
}

fn colon(place: &Place<'_>) -> Option<Finding> {
    let rest = place.after.strip_prefix(':')?;
    let name = place.before.trim();
    let hint = format!("write {name} = {}", rest.trim());
    Some(finding("an attribute is set with `=`", hint))
}

fn missing_value(place: &Place<'_>) -> Option<Finding> {
    let missing = place.after.is_empty() && place.before.trim_end().ends_with('=');
    let name = place.before.trim().trim_end_matches('=').trim();
    let label = || format!("`{name}` has no value");
    missing.then(|| finding(label(), format!("write {name} = … on one line")))
}

fn missing_equals(place: &Place<'_>) -> Option<Finding> {
    let structure = place.expected.starts_with("invalid structure");
    let name = place.before.trim();
    if !structure || !crate::address::is_name(name) {
        return None;
    }
    Some(match place.after {
        "" => finding(
            format!("`{name}` stands alone"),
            format!("write {name} = … for an attribute, {name} {{ … }} for a block"),
        ),
        value => finding(
            format!("`=` or `{{` is missing after `{name}`"),
            format!("write {name} = {value}"),
        ),
    })
}

/// `size = 8GiB`.
fn unquoted_with_unit(place: &Place<'_>) -> Option<Finding> {
    let name = place.attribute()?;
    let digits = place
        .before
        .rsplit(|c: char| !c.is_alphanumeric() && c != '.')
        .next()?;
    let is_unit = place
        .token()
        .starts_with(|c: char| c.is_alphabetic() || c == '-');
    (digits.starts_with(|c: char| c.is_ascii_digit()) && is_unit).then(|| {
        let hint = format!("write {name} = \"{digits}{}\"", place.token());
        finding("a number with a unit stands in double quotes", hint)
    })
}

fn brace_on_next_line(place: &Place<'_>) -> Option<Finding> {
    let header = place.expected == "expected `{`" && place.after.is_empty();
    header.then(|| finding("the block's `{` is missing", "put `{` on the same line"))
}

fn word_operator(place: &Place<'_>) -> Option<Finding> {
    let operator = match place.token().to_lowercase().as_str() {
        "and" => "&&",
        "or" => "||",
        _ => return None,
    };
    let label = format!("`{}` is no operator", place.token());
    Some(finding(label, format!("write {operator}")))
}

fn stray_brace(place: &Place<'_>) -> Option<Finding> {
    let stray = place.after.starts_with('}') && place.expected == "unexpected token";
    stray.then(|| {
        finding(
            "this `}` closes nothing",
            "remove it, or look for a `{` too few above",
        )
    })
}

/// `[1 2]`, `f(a b)`
fn missing_comma(place: &Place<'_>) -> Option<Finding> {
    let closing = ["expected `]`", "expected `)`"]
        .iter()
        .any(|c| place.expected.starts_with(c));
    let value = place
        .after
        .starts_with(|c: char| c.is_alphanumeric() || "\"[{(_-!".contains(c));
    (closing && value)
        .then(|| finding("a comma is missing before this", "separate values with `,`"))
}

fn unclosed_bracket(place: &Place<'_>) -> Option<Finding> {
    let bracket = [')', ']']
        .into_iter()
        .find(|b| place.expected.starts_with(&format!("expected `{b}`")))?;
    Some(finding(
        format!("a `{bracket}` is missing before this"),
        format!("close what was opened with `{bracket}`"),
    ))
}

fn unended_heredoc(place: &Place<'_>) -> Option<Finding> {
    let heredoc = place.expected.contains("heredoc end");
    heredoc.then(|| {
        finding(
            "the heredoc that starts above does not end",
            "end it with its word on a line of its own",
        )
    })
}

/// `x = 1 +`
fn cut_off(place: &Place<'_>) -> Option<Finding> {
    let cut = place.after.is_empty() && place.expected.starts_with("invalid expression");
    cut.then(|| {
        finding(
            "a value is missing here",
            "write the expression to its end on one line, or in ( … )",
        )
    })
}
