//! A plan that touches nothing: the state is brought to what the world is.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Address, Observed, ResourceId};
use infra_plan::{FORMAT_VERSION, Outcome, Plan};

use super::{Planned, Session};
use crate::cli::ui::Stop;
use crate::decide::Decision;
use crate::inventory::Inventory;
use crate::recover;
use crate::select::Selection;
use crate::world::{ImageFiles, World};

impl Session {
    /// What is gone is forgotten, what was changed is recorded as it is, what carries our mark is recorded too.
    pub(super) async fn refresh(self, world: World) -> Result<Planned, Stop> {
        let prior = self.prior();
        let recorded = prior.resources.iter();
        let recorded: BTreeMap<_, _> = recorded.map(|(id, r)| (id.clone(), &*r.body)).collect();
        let observed = self.observe(&world, &recorded).await?;
        let found = recover::completed(prior.clone(), &observed);
        let selection = self.selection(&Inventory::default(), &found)?;
        let strays = unrecorded(&found, prior);
        self.whose(&strays)?;
        let result = self.as_found(&observed, &found, &selection);
        let plan = Plan {
            format_version: FORMAT_VERSION.to_owned(),
            project: self.project().clone(),
            basis: self.loaded.basis(),
            left_out: self.left_out(&selection, &result),
            unreachable: self.left_unreachable(&selection, &result),
            let_go: &self.moved.let_go & &result.released,
            result,
            steps: Vec::new(),
            moved: self.moved.addresses.clone(),
            secrets: Vec::new(),
            imports: BTreeSet::new(),
            daemons: self.daemons(),
        };
        Ok(Planned {
            session: self,
            world,
            plan,
            decision: Decision::default(),
            inventory: Inventory::default(),
            files: ImageFiles::new(),
        })
    }

    fn as_found(
        &self,
        observed: &BTreeMap<ResourceId, Observed>,
        found: &Outcome,
        selection: &Selection,
    ) -> Outcome {
        let mut result = self.prior().clone();
        for (id, record) in &found.resources {
            if selection.leaves_out(&record.address) {
                continue;
            }
            match observed.get(id) {
                Some(Observed::Present { body, .. }) => {
                    let entry = result.resources.entry(id.clone());
                    entry.or_insert_with(|| record.clone()).body = body.clone();
                }
                Some(Observed::Absent | Observed::Foreign { .. }) => {
                    result.resources.remove(id);
                }
                // Half made: the next plan finishes or removes it. Not looked at: nothing is known.
                Some(Observed::Partial { .. }) | None => {}
            }
        }
        let places = recover::placements(&result.resources, &self.configuration.declared);
        for (address, place) in places {
            result.workloads.entry(address).or_insert(place);
        }
        let left: BTreeSet<&Address> = result.resources.values().map(|r| &r.address).collect();
        result.workloads.retain(|address, _| left.contains(address));
        result
    }
}

/// What is found and not recorded.
fn unrecorded(found: &Outcome, prior: &Outcome) -> Vec<String> {
    let new = |id: &&ResourceId| !prior.resources.contains_key(*id);
    let found = found.resources.keys().filter(new);
    found.map(ToString::to_string).collect()
}
