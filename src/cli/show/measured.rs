//! What a host was measured to be: a document, and for a person a table of figures by runtimes.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Placement, Runtime, Setting, Variant};
use infra_suitability::{Better, Failed, MeasuredHost, Summary};
use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::probe::{Figure, Found};

/// `MAJOR.MINOR` of the document. A larger minor number only adds fields.
pub const FORMAT_VERSION: &str = "1.0";

/// What `infra measure host --json` prints.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct HostDocument {
    /// `MAJOR.MINOR` of this document. A larger minor number only adds fields.
    pub format_version: String,
    /// When the last run ended, in UTC.
    pub measured: String,
    /// The version of infra.
    pub infra: String,
    pub host: MeasuredHost,
    /// How much memory was gone through.
    pub buffer_bytes: u64,
    /// So many times each variant was started, in turn.
    pub rounds: u32,
    /// Virtual machines were run in software: their figures say nothing of KVM.
    pub emulated: bool,
    /// In the order of runtimes: first a plain process, as bare metal.
    pub variants: Vec<Probed>,
    /// What could not be measured, and why.
    pub failed: Vec<Failed>,
}

/// A variant and what it came to.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Probed {
    /// `bare_metal`: a plain process of the host, under no unit; with `pinned` on the CPUs that another had to itself.
    #[serde(flatten)]
    pub variant: Variant,
    /// Where it ran the last time. Null of a plain process.
    pub placement: Option<Placement>,
    /// Whether its disk is the one that the plain process wrote to. Null is not known.
    pub same_disk: Option<bool>,
    /// Null is not known.
    pub figures: BTreeMap<Figure, Option<Series>>,
    /// Why not.
    pub unknown: BTreeMap<Figure, String>,
}

/// Every run of one figure.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Series {
    pub unit: String,
    pub better: Better,
    pub samples: Vec<f64>,
    #[serde(flatten)]
    pub summary: Summary,
    /// How many times as bad as of a plain process with as many CPUs of its own; below 1 it is better. Null where that is
    /// not known, or where the disk is another.
    pub ratio: Option<f64>,
}

impl Probed {
    fn of(variant: Variant, (placement, found): (Option<Placement>, Vec<Found>)) -> Self {
        let mut probed = Self {
            variant,
            placement,
            same_disk: None,
            figures: BTreeMap::new(),
            unknown: BTreeMap::new(),
        };
        for figure in Figure::ALL {
            let known = found
                .iter()
                .filter_map(|f| f.figures.get(&figure).copied().flatten());
            let samples: Vec<f64> = known.collect();
            let series = Summary::of(&samples).map(|summary| Series {
                unit: figure.unit().to_owned(),
                better: figure.better(),
                samples,
                summary,
                ratio: None,
            });
            let why = found.iter().find_map(|f| f.unknown.get(&figure));
            if let (None, Some(why)) = (&series, why) {
                probed.unknown.insert(figure, why.clone());
            }
            probed.figures.insert(figure, series);
        }
        probed
    }

    #[must_use]
    pub fn series(&self, figure: Figure) -> Option<&Series> {
        self.figures.get(&figure)?.as_ref()
    }

    fn name(&self) -> String {
        called(self.variant)
    }
}

/// How a variant is called, where bare metal is a plain process.
#[must_use]
pub fn called(variant: Variant) -> String {
    match (variant.runtime, variant.with.is_empty()) {
        (Runtime::BareMetal, true) => "plain process".to_owned(),
        (Runtime::BareMetal, false) => format!("plain process with {}", variant.with),
        _ => variant.to_string(),
    }
}

impl HostDocument {
    /// Takes in what was found. `plain` is the disk that the plain process wrote to, `pool` the one that machines have theirs on.
    pub fn fill(
        &mut self,
        found: BTreeMap<Variant, (Option<Placement>, Vec<Found>)>,
        plain: Option<String>,
        pool: Option<String>,
    ) {
        for (variant, sampled) in found {
            let device = sampled.1.iter().find_map(|found| found.device.clone());
            let device = match variant.runtime {
                // What a guest calls its disk says nothing.
                Runtime::Kvm => pool.clone(),
                _ => device,
            };
            let mut probed = Probed::of(variant, sampled);
            probed.same_disk = device.zip(plain.clone()).map(|(own, plain)| own == plain);
            self.variants.push(probed);
        }
        let all = self.variants.clone();
        for probed in &mut self.variants {
            let Some(base) = base(&all, probed.variant) else {
                continue;
            };
            for (figure, series) in &mut probed.figures {
                let of_disk = matches!(figure, Figure::DiskWriteLatency | Figure::DiskReadLatency);
                let (Some(series), Some(base)) = (series, base.series(*figure)) else {
                    continue;
                };
                let ratio = figure.worse(series.summary.median, base.summary.median);
                series.ratio = (!of_disk || probed.same_disk == Some(true)).then_some(ratio);
            }
        }
    }

    /// The plain process that a variant is compared with.
    #[must_use]
    pub fn base(&self, variant: Variant) -> Option<&Probed> {
        base(&self.variants, variant)
    }
}

/// The one with CPUs of its own for who has his own, where there is one.
fn base(all: &[Probed], variant: Variant) -> Option<&Probed> {
    let plain = || {
        all.iter()
            .filter(|p| p.variant.runtime == Runtime::BareMetal)
    };
    let pinned = |v: Variant| v.with.has(Setting::Pinned);
    let like = plain().find(|p| pinned(p.variant) == pinned(variant));
    like.or_else(|| plain().next())
}

/// Figure by figure, every variant with its median, its interval and how much worse it is than a plain process.
#[must_use]
pub fn page(document: &HostDocument) -> String {
    let runs = document
        .variants
        .iter()
        .flat_map(|p| p.figures.values().flatten());
    let runs = runs.map(|series| series.samples.len()).max().unwrap_or(0);
    let buffer = infra_api::units::Bytes(document.buffer_bytes);
    let (name, class) = (&document.host.name, &document.host.class);
    let mut page = format!(
        "{name} ({class})\nruns: {runs}, in rounds: {}, memory gone through: {buffer}\n",
        document.rounds
    );
    for figure in Figure::ALL {
        page.push_str(&block(document, figure));
    }
    for (why, (figures, variants)) in unknown(document) {
        let figures: Vec<&str> = figures.iter().map(|figure| figure.words()).collect();
        let variants: Vec<String> = variants.iter().map(|v| called(*v)).collect();
        let of = match variants.len() == document.variants.len() {
            true => String::new(),
            false => format!(" ({})", variants.join("; ")),
        };
        page.push_str(&format!("\nnot known: {}{of}: {why}", figures.join("; ")));
    }
    for failed in &document.failed {
        page.push_str(&format!(
            "\nnot measured: {}: {}",
            called(failed.variant),
            failed.why
        ));
    }
    let emulated = document
        .variants
        .iter()
        .any(|p| p.variant.runtime == Runtime::Kvm)
        && document.emulated;
    if emulated {
        page.push_str("\nThis host offers no KVM: machines were run in software, which is slow, and says nothing of KVM.");
    }
    let page = page.trim_end();
    format!("{page}\n")
}

/// What is not known, by its reason.
fn unknown(document: &HostDocument) -> BTreeMap<&str, (BTreeSet<Figure>, BTreeSet<Variant>)> {
    let mut reasons: BTreeMap<&str, (BTreeSet<Figure>, BTreeSet<Variant>)> = BTreeMap::new();
    for probed in &document.variants {
        for (figure, why) in &probed.unknown {
            let (figures, variants) = reasons.entry(why).or_default();
            figures.insert(*figure);
            variants.insert(probed.variant);
        }
    }
    reasons
}

fn block(document: &HostDocument, figure: Figure) -> String {
    let known = |p: &&Probed| p.series(figure).is_some();
    let probed: Vec<&Probed> = document.variants.iter().filter(known).collect();
    if probed.is_empty() {
        return String::new();
    }
    let word = match figure.better() {
        Better::Higher => "more is better",
        Better::Lower => "less is better",
    };
    let mut text = format!("\n{}, {}: {word}\n", figure.words(), figure.unit());
    let width = document
        .variants
        .iter()
        .map(|p| p.name().chars().count())
        .max()
        .unwrap_or(0);
    for probed in probed {
        let Some(series) = probed.series(figure) else {
            continue;
        };
        let summary = &series.summary;
        let interval = format!("{} to {}", shown(summary.low), shown(summary.high));
        let base = document
            .base(probed.variant)
            .and_then(|base| base.series(figure));
        let line = format!(
            "  {:<width$}  {:>8}  {interval:<20}  {}",
            probed.name(),
            shown(summary.median),
            compared(probed, series, base)
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn compared(probed: &Probed, series: &Series, base: Option<&Series>) -> String {
    let (Some(ratio), Some(base)) = (series.ratio, base) else {
        return match probed.same_disk {
            Some(false) => "another disk".to_owned(),
            _ => String::new(),
        };
    };
    match ratio {
        _ if probed.variant.runtime == Runtime::BareMetal => String::new(),
        ratio if series.summary.meets(&base.summary) => format!("×{ratio:.2}, not told apart"),
        ratio if ratio < 1.0 => format!("×{ratio:.2}, better"),
        ratio => format!("×{ratio:.2} worse"),
    }
}

/// With four digits that count.
#[must_use]
pub fn shown(value: f64) -> String {
    match value.abs() {
        v if v >= 1000.0 => format!("{value:.0}"),
        v if v >= 100.0 => format!("{value:.1}"),
        v if v >= 10.0 => format!("{value:.2}"),
        v if v >= 1.0 => format!("{value:.3}"),
        _ => format!("{value:.5}"),
    }
}

#[cfg(test)]
pub(in crate::cli) mod tests;
