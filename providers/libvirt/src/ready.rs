//! Whether a guest is up: what was asked of it, one thing after the other, and the first that is not so yet.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use infra_api::target::{GuestReady, Machine};
use infra_api::{Failure, Readiness};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::sys;

use crate::console;
use crate::domain::{described, lookup, state};
use crate::failure::Doing;
use crate::text::console::{has_finished, has_line, last_lines};
use crate::text::xml;

/// A guest that is up answers at once; one that is not may drop what it is sent.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn ready(connection: &Connect, name: &str) -> Result<Readiness, Failure> {
    let Some(domain) = lookup(connection, name)? else {
        let why = format!("the domain `{name}` is not there");
        return Ok(Readiness::Failed(why));
    };
    match state(&domain)? {
        "running" => {}
        state @ ("paused" | "pmsuspended") => {
            return Ok(Readiness::Waiting(format!("it is {state}")));
        }
        state => return Ok(Readiness::Failed(format!("it is {state}"))),
    }
    let machine = described(&domain)?.machine;
    Ok(match lacks(connection, &domain, &machine)? {
        Some(what) => Readiness::Waiting(what),
        None => Readiness::Ready,
    })
}

/// The first of what it is to be that it is not yet.
fn lacks(
    connection: &Connect,
    domain: &Domain,
    machine: &Machine,
) -> Result<Option<String>, Failure> {
    let Some(ready) = &machine.ready else {
        return Ok(None);
    };
    let GuestReady {
        agent,
        lease,
        port,
        console,
        cloud_init,
    } = ready;
    if *lease && !has_lease(domain)? {
        return Ok(Some("it has no DHCP lease yet".to_owned()));
    }
    if *agent && let Some(why) = no_agent(domain)? {
        return Ok(Some(why));
    }
    if (console.is_some() || *cloud_init)
        && let Some(why) = unsaid(connection, machine, console.as_deref(), *cloud_init)?
    {
        return Ok(Some(why));
    }
    Ok(port.and_then(|port| refused(machine, port)))
}

fn has_lease(domain: &Domain) -> Result<bool, Failure> {
    let leases = domain.interface_addresses(sys::VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE, 0);
    let leases = leases.doing(|| "asking for DHCP leases".into())?;
    Ok(leases.iter().any(|nic| !nic.addrs.is_empty()))
}

/// The agent has opened its channel, and answers.
fn no_agent(domain: &Domain) -> Result<Option<String>, Failure> {
    let doing = || "reading a domain".to_owned();
    let live = domain.xml_desc(0).doing(doing)?;
    if !xml::parse(&live, |root| Some(is_connected(root))).doing(doing)? {
        return Ok(Some("its guest agent has not started".to_owned()));
    }
    // The agent alone can tell.
    let answer = domain.time(0).err();
    Ok(answer.map(|error| format!("its guest agent does not answer: {}", error.message())))
}

fn is_connected(root: roxmltree::Node) -> bool {
    let channels = xml::find(root, "devices")
        .into_iter()
        .flat_map(|devices| xml::all(devices, "channel"));
    let mut targets = channels.filter_map(|channel| xml::find(channel, "target"));
    targets.any(|target| {
        target.attribute("name") == Some("org.qemu.guest_agent.0")
            && target.attribute("state") == Some("connected")
    })
}

/// Nothing where the console says all that it is to say.
fn unsaid(
    connection: &Connect,
    machine: &Machine,
    text: Option<&str>,
    cloud_init: bool,
) -> Result<Option<String>, Failure> {
    let Some(path) = &machine.console_log else {
        return Ok(Some("its console is not written down".to_owned()));
    };
    let said = console::end(connection, path)?.unwrap_or_default();
    if let Some(text) = text.filter(|text| !has_line(&said, text)) {
        return Ok(Some(format!("{text:?} does not stand on its console yet")));
    }
    let waits = cloud_init && !has_finished(&said);
    Ok(waits.then(|| "cloud-init has not said on its console that it has finished".to_owned()))
}

/// From where infra runs: the network leads there, or it is waited for in vain.
fn refused(machine: &Machine, port: u16) -> Option<String> {
    let Some(nic) = machine.interfaces.first() else {
        return Some("it has no NIC".to_owned());
    };
    let Some(address) = nic.address else {
        return Some("the address of its first NIC is not known".to_owned());
    };
    let address = SocketAddr::from((address, port));
    let error = TcpStream::connect_timeout(&address, PATIENCE).err()?;
    Some(format!("{address} takes no connection: {error}"))
}

/// The end of its console, for who wonders.
pub(crate) fn last_words(connection: &Connect, name: &str) -> Result<Option<String>, Failure> {
    let Some(domain) = lookup(connection, name)? else {
        return Ok(None);
    };
    let machine = described(&domain)?.machine;
    let Some(path) = &machine.console_log else {
        return Ok(None);
    };
    let said = console::end(connection, path)?;
    Ok(said
        .and_then(|said| last_lines(&said))
        .map(|lines| format!("its console's last lines:\n{lines}")))
}
