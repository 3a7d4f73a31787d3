//! Attribute changes, old → new, aligned; what does not fit on a line as a small difference of lines.

use infra_api::Impact;
use infra_plan::Delta;
use serde_json::Value;

use super::lines::{Line, diff};
use super::names;
use super::page::{DIM, GREEN, PLAIN, Page, RED, WIDTH, YELLOW, count, pad, paint, width};
use super::value::{self, is_long_text, is_secret};

/// A longer name does not push the others' values aside.
const NAMES: usize = 24;
/// So many lines of a text that comes or goes are shown.
const LINES: usize = 12;

/// One attribute.
pub(super) struct Row {
    name: String,
    /// The last word of its path: it says the unit.
    key: String,
    before: Option<Value>,
    after: Option<Value>,
    /// What it does to the whole object.
    mark: &'static str,
}

impl Row {
    /// A change; `worst` is what the object's step does: attributes that force it are marked.
    pub(super) fn of(delta: &Delta, worst: Impact) -> Self {
        let mark = match delta.impact {
            impact if impact != worst => "",
            Impact::Replace => "# forces replacement",
            Impact::Restart => "# needs a restart",
            Impact::InPlace => "",
        };
        Self {
            name: value::path(&delta.path),
            key: delta.path.last().cloned().unwrap_or_default(),
            before: delta.before.clone(),
            after: delta.after.clone(),
            mark,
        }
    }

    /// Something that is no object's attribute.
    pub(super) fn plain(name: &str, before: Option<Value>, after: Option<Value>) -> Self {
        Self {
            name: names::clean(name),
            key: String::new(),
            before,
            after,
            mark: "",
        }
    }

    fn sign(&self) -> String {
        match (&self.before, &self.after) {
            (None, _) => paint(GREEN, "+"),
            (_, None) => paint(RED, "-"),
            _ => " ".to_owned(),
        }
    }

    /// Its values on one line.
    fn flat(&self) -> String {
        let text = |v: &Value| value::value(&self.key, v);
        match (&self.before, &self.after) {
            (Some(b), Some(a)) if is_secret(b) && is_secret(a) => {
                "(sensitive) → (sensitive, another value)".to_owned()
            }
            (Some(b), Some(a)) => format!("{} → {}", text(b), text(a)),
            (Some(v), None) | (None, Some(v)) => text(v),
            (None, None) => String::new(),
        }
    }

    /// Whether one secret takes the place of another: there are no lines to compare.
    fn is_secret(&self) -> bool {
        let secret = |side: &Option<Value>| side.as_ref().is_some_and(is_secret);
        secret(&self.before) && secret(&self.after)
    }

    fn is_long(&self) -> bool {
        self.sides().any(is_long_text)
    }

    fn sides(&self) -> impl Iterator<Item = &Value> {
        [&self.before, &self.after].into_iter().flatten()
    }
}

/// Writes rows; names begin in column `indent`, signs two before it.
pub(super) fn rows(page: &mut Page, indent: usize, rows: &[Row]) {
    let names = rows.iter().map(|r| width(&r.name)).filter(|n| *n <= NAMES);
    let names = names.max().unwrap_or(0);
    for row in rows {
        let lead = format!("{}{} ", " ".repeat(indent.saturating_sub(2)), row.sign());
        let mut line = format!("{lead}{}  {}", pad(&row.name, names), row.flat());
        if !row.mark.is_empty() {
            line += &format!("  {}", paint(YELLOW, row.mark));
        }
        if !row.is_long() && width(&line) <= WIDTH {
            page.line(&line);
        } else {
            page.line(&format!("{lead}{}  {}", row.name, paint(YELLOW, row.mark)));
            block(page, indent + 2, row);
        }
    }
}

fn block(page: &mut Page, indent: usize, row: &Row) {
    if row.is_secret() {
        page.line(&format!("{}{}", " ".repeat(indent), row.flat()));
        return;
    }
    // A list is easier to read whole, as long as both sides fit.
    let fits = |v: &Value| width(&value::value(&row.key, v)) + indent + 2 <= WIDTH;
    let whole = !row.is_long() && row.sides().all(fits);
    let lines = |side: &Option<Value>| match side {
        None => Vec::new(),
        Some(v) if whole => vec![value::value(&row.key, v)],
        Some(v) => value::lines(&row.key, v),
    };
    let mut shown = diff(&lines(&row.before), &lines(&row.after));
    let one_sided = row.before.is_none() || row.after.is_none();
    if one_sided && shown.len() > LINES {
        let more = shown.len() - LINES;
        shown.truncate(LINES);
        shown.push(Line::Skipped(more));
    }
    for line in &shown {
        line_of(page, &" ".repeat(indent), line);
    }
}

fn line_of(page: &mut Page, indent: &str, line: &Line) {
    match line {
        Line::Same(text) => page.folded(&format!("{indent}  "), PLAIN, text),
        Line::Gone(text) => page.folded(&format!("{indent}{} ", paint(RED, "-")), PLAIN, text),
        Line::New(text) => page.folded(&format!("{indent}{} ", paint(GREEN, "+")), PLAIN, text),
        Line::Skipped(n) => page.folded(indent, DIM, &format!("  … {}", count(*n, "line"))),
    }
}
