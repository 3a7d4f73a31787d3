//! No two networks of a host overlap: neither the configuration's nor those that are there.

use infra_diag::{Diagnostic, Diagnostics};
use ipnet::Ipv4Net;

use super::View;
use crate::declared::Network;

pub(super) fn check(view: &View<'_>, diagnostics: &mut Diagnostics) {
    let networks: Vec<&Network> = view.declared.networks.values().collect();
    for (index, one) in networks.iter().enumerate() {
        for other in &networks[index + 1..] {
            if overlap(one.subnet.value, other.subnet.value) {
                diagnostics.push(
                    Diagnostic::error("Overlapping subnets")
                        .at(
                            other.subnet.span,
                            format!("{} of {} overlaps …", other.subnet.value, other.address),
                        )
                        .at(
                            one.subnet.span,
                            format!("… {} of {}", one.subnet.value, one.address),
                        )
                        .hint("give each network addresses of its own"),
                );
            }
        }
        foreign(view, one, diagnostics);
    }
}

fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

/// Networks on the hosts that are not this project's.
fn foreign(view: &View<'_>, network: &Network, diagnostics: &mut Diagnostics) {
    for (name, host) in &view.inventory.hosts {
        let there = host.facts.docker.iter().flat_map(|d| &d.networks);
        for other in there.filter(|n| n.project.as_deref() != Some(view.project.as_str())) {
            let subnets = other
                .subnets
                .iter()
                .filter_map(|s| s.parse::<Ipv4Net>().ok());
            for subnet in subnets.filter(|s| overlap(*s, network.subnet.value)) {
                diagnostics.push(
                    Diagnostic::error("Overlapping subnets")
                        .at(
                            network.subnet.span,
                            format!("Docker network `{}` on {name} has {subnet}", other.name),
                        )
                        .hint("use another subnet, or remove that network"),
                );
            }
        }
    }
}
