//! Addresses: explicit, then recorded, then the lowest free, in the order of the workloads.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use infra::addresses::allocate;
use infra::declared::{Declared, Interface, Network, Range, Workload};
use infra_api::{Address, CpuPolicy, HostName, Placement, Runtime};
use proptest::prelude::*;

use crate::world::{at, bare_workload, span};

/// What a workload asks and what it had, as the last number of an address.
type Asked = (Option<u8>, Option<u8>);

fn number(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

fn name(index: usize) -> Address {
    Address::new(format!("workload.w[{index}]"))
}

fn lan() -> Address {
    Address::new("network.lan")
}

fn workload(index: usize, asked: Option<u8>) -> Workload {
    Workload {
        interfaces: vec![Interface {
            fabric: None,
            function: false,
            mac: None,
            label: "lan".to_owned(),
            network: at(lan()),
            address: asked.map(|last| at(number(last))),
            address6: None,
            aliases: None,
            model: None,
            queues: None,
            queue_size: None,
            vhost_user: None,
            mtu: None,
            unplugged: false,
            bandwidth: None,
            vlan: None,
            span: span(),
        }],
        ..bare_workload(name(index))
    }
}

fn had(last: u8) -> Placement {
    Placement {
        runtime: Runtime::Container,
        with: infra_api::Settings::NONE,
        needs: infra_api::Needs::default(),
        host: HostName::new("h"),
        policy: CpuPolicy::Shared,
        cells: Vec::new(),
        helpers: BTreeMap::new(),
        devices: Vec::new(),
        addresses: BTreeMap::from([("lan".to_owned(), number(last))]),
        tiers: Vec::new(),
    }
}

/// What each gets, and how many complaints there are, in a subnet of 16 with this gateway.
fn given(asked: &[Asked], gateway: u8) -> (BTreeMap<usize, u8>, usize) {
    let network = Network {
        uuid: None,
        address: lan(),
        range: Some(Range {
            subnet: at("10.0.0.0/28".parse().unwrap()),
            gateway: number(gateway),
        }),
        internal: false,
        routed: false,
        existing: None,
        dhcp: None,
        dns: None,
        ipv6: None,
        driver: None,
        bridge: None,
        options: BTreeMap::new(),
        labels: BTreeMap::new(),
        origin: span(),
    };
    let declared = Declared {
        networks: BTreeMap::from([(lan(), network)]),
        workloads: asked
            .iter()
            .enumerate()
            .map(|(n, (ask, _))| workload(n, *ask))
            .collect(),
        ..Declared::default()
    };
    let had = |(n, (_, last)): (usize, &Asked)| last.map(|l| (name(n), had(l)));
    let prior = asked.iter().enumerate().filter_map(had).collect();
    let (addresses, diagnostics) = allocate(&declared, &prior);
    let of = |n: usize| Some((n, addresses.get(&name(n))?.get("lan")?.octets()[3]));
    let given = (0..asked.len()).filter_map(of).collect();
    (given, diagnostics.iter().count())
}

#[test]
fn explicit_then_recorded_then_the_lowest_free() {
    let asked = [
        (None, None),
        (None, Some(2)),
        (Some(2), None),
        (None, Some(9)),
        (None, None),
    ];
    let (given, complaints) = given(&asked, 1);
    let expected = [(0, 3), (1, 4), (2, 2), (3, 9), (4, 5)];
    assert_eq!((given, complaints), (BTreeMap::from(expected), 0));
}

#[test]
fn a_full_network_is_an_error_and_those_before_have_theirs() {
    let (given, complaints) = given(&[(None, None); 15], 1);
    assert_eq!((given.len(), complaints), (13, 1));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_has_what_is_not_his(
        asked in prop::collection::vec((prop::option::weighted(0.3, 0..18u8), prop::option::of(0..18u8)), 1..16),
        gateway in 1..15u8,
    ) {
        let (given, complaints) = given(&asked, gateway);
        let distinct: BTreeSet<&u8> = given.values().collect();
        prop_assert_eq!(distinct.len(), given.len());
        prop_assert!(given.values().all(|a| (1..15).contains(a) && *a != gateway));
        prop_assert!(complaints > 0 || given.len() == asked.len());
        rules(&asked, gateway, &given)?;
    }
}

/// Once more in other words: who asked has it; who had one keeps it unless somebody with more right has it; the
/// others have the lowest that are left, in their order.
fn rules(asked: &[Asked], gateway: u8, given: &BTreeMap<usize, u8>) -> Result<(), TestCaseError> {
    let mut left: BTreeSet<u8> = (1..15).filter(|a| *a != gateway).collect();
    let mut expected = BTreeMap::new();
    let explicit = |(n, (ask, _)): (usize, &Asked)| Some((n, (*ask)?));
    for (n, ask) in asked.iter().enumerate().filter_map(explicit) {
        if left.remove(&ask) {
            expected.insert(n, ask);
        }
    }
    let waiting: Vec<usize> = (0..asked.len()).filter(|n| asked[*n].0.is_none()).collect();
    for n in &waiting {
        if let Some(had) = asked[*n].1.filter(|a| left.remove(a)) {
            expected.insert(*n, had);
        }
    }
    for n in waiting {
        if !expected.contains_key(&n)
            && let Some(lowest) = left.pop_first()
        {
            expected.insert(n, lowest);
        }
    }
    prop_assert_eq!(given, &expected);
    Ok(())
}
