//! Networks, volumes and pools that others have made and that are ours now: they are wanted though nobody uses them.
//! What carries no mark and was imported stays so; so does what an `import` block still speaks of.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Address, HostName, Observed, ResourceId};

use super::Session;
use super::import::{Asked, kind, own_kind};
use crate::cli::ui::Stop;
use crate::select::Selection;
use crate::world::World;

/// For which address each.
pub(super) type Taken = BTreeMap<ResourceId, Address>;

const KINDS: [&str; 3] = ["network", "volume", "pool"];

impl Session {
    /// Those that the state knows.
    pub(super) fn taken_before(&self) -> Taken {
        let asked: BTreeSet<Address> = self.all_asked().map(|asked| asked.to).collect();
        let records = self.prior().resources.iter();
        let taken = records.filter(|(id, record)| {
            let speaks = record.imported.is_some() || asked.contains(&record.address);
            speaks && KINDS.contains(&own_kind(id)) && own_kind(id) == kind(&record.address)
        });
        taken
            .map(|(id, record)| (id.clone(), record.address.clone()))
            .collect()
    }

    fn all_asked(&self) -> impl Iterator<Item = Asked> {
        let written = self.configuration.imports.iter().map(Asked::written);
        written.chain(self.options.import.clone())
    }

    /// Those, and the ones that are asked for and there.
    ///
    /// # Errors
    /// When a daemon that is needed does not answer.
    pub(super) async fn find_taken(&self, world: &World) -> Result<Taken, Stop> {
        let mut taken = self.taken_before();
        if self.options.facts.is_some() {
            return Ok(taken);
        }
        let hosts: Vec<&HostName> = self.configuration.declared.hosts.keys().collect();
        let mut failures = Vec::new();
        for asked in self.all_asked() {
            if !KINDS.contains(&kind(&asked.to)) || self.knows(&asked.to) {
                continue;
            }
            let (mut there, mut silent) = (false, Vec::new());
            for id in asked.candidates(&hosts) {
                match world.read(self.project(), &id).await {
                    Ok(Observed::Absent) => {}
                    Ok(_) => {
                        there = true;
                        taken.insert(id, asked.to.clone());
                    }
                    Err(failure) => silent.push(failure),
                }
            }
            // A name may mean an object of either daemon, and only one may be here.
            failures.extend(silent.into_iter().filter(|_| !there));
        }
        match failures.is_empty() {
            true => Ok(taken),
            false => Err(Stop::all(failures)),
        }
    }

    /// What was imported, nobody wants any more, and holds what others have put there: it is left where it is. Those
    /// that are there.
    pub(super) fn leave(
        &self,
        observed: &mut BTreeMap<ResourceId, Observed>,
        wanted: &BTreeSet<ResourceId>,
        selection: &Selection,
    ) -> BTreeSet<ResourceId> {
        let mut left = BTreeSet::new();
        for (id, record) in &self.prior().resources {
            let keeps = self
                .provider(id)
                .is_some_and(|p| p.keeps_imported(&id.kind));
            let ours = record.imported.is_some() && !wanted.contains(id);
            if !(keeps && ours) || selection.leaves_out(&record.address) {
                continue;
            }
            match observed.remove(id) {
                None | Some(Observed::Absent) => {}
                Some(_) => drop(left.insert(id.clone())),
            }
        }
        left
    }
}
