//! `infra`: people declare workloads; this chooses what each runs as, finds its exact place, shows what would
//! change and why, applies it, and can tell what the world has become since.
//!
//! The straight line, each arrow a function and each type a box:
//!
//! ```text
//! Sources ─parse─► Program ─evaluate─► Instance ─read─► Workload ─choose─► Choice ─place─► Placement
//!                                                                                            │ lower
//! State ◄─fold─ Journal ◄─apply─ Plan ◄─assemble─ Observed + Desired ◄─resources─ Target ◄───┘
//! ```
//!
//! Everything up to the plan is pure: no I/O, no clock, no environment, no randomness; the same inputs give the
//! same bytes. `world` and `cli` are the shell.

pub mod addresses;
pub mod check;
pub mod choose;
pub mod cli;
pub mod configuration;
pub mod decide;
pub mod declared;
pub mod generate;
pub mod inventory;
pub mod kept;
pub mod lower;
mod migrates;
pub mod moved;
pub mod outputs;
pub mod placing;
pub mod recover;
pub mod reference;
pub mod refusals;
pub mod schemas;
pub mod select;
pub mod verify;
pub mod world;
