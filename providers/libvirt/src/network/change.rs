//! What changing a network takes. Pure.

use infra_api::Impact;
use infra_api::target::{Dns, MachineNetwork, OwnBridge};
use serde_json::Value;
use virt::sys;

use crate::text::dns::{self, Kind};
use crate::text::network::write_lease;
use crate::text::xml::El;
use crate::way;

/// By libvirt 9.0: records, where there are any, change while it runs; DNS itself, and how a bridge leads outside, are of
/// the network's start. On another bridge or device of the host's, who runs stays on the old one until it is moved.
pub(crate) fn takes(there: &MachineNetwork, wanted: &MachineNetwork) -> Impact {
    let same = MachineNetwork {
        bridge: there.bridge.clone(),
        driver: there.driver.clone(),
        own: there.own.clone(),
        ..wanted.clone()
    };
    if same != *there {
        return Impact::Replace;
    }
    match (&there.own, &wanted.own) {
        (Some(own), Some(other)) if there.bridge == wanted.bridge => of_own(own, other),
        (None, None) if there == wanted => Impact::InPlace,
        (None, None) if there.driver.is_some() == wanted.driver.is_some() => Impact::Restart,
        _ => Impact::Replace,
    }
}

fn of_own(there: &OwnBridge, wanted: &OwnBridge) -> Impact {
    let OwnBridge {
        subnet,
        gateway,
        internal,
        routed,
        dhcp: _,
        dns,
    } = there;
    if (subnet, gateway) != (&wanted.subnet, &wanted.gateway) {
        Impact::Replace
    } else if (internal, routed, dns.is_some())
        != (&wanted.internal, &wanted.routed, wanted.dns.is_some())
    {
        Impact::Restart
    } else {
        Impact::InPlace
    }
}

/// What changing the attribute at a path alone takes.
pub(crate) fn impact(path: &[String], before: &Value, after: &Value) -> Impact {
    let mut changed = before.clone();
    way::set(&mut changed, path, way::get(after, path));
    let network = |body: &Value| serde_json::from_value::<MachineNetwork>(body.clone()).ok();
    match network(before).zip(network(&changed)) {
        Some((before, after)) => takes(&before, &after),
        None => Impact::Replace,
    }
}

/// A change of a running network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) command: sys::virNetworkUpdateCommand,
    pub(crate) section: sys::virNetworkUpdateSection,
    pub(crate) element: El,
}

/// One after the other. What goes is taken away before anything comes that may have its address or name.
pub(crate) fn records(runs: &MachineNetwork, wanted: &MachineNetwork) -> Vec<Record> {
    let (runs, wanted) = (all(runs), all(wanted));
    let missing = |from: &[(Section, El)], of: &[(Section, El)], command| {
        let missing = of.iter().filter(|record| !from.contains(record));
        let missing = missing.map(|(section, element)| Record {
            command,
            section: *section,
            element: element.clone(),
        });
        missing.collect::<Vec<_>>()
    };
    let mut changes = missing(&wanted, &runs, sys::VIR_NETWORK_UPDATE_COMMAND_DELETE);
    changes.extend(missing(
        &runs,
        &wanted,
        sys::VIR_NETWORK_UPDATE_COMMAND_ADD_LAST,
    ));
    changes
}

type Section = sys::virNetworkUpdateSection;

fn all(network: &MachineNetwork) -> Vec<(Section, El)> {
    let Some(OwnBridge { dhcp, dns, .. }) = &network.own else {
        return Vec::new();
    };
    let leases = dhcp.iter().map(|(mac, lease)| {
        let section = sys::VIR_NETWORK_SECTION_IP_DHCP_HOST;
        (section, write_lease(mac, lease))
    });
    let records = dns.iter().flat_map(|dns: &Dns| dns::records(dns));
    let records = records.map(|(kind, record)| {
        let section = match kind {
            Kind::Txt => sys::VIR_NETWORK_SECTION_DNS_TXT,
            Kind::Srv => sys::VIR_NETWORK_SECTION_DNS_SRV,
            Kind::Host => sys::VIR_NETWORK_SECTION_DNS_HOST,
        };
        (section, record)
    });
    leases.chain(records).collect()
}

#[cfg(test)]
mod tests;
