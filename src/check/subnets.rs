//! No two networks of a host overlap: neither the configuration's nor those that are there.

use infra_api::facts::Facts;
use infra_diag::{Diagnostic, Diagnostics};
use ipnet::Ipv4Net;

use super::View;
use crate::declared::{At, Network};

pub(super) fn check(view: &View<'_>, diagnostics: &mut Diagnostics) {
    let networks = view.declared.networks.values();
    let networks: Vec<(&Network, &At<Ipv4Net>)> = networks
        .filter_map(|network| Some((network, &network.range.as_ref()?.subnet)))
        .collect();
    for (index, (one, subnet)) in networks.iter().enumerate() {
        for (other, others) in &networks[index + 1..] {
            if overlap(subnet.value, others.value) {
                diagnostics.push(
                    Diagnostic::error("Overlapping subnets")
                        .at(
                            others.span,
                            format!("{} of {} overlaps …", others.value, other.address),
                        )
                        .at(
                            subnet.span,
                            format!("… {} of {}", subnet.value, one.address),
                        )
                        .hint("give each network addresses of its own"),
                );
            }
        }
        foreign(view, subnet, diagnostics);
    }
}

fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

/// Networks on the hosts that are not this project's.
fn foreign(view: &View<'_>, own: &At<Ipv4Net>, diagnostics: &mut Diagnostics) {
    for (name, host) in &view.inventory.hosts {
        let others = there(&host.facts).filter(|n| n.project != Some(view.project.as_str()));
        for other in others {
            let subnets = other.subnets.iter().filter_map(|s| s.parse().ok());
            for subnet in subnets.filter(|s| overlap(*s, own.value)) {
                let (daemon, called) = (other.daemon, other.name);
                let text = format!("{daemon} network `{called}` on {name} has {subnet}");
                diagnostics.push(
                    Diagnostic::error("Overlapping subnets")
                        .at(own.span, text)
                        .hint("use another subnet, or remove that network"),
                );
            }
        }
    }
}

/// A network as a daemon has it.
struct There<'a> {
    daemon: &'static str,
    name: &'a str,
    project: Option<&'a str>,
    subnets: &'a [String],
}

fn there(facts: &Facts) -> impl Iterator<Item = There<'_>> {
    let docker = facts.docker.iter().flat_map(|d| &d.networks);
    let libvirt = facts.libvirt.iter().flat_map(|l| &l.networks);
    let docker = docker.map(|n| There {
        daemon: "Docker",
        name: &n.name,
        project: n.project.as_deref(),
        subnets: &n.subnets,
    });
    let libvirt = libvirt.map(|n| There {
        daemon: "libvirt",
        name: &n.name,
        project: n.project.as_deref(),
        subnets: &n.subnets,
    });
    docker.chain(libvirt)
}
