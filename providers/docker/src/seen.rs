//! What the question for facts saw, for the list that is asked for next: both want the networks, and each container
//! whole, and a plan asks for both.
//!
//! It is right because it is handed on once and only to the list by which a plan is made: a plan is of one moment
//! anyway, and what has changed since is found before the first step and again before its own, by reads that never
//! look here.

use std::sync::{Mutex, PoisonError};

use crate::calls::look::Containers;
use crate::text::network::Network;

pub(crate) struct Sight {
    pub(crate) networks: Vec<Network>,
    pub(crate) containers: Containers,
}

#[derive(Default)]
pub(crate) struct Seen(Mutex<Option<Sight>>);

impl Seen {
    /// In the place of what was kept before.
    pub(crate) fn keep(&self, sight: Sight) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sight);
    }

    /// Afterwards nothing is kept.
    pub(crate) fn take(&self) -> Option<Sight> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[cfg(test)]
#[path = "seen_tests.rs"]
mod tests;
