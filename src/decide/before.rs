//! `lifecycle { create_before_destroy = true }` where nothing can be made before it is destroyed.

use std::collections::BTreeMap;

use infra_api::{Address, Placement, Runtime};
use infra_diag::{Diagnostic, Diagnostics};
use infra_lang::{Evaluation, Instance};

pub(super) fn refused(
    evaluation: &Evaluation,
    placements: &BTreeMap<Address, Placement>,
) -> Diagnostics {
    let asked = evaluation
        .instances
        .iter()
        .filter(|i| i.lifecycle.create_before_destroy);
    let mut diagnostics = Diagnostics::new();
    for instance in asked {
        let Some(why) = why(instance, placements) else {
            continue;
        };
        diagnostics.push(
            Diagnostic::error("Nothing can be created before it is destroyed")
                .at(instance.origin, format!("`{}` is {why}", instance.address))
                .hint(
                    "leave out `create_before_destroy`; it is for workloads that run as containers",
                ),
        );
    }
    diagnostics
}

fn why(instance: &Instance, placements: &BTreeMap<Address, Placement>) -> Option<&'static str> {
    let address = Address::new(instance.address.to_string());
    match (instance.kind, placements.get(&address).map(|p| p.runtime)) {
        ("workload", Some(Runtime::Kvm)) => {
            Some("a virtual machine: its name, its UUID and its disks are there once")
        }
        ("workload", _) => None,
        ("volume", _) => Some("a volume: another one would not have its data"),
        ("network", _) => Some("a network: its bridge and its subnet are there once"),
        _ => Some("not something that runs"),
    }
}
