//! How runtimes suit a workload, in words: the sentence of a plan, and the table of `infra explain`.

use infra_api::{Address, Need, Placement, Runtime, Settings, Variant};
use infra_suitability::{Ranked, Score, Table};

use super::page::{BOLD, DIM, GREEN, PLAIN, Page, pad, paint, width};
use super::place;
use crate::choose::{Suited, Witness};

/// `a container suits best with the host's network (0.14); bare metal 0.15: a tie, and it is deployed often`.
pub(super) fn sentence(suited: &Suited, chosen: Variant, table: &Table) -> Vec<String> {
    let Some(own) = of(suited, chosen) else {
        return Vec::new();
    };
    let best = suited.ranking.best().map(|best| &best.score);
    let is_best = best.is_some_and(|best| best.variant.runtime == chosen.runtime);
    let word = if is_best { "suits best" } else { "suits" };
    let name = place::one(chosen.runtime);
    let mut reasons = vec![format!(
        "{name} {word} ({}){}",
        own.score.mean(),
        with(chosen.with)
    )];
    let other = match is_best {
        true => suited.ranking.runner_up(),
        false => suited.ranking.best(),
    };
    if let Some(other) = other {
        reasons.push(against(own, other, table));
    }
    for witness in &suited.witnesses {
        reasons.push(witnessed(witness));
    }
    if let Some(better) = &suited.better {
        let name = place::one(better.variant.runtime);
        let (score, named) = (&better.score, &better.named);
        reasons.push(format!("{name} would suit better: {score} against {named}"));
    }
    reasons
}

/// `as evidence/cache.json measured`, and whether it is stale.
fn witnessed(witness: &Witness) -> String {
    let Witness {
        file,
        unused,
        stale,
    } = witness;
    match (unused, stale) {
        (Some(why), _) => format!("{file} is not used: {why}"),
        (None, Some(why)) => format!("as {file} measured, which is stale: {why}"),
        (None, None) => format!("as {file} measured"),
    }
}

/// `a container would suit better: 2.52 against 7.25; --rechoose workload.w takes it`, where that is no tie.
pub(super) fn better(
    suited: &Suited,
    stays: Variant,
    table: &Table,
    address: &Address,
) -> Option<String> {
    let (best, own) = (&suited.ranking.best()?.score, &of(suited, stays)?.score);
    let clearly = best.sum < own.sum && !best.ties(own, table);
    let another = best.variant.runtime != stays.runtime;
    (clearly && another).then(|| {
        let name = place::one(best.variant.runtime);
        let (better, own) = (best.mean(), own.mean());
        format!("{name} would suit better: {better} against {own}; `--rechoose {address}` takes it")
    })
}

fn of(suited: &Suited, variant: Variant) -> Option<&Ranked> {
    let ranked = &suited.ranking.ranked;
    let exact = ranked.iter().find(|r| r.score.variant == variant);
    exact.or_else(|| {
        ranked
            .iter()
            .find(|r| r.score.variant.runtime == variant.runtime)
    })
}

/// What the planner set, and what was declared.
fn with(settings: Settings) -> String {
    match settings.is_empty() {
        true => String::new(),
        false => format!(" with {settings}"),
    }
}

/// The other's score, and what decides between the two.
fn against(own: &Ranked, other: &Ranked, table: &Table) -> String {
    let (own_score, other_score) = (&own.score, &other.score);
    let name = place::one(other_score.variant.runtime);
    let mean = other_score.mean();
    if own_score.ties(other_score, table) {
        let first = [own, other].into_iter().find_map(|ranked| ranked.by);
        return match first {
            Some(rule) => format!("{name} {mean}: a tie, and {rule}"),
            None => format!("{name} {mean}: a tie, in which the lower comes first"),
        };
    }
    match own_score.gains_most(other_score) {
        Some(need) if own_score.sum < other_score.sum => format!("{name} {mean}, by {need}"),
        _ => format!("{name} {mean}"),
    }
}

/// Runtimes as `infra explain` heads its columns: those that something is left of, each with its best settings.
fn columns(suited: &Suited) -> Vec<&Score> {
    let mut columns: Vec<&Score> = Vec::new();
    for ranked in &suited.ranking.ranked {
        let runtime = ranked.score.variant.runtime;
        let same = columns
            .iter()
            .filter(|score| score.variant.runtime == runtime);
        // The best of each, and the plain one beside it.
        if same.count() == 0 || plain(suited, runtime) == Some(ranked.score.variant) {
            columns.push(&ranked.score);
        }
    }
    columns
}

/// Those that have a column.
#[must_use]
pub fn shown(suited: &Suited) -> Vec<Variant> {
    columns(suited).iter().map(|score| score.variant).collect()
}

/// The variant of a runtime with the fewest settings.
fn plain(suited: &Suited, runtime: Runtime) -> Option<Variant> {
    let of_runtime = suited.ranking.ranked.iter().map(|r| r.score.variant);
    let of_runtime = of_runtime.filter(|v| v.runtime == runtime);
    of_runtime.min_by_key(|variant| (variant.with.len(), *variant))
}

/// Candidates × needs, with weights, penalties and the number of each figure's source.
pub(super) fn table(page: &mut Page, suited: &Suited, chosen: Option<&Placement>, table: &Table) {
    let columns = columns(suited);
    if columns.is_empty() {
        return;
    }
    page.blank();
    page.line(
        "How they suit: what a need costs, 0 to 10, and whose figure that is; less is better",
    );
    let chosen = chosen.map(Placement::variant);
    let heads: Vec<String> = (1..=columns.len()).map(|n| format!("({n})")).collect();
    let mut rows: Vec<(String, Vec<String>)> = vec![("".to_owned(), heads)];
    for need in Need::ALL {
        let level = suited.needs.get(need);
        let cells = columns.iter().filter_map(|score| cell(score, need, table));
        let cells: Vec<String> = cells.collect();
        if !cells.is_empty() {
            rows.push((format!("{need} {level} ×{}", weight(suited, need)), cells));
        }
    }
    let means = columns.iter().map(|score| score.mean().to_string());
    rows.push(("score".to_owned(), means.collect()));
    draw(page, &rows);
    for (n, score) in columns.iter().enumerate() {
        let is_chosen = chosen == Some(score.variant);
        let style = if is_chosen { GREEN } else { PLAIN };
        let mark = if is_chosen { ", chosen" } else { "" };
        page.folded(
            &format!("  ({}) ", n + 1),
            style,
            &format!("{}{mark}", score.variant),
        );
    }
    sources(page, &columns, table);
    notes(page, suited);
}

fn weight(suited: &Suited, need: Need) -> String {
    let ranked = suited.ranking.best();
    let weight = ranked.and_then(|r| Some(r.score.of(need)?.weight));
    let text = weight.unwrap_or_default().to_string();
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

/// `8.56 [1]`.
fn cell(score: &Score, need: Need, table: &Table) -> Option<String> {
    let figured = score.of(need)?;
    let figure = figured.figure.and_then(|at| table.figures.get(at));
    let source = figure.and_then(|figure| table.source(&figure.source));
    let source = source.map_or_else(|| "measured".to_owned(), |n| n.to_string());
    Some(format!("{} [{source}]", figured.penalty))
}

fn draw(page: &mut Page, rows: &[(String, Vec<String>)]) {
    let lead = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let columns = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|n| {
            let cells = rows.iter().filter_map(|(_, cells)| cells.get(n));
            cells.map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    for (name, cells) in rows {
        let cells = cells.iter().zip(&widths);
        let cells: Vec<String> = cells.map(|(cell, width)| pad(cell, *width)).collect();
        let line = format!("  {}  {}", pad(name, lead), cells.join("  "));
        let line = line.trim_end();
        match name.as_str() {
            "score" => page.line(&paint(BOLD, line)),
            _ => page.line(line),
        }
    }
}

/// The sources that stand in the table, by their numbers.
fn sources(page: &mut Page, columns: &[&Score], table: &Table) {
    let figured = columns.iter().flat_map(|score| &score.figured);
    let figures = figured.filter_map(|f| table.figures.get(f.figure?));
    let mut used: Vec<usize> = figures.filter_map(|f| table.source(&f.source)).collect();
    used.sort_unstable();
    used.dedup();
    page.blank();
    for number in used {
        let source = &table.sources[number - 1];
        let text = format!("{} ({})", source.title, source.date);
        page.folded(&format!("  [{number}] "), DIM, &text);
    }
}

/// So many ways to turn a choice are told.
const TURNS: usize = 4;

/// What is excluded, what hosts have not, what decided, and what would turn it.
fn notes(page: &mut Page, suited: &Suited) {
    page.blank();
    let mut told: Vec<(Runtime, &str)> = Vec::new();
    for (variant, why) in &suited.excluded {
        if !told.contains(&(variant.runtime, why)) {
            told.push((variant.runtime, why));
            page.folded("  ", PLAIN, &format!("excluded: {variant}: {why}"));
        }
    }
    for lacking in &suited.lacking {
        let hosts: Vec<_> = lacking.hosts.iter().cloned().collect();
        let (setting, why) = (lacking.setting, &lacking.why);
        let hosts = super::explain::like(&hosts);
        let text = format!("without {setting} on {hosts}: {why}");
        page.folded("  ", PLAIN, &text);
    }
    for witness in &suited.witnesses {
        page.folded("  ", PLAIN, &witnessed(witness));
    }
    let turns = suited.turns.iter().take(TURNS);
    let turns: Vec<String> = turns
        .map(|turn| format!("{} = {} → {}", turn.need, turn.level, turn.runtime.word()))
        .collect();
    match turns.is_empty() {
        true => page.line("  no change of one need turns it"),
        false => page.folded("  ", PLAIN, &format!("it turns with {}", turns.join("; "))),
    }
}
