//! `network "lan" { … }`: one bridge and subnet on each host whose workloads name it, for containers and virtual
//! machines alike.

use std::net::Ipv4Addr;

use infra_api::Address;
use infra_diag::Span;
use infra_lang::{BlockKind, Instance, Meta, Shape};
use ipnet::Ipv4Net;

use super::read::{At, Reader};
use super::words::{IPV4, SUBNET, word};

pub(super) const KIND: BlockKind = BlockKind {
    name: "network",
    label: Some("name"),
    doc: "A bridge with a subnet; containers and virtual machines that name it reach each other.",
    attributes: &[
        word(
            "subnet",
            Shape::Text(&SUBNET),
            "Addresses are taken from it.",
        )
        .required(),
        word(
            "gateway",
            Shape::Text(&IPV4),
            "The host's own address in it; the first one where it is not written.",
        ),
        word(
            "internal",
            Shape::Bool,
            "True: nothing outside is reached through it.",
        )
        .default("false"),
    ],
    blocks: &[],
    computed: &[],
    // Order among workloads is declared on workloads; what these stand on follows by itself.
    meta: Meta {
        depends_on: false,
        ..Meta::ALL
    },
};

/// A network as declared.
#[derive(Clone, Debug)]
pub struct Network {
    pub address: Address,
    pub subnet: At<Ipv4Net>,
    pub gateway: Ipv4Addr,
    pub internal: bool,
    pub origin: Span,
}

impl Network {
    /// Whether a host of the subnet may have an address.
    #[must_use]
    pub fn is_host(subnet: Ipv4Net, address: Ipv4Addr) -> bool {
        subnet.contains(&address) && address != subnet.network() && address != subnet.broadcast()
    }

    /// Nothing where the subnet is not known yet.
    pub(super) fn read(instance: &Instance, reader: &mut Reader<'_>) -> Option<Self> {
        let block = &instance.block;
        let written = reader.string(block, "subnet")?;
        let subnet: Ipv4Net = written.value.parse().ok()?;
        let gateway = reader.ipv4(block, "gateway");
        if let Some(gateway) = gateway.as_ref().filter(|g| !Self::is_host(subnet, g.value)) {
            let text = format!("{} is no host's address in {subnet}", gateway.value);
            reader.error(
                "Gateway outside its subnet",
                gateway.span,
                text,
                "use an address of the subnet, or leave it out",
            );
        }
        Some(Self {
            address: Address::new(instance.address.to_string()),
            gateway: gateway.map_or_else(|| first_host(subnet), |g| g.value),
            subnet: At {
                value: subnet,
                span: written.span,
            },
            internal: reader.bool(block, "internal").unwrap_or(false),
            origin: instance.origin,
        })
    }
}

fn first_host(subnet: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(subnet.network()) + 1)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn the_two_ends_of_a_subnet_are_nobodys() {
        let subnet: Ipv4Net = "10.0.0.0/29".parse().unwrap();
        let all = (0..16).map(|n| Ipv4Addr::new(10, 0, 0, n));
        let hosts: Vec<Ipv4Addr> = all.filter(|a| Network::is_host(subnet, *a)).collect();
        assert_eq!(hosts, subnet.hosts().collect::<Vec<_>>());
    }

    #[test]
    fn a_large_subnet_is_not_walked() {
        let subnet: Ipv4Net = "10.0.0.0/8".parse().unwrap();
        let begun = Instant::now();
        let last =
            (0..100).filter(|n| Network::is_host(subnet, Ipv4Addr::new(10, 255, 255, 254 - n)));
        assert_eq!(last.count(), 100);
        // Each has 16 million addresses before it.
        assert!(begun.elapsed() < Duration::from_secs(1));
    }
}
