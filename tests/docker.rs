//! Live tests of the Docker provider against a real engine: the laws of the contract, every change in
//! place, calls cut off at each point, and what must be refused. Not the pure half, which is tested
//! where it stands.

#[path = "docker/rig.rs"]
mod rig;

#[path = "docker/things.rs"]
mod things;

#[path = "docker/doors.rs"]
mod doors;

#[path = "docker/laws.rs"]
mod laws;

#[path = "docker/attributes.rs"]
mod attributes;

#[path = "docker/changes.rs"]
mod changes;

#[path = "docker/nets.rs"]
mod nets;

#[path = "docker/refusals.rs"]
mod refusals;

#[path = "docker/swaps.rs"]
mod swaps;
