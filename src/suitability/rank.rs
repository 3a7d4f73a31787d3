//! Variants in the order in which they suit.

use infra_api::{Needs, Variant};

use crate::rules::{self, Tie};
use crate::score::{Evidence, Score, score};
use crate::table::Table;

/// Variants, the best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranking {
    pub ranked: Vec<Ranked>,
}

/// A variant and how it came to its rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    pub score: Score,
    /// The rule that set it before one with a lower sum, in words; nothing where its sum is the lowest of those left.
    pub by: Option<&'static str>,
}

/// Orders variants: the lowest sum first, but where another is so near to it that they are a tie, and a rule prefers its
/// runtime. Of one runtime and one sum the one with more settings comes first: they shield it from its neighbours, which
/// no figure counts.
#[must_use]
pub fn rank(table: &Table, needs: &Needs, variants: &[(Variant, Option<Evidence>)]) -> Ranking {
    let mut left: Vec<Score> = (variants.iter())
        .map(|(variant, evidence)| score(table, needs, *variant, *evidence))
        .collect();
    left.sort_by_key(|s| (s.sum, std::cmp::Reverse(s.variant.with.len()), s.variant));
    let mut ranked = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let (at, by) = next(table, needs, &left);
        let score = left.remove(at);
        ranked.push(Ranked { score, by });
    }
    Ranking { ranked }
}

/// The same of those that no need excludes.
#[must_use]
pub fn rank_open(
    table: &Table,
    needs: &Needs,
    trusted: bool,
    variants: &[(Variant, Option<Evidence>)],
) -> Ranking {
    let open = |(variant, _): &&(Variant, Option<Evidence>)| {
        rules::excluded(table, needs, trusted, *variant).is_none()
    };
    let open: Vec<_> = variants.iter().filter(open).copied().collect();
    rank(table, needs, &open)
}

/// Which of those left comes next, and by which rule where that is not the first.
fn next(table: &Table, needs: &Needs, left: &[Score]) -> (usize, Option<&'static str>) {
    let tied = |score: &&Score| score.sum - left[0].sum < tie(table);
    let tied: Vec<&Score> = left.iter().take_while(tied).collect();
    let prefers = |rule: &&Tie| (rule.holds)(needs);
    for rule in rules::TIES.iter().filter(prefers) {
        if let Some(at) = tied.iter().position(|s| s.variant.runtime == rule.runtime) {
            return (at, (at > 0).then_some(rule.why));
        }
    }
    (0, None)
}

/// Below this two sums are a tie.
pub(crate) fn tie(table: &Table) -> u64 {
    crate::table::Micro::of(table.tie).0 * 1_000_000
}

impl Ranking {
    #[must_use]
    pub fn best(&self) -> Option<&Ranked> {
        self.ranked.first()
    }

    /// The best of another runtime than the best.
    #[must_use]
    pub fn runner_up(&self) -> Option<&Ranked> {
        let best = self.best()?.score.variant.runtime;
        let mut others = self.ranked.iter();
        others.find(|r| r.score.variant.runtime != best)
    }
}

impl Score {
    /// Whether two are so near that rules decide between them.
    #[must_use]
    pub fn ties(&self, other: &Self, table: &Table) -> bool {
        self.sum.abs_diff(other.sum) < tie(table)
    }

    /// The need by which it gains most on another one.
    #[must_use]
    pub fn gains_most(&self, other: &Self) -> Option<infra_api::Need> {
        let gain = |need| other.part(need).saturating_sub(self.part(need));
        let needs = self.figured.iter().map(|f| f.need);
        let most = needs.max_by_key(|need| (gain(*need), std::cmp::Reverse(*need)))?;
        (gain(most) > 0).then_some(most)
    }
}
