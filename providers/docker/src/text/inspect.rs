//! A container as the engine tells of it: the shape of its JSON, as far as it is looked at. What is made
//! of it is `decode`'s.

use std::collections::BTreeMap;

use infra_api::names;
use serde::Deserialize;

use crate::mark::{self, Labels};
use crate::text::container::place::{Bindings, MountPoint};
use crate::text::container::{confinement, devices, limits, place, process, security};
use crate::text::unmarked;

/// `GET /containers/ID/json`, as far as it is looked at.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Inspect {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) created: String,
    pub(crate) name: String,
    pub(crate) state: State,
    /// The id of the image it runs, whatever its name stands for by now.
    pub(crate) image: String,
    pub(crate) config: Config,
    pub(crate) host_config: HostConfig,
    pub(crate) network_settings: NetworkSettings,
}

impl Inspect {
    pub(crate) fn plain_name(&self) -> &str {
        self.name.trim_start_matches('/')
    }

    /// Its labels, where the mark among them is its own and not one it has from its image. One that took another's
    /// place was made under another name.
    pub(crate) fn own_labels(&self) -> Labels {
        let labels = self.config.labels.clone()?;
        let named = labels.get(mark::NAME)?;
        let name = self.plain_name();
        let own = named == name || names::of_next(named) == Some(name);
        own.then_some(labels)
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct State {
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) exit_code: i64,
    #[serde(default)]
    pub(crate) error: String,
    pub(crate) health: Option<Health>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Health {
    pub(crate) status: String,
    #[serde(default)]
    pub(crate) failing_streak: u64,
    pub(crate) log: Option<Vec<Probe>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Probe {
    pub(crate) exit_code: i64,
    #[serde(default)]
    pub(crate) output: String,
}

/// Of a container, and of an image: what a container has from it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Config {
    pub(crate) image: String,
    pub(crate) hostname: String,
    pub(crate) user: String,
    pub(crate) env: Option<Vec<String>>,
    pub(crate) cmd: Option<Vec<String>>,
    pub(crate) entrypoint: Option<Vec<String>>,
    pub(crate) working_dir: String,
    pub(crate) labels: Labels,
    pub(crate) healthcheck: Option<Healthcheck>,
    pub(crate) domainname: String,
    /// Where one was asked for when it was made; engines before API 1.44 alone keep it here.
    pub(crate) mac_address: String,
    #[serde(flatten)]
    pub(crate) process: process::Found,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Healthcheck {
    pub(crate) test: Option<Vec<String>>,
    pub(crate) interval: u64,
    pub(crate) timeout: u64,
    pub(crate) start_period: u64,
    pub(crate) start_interval: u64,
    pub(crate) retries: u32,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct HostConfig {
    pub(crate) port_bindings: Bindings,
    pub(crate) restart_policy: Option<Policy>,
    pub(crate) cpuset_cpus: String,
    pub(crate) cpuset_mems: String,
    pub(crate) pids_limit: Option<i64>,
    pub(crate) ulimits: Option<Vec<Limit>>,
    pub(crate) mounts: Option<Vec<MountPoint>>,
    #[serde(flatten)]
    pub(crate) theirs: unmarked::Found,
    #[serde(flatten)]
    pub(crate) limits: limits::Found,
    #[serde(flatten)]
    pub(crate) naming: place::Found,
    #[serde(flatten)]
    pub(crate) process: process::FoundHost,
    #[serde(flatten)]
    pub(crate) security: security::Found,
    #[serde(flatten)]
    pub(crate) confinement: confinement::Found,
    #[serde(flatten)]
    pub(crate) devices: devices::Found,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Policy {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) maximum_retry_count: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Limit {
    pub(crate) name: String,
    pub(crate) soft: i64,
    pub(crate) hard: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NetworkSettings {
    pub(crate) networks: Option<BTreeMap<String, Attachment>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Attachment {
    #[serde(rename = "IPAMConfig")]
    pub(crate) ipam_config: Option<Ipam>,
    #[serde(default, rename = "IPAddress")]
    pub(crate) ip_address: String,
    #[serde(default, rename = "GlobalIPv6Address")]
    pub(crate) global_ipv6_address: String,
    /// Always there while the container runs, whoever chose it.
    #[serde(default)]
    pub(crate) mac_address: String,
    pub(crate) aliases: Option<Vec<String>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Ipam {
    #[serde(default, rename = "IPv4Address")]
    pub(crate) ipv4_address: String,
    #[serde(default, rename = "IPv6Address")]
    pub(crate) ipv6_address: String,
}

/// What is known of the image a container runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// The id its reference stands for now.
    pub(crate) now: Option<String>,
    /// What it gives to containers, where it is still there.
    pub(crate) config: Option<Config>,
    /// The reference by the digest that the registry knows the image by.
    pub(crate) pinned: Option<String>,
}
