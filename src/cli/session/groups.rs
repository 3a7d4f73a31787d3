//! Whether the volume groups are there of which pools are to be made: libvirt would say so when half of the rest is made.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{HostName, Observed, ResourceId};
use infra_diag::{Diagnostic, Diagnostics};
use infra_plan::Desired;

use super::Session;
use crate::cli::ui::Stop;
use crate::declared::Place;
use crate::world::World;

impl Session {
    /// Asks only the daemons on which one is to be made.
    ///
    /// # Errors
    /// When a daemon does not answer.
    pub(super) async fn volume_groups(
        &self,
        world: &World,
        desired: &[Desired],
        observed: &BTreeMap<ResourceId, Observed>,
    ) -> Result<Diagnostics, Stop> {
        let mut found = Diagnostics::new();
        if self.options.facts.is_some() {
            return Ok(found);
        }
        let mut known: BTreeMap<&HostName, Option<Vec<String>>> = BTreeMap::new();
        let mut said = BTreeSet::new();
        for pool in desired.iter().map(|d| &d.resource) {
            let id = &pool.id;
            let stands = matches!(observed.get(id), Some(Observed::Present { .. }));
            let declared = self.configuration.declared.pools.get(&pool.address);
            let Some(Place::VolumeGroup(group)) = declared.map(|pool| &pool.place) else {
                continue;
            };
            if id.kind != "pool" || stands {
                continue;
            }
            if !known.contains_key(&id.host) {
                let groups = world.volume_groups(&id.host, &id.provider).await;
                known.insert(
                    &id.host,
                    groups.map_err(|failure| Stop::all(vec![failure]))?,
                );
            }
            let Some(Some(groups)) = known.get(&id.host) else {
                continue;
            };
            if !groups.contains(&group.value) && said.insert((&id.host, &pool.address)) {
                let text = format!("{} has no volume group `{}`", id.host, group.value);
                let has = match groups.is_empty() {
                    true => "it has none".to_owned(),
                    false => format!("it has: {}", groups.join(", ")),
                };
                found.push(
                    Diagnostic::error("No such volume group")
                        .at(group.span, text)
                        .hint(format!(
                            "{has}; correct the name, or make it: `vgcreate {} DEVICE`",
                            group.value
                        )),
                );
            }
        }
        Ok(found)
    }
}
