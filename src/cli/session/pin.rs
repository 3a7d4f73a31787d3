//! Tags of registries pinned to what they stand for now.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::HostName;

use super::Session;
use crate::cli::ui::Stop;
use crate::declared::{Declared, ImageRef, Source};
use crate::inventory::Inventory;
use crate::world::World;

impl Session {
    /// Registry references pinned, on every host that might use them.
    pub(super) async fn pin(
        &self,
        world: &World,
        inventory: &Inventory,
        declared: &Declared,
    ) -> Result<BTreeMap<(HostName, String), String>, Stop> {
        let references = references(declared);
        let offers = |host: &&HostName| {
            let facts = &inventory.hosts[*host].facts;
            facts.runtimes.container.as_ref().is_some_and(|o| o.offered)
        };
        let hosts: Vec<&HostName> = inventory.hosts.keys().filter(offers).collect();
        let wanted = hosts
            .into_iter()
            .flat_map(|h| references.iter().map(move |r| (h.clone(), r.clone())));
        let (mut pinned, mut failures) = (BTreeMap::new(), Vec::new());
        for (key, result) in world.pin(&wanted.collect()).await {
            match result {
                Ok(reference) => drop(pinned.insert(key, reference)),
                Err(failure) => failures.push(failure),
            }
        }
        if failures.is_empty() {
            Ok(pinned)
        } else {
            Err(Stop::all(failures))
        }
    }
}

/// What containers would be pulled from registries.
fn references(declared: &Declared) -> BTreeSet<String> {
    let forms = declared
        .workloads
        .iter()
        .filter_map(|w| w.container.as_ref());
    let reference = |image: &'_ ImageRef| match image {
        ImageRef::Registry(reference) => Some(reference.clone()),
        ImageRef::Declared(address) => match &declared.images.get(address)?.source {
            Source::Reference(reference) => Some(reference.value.clone()),
            _ => None,
        },
    };
    forms
        .filter_map(|form| reference(&form.image.value))
        .collect()
}
