//! On a real daemon: networks on bridges and devices that the host has, DNS, and NICs that move. Needs root and `ip`.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::process::Command;
use std::time::Duration;

use infra_api::target::*;
use infra_api::*;

use crate::bench::*;
use crate::machines::{linux, wait_for};

/// A device of the host's, gone with the test.
struct Link(String);

impl Link {
    fn make(name: &str, kind: &[&str]) -> Self {
        let name = format!("it{name}{}", std::process::id() % 100_000);
        let peer = format!("{name}p");
        let own = ["link", "add", &name, "type"];
        let of: Vec<&str> = own.into_iter().chain(kind.iter().copied()).collect();
        let of = match kind {
            ["veth"] => [of, vec!["peer", "name", &peer]].concat(),
            _ => of,
        };
        ip(&of);
        ip(&["link", "set", &name, "up"]);
        Self(name)
    }

    fn bridge(name: &str) -> Self {
        Self::make(name, &["bridge"])
    }

    /// How many are plugged into a bridge.
    fn plugged(&self) -> usize {
        plugged(&self.0)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["link", "del", &self.0]).status();
    }
}

fn ip(arguments: &[&str]) {
    let done = Command::new("ip").args(arguments).status().unwrap();
    assert!(done.success(), "ip {arguments:?}");
}

fn plugged(bridge: &str) -> usize {
    let ports = std::fs::read_dir(format!("/sys/class/net/{bridge}/brif"));
    ports.map_or(0, Iterator::count)
}

fn on_bridge(b: &Bench, bridge: &Link) -> MachineNetwork {
    MachineNetwork {
        bridge: Some(bridge.0.clone()),
        own: None,
        ..b.network("10.213.98")
    }
}

fn on_device(b: &Bench, name: &str, parent: &Link, mode: &str) -> MachineNetwork {
    MachineNetwork {
        bridge: None,
        driver: Some(Driver {
            name: name.into(),
            parent: parent.0.clone(),
            mode: mode.into(),
        }),
        own: None,
        ..b.network("10.213.98")
    }
}

fn with_nic(b: &Bench, network: &MachineNetwork) -> Machine {
    let mac = "52:54:00:12:34:98".into();
    Machine {
        interfaces: vec![MachineInterface::new(
            mac,
            network,
            Some([10, 213, 98, 7].into()),
        )],
        ..b.plain()
    }
}

/// The network, and a machine that runs in it.
async fn running(b: &Bench, network: &MachineNetwork) -> (ResourceId, ResourceId, Machine) {
    let (lan, machine) = (b.id("network", &network.name), with_nic(b, network));
    b.create(&lan, network, None).await.unwrap();
    assert_eq!(b.body(&lan).await, serde_json::json!(network));
    let id = b.id("domain", &machine.name);
    b.create(&id, &machine, None).await.unwrap();
    assert_eq!(b.machine(&id).await, machine);
    (lan, id, machine)
}

#[test]
fn live_a_bridge_of_the_hosts_is_used_and_another_after_it() {
    live("bridge", |b| {
        Box::pin(async {
            let (one, two) = (Link::bridge("a"), Link::bridge("b"));
            let network = on_bridge(b, &one);
            let (lan, id, machine) = running(b, &network).await;
            let process = b.domain_by_hand(&machine).id();
            assert_eq!((one.plugged(), two.plugged()), (1, 0));
            // Whoever stops the network takes nothing from who is on the bridge.
            let by_hand = b.by_hand().lookup_network_by_name(&network.name).unwrap();
            by_hand.destroy().unwrap();
            assert!(matches!(b.read(&lan).await, Observed::Partial { .. }));
            b.create(&lan, &network, None).await.unwrap();
            assert_eq!(b.machine(&id).await, machine);
            let other = on_bridge(b, &two);
            let refused = b.update(&lan, &network, &other, Impact::InPlace).await;
            assert_eq!(refused.unwrap_err().remedy, Remedy::Replan);
            assert_eq!(b.body(&lan).await, serde_json::json!(network));
            for _ in 0..2 {
                let changed = b.update(&lan, &network, &other, Impact::Restart).await;
                changed.unwrap();
                assert_eq!(b.body(&lan).await, serde_json::json!(other));
            }
            // It stays where it is until it is moved.
            assert_eq!(b.machine(&id).await, machine);
            assert_eq!((one.plugged(), two.plugged()), (1, 0));
            let moved = with_nic(b, &other);
            for _ in 0..2 {
                let changed = b.update(&id, &machine, &moved, Impact::InPlace).await;
                changed.unwrap();
                assert_eq!(b.machine(&id).await, moved);
                assert_eq!((one.plugged(), two.plugged()), (0, 1));
            }
            assert_eq!(b.domain_by_hand(&machine).id(), process);
            b.delete(&id).await.unwrap();
            b.delete(&lan).await.unwrap();
            assert!(std::path::Path::new("/sys/class/net").join(&two.0).exists());
        })
    });
}

/// Its cable is pulled and comes back; the machine runs on.
#[test]
fn live_a_nic_moves_to_another_network() {
    live("move", |b| {
        Box::pin(async {
            let first = b.network("10.213.89");
            let (lan, id, machine) = running(b, &first).await;
            let second = MachineNetwork {
                name: b.name("other"),
                uuid: "5b1c0c4e-6a38-4fbd-9a0d-1f4b3a4f3b98".into(),
                bridge: Some("itmove98".into()),
                ..b.network("10.213.86")
            };
            let other = b.id("network", &second.name);
            b.create(&other, &second, None).await.unwrap();
            let on = || [&first, &second].map(|net| plugged(net.bridge.as_ref().unwrap()));
            assert_eq!(on(), [1, 0]);
            let process = b.domain_by_hand(&machine).id();
            let mut moved = with_nic(b, &second);
            moved.interfaces[0].address = Some([10, 213, 96, 9].into());
            for (from, to, on_them) in [(&machine, &moved, [0, 1]), (&moved, &machine, [1, 0])] {
                for _ in 0..2 {
                    b.update(&id, from, to, Impact::InPlace).await.unwrap();
                    assert_eq!(b.machine(&id).await, *to);
                }
                assert_eq!(on(), on_them);
            }
            // Moved by hand it is seen, and taken back.
            let xml = b.domain_by_hand(&machine).xml_desc(0).unwrap();
            let nic = xml.find("<interface").unwrap();
            let nic = &xml[nic..xml.find("</interface>").unwrap() + 12];
            let nic = nic.replace(&first.name, &second.name);
            let live = virt::sys::VIR_DOMAIN_AFFECT_LIVE;
            let domain = b.domain_by_hand(&machine);
            domain.update_device_flags(&nic, live).unwrap();
            let found = b.machine(&id).await;
            assert_eq!(found.interfaces[0].network, second.name);
            assert_eq!(found.interfaces[0].bridge, second.bridge);
            b.update(&id, &found, &machine, Impact::InPlace)
                .await
                .unwrap();
            assert_eq!(b.machine(&id).await, machine);
            assert_eq!(on(), [1, 0]);
            assert_eq!(b.domain_by_hand(&machine).id(), process);
            let _ = lan;
        })
    });
}

#[test]
fn live_a_device_of_the_hosts_is_shared() {
    live("device", |b| {
        Box::pin(async {
            let parent = Link::make("m", &["veth"]);
            for mode in ["bridge", "private", "vepa", "passthru"] {
                let network = on_device(b, "macvlan", &parent, mode);
                let lan = b.id("network", &network.name);
                b.laws(&lan, &network, None).await;
                let (lan, id, machine) = running(b, &network).await;
                let taps = std::fs::read_dir("/sys/class/net").unwrap();
                let below = format!("lower_{}", parent.0);
                let taps = taps.filter(|tap| tap.as_ref().unwrap().path().join(&below).exists());
                assert_eq!(taps.count(), 1);
                // Stopped by hand, the network takes nothing from who is on the device.
                let by_hand = b.by_hand().lookup_network_by_name(&network.name).unwrap();
                by_hand.destroy().unwrap();
                b.create(&lan, &network, None).await.unwrap();
                assert_eq!(b.machine(&id).await, machine);
                b.delete(&id).await.unwrap();
                b.delete(&lan).await.unwrap();
            }
        })
    });
}

/// From a bridge to a device of the host and back it is another card for the guest, which lets the old one go. Needs
/// INFRA_LIVE_IMAGES, as booting Linux does.
#[test]
fn live_a_nic_goes_from_a_bridge_to_a_device() {
    live("swap", |b| {
        Box::pin(async {
            let Some(images) = std::env::var_os("INFRA_LIVE_IMAGES").map(std::path::PathBuf::from)
            else {
                eprintln!(
                    "SKIPPED: INFRA_LIVE_IMAGES names no directory with vmlinuz and initrd.img"
                );
                return;
            };
            let parent = Link::make("s", &["veth"]);
            let mut device = on_device(b, "macvlan", &parent, "bridge");
            device.name = b.name("device");
            device.uuid = "5b1c0c4e-6a38-4fbd-9a0d-1f4b3a4f3b99".into();
            let other = b.id("network", &device.name);
            b.create(&other, &device, None).await.unwrap();
            let machine = linux(b, &images).await;
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            wait_for(machine.console_log.as_ref().unwrap(), "eth0 has").await;
            let process = b.domain_by_hand(&machine).id();
            let nic = &machine.interfaces[0];
            let on_it = MachineInterface::new(nic.mac.clone(), &device, nic.address);
            let mut swapped = machine.clone();
            swapped.interfaces[0] = on_it;
            for (from, to) in [(&machine, &swapped), (&swapped, &machine)] {
                b.update(&id, from, to, Impact::InPlace).await.unwrap();
                assert_eq!(b.machine(&id).await, *to);
            }
            assert_eq!(b.domain_by_hand(&machine).id(), process);
        })
    });
}

/// There is no PF here: what libvirt makes of the description is read back, and starting it says what is wrong.
#[test]
fn live_a_pool_of_vfs_is_understood() {
    live("sriov", |b| {
        Box::pin(async {
            let parent = Link::make("v", &["veth"]);
            let network = on_device(b, "sriov", &parent, "");
            let lan = b.id("network", &network.name);
            let refused = b.create(&lan, &network, None).await.unwrap_err();
            assert!(refused.hint.is_some(), "{refused:?}");
            let by_hand = b.by_hand().lookup_network_by_name(&network.name).unwrap();
            let xml = by_hand.xml_desc(0).unwrap();
            assert!(
                xml.contains("<forward mode='hostdev' managed='yes'>"),
                "{xml}"
            );
            assert!(xml.contains(&format!("<pf dev='{}'/>", parent.0)), "{xml}");
            b.delete(&lan).await.unwrap();
        })
    });
}

const A: u16 = 1;
const TXT: u16 = 16;
const SRV: u16 = 33;

/// How many records a server answers with; nothing where it does not answer.
fn asked(server: Ipv4Addr, name: &str, kind: u16) -> Option<u16> {
    let mut query = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for part in name.split('.') {
        query.push(u8::try_from(part.len()).unwrap());
        query.extend(part.as_bytes());
    }
    query.push(0);
    query.extend(kind.to_be_bytes());
    query.extend([0, 1]);
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let mut answer = [0; 512];
    // dnsmasq is started anew with other records, and takes a moment.
    for _ in 0..10 {
        let sent = socket.send_to(&query, (server, 53));
        if sent.is_ok() && socket.recv(&mut answer).is_ok() {
            return Some(u16::from_be_bytes([answer[6], answer[7]]));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    None
}

fn records(hosts: &[(&str, u8)], txt: &[(&str, &str)], srv: &[(&str, u16)]) -> Dns {
    let address = |last: u8| IpAddr::from([10, 213, 98, last]);
    let service = |(target, priority): &(&str, u16)| DnsService {
        service: "sip".into(),
        protocol: "tcp".into(),
        domain: "example.org".into(),
        target: (*target).into(),
        port: 5060,
        priority: *priority,
        weight: 0,
    };
    Dns {
        hosts: hosts
            .iter()
            .map(|(n, last)| ((*n).to_owned(), address(*last)))
            .collect(),
        txt: txt
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect(),
        srv: srv.iter().map(service).collect(),
    }
}

/// The bridge stays the same device all along, and so does who is plugged into it.
#[test]
fn live_records_change_while_the_network_runs() {
    live("dns", |b| {
        Box::pin(async {
            let mut network = b.network("10.213.87");
            network.own.as_mut().unwrap().dns = Some(Dns::default());
            let (lan, _, _) = running(b, &network).await;
            let gateway = network.own.as_ref().unwrap().gateway;
            let bridge = network.bridge.clone().unwrap();
            let index = || std::fs::read_to_string(format!("/sys/class/net/{bridge}/ifindex"));
            let began = index().unwrap();
            let wishes = [
                records(
                    &[("db", 60), ("db.example.org", 60)],
                    &[("note", "a b; c=d")],
                    &[("db", 10)],
                ),
                // Names swap their addresses, and everything else is another.
                records(
                    &[("db", 61), ("web", 60)],
                    &[("note", "x")],
                    &[("db", 0), ("web", 5)],
                ),
                records(&[("web", 61), ("db", 60)], &[], &[("db", 20)]),
                Dns::default(),
            ];
            for wish in wishes {
                let before = network.clone();
                network.own.as_mut().unwrap().dns = Some(wish.clone());
                for _ in 0..2 {
                    let changed = b.update(&lan, &before, &network, Impact::InPlace).await;
                    changed.unwrap();
                    assert_eq!(b.body(&lan).await, serde_json::json!(network));
                }
                for name in ["db", "web"] {
                    let known = u16::from(wish.hosts.contains_key(name));
                    assert_eq!(asked(gateway, name, A), Some(known), "{name} {wish:?}");
                }
                let texts = u16::try_from(wish.txt.len()).unwrap();
                assert_eq!(asked(gateway, "note", TXT), Some(texts));
                let services = u16::try_from(wish.srv.len()).unwrap();
                assert_eq!(asked(gateway, "_sip._tcp.example.org", SRV), Some(services));
                assert_eq!((index().unwrap(), plugged(&bridge)), (began.clone(), 1));
            }
        })
    });
}

#[test]
fn live_dns_is_switched_on_and_off() {
    live("switch", |b| {
        Box::pin(async {
            let silent = b.network("10.213.88");
            let (lan, id, machine) = running(b, &silent).await;
            let bridge = silent.bridge.clone().unwrap();
            let gateway = silent.own.as_ref().unwrap().gateway;
            let own = |change: fn(&mut OwnBridge)| {
                let mut network = silent.clone();
                change(network.own.as_mut().unwrap());
                network
            };
            let speaking = own(|own| own.dns = Some(records(&[("db", 60)], &[], &[])));
            let open = own(|own| own.internal = false);
            let process = b.domain_by_hand(&machine).id();
            let refused = b.update(&lan, &silent, &speaking, Impact::InPlace).await;
            assert_eq!(refused.unwrap_err().remedy, Remedy::Replan);
            // Nobody else's machine is cut off.
            let other = format!(
                "<domain type='qemu'><name>{}.stranger</name><memory unit='MiB'>32</memory><os><type>hvm</type></os>
                 <devices><interface type='network'><source network='{}'/></interface></devices></domain>",
                b.project, silent.name
            );
            let stranger = b.by_hand().create_domain_xml(&other, 0).unwrap();
            let refused = b.update(&lan, &silent, &speaking, Impact::Restart).await;
            stranger.destroy().unwrap();
            let refused = refused.unwrap_err();
            assert_eq!(refused.remedy, Remedy::Operator);
            assert!(refused.cause.contains("stranger"), "{refused}");
            assert_eq!(b.body(&lan).await, serde_json::json!(silent));
            for (from, to) in [(&silent, &speaking), (&speaking, &open), (&open, &silent)] {
                for _ in 0..2 {
                    b.update(&lan, from, to, Impact::Restart).await.unwrap();
                    assert_eq!(b.body(&lan).await, serde_json::json!(to));
                }
                let answers = to.own.as_ref().unwrap().dns.is_some().then_some(1);
                assert_eq!(asked(gateway, "db", A), answers);
                // The machine is on the new bridge, and has noticed a moment without a link.
                assert_eq!(b.machine(&id).await, machine);
                assert_eq!(plugged(&bridge), 1);
            }
            assert_eq!(b.domain_by_hand(&machine).id(), process);
            assert_eq!(b.ours().await.len(), 2, "nothing is left of the way");
        })
    });
}
