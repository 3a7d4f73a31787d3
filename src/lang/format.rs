//! The canonical form of a text: two blanks for each level, one between words, `=` and comments of neighbouring lines
//! under one another. Only white space changes, and no line is added, joined or taken away, so the meaning cannot
//! change. What the tokens are says `tokens`; which of them stand apart says `spacing`.

mod spacing;
mod tokens;

use spacing::apart;
use tokens::{Kind, Token, tokens};

/// Blanks for each level.
const INDENT: usize = 2;

/// The text in its canonical form. It must be one that parses; any other may be given back in any form.
#[must_use]
pub fn format(text: &str) -> String {
    let (mark, text) = match text.strip_prefix('\u{feff}') {
        Some(text) => ("\u{feff}", text),
        None => ("", text),
    };
    let mut lines = lines(tokens(text));
    indent(&mut lines);
    align(
        &mut lines,
        |line| line.assigned,
        Line::until_assign,
        |line, by| line.before_assign = by,
    );
    align(
        &mut lines,
        Line::commented,
        Line::until_comment,
        |line, by| line.before_comment = by,
    );
    let mut out = mark.to_owned();
    for line in &lines {
        line.write(&mut out);
    }
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// One line: heredocs and comments over several lines are in the line they begin on.
#[derive(Default)]
struct Line<'a> {
    tokens: Vec<Token<'a>>,
    end: &'a str,
    indent: usize,
    /// Where `=` stands among the tokens, if this line is a whole `name = value`.
    assigned: Option<usize>,
    /// Blanks beyond the one that stands there anyway.
    before_assign: usize,
    before_comment: usize,
}

fn lines(tokens: Vec<Token<'_>>) -> Vec<Line<'_>> {
    let mut lines = vec![Line::default()];
    for token in tokens {
        let line = lines.last_mut().expect("there is always one");
        if token.kind == Kind::Newline {
            line.end = token.text_of_source;
            lines.push(Line::default());
        } else {
            line.tokens.push(token);
        }
    }
    for line in &mut lines {
        line.assigned = line.assign().filter(|_| line.net() == 0);
    }
    lines
}

impl Line<'_> {
    /// Brackets opened less brackets closed.
    fn net(&self) -> isize {
        let one = |token: &Token<'_>| match token.kind {
            Kind::Open => 1,
            Kind::Close => -1,
            _ => 0,
        };
        self.tokens.iter().map(one).sum()
    }

    /// The first `=` outside of all brackets of this line.
    fn assign(&self) -> Option<usize> {
        let mut depth = 0;
        for (at, token) in self.tokens.iter().enumerate() {
            match token.kind {
                Kind::Open => depth += 1,
                Kind::Close => depth -= 1,
                Kind::Assign if depth == 0 && at > 0 => return Some(at),
                _ => {}
            }
        }
        None
    }

    /// The comment at its end, where something stands before it.
    fn comment(&self) -> Option<usize> {
        let last = self.tokens.len().checked_sub(1).filter(|at| *at > 0)?;
        (self.tokens[last].kind == Kind::Comment).then_some(last)
    }

    fn commented(&self) -> Option<usize> {
        self.comment()
    }

    /// Columns of what stands before a token.
    fn width(&self, upto: usize) -> usize {
        let mut text = String::new();
        self.words(upto, &mut text);
        let last = text.rsplit('\n').next().unwrap_or_default();
        last.chars().count()
    }

    fn until_assign(&self, at: usize) -> usize {
        self.width(at)
    }

    fn until_comment(&self, at: usize) -> usize {
        self.width(at)
    }

    fn words(&self, upto: usize, out: &mut String) {
        if !self.tokens.is_empty() {
            out.extend(std::iter::repeat_n(' ', self.indent * INDENT));
        }
        for (at, token) in self.tokens[..upto].iter().enumerate() {
            let blanks = usize::from(apart(&self.tokens[..at], token));
            let more = if self.assigned == Some(at) {
                self.before_assign
            } else {
                0
            };
            out.extend(std::iter::repeat_n(' ', blanks + more));
            out.push_str(&token.text);
        }
    }

    fn write(&self, out: &mut String) {
        match self.comment() {
            Some(at) => {
                self.words(at, out);
                out.extend(std::iter::repeat_n(' ', 1 + self.before_comment));
                out.push_str(&self.tokens[at].text);
            }
            None => self.words(self.tokens.len(), out),
        }
        out.push_str(self.end);
    }
}

/// However many brackets a line opens, what is in them is one level deeper; the level ends with the line that closes
/// the last of them, which stands outside again.
fn indent(lines: &mut [Line<'_>]) {
    let mut open: Vec<isize> = Vec::new();
    for line in lines {
        let net = line.net();
        let mut closed = -net;
        while closed > 0
            && let Some(last) = open.last_mut()
        {
            if closed >= *last {
                closed -= *last;
                open.pop();
            } else {
                *last -= closed;
                closed = 0;
            }
        }
        line.indent = open.len();
        if net > 0 {
            open.push(net);
        }
    }
}

/// Brings a token of neighbouring lines that have it to one column.
fn align<'a>(
    lines: &mut [Line<'a>],
    has: impl Fn(&Line<'a>) -> Option<usize>,
    width: impl Fn(&Line<'a>, usize) -> usize,
    set: impl Fn(&mut Line<'a>, usize),
) {
    for neighbours in lines.chunk_by_mut(|a, b| has(a).is_some() == has(b).is_some()) {
        let widths: Vec<usize> = neighbours
            .iter()
            .filter_map(|line| has(line).map(|at| width(line, at)))
            .collect();
        let widest = widths.iter().copied().max().unwrap_or(0);
        for (line, own) in neighbours.iter_mut().zip(widths) {
            set(line, widest - own);
        }
    }
}

#[cfg(test)]
mod tests;
