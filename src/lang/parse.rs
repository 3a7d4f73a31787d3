//! Text → tree of `hcl-edit`, going on after a syntax error so that all of them are found.

use crate::chunks::chunks;
use crate::hints::syntax_error;
use crate::limits::exceeded;
use hcl_edit::parser::parse_body;
use hcl_edit::structure::Body;
use infra_diag::{Diagnostic, Diagnostics, SourceId, Sources, Span};
use std::ops::Range;

/// So many syntax errors of a file are told. Each takes reading it once more.
const MOST_ERRORS: usize = 50;

/// A file that was read.
pub(crate) struct Parsed {
    pub(crate) body: Body,
    pub(crate) source: SourceId,
    /// Parts of it had to be left out, so what seems to be missing may be in them.
    pub(crate) partial: bool,
}

/// Whether a text parses: all that is wrong with its syntax.
#[must_use]
pub fn syntax(name: &str, text: &str, sources: &mut Sources) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    parse(name, text, sources, &mut diagnostics);
    diagnostics
}

/// Registers a text and parses it. What does not parse is reported and left out, block by block.
pub(crate) fn parse(
    name: &str,
    text: &str,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Parsed {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source = sources.add(name, text);
    if let Some(error) = exceeded(text, source) {
        diagnostics.push(error);
        return Parsed::nothing(source);
    }
    let mut text = text.to_owned();
    for found in 0..MOST_ERRORS {
        match parse_body(&text) {
            Ok(body) => {
                return Parsed {
                    body,
                    source,
                    partial: found > 0,
                };
            }
            Err(error) => {
                let (range, diagnostic) = blame(&text, &error, source);
                diagnostics.push(diagnostic);
                blank(&mut text, range);
            }
        }
    }
    Parsed::nothing(source)
}

impl Parsed {
    fn nothing(source: SourceId) -> Self {
        Self {
            body: Body::new(),
            source,
            partial: true,
        }
    }
}

/// What to leave out, and what to say about it.
fn blame(
    text: &str,
    error: &hcl_edit::parser::Error,
    source: SourceId,
) -> (Range<usize>, Diagnostic) {
    let at = error.location().offset();
    let mut chunks = chunks(text);
    let upto = chunks
        .iter()
        .rposition(|chunk| chunk.range.start <= at)
        .unwrap_or(0);
    // What is not closed is noticed only later, in a block that is right.
    if let Some((open, chunk)) = chunks[..=upto].iter().find_map(|c| Some((c.unended?, c))) {
        return (chunk.range.clone(), unended(text, open, source));
    }
    if let Some((open, chunk)) = chunks[..=upto].iter().find_map(|c| Some((c.unclosed?, c))) {
        let only_here = chunk.range.contains(&at) && !text[at..chunk.range.end].trim().is_empty();
        if !only_here {
            return (
                chunk.range.clone(),
                unclosed(text, open, chunk.range.end, source),
            );
        }
    }
    (
        whole_lines(text, chunks.swap_remove(upto).range, at),
        syntax_error(text, at, error.message(), source),
    )
}

fn unended(text: &str, open: usize, source: SourceId) -> Diagnostic {
    let end = text[open..]
        .find('\n')
        .map_or(text.len(), |newline| open + newline);
    let end = open + text[open..end].trim_end().len();
    Diagnostic::error("Unclosed string")
        .at(
            Span::new(source, open..end),
            "this string does not end with its line",
        )
        .hint("close it with \"; a text of several lines is a heredoc: <<EOT … EOT")
}

fn unclosed(text: &str, open: usize, end: usize, source: SourceId) -> Diagnostic {
    let after = text[..end].trim_end().len();
    let last = text[..after]
        .char_indices()
        .next_back()
        .map_or(0, |(at, _)| at);
    Diagnostic::error("Unclosed block")
        .at(
            Span::new(source, open..open + 1),
            "this `{` is never closed",
        )
        .at(
            Span::new(source, last..after),
            "its `}` is missing, at the latest after this",
        )
        .hint("close it with `}` on a line of its own")
}

/// Before the first block there may be other lines that are right: only the wrong one is left out.
fn whole_lines(text: &str, chunk: Range<usize>, at: usize) -> Range<usize> {
    if text[chunk.clone()].contains('{') {
        return chunk;
    }
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..]
        .find('\n')
        .map_or(text.len(), |newline| at + newline);
    match text[start..end].trim().is_empty() {
        true => chunk,
        false => start..end,
    }
}

/// Overwrites with spaces but keeps line ends, so that all places stay the same. Something is always
/// overwritten with something shorter to parse: this is why [`parse`] comes to an end.
fn blank(text: &mut String, range: Range<usize>) {
    let blanks = |b: u8| if b == b'\n' { '\n' } else { ' ' };
    let range = if text[range.clone()].trim().is_empty() {
        0..text.len()
    } else {
        range
    };
    let spaces: String = text.as_bytes()[range.clone()]
        .iter()
        .map(|b| blanks(*b))
        .collect();
    text.replace_range(range, &spaces);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> Vec<(String, usize)> {
        let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
        parse("x", text, &mut sources, &mut found);
        let line = |d: &Diagnostic| sources.line_column(d.labels[0].span).0;
        found.iter().map(|d| (d.summary.clone(), line(d))).collect()
    }

    #[test]
    fn every_block_is_looked_at() {
        let text = "a {\n  x = 'y'\n}\nb {\n  x = 1\n}\nc {\n  y = ${z}\n}\nd {\n x\n}\n";
        assert_eq!(
            errors(text).iter().map(|e| e.1).collect::<Vec<_>>(),
            [2, 8, 11]
        );
    }

    #[test]
    fn an_unclosed_block_is_blamed_itself() {
        let text = "a {\n  x = 1\nb {\n  x = 1\n}\nc {\n}\n";
        assert_eq!(errors(text), [("Unclosed block".to_owned(), 1)]);
        assert_eq!(
            errors("a {\n  b {\n  x = 1\n}\n"),
            [("Unclosed block".to_owned(), 1)]
        );
    }

    #[test]
    fn a_byte_order_mark_is_no_error() {
        assert_eq!(errors("\u{feff}a {\n}\n"), []);
    }

    #[test]
    fn any_text_comes_to_an_end() {
        for text in [
            "}",
            "{",
            "}}}\n}}",
            "\"",
            "a",
            "a {",
            "=",
            "é",
            "a = é'\n}",
            "\n\n}\n",
            "a {\n}}\n",
            "/*",
            "a = <<X\n",
        ] {
            assert!(!errors(text).is_empty() || text == "/*", "{text}");
        }
    }
}
