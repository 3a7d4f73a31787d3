//! What networks stand on is there: the engine that can make one, and the host's own bridge or device.

use std::collections::BTreeSet;

use infra_api::{HostName, Runtime};
use infra_diag::{Diagnostic, Diagnostics};

use super::View;
use crate::declared::Network;

pub(super) fn check(view: &View<'_>, diagnostics: &mut Diagnostics) {
    for network in view.declared.networks.values() {
        for (host, runtime) in used(view, network) {
            if runtime == Runtime::Container {
                diagnostics.extend(unmade(view, network, host));
            }
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
