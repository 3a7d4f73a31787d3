//! Text on a page of 80 columns. A line is measured without its styles and broken at blanks only: an id stays whole.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

pub(super) const WIDTH: usize = 80;

pub(super) const PLAIN: Style = Style::new();
pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(super) const MAGENTA: Style = AnsiColor::Magenta.on_default();
pub(super) const RED: Style = AnsiColor::Red.on_default();

/// Between facts.
pub(super) const DOT: &str = " · ";

/// A page that is written from top to bottom.
#[derive(Default)]
pub(super) struct Page {
    text: String,
}

impl Page {
    pub(super) fn line(&mut self, line: &str) {
        self.text += line.trim_end();
        self.text.push('\n');
    }

    /// An empty line; never at the top and never two.
    pub(super) fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// `text` after `lead`, further lines under its beginning.
    pub(super) fn folded(&mut self, lead: &str, style: Style, text: &str) {
        let indent = width(lead);
        let columns = WIDTH.saturating_sub(indent);
        let begin = self.text.len();
        self.text += lead;
        if text.len() <= columns {
            self.piece(begin, style, text);
            return;
        }
        for (n, piece) in fold(text, columns).into_iter().enumerate() {
            let begin = if n == 0 { begin } else { self.text.len() };
            if n > 0 {
                self.text.extend(std::iter::repeat_n(' ', indent));
            }
            self.piece(begin, style, piece);
        }
    }

    /// The end of a line whose beginning is there.
    fn piece(&mut self, begin: usize, style: Style, text: &str) {
        if style == PLAIN || text.is_empty() {
            self.text += text;
        } else {
            // To a text nothing fails.
            let _ = write!(self.text, "{style}{text}{style:#}");
        }
        let end = begin + self.text[begin..].trim_end().len();
        self.text.truncate(end);
        self.text.push('\n');
    }

    /// Facts with dots between them; a line ends between two of them where it can.
    pub(super) fn listed(&mut self, lead: &str, style: Style, facts: &[String]) {
        let columns = WIDTH.saturating_sub(width(lead));
        let mut lines: Vec<String> = Vec::new();
        for fact in facts {
            match lines.last_mut() {
                Some(line) if width(line) + width(DOT) + width(fact) <= columns => {
                    *line += &format!("{DOT}{fact}");
                }
                _ => lines.push(fact.clone()),
            }
        }
        let mut lead = lead.to_owned();
        for line in lines {
            self.folded(&lead, style, &line);
            lead = " ".repeat(width(&lead));
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

pub(super) fn paint(style: Style, text: &str) -> String {
    if style == PLAIN || text.is_empty() {
        text.to_owned()
    } else {
        format!("{style}{text}{style:#}")
    }
}

/// Columns a text takes, its styles aside.
pub(super) fn width(text: &str) -> usize {
    if !text.bytes().any(|b| b.is_ascii_control()) {
        return text.chars().count();
    }
    anstream::adapter::strip_str(text)
        .map(|piece| piece.chars().count())
        .sum()
}

/// `text` and as many blanks as bring it to `columns`.
pub(super) fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    let mut padded = String::with_capacity(text.len() + missing);
    padded += text;
    padded.extend(std::iter::repeat_n(' ', missing));
    padded
}

/// Pieces of at most `columns`, broken at blanks; blanks at the beginning and between words stay.
fn fold(text: &str, columns: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = break_at(rest, columns) {
        pieces.push(rest[..at].trim_end());
        rest = rest[at..].trim_start();
    }
    pieces.push(rest);
    pieces
}

/// Where to break: at the last blank that fits, else at the first one.
fn break_at(text: &str, columns: usize) -> Option<usize> {
    let limit = text.char_indices().nth(columns)?.0;
    let indent = text.len() - text.trim_start().len();
    let fits = text[..limit].rfind(' ').filter(|at| *at > indent);
    let ends = text[limit..].starts_with(' ');
    if ends {
        return Some(limit);
    }
    fits.or_else(|| {
        let from = limit.max(indent);
        text[from..].find(' ').map(|at| from + at)
    })
}

/// `1 step`, `2 steps`.
pub(super) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::super::names::clean;
    use super::*;

    #[test]
    fn folding() {
        assert_eq!(fold("one two three", 7), ["one two", "three"]);
        assert_eq!(fold("one two three", 8), ["one two", "three"]);
        assert_eq!(fold("  - a b", 5), ["  - a", "b"]);
        assert_eq!(fold("longer-than-that and", 5), ["longer-than-that", "and"]);
        assert_eq!(fold("a longer-than-that", 5), ["a", "longer-than-that"]);
        assert_eq!(fold("äöü äöü", 3), ["äöü", "äöü"]);
        assert_eq!(fold("", 5), [""]);
    }

    #[test]
    fn a_style_takes_no_column() {
        assert_eq!(width(&paint(RED, "→ a")), 3);
        assert_eq!(clean("a\u{1b}[2Jb\tc"), "a\\u{1b}[2Jb\tc");
    }
}
