//! What was seen a moment ago, for the call that comes next and would ask the same.
//!
//! The question for facts sees the networks, and each container whole; the list that is asked for next wants both, and
//! what a plan reads after that wants to know which names are free. It is right because it is handed on once and only to
//! what a plan is made of: a plan is of one moment anyway, and what has changed since is found before the first step and
//! again before its own, by reads that never look here.
//!
//! A step looks at its object and then acts: the act goes on from that look, which it takes away with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use infra_api::{Project, ResourceId};
use tokio::time::Instant;

use crate::calls::look::Containers;
use crate::kind::{CONTAINER, IMAGE, NETWORK};
use crate::text::image::{Reference, parse};
use crate::text::network::Network;

pub(crate) struct Sight {
    pub(crate) networks: Vec<Network>,
    pub(crate) containers: Containers,
}

/// Names that somebody has, ours or not; of images those in the project's own namespace.
pub(crate) struct Taken {
    pub(crate) containers: BTreeSet<String>,
    pub(crate) networks: BTreeSet<String>,
    pub(crate) images: BTreeSet<String>,
}

impl Sight {
    pub(crate) fn taken(&self) -> Taken {
        let containers = self.containers.all.iter().flat_map(|one| one.names());
        let networks = self.networks.iter().map(|one| one.name.clone());
        Taken {
            containers: containers.map(str::to_owned).collect(),
            networks: networks.collect(),
            images: BTreeSet::new(),
        }
    }
}

impl Taken {
    /// Whether nobody is known to have its name, where that would be known.
    pub(crate) fn lacks(&self, project: &Project, id: &ResourceId) -> bool {
        match id.kind.as_str() {
            CONTAINER => !self.containers.contains(&id.name),
            NETWORK => !self.networks.contains(&id.name),
            IMAGE => {
                let own =
                    matches!(parse(&id.name), Reference::Archive(name) if name.project == *project);
                own && !self.images.contains(&id.name)
            }
            _ => false,
        }
    }
}

/// What one question leaves for the next one alone.
pub(crate) struct Seen<T>(Mutex<Option<T>>);

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Seen<T> {
    /// In the place of what was kept before.
    pub(crate) fn keep(&self, seen: T) {
        self.set(Some(seen));
    }

    pub(crate) fn set(&self, seen: Option<T>) {
        *self.lock() = seen;
    }

    /// Afterwards nothing is kept.
    pub(crate) fn take(&self) -> Option<T> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So long a look is one of this moment: between a step's look and its act there is nothing but a comparison.
const MOMENT: Duration = Duration::from_secs(1);

/// What was just read, by name; each look is good for one act.
pub(crate) struct Looks<T>(Mutex<BTreeMap<String, (Instant, T)>>);

impl<T> Default for Looks<T> {
    fn default() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }
}

impl<T> Looks<T> {
    pub(crate) fn keep(&self, name: &str, found: T) {
        self.lock().insert(name.to_owned(), (Instant::now(), found));
    }

    /// Nothing where it was not looked at, or not in this moment.
    pub(crate) fn take(&self, name: &str) -> Option<T> {
        let (when, found) = self.lock().remove(name)?;
        (when.elapsed() < MOMENT).then_some(found)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, (Instant, T)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "seen_tests.rs"]
mod tests;
