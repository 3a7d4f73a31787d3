//! The texts a person wrote, and places in them.

use std::ops::Range;

/// Which text: an index into [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A range of bytes in one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub source: SourceId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// A text over 4 GiB is not read; see [`Sources::add`].
    #[must_use]
    pub fn new(source: SourceId, range: Range<usize>) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            source,
            start: clamp(range.start),
            end: clamp(range.end),
        }
    }

    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The texts, each with the name a person knows it by (a path as they would write it, `--var`, …).
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<(String, String)>);

impl Sources {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let id = u32::try_from(self.0.len()).expect("fewer than 2^32 sources");
        self.0.push((name.into(), text.into()));
        SourceId(id)
    }

    /// # Panics
    /// When `id` comes from another `Sources`.
    #[must_use]
    pub fn name(&self, id: SourceId) -> &str {
        &self.0[id.0 as usize].0
    }

    /// # Panics
    /// When `id` comes from another `Sources`.
    #[must_use]
    pub fn text(&self, id: SourceId) -> &str {
        &self.0[id.0 as usize].1
    }

    /// Line and column of a span's start, from 1; columns count characters.
    #[must_use]
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let text = self.text(span.source);
        let before = &text[..text.floor_char_boundary(span.start as usize)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
        (line, column)
    }
}
