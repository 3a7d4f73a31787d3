//! The host offers the runtime: seen to work there, not only installed.

use infra_api::Runtime;
use infra_api::facts::Offer;
use infra_api::target::Acceleration;

use super::Gate;
use crate::declared::Workload;
use crate::inventory::HostInventory;

pub(super) const GATE: Gate = Gate {
    name: "offered",
    closed: |workload, runtime, host, _| closed(workload, runtime, host),
};

fn closed(workload: &Workload, runtime: Runtime, host: &HostInventory) -> Option<String> {
    let name = &host.declared.name;
    match runtime {
        Runtime::BareMetal => {
            Some("this version of infra has no provider for systemd units".to_owned())
        }
        Runtime::Container => refused(
            host.facts.runtimes.container.as_ref(),
            &format!("{name} has no Docker Engine"),
        ),
        Runtime::Kvm => kvm(workload, host),
    }
}

fn kvm(workload: &Workload, host: &HostInventory) -> Option<String> {
    let name = &host.declared.name;
    let Some(libvirt) = &host.facts.libvirt else {
        let why = host
            .facts
            .runtimes
            .kvm
            .as_ref()
            .and_then(|offer| offer.why_not.clone());
        return Some(why.unwrap_or_else(|| format!("{name} has no libvirt daemon")));
    };
    if workload
        .kvm
        .as_ref()
        .is_some_and(|k| k.acceleration == Acceleration::Emulated)
    {
        return (libvirt.emulated == Some(false))
            .then(|| format!("libvirt on {name} offers no emulated machines"));
    }
    let why = refused(
        host.facts.runtimes.kvm.as_ref(),
        &format!("{name} was not seen to start a machine with KVM"),
    )?;
    let emulated = libvirt.emulated == Some(true);
    Some(if emulated {
        format!("{why}; `kvm {{ acceleration = \"emulated\" }}` would run it in software")
    } else {
        why
    })
}

fn refused(offer: Option<&Offer>, unknown: &str) -> Option<String> {
    match offer {
        Some(Offer { offered: true, .. }) => None,
        Some(Offer {
            why_not: Some(why), ..
        }) => Some(why.clone()),
        _ => Some(unknown.to_owned()),
    }
}
