//! Cutting a text that does not parse into its top-level blocks, so that one wrong block does not hide
//! the errors of the others. Goes by lines and brackets only: it must work where the parser does not.

use std::ops::Range;

use hcl_primitives::ident::is_id_continue;

/// A part of a text, from the header of a top-level block to before the next one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) range: Range<usize>,
    /// The innermost `{` in it that is never closed.
    pub(crate) unclosed: Option<usize>,
    /// The first `"` in it whose string does not end with the line.
    pub(crate) unended: Option<usize>,
}

/// The chunks of a text, in order and without gaps; the first is what comes before any block.
pub(crate) fn chunks(text: &str) -> Vec<Chunk> {
    let mut starts: Vec<usize> = headers(text).collect();
    if starts.first() != Some(&0) {
        starts.insert(0, 0);
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| chunk(text, *start..end))
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
    let is_word = word.chars().all(is_id_continue);
    (is_word && !word.is_empty() && !before.contains('#')).then_some(word)
}

fn ends_below(rest: &str, end: &str) -> bool {
    rest.lines().any(|line| line.trim() == end)
}

/// What the scanner is inside of, and where that began.
#[derive(Clone, Copy)]
enum Inside {
    Brace(usize),
    Text(usize),
    Interpolation,
}

#[derive(Default)]
struct Scanner {
    stack: Vec<Inside>,
    unended: Option<usize>,
}

fn chunk(text: &str, range: Range<usize>) -> Chunk {
    let mut scanner = Scanner::default();
    let mut at = range.start;
    while at < range.end {
        at += scanner.step(&text.as_bytes()[..range.end], at);
    }
    let unclosed = scanner.stack.iter().rev().find_map(|inside| match inside {
        Inside::Brace(at) => Some(*at),
        Inside::Text(_) | Inside::Interpolation => None,
    });
    Chunk {
        range,
        unclosed,
        unended: scanner.unended,
    }
}

impl Scanner {
    /// Takes in what stands at a place and says how many bytes that was.
    fn step(&mut self, text: &[u8], at: usize) -> usize {
        let rest = &text[at..];
        match self.stack.last() {
            Some(Inside::Text(open)) => self.step_in_text(rest, *open),
            _ => self.step_outside(rest, at),
        }
    }

    fn step_in_text(&mut self, rest: &[u8], open: usize) -> usize {
        match rest {
            [b'\\', ..] => return 2,
            [b'$' | b'%', b'{', ..] => {
                self.stack.push(Inside::Interpolation);
                return 2;
            }
            [b'"', ..] => drop(self.stack.pop()),
            [b'\n', ..] => {
                self.unended.get_or_insert(open);
                self.stack
                    .retain(|inside| matches!(inside, Inside::Brace(_)));
            }
            _ => {}
        }
        // The parts of a character are no sign that means anything.
        1
    }

    fn step_outside(&mut self, bytes: &[u8], at: usize) -> usize {
        let line = || {
            bytes
                .iter()
                .position(|b| *b == b'\n')
                .unwrap_or(bytes.len())
        };
        match bytes {
            [b'"', ..] => self.stack.push(Inside::Text(at)),
            [b'#', ..] | [b'/', b'/', ..] => return line(),
            [b'/', b'*', ..] => return comment(bytes),
            [b'<', b'<', ..] => return heredoc(bytes).unwrap_or(2),
            [b'{', ..] => self.stack.push(Inside::Brace(at)),
            [b'}', ..] => drop(self.stack.pop()),
            _ => {}
        }
        1
    }
}

/// The length of a heredoc, to the end of its last line.
fn heredoc(rest: &[u8]) -> Option<usize> {
    let rest = std::str::from_utf8(rest).ok()?;
    let first = rest.split_inclusive('\n').next()?;
    let end = heredoc_start(first)?;
    let mut length = first.len();
    for line in rest[length..].split_inclusive('\n') {
        length += line.len();
        if line.trim() == end {
            return Some(length);
        }
    }
    None
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
    fn a_string_ends_with_its_line() {
        let unended = |text: &str| chunks(text)[0].unended;
        assert_eq!(unended("a {\n x = \"abc\n}\n"), Some(9));
        assert_eq!(unended("a {\n x = \"a${\n f(\"b\")}c\"\n}\n"), None);
        assert_eq!(unended("a {\n x = <<EOT\n it\"s { \nEOT\n}\n"), None);
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
