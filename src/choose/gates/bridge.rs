//! A process on the metal that is in a network has an address on its bridge, which a daemon of the host makes.

use infra_api::Runtime;

use super::OfHost;

pub(super) const GATE: OfHost = OfHost {
    name: "bridge",
    closed: |workload, runtime, host, _| {
        let facts = &host.facts;
        let docker = facts
            .runtimes
            .container
            .as_ref()
            .is_some_and(|offer| offer.offered);
        let nobody = !docker && facts.libvirt.is_none();
        let asks = runtime == Runtime::BareMetal && !workload.interfaces.is_empty();
        (asks && nobody).then(|| {
            "nobody there makes its network's bridge: it has neither a Docker Engine nor a libvirt daemon".to_owned()
        })
    },
};
