//! Networks of machines on a daemon.

mod back;
pub(crate) mod change;

use std::collections::{BTreeMap, BTreeSet};

use infra_api::target::MachineNetwork;
use infra_api::{Failure, Impact, Mark, Observed, Project, Remedy, Unmarked};
use virt::connect::Connect;
use virt::network::Network;
use virt::sys;

use crate::failure::{Doing, each, found};
use crate::guard::{Claim, taken};
use crate::link::Link;
use crate::text::mark::news;
use crate::text::network::{self as text, Found};
use crate::text::theirs;
use crate::{guard, raw};

fn lookup(connection: &Connect, name: &str) -> Result<Option<Network>, Failure> {
    found(connection.lookup_network_by_name(name))
        .doing(|| format!("looking for the network `{name}`"))
}

fn stored(network: &Network) -> Result<Found, Failure> {
    text::read(&stored_xml(network)?).doing(reading)
}

/// As it is stored. The mock driver keeps no second version and refuses the flag.
fn stored_xml(network: &Network) -> Result<String, Failure> {
    let xml = network
        .xml_desc(sys::VIR_NETWORK_XML_INACTIVE)
        .or_else(|_| network.xml_desc(0));
    xml.doing(reading)
}

/// What changes an object asks [`Claim`] first.
fn may(network: &Network, claim: &Claim, found: &Found) -> Result<(), Failure> {
    let identity = network.uuid_string().doing(reading)?;
    let what = format!("the network `{}`", found.network.name);
    claim.may(&what, found.mark(), &identity)
}

/// Of those that are named, the ones that are somebody's of infra's, or could be.
pub(crate) fn known(
    connection: &Connect,
    names: BTreeSet<String>,
) -> Result<BTreeMap<String, MachineNetwork>, Failure> {
    let mut known = BTreeMap::new();
    for name in names {
        let Some(network) = lookup(connection, &name)? else {
            continue;
        };
        let xml = stored_xml(&network)?;
        let marked = text::read(&xml).ok().filter(|found| found.stamp.is_some());
        let body = marked.map(|found| found.network);
        if let Some(body) = body.or_else(|| theirs::network::stored(&xml).ok()) {
            known.insert(name, body);
        }
    }
    Ok(known)
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

/// All that is plugged into these networks; nothing where libvirt does not tell (before 5.5, and its mock).
fn plugged<'a>(networks: impl IntoIterator<Item = &'a Network>) -> Option<Ports> {
    let lists: Result<Vec<_>, _> = networks.into_iter().map(raw::ports).collect();
    let lists = lists.ok()?;
    Some(lists.into_iter().flatten().collect())
}

/// All that is plugged into those of these networks that run.
pub(crate) fn ports(connection: &Connect, of: &BTreeSet<String>) -> Result<Option<Ports>, Failure> {
    if of.is_empty() {
        return Ok(Some(Ports::new()));
    }
    let active = sys::VIR_CONNECT_LIST_NETWORKS_ACTIVE;
    let networks = connection.list_all_networks(active);
    let networks = networks.doing(|| "listing the networks".into())?;
    let of = |network: &&Network| network.name().is_ok_and(|name| of.contains(&name));
    Ok(plugged(networks.iter().filter(of)))
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

/// A network as it is.
pub(crate) struct Seen {
    /// As it runs, or would.
    pub(crate) live: String,
    stored: String,
    active: bool,
    autostart: bool,
}

impl Seen {
    /// `whole`: it is known to be started, now and with the host.
    fn look(network: &Network, whole: bool) -> Result<Self, Failure> {
        Ok(Self {
            active: whole || network.is_active().doing(reading)?,
            autostart: whole || network.autostart().doing(reading)?,
            live: network.xml_desc(0).doing(reading)?,
            stored: stored_xml(network)?,
        })
    }

    fn is_started(&self) -> bool {
        self.active && self.autostart
    }

    fn is_nobodys(&self) -> Result<bool, Failure> {
        Ok(text::read(&self.stored).doing(reading)?.stamp.is_none())
    }

    pub(crate) fn observe(&self, project: &Project) -> Result<Observed, Failure> {
        let stored = text::read(&self.stored).doing(reading)?;
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
        if !self.is_started() {
            return Ok(Observed::Partial {
                address,
                why: format!("{what} is not started"),
            });
        }
        let made = stored.stamp.map(|stamp| stamp.made).unwrap_or_default();
        let runs = text::read(&self.live).doing(reading)?.network;
        guard::present(address, &news(runs, stored.network, &made))
    }

    fn unmarked(&self, identity: String) -> Unmarked {
        let body = theirs::network::stored(&self.stored).and_then(|stored| {
            match self.is_started() {
            true => Ok(stored),
            false => Err(
                "it is not started, or not with the host (`virsh net-start`, `virsh net-autostart`)"
                    .to_owned(),
            ),
        }
        });
        let body = body.and_then(|body| serde_json::to_value(body).map_err(|e| e.to_string()));
        Unmarked { identity, body }
    }
}

/// All networks of a daemon, by name.
pub(crate) type All = Vec<(String, Seen)>;

/// With what is plugged into those that run.
pub(crate) fn look(connection: &Connect) -> Result<(All, Option<Ports>), Failure> {
    let listed = |flags| {
        let networks = connection.list_all_networks(flags);
        networks.doing(|| "listing the networks".into())
    };
    let whole =
        listed(sys::VIR_CONNECT_LIST_NETWORKS_ACTIVE | sys::VIR_CONNECT_LIST_NETWORKS_AUTOSTART)?;
    let whole: BTreeSet<String> = whole.iter().filter_map(|one| one.name().ok()).collect();
    let seen = each(listed(0)?, |network| {
        let name = network.name().doing(reading)?;
        let seen = Seen::look(network, whole.contains(&name))?;
        Ok(Some((network.clone(), name, seen)))
    })?;
    let running = seen.iter().filter(|(.., seen)| seen.active);
    let ports = plugged(running.map(|(network, ..)| network));
    let seen = seen.into_iter().map(|(_, name, seen)| (name, seen));
    Ok((seen.collect(), ports))
}

pub(crate) fn read(
    connection: &Connect,
    project: &Project,
    name: &str,
) -> Result<Observed, Failure> {
    let Some(network) = lookup(connection, name)? else {
        return Ok(Observed::Absent);
    };
    let seen = Seen::look(&network, false)?;
    match seen.observe(project)? {
        Observed::Foreign { what, .. } if seen.is_nobodys()? => {
            let identity = network.uuid_string().doing(reading)?;
            Ok(Observed::Foreign {
                what,
                unmarked: Some(Box::new(seen.unmarked(identity))),
            })
        }
        observed => Ok(observed),
    }
}

/// Each step is skipped where it has been done.
pub(crate) fn create(
    connection: &Connect,
    claim: &Claim,
    wanted: &MachineNetwork,
    anew: bool,
) -> Result<(), Failure> {
    let doing = || format!("making the network `{}`", wanted.name);
    let network = match lookup(connection, &wanted.name)? {
        Some(_) if anew => return Err(taken(doing())),
        Some(network) => {
            same(&network, claim, wanted)?;
            network
        }
        None => {
            let xml = text::write(wanted, &claim.mark).doing(doing)?;
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
    link: &Link,
    claim: &Claim,
    wanted: &MachineNetwork,
    allowed: Impact,
) -> Result<(), Failure> {
    let doing = || format!("changing the network `{}`", wanted.name);
    let replan = |why: &str| Failure::new(Remedy::Replan, doing(), why);
    let Some(network) = lookup(link, &wanted.name)? else {
        return Err(replan("it is gone"));
    };
    let there = stored(&network)?;
    may(&network, claim, &there)?;
    let mark = &claim.mark;
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
        link.define_network_xml(&xml).doing(doing)
    };
    match (runs, takes) {
        (Some(runs), Some(Impact::Restart)) => {
            let plugged = match runs.own {
                Some(_) => back::plugged(link, mark, &wanted.name)?,
                None => Vec::new(),
            };
            define()?;
            network.destroy().doing(doing)?;
            network.create().doing(doing)?;
            back::put(link, plugged)
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

fn same(network: &Network, claim: &Claim, wanted: &MachineNetwork) -> Result<(), Failure> {
    let (what, there) = (format!("the network `{}`", wanted.name), stored(network)?);
    may(network, claim, &there)?;
    match there.network == *wanted {
        true => Ok(()),
        false => Err(Failure::new(
            Remedy::Replan,
            format!("making {what}"),
            "it is there, and another one",
        )),
    }
}

pub(crate) fn delete(connection: &Connect, claim: &Claim, name: &str) -> Result<(), Failure> {
    let Some(network) = lookup(connection, name)? else {
        return Ok(());
    };
    may(&network, claim, &stored(&network)?)?;
    let doing = || format!("removing the network `{name}`");
    if network.is_active().doing(doing)? {
        network.destroy().doing(doing)?;
    }
    // A transient network is gone once it is stopped.
    found(network.undefine())
        .doing(doing)
        .map(Option::unwrap_or_default)
}
