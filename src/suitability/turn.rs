//! What change of one need would turn a choice.

use infra_api::{Level, Need, Needs, Runtime, Variant};

use crate::rank::rank_open;
use crate::score::Evidence;
use crate::table::Table;

/// A need at another level, and what would be chosen then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    /// By how many levels.
    pub distance: u8,
    pub need: Need,
    pub level: Level,
    pub runtime: Runtime,
}

/// Every need's nearest level at which another runtime would be chosen among these variants, the nearest first.
#[must_use]
pub fn turns(
    table: &Table,
    needs: &Needs,
    trusted: bool,
    variants: &[(Variant, Option<Evidence>)],
) -> Vec<Turn> {
    let chosen = |needs: &Needs| {
        let ranking = rank_open(table, needs, trusted, variants);
        ranking.best().map(|best| best.score.variant.runtime)
    };
    let Some(now) = chosen(needs) else {
        return Vec::new();
    };
    let turn = |need: Need| {
        let from = needs.get(need);
        let mut levels: Vec<(u8, Level)> = (Level::ALL.into_iter())
            .map(|level| ((level as u8).abs_diff(from as u8), level))
            .filter(|(distance, _)| *distance > 0)
            .collect();
        levels.sort_unstable();
        levels.into_iter().find_map(|(distance, level)| {
            let runtime = chosen(&needs.with(need, level)).filter(|r| *r != now)?;
            Some(Turn {
                distance,
                need,
                level,
                runtime,
            })
        })
    };
    let mut turns: Vec<Turn> = Need::ALL.into_iter().filter_map(turn).collect();
    turns.sort_unstable();
    turns
}
