//! What is left out because its host cannot be reached: what is there stays there, what must go there waits.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Address, HostName};

use super::{Map, is_workload};
use crate::declared::{Declared, Host, Workload};

/// Hosts that cannot be reached.
#[derive(Clone, Debug, Default)]
pub struct Away {
    pub hosts: BTreeSet<HostName>,
    /// Workloads that may be there: an apply was cut off at them, and nobody can look.
    pub doubted: BTreeMap<Address, HostName>,
}

impl Away {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// The host among these that a workload must go to: where it may be already, by its own word, by that of a volume of
    /// it, or the only ones with the labels it asks for.
    #[must_use]
    pub fn awaited(&self, workload: &Workload, declared: &Declared) -> Option<&HostName> {
        let of = |host: &HostName| self.hosts.get(host);
        let volumes = workload.disks.iter().filter_map(|d| d.volume.as_ref());
        let mut homes = volumes.filter_map(|v| declared.volumes.get(&v.value)?.host.as_ref());
        let named = workload.host.as_ref().and_then(|host| of(&host.value));
        let doubted = self.doubted.get(&workload.address);
        doubted
            .or(named)
            .or_else(|| homes.find_map(|home| of(&home.value)))
            .or_else(|| self.labelled(workload, declared))
    }

    fn labelled(&self, workload: &Workload, declared: &Declared) -> Option<&HostName> {
        let mut asked = workload.host_labels.iter().peekable();
        asked.peek()?;
        let has = |host: &Host| {
            let mut asked = workload.host_labels.iter();
            asked.all(|(label, value)| host.labels.get(label) == Some(value))
        };
        let mut with = declared.hosts.values().filter(|host| has(host)).peekable();
        let first = self.hosts.get(&with.peek()?.name)?;
        with.all(|host| self.hosts.contains(&host.name))
            .then_some(first)
    }
}

impl Map<'_> {
    /// Every address that nothing can be planned at.
    pub(super) fn away(&self) -> BTreeSet<Address> {
        let (away, state, declared) = (self.ground.away, self.ground.state, self.ground.declared);
        if away.is_empty() {
            return BTreeSet::new();
        }
        let places = state.workloads.iter();
        let placed = places.filter(|(_, place)| away.hosts.contains(&place.host));
        let placed = placed.map(|(address, _)| address);
        let records = state.resources.iter();
        let there = records.filter(|(id, _)| away.hosts.contains(&id.host));
        let there = there.map(|(_, record)| &record.address);
        // A network or an image is on every host that uses it, and is no host's.
        let own = |a: &&Address| is_workload(a) || declared.volumes.contains_key(*a);
        let mut all: BTreeSet<Address> = placed.chain(there.filter(own)).cloned().collect();
        if self.ground.destroy {
            return all;
        }
        let volumes = declared.volumes.values();
        let volumes = volumes.filter(|volume| {
            let host = volume.host.as_ref();
            host.is_some_and(|host| away.hosts.contains(&host.value))
        });
        all.extend(volumes.map(|volume| volume.address.clone()));
        let waiting = declared.workloads.iter();
        let waiting = waiting.filter(|w| away.awaited(w, declared).is_some());
        all.extend(waiting.map(|w| w.address.clone()));
        all
    }
}
