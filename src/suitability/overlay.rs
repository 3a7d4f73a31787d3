//! A table laid over another: what an owner knows better.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::table::{Bands, Class, Exclusion, Figure, Kind, Source, Table, Unit, Wanted};

/// Parts of a table: each replaces the one of the same key, or is added.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Overlay {
    pub format: Option<String>,
    pub weights: std::collections::BTreeMap<infra_api::Level, f64>,
    pub bands: Option<Bands>,
    pub tie: Option<f64>,
    /// By need.
    pub exclusions: Vec<Exclusion>,
    /// By setting.
    pub settings: Vec<Wanted>,
    /// By id.
    pub sources: Vec<Source>,
    /// By need, runtime and settings.
    pub figures: Vec<Figure>,
    /// By name.
    pub classes: Vec<Class>,
}

/// Puts each in the place of the one that is the same, else at the end.
fn lay<T>(over: Vec<T>, under: &mut Vec<T>, same: impl Fn(&T, &T) -> bool) {
    for new in over {
        match under.iter_mut().find(|old| same(old, &new)) {
            Some(old) => *old = new,
            None => under.push(new),
        }
    }
}

impl Table {
    /// With another's parts in place of its own.
    #[must_use]
    pub fn overlaid(mut self, over: Overlay) -> Self {
        self.weights.extend(over.weights);
        self.bands = over.bands.unwrap_or(self.bands);
        self.tie = over.tie.unwrap_or(self.tie);
        lay(over.exclusions, &mut self.exclusions, |a, b| {
            a.need == b.need
        });
        lay(over.settings, &mut self.settings, |a, b| {
            a.setting == b.setting
        });
        lay(over.sources, &mut self.sources, |a, b| a.id == b.id);
        lay(over.figures, &mut self.figures, |a, b| {
            (a.need, a.runtime, a.with) == (b.need, b.runtime, b.with)
        });
        lay(over.classes, &mut self.classes, |a, b| a.name == b.name);
        self
    }

    /// What is wrong with it, each in words.
    #[must_use]
    pub fn flaws(&self) -> Vec<String> {
        let mut flaws = Vec::new();
        for (level, weight) in &self.weights {
            if !(0.0..=1000.0).contains(weight) {
                flaws.push(format!("the weight of `{level}` is {weight}: 0 to 1000"));
            }
        }
        let mut last = 0.0;
        for level in infra_api::Level::ALL {
            let weight = self.weights.get(&level).copied().unwrap_or(0.0);
            if weight < last {
                flaws.push(format!("`{level}` weighs less than the level below it"));
            }
            last = weight;
        }
        if !(0.0..=1000.0).contains(&self.tie) {
            flaws.push(format!("`tie` is {}: 0 to 1000", self.tie));
        }
        let Bands { mature, limited } = self.bands;
        if !(0.0 <= mature && mature <= limited && limited <= 10.0) {
            flaws.push(format!(
                "the bands end at {mature} and {limited}: 0 to 10, the first before the second"
            ));
        }
        flaws.extend(self.figures.iter().filter_map(|figure| self.flaw(figure)));
        for exclusion in &self.exclusions {
            if !(0.0..=10.0).contains(&exclusion.penalty) {
                let (need, penalty) = (exclusion.need, exclusion.penalty);
                flaws.push(format!(
                    "the exclusion by `{need}` is at {penalty}: 0 to 10"
                ));
            }
        }
        flaws
    }

    fn flaw(&self, figure: &Figure) -> Option<String> {
        let (good, range) = match figure.unit {
            Unit::Ratio => ((1.0..=1e6).contains(&figure.value), "1 or more"),
            Unit::Seconds => ((0.0..=1e6).contains(&figure.value), "0 or more"),
            Unit::Ordinal => ((0.0..=10.0).contains(&figure.value), "0 to 10"),
        };
        let of = format!(
            "the figure of `{}` for `{}`",
            figure.runtime.word(),
            figure.need
        );
        if !good {
            return Some(format!("{of} is {}: {range}", figure.value));
        }
        let known = figure.kind == Kind::Measured || self.source(&figure.source).is_some();
        (!known).then(|| format!("{of} is from `{}`, which no source is", figure.source))
    }
}
