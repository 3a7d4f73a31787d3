//! Declared volumes that no workload attaches now. A volume outlives the workloads that use it: where it is there it
//! stays as it is, with the pool it is in. Who wants it gone removes its declaration.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Address, Observed, Resource, ResourceId};
use infra_lang::Evaluation;
use infra_plan::{Desired, Record};

use crate::declared::Declared;
use crate::recover;

/// What is there of them, wanted as it was found.
#[must_use]
pub fn kept(
    declared: &Declared,
    evaluation: &Evaluation,
    desired: &[Desired],
    observed: &BTreeMap<ResourceId, Observed>,
) -> Vec<Desired> {
    let attached: BTreeSet<&Address> = desired.iter().map(|d| &d.resource.address).collect();
    let made: BTreeSet<&ResourceId> = desired.iter().map(|d| &d.resource.id).collect();
    let mut found = stores(observed);
    recover::edges(&mut found);
    let idle =
        |address: &Address| declared.volumes.contains_key(address) && !attached.contains(address);
    let volumes: Vec<&ResourceId> = found
        .iter()
        .filter(|(_, record)| idle(&record.address))
        .map(|(id, _)| id)
        .collect();
    let pools = volumes.iter().flat_map(|id| &found[*id].after);
    let all: BTreeSet<&ResourceId> = volumes.iter().copied().chain(pools).collect();
    all.into_iter()
        .filter(|id| !made.contains(id))
        .map(|id| as_found(id, &found[id], evaluation))
        .collect()
}

fn stores(observed: &BTreeMap<ResourceId, Observed>) -> BTreeMap<ResourceId, Record> {
    let store = |(id, found): (&ResourceId, &Observed)| match found {
        Observed::Present { address, body } if matches!(id.kind.as_str(), "volume" | "pool") => {
            let record = Record {
                address: address.clone(),
                body: body.clone(),
                after: Vec::new(),
                prevent_destroy: false,
            };
            Some((id.clone(), record))
        }
        _ => None,
    };
    observed.iter().filter_map(store).collect()
}

fn as_found(id: &ResourceId, record: &Record, evaluation: &Evaluation) -> Desired {
    Desired {
        resource: Resource {
            id: id.clone(),
            address: record.address.clone(),
            body: record.body.clone(),
            source: None,
            after: record.after.clone(),
        },
        prevent_destroy: recover::prevents_destroy(evaluation, &record.address),
        ignore_changes: Vec::new(),
    }
}
