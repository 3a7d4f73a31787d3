//! What networks stand on is there: the engine that can make one, and the host's own bridge or device.

use std::collections::BTreeSet;

use infra_api::facts::Link;
use infra_api::{HostName, Runtime, names};
use infra_diag::{Diagnostic, Diagnostics};

use super::View;
use crate::declared::Network;

pub(super) fn check(view: &View<'_>, diagnostics: &mut Diagnostics) {
    for network in view.declared.networks.values() {
        for (host, runtime) in used(view, network) {
            if runtime == Runtime::Container {
                diagnostics.extend(unmade(view, network, host));
            }
            diagnostics.extend(absent(view, network, host, runtime));
        }
    }
}

/// Where its members are, and as what.
fn used<'a>(view: &View<'a>, network: &Network) -> BTreeSet<(&'a HostName, Runtime)> {
    let members = view.declared.workloads.iter().filter(|workload| {
        let mut interfaces = workload.interfaces.iter();
        interfaces.any(|i| i.network.value == network.address)
    });
    let placed = members.filter_map(|workload| view.placements.get(&workload.address));
    placed.map(|p| (&p.host, p.runtime)).collect()
}

/// Names at most: a host may have hundreds of devices.
const NAMES: usize = 12;

/// The bridge or the device that it is on, where it is known what the host has.
fn absent(
    view: &View<'_>,
    network: &Network,
    host: &HostName,
    runtime: Runtime,
) -> Option<Diagnostic> {
    let links = view.inventory.hosts.get(host)?.facts.links.as_ref()?;
    let (name, span, on_bridge) = match (&network.driver, network.existing) {
        (Some(driver), _) => (driver.value.parent.as_str(), driver.span, false),
        (None, Some(span)) => (network.bridge.as_deref()?, span, true),
        (None, None) => return None,
    };
    let there = links.iter().find(|link| link.name == name);
    let bridge = |link: &Link| !on_bridge || link.bridge != Some(false);
    let pool = network
        .driver
        .as_ref()
        .is_some_and(|d| d.value.name == "sriov");
    let (text, hint) = match there {
        Some(link) if pool && link.vfs == Some(0) => (
            format!("`{name}` of {host} has no VFs"),
            format!(
                "write `fabric \"{name}\" {{ parents = [\"{name}\"]  vfs = 4 }}` into its `host` block, or name another PF"
            ),
        ),
        Some(link) if bridge(link) => return None,
        Some(_) => (
            format!("`{name}` of {host} is no bridge"),
            one_of(
                "bridges",
                links.iter().filter(|link| link.bridge == Some(true)),
            ),
        ),
        None if made(view, name) || tagged(name, links, runtime) => return None,
        None if on_bridge => (
            format!("{host} has no bridge `{name}`"),
            one_of(
                "bridges",
                links.iter().filter(|link| link.bridge == Some(true)),
            ),
        ),
        None => (
            format!("{host} has no device `{name}`"),
            one_of(
                "devices",
                links
                    .iter()
                    .filter(|link| link.name != "lo" && (!pool || link.vfs != Some(0))),
            ),
        ),
    };
    let error = Diagnostic::error("Network on what is not there");
    Some(error.at(span, text).hint(hint))
}

fn one_of<'a>(what: &str, links: impl Iterator<Item = &'a Link>) -> String {
    let names: Vec<&str> = links.map(|link| link.name.as_str()).collect();
    match names.len() {
        0 => format!("it has no such {what}: make it, or name another host"),
        n if n > NAMES => format!(
            "it has {} and {} more {what}",
            names[..NAMES].join(", "),
            n - NAMES
        ),
        _ => format!("its {what} are: {}", names.join(", ")),
    }
}

/// Whether one of the networks makes it as its bridge.
fn made(view: &View<'_>, name: &str) -> bool {
    let mut networks = view.declared.networks.values();
    networks.any(|network| {
        let derived = || names::bridge(view.project, &network.address);
        let makes = network.driver.is_none() && network.existing.is_none();
        makes && network.bridge.clone().unwrap_or_else(derived) == name
    })
}

/// The engine makes the VLAN's device on the one that is there.
fn tagged(name: &str, links: &[Link], runtime: Runtime) -> bool {
    let below = name.rsplit_once('.').map(|(below, _)| below);
    runtime == Runtime::Container && links.iter().any(|link| Some(link.name.as_str()) == below)
}

/// The first API in which an engine makes a network without a subnet.
const WITHOUT_SUBNET: (u16, u16) = (1, 48);

fn unmade(view: &View<'_>, network: &Network, host: &HostName) -> Option<Diagnostic> {
    if network.range.is_some() {
        return None;
    }
    let docker = view.inventory.hosts.get(host)?.facts.docker.as_ref()?;
    let (major, minor) = docker.api()?;
    ((major, minor) < WITHOUT_SUBNET).then(|| {
        let (needs, least) = WITHOUT_SUBNET;
        let text = format!(
            "a container of {host} is in it, and an engine of API {major}.{minor} makes no network without a subnet"
        );
        Diagnostic::error("Network that is not for containers")
            .at(network.origin, text)
            .hint(format!(
                "write `subnet`, or use an engine of API {needs}.{least} or later (Docker 28)"
            ))
    })
}
