//! The table by which runtimes are chosen, for people: what is documented is what is counted with.

use std::fmt::Write;

use infra_api::{Level, Need};
use infra_suitability::{Figure, Table};

const HEAD: &str = "\
# Which runtime suits which needs

Made from the program's own table (`infra suitability --markdown`); a test keeps it true. How it is used stands in
[choosing.md](choosing.md).

A figure says what a runtime costs a need, with the settings it stands beside; of several that fit the one with the most
settings holds. Its *penalty* is 0 to 10: of a ratio to bare metal 10·log₂ (10: twice as bad), of seconds until it runs
10/3·log₁₀(t / 0.1 s), of an ordinal itself. *Published* figures stand in their source or follow from what stands there;
*judged* ones are somebody's judgement from it, and say why.
";

/// All of it as Markdown.
#[must_use]
pub fn suitability(table: &Table) -> String {
    let mut text = HEAD.to_owned();
    text.push_str("\n## Figures\n\n| need | runtime | with | figure | penalty | is | how | source | what |\n|---|---|---|---|---|---|---|---|---|\n");
    for figure in in_order(table) {
        let (penalty, band) = (figure.penalty(), table.band(figure.penalty()));
        let source = table.source(&figure.source);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {penalty} | {} | {}, {} | {} | {} |",
            figure.need,
            figure.runtime,
            figure.with,
            figure.shown(),
            band.word(),
            figure.kind.word(),
            figure.date,
            source.map_or_else(|| "own".to_owned(), |n| format!("[{n}]")),
            figure.why,
        );
    }
    sources(&mut text, table);
    rules(&mut text, table);
    text.push_str("\n## Classes\n\n");
    classes(&mut text, table);
    text
}

/// By need, then runtime, those with fewer settings first.
pub(crate) fn in_order(table: &Table) -> Vec<&Figure> {
    let mut figures: Vec<&Figure> = table.figures.iter().collect();
    figures.sort_by_key(|f| (f.need, f.runtime, f.with.len()));
    figures
}

fn sources(text: &mut String, table: &Table) {
    text.push_str("\n## Sources\n\n");
    for (n, source) in table.sources.iter().enumerate() {
        let (title, place, date) = (&source.title, &source.place, &source.date);
        let _ = writeln!(text, "{}. {title}: {place}, {date}", n + 1);
    }
}

fn rules(text: &mut String, table: &Table) {
    text.push_str("\n## Weights, bands and ties\n\n| level | weight |\n|---|---|\n");
    for level in Level::ALL.into_iter().rev() {
        let weight = table.weights.get(&level).copied().unwrap_or(0.0);
        let _ = writeln!(text, "| {level} | {weight} |");
    }
    let (mature, limited, tie) = (table.bands.mature, table.bands.limited, table.tie);
    let _ = writeln!(
        text,
        "\nA penalty below {mature} is called mature, up to {limited} limited, above difficult. Two variants whose weighted \
         penalties, added up, differ by less than {tie} are a tie. (What the bands and the width of a tie are is judged.)\n\n\
         No candidate is what a need excludes:\n"
    );
    for out in &table.exclusions {
        let trust = match out.unless_trusted {
            true => ", unless `trust = \"same_tenant\"`",
            false => "",
        };
        let _ = writeln!(
            text,
            "- `{}` {} or above: whatever costs it {} or more ({}){trust}",
            out.need, out.at, out.penalty, out.why
        );
    }
    text.push_str("\nThe planner sets by itself, where nothing else is declared and the host has what it takes:\n\n");
    for wanted in &table.settings {
        let needs: Vec<String> = wanted.needs.iter().map(|n| format!("`{n}`")).collect();
        let runtimes: Vec<String> = wanted.runtimes.iter().map(ToString::to_string).collect();
        let _ = writeln!(
            text,
            "- {} (`{}`) for {}, where {} is {} or above",
            wanted.setting,
            wanted.setting.word(),
            runtimes.join(", "),
            needs.join(" or "),
            wanted.at
        );
    }
}

/// A row for each class.
fn classes(text: &mut String, table: &Table) {
    text.push_str("| class | what | ");
    let needs: Vec<String> = Need::ALL.into_iter().map(|n| n.to_string()).collect();
    let _ = writeln!(text, "{} | says |", needs.join(" | "));
    let _ = writeln!(text, "|---|---|{}---|", "---|".repeat(needs.len()));
    for class in &table.classes {
        let levels: Vec<&str> = class.needs.iter().map(|(_, level)| level.word()).collect();
        let (name, doc, said_by) = (&class.name, &class.doc, &class.said_by);
        let _ = writeln!(
            text,
            "| `{name}` | {doc} | {} | {said_by} |",
            levels.join(" | ")
        );
    }
}
