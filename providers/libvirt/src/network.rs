//! Networks of machines on a daemon.

mod back;
pub(crate) mod change;

use std::collections::BTreeSet;

use infra_api::target::MachineNetwork;
use infra_api::{Failure, Impact, Mark, Observed, Project, Remedy};
use virt::connect::Connect;
use virt::network::Network;
use virt::sys;

use crate::failure::{Doing, each, found};
use crate::text::mark::news;
use crate::text::network::{self as text, Found};
use crate::{guard, raw};

fn lookup(connection: &Connect, name: &str) -> Result<Option<Network>, Failure> {
    found(connection.lookup_network_by_name(name))
        .doing(|| format!("looking for the network `{name}`"))
}

/// As it is stored. The mock driver keeps no second version and refuses the flag.
fn stored(network: &Network) -> Result<Found, Failure> {
    let xml = network
        .xml_desc(sys::VIR_NETWORK_XML_INACTIVE)
        .or_else(|_| network.xml_desc(0));
    xml.doing(reading)
        .and_then(|xml| text::read(&xml).doing(reading))
}

/// As it runs.
fn live(network: &Network) -> Result<Found, Failure> {
    network
        .xml_desc(0)
        .doing(reading)
        .and_then(|xml| text::read(&xml).doing(reading))
}

fn reading() -> String {
    "reading a network".to_owned()
}

/// All that is plugged into networks that run; nothing where libvirt does not tell (before 5.5, and its mock).
pub(crate) fn ports(connection: &Connect) -> Result<Option<Ports>, Failure> {
    let active = sys::VIR_CONNECT_LIST_NETWORKS_ACTIVE;
    let networks = connection.list_all_networks(active);
    let networks = networks.doing(|| "listing the networks".into())?;
    let lists: Result<Vec<_>, _> = networks.iter().map(raw::ports).collect();
    Ok(lists
        .ok()
        .map(|lists| lists.into_iter().flatten().collect()))
}

/// By their UUIDs.
pub(crate) type Ports = BTreeSet<String>;

/// A network that lives as long as it runs, for NICs on their way to another.
pub(crate) fn passing(connection: &Connect, mark: &Mark, name: &str) -> Result<Network, Failure> {
    let doing = || format!("making the network `{name}` for a moment");
    if let Some(there) = lookup(connection, name)? {
        guard::ours(
            &format!("the network `{name}`"),
            stored(&there)?.mark(),
            &mark.project,
        )?;
        return Ok(there);
    }
    let xml = text::write_passing(name, mark).doing(doing)?;
    connection.create_network_xml(&xml).doing(doing)
}

pub(crate) fn list(
    connection: &Connect,
    project: &Project,
) -> Result<Vec<(String, Observed)>, Failure> {
    let networks = connection.list_all_networks(0);
    each(
        networks.doing(|| "listing the networks".into())?,
        |network| {
            let found = stored(network)?;
            let ours = found.mark().is_some_and(|mark| mark.project == *project);
            let name = found.network.name.clone();
            ours.then(|| Ok((name, observe(network, found, project)?)))
                .transpose()
        },
    )
}

pub(crate) fn read(
    connection: &Connect,
    project: &Project,
    name: &str,
) -> Result<Observed, Failure> {
    match lookup(connection, name)? {
        Some(network) => observe(&network, stored(&network)?, project),
        None => Ok(Observed::Absent),
    }
}

fn observe(network: &Network, stored: Found, project: &Project) -> Result<Observed, Failure> {
    let what = format!("the network `{}`", stored.network.name);
    let address = match guard::owner(&what, stored.mark(), project) {
        Ok(address) => address,
        Err(what) => {
            return Ok(Observed::Foreign {
                what,
                unmarked: None,
            });
        }
    };
    let doing = || format!("reading {what}");
    if !(network.is_active().doing(doing)? && network.autostart().doing(doing)?) {
        return Ok(Observed::Partial {
            address,
            why: format!("{what} is not started"),
        });
    }
    let made = stored.stamp.map(|stamp| stamp.made).unwrap_or_default();
    let runs = live(network)?.network;
    guard::present(address, &news(runs, stored.network, &made))
}

/// Each step is skipped where it has been done.
pub(crate) fn create(
    connection: &Connect,
    mark: &Mark,
    wanted: &MachineNetwork,
) -> Result<(), Failure> {
    let doing = || format!("making the network `{}`", wanted.name);
    let network = match lookup(connection, &wanted.name)? {
        Some(network) => {
            same(&stored(&network)?, mark, wanted)?;
            network
        }
        None => {
            let xml = text::write(wanted, mark).doing(doing)?;
            connection.define_network_xml(&xml).doing(doing)?
        }
    };
    network.set_autostart(true).doing(doing)?;
    match network.is_active().doing(doing)? {
        true => Ok(()),
        false => network.create().doing(doing),
    }
}

/// Who is told which address, and what DNS knows, change while the network runs. What else can change stops it and
/// starts it again, and puts back who was on its bridge.
pub(crate) fn update(
    connection: &Connect,
    mark: &Mark,
    wanted: &MachineNetwork,
    allowed: Impact,
) -> Result<(), Failure> {
    let doing = || format!("changing the network `{}`", wanted.name);
    let replan = |why: &str| Failure::new(Remedy::Replan, doing(), why);
    let Some(network) = lookup(connection, &wanted.name)? else {
        return Err(replan("it is gone"));
    };
    let there = stored(&network)?;
    guard::ours(
        &format!("the network `{}`", wanted.name),
        there.mark(),
        &mark.project,
    )?;
    let runs = match network.is_active().doing(doing)? {
        true => Some(live(&network)?.network),
        false => None,
    };
    let takes = runs.iter().chain([&there.network]);
    let takes = takes.map(|there| change::takes(there, wanted)).max();
    if takes > Some(allowed) {
        return Err(replan("this takes more than was planned"));
    }
    let define = || {
        let xml = text::write(wanted, mark).doing(doing)?;
        connection.define_network_xml(&xml).doing(doing)
    };
    match (runs, takes) {
        (Some(runs), Some(Impact::Restart)) => {
            let plugged = match runs.own {
                Some(_) => back::plugged(connection, mark, &wanted.name)?,
                None => Vec::new(),
            };
            define()?;
            network.destroy().doing(doing)?;
            network.create().doing(doing)?;
            back::put(connection, plugged)
        }
        (Some(runs), _) => {
            define()?;
            let records = change::records(&runs, wanted);
            records.iter().try_for_each(|record| {
                let xml = record.element.clone().document().doing(doing)?;
                let (command, section) = (record.command, record.section);
                let live = sys::VIR_NETWORK_UPDATE_AFFECT_LIVE;
                network
                    .update(command, section, -1, &xml, live)
                    .doing(doing)
            })
        }
        (None, _) => define().map(|_| ()),
    }
}

fn same(there: &Found, mark: &Mark, wanted: &MachineNetwork) -> Result<(), Failure> {
    let what = format!("the network `{}`", wanted.name);
    guard::ours(&what, there.mark(), &mark.project)?;
    match there.network == *wanted {
        true => Ok(()),
        false => Err(Failure::new(
            Remedy::Replan,
            format!("making {what}"),
            "it is there, and another one",
        )),
    }
}

pub(crate) fn delete(connection: &Connect, mark: &Mark, name: &str) -> Result<(), Failure> {
    let Some(network) = lookup(connection, name)? else {
        return Ok(());
    };
    guard::ours(
        &format!("the network `{name}`"),
        stored(&network)?.mark(),
        &mark.project,
    )?;
    let doing = || format!("removing the network `{name}`");
    if network.is_active().doing(doing)? {
        network.destroy().doing(doing)?;
    }
    // A transient network is gone once it is stopped.
    found(network.undefine())
        .doing(doing)
        .map(Option::unwrap_or_default)
}
