//! IP addresses of interfaces: an explicit one first, then the recorded one, then the lowest free, in the order of
//! the workloads' addresses. All are known before anything is made.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use infra_api::{Address, Placement};
use infra_diag::{Diagnostic, Diagnostics};
use ipnet::Ipv4Net;

use crate::declared::{Declared, Interface, Network, Range, Workload};

/// The address of each interface of each workload.
pub type Addresses = BTreeMap<Address, BTreeMap<String, Ipv4Addr>>;

/// Allocates for every interface whose network is known.
#[must_use]
pub fn allocate(
    declared: &Declared,
    prior: &BTreeMap<Address, Placement>,
) -> (Addresses, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let mut addresses = Addresses::new();
    for network in declared.networks.values() {
        let members = members(declared, &network.address);
        let Some(range) = &network.range else {
            diagnostics.extend(members.iter().filter_map(|(_, i)| unasked(i, network)));
            continue;
        };
        let mut pool = Pool::new(network, range);
        pool.explicit(&members, &mut diagnostics);
        pool.recorded(&members, prior);
        pool.lowest(&members, &mut diagnostics);
        for ((workload, label), address) in pool.given {
            addresses
                .entry(workload)
                .or_default()
                .insert(label, address);
        }
    }
    (addresses, diagnostics)
}

/// An address that would be nobody's word: how large its network is, and who leads out of it, is not known.
fn unasked(interface: &Interface, network: &Network) -> Option<Diagnostic> {
    let asked = interface.address.as_ref()?;
    let text = format!(
        "{} has no `subnet`: its addresses are others' to give",
        network.address
    );
    Some(
        Diagnostic::error("Address in a network without a subnet")
            .at(asked.span, text)
            .hint("write `subnet` in the network, or leave the address out"),
    )
}

/// Those of whom the network's DHCP tells one though infra does not make them.
fn reserved(network: &Network) -> impl Iterator<Item = Ipv4Addr> {
    let guests = network.dhcp.iter().flat_map(|dhcp| &dhcp.value);
    guests.map(|guest| guest.address.value)
}

/// Addresses are allocated before what waits for them is known: an address or a subnet that follows from a planned
/// address comes too late to be obeyed.
#[must_use]
pub fn obeyed(declared: &Declared, addresses: &Addresses) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for workload in &declared.workloads {
        for interface in &workload.interfaces {
            let planned = addresses
                .get(&workload.address)
                .and_then(|own| own.get(&interface.label));
            let asked = interface.address.as_ref();
            if planned.is_some() && asked.is_none_or(|a| planned == Some(&a.value)) {
                continue;
            }
            let network = declared.networks.get(&interface.network.value);
            if asked.is_none() && network.is_some_and(|n| n.range.is_none()) {
                continue;
            }
            let range = network.and_then(|n| n.range.as_ref());
            let subnet = range.map_or(interface.network.span, |r| r.subnet.span);
            diagnostics.push(
                Diagnostic::error("Address that follows from a planned one")
                    .at(
                        asked.map_or(subnet, |a| a.span),
                        "this is known only when all addresses are planned",
                    )
                    .hint("write it, or work it out from values that no workload plans"),
            );
        }
    }
    diagnostics
}

type Member<'a> = (&'a Workload, &'a Interface);

fn members<'a>(declared: &'a Declared, network: &Address) -> Vec<Member<'a>> {
    let of = |w: &'a Workload| {
        w.interfaces
            .iter()
            .filter(|i| i.network.value == *network)
            .map(move |i| (w, i))
    };
    declared.workloads.iter().flat_map(of).collect()
}

struct Pool<'a> {
    network: &'a Network,
    range: &'a Range,
    taken: BTreeSet<Ipv4Addr>,
    given: BTreeMap<(Address, String), Ipv4Addr>,
}

impl<'a> Pool<'a> {
    fn new(network: &'a Network, range: &'a Range) -> Self {
        Self {
            network,
            range,
            taken: reserved(network).chain([range.gateway]).collect(),
            given: BTreeMap::new(),
        }
    }

    fn subnet(&self) -> Ipv4Net {
        self.range.subnet.value
    }

    fn give(&mut self, (workload, interface): Member<'_>, address: Ipv4Addr) {
        self.taken.insert(address);
        self.given
            .insert((workload.address.clone(), interface.label.clone()), address);
    }

    fn has(&self, (workload, interface): Member<'_>) -> bool {
        self.given
            .contains_key(&(workload.address.clone(), interface.label.clone()))
    }

    /// Whether a host of the subnet may have it.
    fn usable(&self, address: Ipv4Addr) -> bool {
        Range::is_host(self.subnet(), address)
    }

    fn explicit(&mut self, members: &[Member<'_>], diagnostics: &mut Diagnostics) {
        let mut first: BTreeMap<Ipv4Addr, Member<'_>> = BTreeMap::new();
        for member in members {
            let Some(asked) = &member.1.address else {
                continue;
            };
            let error =
                |summary: &str, text: String| Diagnostic::error(summary).at(asked.span, text);
            if !self.usable(asked.value) {
                let text = format!(
                    "{} is no host's address in {} of {}",
                    asked.value,
                    self.subnet(),
                    self.network.address
                );
                diagnostics.push(
                    error("Address outside its network", text)
                        .hint("use an address of the subnet, or leave it out to get one"),
                );
            } else if asked.value == self.range.gateway {
                let text = format!("{} is the gateway of {}", asked.value, self.network.address);
                diagnostics.push(
                    error("Address taken", text)
                        .hint("use another address, or leave it out to get one"),
                );
            } else if reserved(self.network).any(|address| address == asked.value) {
                let text = format!(
                    "a host of {}'s `dhcp` has {}",
                    self.network.address, asked.value
                );
                diagnostics.push(
                    error("Address taken", text)
                        .hint("use another address, or leave it out to get one"),
                );
            } else if let Some(other) = first.get(&asked.value) {
                let text = format!("{} asks for {} too", member.0.address, asked.value);
                let other_span = other.1.address.as_ref().map_or(other.1.span, |a| a.span);
                diagnostics.push(
                    error("Address taken", text)
                        .at(other_span, format!("{} has it", other.0.address))
                        .hint("give one of them another address, or leave it out to get one"),
                );
            } else {
                first.insert(asked.value, *member);
                self.give(*member, asked.value);
            }
        }
    }

    fn recorded(&mut self, members: &[Member<'_>], prior: &BTreeMap<Address, Placement>) {
        for member in members.iter().filter(|m| m.1.address.is_none()) {
            let recorded = prior
                .get(&member.0.address)
                .and_then(|p| p.addresses.get(&member.1.label))
                .copied();
            if let Some(address) = recorded.filter(|a| self.usable(*a) && !self.taken.contains(a)) {
                self.give(*member, address);
            }
        }
    }

    fn lowest(&mut self, members: &[Member<'_>], diagnostics: &mut Diagnostics) {
        let mut next = u32::from(self.subnet().network()) + 1;
        let end = u32::from(self.subnet().broadcast());
        for member in members.iter().filter(|m| m.1.address.is_none()) {
            if self.has(*member) {
                continue;
            }
            while next < end && self.taken.contains(&Ipv4Addr::from(next)) {
                next += 1;
            }
            if next >= end {
                let text = format!(
                    "no address of {} is free for {}",
                    self.subnet(),
                    member.0.address
                );
                diagnostics.push(
                    Diagnostic::error("Network full")
                        .at(member.1.span, text)
                        .at(
                            self.range.subnet.span,
                            format!(
                                "{} in all, one of them the gateway's",
                                self.subnet().hosts().count()
                            ),
                        )
                        .hint("make the subnet larger, or use another network"),
                );
                return;
            }
            self.give(*member, Ipv4Addr::from(next));
        }
    }
}
