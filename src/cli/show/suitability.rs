//! The table of suitability on a terminal, and the classes.

use infra_api::{Level, Need};
use infra_suitability::Table;

use super::page::{BOLD, DIM, GREEN, PLAIN, Page, RED, YELLOW, pad, paint, width};
use crate::reference::in_order;

/// All figures, need by need, with their sources.
#[must_use]
pub fn table(table: &Table) -> String {
    let mut page = Page::default();
    let figures = in_order(table);
    let names = figures.iter().map(|f| width(&f.runtime.to_string()));
    let with = figures.iter().map(|f| width(&f.with.to_string()));
    let (names, with) = (names.max().unwrap_or(0), with.max().unwrap_or(0));
    for need in Need::ALL {
        page.line(&paint(BOLD, need.word()));
        for figure in figures.iter().filter(|f| f.need == need) {
            let penalty = figure.penalty();
            let style = match table.band(penalty) {
                infra_suitability::Band::Mature => GREEN,
                infra_suitability::Band::Limited => YELLOW,
                infra_suitability::Band::Difficult => RED,
            };
            let source = table.source(&figure.source);
            let source = source.map_or_else(|| "own".to_owned(), |n| format!("[{n}]"));
            page.line(&format!(
                "  {}  {}  {}  {:>8}  {} {source}",
                pad(&figure.runtime.to_string(), names),
                pad(&figure.with.to_string(), with),
                paint(style, &format!("{:>5}", penalty.to_string())),
                figure.shown(),
                figure.kind.word(),
            ));
        }
    }
    page.blank();
    for (n, source) in table.sources.iter().enumerate() {
        let (title, place, date) = (&source.title, &source.place, &source.date);
        page.folded(
            &format!("[{}] ", n + 1),
            DIM,
            &format!("{title}: {place}, {date}"),
        );
    }
    page.blank();
    let weights = Level::ALL.into_iter().rev().map(|level| {
        let weight = table.weights.get(&level).copied().unwrap_or(0.0);
        format!("{level} {weight}")
    });
    let weights: Vec<String> = weights.collect();
    page.folded(
        "",
        PLAIN,
        &format!(
            "A penalty is 0 to 10. Weights: {}; a tie is less than {}.",
            weights.join(", "),
            table.tie
        ),
    );
    page.finish()
}

/// Each class with what it needs.
#[must_use]
pub fn classes(table: &Table) -> String {
    let mut page = Page::default();
    let names = table.classes.iter().map(|class| width(&class.name));
    let names = names.max().unwrap_or(0);
    for class in &table.classes {
        let name = paint(BOLD, &class.name);
        page.folded(&format!("{}  ", pad(&name, names)), PLAIN, &class.doc);
        for level in [Level::High, Level::Medium, Level::Low] {
            let needs = class.needs.iter().filter(|(_, own)| *own == level);
            let needs: Vec<&str> = needs.map(|(need, _)| need.word()).collect();
            if !needs.is_empty() {
                let lead = format!("{}  {:<8}", " ".repeat(names), level.word());
                page.folded(&lead, DIM, &needs.join(", "));
            }
        }
    }
    page.finish()
}
