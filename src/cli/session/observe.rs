//! What is there of ours, with secrets as digests.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Observed, ResourceId, SECRET};
use infra_plan::Outcome;
use serde_json::{Value, json};

use super::Session;
use crate::cli::ui::Stop;
use crate::world::World;

impl Session {
    /// Everything of ours, with secrets as digests.
    ///
    /// # Errors
    /// When a daemon that is needed does not answer.
    pub async fn observe(
        &self,
        world: &World,
        desired: &BTreeMap<ResourceId, &Value>,
    ) -> Result<BTreeMap<ResourceId, Observed>, Stop> {
        let prior = self.prior();
        if self.options.facts.is_some() {
            return Ok(as_recorded(&prior));
        }
        let known = prior
            .resources
            .keys()
            .chain(desired.keys())
            .chain(&self.loaded.in_doubt);
        let ids: BTreeSet<ResourceId> = known.cloned().collect();
        let observation = world.observe(self.project(), &ids).await;
        if !observation.failures.is_empty() {
            return Err(Stop::all(observation.failures));
        }
        let mut found = observation.found;
        // Nothing is to be done about what outlives its use: it is forgotten.
        found.retain(|id, _| desired.contains_key(id) || !self.outlives(id));
        for (id, observed) in &mut found {
            if let Observed::Present { body, .. } = observed {
                let likes = [
                    desired.get(id).copied(),
                    prior.resources.get(id).map(|r| &r.body),
                ];
                *body = self.masked(body, &likes.into_iter().flatten().collect::<Vec<_>>())?;
            }
        }
        Ok(found)
    }

    fn outlives(&self, id: &ResourceId) -> bool {
        let provider = self.providers.iter().find(|p| p.name() == id.provider);
        provider.is_some_and(|p| p.outlives(id))
    }

    /// The body with digests for secrets: those that `likes` have, and any that the configuration holds.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub fn masked(&self, body: &Value, likes: &[&Value]) -> Result<Value, Stop> {
        let held: Vec<Value> = self.vault.digests().map(|d| json!({ SECRET: d })).collect();
        let secret = |like: &&Value| like.to_string().contains(SECRET);
        if held.is_empty() && !likes.iter().any(secret) {
            return Ok(body.clone());
        }
        let held = Value::Array(held);
        let likes: Vec<&Value> = likes.iter().copied().chain([&held]).collect();
        Ok(infra_state::mask(body, &likes, &self.store.key()?))
    }
}

/// What is recorded, taken for what is there: nothing is contacted.
fn as_recorded(prior: &Outcome) -> BTreeMap<ResourceId, Observed> {
    let present = |(id, record): (&ResourceId, &infra_plan::Record)| {
        (
            id.clone(),
            Observed::Present {
                address: record.address.clone(),
                body: record.body.clone(),
            },
        )
    };
    prior.resources.iter().map(present).collect()
}
