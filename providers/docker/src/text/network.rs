//! A network as the engine writes it: [`ContainerNetwork`] ⇄ JSON. Pure.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};
use infra_api::Mark;
use infra_api::target::ContainerNetwork;
use ipnet::Ipv4Net;
use serde::Deserialize;

use crate::mark::{self, Labels, short};

/// Names the Linux bridge; without it the engine makes `br-` and twelve digits of the network's id.
const BRIDGE: &str = "com.docker.network.bridge.name";

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
        subnet,
        gateway,
        internal,
    } = body;
    let pool = IpamConfig {
        subnet: Some(subnet.to_string()),
        gateway: Some(gateway.to_string()),
        ..IpamConfig::default()
    };
    NetworkCreateRequest {
        name: name.clone(),
        driver: Some("bridge".to_owned()),
        internal: Some(*internal),
        ipam: Some(Ipam {
            config: Some(vec![pool]),
            ..Ipam::default()
        }),
        options: Some([(BRIDGE.to_owned(), bridge.clone())].into()),
        labels: Some(mark::labels(mark).into_iter().collect()),
        ..NetworkCreateRequest::default()
    }
}

/// The body of a network that is there; or why it cannot be one that we wrote.
pub(crate) fn decode(found: &Network) -> Result<ContainerNetwork, String> {
    if found.driver != "bridge" {
        return Err(format!("its driver is `{}`, not `bridge`", found.driver));
    }
    let (subnet, gateway) = found
        .pools()
        .find_map(ipv4)
        .ok_or("it has no IPv4 subnet with a gateway")?;
    let named = found.options.as_ref().and_then(|all| all.get(BRIDGE));
    let bridge = named.cloned();
    Ok(ContainerNetwork {
        name: found.name.clone(),
        bridge: bridge.unwrap_or_else(|| format!("br-{}", short(&found.id))),
        subnet,
        gateway,
        internal: found.internal,
    })
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
    let gateway = pool.gateway.as_deref()?;
    // The default bridge of old engines tells its gateway with the prefix length.
    let gateway = gateway.split('/').next()?;
    Some((pool.subnet.as_deref()?.parse().ok()?, gateway.parse().ok()?))
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
            bridge: "br-0123456789".into(),
            subnet: "10.9.0.0/24".parse().unwrap(),
            gateway: "10.9.0.1".parse().unwrap(),
            internal: true,
        }
    }

    /// What an engine tells of a network made so; unset options come back as null or empty.
    fn answer(request: &Value) -> Value {
        json!({
            "Name": request["Name"], "Id": "aa".repeat(32), "Created": "2026-11-23T01:00:00Z", "Scope": "local",
            "Driver": request["Driver"], "EnableIPv6": false, "Internal": request["Internal"],
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
    fn what_is_not_ours_to_read_is_told() {
        let found = |value| decode(&serde_json::from_value(value).unwrap());
        let mut value = answer(&serde_json::to_value(encode(&lan(), &mark())).unwrap());
        value["Options"] = Value::Null;
        assert_eq!(found(value.clone()).unwrap().bridge, "br-aaaaaaaaaaaa");
        value["IPAM"]["Config"] = json!([{"Subnet": "fd00::/64"}]);
        assert!(found(value.clone()).unwrap_err().contains("no IPv4"));
        value["Driver"] = json!("macvlan");
        assert!(found(value).unwrap_err().contains("macvlan"));
    }

    proptest! {
        #[test]
        fn law_1(net: u32, prefix in 8u8..30, internal: bool) {
            let subnet = Ipv4Net::new(net.into(), prefix).unwrap().trunc();
            let body = ContainerNetwork { subnet, gateway: subnet.hosts().next().unwrap(), internal, ..lan() };
            let request = serde_json::to_value(encode(&body, &mark())).unwrap();
            let found: Network = serde_json::from_value(answer(&request)).unwrap();
            prop_assert_eq!(mark::owner(&found.labels, &mark().project), mark::Owner::Ours(mark().address));
            prop_assert_eq!(decode(&found), Ok(body));
        }
    }
}
