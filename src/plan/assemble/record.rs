//! What the state will hold of an object.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Resource, ResourceId};

use super::Desired;
use crate::Record;

/// By object, those it was declared to depend on.
pub(super) fn depended_on(
    depends_on: &[(ResourceId, ResourceId)],
) -> BTreeMap<&ResourceId, BTreeSet<&ResourceId>> {
    let mut all: BTreeMap<&ResourceId, BTreeSet<&ResourceId>> = BTreeMap::new();
    for (own, other) in depends_on {
        all.entry(own).or_default().insert(other);
    }
    all
}

/// With its declared dependencies among what it goes before: when it is undeclared nothing else tells of them.
pub(super) fn record(
    wanted: Desired,
    depended_on: Option<BTreeSet<&ResourceId>>,
    imported: Option<String>,
) -> Record {
    let Resource {
        id: _,
        address,
        body,
        source: _,
        mut after,
    } = wanted.resource;
    let mut others = depended_on.unwrap_or_default();
    others.retain(|id| !after.contains(id));
    after.extend(others.into_iter().cloned());
    Record {
        address,
        body,
        after,
        prevent_destroy: wanted.prevent_destroy,
        imported,
        unready: false,
    }
}
