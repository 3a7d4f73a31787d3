//! What the question for facts saw of the containers, for the list that is asked for next: both want each
//! container whole, and a plan asks for both.
//!
//! It is right because it is handed on once and only to the list by which a plan is made: a plan is of one moment
//! anyway, and what has changed since is found before the first step and again before its own, by reads that never
//! look here.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::text::inspect::Inspect;

#[derive(Default)]
pub(crate) struct Seen(Mutex<BTreeMap<String, Inspect>>);

impl Seen {
    /// In the place of what was kept before.
    pub(crate) fn keep(&self, found: impl IntoIterator<Item = Inspect>) {
        let found = found.into_iter().map(|one| (one.id.clone(), one));
        let found: BTreeMap<String, Inspect> = found.collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// By id; afterwards nothing is kept.
    pub(crate) fn take(&self) -> BTreeMap<String, Inspect> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
#[path = "seen_tests.rs"]
mod tests;
