//! Some of the hosts there are.

use std::sync::Arc;

use infra_api::{HostName, IdSet};

/// Hosts, in the order of their names. Sets of one inventory share the names.
#[derive(Clone, Debug)]
pub struct Hosts {
    /// All there are, ascending.
    names: Arc<[HostName]>,
    /// Positions.
    these: Arc<IdSet>,
}

impl Hosts {
    /// All of these.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = HostName>) -> Self {
        let mut names: Vec<HostName> = names.into_iter().collect();
        names.sort();
        names.dedup();
        let these = (0u32..).zip(&names).map(|(position, _)| position).collect();
        Self {
            names: names.into(),
            these: Arc::new(these),
        }
    }

    /// Those of them of which this holds.
    #[must_use]
    pub fn only(&self, holds: impl Fn(&HostName) -> bool) -> Self {
        let position = |host: &HostName| self.position(host).filter(|_| holds(host));
        self.part(self.iter().filter_map(position).collect())
    }

    /// Some of all there are, by their positions among all.
    pub(super) fn part(&self, these: IdSet) -> Self {
        Self {
            names: Arc::clone(&self.names),
            these: Arc::new(these),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &HostName> {
        self.these
            .iter()
            .filter_map(|at| self.names.get(at as usize))
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.these.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.these.is_empty()
    }

    #[must_use]
    pub fn contains(&self, host: &HostName) -> bool {
        let position = self.position(host);
        position.is_some_and(|position| self.these.contains(position))
    }

    /// Positions among all hosts in the order of their names.
    #[must_use]
    pub fn positions(&self) -> &Arc<IdSet> {
        &self.these
    }

    /// Of a host, among all there are.
    pub(super) fn position(&self, host: &HostName) -> Option<u32> {
        u32::try_from(self.names.binary_search(host).ok()?).ok()
    }
}

impl PartialEq for Hosts {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Hosts {}
