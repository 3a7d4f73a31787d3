//! The host offers the runtime: seen to work there, not only installed.

use infra_api::Runtime;
use infra_api::facts::Offer;
use infra_api::target::Acceleration;

use super::OfHost;
use crate::declared::Workload;
use crate::inventory::HostInventory;

pub(super) const GATE: OfHost = OfHost {
    name: "offered",
    closed: |workload, runtime, host, _| closed(workload, runtime, host),
};

fn closed(workload: &Workload, runtime: Runtime, host: &HostInventory) -> Option<String> {
    match runtime {
        Runtime::BareMetal => refused(
            host.facts.runtimes.bare_metal.as_ref(),
            "nobody knows whether systemd runs there",
        ),
        Runtime::Container => refused(
            host.facts.runtimes.container.as_ref(),
            "there is no Docker Engine",
        ),
        Runtime::Kvm => kvm(workload, host),
    }
}

fn kvm(workload: &Workload, host: &HostInventory) -> Option<String> {
    let Some(libvirt) = &host.facts.libvirt else {
        let why = host
            .facts
            .runtimes
            .kvm
            .as_ref()
            .and_then(|offer| offer.why_not.clone());
        return Some(why.unwrap_or_else(|| "there is no libvirt daemon".to_owned()));
    };
    if workload
        .kvm
        .as_ref()
        .is_some_and(|k| k.acceleration == Acceleration::Emulated)
    {
        return (libvirt.emulated == Some(false))
            .then(|| "its libvirt offers no emulated machines".to_owned());
    }
    let why = refused(
        host.facts.runtimes.kvm.as_ref(),
        "no machine was seen to start with KVM there",
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
