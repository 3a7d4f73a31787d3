//! An interface that is a virtual function brings an address and a VLAN of its own: its fabric sets none.

use infra_diag::{Diagnostic, Diagnostics};

use super::View;

pub(super) fn check(view: &View<'_>, diagnostics: &mut Diagnostics) {
    for workload in &view.declared.workloads {
        let Some(placement) = view.placements.get(&workload.address) else {
            continue;
        };
        let Some(host) = view.declared.hosts.get(&placement.host) else {
            continue;
        };
        for interface in workload.interfaces.iter().filter(|nic| nic.function) {
            let fabric = interface.fabric.as_ref();
            let Some(fabric) = fabric.and_then(|name| host.fabrics.get(&name.value)) else {
                continue;
            };
            let mac = fabric.mac.as_ref().map(|mac| ("mac", mac.span));
            let vlan = fabric.vlan.as_ref().map(|vlan| ("vlan", vlan.span));
            for (name, span) in mac.into_iter().chain(vlan) {
                let text = format!("each function of it has this `{name}`");
                diagnostics.push(
                    Diagnostic::error("Function of two minds")
                        .at(interface.span, format!("its function has the `{name}` of this interface"))
                        .at(span, text)
                        .hint(format!("leave `{name}` out of the fabric, and write it in the `interface`s; or ask for a `device` of the fabric instead")),
                );
            }
        }
    }
}
