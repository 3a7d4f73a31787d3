//! Diagnostics + sources → text with the snippet, or a form that serialises.

use crate::{Diagnostic, Diagnostics, Severity, Sources, Span};
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::Range;

/// Whether escape codes may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Colour,
}

/// More than these are counted, not shown: nobody reads on, and the first ones often cause the rest.
const MOST: usize = 50;

/// Renders them in the order of the sources.
#[must_use]
pub fn render(diagnostics: &Diagnostics, sources: &Sources, style: Style) -> String {
    let sorted = diagnostics.clone().sorted();
    let mut out: String = sorted
        .iter()
        .take(MOST)
        .map(|d| render_one(d, sources, style) + "\n")
        .collect();
    match sorted.len().saturating_sub(MOST) {
        0 => {}
        more => out.push_str(&format!("and {more} more\n")),
    }
    out
}

fn render_one(diagnostic: &Diagnostic, sources: &Sources, style: Style) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colour => Renderer::styled(),
    };
    let title = level.primary_title(&*diagnostic.summary);
    let group = Group::with_title(title)
        .elements(snippets(diagnostic, sources))
        .elements(
            diagnostic
                .notes
                .iter()
                .map(|note| Level::NOTE.message(&**note)),
        );
    let mut out = renderer.render(&[group]);
    out.push('\n');
    for hint in &diagnostic.hints {
        out.push_str(&format!("hint: {}\n", hint.replace('\n', "\n      ")));
    }
    out
}

/// A snippet for each text that has a label, that of the primary label first.
fn snippets<'a>(
    diagnostic: &'a Diagnostic,
    sources: &'a Sources,
) -> Vec<Snippet<'a, Annotation<'a>>> {
    let mut by_source: BTreeMap<_, Vec<Annotation<'a>>> = BTreeMap::new();
    let primary = diagnostic.labels.first().map(|label| label.span.source);
    for (i, label) in diagnostic.labels.iter().enumerate() {
        let kind = if i == 0 {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let annotation = kind
            .span(within(sources.text(label.span.source), label.span))
            .label(&*label.text);
        let source = label.span.source;
        by_source
            .entry((Some(source) != primary, source))
            .or_default()
            .push(annotation);
    }
    let snippet = |((_, source), annotations)| {
        Snippet::source(sources.text(source))
            .path(sources.name(source))
            .annotations(annotations)
    };
    by_source.into_iter().map(snippet).collect()
}

/// The span's range, brought within the text and to whole characters: a place that is slightly off is
/// better than none.
fn within(text: &str, span: Span) -> Range<usize> {
    let start = text.floor_char_boundary(span.start as usize);
    let end = text.ceil_char_boundary(span.end as usize);
    start..end.max(start)
}

/// A diagnostic for programs. Lines and columns count from 1; columns count characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Json {
    pub severity: Severity,
    pub summary: String,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub place: Option<JsonPlace>,
    pub notes: Vec<String>,
    pub hints: Vec<String>,
}

/// Where it is, and the person's own words there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JsonPlace {
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub end_line: usize,
    pub end_column: usize,
    /// The whole line on which it starts.
    pub snippet: String,
    pub label: String,
}

/// All of them, in the order of the sources, for programs.
#[must_use]
pub fn json(diagnostics: &Diagnostics, sources: &Sources) -> Vec<Json> {
    let form = |d: Diagnostic| Json {
        place: d
            .labels
            .first()
            .map(|label| place(label.span, &label.text, sources)),
        severity: d.severity,
        summary: d.summary,
        notes: d.notes,
        hints: d.hints,
    };
    diagnostics.clone().sorted().into_iter().map(form).collect()
}

fn place(span: Span, label: &str, sources: &Sources) -> JsonPlace {
    let text = sources.text(span.source);
    let range = within(text, span);
    let (line, column) = sources.line_column(span);
    let (end_line, end_column) = sources.line_column(Span::new(span.source, range.end..range.end));
    let before = text[..range.start]
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let snippet = text[before..].lines().next().unwrap_or_default().to_owned();
    JsonPlace {
        file: sources.name(span.source).into(),
        line,
        column,
        end_line,
        end_column,
        snippet,
        label: label.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceId;

    fn one(text: &str, range: Range<usize>) -> (Diagnostics, Sources) {
        let mut sources = Sources::new();
        let id = sources.add("main.infra.hcl", text);
        (
            Diagnostic::error("bad thing")
                .at(Span::new(id, range), "here")
                .into(),
            sources,
        )
    }

    fn plain(text: &str, range: Range<usize>) -> String {
        let (diagnostics, sources) = one(text, range);
        render(&diagnostics, &sources, Style::Plain)
    }

    #[test]
    fn shows_place_label_note_and_hint() {
        let mut sources = Sources::new();
        let id = sources.add("a.infra.hcl", "x = 1\ny = foo\n");
        let diagnostic = Diagnostic::error("unknown name")
            .at(Span::new(id, 10..13), "there is no foo here")
            .at(Span::new(id, 0..1), "there is this")
            .note("names are case-sensitive")
            .hint("did you mean for?");
        let shown = render(&diagnostic.into(), &sources, Style::Plain);
        let expected = "\
error: unknown name
 --> a.infra.hcl:2:5
  |
1 | x = 1
  | - there is this
2 | y = foo
  |     ^^^ there is no foo here
  |
  = note: names are case-sensitive
hint: did you mean for?

";
        assert_eq!(shown, expected);
    }

    #[test]
    fn columns_count_characters() {
        assert!(plain("ä = \"ü\" + x\n", 12..13).contains("main.infra.hcl:1:11\n"));
        assert!(plain("\tx = y\r\n\tz = y\r\n", 13..14).contains("main.infra.hcl:2:6\n"));
    }

    #[test]
    fn no_place_no_snippet() {
        let diagnostics = Diagnostics::from(Diagnostic::warning("odd").note("very").hint("do not"));
        let shown = render(&diagnostics, &Sources::new(), Style::Plain);
        assert_eq!(shown, "warning: odd\n |\n = note: very\nhint: do not\n\n");
    }

    #[test]
    fn any_span_in_any_text() {
        for text in [
            "",
            "\n",
            "a",
            "a\n",
            "a\r\n",
            "\r\n\r\n",
            "\t",
            "äöü",
            "a\r",
            "日本\t\u{301}\n\0x",
            "😀",
        ] {
            for start in 0..=text.len() + 2 {
                for end in start..=text.len() + 2 {
                    let (diagnostics, sources) = one(text, start..end);
                    assert!(render(&diagnostics, &sources, Style::Plain).contains("bad thing"));
                    assert_eq!(json(&diagnostics, &sources).len(), 1);
                }
            }
        }
    }

    #[test]
    fn sorted_and_limited() {
        let mut sources = Sources::new();
        let id: SourceId = sources.add("a", "x\n".repeat(100));
        let mut diagnostics = Diagnostics::new();
        for i in (0..60).rev() {
            diagnostics.push(Diagnostic::error("e").at(Span::new(id, i * 2..i * 2 + 1), "l"));
        }
        let shown = render(&diagnostics, &sources, Style::Plain);
        assert_eq!(shown.matches("error: e").count(), 50);
        assert!(
            shown.contains("a:1:1")
                && !shown.contains("a:51:1")
                && shown.ends_with("and 10 more\n")
        );
    }

    #[test]
    fn colour_only_when_asked_for() {
        let (diagnostics, sources) = one("x = y", 4..5);
        assert!(!render(&diagnostics, &sources, Style::Plain).contains('\x1b'));
        assert!(render(&diagnostics, &sources, Style::Colour).contains('\x1b'));
    }

    #[test]
    fn json_says_where() {
        let (diagnostics, sources) = one("a = 1\nb = [\n  2\n]\n", 10..17);
        let place = json(&diagnostics, &sources).remove(0).place.unwrap();
        assert_eq!(
            (place.line, place.column, place.end_line, place.end_column),
            (2, 5, 4, 2)
        );
        assert_eq!(place.snippet, "b = [");
    }
}
