//! How large a text may be, how deep and how long an expression: beyond this, reading would need memory or stack
//! without end, and nobody has written it by hand.

use hcl_primitives::ident::is_id_continue;
use infra_diag::{Diagnostic, SourceId, Span};

/// Bytes of one file.
pub(crate) const LARGEST: usize = 8 << 20;

/// Blocks, brackets and templates inside one another.
pub(crate) const DEEPEST: usize = 64;

/// Operators in one expression, with those around it.
pub(crate) const LONGEST: usize = 128;

/// What is too much in a text, at its place.
pub(crate) fn exceeded(text: &str, source: SourceId) -> Option<Diagnostic> {
    if text.len() > LARGEST {
        let note = format!(
            "it has {} bytes, and a file has at most {LARGEST} (8 MiB)",
            text.len()
        );
        return Some(
            Diagnostic::error("File too large")
                .at(Span::new(source, 0..0), note)
                .hint("part it: all files of a folder are one configuration"),
        );
    }
    let mut scan = Scan::default();
    let mut at = 0;
    loop {
        // What does not end may be said to go on beyond the end.
        at += scan.idle(text.as_bytes().get(at..).unwrap_or_default());
        if at >= text.len() {
            return None;
        }
        let length = scan.step(text, at);
        let span = || Span::new(source, at..at + length);
        if scan.depth() > DEEPEST {
            return Some(
                Diagnostic::error("Nested too deep")
                    .at(span(), format!("this is inside {DEEPEST} others already"))
                    .hint("give a part of it a name with `locals`, or make it a module"),
            );
        }
        if scan.operators() > LONGEST {
            return Some(
                Diagnostic::error("Expression too long")
                    .at(
                        span(),
                        format!("there are {LONGEST} operators before this one"),
                    )
                    .hint("give parts of it names with `locals`, or use a function on a list"),
            );
        }
        at += length;
    }
}

/// Bytes that may mean something to [`Scan::outside`].
const MEANS: [bool; 256] = {
    let all = b"#/<\"{([}]),\n!-+*%?>=&|";
    let mut means = [false; 256];
    let mut at = 0;
    while at < all.len() {
        means[all[at] as usize] = true;
        at += 1;
    }
    means
};

/// What the text is inside of.
enum Inside<'t> {
    /// Of an expression or block, with the operators in it so far.
    Bracket {
        operators: usize,
        newline_ends: bool,
    },
    /// A template, with the directives that are open in it.
    Quote {
        directives: usize,
    },
    Heredoc {
        end: &'t str,
        directives: usize,
    },
}

#[derive(Default)]
struct Scan<'t> {
    inside: Vec<Inside<'t>>,
    /// Of the outermost expression.
    operators: usize,
}

impl<'t> Scan<'t> {
    fn depth(&self) -> usize {
        let each = |inside: &Inside<'_>| match inside {
            Inside::Bracket { .. } => 1,
            Inside::Quote { directives } | Inside::Heredoc { directives, .. } => *directives,
        };
        self.inside.iter().map(each).sum()
    }

    fn operators(&self) -> usize {
        let each = |inside: &Inside<'_>| match inside {
            Inside::Bracket { operators, .. } => *operators,
            Inside::Quote { .. } | Inside::Heredoc { .. } => 0,
        };
        self.operators + self.inside.iter().map(each).sum::<usize>()
    }

    /// How many bytes from here on mean nothing where they stand.
    fn idle(&self, rest: &[u8]) -> usize {
        let means = |b: &u8| match self.inside.last() {
            Some(Inside::Quote { .. }) => matches!(b, b'\\' | b'"' | b'\n' | b'$' | b'%'),
            // Each of its lines may be its end.
            Some(Inside::Heredoc { .. }) => true,
            Some(Inside::Bracket { .. }) | None => MEANS[usize::from(*b)],
        };
        rest.iter().position(means).unwrap_or(rest.len())
    }

    /// Takes in what stands at a place and says how many bytes that was.
    fn step(&mut self, text: &'t str, at: usize) -> usize {
        let rest = &text.as_bytes()[at..];
        match self.inside.last_mut() {
            Some(Inside::Quote { directives }) => match rest {
                [b'\\', next, ..] if next.is_ascii() => 2,
                [b'"' | b'\n', ..] => {
                    self.inside.pop();
                    1
                }
                _ => template(rest, directives).map_or(1, |length| self.interpolated(length)),
            },
            Some(Inside::Heredoc { end, directives }) => {
                // Only where a line begins: in the middle of one there may be the middle of a character.
                if text.as_bytes()[at - 1] == b'\n' {
                    let line = text[at..].split('\n').next().unwrap_or_default();
                    if line.trim() == *end {
                        self.inside.pop();
                        return line.len().max(1);
                    }
                }
                template(rest, directives).map_or(1, |length| self.interpolated(length))
            }
            _ => self.outside(text, at),
        }
    }

    fn interpolated(&mut self, length: usize) -> usize {
        self.open(false);
        length
    }

    fn open(&mut self, newline_ends: bool) {
        self.inside.push(Inside::Bracket {
            operators: 0,
            newline_ends,
        });
    }

    fn outside(&mut self, text: &'t str, at: usize) -> usize {
        let rest = &text.as_bytes()[at..];
        match rest {
            [b'#', ..] | [b'/', b'/', ..] => return upto(rest, b"\n"),
            [b'/', b'*', ..] => return upto(rest, b"*/") + 2,
            [b'<', b'<', ..] => {
                if let Some((end, length)) = heredoc(&text[at..]) {
                    self.inside.push(Inside::Heredoc { end, directives: 0 });
                    return length;
                }
            }
            _ => {}
        }
        match rest[0] {
            b'"' => self.inside.push(Inside::Quote { directives: 0 }),
            b'{' => self.open(true),
            b'(' | b'[' => self.open(false),
            b'}' | b')' | b']' => drop(self.inside.pop()),
            b',' => self.ended(false),
            b'\n' => self.ended(true),
            b'!' | b'-' | b'+' | b'*' | b'/' | b'%' | b'?' | b'<' | b'>' | b'=' | b'&' | b'|' => {
                match self.inside.last_mut() {
                    Some(Inside::Bracket { operators, .. }) => *operators += 1,
                    _ => self.operators += 1,
                }
            }
            _ => {}
        }
        1
    }

    /// An expression ends; at the end of a line only where it need not go on.
    fn ended(&mut self, by_newline: bool) {
        match self.inside.last_mut() {
            Some(Inside::Bracket {
                operators,
                newline_ends,
            }) if *newline_ends || !by_newline => *operators = 0,
            None => self.operators = 0,
            Some(_) => {}
        }
    }
}

/// The length of what begins a template's interpolation or directive here.
fn template(rest: &[u8], directives: &mut usize) -> Option<usize> {
    match rest {
        [b'$', b'{', ..] => Some(2),
        [b'%', b'{', inner @ ..] => {
            let word = inner.strip_prefix(b"~").unwrap_or(inner).trim_ascii_start();
            if word.starts_with(b"if") || word.starts_with(b"for") {
                *directives += 1;
            } else if word.starts_with(b"end") {
                *directives = directives.saturating_sub(1);
            }
            Some(2)
        }
        _ => None,
    }
}

/// The word that ends a heredoc which begins here, and the length of its first line.
fn heredoc(text: &str) -> Option<(&str, usize)> {
    let line = text.split_inclusive('\n').next()?;
    let word = line.strip_prefix("<<")?;
    let word = word.strip_prefix('-').unwrap_or(word).trim();
    (!word.is_empty() && word.chars().all(is_id_continue)).then_some((word, line.len()))
}

fn upto(rest: &[u8], end: &[u8]) -> usize {
    let found = rest.windows(end.len()).position(|piece| piece == end);
    found.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<String> {
        exceeded(text, SourceId(0)).map(|d| d.summary)
    }

    #[test]
    fn sixty_four_levels_are_read_and_one_more_is_not() {
        let forms: [(&str, &str, &str); 6] = [
            ("a {\n", "", "}\n"),
            ("[", "", "]"),
            ("f(", "1", ")"),
            ("{ a = ", "1", "}"),
            ("\"${", "1", "}\""),
            ("%{ if true }", "", "%{ endif }"),
        ];
        for (open, middle, close) in forms {
            let nested = |n: usize| {
                let text = format!("{}{middle}{}", open.repeat(n), close.repeat(n));
                match open.starts_with('%') {
                    // The brackets of a directive count while it is read.
                    true => format!("<<E\n{text}\nE\n"),
                    false => text,
                }
            };
            let most = DEEPEST - usize::from(open.starts_with('%'));
            assert_eq!(said(&nested(most)), None, "{open}");
            let more = said(&nested(most + 1));
            assert_eq!(more.as_deref(), Some("Nested too deep"), "{open}");
        }
    }

    #[test]
    fn what_is_closed_does_not_count() {
        let heredoc = "x = <<E\né {{{ ä\n\nE\n";
        assert_eq!(said(&heredoc.repeat(100)), None);
        let text = "x = [f({ a = \"${b}\" })] # (((\n/* [[[ */ y = \"((( \\\" [[[\"\nz = <<-E\n {{{ ${\"}\"}\n E\n";
        assert_eq!(said(&text.repeat(100)), None);
    }

    #[test]
    fn a_long_expression_is_refused_and_many_short_ones_are_not() {
        let chain = |n: usize| format!("x = {}true", "!".repeat(n));
        assert_eq!(said(&chain(LONGEST - 1)), None);
        for text in [chain(LONGEST), format!("x = 1{}", " + 1".repeat(LONGEST))] {
            assert_eq!(said(&text).as_deref(), Some("Expression too long"));
        }
        assert_eq!(said(&format!("x = [{}]", "-1, ".repeat(1000))), None);
        assert_eq!(said(&"x = 1 + 1\n".repeat(1000)), None);
        assert_eq!(
            said(&format!("a {{\n{}}}", "x = a ? b : c\n".repeat(1000))),
            None
        );
    }

    #[test]
    fn eight_mebibytes_are_read_and_one_byte_more_is_not() {
        let text = "#".repeat(LARGEST);
        assert_eq!(said(&text), None);
        assert_eq!(said(&(text + "#")).as_deref(), Some("File too large"));
    }
}
