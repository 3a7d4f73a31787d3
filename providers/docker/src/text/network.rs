//! A network as the engine writes it: [`ContainerNetwork`] ⇄ JSON. Pure.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};
use infra_api::Mark;
use infra_api::target::{ContainerNetwork, Driver, Range6};
use ipnet::Ipv4Net;
use serde::Deserialize;

use crate::mark::{self, Labels, short};

/// Names the Linux bridge; without it the engine makes `br-` and twelve digits of the network's id.
const BRIDGE: &str = "com.docker.network.bridge.name";

/// The device of the host that macvlan and ipvlan are on.
const PARENT: &str = "parent";

const LINUX_BRIDGE: &str = "bridge";

/// A network as `GET /networks` and `GET /networks/ID` tell of it, as far as it is looked at.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Network {
    pub(crate) name: String,
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) created: String,
    pub(crate) driver: String,
    #[serde(default)]
    pub(crate) internal: bool,
    /// Engines before API 1.48 do not tell: there is no other.
    #[serde(default, rename = "EnableIPv4")]
    enable_ipv4: Option<bool>,
    #[serde(default, rename = "EnableIPv6")]
    enable_ipv6: bool,
    #[serde(rename = "IPAM")]
    pub(crate) ipam: Pools,
    pub(crate) options: Option<BTreeMap<String, String>>,
    pub(crate) labels: Labels,
    /// By the id of the container; a list of networks leaves it out.
    #[serde(default)]
    pub(crate) containers: Option<BTreeMap<String, Attached>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Pools {
    pub(crate) config: Option<Vec<Pool>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Pool {
    pub(crate) subnet: Option<String>,
    pub(crate) gateway: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Attached {
    pub(crate) name: String,
}

pub(crate) fn encode(body: &ContainerNetwork, mark: &Mark) -> NetworkCreateRequest {
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
    let pool = |subnet: &dyn ToString, gateway: &dyn ToString| IpamConfig {
        subnet: Some(subnet.to_string()),
        gateway: Some(gateway.to_string()),
        ..IpamConfig::default()
    };
    let pools = subnet.iter().zip(gateway);
    let pools = pools.map(|(subnet, gateway)| pool(subnet, gateway));
    let pools = pools.chain(ipv6.iter().map(|range| pool(&range.subnet, &range.gateway)));
    let bridge = bridge.iter().map(|name| (BRIDGE.to_owned(), name.clone()));
    let own = bridge.chain(driver.iter().flat_map(driver_options));
    let all: BTreeMap<String, String> = options.clone().into_iter().chain(own).collect();
    NetworkCreateRequest {
        name: name.clone(),
        driver: Some(
            driver
                .as_ref()
                .map_or(LINUX_BRIDGE, |driver| &driver.name)
                .to_owned(),
        ),
        internal: Some(*internal),
        // An engine of an older API does not know the word, and gives a subnet of its own: it is not asked.
        enable_ipv4: subnet.is_none().then_some(false),
        enable_ipv6: ipv6.is_some().then_some(true),
        ipam: Some(Ipam {
            config: Some(pools.collect()),
            ..Ipam::default()
        }),
        options: Some(all.into_iter().collect()),
        labels: Some(mark::with(labels, mark).into_iter().collect()),
        ..NetworkCreateRequest::default()
    }
}

fn driver_options(driver: &Driver) -> [(String, String); 2] {
    let Driver { name, parent, mode } = driver;
    [
        (PARENT.to_owned(), parent.clone()),
        (format!("{name}_mode"), mode.clone()),
    ]
}

/// The body of a network that is there; or why it cannot be one that we wrote.
pub(crate) fn decode(found: &Network) -> Result<ContainerNetwork, String> {
    let options = found.options.clone().unwrap_or_default();
    let driver = match found.driver.as_str() {
        LINUX_BRIDGE => None,
        "macvlan" | "ipvlan" => Some(driver(&found.driver, &options)),
        other => {
            return Err(format!(
                "its driver is `{other}`, which infra does not know"
            ));
        }
    };
    let range = found.pools().find_map(ipv4);
    let ipv6 = found.pools().find_map(ipv6).filter(|_| found.enable_ipv6);
    let without = found.enable_ipv4 == Some(false) && driver.is_some() && ipv6.is_none();
    if range.is_none() && !without {
        return Err("it has no IPv4 subnet".to_owned());
    }
    let named = || options.get(BRIDGE).cloned();
    let bridge = || named().unwrap_or_else(|| format!("br-{}", short(&found.id)));
    let mode = driver
        .as_ref()
        .map(|driver| format!("{}_mode", driver.name));
    let own = |name: &String| {
        name == BRIDGE || mode.as_ref().is_some_and(|m| m == name || name == PARENT)
    };
    Ok(ContainerNetwork {
        name: found.name.clone(),
        bridge: driver.is_none().then(bridge),
        subnet: range.map(|(subnet, _)| subnet),
        gateway: range.map(|(_, gateway)| gateway),
        ipv6,
        internal: found.internal,
        options: options
            .iter()
            .filter(|(name, _)| !own(name))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect(),
        labels: mark::theirs(&found.labels),
        driver,
    })
}

fn driver(name: &str, options: &BTreeMap<String, String>) -> Driver {
    let option = |name: &str| options.get(name).cloned().unwrap_or_default();
    Driver {
        name: name.to_owned(),
        parent: option(PARENT),
        mode: option(&format!("{name}_mode")),
    }
}

impl Network {
    pub(crate) fn pools(&self) -> impl Iterator<Item = &Pool> {
        self.ipam.config.iter().flatten()
    }

    /// Who is attached, by name, sorted.
    pub(crate) fn attached(&self) -> Vec<&str> {
        let all = self.containers.iter().flat_map(BTreeMap::values);
        let mut names: Vec<&str> = all.map(|one| one.name.as_str()).collect();
        names.sort_unstable();
        names
    }
}

fn ipv4(pool: &Pool) -> Option<(Ipv4Net, Ipv4Addr)> {
    let subnet: Ipv4Net = pool.subnet.as_deref()?.parse().ok()?;
    let gateway = match pool.gateway.as_deref() {
        // The default bridge of old engines tells its gateway with the prefix length.
        Some(gateway) => gateway.split('/').next()?.parse().ok()?,
        // Not written, not told: it is the first address.
        None => subnet.hosts().next()?,
    };
    Some((subnet, gateway))
}

fn ipv6(pool: &Pool) -> Option<Range6> {
    let gateway = pool.gateway.as_deref()?.split('/').next()?;
    Some(Range6 {
        subnet: pool.subnet.as_deref()?.parse().ok()?,
        gateway: gateway.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use infra_api::{Address, Project};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn mark() -> Mark {
        Mark {
            project: Project::new("demo"),
            address: Address::new("network.lan"),
        }
    }

    fn lan() -> ContainerNetwork {
        ContainerNetwork {
            name: "demo.lan".into(),
            bridge: Some("br-0123456789".into()),
            driver: None,
            subnet: "10.9.0.0/24".parse().ok(),
            gateway: "10.9.0.1".parse().ok(),
            ipv6: None,
            internal: true,
            options: BTreeMap::new(),
            labels: BTreeMap::new(),
        }
    }

    /// What an engine tells of a network made so; unset options come back as null or empty.
    fn answer(request: &Value) -> Value {
        json!({
            "Name": request["Name"], "Id": "aa".repeat(32), "Created": "2026-11-23T01:00:00Z", "Scope": "local",
            "Driver": request["Driver"], "EnableIPv4": request["EnableIPv4"], "EnableIPv6": request["EnableIPv6"] == json!(true), "Internal": request["Internal"],
            "IPAM": {"Driver": "default", "Options": null, "Config": request["IPAM"]["Config"]},
            "Attachable": false, "Ingress": false, "ConfigFrom": {"Network": ""}, "ConfigOnly": false,
            "Containers": {}, "Options": request["Options"], "Labels": request["Labels"],
        })
    }

    #[test]
    fn the_request() {
        let request = serde_json::to_value(encode(&lan(), &mark())).unwrap();
        assert_eq!(
            request,
            json!({
                "Name": "demo.lan", "Driver": "bridge", "Internal": true,
                "IPAM": {"Config": [{"Subnet": "10.9.0.0/24", "Gateway": "10.9.0.1"}]},
                "Options": {"com.docker.network.bridge.name": "br-0123456789"},
                "Labels": {"infra.project": "demo", "infra.address": "network.lan"},
            })
        );
    }

    #[test]
    fn without_a_subnet_the_engine_is_to_give_no_addresses() {
        let driver = Some(Driver {
            name: "macvlan".into(),
            parent: "eth0".into(),
            mode: "bridge".into(),
        });
        let body = ContainerNetwork {
            bridge: None,
            driver,
            subnet: None,
            gateway: None,
            ..lan()
        };
        let request = serde_json::to_value(encode(&body, &mark())).unwrap();
        assert_eq!(request["EnableIPv4"], false);
        assert_eq!(request["IPAM"]["Config"], json!([]));
        let mut there = answer(&request);
        let found = |value: &Value| decode(&serde_json::from_value(value.clone()).unwrap());
        assert_eq!(found(&there), Ok(body));
        // An engine that does not tell has given it one; a bridge has one.
        there["EnableIPv4"] = Value::Null;
        found(&there).unwrap_err();
        there["EnableIPv4"] = json!(false);
        there["Driver"] = json!("bridge");
        found(&there).unwrap_err();
    }

    #[test]
    fn what_is_not_ours_to_read_is_told() {
        let found = |value| decode(&serde_json::from_value(value).unwrap());
        let mut value = answer(&serde_json::to_value(encode(&lan(), &mark())).unwrap());
        value["Options"] = Value::Null;
        assert_eq!(
            found(value.clone()).unwrap().bridge.unwrap(),
            "br-aaaaaaaaaaaa"
        );
        value["IPAM"]["Config"] = json!([{"Subnet": "fd00::/64"}]);
        assert!(found(value.clone()).unwrap_err().contains("no IPv4"));
        value["Driver"] = json!("overlay");
        assert!(found(value).unwrap_err().contains("overlay"));
    }

    proptest! {
        #[test]
        fn law_1(
            (net, prefix, internal) in (any::<u32>(), 8u8..30, any::<bool>()),
            net6 in proptest::option::of((any::<u128>(), 8u8..97)),
            driver in proptest::option::of(("macvlan|ipvlan", "[a-z0-9.]{1,9}", "[a-z0-9]{2,8}")),
            others in any::<bool>(),
            options in proptest::collection::btree_map("[a-z.]{3,8}x", "[a-z]{0,4}", 0..3),
            labels in proptest::collection::btree_map("[a-z]{1,4}", "[a-z]{0,4}", 0..3),
        ) {
            let subnet = Ipv4Net::new(net.into(), prefix).unwrap().trunc();
            let ipv6 = net6.map(|(net, prefix)| {
                let subnet = ipnet::Ipv6Net::new(net.into(), prefix).unwrap().trunc();
                Range6 { subnet, gateway: subnet.network() }
            });
            let driver = driver.map(|(name, parent, mode)| Driver { name, parent, mode });
            let bridge = lan().bridge.filter(|_| driver.is_none());
            // Only on a device of the host's own do others give the addresses.
            let others = others && driver.is_some();
            let (subnet, ipv6) = (Some(subnet).filter(|_| !others), ipv6.filter(|_| !others));
            let gateway = subnet.map(|subnet| subnet.hosts().next().unwrap());
            let body = ContainerNetwork { name: lan().name, bridge, driver, subnet, gateway, ipv6, internal, options, labels };
            let request = serde_json::to_value(encode(&body, &mark())).unwrap();
            let found: Network = serde_json::from_value(answer(&request)).unwrap();
            prop_assert_eq!(mark::owner(&found.labels, &mark().project), mark::Owner::Ours(mark().address));
            prop_assert_eq!(decode(&found), Ok(body));
        }
    }
}
