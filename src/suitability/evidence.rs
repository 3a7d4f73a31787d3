//! What an owner measured on his own hosts: the document, its statistics, and what they say instead of the table.

use std::collections::BTreeMap;

use infra_api::{Needs, Placement, Variant};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::score::{Evidence, score};
use crate::table::{Micro, Table};

/// `MAJOR.MINOR` of an evidence file. A larger minor number only adds fields.
pub const EVIDENCE_VERSION: &str = "1.0";

/// What `infra measure` writes: for version control, beside the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceFile {
    /// `MAJOR.MINOR` of this document.
    pub format_version: String,
    /// The workload's address.
    pub workload: String,
    /// When the last run ended, in UTC.
    pub measured: String,
    /// The version of infra.
    pub infra: String,
    pub host: MeasuredHost,
    pub benchmark: Benchmark,
    /// In the order in which they were tried first.
    pub variants: Vec<Measured>,
    /// What could not be measured, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Failed>,
}

/// A file of evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Its path in the configuration's folder.
    pub file: String,
    pub evidence: EvidenceFile,
}

/// The host it was measured on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MeasuredHost {
    pub name: String,
    /// Hosts of one class are taken to be as fast as each other: see `infra facts`.
    pub class: String,
    /// Of the programs that run workloads there, and the kernel.
    pub versions: BTreeMap<String, String>,
}

/// What was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Benchmark {
    pub command: Vec<String>,
    /// Where the number stands in its output.
    pub metric: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    pub better: Better,
    /// So many runs came before those that count, each time a variant was started.
    pub warmup: u32,
    /// So many times each variant was started, in turn.
    pub rounds: u32,
}

/// Whether more or less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    Higher,
    Lower,
}

/// A variant and what it came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    #[serde(flatten)]
    pub variant: Variant,
    /// Where it ran the last time.
    pub placement: Placement,
    /// Every run that counts, in order.
    pub samples: Vec<f64>,
    #[serde(flatten)]
    pub summary: Summary,
    /// How much worse its median is than the best one's: 1 or more.
    pub ratio: f64,
    /// Its interval meets the best one's: nothing was shown to be between them.
    pub as_good_as_best: bool,
}

/// A variant that could not be measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failed {
    #[serde(flatten)]
    pub variant: Variant,
    pub why: String,
}

/// Samples in short.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    pub median: f64,
    /// An interval that holds the true median with this probability, from the order of the samples alone.
    pub low: f64,
    pub high: f64,
    pub confidence: f64,
}

/// What is wanted of an interval, where there are samples enough.
const CONFIDENCE: f64 = 0.95;

impl Summary {
    /// Of one sample or more.
    ///
    /// The interval lies between the k-th smallest and the k-th largest: the chance that the median is not there is that
    /// of fewer than k of n tosses of a coin, twice. Of too few samples it is all of them, at the confidence that this has.
    #[must_use]
    pub fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let n = sorted.len();
        let middle = n / 2;
        let median = match n % 2 {
            1 => sorted[middle],
            _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
        };
        let mut summary = Self {
            median,
            low: first,
            high: last,
            confidence: coverage(n, 1),
        };
        for k in 2..=middle {
            let confidence = coverage(n, k);
            if confidence < CONFIDENCE {
                break;
            }
            summary = Self {
                low: sorted[k - 1],
                high: sorted[n - k],
                confidence,
                ..summary
            };
        }
        Some(summary)
    }

    /// Whether two intervals have a value in common.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

/// The chance that the median lies between the k-th smallest and the k-th largest of n.
fn coverage(n: usize, k: usize) -> f64 {
    let mut tail = 0.0;
    // n over i, halved n times.
    let mut term = 0.5_f64.powi(i32::try_from(n).unwrap_or(i32::MAX));
    for i in 0..k {
        tail += term;
        #[allow(clippy::cast_precision_loss)]
        let next = (n - i) as f64 / (i + 1) as f64;
        term *= next;
    }
    2.0_f64.mul_add(-tail, 1.0).max(0.0)
}

impl Benchmark {
    /// How much worse one value is than another: above 1 where it is worse.
    #[must_use]
    pub fn worse(&self, value: f64, best: f64) -> f64 {
        match self.better {
            Better::Higher => best / value,
            Better::Lower => value / best,
        }
    }
}

impl EvidenceFile {
    /// Works out how much worse each variant is than the best.
    pub fn compare(&mut self) {
        let better = |a: &Measured, b: &Measured| {
            let order = a.summary.median.total_cmp(&b.summary.median);
            match self.benchmark.better {
                Better::Higher => order.reverse(),
                Better::Lower => order,
            }
        };
        let best = self.variants.iter().min_by(|a, b| better(a, b));
        let Some(best) = best.map(|best| best.summary) else {
            return;
        };
        let benchmark = self.benchmark.clone();
        for measured in &mut self.variants {
            measured.ratio = benchmark.worse(measured.summary.median, best.median);
            measured.as_good_as_best = measured.summary.meets(&best);
        }
    }

    /// What it says of each variant instead of the table.
    ///
    /// A benchmark tells how variants differ, not how good the best of them is: that one keeps what the table says of it,
    /// and the others are as much worse as they were measured to be. What was not shown to be worse is as good.
    #[must_use]
    pub fn says(&self, table: &Table, needs: &Needs) -> Vec<(Variant, Evidence)> {
        let speed = |variant| {
            let figured = score(table, needs, variant, None).figured;
            let figured = figured.into_iter().filter(|f| f.need.is_of_speed());
            let (sum, weight) = figured.fold((0, 0), |(sum, weight), f| {
                (sum + f.weight.0 * f.penalty.0, weight + f.weight.0)
            });
            sum.checked_div(weight).unwrap_or(0)
        };
        let best = self
            .variants
            .iter()
            .min_by(|a, b| a.ratio.total_cmp(&b.ratio));
        let Some(base) = best.map(|best| speed(best.variant)) else {
            return Vec::new();
        };
        let says = |measured: &Measured| {
            let ratio = if measured.as_good_as_best {
                1.0
            } else {
                measured.ratio
            };
            let more = Micro::of((10.0 * ratio.max(1.0).log2()).min(10.0));
            let penalty = Micro((base + more.0).min(10_000_000));
            (measured.variant, Evidence { penalty })
        };
        self.variants.iter().map(says).collect()
    }

    /// What is wrong with a document that claims to be one.
    #[must_use]
    pub fn flaw(&self) -> Option<String> {
        let major = |version: &str| version.split('.').next().map(str::to_owned);
        if major(&self.format_version) != major(EVIDENCE_VERSION) {
            let (theirs, ours) = (&self.format_version, EVIDENCE_VERSION);
            return Some(format!(
                "its format is {theirs}, and this infra reads {ours}"
            ));
        }
        let good = |n: f64| n.is_finite() && n > 0.0;
        let odd = self
            .variants
            .iter()
            .find(|m| !good(m.summary.median) || !good(m.ratio) || m.ratio < 0.999);
        odd.map(|m| format!("{} has no usable median or ratio", m.variant))
    }
}
