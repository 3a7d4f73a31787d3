//! What is removed on one host and made on another is moved there while it runs, where it can be.

use infra_api::{Impact, Observed, ResourceId};

use super::Assembly;
use super::verdict::{Fate, Verdict};
use serde_json::Value;

use crate::{Migration, Reason, diff};

/// An object on one of the two hosts, and what it is there.
type Side<'a> = (&'a ResourceId, &'a Value);

/// Whether one becomes the other while it runs, and where the first host finds the second; or why not.
pub type Migrates<'a> = dyn Fn(Side<'_>, Side<'_>) -> Result<String, Vec<String>> + 'a;

impl Assembly<'_> {
    /// Makes one change of the two. Where it cannot move, what is made says why.
    pub(super) fn migrations(&mut self) {
        let pairs: Vec<(ResourceId, ResourceId)> = self
            .verdicts
            .iter()
            .filter(|(id, verdict)| self.may_come(id, verdict))
            .filter_map(|(id, verdict)| Some((id.clone(), self.elsewhere(id, verdict)?)))
            .collect();
        for (id, from) in pairs {
            let fate = self.moved(&id, &from);
            if matches!(fate, Some(Fate::Migrate(..))) {
                let found = self.verdicts.remove(&from).and_then(|v| v.found);
                self.comes(&id, found);
            }
            if let (Some(fate), Some(verdict)) = (fate, self.verdicts.get_mut(&id)) {
                verdict.fate = fate;
            }
        }
    }

    fn may_come(&self, id: &ResourceId, verdict: &Verdict<'_>) -> bool {
        let asked = verdict
            .wanted
            .as_ref()
            .is_some_and(|w| w.migration.is_some());
        asked && matches!(verdict.fate, Fate::Create(_)) && !self.inputs.replace.contains(id)
    }

    /// The same object, on a host where it is not wanted any more, and runs.
    fn elsewhere(&self, id: &ResourceId, verdict: &Verdict<'_>) -> Option<ResourceId> {
        let is_it = |(other, there): &(&ResourceId, &Verdict<'_>)| {
            let named = (&other.provider, &other.kind, &other.name);
            let runs = matches!(there.found, Some(Observed::Present { body, .. }) if body["state"] == "running");
            named == (&id.provider, &id.kind, &id.name)
                && there.address == verdict.address
                && matches!(there.fate, Fate::Delete(_))
                && runs
        };
        let mut all = self.verdicts.iter().filter(is_it);
        // Of two nobody knows which one is meant.
        let (from, _) = all.next()?;
        all.next().is_none().then(|| from.clone())
    }

    fn moved(&self, id: &ResourceId, from: &ResourceId) -> Option<Fate> {
        let wanted = self.verdicts.get(id)?.wanted.as_ref()?;
        let Some(Observed::Present { body, .. }) = self.verdicts.get(from)?.found else {
            return None;
        };
        let mut why = Vec::new();
        if self.inputs.imported.contains_key(from) {
            why.push("it was imported, and carries no mark".to_owned());
        }
        let there = (self.inputs.migrates)((from, body), (id, &wanted.resource.body));
        let uri = there.unwrap_or_else(|all| {
            why.extend(all);
            String::new()
        });
        let from = from.clone();
        Some(match why.is_empty() {
            true => Fate::Migrate(
                Reason::Moves {
                    from: from.host.to_string(),
                },
                Migration {
                    from,
                    uri,
                    options: wanted.migration.unwrap_or_default(),
                },
            ),
            false => Fate::Create(Reason::CannotMove {
                from: from.host.to_string(),
                why,
            }),
        })
    }
}

impl<'a> Assembly<'a> {
    /// What was found of it is what was found there.
    fn comes(&mut self, id: &ResourceId, found: Option<&'a Observed>) {
        let Some(verdict) = self.verdicts.get_mut(id) else {
            return;
        };
        verdict.found = found;
        if let (Some(Observed::Present { body, .. }), Some(wanted)) = (found, &verdict.wanted) {
            verdict.deltas = diff(body, &wanted.resource.body, &|_, _| Impact::InPlace);
        }
    }
}
