//! What is wanted and what is there, as the engine's JSON: pure, one file a kind of object.

pub(crate) mod container;
pub(crate) mod decode;
pub(crate) mod file;
pub(crate) mod image;
pub(crate) mod inspect;
pub(crate) mod network;
pub(crate) mod unmarked;
pub(crate) mod volume;

#[cfg(test)]
pub(crate) mod imitation;
