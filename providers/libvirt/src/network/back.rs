//! Who is on a network's bridge, put back on it when it was made anew.

use infra_api::target::MachineInterface;
use infra_api::{Failure, Mark, Remedy};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::sys;

use crate::failure::{Doing, each};
use crate::link::Link;
use crate::plug::Running;
use crate::text::domain_read::Found;
use crate::{domain, guard};

/// A machine with NICs on the bridge.
pub(crate) struct Plugged {
    domain: Domain,
    mark: Mark,
    found: Found,
    nics: Vec<MachineInterface>,
}

/// All that run on it. Refuses where one of them is not ours: it would be cut off, and must not be touched.
pub(crate) fn plugged(link: &Link, mark: &Mark, network: &str) -> Result<Vec<Plugged>, Failure> {
    let doing = || format!("changing the network `{network}`");
    let domains = link.list_all_domains(sys::VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    each(domains.doing(doing)?, |domain| {
        let found = domain::running(link, domain)?;
        let nics = found.on_bridge(network);
        if nics.is_empty() {
            return Ok(None);
        }
        let what = format!("the domain `{}`", found.machine.name);
        let owner = guard::owner(&what, found.mark(), &mark.project);
        let mark = match (owner, found.mark()) {
            (Ok(_), Some(mark)) => mark.clone(),
            (why, _) => {
                let why = why.err().unwrap_or_default();
                let why = format!("{why}, and would be cut off from the network");
                let hint = "stop it, or pull its NIC out of the network, and apply again";
                return Err(Failure::new(Remedy::Operator, doing(), why).hint(hint));
            }
        };
        Ok(Some(Plugged {
            domain: domain.clone(),
            mark,
            found,
            nics,
        }))
    })
}

pub(crate) fn put(connection: &Connect, plugged: Vec<Plugged>) -> Result<(), Failure> {
    for Plugged {
        domain,
        mark,
        found,
        nics,
    } in plugged
    {
        let running = Running {
            connection,
            domain: &domain,
            mark: &mark,
            wanted: &found.machine,
        };
        nics.iter().try_for_each(|nic| running.reattach(nic))?;
    }
    Ok(())
}
