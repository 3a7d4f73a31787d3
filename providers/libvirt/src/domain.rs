//! Domains on a daemon, as they are.

use std::collections::BTreeSet;

use infra_api::target::Machine;
use infra_api::{Failure, Observed, Project, Remedy, Unmarked};
use virt::connect::Connect;
use virt::domain::{Domain, DomainShutoffReason, DomainState, DomainStateReason};
use virt::enumutil::Enum;
use virt::sys;

use crate::failure::{Doing, found, there};
use crate::link::Link;
use crate::network::Ports;
use crate::side::side_by_side;
use crate::text::domain::fingerprint;
use crate::text::domain_read::{self, Found};
use crate::text::pool::Pools;
use crate::text::theirs::{self, Around};
use crate::{guard, network};

pub(crate) fn lookup(connection: &Connect, name: &str) -> Result<Option<Domain>, Failure> {
    found(connection.lookup_domain_by_name(name))
        .doing(|| format!("looking for the domain `{name}`"))
}

/// As it will be started next.
pub(crate) fn stored(link: &Link, domain: &Domain) -> Result<Found, Failure> {
    describe(link, domain, sys::VIR_DOMAIN_XML_INACTIVE)
}

/// As it will be started next, its files by their paths alone.
pub(crate) fn described(domain: &Domain) -> Result<Found, Failure> {
    let xml = domain
        .xml_desc(sys::VIR_DOMAIN_XML_INACTIVE)
        .doing(reading)?;
    domain_read::read(&xml, &Pools::default()).doing(reading)
}

/// As it runs. A NIC whose network was stopped under it, and perhaps started again, is on no bridge any more, and
/// libvirt says nothing of that but by the ports of its networks.
pub(crate) fn live(link: &Link, domain: &Domain) -> Result<Found, Failure> {
    let found = running(link, domain)?;
    let ports = network::ports(link, &found.stands_on())?;
    Ok(without(found, ports.as_ref()))
}

fn without(mut found: Found, ports: Option<&Ports>) -> Found {
    if let Some(ports) = ports {
        found.cut_off(|port| !ports.contains(port));
    }
    found
}

/// As it runs, with every NIC where libvirt takes it to be.
pub(crate) fn running(link: &Link, domain: &Domain) -> Result<Found, Failure> {
    describe(link, domain, 0)
}

fn describe(link: &Link, domain: &Domain, flags: sys::virDomainXMLFlags) -> Result<Found, Failure> {
    let xml = domain.xml_desc(flags).doing(reading)?;
    understood(link, &xml)
}

pub(crate) fn understood(link: &Link, xml: &str) -> Result<Found, Failure> {
    let read = |pools: &Pools| domain_read::read(xml, pools);
    link.with_pools(read, |found| !found.is_astray())?
        .doing(reading)
}

fn reading() -> String {
    "reading a domain".to_owned()
}

pub(crate) fn read(link: &Link, project: &Project, name: &str) -> Result<Observed, Failure> {
    let Some(domain) = lookup(link, name)? else {
        return Ok(Observed::Absent);
    };
    let seen = Seen::look(link, &domain, None)?;
    let ports = network::ports(link, &seen.stands_on())?;
    match seen.observe(ports.as_ref(), project)? {
        Observed::Foreign { what, .. } if !seen.is_marked() => {
            let unmarked = unmarked(link, &domain)?;
            Ok(Observed::Foreign {
                what,
                unmarked: Some(Box::new(unmarked)),
            })
        }
        observed => Ok(observed),
    }
}

/// What nobody's domain is.
fn unmarked(link: &Link, domain: &Domain) -> Result<Unmarked, Failure> {
    let identity = domain.uuid_string().doing(reading)?;
    let body = match domain.is_persistent().doing(reading)? {
        true => theirs(link, domain)?,
        false => Err("it has no definition: it is gone when it stops".to_owned()),
    };
    let body = body.and_then(|body| serde_json::to_value(body).map_err(|e| e.to_string()));
    Ok(Unmarked { identity, body })
}

/// Its next start, or what runs where it runs; or why infra could not have made it.
pub(crate) fn theirs(link: &Link, domain: &Domain) -> Result<Result<Machine, String>, Failure> {
    let doing = reading;
    // A password would not be in it otherwise, and be lost.
    let whole = sys::VIR_DOMAIN_XML_INACTIVE | sys::VIR_DOMAIN_XML_SECURE;
    let xml = domain.xml_desc(whole).doing(doing)?;
    let names = domain_read::networks(&xml).doing(doing)?;
    let around = Around {
        pools: &*link.pools_now()?,
        networks: &network::known(link, names)?,
        runs: link.hypervisor()?,
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

/// What a few questions tell of all domains, by their names. Of one that no list names it is asked by itself.
struct Lists<'a> {
    pools: &'a Pools,
    /// Those that run, and are defined.
    running: BTreeSet<String>,
    autostart: BTreeSet<String>,
}

impl<'a> Lists<'a> {
    fn read(connection: &Connect, pools: &'a Pools) -> Result<(Vec<Domain>, Self), Failure> {
        let listed = |flags| {
            let domains = connection.list_all_domains(flags);
            domains.doing(|| "listing the domains".into())
        };
        let named = |flags| -> Result<BTreeSet<String>, Failure> {
            let names = listed(flags)?.into_iter().map(|domain| domain.name());
            names.collect::<Result<_, _>>().doing(reading)
        };
        let domains = listed(0)?;
        let lists = Self {
            pools,
            running: named(
                sys::VIR_CONNECT_LIST_DOMAINS_RUNNING | sys::VIR_CONNECT_LIST_DOMAINS_PERSISTENT,
            )?,
            autostart: named(sys::VIR_CONNECT_LIST_DOMAINS_AUTOSTART)?,
        };
        Ok((domains, lists))
    }
}

/// A domain as it is.
pub(crate) struct Seen {
    stored: Result<Found, Failure>,
    /// Where it runs.
    live: Option<Result<Found, Failure>>,
    persistent: bool,
    /// Of one that carries a mark, as is the rest.
    state: &'static str,
    autostart: bool,
}

impl Seen {
    fn look(link: &Link, domain: &Domain, lists: Option<&Lists>) -> Result<Self, Failure> {
        let name = domain.name().doing(reading)?;
        let read = |flags| {
            let xml = domain.xml_desc(flags).doing(reading)?;
            Ok::<_, Failure>(match lists {
                Some(lists) => domain_read::read(&xml, lists.pools).doing(reading),
                None => understood(link, &xml),
            })
        };
        let stored = read(sys::VIR_DOMAIN_XML_INACTIVE)?;
        let marked = stored.as_ref().is_ok_and(|found| found.stamp.is_some());
        let runs = lists.is_some_and(|lists| lists.running.contains(&name));
        // As it was when it was looked for.
        let active = runs || domain.id().is_some();
        let live = match active && (marked || lists.is_some()) {
            true => Some(read(0)?),
            false => None,
        };
        // One that does not run is there by its definition alone.
        let persistent = runs || !active || !marked || domain.is_persistent().doing(reading)?;
        let asks = marked && persistent;
        let state = match runs {
            true => "running",
            false if asks => state(domain)?,
            false => "",
        };
        let autostart = match lists {
            Some(lists) => lists.autostart.contains(&name),
            None => asks && domain.autostart().doing(reading)?,
        };
        Ok(Self {
            stored,
            live,
            persistent,
            state,
            autostart,
        })
    }

    /// What it takes of its host, now or when that starts; nothing of a definition beyond understanding.
    pub(crate) fn holds(&self) -> Option<&Found> {
        match &self.live {
            Some(live) => live.as_ref().ok(),
            None => self.stored.as_ref().ok().filter(|_| self.autostart),
        }
    }

    fn is_marked(&self) -> bool {
        self.stored
            .as_ref()
            .is_ok_and(|found| found.stamp.is_some())
    }

    pub(crate) fn stands_on(&self) -> BTreeSet<String> {
        let live = self.live.as_ref().and_then(|live| live.as_ref().ok());
        live.map(Found::stands_on).unwrap_or_default()
    }

    pub(crate) fn observe(
        &self,
        ports: Option<&Ports>,
        project: &Project,
    ) -> Result<Observed, Failure> {
        let stored = self.stored.clone()?;
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
        if !self.persistent {
            return Ok(Observed::Partial {
                address,
                why: format!("{what} runs, and its definition was removed"),
            });
        }
        let made = stored.stamp.map(|stamp| stamp.made).unwrap_or_default();
        let machine = match &self.live {
            Some(live) => news(without(live.clone()?, ports).machine, stored.machine, &made),
            None => stored.machine,
        };
        let (state, autostart) = (self.state.to_owned(), self.autostart);
        guard::present(
            address,
            &Machine {
                state,
                autostart,
                ..machine
            },
        )
    }
}

/// Where what runs is not what its next start makes of it: the one of both that is news, and that there is another.
fn news(live: Machine, stored: Machine, made: &str) -> Machine {
    let next_start = (live != stored).then(|| fingerprint(&stored));
    match fingerprint(&live) == made {
        true => stored,
        false => Machine { next_start, ..live },
    }
}

/// All of them, or those of these names: in a few calls what these tell of all, then each by itself, so many at a time.
pub(crate) fn look(
    link: &Link,
    pools: &Pools,
    parts: usize,
    of: Option<&BTreeSet<&str>>,
) -> Result<Vec<(String, Seen)>, Failure> {
    let (mut domains, lists) = Lists::read(link, pools)?;
    domains.retain(|domain| {
        let name = domain.name();
        of.is_none_or(|of| name.is_ok_and(|name| of.contains(name.as_str())))
    });
    there(side_by_side(parts, &domains, |domain| {
        let name = domain.name().doing(reading)?;
        Ok(Some((name, Seen::look(link, domain, Some(&lists))?)))
    }))
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
