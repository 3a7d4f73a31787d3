//! The way into each host, and which machine it leads to.

use std::collections::BTreeMap;

use infra_api::{Failure, HostName, Login};
use infra_door::{Door, Way};

use super::locks::last;
use super::ssh::{Destination, Ways, boot};
use crate::declared::Host;

/// A host that can be entered.
pub(super) struct Inside {
    pub(super) door: Door,
    /// What a provider is told that goes through it.
    pub(super) endpoint: String,
    /// Of the machine, since it was started.
    pub(super) boot: Option<String>,
    /// Whether it is this machine.
    pub(super) near: bool,
    /// Who had its lock last, when it was entered.
    pub(super) last: String,
}

pub(super) type Doors = BTreeMap<HostName, Result<Inside, Failure>>;

pub(super) fn open(hosts: &BTreeMap<HostName, Host>, ways: &Ways) -> Doors {
    let boot = boot();
    let hosts = hosts.values().map(|host| {
        let inside = match &host.login {
            None => {
                let sudo = !rustix::process::geteuid().is_root();
                Ok(inside(&host.name, &Way::Here, sudo, boot.clone(), last()))
            }
            Some(login) => over(&host.name, login, ways),
        };
        (host.name.clone(), inside)
    });
    hosts.collect()
}

fn over(name: &HostName, login: &Login, ways: &Ways) -> Result<Inside, Failure> {
    let open = ways.to(&Destination::from(login));
    let open = open.map_err(|failure| {
        let without = "`infra plan --allow-unreachable` leaves this host as it is";
        Failure {
            doing: format!("{} for host `{name}`", failure.doing),
            hint: Some(match &failure.hint {
                Some(hint) if hint.ends_with('?') => format!("{hint} {without}"),
                Some(hint) => format!("{hint}; {without}"),
                None => without.to_owned(),
            }),
            ..failure.clone()
        }
    })?;
    Ok(inside(
        name,
        &open.way(),
        !open.root,
        Some(open.boot.clone()),
        open.last.clone(),
    ))
}

fn inside(name: &HostName, way: &Way, sudo: bool, boot: Option<String>, last: String) -> Inside {
    Inside {
        endpoint: Door::endpoint(way, sudo),
        near: *way == Way::Here,
        door: Door::new(name.clone(), way.clone(), sudo),
        boot,
        last,
    }
}

/// Pairs of hosts that are one machine: each would take the other's objects for strays.
pub(super) fn twins(doors: &Doors) -> Vec<(&HostName, &HostName)> {
    let mut first: BTreeMap<&str, &HostName> = BTreeMap::new();
    let mut twins = Vec::new();
    for (name, inside) in doors {
        let Some(boot) = inside.as_ref().ok().and_then(|i| i.boot.as_deref()) else {
            continue;
        };
        match first.get(boot) {
            Some(other) => twins.push((*other, name)),
            None => drop(first.insert(boot, name)),
        }
    }
    twins
}
