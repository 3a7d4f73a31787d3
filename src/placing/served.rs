//! Devices of the hosts that a machine's threads serve: disks that it names, and cards that its networks are on.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Address, HostName};

use crate::declared::{Network, Workload};
use crate::inventory::{HostInventory, Inventory};

/// What workloads serve, in words that hosts and asks agree on. What is together on every host has one word: workloads
/// that differ only in which of such devices they serve are alike.
#[derive(Default)]
pub(super) struct Served {
    /// Cards by networks: of those whose packets a machine's own threads carry.
    cards: BTreeMap<Address, String>,
    /// Of what a host tells, by name.
    words: BTreeMap<String, String>,
    /// By host and word the position of the node.
    nodes: BTreeMap<HostName, BTreeMap<String, usize>>,
}

impl Served {
    pub(super) fn new(
        workloads: &[&Workload],
        networks: &BTreeMap<Address, Network>,
        inventory: &Inventory,
    ) -> Self {
        let cards = networks.values().filter_map(|network| {
            let driver = &network.driver.as_ref()?.value;
            let own = driver.name == "macvlan";
            own.then(|| (network.address.clone(), driver.parent.clone()))
        });
        let mut served = Self {
            cards: cards.collect(),
            ..Self::default()
        };
        let names: BTreeSet<String> = workloads.iter().flat_map(|w| served.named(w)).collect();
        if names.is_empty() {
            return served;
        }
        let mut told: BTreeMap<&String, Vec<(&HostName, usize)>> = BTreeMap::new();
        for (name, host) in &inventory.hosts {
            for (device, node) in nodes(host, &names) {
                told.entry(device).or_default().push((name, node));
            }
        }
        served.learn(told);
        served
    }

    /// By device the hosts that tell of it, and the positions of its nodes.
    fn learn(&mut self, told: BTreeMap<&String, Vec<(&HostName, usize)>>) {
        let mut alike: BTreeMap<Vec<(&HostName, usize)>, &String> = BTreeMap::new();
        for (device, places) in told {
            let word = *alike.entry(places).or_insert(device);
            self.words.insert(device.clone(), word.clone());
        }
        for (places, word) in alike {
            for (host, node) in places {
                let nodes = self.nodes.entry(host.clone()).or_default();
                nodes.insert(word.clone(), node);
            }
        }
    }

    /// What is known of a host.
    pub(super) fn of(&self, host: &HostName) -> BTreeMap<String, usize> {
        self.nodes.get(host).cloned().unwrap_or_default()
    }

    /// What a machine's threads serve, where any host tells of it.
    pub(super) fn asked(&self, workload: &Workload) -> Vec<String> {
        let named = self.named(workload).into_iter();
        let mut words: Vec<String> = named.filter_map(|n| self.words.get(&n).cloned()).collect();
        words.sort_unstable();
        words
    }

    fn named(&self, workload: &Workload) -> Vec<String> {
        if workload.kvm.is_none() {
            return Vec::new();
        }
        let paths = workload.disks.iter().filter_map(|disk| disk.path.as_ref());
        let disks = paths.filter(|path| path.value.starts_with("/dev/"));
        let networks = workload.interfaces.iter().map(|i| &i.network.value);
        let cards = networks.filter_map(|network| self.cards.get(network));
        disks
            .map(|path| disk(&path.value))
            .chain(cards.map(|name| card(name)))
            .collect()
    }
}

fn disk(path: &str) -> String {
    format!("disk {path}")
}

fn card(name: &str) -> String {
    format!("card {name}")
}

/// Which of these a host has, and the positions of their nodes; none where there is only one.
fn nodes<'a>(host: &HostInventory, names: &'a BTreeSet<String>) -> BTreeMap<&'a String, usize> {
    let facts = &host.facts;
    if facts.nodes.len() < 2 {
        return BTreeMap::new();
    }
    let position = |id: u32| facts.nodes.iter().position(|node| node.id == id);
    let blocks = facts.block_devices.iter().flatten();
    let disks = blocks.flat_map(|block| {
        let own = format!("/dev/{}", block.name);
        let paths = block.paths.iter().cloned().chain([own]);
        paths.map(|path| (disk(&path), block.numa_node))
    });
    let interfaces = facts.pci.iter().flat_map(|device| {
        let names = device.interfaces.iter().map(|i| card(&i.name));
        names.map(|name| (name, facts.near(device)))
    });
    let all = disks.chain(interfaces);
    all.filter_map(|(name, node)| Some((names.get(&name)?, position(node?)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_together_on_every_host_has_one_word() {
        let hosts = ["a", "b"].map(HostName::new);
        let devices = ["disk x", "disk y", "disk z"].map(str::to_owned);
        let [x, y, z] = &devices;
        let mut served = Served::default();
        served.learn(BTreeMap::from([
            (x, vec![(&hosts[0], 1), (&hosts[1], 0)]),
            (y, vec![(&hosts[0], 1), (&hosts[1], 0)]),
            (z, vec![(&hosts[0], 1)]),
        ]));
        let words: Vec<&String> = devices.iter().map(|d| &served.words[d]).collect();
        assert_eq!(words, [x, x, z]);
        let nodes = |host: &HostName| Vec::from_iter(served.of(host));
        assert_eq!(nodes(&hosts[0]), [(x.clone(), 1), (z.clone(), 1)]);
        assert_eq!(nodes(&hosts[1]), [(x.clone(), 0)]);
        assert_eq!(nodes(&HostName::new("c")), []);
    }
}
