//! Which host, and exactly which CPUs, NUMA nodes, pages and devices of it. Pure: a fleet and what is asked of it in,
//! places or reasons out; the same in, the same out.
//!
//! It knows machines by position ([`Topology`]) and what is free of them ([`Room`]); it knows no configuration, no
//! daemon, no JSON and no XML.

mod ask;
mod capacity;
mod cost;
mod cpus;
mod devices;
mod fit;
mod fleet;
mod memory;
mod misses;
mod price;
mod refusal;
mod room;
mod stand;
mod topology;
mod waste;

pub use ask::{Ask, Cell, Cpus, Devices, Memory, Near, Numa, Policy};
pub use capacity::{Capacity, Lack, Left, capacity};
pub use cost::{Cost, LOCALITY, TIERS};
pub use fit::{CellView, Fit, SharedView, View, fit};
pub use fleet::{
    Affinity, Assigned, Changed, Effort, Explained, Fleet, FleetCapacity, Form, Gain, Host,
    Improvement, Job, Move, Nearest, Outcome, Reason, Refusal, Rival, Rule, Scope, Stood, Verdict,
    Wants, Way, explain, fleet_capacity, nearest, place, rebalance,
};
pub use infra_api::{L3, Threads};
pub use misses::{Miss, misses};
pub use price::price;
pub use refusal::Constraint;
pub use room::{Room, Stock};
pub use stand::{Stand, Standing, hold, keep};
pub use topology::{Core, Device, Node, NodeKind, Topology};
