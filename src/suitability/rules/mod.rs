//! What is done with the numbers beside adding them up: one rule a file.

mod bare_metal;
mod container;
mod exclusion;
mod kvm;
mod packed;

use infra_api::{Needs, Runtime};

pub use exclusion::excluded;

/// Which runtime comes first among those that are as good as each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tie {
    pub(crate) runtime: Runtime,
    pub(crate) holds: fn(&Needs) -> bool,
    /// For people, after "first, ".
    pub(crate) why: &'static str,
}

/// In this order: the first that holds and whose runtime is among the best decides.
pub(crate) const TIES: &[Tie] = &[bare_metal::TIE, container::TIE, kvm::TIE, packed::TIE];
