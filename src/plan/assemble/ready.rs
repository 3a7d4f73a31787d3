//! What is waited for until it is ready, and how long.

use std::collections::BTreeMap;

use infra_api::ResourceId;

use super::{Inputs, Verdict};
use crate::Step;

impl Inputs<'_> {
    /// Whether nobody has seen it become ready.
    pub(super) fn is_unready(&self, id: &ResourceId) -> bool {
        let record = self.state.resources.get(id);
        self.in_doubt.contains(id) || record.is_some_and(|record| record.unready)
    }
}

/// What a step waits for, and how long each may take by its own declaration.
pub(super) fn ready_ms(
    step: &Step,
    verdicts: &BTreeMap<ResourceId, Verdict<'_>>,
) -> BTreeMap<ResourceId, u64> {
    let own = step.until_ready.then_some(&step.resource);
    let waits = step.waits_for.iter().chain(own);
    let declared = |id: &ResourceId| {
        let ms = verdicts.get(id)?.wanted.as_ref()?.timeouts.ready_ms?;
        Some((id.clone(), ms))
    };
    waits.filter_map(declared).collect()
}
