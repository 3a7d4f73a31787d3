//! Placing on one host against an oracle that looks at everything, and a checker that believes nothing.

#![expect(
    clippy::cast_possible_truncation,
    reason = "its machines have a handful of anything"
)]

mod best;
mod capacity;
mod cases;
mod checker;
mod cpus;
mod devices;
mod exhaustive;
mod laws;
mod misses;
mod price;
mod random;
mod refusals;
mod tiers;
mod world;
