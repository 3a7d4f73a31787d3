//! The table: what is known, in one file (`table.json`).

use std::collections::BTreeMap;
use std::fmt;

use infra_api::{Level, Need, Needs, Runtime, Setting, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const BUILT_IN: &str = include_str!("table.json");

/// Millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micro(pub u64);

impl Micro {
    pub(crate) fn of(value: f64) -> Self {
        // No value of the table is negative or near the end of the range: `Table::flaws` says so.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Self((value * 1e6).round() as u64)
    }
}

impl Micro {
    /// For documents: with three digits.
    #[must_use]
    pub fn value(self) -> f64 {
        // Far below 2^53.
        #[allow(clippy::cast_precision_loss)]
        let thousandths = ((self.0 + 500) / 1000) as f64;
        thousandths / 1000.0
    }
}

impl fmt::Display for Micro {
    /// With two digits: `0.57`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = (self.0 + 5000) / 10_000;
        write!(f, "{}.{:02}", hundredths / 100, hundredths % 100)
    }
}

/// All that choosing knows of runtimes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Of this format.
    pub format: String,
    /// What a level of a need weighs.
    pub weights: BTreeMap<Level, f64>,
    pub bands: Bands,
    /// Two variants whose weighted penalties, added up, differ by less are a tie, which rules decide.
    pub tie: f64,
    /// What keeps a variant from being a candidate at all.
    pub exclusions: Vec<Exclusion>,
    /// What the planner sets by itself, and when.
    pub settings: Vec<Wanted>,
    pub sources: Vec<Source>,
    /// Of several that fit a variant the one with the most settings holds; of those the last.
    pub figures: Vec<Figure>,
    /// Names for the needs of well-known workloads.
    pub classes: Vec<Class>,
}

/// Up to where a penalty is called what.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bands {
    /// Below: no concern.
    pub mature: f64,
    /// Up to here: limited concerns; above: difficult.
    pub limited: f64,
}

/// What a penalty is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Band {
    Mature,
    Limited,
    Difficult,
}

impl Band {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Mature => "mature",
            Self::Limited => "limited",
            Self::Difficult => "difficult",
        }
    }
}

/// Where a need is of this level or above, what costs it this much or more is no candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    pub need: Need,
    pub at: Level,
    pub penalty: f64,
    /// Not where the workload trusts whom it shares the host with.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unless_trusted: bool,
    pub why: String,
}

/// A setting that the planner adds where one of these needs is of this level or above, nothing else is declared and the
/// host has what it takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    pub setting: Setting,
    pub runtimes: Vec<Runtime>,
    pub needs: Vec<Need>,
    pub at: Level,
}

/// Where figures are from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub id: String,
    pub title: String,
    #[serde(rename = "where")]
    pub place: String,
    /// When it was published; where that is not known, when it was read.
    pub date: String,
}

/// What a runtime costs a need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    pub need: Need,
    pub runtime: Runtime,
    /// It holds with all of these.
    #[serde(default)]
    pub with: Settings,
    pub value: f64,
    pub unit: Unit,
    pub kind: Kind,
    /// Its id.
    pub source: String,
    pub date: String,
    /// What was measured, or why it is judged so.
    pub why: String,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Times as bad as on bare metal; 1 or more.
    Ratio,
    /// Until it runs.
    Seconds,
    /// From 0, nothing to complain of, to 10, impossible.
    Ordinal,
}

/// How a figure came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It stands in its source, or follows from what stands there.
    Published,
    /// On the owner's own hosts.
    Measured,
    /// Somebody's judgement, from its source.
    Judged,
}

impl Kind {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Measured => "measured",
            Self::Judged => "judged",
        }
    }
}

/// Needs with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Class {
    pub name: String,
    pub doc: String,
    /// Whose letters these are.
    pub said_by: String,
    pub needs: Needs,
}

/// The most a penalty comes to.
const WORST: f64 = 10.0;

impl Figure {
    /// What it costs: 0 to 10.
    #[must_use]
    pub fn penalty(&self) -> Micro {
        let penalty = match self.unit {
            Unit::Ratio => WORST * self.value.max(1.0).log2(),
            Unit::Seconds => WORST / 3.0 * (self.value.max(0.1) / 0.1).log10(),
            Unit::Ordinal => self.value,
        };
        Micro::of(penalty.clamp(0.0, WORST))
    }

    /// `1.81`, `0.57 s`, `8 of 10`.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.unit {
            Unit::Ratio => format!("×{}", self.value),
            Unit::Seconds => format!("{} s", self.value),
            Unit::Ordinal => format!("{} of 10", self.value),
        }
    }
}

impl Default for Table {
    fn default() -> Self {
        Self::built_in()
    }
}

impl Table {
    /// The one infra comes with.
    ///
    /// # Panics
    ///
    /// Where it cannot be read, which a test makes sure of.
    #[must_use]
    pub fn built_in() -> Self {
        serde_json::from_str(BUILT_IN).expect("the table infra comes with is one")
    }

    #[must_use]
    pub fn weight(&self, level: Level) -> Micro {
        Micro::of(self.weights.get(&level).copied().unwrap_or(0.0))
    }

    #[must_use]
    pub fn class(&self, name: &str) -> Option<&Class> {
        self.classes.iter().find(|class| class.name == name)
    }

    /// What a runtime with these settings costs a need: position of the figure, and the figure.
    #[must_use]
    pub fn figure(&self, need: Need, runtime: Runtime, with: Settings) -> Option<(usize, &Figure)> {
        let figures = self.figures.iter().enumerate();
        figures
            .filter(|(_, f)| (f.need, f.runtime) == (need, runtime) && f.with.is_subset(with))
            .max_by_key(|(position, f)| (f.with.len(), *position))
    }

    #[must_use]
    pub fn band(&self, penalty: Micro) -> Band {
        if penalty < Micro::of(self.bands.mature) {
            Band::Mature
        } else if penalty <= Micro::of(self.bands.limited) {
            Band::Limited
        } else {
            Band::Difficult
        }
    }

    /// The number by which a source is spoken of.
    #[must_use]
    pub fn source(&self, id: &str) -> Option<usize> {
        let position = self.sources.iter().position(|source| source.id == id);
        position.map(|position| position + 1)
    }

    /// What the planner would set by itself for these needs.
    #[must_use]
    pub fn wanted(&self, runtime: Runtime, needs: &Needs) -> Settings {
        let wanted = self.settings.iter().filter(|w| {
            let asks = |need: &Need| needs.get(*need) >= w.at && needs.get(*need) > Level::None;
            w.runtimes.contains(&runtime) && w.needs.iter().any(asks)
        });
        wanted.map(|w| w.setting).collect()
    }
}
