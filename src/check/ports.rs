//! No two workloads of a host publish the same port, and none publishes one that is taken.

use std::collections::BTreeMap;
use std::net::IpAddr;

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

/// Two listeners meet where both are on the same address, or either is on every address of the other's family.
/// Without an address it is on every one of both.
fn meet(one: Option<&str>, other: Option<&str>) -> bool {
    let address = |text: &str| text.parse::<IpAddr>().ok();
    let (Some(one), Some(other)) = (one.and_then(address), other.and_then(address)) else {
        return true;
    };
    let every = one.is_unspecified() || other.is_unspecified();
    one == other || (every && one.is_ipv4() == other.is_ipv4())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_on_every_address_meets_his_own_family() {
        for (one, other, expected) in [
            (None, None, true),
            (None, Some("::1"), true),
            (Some("0.0.0.0"), Some("10.0.0.1"), true),
            (Some("0.0.0.0"), Some("::1"), false),
            (Some("::"), Some("::1"), true),
            (Some("::"), Some("10.0.0.1"), false),
            (Some("10.0.0.1"), Some("10.0.0.2"), false),
            (Some("10.0.0.1"), Some("10.0.0.1"), true),
        ] {
            assert_eq!(meet(one, other), expected, "{one:?} {other:?}");
            assert_eq!(meet(other, one), expected, "{other:?} {one:?}");
        }
    }
}
