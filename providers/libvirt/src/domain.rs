//! Domains on a daemon, as they are.

use std::collections::BTreeSet;
use std::sync::Arc;

use infra_api::target::Machine;
use infra_api::{Failure, Observed, Project, Remedy, Unmarked};
use virt::connect::Connect;
use virt::domain::{Domain, DomainShutoffReason, DomainState, DomainStateReason};
use virt::enumutil::Enum;
use virt::sys;

use crate::failure::{Doing, each, found};
use crate::network::Ports;
use crate::settle::hypervisor;
use crate::text::domain::fingerprint;
use crate::text::domain_read::{self, Found};
use crate::text::pool::Pools;
use crate::text::theirs::{self, Around};
use crate::wire::Wire;
use crate::{guard, network, pool};

pub(crate) fn lookup(connection: &Connect, name: &str) -> Result<Option<Domain>, Failure> {
    found(connection.lookup_domain_by_name(name))
        .doing(|| format!("looking for the domain `{name}`"))
}

/// As it will be started next.
pub(crate) fn stored(domain: &Domain, pools: &Pools) -> Result<Found, Failure> {
    describe(domain, sys::VIR_DOMAIN_XML_INACTIVE, pools)
}

/// As it runs. A NIC whose network was stopped under it, and perhaps started again, is on no bridge any more, and
/// libvirt says nothing of that but by the ports of its networks.
pub(crate) fn live(
    domain: &Domain,
    pools: &Pools,
    ports: Option<&Ports>,
) -> Result<Found, Failure> {
    let mut found = describe(domain, 0, pools)?;
    if let Some(ports) = ports {
        found.cut_off(|port| !ports.contains(port));
    }
    Ok(found)
}

fn describe(
    domain: &Domain,
    flags: sys::virDomainXMLFlags,
    pools: &Pools,
) -> Result<Found, Failure> {
    let xml = domain.xml_desc(flags).doing(|| "reading a domain".into())?;
    domain_read::read(&xml, pools).doing(|| "reading a domain".into())
}

pub(crate) fn read(
    connection: &Connect,
    project: &Project,
    name: &str,
) -> Result<Observed, Failure> {
    match lookup(connection, name)? {
        Some(domain) => {
            let at_once = AtOnce {
                pools: pool::paths(connection)?,
                ports: network::ports(connection)?,
                ..AtOnce::default()
            };
            let pools = &at_once.pools;
            match observe(&domain, &at_once, project)? {
                Observed::Foreign { what, .. } if stored(&domain, pools)?.stamp.is_none() => {
                    let unmarked = unmarked(connection, &domain, pools)?;
                    Ok(Observed::Foreign {
                        what,
                        unmarked: Some(Box::new(unmarked)),
                    })
                }
                observed => Ok(observed),
            }
        }
        None => Ok(Observed::Absent),
    }
}

/// What a few questions tell of all domains. Of one that no list names it is asked by itself.
#[derive(Default)]
struct AtOnce {
    pools: Pools,
    ports: Option<Ports>,
    persistent: BTreeSet<String>,
    running: BTreeSet<String>,
    autostart: BTreeSet<String>,
    /// Whether one that is not in the list of autostart is not started so.
    is_whole: bool,
}

impl AtOnce {
    fn of(connection: &Connect) -> Result<Self, Failure> {
        let named = |flags| -> Result<BTreeSet<String>, Failure> {
            let doing = || "listing the domains".to_owned();
            let domains = connection.list_all_domains(flags).doing(doing)?;
            let names = each(domains, |domain| domain.name().doing(doing).map(Some))?;
            Ok(names.into_iter().collect())
        };
        Ok(Self {
            pools: pool::paths(connection)?,
            ports: network::ports(connection)?,
            persistent: named(sys::VIR_CONNECT_LIST_DOMAINS_PERSISTENT)?,
            running: named(sys::VIR_CONNECT_LIST_DOMAINS_RUNNING)?,
            autostart: named(sys::VIR_CONNECT_LIST_DOMAINS_AUTOSTART)?,
            is_whole: true,
        })
    }

    fn autostart(&self, domain: &Domain, name: &str) -> Result<bool, virt::error::Error> {
        match self.is_whole {
            true => Ok(self.autostart.contains(name)),
            false => domain.autostart(),
        }
    }
}

/// What nobody's domain is.
fn unmarked(connection: &Connect, domain: &Domain, pools: &Pools) -> Result<Unmarked, Failure> {
    let doing = || "reading a domain".to_owned();
    let identity = domain.uuid_string().doing(doing)?;
    let body = match domain.is_persistent().doing(doing)? {
        true => theirs(connection, domain, pools)?,
        false => Err("it has no definition: it is gone when it stops".to_owned()),
    };
    let body = body.and_then(|body| serde_json::to_value(body).map_err(|e| e.to_string()));
    Ok(Unmarked { identity, body })
}

/// Its next start, or what runs where it runs; or why infra could not have made it.
pub(crate) fn theirs(
    connection: &Connect,
    domain: &Domain,
    pools: &Pools,
) -> Result<Result<Machine, String>, Failure> {
    let doing = || "reading a domain".to_owned();
    // A password would not be in it otherwise, and be lost.
    let whole = sys::VIR_DOMAIN_XML_INACTIVE | sys::VIR_DOMAIN_XML_SECURE;
    let xml = domain.xml_desc(whole).doing(doing)?;
    let names = domain_read::networks(&xml).doing(doing)?;
    let around = Around {
        pools,
        networks: &network::known(connection, names)?,
        runs: hypervisor(connection)?,
    };
    let stored = match theirs::stored(&xml, &around) {
        Ok(stored) => stored,
        Err(why) => return Ok(Err(why)),
    };
    let machine = match domain.is_active().doing(doing)? {
        true => {
            let xml = domain.xml_desc(0).doing(doing)?;
            let live = theirs::live(&xml, &stored, &around).doing(doing)?;
            let next_start = (live != stored).then(|| fingerprint(&stored));
            Machine { next_start, ..live }
        }
        false => stored,
    };
    Ok(Ok(Machine {
        state: state(domain)?.to_owned(),
        autostart: domain.autostart().doing(doing)?,
        ..machine
    }))
}

fn observe(domain: &Domain, at_once: &AtOnce, project: &Project) -> Result<Observed, Failure> {
    let (pools, ports) = (&at_once.pools, at_once.ports.as_ref());
    let stored = stored(domain, pools)?;
    let name = stored.machine.name.clone();
    let what = format!("the domain `{}`", stored.machine.name);
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
    if !at_once.persistent.contains(&name) && !domain.is_persistent().doing(doing)? {
        return Ok(Observed::Partial {
            address,
            why: format!("{what} runs, and its definition was removed"),
        });
    }
    let made = stored.stamp.map(|stamp| stamp.made).unwrap_or_default();
    let runs = at_once.running.contains(&name);
    let machine = match runs || domain.is_active().doing(doing)? {
        true => running(live(domain, pools, ports)?.machine, stored.machine, &made),
        false => stored.machine,
    };
    let state = match runs {
        true => "running",
        false => state(domain)?,
    };
    let (state, autostart) = (
        state.to_owned(),
        at_once.autostart(domain, &name).doing(doing)?,
    );
    guard::present(
        address,
        &Machine {
            state,
            autostart,
            ..machine
        },
    )
}

/// Where what runs is not what its next start makes of it: the one of both that is news, and that there is another.
fn running(live: Machine, stored: Machine, made: &str) -> Machine {
    let next_start = (live != stored).then(|| fingerprint(&stored));
    match fingerprint(&live) == made {
        true => stored,
        false => Machine { next_start, ..live },
    }
}

/// This project's, half-made ones too. In one call the names of all, then each by itself.
pub(crate) async fn list(
    wire: &Wire,
    project: &Project,
) -> Result<Vec<(String, Observed)>, Failure> {
    let (names, at_once) = wire
        .ask(|connection| Ok((names(connection)?, AtOnce::of(connection)?)))
        .await?;
    let at_once = Arc::new(at_once);
    let mut calls = tokio::task::JoinSet::new();
    // Four at a time is what the wire lets through; more tasks than that would only wait.
    for part in names.chunks(names.len().div_ceil(4).max(1)) {
        let (wire, project, part) = (wire.clone(), project.clone(), part.to_vec());
        let at_once = Arc::clone(&at_once);
        calls.spawn(async move {
            let several = move |connection: &_| several(connection, &project, &part, &at_once);
            wire.ask(several).await
        });
    }
    calls
        .join_all()
        .await
        .into_iter()
        .try_fold(Vec::new(), |mut all, part| {
            all.extend(part?);
            Ok(all)
        })
}

fn names(connection: &Connect) -> Result<Vec<String>, Failure> {
    let doing = || "listing the domains".to_owned();
    let domains = connection.list_all_domains(0).doing(doing)?;
    each(domains, |domain| domain.name().doing(doing).map(Some))
}

fn several(
    connection: &Connect,
    project: &Project,
    names: &[String],
    at_once: &AtOnce,
) -> Result<Vec<(String, Observed)>, Failure> {
    each(names, |name| {
        let Some(domain) = lookup(connection, name)? else {
            return Ok(None);
        };
        Ok(match observe(&domain, at_once, project)? {
            Observed::Foreign { .. } | Observed::Absent => None,
            ours => Some(((*name).clone(), ours)),
        })
    })
}

/// libvirt's word, and `crashed` for a QEMU that went by itself.
pub(crate) fn state(domain: &Domain) -> Result<&'static str, Failure> {
    let doing = || "reading a domain's state".to_owned();
    let (state, reason) = domain.state().doing(doing)?;
    let crashed = matches!(reason, Enum::Known(DomainStateReason::Shutoff(why)) if why.is(DomainShutoffReason::Crashed));
    match state.known() {
        Some(DomainState::Running | DomainState::Blocked) => Ok("running"),
        Some(DomainState::Paused) => Ok("paused"),
        Some(DomainState::Shutdown) => Ok("shutdown"),
        Some(DomainState::Shutoff) if crashed => Ok("crashed"),
        Some(DomainState::Shutoff) => Ok("shutoff"),
        Some(DomainState::Crashed) => Ok("crashed"),
        Some(DomainState::PMSuspended) => Ok("pmsuspended"),
        // virt 0.5.0 drops the error of this call and hands out an unknown state instead.
        Some(DomainState::NoState) | None => {
            Err(Failure::new(Remedy::Retry, doing(), "libvirt did not tell"))
        }
    }
}
