//! Diagnostic + sources → text with the snippet.

use crate::{Diagnostics, Sources};

/// Whether escape codes may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Colour,
}

/// Renders all of them in the order of the sources.
#[must_use]
pub fn render(_diagnostics: &Diagnostics, _sources: &Sources, _style: Style) -> String {
    String::new()
}
