//! What of a network changes while it runs, and how.

use infra_api::target::{DnsService, Driver, Lease};

use super::*;

fn network() -> MachineNetwork {
    MachineNetwork {
        name: "demo.lan".into(),
        uuid: "u".into(),
        bridge: Some("br-0".into()),
        driver: None,
        own: Some(OwnBridge {
            subnet: "10.1.2.0/24".parse().unwrap(),
            gateway: "10.1.2.1".parse().unwrap(),
            internal: false,
            routed: false,
            dhcp: [lease("52:54:00:00:00:01", 9)].into(),
            dns: Some(Dns {
                hosts: [host("a", 9), host("b", 9), host("c", 8)].into(),
                txt: [("note".to_owned(), "x".to_owned())].into(),
                srv: vec![service("a")],
            }),
        }),
    }
}

fn lease(mac: &str, last: u8) -> (String, Lease) {
    let address = [10, 1, 2, last].into();
    (
        mac.to_owned(),
        Lease {
            address,
            name: None,
        },
    )
}

fn host(name: &str, last: u8) -> (String, std::net::IpAddr) {
    (name.to_owned(), [10, 1, 2, last].into())
}

fn service(target: &str) -> DnsService {
    DnsService {
        service: "sip".into(),
        protocol: "tcp".into(),
        domain: "example.org".into(),
        target: target.into(),
        port: 5060,
        priority: 0,
        weight: 0,
    }
}

fn own(change: impl Fn(&mut OwnBridge)) -> MachineNetwork {
    let mut network = network();
    change(network.own.as_mut().unwrap());
    network
}

fn device(name: &str, parent: &str) -> MachineNetwork {
    MachineNetwork {
        bridge: None,
        driver: Some(Driver {
            name: name.into(),
            parent: parent.into(),
            mode: String::new(),
        }),
        own: None,
        ..network()
    }
}

fn there(bridge: &str) -> MachineNetwork {
    MachineNetwork {
        bridge: Some(bridge.into()),
        own: None,
        ..network()
    }
}

#[test]
fn what_a_change_takes() {
    use Impact::{InPlace, Replace, Restart};
    let renamed = MachineNetwork {
        name: "demo.other".into(),
        ..network()
    };
    let bridged = MachineNetwork {
        bridge: Some("br-1".into()),
        ..network()
    };
    for (from, to, takes) in [
        (network(), own(|o| o.dhcp.clear()), InPlace),
        (network(), own(|o| o.dns = Some(Dns::default())), InPlace),
        (network(), own(|o| o.dns = None), Restart),
        (network(), own(|o| o.internal = true), Restart),
        (network(), own(|o| o.routed = true), Restart),
        (
            network(),
            own(|o| o.gateway = [10, 1, 2, 2].into()),
            Replace,
        ),
        (network(), renamed, Replace),
        (network(), bridged, Replace),
        (network(), there("br-0"), Replace),
        (there("br0"), there("br0"), InPlace),
        (there("br0"), there("br1"), Restart),
        (there("br0"), device("macvlan", "ens1"), Replace),
        (
            device("macvlan", "ens1"),
            device("macvlan", "ens2"),
            Restart,
        ),
        (device("macvlan", "ens1"), device("sriov", "ens1"), Restart),
    ] {
        assert_eq!(super::takes(&from, &to), takes, "{from:?} {to:?}");
        assert_eq!(super::takes(&to, &from), takes, "{to:?} {from:?}");
        let body = |network: &MachineNetwork| serde_json::to_value(network).unwrap();
        let whole: [String; 0] = [];
        assert_eq!(impact(&whole, &body(&from), &body(&to)), takes);
    }
}

#[test]
fn what_goes_goes_before_anything_comes() {
    let after = own(|own| {
        own.dhcp = [lease("52:54:00:00:00:02", 9)].into();
        own.dns = Some(Dns {
            hosts: [host("a", 9), host("b", 8), host("c", 8)].into(),
            txt: [("note".to_owned(), "y".to_owned())].into(),
            srv: vec![service("b")],
        });
    });
    let (delete, add) = (
        sys::VIR_NETWORK_UPDATE_COMMAND_DELETE,
        sys::VIR_NETWORK_UPDATE_COMMAND_ADD_LAST,
    );
    let [hosts, dhcp, txt, srv] = [
        sys::VIR_NETWORK_SECTION_DNS_HOST,
        sys::VIR_NETWORK_SECTION_IP_DHCP_HOST,
        sys::VIR_NETWORK_SECTION_DNS_TXT,
        sys::VIR_NETWORK_SECTION_DNS_SRV,
    ];
    let order = [dhcp, txt, srv, hosts, hosts];
    let changes = records(&network(), &after);
    let told: Vec<_> = changes.iter().map(|r| (r.command, r.section)).collect();
    let of = |command| order.map(|section| (command, section));
    assert_eq!(told, [of(delete), of(add)].concat());
    assert_eq!(records(&network(), &network()), []);
}
