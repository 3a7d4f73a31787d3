//! Hosts that cannot be reached, where a plan may be made without them: what is there stays there, as it is recorded, and
//! nothing comes to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use infra_api::{Address, HostName, ResourceId};
use infra_plan::{Outcome, Unreachable};

use super::Session;
use crate::cli::ui::{Stop, Ui};
use crate::lower;
use crate::select::{Away, Selection};
use crate::world::World;

impl Session {
    /// Opens the daemons, as [`Self::connect`] does, and finds the hosts that cannot be reached, where it is allowed that there
    /// are some: there is no way in, or nothing is recorded of it.
    ///
    /// # Errors
    /// When two hosts are one machine.
    pub async fn reach(&mut self) -> Result<World, Stop> {
        let world = self.connect().await?;
        if !self.options.allow_unreachable {
            return Ok(world);
        }
        self.unreachable = match &self.options.facts {
            Some(directory) => self.unrecorded(directory),
            None => world
                .closed()
                .map(|(host, why)| (host.clone(), why.to_string()))
                .collect(),
        };
        Ok(world)
    }

    fn unrecorded(&self, directory: &Path) -> BTreeMap<HostName, String> {
        let hosts = self.configuration.declared.hosts.keys();
        let missing = hosts.filter(|host| !directory.join(format!("{host}.json")).exists());
        missing
            .map(|host| (host.clone(), "no facts of it are recorded".to_owned()))
            .collect()
    }

    /// Says of each that it was not looked at.
    pub fn tell_unreachable(&self, ui: Ui) {
        for (host, why) in &self.unreachable {
            ui.warning(&format!(
                "host `{host}` cannot be reached and was not looked at: {why}"
            ));
        }
    }

    /// Whether an object can be looked at.
    pub(super) fn can_look(&self, id: &ResourceId) -> bool {
        !self.unreachable.contains_key(&id.host)
    }

    pub(super) fn away(&self) -> Away {
        let hosts: BTreeSet<HostName> = self.unreachable.keys().cloned().collect();
        let doubted = self.doubted(&hosts);
        Away { hosts, doubted }
    }

    /// Workloads that an apply was cut off at there.
    fn doubted(&self, hosts: &BTreeSet<HostName>) -> BTreeMap<Address, HostName> {
        let doubted = self.loaded.in_doubt.iter();
        let doubted: BTreeMap<&str, &HostName> = doubted
            .filter(|id| hosts.contains(&id.host))
            .map(|id| (id.name.as_str(), &id.host))
            .collect();
        if doubted.is_empty() {
            return BTreeMap::new();
        }
        let declared = &self.configuration.declared;
        let names = (&declared.names, &self.prior().made_as);
        let workloads = declared.workloads.iter().map(|w| &w.address);
        let there = workloads.filter_map(|address| {
            let name = lower::called(self.project(), address, names);
            let host = *doubted.get(name.as_str())?;
            Some((address.clone(), host.clone()))
        });
        there.collect()
    }

    /// What a plan says of them.
    pub(super) fn left_unreachable(
        &self,
        selection: &Selection,
        state: &Outcome,
    ) -> BTreeMap<HostName, Unreachable> {
        let away = self.away();
        let declared = &self.configuration.declared;
        let mut left: BTreeMap<HostName, Unreachable> = BTreeMap::new();
        for (host, why) in &self.unreachable {
            let objects = state.resources.keys().filter(|id| id.host == *host).count();
            let places = state.workloads.iter();
            let there = places.filter(|(_, place)| place.host == *host);
            let unreachable = Unreachable {
                why: why.clone(),
                objects: objects as u64,
                stay: there.map(|(address, _)| address.clone()).collect(),
                wait: BTreeSet::new(),
            };
            left.insert(host.clone(), unreachable);
        }
        if self.options.destroy {
            return left;
        }
        let is_there = |address: &Address| {
            let place = state.workloads.get(address);
            place.is_some_and(|place| away.hosts.contains(&place.host))
        };
        let workloads = declared.workloads.iter();
        for workload in workloads.filter(|w| selection.leaves_out(&w.address)) {
            let address = &workload.address;
            let host = away.awaited(workload, declared);
            if let Some(host) = host.filter(|_| !is_there(address)) {
                left.entry(host.clone())
                    .or_default()
                    .wait
                    .insert(address.clone());
            }
        }
        left
    }
}
