//! A container as the engine tells of it: JSON → [`Container`]. Pure. What the image or the engine's
//! configuration gives (shm size, log driver, runtime, cgroup namespace, …) is left out unless it was set
//! by us. Its files are not in the engine's answer: `calls::files` reads them.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::target::{Container, Endpoint, HealthCheck, Restart, Ulimit};
use infra_api::{IdSet, Text};

use crate::mark;
use crate::text::container::{Set, confinement, devices, limits, place, process, security};
use crate::text::inspect::{
    Attachment, Config, Healthcheck, HostConfig, Inspect, Limit, Origin, Policy,
};

/// The body of a container that is there; or why it cannot be one that we wrote.
pub(crate) fn decode(found: &Inspect, origin: &Origin) -> Result<Container, String> {
    decode_as(found, origin, set(found))
}

/// What the label says of it.
fn set(found: &Inspect) -> Set<'_> {
    let labels = found.config.labels.as_ref();
    let names = labels.and_then(|all| all.get(mark::SET));
    let names = names.into_iter().flat_map(|names| names.split(','));
    names.collect()
}

/// The same, where `set` names what was set by who made it.
pub(crate) fn decode_as(
    found: &Inspect,
    origin: &Origin,
    set: Set<'_>,
) -> Result<Container, String> {
    let Inspect {
        config,
        host_config: host,
        ..
    } = found;
    let given = Given {
        set,
        image: origin.config.as_ref(),
    };
    Ok(Container {
        name: found.plain_name().to_owned(),
        image: image(found, origin),
        state: found.state.status.clone(),
        entrypoint: given.words("entrypoint", &config.entrypoint, |image| &image.entrypoint),
        command: given.words("command", &config.cmd, |image| &image.cmd),
        env: given.env(config),
        user: given.text("user", &config.user, |image| &image.user),
        working_dir: given.text("working_dir", &config.working_dir, |image| {
            &image.working_dir
        }),
        hostname: hostname(config, host),
        labels: given.labels(config),
        ports: place::ports(&host.port_bindings)?,
        mounts: host
            .mounts
            .iter()
            .flatten()
            .map(place::mount)
            .collect::<Result<_, _>>()?,
        files: BTreeMap::new(),
        networks: networks(found),
        naming: place::decode(&host.naming, &config.domainname),
        restart: host.restart_policy.as_ref().and_then(restart),
        health_check: given.health(config),
        process: process::decode(&config.process, &host.process, &given.set),
        log: process::decode_log(&host.process, &given.set),
        security: security::decode(&host.security, &given.set),
        confinement: confinement::decode(&host.confinement, &given.set),
        devices: devices::decode(&host.devices),
        ulimits: given.ulimits(host),
        cpus: id_set("CpusetCpus", &host.cpuset_cpus)?,
        memory_nodes: id_set("CpusetMems", &host.cpuset_mems)?,
        memory_bytes: positive(host.limits.memory),
        pids: host.pids_limit.and_then(positive),
        limits: limits::decode(&host.limits),
    })
}

/// None of its own where it has the host's.
fn hostname(config: &Config, host: &HostConfig) -> String {
    match host.confinement.uts_mode.as_deref() {
        Some("host") => String::new(),
        _ => config.hostname.clone(),
    }
}

/// The reference it was made from; with the id it runs where that is no longer what the reference means.
fn image(found: &Inspect, origin: &Origin) -> String {
    let reference = &found.config.image;
    if origin.now.as_ref() == Some(&found.image) {
        reference.clone()
    } else {
        format!("{reference} (was {})", found.image)
    }
}

/// What a container's settings were before its image's were mixed in.
struct Given<'a> {
    /// The names in the label `infra.set`.
    set: Set<'a>,
    image: Option<&'a Config>,
}

impl Given<'_> {
    /// Whether the value of `name` is our own: said to be, or not the image's.
    fn ours<T: PartialEq>(&self, name: &str, actual: &T, image: Option<&T>) -> bool {
        self.set.contains(name) || (self.image.is_some() && image != Some(actual))
    }

    fn words(
        &self,
        name: &str,
        actual: &Option<Vec<String>>,
        of: fn(&Config) -> &Option<Vec<String>>,
    ) -> Option<Vec<Text>> {
        let words = actual.clone().unwrap_or_default();
        let image = self.image.map(|i| of(i).clone().unwrap_or_default());
        // An entrypoint of its own makes a container leave the image's command out.
        let left_out = words.is_empty() && !self.set.contains(name);
        let ours = !left_out && self.ours(name, &words, image.as_ref());
        ours.then(|| words.into_iter().map(Text::Plain).collect())
    }

    fn text(&self, name: &str, actual: &String, of: fn(&Config) -> &String) -> Option<String> {
        self.ours(name, actual, self.image.map(of))
            .then(|| actual.clone())
    }

    fn env(&self, config: &Config) -> BTreeMap<String, Text> {
        let image = self.image.map(variables).unwrap_or_default();
        variables(config)
            .into_iter()
            .filter(|(name, value)| self.ours(&format!("env.{name}"), value, image.get(name)))
            .map(|(name, value)| (name.to_owned(), Text::from(value)))
            .collect()
    }

    fn labels(&self, config: &Config) -> BTreeMap<String, String> {
        let image = self.image.and_then(|i| i.labels.as_ref());
        let all = config.labels.iter().flatten();
        all.filter(|(name, _)| !name.starts_with("infra."))
            .filter(|(name, value)| {
                self.ours(
                    &format!("labels.{name}"),
                    *value,
                    image.and_then(|i| i.get(*name)),
                )
            })
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// The engine's answer has those of its own configuration mixed in (`default-ulimits`; moby's
    /// `getInspectData` merges them), and they cannot be told from ours but by name.
    fn ulimits(&self, host: &HostConfig) -> BTreeMap<String, Ulimit> {
        let all = host.ulimits.iter().flatten().map(ulimit);
        let any = self.set.contains("ulimits.*");
        all.filter(|(name, _)| any || self.set.contains(format!("ulimits.{name}").as_str()))
            .collect()
    }

    fn health(&self, config: &Config) -> Option<HealthCheck> {
        let check = config.healthcheck.clone().unwrap_or_default();
        let image = self
            .image
            .map(|i| i.healthcheck.clone().unwrap_or_default());
        if !self.ours("health_check", &check, image.as_ref()) {
            return None;
        }
        // A number that is left out comes from the image too; zero is the engine's own.
        let number = |name: &str, actual: u64, of: fn(&Healthcheck) -> u64| {
            let ours = self.ours(
                &format!("health_check.{name}"),
                &actual,
                image.as_ref().map(of).as_ref(),
            );
            (ours && actual != 0).then_some(actual)
        };
        let retries = number("retries", check.retries.into(), |h| h.retries.into());
        let test = check.test.unwrap_or_default();
        Some(HealthCheck {
            probe: process::probe(&test),
            interval_ns: number("interval_ns", check.interval, |h| h.interval),
            timeout_ns: number("timeout_ns", check.timeout, |h| h.timeout),
            start_period_ns: number("start_period_ns", check.start_period, |h| h.start_period),
            start_interval_ns: number("start_interval_ns", check.start_interval, |h| {
                h.start_interval
            }),
            retries: retries.and_then(|n| u32::try_from(n).ok()),
        })
    }
}

fn variables(config: &Config) -> BTreeMap<&str, &str> {
    let lines = config.env.iter().flatten();
    lines
        .map(|line| line.split_once('=').unwrap_or((line, "")))
        .collect()
}

/// Where a container is that names no network.
pub(crate) const DEFAULT_NETWORK: &str = "bridge";

/// What the engine calls a network that is none: the default bridge, the host's own, and nothing.
pub(crate) const NO_NETWORKS: [&str; 3] = [DEFAULT_NETWORK, "host", "none"];

/// Without what is none of ours where that is all there is.
fn networks(found: &Inspect) -> BTreeMap<String, Endpoint> {
    let mut networks = attached(found);
    if networks.len() == 1 {
        networks.retain(|name, _| !NO_NETWORKS.contains(&name.as_str()));
    }
    networks
}

/// All it is attached to.
pub(crate) fn attached(found: &Inspect) -> BTreeMap<String, Endpoint> {
    let all = found.network_settings.networks.iter().flatten();
    let set = set(found);
    let attached = all.map(|(name, at)| {
        let mac = mac(at, found, set.contains(place::mac_of(name).as_str()));
        let endpoint = attachment(at, found);
        (name.clone(), Endpoint { mac, ..endpoint })
    });
    attached.collect()
}

/// That was asked for: the engine tells of one in any case while the container runs.
fn mac(at: &Attachment, found: &Inspect, ours: bool) -> Option<String> {
    let made_with = found.config.mac_address.as_str();
    let mut macs = [at.mac_address.as_str(), made_with].into_iter();
    let mac = macs.find(|mac| !mac.is_empty())?;
    (ours || mac == made_with).then(|| mac.to_owned())
}

fn attachment(at: &Attachment, found: &Inspect) -> Endpoint {
    let planned = at
        .ipam_config
        .as_ref()
        .map(|ipam| ipam.ipv4_address.as_str());
    // While it is stopped it has only the address it was given.
    let mut addresses = [Some(at.ip_address.as_str()), planned]
        .into_iter()
        .flatten();
    let address = addresses.find_map(|text| text.parse().ok());
    // Engines before API 1.45 list what they add: the short id and the hostname.
    let added = [mark::short(&found.id), &found.config.hostname];
    let aliases: BTreeSet<String> = at.aliases.iter().flatten().cloned().collect();
    let planned6 = at
        .ipam_config
        .as_ref()
        .map(|ipam| ipam.ipv6_address.as_str());
    let mut addresses6 = [Some(at.global_ipv6_address.as_str()), planned6]
        .into_iter()
        .flatten();
    Endpoint {
        address,
        address6: addresses6.find_map(|text| text.parse().ok()),
        aliases: aliases
            .into_iter()
            .filter(|alias| !added.contains(&alias.as_str()))
            .collect(),
        mac: None,
    }
}

fn restart(policy: &Policy) -> Option<Restart> {
    let Policy {
        name,
        maximum_retry_count,
    } = policy;
    (!matches!(name.as_str(), "" | "no")).then(|| Restart {
        policy: name.clone(),
        max_retries: Some(*maximum_retry_count).filter(|n| *n != 0),
    })
}

fn ulimit(limit: &Limit) -> (String, Ulimit) {
    let Limit { name, soft, hard } = limit;
    (
        name.clone(),
        Ulimit {
            soft: *soft,
            hard: *hard,
        },
    )
}

/// The engine keeps the text it was sent: "0,1" and "0-1" are the same set.
fn id_set(field: &str, text: &str) -> Result<Option<IdSet>, String> {
    let set: IdSet = text
        .parse()
        .map_err(|e| format!("its {field} is unreadable: {e}"))?;
    Ok(Some(set).filter(|set| !set.is_empty()))
}

/// Zero and below: no limit.
pub(crate) fn positive(n: i64) -> Option<u64> {
    u64::try_from(n).ok().filter(|n| *n != 0)
}
