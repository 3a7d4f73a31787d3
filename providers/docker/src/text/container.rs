//! A container as the engine wants it: [`Container`] → JSON. Pure. The way back is `decode`; the parts of a
//! container go both ways in a file each.

pub(crate) mod confinement;
pub(crate) mod devices;
pub(crate) mod limits;
pub(crate) mod place;
pub(crate) mod process;
pub(crate) mod security;

use std::collections::{BTreeMap, BTreeSet};

use bollard::models::{
    ContainerCreateBody, ContainerUpdateBody, EndpointIpamConfig, EndpointSettings, HostConfig,
    NetworkingConfig,
};
use infra_api::target::{Container, Endpoint, HealthCheck, Probe, UploadedFile};
use infra_api::{Mark, Text};
use serde_json::{Value, json};

use crate::mark;

/// Why a container cannot be written as it is wanted. Names attributes, never a value of `env`.
pub(crate) type Refused = String;

/// The names in the label `infra.set`.
pub(crate) type Set<'a> = BTreeSet<&'a str>;

/// With the first network by name: [`attached`] knows of the others.
pub(crate) fn encode(body: &Container, mark: &Mark) -> Result<ContainerCreateBody, Refused> {
    let Container {
        name: _, // stands in the URL
        image,
        state: _, // reached by starting it
        entrypoint,
        command,
        env,
        user,
        working_dir,
        hostname,
        labels,
        ports,
        mounts: _,
        files: _, // uploaded before it starts
        networks,
        naming,
        restart: _,
        health_check,
        process,
        log: _,
        security: _,
        confinement: _,
        devices: _,
        ulimits: _,
        cpus: _,
        memory_nodes: _,
        memory_bytes: _,
        pids: _,
        limits: _,
    } = body;
    writable(body)?;
    let first = networks.iter().take(1);
    let first = first.map(|(name, end)| (name.clone(), endpoint(end)));
    let mut host = host_config(body)?;
    let mut create = ContainerCreateBody {
        image: Some(image.clone()),
        hostname: Some(hostname.clone()).filter(|name| !name.is_empty()),
        domainname: naming.domainname.clone(),
        entrypoint: texts("entrypoint", entrypoint.as_deref())?,
        cmd: texts("command", command.as_deref())?,
        env: Some(variables(env)?),
        user: user.clone(),
        working_dir: working_dir.clone(),
        labels: Some(all_labels(body, labels, mark)?.into_iter().collect()),
        // A binding alone publishes nothing (seen on 20.10: `Ports` stays empty).
        exposed_ports: Some(place::exposed(ports)),
        healthcheck: health_check.as_ref().map(process::health),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(first.collect()),
        }),
        ..ContainerCreateBody::default()
    };
    process::encode(process, &mut create, &mut host);
    create.host_config = Some(host);
    Ok(create)
}

/// In all its networks from the beginning where the engine does that, which is the only way to a MAC of its own in each (seen on
/// 26.1, API 1.45: one that is connected later gets another). Where it does not, the others are connected before it starts,
/// and the MAC in the first is the container's: bollard has no field for that.
pub(crate) fn attached(request: ContainerCreateBody, body: &Container, several: bool) -> Value {
    let mut request = json!(request);
    let first = body.networks.values().next();
    if several {
        let all = body.networks.iter();
        let all: BTreeMap<_, _> = all.map(|(name, end)| (name, endpoint(end))).collect();
        request["NetworkingConfig"]["EndpointsConfig"] = json!(all);
    } else if let Some(mac) = first.and_then(|end| end.mac.as_ref()) {
        request["MacAddress"] = json!(mac);
    }
    request
}

fn host_config(body: &Container) -> Result<HostConfig, Refused> {
    let ulimits = body
        .ulimits
        .iter()
        .map(|(name, limit)| limits::ulimit(name, limit));
    let mounts = body
        .mounts
        .iter()
        .map(|(path, mount)| place::mounted(path, mount));
    let update = resources(body)?;
    let mut host = HostConfig {
        memory: update.memory,
        cpuset_cpus: update.cpuset_cpus.clone(),
        cpuset_mems: update.cpuset_mems.clone(),
        pids_limit: update.pids_limit,
        restart_policy: update.restart_policy.clone(),
        port_bindings: Some(place::bindings(&body.ports).into_iter().collect()),
        mounts: Some(mounts.collect::<Result<_, _>>()?),
        ulimits: Some(ulimits.collect()),
        network_mode: body.networks.keys().next().cloned(),
        log_config: body.log.as_ref().map(process::log),
        ..HostConfig::default()
    };
    limits::encode(&body.limits, update, &mut host)?;
    place::encode(&body.naming, &mut host);
    security::encode(&body.security, &mut host);
    confinement::encode(&body.confinement, &mut host)?;
    devices::encode(&body.devices, &mut host);
    Ok(host)
}

/// What `POST /containers/ID/update` changes in place, and creating sets alike. What the engine can
/// unset is unset; what it cannot is left alone, and `impact` says so: 0 and "" mean "leave", memory -1
/// is refused, and a cpuset of all CPUs would read back as one that was asked for.
pub(crate) fn update(body: &Container) -> Result<ContainerUpdateBody, Refused> {
    let mut update = resources(body)?;
    limits::unset(&mut update);
    Ok(update)
}

fn resources(body: &Container) -> Result<ContainerUpdateBody, Refused> {
    let memory = body.memory_bytes.map(|n| integer("memory_bytes", n));
    let pids = body.pids.map(|n| integer("pids", n)).transpose()?;
    let mut update = ContainerUpdateBody {
        memory: memory.transpose()?,
        cpuset_cpus: body.cpus.as_ref().map(ToString::to_string),
        cpuset_mems: body.memory_nodes.as_ref().map(ToString::to_string),
        pids_limit: Some(pids.unwrap_or(-1)),
        restart_policy: Some(process::restart(body.restart.as_ref())?),
        ..ContainerUpdateBody::default()
    };
    limits::resources(&body.limits, body.memory_bytes, &mut update)?;
    Ok(update)
}

pub(crate) fn endpoint(endpoint: &Endpoint) -> EndpointSettings {
    let Endpoint {
        address,
        address6,
        aliases,
        mac,
    } = endpoint;
    EndpointSettings {
        ipam_config: Some(EndpointIpamConfig {
            ipv4_address: address.map(|address| address.to_string()),
            ipv6_address: address6.map(|address| address.to_string()),
            ..EndpointIpamConfig::default()
        }),
        aliases: Some(aliases.clone()),
        mac_address: mac.clone(),
        ..EndpointSettings::default()
    }
}

/// Refuses what the engine would take and mean something else by: it reads an empty text and a zero as
/// "the image's own", which would never read back as it was written.
fn writable(body: &Container) -> Result<(), Refused> {
    let empty = |text: &Option<String>| text.as_deref() == Some("");
    let no_words = |words: &Option<Vec<Text>>| words.as_ref().is_some_and(Vec::is_empty);
    let some_words = |words: &Option<Vec<Text>>| words.as_ref().is_some_and(|w| !w.is_empty());
    let health = body.health_check.as_ref();
    let checks = [
        (empty(&body.user), "`user` is empty"),
        (empty(&body.working_dir), "`working_dir` is empty"),
        (
            no_words(&body.command) && !some_words(&body.entrypoint),
            "`command` is empty",
        ),
        (body.memory_bytes == Some(0), "`memory_bytes` is 0"),
        (body.pids == Some(0), "`pids` is 0"),
        (
            body.cpus.as_ref().is_some_and(|set| set.is_empty()),
            "`cpus` is empty",
        ),
        (
            body.memory_nodes.as_ref().is_some_and(|set| set.is_empty()),
            "`memory_nodes` is empty",
        ),
        (
            body.ports.iter().any(|p| p.host == 0 || p.container == 0),
            "a port is 0",
        ),
        (
            health.is_some_and(|h| h.probe == Probe::Command(Vec::new())),
            "`health_check.probe` is empty",
        ),
        (
            health.is_some_and(zero_interval),
            "a number of `health_check` is 0",
        ),
    ];
    match checks.iter().find(|(wrong, _)| *wrong) {
        Some((_, what)) => Err(format!(
            "{what}, which the engine takes for its default: leave it out"
        )),
        None => Ok(()),
    }
}

fn zero_interval(check: &HealthCheck) -> bool {
    let spans = [
        check.interval_ns,
        check.timeout_ns,
        check.start_period_ns,
        check.start_interval_ns,
        check.retries.map(u64::from),
    ];
    spans.contains(&Some(0))
}

fn integer(attribute: &str, n: u64) -> Result<i64, Refused> {
    i64::try_from(n).map_err(|_| format!("`{attribute}` is too large"))
}

fn text<'a>(attribute: &str, text: &'a Text) -> Result<&'a str, Refused> {
    text.plain()
        .ok_or_else(|| format!("the secret in `{attribute}` has no value here"))
}

fn texts(attribute: &str, words: Option<&[Text]>) -> Result<Option<Vec<String>>, Refused> {
    let word = |w| text(attribute, w).map(str::to_owned);
    words.map(|all| all.iter().map(word).collect()).transpose()
}

fn variables(env: &BTreeMap<String, Text>) -> Result<Vec<String>, Refused> {
    let line = |(name, value): (&String, &Text)| {
        nameable("env", name)?;
        Ok(format!("{name}={}", text(&format!("env.{name}"), value)?))
    };
    env.iter().map(line).collect()
}

/// Names stand in the label `infra.set`, with commas between, and before the equals sign in `env`.
fn nameable(attribute: &str, name: &str) -> Result<(), Refused> {
    if name.is_empty() || name.contains([',', '=']) {
        return Err(format!(
            "`{name}` in `{attribute}` is empty or has a comma or an equals sign"
        ));
    }
    Ok(())
}

fn all_labels(
    body: &Container,
    labels: &BTreeMap<String, String>,
    mark: &Mark,
) -> Result<BTreeMap<String, String>, Refused> {
    if let Some(name) = labels.keys().find(|name| name.starts_with("infra.")) {
        return Err(format!(
            "the label `{name}` is kept for infra: choose another name"
        ));
    }
    labels
        .keys()
        .try_for_each(|name| nameable("labels", name))?;
    let set: Vec<String> = set_by_us(body).into_iter().collect();
    let files = body.files.iter().map(|(path, file)| file_label(path, file));
    let own = [
        (mark::SET.to_owned(), set.join(",")),
        (mark::NAME.to_owned(), body.name.clone()),
    ];
    let ours = mark::labels(mark).into_iter().chain(own).chain(files);
    Ok(labels.clone().into_iter().chain(ours).collect())
}

/// A label tells which files are ours; what is in them is read back.
fn file_label(path: &str, file: &UploadedFile) -> (String, String) {
    let form = if file.binary {
        mark::BINARY
    } else {
        mark::TEXT
    };
    (format!("{}{path}", mark::FILE), form.to_owned())
}

/// Which of the attributes that a container has from its image or from the engine's own settings are ours;
/// sorted.
fn set_by_us(body: &Container) -> BTreeSet<String> {
    let health = body.health_check.as_ref();
    let single = [
        ("entrypoint", body.entrypoint.is_some()),
        ("command", body.command.is_some()),
        ("user", body.user.is_some()),
        ("working_dir", body.working_dir.is_some()),
        ("health_check", health.is_some()),
        (
            "health_check.interval_ns",
            health.is_some_and(|h| h.interval_ns.is_some()),
        ),
        (
            "health_check.timeout_ns",
            health.is_some_and(|h| h.timeout_ns.is_some()),
        ),
        (
            "health_check.start_period_ns",
            health.is_some_and(|h| h.start_period_ns.is_some()),
        ),
        (
            "health_check.start_interval_ns",
            health.is_some_and(|h| h.start_interval_ns.is_some()),
        ),
        (
            "health_check.retries",
            health.is_some_and(|h| h.retries.is_some()),
        ),
    ];
    let single = single
        .iter()
        .filter(|(_, set)| *set)
        .map(|(name, _)| (*name).to_owned());
    let named = |attribute: &'static str, names: Vec<&String>| {
        names
            .into_iter()
            .map(move |name| format!("{attribute}.{name}"))
            .collect::<Vec<_>>()
    };
    single
        .chain(named("env", body.env.keys().collect()))
        .chain(named("labels", body.labels.keys().collect()))
        .chain(named("ulimits", body.ulimits.keys().collect()))
        .chain(place::set(&body.networks))
        .chain(security::set(&body.security))
        .chain(confinement::set(&body.confinement))
        .chain(process::set(&body.process, body.log.as_ref()))
        .collect()
}

/// `PART.NAME` of those that are set.
fn named(part: &str, attributes: &[(&str, bool)]) -> Vec<String> {
    let set = attributes.iter().filter(|(_, set)| *set);
    set.map(|(name, _)| format!("{part}.{name}")).collect()
}

/// Nothing is written where there is nothing.
fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn some_map<M: FromIterator<(String, String)>>(map: &BTreeMap<String, String>) -> Option<M> {
    let entries = map
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()));
    (!map.is_empty()).then(|| entries.collect())
}

/// What has no order, in one.
fn sorted(list: impl Iterator<Item = String>) -> Vec<String> {
    let set: BTreeSet<String> = list.collect();
    set.into_iter().collect()
}

#[cfg(test)]
#[path = "container_tests.rs"]
mod tests;
