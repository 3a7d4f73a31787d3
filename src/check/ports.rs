//! No two workloads of a host publish the same port, and none publishes one that is taken.

use std::collections::BTreeMap;

use infra_api::facts::Protocol;
use infra_api::target::Port;
use infra_api::{Address, HostName, Runtime};
use infra_diag::{Diagnostic, Diagnostics, Span};

use super::View;
use crate::declared::At;

/// A port of a host: host, protocol, number.
type Door = (HostName, String, u16);
/// Who listens there, on which of the host's addresses, and where that is written.
type Listener = (Option<String>, Address, Span);

pub(super) fn check(view: &View<'_>, diagnostics: &mut Diagnostics) {
    let mut taken: BTreeMap<Door, Vec<Listener>> = BTreeMap::new();
    for workload in &view.declared.workloads {
        let Some(placement) = view.placements.get(&workload.address) else {
            continue;
        };
        let Some(form) = workload
            .container
            .as_ref()
            .filter(|_| placement.runtime == Runtime::Container)
        else {
            continue;
        };
        for port in &form.ports {
            foreign(view, &placement.host, port, diagnostics);
            let key = (
                placement.host.clone(),
                port.value.protocol.clone(),
                port.value.host,
            );
            let others = taken.entry(key).or_default();
            for (address, owner, span) in others.iter() {
                if meet(address.as_deref(), port.value.host_address.as_deref()) {
                    let text = format!(
                        "{} publishes {}/{} on {} too",
                        workload.address, port.value.host, port.value.protocol, placement.host
                    );
                    diagnostics.push(
                        Diagnostic::error("Host port taken")
                            .at(port.span, text)
                            .at(*span, format!("{owner} has it"))
                            .hint("give one of them another `host` port"),
                    );
                }
            }
            others.push((
                port.value.host_address.clone(),
                workload.address.clone(),
                port.span,
            ));
        }
    }
}

/// Two listeners meet where either listens on every address, or both on the same.
fn meet(one: Option<&str>, other: Option<&str>) -> bool {
    let every = |a: Option<&str>| a.is_none_or(|a| a == "0.0.0.0");
    every(one) || every(other) || one == other
}

fn foreign(view: &View<'_>, host: &HostName, port: &At<Port>, diagnostics: &mut Diagnostics) {
    let Some(found) = view.inventory.hosts.get(host) else {
        return;
    };
    for used in found
        .facts
        .used
        .iter()
        .filter(|u| u.project.as_deref() != Some(view.project.as_str()))
    {
        let same = used.host_ports.iter().any(|p| {
            let address = p.address.map(|a| a.to_string());
            p.port == port.value.host
                && word(p.protocol) == port.value.protocol
                && meet(address.as_deref(), port.value.host_address.as_deref())
        });
        if same {
            let text = format!(
                "{} has {}/{} on {host}",
                used.owner, port.value.host, port.value.protocol
            );
            diagnostics.push(
                Diagnostic::error("Host port taken")
                    .at(port.span, text)
                    .hint("use another `host` port"),
            );
        }
    }
}

fn word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Sctp => "sctp",
    }
}
