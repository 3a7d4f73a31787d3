//! `apart` and `spread`: instances of one block, and what hosts have in common.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::Address;
use infra_place::{Affinity, Rule, Wants};

use crate::declared::Workload;
use crate::inventory::{HostInventory, Inventory};

/// The word for the host itself.
const HOST: &str = "host";

/// What hosts may have in common: labels that some workload speaks of, and their values.
pub(super) struct Scopes {
    /// The first is the host itself.
    names: Vec<String>,
    /// Of each label its values, in their order.
    values: Vec<Vec<String>>,
    groups: BTreeMap<String, u32>,
}

impl Scopes {
    pub(super) fn new(workloads: &[&Workload], inventory: &Inventory) -> Self {
        let labels = workloads
            .iter()
            .flat_map(|w| [&w.apart, &w.spread])
            .flatten();
        let labels: BTreeSet<&String> = labels.map(|l| &l.value).filter(|l| *l != HOST).collect();
        let values = |label: &String| {
            let hosts = inventory.hosts.values();
            let values: BTreeSet<&String> =
                hosts.filter_map(|h| h.declared.labels.get(label)).collect();
            values.into_iter().cloned().collect()
        };
        let blocks: BTreeSet<String> = workloads
            .iter()
            .filter(|w| rules(w))
            .map(|w| block(&w.address))
            .collect();
        let mut scopes = Self {
            names: vec![HOST.to_owned()],
            values: vec![Vec::new()],
            groups: blocks.into_iter().zip(0..).collect(),
        };
        for label in labels {
            scopes.names.push(label.clone());
            scopes.values.push(values(label));
        }
        scopes
    }

    /// The word for a scope.
    pub(super) fn word(&self, scope: usize) -> &str {
        self.names.get(scope).map_or(HOST, String::as_str)
    }

    /// Which domain of each scope a host is in.
    pub(super) fn domains(&self, host: &HostInventory) -> Vec<Option<u32>> {
        let domain = |(name, values): (&String, &Vec<String>)| {
            let value = host.declared.labels.get(name)?;
            u32::try_from(values.binary_search(value).ok()?).ok()
        };
        self.names.iter().zip(&self.values).map(domain).collect()
    }

    /// What a workload is to others.
    pub(super) fn of(&self, workload: &Workload) -> Affinity {
        let Some(group) = self.groups.get(&block(&workload.address)).copied() else {
            return Affinity::default();
        };
        let scope = |word: &String| self.names.iter().position(|name| name == word).unwrap_or(0);
        let rule = |word: &String, wants: Wants, required: bool| Rule {
            group,
            scope: scope(word),
            wants,
            required,
        };
        let apart = workload
            .apart
            .as_ref()
            .map(|word| rule(&word.value, Wants::Apart, true));
        let spread = workload
            .spread
            .as_ref()
            .map(|word| rule(&word.value, Wants::Spread, false));
        Affinity {
            groups: vec![group],
            rules: apart.into_iter().chain(spread).collect(),
        }
    }
}

fn rules(workload: &Workload) -> bool {
    workload.apart.is_some() || workload.spread.is_some()
}

/// The address of its block: without the instance.
fn block(address: &Address) -> String {
    let text = address.as_str();
    match text.rfind('[') {
        Some(instance) if text.ends_with(']') => text[..instance].to_owned(),
        _ => text.to_owned(),
    }
}
