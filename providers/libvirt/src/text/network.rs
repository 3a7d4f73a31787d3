//! A network's XML, written and read back.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use infra_api::Mark;
use infra_api::target::{Driver, Lease, MachineNetwork, OwnBridge};
use ipnet::Ipv4Net;
use roxmltree::Node;

use super::dns;
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

pub(crate) fn write(network: &MachineNetwork, mark: &Mark) -> Result<String, String> {
    let MachineNetwork {
        name,
        uuid,
        bridge,
        driver,
        own,
    } = network;
    let top = el("network")
        .child(leaf("name", name))
        .child(leaf("uuid", uuid))
        .child(el("metadata").child(mark::element(mark, &fingerprint(network))));
    let bridge = bridge.as_ref().map(|name| el("bridge").attr("name", name));
    match (driver, bridge, own) {
        (Some(driver), None, None) => top.child(on_device(driver)?),
        (None, Some(bridge), None) => top
            .child(el("forward").attr("mode", "bridge"))
            .child(bridge),
        (None, Some(bridge), Some(own)) => with_own_bridge(top, bridge, own)?,
        _ => return Err("a network is on one bridge or on one device of the host".to_owned()),
    }
    .document()
}

/// Our words for modes of macvlan, and libvirt's.
const MODES: [(&str, &str); 4] = [
    ("bridge", "bridge"),
    ("private", "private"),
    ("vepa", "vepa"),
    ("passthru", "passthrough"),
];

/// `sriov` without libvirt putting the VF's driver aside and back.
const UNMANAGED: &str = "unmanaged";

fn on_device(driver: &Driver) -> Result<El, String> {
    let Driver { name, parent, mode } = driver;
    let forward = |mode| el("forward").attr("mode", mode);
    let dev = |name| el(name).attr("dev", parent);
    match (name.as_str(), mode.as_str()) {
        ("sriov", "") => Ok(forward("hostdev").attr("managed", "yes").child(dev("pf"))),
        ("macvlan", ours) => {
            let known = MODES.iter().find(|(word, _)| *word == ours);
            let (_, theirs) = known.ok_or_else(|| format!("macvlan has no mode `{ours}`"))?;
            Ok(forward(theirs).child(dev("interface")))
        }
        _ => Err(format!("no machine can be on a network of {name}")),
    }
}

/// What a network, or a NIC that runs in it, is on; a mode that is none of ours stays as it is.
pub(crate) fn macvlan(parent: String, theirs: &str) -> Driver {
    let known = MODES.iter().find(|(_, word)| *word == theirs);
    Driver {
        name: "macvlan".to_owned(),
        parent,
        mode: known.map_or(theirs, |(ours, _)| ours).to_owned(),
    }
}

fn driver(root: Node) -> Option<Driver> {
    let forward = find(root, "forward")?;
    let mode = forward.attribute("mode")?;
    let devices = |name| {
        let devices = all(forward, name).filter_map(|node| node.attribute("dev"));
        devices.collect::<Vec<_>>().join(",")
    };
    match mode {
        "hostdev" => Some(Driver {
            name: "sriov".to_owned(),
            parent: devices("pf"),
            mode: match forward.attribute("managed") {
                Some("yes") => String::new(),
                _ => UNMANAGED.to_owned(),
            },
        }),
        "bridge" if find(root, "bridge").is_some() => None,
        _ if MODES.iter().any(|(_, theirs)| *theirs == mode) => {
            Some(macvlan(devices("interface"), mode))
        }
        _ => None,
    }
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
        dns,
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
        .child(dns::write(dns.as_ref()))
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
            bridge: attr(root, "bridge", "name"),
            driver: driver(root),
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
        dns: dns::read(root),
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
    use infra_api::target::{Dns, DnsService};
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
            bridge: Some("br-0123456789".into()),
            driver: None,
            own,
        }
    }

    fn device(name: &str, mode: &str) -> MachineNetwork {
        MachineNetwork {
            bridge: None,
            driver: Some(Driver {
                name: name.into(),
                parent: "ens1f0".into(),
                mode: mode.into(),
            }),
            ..network(None)
        }
    }

    fn bridge(internal: bool) -> OwnBridge {
        OwnBridge {
            subnet: "10.1.2.0/24".parse().unwrap(),
            gateway: "10.1.2.1".parse().unwrap(),
            internal,
            routed: false,
            dhcp: BTreeMap::new(),
            dns: None,
        }
    }

    fn routed() -> OwnBridge {
        OwnBridge {
            routed: true,
            ..bridge(false)
        }
    }

    fn named() -> OwnBridge {
        let service = DnsService {
            service: "sip".into(),
            protocol: "tcp".into(),
            domain: "example.org".into(),
            target: "db".into(),
            port: 5060,
            priority: 10,
            weight: 0,
        };
        let host = |name: &str, last| (name.to_owned(), Ipv4Addr::new(10, 1, 2, last).into());
        OwnBridge {
            dns: Some(Dns {
                hosts: [host("db", 9), host("db.example.org", 9), host("web", 8)].into(),
                txt: [("note".to_owned(), "a \"b\" <c>".to_owned())].into(),
                srv: vec![service],
            }),
            ..bridge(false)
        }
    }

    #[test]
    fn records_are_read_back() {
        let silent = OwnBridge {
            dns: Some(Dns::default()),
            ..bridge(true)
        };
        for own in [named(), silent] {
            let wanted = network(Some(own));
            let xml = write(&wanted, &mark()).unwrap();
            assert_eq!(read(&xml).unwrap().network, wanted);
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
        check("network-dns.xml", Some(named()));
        let device = |file, name, mode| {
            golden(file, &write(&device(name, mode), &mark()).unwrap());
        };
        device("network-macvlan.xml", "macvlan", "passthru");
        device("network-sriov.xml", "sriov", "");
    }

    #[test]
    fn what_it_is_on_is_read_back() {
        let modes = MODES.iter().map(|(ours, _)| ("macvlan", *ours));
        for (name, mode) in modes.chain([("sriov", "")]) {
            let wanted = device(name, mode);
            let xml = write(&wanted, &mark()).unwrap();
            assert_eq!(read(&xml).unwrap().network, wanted);
            // As it runs libvirt tells more of it.
            let runs = xml
                .replace("<interface ", "<interface connections='1' ")
                .replace("<forward ", "<forward dev='ens1f0' ");
            assert_eq!(read(&runs).unwrap().network, wanted);
        }
        let by_hand = |from: &str, to: &str, network: &MachineNetwork| {
            let xml = write(network, &mark()).unwrap();
            assert!(xml.contains(from), "{xml}");
            read(&xml.replace(from, to))
                .unwrap()
                .network
                .driver
                .unwrap()
        };
        let vfs = device("sriov", "");
        assert_eq!(by_hand("managed=\"yes\"", "", &vfs).mode, UNMANAGED);
        let tap = device("macvlan", "vepa");
        let two = "<interface dev=\"ens2\"/><interface ";
        assert_eq!(by_hand("<interface ", two, &tap).parent, "ens2,ens1f0");
    }

    #[test]
    fn what_libvirt_has_not_is_refused() {
        for (name, mode) in [("ipvlan", "l2"), ("macvlan", "l2"), ("sriov", "bridge")] {
            write(&device(name, mode), &mark()).unwrap_err();
        }
        let both = MachineNetwork {
            bridge: Some("br0".into()),
            ..device("sriov", "")
        };
        write(&both, &mark()).unwrap_err();
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
            let wanted = network(own.then_some(OwnBridge { subnet, gateway, internal: forward == 0, routed: forward == 1, dhcp: BTreeMap::new(), dns: None }));
            prop_assert_eq!(read(&write(&wanted, &mark()).unwrap()).unwrap().network, wanted);
        }
    }
}
