//! What must not be destroyed, and what must not be taken away under others.

use std::collections::BTreeSet;

use infra_api::ResourceId;

use super::{Assembly, Fate};
use crate::{Outcome, Refusal};

impl Assembly<'_> {
    /// Refuses what would destroy something that must not be.
    pub(super) fn guard(&mut self) {
        for (id, verdict) in &self.verdicts {
            let (Fate::Delete(reason) | Fate::Replace(reason)) = &verdict.fate else {
                continue;
            };
            let recorded = self
                .inputs
                .state
                .resources
                .get(id)
                .is_some_and(|r| r.prevent_destroy);
            // The declaration's word counts while there is one; the state's holds when it is gone.
            let prevented = verdict
                .wanted
                .as_ref()
                .map_or(recorded, |w| w.prevent_destroy);
            if prevented {
                self.refusals.push(Refusal::PreventDestroy {
                    id: id.clone(),
                    address: verdict.address.clone(),
                    reason: reason.clone(),
                });
            }
        }
    }

    /// Refuses what would take away what others stand on that are left as they are.
    pub(super) fn leave_standing(&mut self) {
        for user in self.inputs.left {
            let Some(record) = self.inputs.state.resources.get(user) else {
                continue;
            };
            for id in &record.after {
                let Some(verdict) = self.verdicts.get(id) else {
                    continue;
                };
                if matches!(verdict.fate, Fate::Delete(_) | Fate::Replace(_)) {
                    self.refusals.push(Refusal::InUse {
                        id: id.clone(),
                        address: verdict.address.clone(),
                        user: user.clone(),
                        user_address: record.address.clone(),
                    });
                }
            }
        }
    }
}

/// What is left as it is stays recorded as it was.
pub(super) fn keep_recorded(result: &mut Outcome, state: &Outcome, left: &BTreeSet<ResourceId>) {
    let kept = state.resources.iter().filter(|(id, _)| left.contains(id));
    for (id, record) in kept {
        let entry = result.resources.entry(id.clone());
        entry.or_insert_with(|| record.clone());
    }
}
