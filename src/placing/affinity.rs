//! `apart` and `spread` of the instances of one block, `affinity` and `anti_affinity` to placement groups, and what hosts
//! have in common.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::Address;
use infra_place::{Affinity, Rule, Wants};

use crate::declared::{Company, HOST, Workload};
use crate::inventory::{HostInventory, Inventory};

/// What hosts may have in common: labels that some workload speaks of, and their values.
pub(super) struct Scopes {
    /// The first is the host itself.
    names: Vec<String>,
    /// Of each label its values, in their order.
    values: Vec<Vec<String>>,
    groups: BTreeMap<Group, u32>,
}

/// Whom rules are about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    /// The instances of a block.
    Block(String),
    /// Who says so.
    Named(String),
}

impl Scopes {
    pub(super) fn new(workloads: &[&Workload], inventory: &Inventory) -> Self {
        let among = workloads.iter().flat_map(|w| [&w.apart, &w.spread]);
        let among = among.flatten().map(|label| &label.value);
        let others = workloads.iter().flat_map(|w| &w.company);
        let labels = among.chain(others.map(|company| &company.scope));
        let labels: BTreeSet<&String> = labels.filter(|label| *label != HOST).collect();
        let values = |label: &String| {
            let hosts = inventory.hosts.values();
            let values: BTreeSet<&String> =
                hosts.filter_map(|h| h.declared.labels.get(label)).collect();
            values.into_iter().cloned().collect()
        };
        let groups: BTreeSet<Group> = workloads
            .iter()
            .flat_map(|w| groups(w).chain(w.company.iter().map(named)))
            .collect();
        let mut scopes = Self {
            names: vec![HOST.to_owned()],
            values: vec![Vec::new()],
            groups: groups.into_iter().zip(0..).collect(),
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
        let scope = |word: &String| self.names.iter().position(|name| name == word).unwrap_or(0);
        let rule = |group: &Group, word: &String, wants: Wants, required: bool| {
            Some(Rule {
                group: *self.groups.get(group)?,
                scope: scope(word),
                wants,
                required,
            })
        };
        let own = Group::Block(block(&workload.address));
        let apart = workload.apart.as_ref();
        let apart = apart.and_then(|word| rule(&own, &word.value, Wants::Apart, true));
        let spread = workload.spread.as_ref();
        let spread = spread.and_then(|word| rule(&own, &word.value, Wants::Spread, false));
        let others = workload.company.iter().filter_map(|company| {
            let wants = match company.near {
                true => Wants::Together,
                false => Wants::Apart,
            };
            rule(&named(company), &company.scope, wants, company.required)
        });
        let groups = groups(workload).filter_map(|group| self.groups.get(&group).copied());
        let groups: BTreeSet<u32> = groups.collect();
        Affinity {
            groups: groups.into_iter().collect(),
            rules: apart.into_iter().chain(spread).chain(others).collect(),
        }
    }
}

/// Those that somebody may speak of.
fn groups(workload: &Workload) -> impl Iterator<Item = Group> {
    let among = workload.apart.is_some() || workload.spread.is_some();
    let own = among.then(|| Group::Block(block(&workload.address)));
    let named = workload.placement_groups.iter().cloned().map(Group::Named);
    own.into_iter().chain(named)
}

fn named(company: &Company) -> Group {
    Group::Named(company.group.value.clone())
}

/// The address of its block: without the instance.
fn block(address: &Address) -> String {
    let text = address.as_str();
    match text.rfind('[') {
        Some(instance) if text.ends_with(']') => text[..instance].to_owned(),
        _ => text.to_owned(),
    }
}
