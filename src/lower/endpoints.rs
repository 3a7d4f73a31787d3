//! A container's places in networks.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use infra_api::target::{Endpoint, Range6};
use infra_api::{Placement, names};
use infra_diag::Span;

use super::Lowering;
use crate::declared::{At, Interface, Network, Workload, counterpart};

impl Lowering<'_> {
    /// By the network's name.
    pub(super) fn endpoints(
        &mut self,
        workload: &Workload,
        placement: &Placement,
    ) -> BTreeMap<String, Endpoint> {
        let mut endpoints = BTreeMap::new();
        for interface in &workload.interfaces {
            let network = self.inputs.declared.networks.get(&interface.network.value);
            let Some(network) = network else { continue };
            let address = placement.addresses.get(&interface.label).copied();
            if address.is_none() && network.range.is_some() {
                continue;
            }
            self.alone(interface, network, placement);
            if let Some(vlan) = &interface.vlan {
                let text = "the engine tags nothing: a container is in the VLAN that its network's device is in";
                let hint = "write `parent = \"eth0.7\"` in the network";
                self.error(vlan.span, "VLAN that nobody would tag", text, hint);
            }
            let own = names::hostname(self.made_as(&workload.address));
            let further = interface.aliases.iter().flat_map(|aliases| &aliases.value);
            let mut aliases: Vec<String> = further.cloned().chain([own]).collect();
            aliases.sort();
            aliases.dedup();
            let endpoint = Endpoint {
                address,
                address6: self.address6(interface, network, address, placement),
                aliases,
                mac: self.own_mac(interface, network),
            };
            let network = self.name(&interface.network.value);
            if endpoints.insert(network, endpoint).is_some() {
                self.error(
                    interface.network.span,
                    "Network named twice",
                    "another interface is in this network, and a container has one endpoint in each",
                    "leave one of the two out",
                );
            }
        }
        endpoints
    }

    /// What is written: the engine chooses one for whoever does not care.
    fn own_mac(&mut self, interface: &Interface, network: &Network) -> Option<String> {
        let At { value: mac, span } = interface.mac.clone()?;
        if network
            .driver
            .as_ref()
            .is_some_and(|d| d.value.name == "ipvlan")
        {
            self.error(
                span,
                "MAC that cannot be had",
                "all containers of a network of ipvlan have the MAC of its device",
                "leave `mac` out, or write `driver = \"macvlan\"` in the network",
            );
        }
        Some(mac)
    }

    /// What is written, or the counterpart of its other address.
    fn address6(
        &mut self,
        interface: &Interface,
        network: &Network,
        address: Option<Ipv4Addr>,
        placement: &Placement,
    ) -> Option<Ipv6Addr> {
        let written = interface.address6.as_ref();
        let Some(At { value: range, .. }) = &network.ipv6 else {
            if let Some(written) = written {
                self.error(
                    written.span,
                    "IPv6 address in a network without",
                    "the network has no `subnet6`",
                    "write `subnet6` in the network, or leave the address out",
                );
            }
            return None;
        };
        let span = written.map_or(interface.span, |written| written.span);
        let own = written.map(|written| written.value);
        let own = own.or_else(|| {
            let subnet = network.range.as_ref()?.subnet.value;
            Some(counterpart(address?, subnet, range.subnet))
        })?;
        self.is_free(own, range, span);
        let what = format!("address {own} in {}", network.address);
        if !self.first(&placement.host, &what) {
            self.error(
                span,
                "IPv6 address taken",
                "another workload has this address in the network",
                "write another `address6`",
            );
        }
        Some(own)
    }

    fn is_free(&mut self, address: Ipv6Addr, range: &Range6, span: Span) {
        let why = if !range.subnet.contains(&address) {
            format!("{address} is not in {}", range.subnet)
        } else if address == range.gateway || address == range.subnet.network() {
            format!("{address} is the network's own")
        } else {
            return;
        };
        self.error(
            span,
            "IPv6 address that cannot be had",
            &why,
            "write another `address6`",
        );
    }
}
