//! What was measured, on a terminal: a table, and a plot of the samples.

use infra_suitability::{Better, EvidenceFile, Measured};

use crate::cli::show::measured::shown;

/// How wide the plot is.
const PLOT: usize = 48;

/// Medians, intervals, ratios to the best, and where the samples lie.
pub(super) fn page(evidence: &EvidenceFile) -> String {
    let benchmark = &evidence.benchmark;
    let unit = benchmark.unit.as_deref().unwrap_or("");
    let word = match benchmark.better {
        Better::Higher => "more is better",
        Better::Lower => "less is better",
    };
    let mut order: Vec<&Measured> = evidence.variants.iter().collect();
    order.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
    let mut rows = vec![[
        "variant".to_owned(),
        format!("median {unit}").trim().to_owned(),
        "interval".to_owned(),
        "of the best".to_owned(),
    ]];
    for measured in &order {
        let summary = &measured.summary;
        let ratio = match (measured.ratio, measured.as_good_as_best) {
            (ratio, _) if ratio <= 1.0 => "best".to_owned(),
            (ratio, true) => format!("×{ratio:.2}, not told apart"),
            (ratio, false) => format!("×{ratio:.2} worse"),
        };
        rows.push([
            measured.variant.to_string(),
            shown(summary.median),
            format!("{} to {}", shown(summary.low), shown(summary.high)),
            ratio,
        ]);
    }
    let widths: Vec<usize> = (0..4)
        .map(|n| {
            rows.iter()
                .map(|row| row[n].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut page = format!(
        "{} on {}: {word}\n\n",
        evidence.workload, evidence.host.name
    );
    for [variant, median, interval, ratio] in &rows {
        let line = format!(
            "{variant:<0$}  {median:>1$}  {interval:<2$}  {ratio}",
            widths[0], widths[1], widths[2]
        );
        page.push_str(line.trim_end());
        page.push('\n');
    }
    page.push('\n');
    page.push_str(&plot(&order, widths[0]));
    let least = order
        .iter()
        .map(|m| m.summary.confidence)
        .fold(1.0, f64::min);
    let samples = order.iter().map(|m| m.samples.len()).min().unwrap_or(0);
    page.push_str(&format!(
        "\nIntervals hold the true median with {:.1} % or more; {samples} runs each.\n",
        least * 100.0
    ));
    for failed in &evidence.failed {
        page.push_str(&format!(
            "not measured: {}: {}\n",
            failed.variant, failed.why
        ));
    }
    page
}

/// `·──●──·` over one scale: the least and the most sample, and the median.
fn plot(order: &[&Measured], lead: usize) -> String {
    let samples = || order.iter().flat_map(|m| &m.samples).copied();
    let (low, high) = (
        samples().fold(f64::MAX, f64::min),
        samples().fold(f64::MIN, f64::max),
    );
    let span = if high > low { high - low } else { 1.0 };
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )]
    let at = |value: f64| (((value - low) / span) * (PLOT - 1) as f64).round() as usize;
    let mut text = String::new();
    for measured in order {
        let own = || measured.samples.iter().copied();
        let (from, to) = (
            at(own().fold(f64::MAX, f64::min)),
            at(own().fold(f64::MIN, f64::max)),
        );
        let mut line = vec![' '; PLOT];
        line[from..=to].fill('─');
        own().for_each(|sample| line[at(sample)] = '·');
        line[at(measured.summary.median)] = '●';
        let line: String = line.into_iter().collect();
        let variant = measured.variant.to_string();
        text.push_str(format!("{variant:<lead$}  {line}").trim_end());
        text.push('\n');
    }
    let scale = format!(
        "{:<lead$}  {:<2$}{high}",
        "",
        shown(low),
        PLOT.saturating_sub(shown(high).len()),
        high = shown(high)
    );
    text.push_str(scale.trim_end());
    text.push('\n');
    text
}
