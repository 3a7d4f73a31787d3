//! A network's XML, written and read back.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use infra_api::Mark;
use infra_api::target::{Lease, MachineNetwork, OwnBridge};
use ipnet::Ipv4Net;
use roxmltree::Node;

use super::mark::{self, Stamp, fingerprint};
use super::xml::{El, all, attr, el, find, leaf, parse, text};

/// A network as libvirt describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) stamp: Option<Stamp>,
    pub(crate) network: MachineNetwork,
}

impl Found {
    pub(crate) fn mark(&self) -> Option<&Mark> {
        self.stamp.as_ref().map(|stamp| &stamp.mark)
    }
}

/// DNS is off: where nobody is told an address either, libvirt starts no dnsmasq at all.
pub(crate) fn write(network: &MachineNetwork, mark: &Mark) -> Result<String, String> {
    let MachineNetwork {
        name,
        uuid,
        bridge,
        own,
    } = network;
    let top = el("network")
        .child(leaf("name", name))
        .child(leaf("uuid", uuid))
        .child(el("metadata").child(mark::element(mark, &fingerprint(network))));
    let bridge = el("bridge").attr("name", bridge);
    match own {
        None => top
            .child(el("forward").attr("mode", "bridge"))
            .child(bridge),
        Some(own) => with_own_bridge(top, bridge, own)?,
    }
    .document()
}

/// A bridge that leads nowhere.
pub(crate) fn write_passing(name: &str, mark: &Mark) -> Result<String, String> {
    el("network")
        .child(leaf("name", name))
        .child(el("metadata").child(mark::element(mark, "")))
        .child(el("bridge").attr("stp", "off"))
        .document()
}

fn with_own_bridge(top: El, bridge: El, own: &OwnBridge) -> Result<El, String> {
    let OwnBridge {
        subnet,
        gateway,
        internal,
        routed,
        dhcp,
    } = own;
    if !subnet.contains(gateway) || subnet.trunc() != *subnet {
        return Err(format!("{gateway} is no address of the subnet {subnet}"));
    }
    let mode = if *routed { "route" } else { "nat" };
    let forward = (!internal).then(|| el("forward").attr("mode", mode));
    let ip = el("ip")
        .attr("address", gateway)
        .attr("prefix", subnet.prefix_len())
        .children((!dhcp.is_empty()).then(|| {
            let told = dhcp.iter().map(|(mac, lease)| write_lease(mac, lease));
            el("dhcp").children(told)
        }));
    Ok(top
        .children(forward)
        .child(bridge.attr("stp", "on").attr("delay", 0))
        .child(el("dns").attr("enable", "no"))
        .child(ip))
}

/// Of one who is told his address.
pub(crate) fn write_lease(mac: &str, lease: &Lease) -> El {
    let Lease { address, name } = lease;
    el("host")
        .attr("mac", mac)
        .attrs("name", name.as_ref())
        .attr("ip", address)
}

fn leases(root: Node) -> BTreeMap<String, Lease> {
    let told = find(root, "ip/dhcp").into_iter();
    told.flat_map(|dhcp| all(dhcp, "host"))
        .filter_map(|host| {
            let lease = Lease {
                address: host.attribute("ip")?.parse().ok()?,
                name: host.attribute("name").map(str::to_owned),
            };
            Some((host.attribute("mac")?.to_owned(), lease))
        })
        .collect()
}

pub(crate) fn read(xml: &str) -> Result<Found, String> {
    parse(xml, |root| {
        let network = MachineNetwork {
            name: text(root, "name")?,
            uuid: text(root, "uuid")?,
            bridge: attr(root, "bridge", "name").unwrap_or_default(),
            own: own(root),
        };
        Some(Found {
            stamp: mark::read(root),
            network,
        })
    })
}

fn own(root: Node) -> Option<OwnBridge> {
    let gateway: Ipv4Addr = attr(root, "ip", "address")?.parse().ok()?;
    let subnet = Ipv4Net::new(gateway, prefix(root)?).ok()?.trunc();
    let forward = attr(root, "forward", "mode");
    Some(OwnBridge {
        subnet,
        gateway,
        internal: forward.is_none(),
        routed: forward.as_deref() == Some("route"),
        dhcp: leases(root),
    })
}

/// libvirt hands back a prefix or a netmask, whichever it was given.
fn prefix(root: Node) -> Option<u8> {
    if let Some(prefix) = attr(root, "ip", "prefix") {
        return prefix.parse().ok();
    }
    let mask: Ipv4Addr = attr(root, "ip", "netmask")?.parse().ok()?;
    ipnet::ipv4_mask_to_prefix(mask).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::golden;
    use infra_api::{Address, Project};
    use proptest::prelude::*;

    fn mark() -> Mark {
        Mark {
            project: Project::new("demo"),
            address: Address::new("network.lan"),
        }
    }

    fn network(own: Option<OwnBridge>) -> MachineNetwork {
        MachineNetwork {
            name: "demo.lan".into(),
            uuid: "d5ccae76-5d0e-5b15-b4ed-33c56dfb3a79".into(),
            bridge: "br-0123456789".into(),
            own,
        }
    }

    fn bridge(internal: bool) -> OwnBridge {
        OwnBridge {
            subnet: "10.1.2.0/24".parse().unwrap(),
            gateway: "10.1.2.1".parse().unwrap(),
            internal,
            routed: false,
            dhcp: BTreeMap::new(),
        }
    }

    fn routed() -> OwnBridge {
        OwnBridge {
            routed: true,
            ..bridge(false)
        }
    }

    fn telling() -> OwnBridge {
        let lease = |last, name: Option<&str>| Lease {
            address: Ipv4Addr::new(10, 1, 2, last),
            name: name.map(str::to_owned),
        };
        OwnBridge {
            dhcp: [
                ("52:54:00:00:00:02".to_owned(), lease(9, Some("printer"))),
                ("52:54:00:00:00:03".to_owned(), lease(10, None)),
            ]
            .into(),
            ..bridge(true)
        }
    }

    #[test]
    fn who_is_told_an_address_is_read_back() {
        let wanted = network(Some(telling()));
        let xml = write(&wanted, &mark()).unwrap();
        assert_eq!(read(&xml).unwrap().network, wanted);
    }

    #[test]
    fn goldens() {
        let check = |name, own| golden(name, &write(&network(own), &mark()).unwrap());
        check("network-bridge.xml", None);
        check("network-nat.xml", Some(bridge(false)));
        check("network-internal.xml", Some(bridge(true)));
        check("network-routed.xml", Some(routed()));
        check("network-dhcp.xml", Some(telling()));
    }

    #[test]
    fn as_libvirt_hands_it_back() {
        let found = read(include_str!("golden/network-as-read.xml")).unwrap();
        assert_eq!(found.network, network(Some(bridge(false))));
        assert_eq!(found.stamp.unwrap().mark, mark());
    }

    #[test]
    fn a_gateway_outside_its_subnet_is_refused() {
        let own = OwnBridge {
            gateway: "10.9.9.9".parse().unwrap(),
            ..bridge(false)
        };
        assert!(
            write(&network(Some(own)), &mark())
                .unwrap_err()
                .contains("10.9.9.9")
        );
    }

    proptest! {
        #[test]
        fn read_undoes_write(a in any::<u32>(), prefix in 8u8..30, forward in 0..3u8, own: bool) {
            let subnet = Ipv4Net::new(Ipv4Addr::from(a), prefix).unwrap().trunc();
            let gateway = subnet.hosts().next().unwrap();
            let wanted = network(own.then_some(OwnBridge { subnet, gateway, internal: forward == 0, routed: forward == 1, dhcp: BTreeMap::new() }));
            prop_assert_eq!(read(&write(&wanted, &mark()).unwrap()).unwrap().network, wanted);
        }
    }
}
