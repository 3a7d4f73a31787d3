//! Bodies of objects → the declarations that would make them. Pure. What the language cannot say is a comment in the
//! block, never left out in silence.

mod container;
mod devices;
mod hardware;
mod machine;
mod numa;
mod storage;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use infra_api::target::{
    ContainerNetwork, ContainerVolume, Dns, DnsService, Driver, Lease, MachineNetwork, OwnBridge,
    Range6,
};

pub use self::container::container;
pub use self::machine::machine;
pub use self::storage::{disk_volume, existing_pool, pool};
pub use self::text::Block;
use self::text::is_identifier;

/// What is declared, by the name its daemon has for it: `network.lan`, `volume.data`.
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    pub networks: BTreeMap<String, String>,
    pub volumes: BTreeMap<String, String>,
    /// Pools of libvirt.
    pub pools: BTreeMap<String, String>,
    /// MACs of machines that are written as well: a network tells them by itself.
    pub nics: BTreeSet<String>,
    /// What networks tell whom, by MAC.
    pub leases: BTreeMap<String, Ipv4Addr>,
}

/// `import { to = …  id = … }`.
#[must_use]
pub fn import(to: &str, id: &str) -> Block {
    let mut block = Block::new("import");
    block.raw("to", to);
    block.text("id", id);
    block
}

#[must_use]
pub fn network(label: &str, body: &ContainerNetwork) -> Block {
    let ContainerNetwork {
        name,
        bridge,
        driver,
        subnet,
        gateway,
        ipv6,
        internal,
        options,
        labels,
    } = body;
    let mut block = Block::labelled("network", label);
    block.text("name", name);
    block.maybe("subnet", subnet.map(|s| s.to_string()).as_deref());
    if let Some(gateway) = gateway.filter(|g| subnet.and_then(|s| s.hosts().next()) != Some(*g)) {
        block.text("gateway", &gateway.to_string());
    }
    if let Some(Range6 { subnet, gateway }) = ipv6 {
        block.text("subnet6", &subnet.to_string());
        block.text("gateway6", &gateway.to_string());
    }
    block.flag("internal", *internal);
    block.maybe("bridge", bridge.as_deref());
    if let Some(Driver { name, parent, mode }) = driver {
        block.text("driver", name);
        block.text("parent", parent);
        block.text("mode", mode);
    }
    block.map("options", options);
    block.map("labels", labels);
    block
}

/// Where it is on a bridge or device that others make, libvirt tells no subnet of it.
#[must_use]
pub fn machine_network(label: &str, body: &MachineNetwork, declared: &Declarations) -> Block {
    let MachineNetwork {
        name,
        uuid,
        bridge,
        driver,
        own,
    } = body;
    let mut block = Block::labelled("network", label);
    block.text("name", name);
    block.text("uuid", uuid);
    if let Some(Driver { name, parent, mode }) = driver {
        block.text("driver", name);
        block.text("parent", parent);
        block.maybe("mode", Some(mode.as_str()).filter(|mode| !mode.is_empty()));
    }
    let Some(own) = own else {
        if bridge.is_some() {
            block.text("forward", "bridge");
        }
        block.maybe("bridge", bridge.as_deref());
        return block;
    };
    let OwnBridge {
        subnet,
        gateway,
        internal,
        routed,
        dhcp,
        dns,
    } = own;
    block.text("subnet", &subnet.to_string());
    if subnet.hosts().next() != Some(*gateway) {
        block.text("gateway", &gateway.to_string());
    }
    block.flag("internal", *internal);
    if *routed {
        block.text("forward", "route");
    }
    block.maybe("bridge", bridge.as_deref());
    if !dhcp.is_empty() {
        block.required(told(dhcp, &declared.nics));
    }
    if let Some(dns) = dns {
        block.required(records(dns));
    }
    block
}

fn records(dns: &Dns) -> Block {
    let Dns { hosts, txt, srv } = dns;
    let mut block = Block::new("dns");
    for (name, address) in hosts {
        let mut host = Block::labelled("host", name);
        host.text("address", &address.to_string());
        block.block(host);
    }
    for (name, value) in txt {
        let mut text = Block::labelled("txt", name);
        text.text("value", value);
        block.block(text);
    }
    let label = |s: &DnsService| format!("_{}._{}.{}", s.service, s.protocol, s.domain);
    for services in srv.chunk_by(|one, other| label(one) == label(other)) {
        let mut block_of = Block::labelled("srv", &services.first().map(label).unwrap_or_default());
        for service in services {
            let DnsService {
                // Its label.
                service: _,
                protocol: _,
                domain: _,
                target,
                port,
                priority,
                weight,
            } = service;
            let mut at = Block::labelled("target", target);
            at.raw("port", port);
            at.raw("priority", priority);
            at.raw("weight", weight);
            block_of.block(at);
        }
        block.block(block_of);
    }
    block
}

/// Machines that are declared are told by themselves.
fn told(leases: &BTreeMap<String, Lease>, nics: &BTreeSet<String>) -> Block {
    let mut block = Block::new("dhcp");
    for (mac, Lease { address, name }) in leases.iter().filter(|(mac, _)| !nics.contains(*mac)) {
        let Some(name) = name else {
            block.note(format!(
                "{mac} is told {address} and no name: declare its machine"
            ));
            continue;
        };
        let mut host = Block::labelled("host", name);
        host.text("mac", mac);
        host.text("address", &address.to_string());
        block.block(host);
    }
    block
}

#[must_use]
pub fn volume(label: &str, body: &ContainerVolume) -> Block {
    let ContainerVolume {
        name,
        driver,
        options,
        labels,
    } = body;
    let mut block = Block::labelled("volume", label);
    block.text("name", name);
    block.maybe("driver", driver.as_deref());
    block.map("options", options);
    block.map("labels", labels);
    block
}

/// A name in the language for what a daemon calls so.
#[must_use]
pub fn label(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let label: String = name.chars().map(plain).collect();
    match is_identifier(&label) {
        true => label,
        false => format!("n{label}"),
    }
}

#[cfg(test)]
mod machine_tests;
#[cfg(test)]
mod network_tests;
#[cfg(test)]
mod storage_tests;
#[cfg(test)]
mod tests;
