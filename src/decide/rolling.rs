//! `update { … }`: which objects are instances of one block, in their order.

use std::collections::BTreeMap;

use infra_api::{Address, Placement, Project};
use infra_lang::ModulePath;
use infra_plan::{MadeAs, Rolling};

use crate::declared::{Declared, Workload};
use crate::lower::main_resource;

/// A block, of which there are instances.
type Block = (ModulePath, String);

pub(super) fn rolling(
    declared: &Declared,
    placements: &BTreeMap<Address, Placement>,
    project: &Project,
    made_as: &MadeAs,
) -> Vec<Rolling> {
    let mut blocks: BTreeMap<Block, Rolling> = BTreeMap::new();
    for workload in &declared.workloads {
        let (Some(update), Some(block), Some(placement)) = (
            &workload.update,
            block(workload),
            placements.get(&workload.address),
        ) else {
            continue;
        };
        // What is written once holds for every instance; where it differs, the more careful word does.
        let rolling = blocks.entry(block).or_insert_with(|| Rolling {
            instances: Vec::new(),
            max_parallel: update.max_parallel,
            until_ready: update.until_healthy,
        });
        rolling.max_parallel = rolling.max_parallel.min(update.max_parallel);
        rolling.until_ready |= update.until_healthy;
        let id = main_resource(
            project,
            &workload.address,
            (&declared.names, made_as),
            placement,
        );
        rolling.instances.push(id);
    }
    blocks.into_values().collect()
}

fn block(workload: &Workload) -> Option<Block> {
    let address: infra_lang::Address = workload.address.as_str().parse().ok()?;
    Some((address.module, address.name.to_string()))
}
