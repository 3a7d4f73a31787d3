//! Who can go to another host without being stopped: what keeps a machine from that, between these two hosts.

use infra_api::facts::Facts;
use infra_api::{Provider, ResourceId};
use serde_json::Value;

use crate::inventory::{HostInventory, Inventory};

/// Where the host of the first finds that of the second, or all that keeps it where it is.
///
/// # Errors
/// Every reason.
pub(crate) fn migrates(
    provider: Option<&dyn Provider>,
    inventory: &Inventory,
    (from, before): (&ResourceId, &Value),
    (to, after): (&ResourceId, &Value),
) -> Result<String, Vec<String>> {
    let mut why = provider.map_or_else(Vec::new, |p| p.stays_because(&to.kind, before, after));
    let hosts = (
        inventory.hosts.get(&from.host),
        inventory.hosts.get(&to.host),
    );
    let (Some(here), Some(there)) = hosts else {
        why.push(format!("`{}` is declared no longer", from.host));
        return Err(why);
    };
    versions(here, there, &mut why);
    processors(here, there, before, &mut why);
    if here.declared.pool_path != there.declared.pool_path {
        why.push("the hosts have other `pool_path`s".to_owned());
    }
    let Some(login) = &there.declared.migration_login else {
        why.push(format!(
            "other hosts do not know how to reach {}: write its `migration_address`",
            to.host
        ));
        return Err(why);
    };
    match why.is_empty() {
        true => Ok(format!("qemu+ssh://{login}/system?no_tty=1")),
        false => Err(why),
    }
}

/// What a newer one has made an older one may not understand.
fn versions(here: &HostInventory, there: &HostInventory, why: &mut Vec<String>) {
    type Version = fn(&Facts) -> Option<&String>;
    let all: [(&str, Version); 2] = [
        ("libvirt", |facts| facts.versions.libvirt.as_ref()),
        ("QEMU", |facts| facts.versions.qemu.as_ref()),
    ];
    for (what, of) in all {
        let (Some(old), Some(new)) = (of(&here.facts), of(&there.facts)) else {
            why.push(format!("the version of {what} is not known of both hosts"));
            continue;
        };
        if numbers(new) < numbers(old) {
            let name = &there.declared.name;
            why.push(format!(
                "{name} has {what} {new}, which is older than {old}"
            ));
        }
    }
}

fn numbers(version: &str) -> Vec<u32> {
    let parts = version.split('.');
    parts.map(|part| part.parse().unwrap_or(0)).collect()
}

/// A guest that has been told what the host's own CPU can do relies on it.
fn processors(here: &HostInventory, there: &HostInventory, body: &Value, why: &mut Vec<String>) {
    let mode = body["hardware"]["cpu"]["mode"].as_str();
    let is_own = mode.is_none_or(|mode| mode == "host-passthrough");
    if body["acceleration"] != "kvm" || !is_own {
        return;
    }
    let of = |host: &HostInventory| host.facts.libvirt.as_ref()?.cpu.clone();
    let name = &there.declared.name;
    match (of(here), of(there)) {
        (Some(own), Some(other)) if own == other => {}
        (Some(own), Some(other)) => why.push(format!(
            "its CPU is the host's own, and {name} has another: {other} instead of {own}; `cpu {{ mode = … }}` gives it one \
             that both have"
        )),
        _ => why.push(format!(
            "its CPU is the host's own, and whether {name} has the same is not known"
        )),
    }
}
