//! A network's DNS, written and read back.

use std::collections::BTreeMap;
use std::net::IpAddr;

use infra_api::target::{Dns, DnsService};
use roxmltree::Node;

use super::xml::{El, all, el, find, leaf};

/// Where it is off and nobody is told an address either, libvirt starts no dnsmasq at all.
pub(crate) fn write(dns: Option<&Dns>) -> El {
    match dns {
        None => el("dns").attr("enable", "no"),
        Some(dns) => el("dns").children(records(dns).into_iter().map(|(_, record)| record)),
    }
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Txt,
    Srv,
    Host,
}

/// Each record by itself, in libvirt's order. Of an address there is one, with all its names.
pub(crate) fn records(dns: &Dns) -> Vec<(Kind, El)> {
    let Dns { hosts, txt, srv } = dns;
    let mut names: BTreeMap<IpAddr, Vec<El>> = BTreeMap::new();
    for (name, address) in hosts {
        let name = leaf("hostname", name);
        names.entry(*address).or_default().push(name);
    }
    let txt = txt.iter().map(|(name, value)| {
        let record = el("txt").attr("name", name).attr("value", value);
        (Kind::Txt, record)
    });
    let srv = srv.iter().map(|service| (Kind::Srv, write_srv(service)));
    let hosts = names.into_iter().map(|(address, names)| {
        let record = el("host").attr("ip", address).children(names);
        (Kind::Host, record)
    });
    txt.chain(srv).chain(hosts).collect()
}

fn write_srv(record: &DnsService) -> El {
    let DnsService {
        service,
        protocol,
        domain,
        target,
        port,
        priority,
        weight,
    } = record;
    let number = |n: &u16| (*n > 0).then_some(*n);
    el("srv")
        .attr("service", service)
        .attr("protocol", protocol)
        .attr("domain", domain)
        .attr("target", target)
        .attr("port", port)
        .attrs("priority", number(priority).as_ref())
        .attrs("weight", number(weight).as_ref())
}

pub(crate) fn read(root: Node) -> Option<Dns> {
    let Some(dns) = find(root, "dns") else {
        // Where libvirt is told nothing there is DNS.
        return Some(Dns::default());
    };
    if dns.attribute("enable") == Some("no") {
        return None;
    }
    let word = |node: Node, name| node.attribute(name).unwrap_or_default().to_owned();
    let hosts = all(dns, "host").filter_map(|host| {
        let address: IpAddr = host.attribute("ip")?.parse().ok()?;
        let names = all(host, "hostname").filter_map(|name| Some(name.text()?.to_owned()));
        Some(names.map(move |name| (name, address)).collect::<Vec<_>>())
    });
    let txt = all(dns, "txt").map(|txt| (word(txt, "name"), word(txt, "value")));
    let srv = all(dns, "srv").map(|srv| {
        let number = |name| word(srv, name).parse().unwrap_or_default();
        DnsService {
            service: word(srv, "service"),
            protocol: word(srv, "protocol"),
            domain: word(srv, "domain"),
            target: word(srv, "target"),
            port: number("port"),
            priority: number("priority"),
            weight: number("weight"),
        }
    });
    let mut srv: Vec<DnsService> = srv.collect();
    srv.sort();
    Some(Dns {
        hosts: hosts.flatten().collect(),
        txt: txt.collect(),
        srv,
    })
}
