//! The score of a variant for some needs.

use infra_api::{Level, Need, Needs, Variant};

use crate::table::{Micro, Table};

/// How well a variant suits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    pub variant: Variant,
    /// Every need of a level above none, in their order.
    pub figured: Vec<Figured>,
    /// The weighted penalties added up, in millionths of millionths.
    pub sum: u64,
    /// The weights added up.
    pub weight: Micro,
}

/// A need and what the variant costs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figured {
    pub need: Need,
    pub level: Level,
    pub weight: Micro,
    pub penalty: Micro,
    /// The figure's position in the table; nothing where it was measured on one's own hosts, or where there is none.
    pub figure: Option<usize>,
}

/// What a workload's own benchmark says of a variant: instead of the table's figures for all needs of speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub penalty: Micro,
}

impl Score {
    /// The mean of the penalties; lower is better.
    #[must_use]
    pub fn mean(&self) -> Micro {
        match self.weight.0 {
            0 => Micro(0),
            // Down: what is shown of it is rounded once.
            weight => Micro(self.sum / weight),
        }
    }

    #[must_use]
    pub fn of(&self, need: Need) -> Option<&Figured> {
        self.figured.iter().find(|figured| figured.need == need)
    }

    /// A need's part of the sum.
    #[must_use]
    pub fn part(&self, need: Need) -> u64 {
        self.of(need).map_or(0, |f| f.weight.0 * f.penalty.0)
    }
}

/// What a variant comes to.
#[must_use]
pub fn score(table: &Table, needs: &Needs, variant: Variant, evidence: Option<Evidence>) -> Score {
    let some = needs.iter().filter(|(_, level)| *level > Level::None);
    let figured: Vec<Figured> = some
        .map(|(need, level)| {
            let own = evidence.filter(|_| need.is_of_speed());
            let figure = table.figure(need, variant.runtime, variant.with);
            let known = figure.map_or(Micro(0), |(_, figure)| figure.penalty());
            Figured {
                need,
                level,
                weight: table.weight(level),
                penalty: own.map_or(known, |own| own.penalty),
                figure: figure.map(|(at, _)| at).filter(|_| own.is_none()),
            }
        })
        .collect();
    Score {
        variant,
        sum: figured.iter().map(|f| f.weight.0 * f.penalty.0).sum(),
        weight: Micro(figured.iter().map(|f| f.weight.0).sum()),
        figured,
    }
}
