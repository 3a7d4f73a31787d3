//! Which runtime suits which needs. Numbers are data (`table.json`: figures with unit, source, date and how they came to
//! be; weights, bands, exclusions), and what is done with them stands apart: one rule a file. Knows no configuration, no
//! host and no runtime's make.
//!
//! A figure says what a runtime, with certain settings, costs one need. It becomes a *penalty* of 0 to 10: of a ratio to
//! bare metal 10·log₂ (10 is twice as bad), of seconds to start 10/3·log₁₀(t / 0.1 s), of an ordinal itself. The *score*
//! of a variant is the mean of its penalties weighted by the needs' levels; lower is better. All arithmetic after the
//! logarithm is in whole millionths, so that the same inputs give the same bytes.

mod evidence;
mod overlay;
mod rank;
mod rules;
mod score;
mod table;
mod turn;

pub use evidence::{
    Benchmark, Better, EVIDENCE_VERSION, EvidenceFile, Failed, Measured, MeasuredHost, Measurement,
    Summary,
};
pub use overlay::Overlay;
pub use rank::{Ranked, Ranking, rank, rank_open};
pub use rules::excluded;
pub use score::{Evidence, Figured, Score, score};
pub use table::{Band, Class, Exclusion, Figure, Kind, Micro, Source, Table, Unit, Wanted};
pub use turn::{Turn, turns};

#[cfg(test)]
mod tests;
