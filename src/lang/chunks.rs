//! Cutting a text that does not parse into its top-level blocks, so that one wrong block does not hide
//! the errors of the others. Goes by lines and brackets only: it must work where the parser does not.

use std::ops::Range;

/// A part of a text, from the header of a top-level block to before the next one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) range: Range<usize>,
    /// The innermost `{` in it that is never closed.
    pub(crate) unclosed: Option<usize>,
}

/// The chunks of a text, in order and without gaps; the first is what comes before any block.
pub(crate) fn chunks(text: &str) -> Vec<Chunk> {
    let mut starts: Vec<usize> = headers(text).collect();
    if starts.first() != Some(&0) {
        starts.insert(0, 0);
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let ranges = starts.iter().zip(ends).map(|(start, end)| *start..end);
    ranges
        .map(|range| Chunk {
            unclosed: unclosed(text, range.clone()),
            range,
        })
        .collect()
}

/// Where lines start that open a block and are not indented, outside of heredocs.
fn headers(text: &str) -> impl Iterator<Item = usize> {
    let mut heredoc: Option<&str> = None;
    let mut at = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        let start = at;
        at += line.len();
        match heredoc {
            Some(end) => {
                heredoc = heredoc.filter(|_| line.trim() != end);
                None
            }
            None => {
                heredoc = heredoc_start(line).filter(|end| ends_below(&text[at..], end));
                is_header(line).then_some(start)
            }
        }
    })
}

/// `name "label" {`, with or without what follows.
fn is_header(line: &str) -> bool {
    let Some((head, _)) = line.split_once('{') else {
        return false;
    };
    let starts = head.starts_with(|c: char| c.is_alphabetic() || c == '_');
    starts && !head.contains(['=', '(', '[', '#', '/', '$', ':'])
}

fn heredoc_start(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("<<")?;
    let word = after.strip_prefix('-').unwrap_or(after).trim();
    let is_word = word
        .chars()
        .all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    (is_word && !word.is_empty() && !before.contains('#')).then_some(word)
}

fn ends_below(rest: &str, end: &str) -> bool {
    rest.lines().any(|line| line.trim() == end)
}

/// What the scanner is inside of.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Brace(usize),
    Text,
    Interpolation,
}

/// The innermost brace that is left open at the end of a range.
fn unclosed(text: &str, range: Range<usize>) -> Option<usize> {
    let mut stack: Vec<Inside> = Vec::new();
    let bytes = text.as_bytes();
    let mut at = range.start;
    while at < range.end {
        at += step(&bytes[..range.end], at, &mut stack);
    }
    stack.iter().rev().find_map(|inside| match inside {
        Inside::Brace(at) => Some(*at),
        Inside::Text | Inside::Interpolation => None,
    })
}

/// Takes in what stands at a place and says how long that was.
fn step(bytes: &[u8], at: usize, stack: &mut Vec<Inside>) -> usize {
    let next = bytes.get(at + 1).copied();
    let line = || {
        bytes[at..]
            .iter()
            .position(|b| *b == b'\n')
            .unwrap_or(bytes.len() - at)
    };
    let in_text = stack.last() == Some(&Inside::Text);
    match bytes[at] {
        b'"' if in_text => drop(stack.pop()),
        b'\\' if in_text => return 2,
        b'$' | b'%' if in_text && next == Some(b'{') => {
            stack.push(Inside::Interpolation);
            return 2;
        }
        // A quoted text ends with its line at the latest, closed or not.
        b'\n' => stack.retain(|inside| matches!(inside, Inside::Brace(_))),
        _ if in_text => {}
        b'"' => stack.push(Inside::Text),
        b'#' => return line().max(1),
        b'/' if next == Some(b'/') => return line(),
        b'/' if next == Some(b'*') => return comment(&bytes[at..]),
        b'{' => stack.push(Inside::Brace(at)),
        b'}' => drop(stack.pop()),
        _ => {}
    }
    1
}

fn comment(bytes: &[u8]) -> usize {
    bytes
        .windows(2)
        .position(|pair| pair == b"*/")
        .map_or(bytes.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(&str, Option<usize>)> {
        chunks(text)
            .iter()
            .map(|c| (&text[c.range.clone()], c.unclosed))
            .collect()
    }

    #[test]
    fn blocks_are_found() {
        let text = "# x {\na {\n  x = \"{\"\n}\n\nb \"c\" {\n  d {\n}\ne {}\n";
        let parts = cut(text);
        assert_eq!(parts.iter().map(|p| p.0).collect::<String>(), text);
        assert_eq!(
            parts.iter().map(|p| p.1.is_some()).collect::<Vec<_>>(),
            [false, false, true, false]
        );
    }

    #[test]
    fn a_heredoc_is_not_looked_into() {
        let text = "a {\n  x = <<-EOT\nserver {\nEOT\n}\nb {}\n";
        assert_eq!(chunks(text).len(), 2);
        assert_eq!(chunks("a {\n x = <<EOT\nserver {\n").len(), 2);
    }

    #[test]
    fn texts_and_comments_hide_braces() {
        assert_eq!(
            cut("a {\n x = \"${f({})} \\\" {\" # {\n // {\n /* { */\n}\n")[0].1,
            None
        );
        assert_eq!(cut("a {\n x = \"abc\n}\n")[0].1, None);
        assert_eq!(cut("a {\n x = {\n}\n")[0].1, Some(2));
    }
}
