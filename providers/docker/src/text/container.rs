//! A container as the engine wants it: [`Container`] → JSON. Pure. The way back is `decode`.

use std::collections::{BTreeMap, BTreeSet};

use bollard::models::{
    ContainerCreateBody, ContainerUpdateBody, EndpointIpamConfig, EndpointSettings, HealthConfig,
    HostConfig, Mount as EngineMount, MountTmpfsOptions, MountType, NetworkingConfig, PortBinding,
    ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};
use infra_api::target::{Container, Endpoint, HealthCheck, Mount, Port, Restart, Ulimit};
use infra_api::{Mark, Text};

use crate::mark;

/// Why a container cannot be written as it is wanted. Names attributes, never a value of `env`.
type Refused = String;

/// It is made with the first network by name; the others are connected before it starts, for an engine
/// before API 1.44 takes only one when it makes a container.
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
        networks,
        restart: _,
        health_check,
        ulimits: _,
        cpus: _,
        memory_nodes: _,
        memory_bytes: _,
        pids: _,
    } = body;
    writable(body)?;
    let first = networks.iter().take(1);
    let first = first.map(|(name, end)| (name.clone(), endpoint(end)));
    Ok(ContainerCreateBody {
        image: Some(image.clone()),
        hostname: Some(hostname.clone()),
        entrypoint: texts("entrypoint", entrypoint.as_deref())?,
        cmd: texts("command", command.as_deref())?,
        env: Some(variables(env)?),
        user: user.clone(),
        working_dir: working_dir.clone(),
        labels: Some(all_labels(body, labels, mark)?.into_iter().collect()),
        // A binding alone publishes nothing (seen on 20.10: `Ports` stays empty).
        exposed_ports: Some(exposed(ports)),
        healthcheck: health_check.as_ref().map(health),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(first.collect()),
        }),
        host_config: Some(host_config(body)?),
        ..ContainerCreateBody::default()
    })
}

fn host_config(body: &Container) -> Result<HostConfig, Refused> {
    let ContainerUpdateBody {
        memory,
        memory_swap,
        cpuset_cpus,
        cpuset_mems,
        pids_limit,
        restart_policy,
        ..
    } = resources(body)?;
    let ulimits = body.ulimits.iter().map(|(name, limit)| ulimit(name, limit));
    let mounts = body.mounts.iter().map(|(path, mount)| mounted(path, mount));
    Ok(HostConfig {
        memory,
        memory_swap,
        cpuset_cpus,
        cpuset_mems,
        pids_limit,
        restart_policy,
        port_bindings: Some(bindings(&body.ports).into_iter().collect()),
        mounts: Some(mounts.collect::<Result<_, _>>()?),
        ulimits: Some(ulimits.collect()),
        network_mode: body.networks.keys().next().cloned(),
        ..HostConfig::default()
    })
}

/// What `POST /containers/ID/update` changes in place, and creating sets alike. What the engine can
/// unset is unset; what it cannot is left alone, and `impact` says so: 0 and "" mean "leave", memory -1
/// is refused, and a cpuset of all CPUs would read back as one that was asked for.
pub(crate) fn resources(body: &Container) -> Result<ContainerUpdateBody, Refused> {
    let memory = body.memory_bytes.map(|n| integer("memory_bytes", n));
    let memory = memory.transpose()?;
    let pids = body.pids.map(|n| integer("pids", n)).transpose()?;
    Ok(ContainerUpdateBody {
        memory,
        // Together: the engine refuses a memory limit above the limit of memory and swap (409).
        memory_swap: memory,
        cpuset_cpus: body.cpus.as_ref().map(ToString::to_string),
        cpuset_mems: body.memory_nodes.as_ref().map(ToString::to_string),
        pids_limit: Some(pids.unwrap_or(-1)),
        restart_policy: Some(restart(body.restart.as_ref())?),
        ..ContainerUpdateBody::default()
    })
}

pub(crate) fn endpoint(endpoint: &Endpoint) -> EndpointSettings {
    let Endpoint { address, aliases } = endpoint;
    EndpointSettings {
        ipam_config: Some(EndpointIpamConfig {
            ipv4_address: Some(address.to_string()),
            ..EndpointIpamConfig::default()
        }),
        aliases: Some(aliases.clone()),
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
            health.is_some_and(|h| h.command.is_empty()),
            "`health_check.command` is empty",
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
    let own = [
        (mark::SET.to_owned(), set.join(",")),
        (mark::NAME.to_owned(), body.name.clone()),
    ];
    let ours = mark::labels(mark).into_iter().chain(own);
    Ok(labels.clone().into_iter().chain(ours).collect())
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
        .collect()
}

fn port_name(port: &Port) -> String {
    format!("{}/{}", port.container, port.protocol)
}

fn exposed(ports: &[Port]) -> Vec<String> {
    let names: BTreeSet<String> = ports.iter().map(port_name).collect();
    names.into_iter().collect()
}

fn bindings(ports: &[Port]) -> BTreeMap<String, Option<Vec<PortBinding>>> {
    let mut map = BTreeMap::new();
    for port in ports {
        let Port {
            host,
            container: _,
            protocol: _,
            host_address,
        } = port;
        let binding = PortBinding {
            host_ip: host_address.clone(),
            host_port: Some(host.to_string()),
        };
        let bound: &mut Option<Vec<_>> = map.entry(port_name(port)).or_default();
        bound.get_or_insert_default().push(binding);
    }
    map
}

/// Only `Mounts`: the older `Binds` silently makes a missing directory of the host.
fn mounted(path: &str, mount: &Mount) -> Result<EngineMount, Refused> {
    let of = |typ, source: &str, read_only| EngineMount {
        target: Some(path.to_owned()),
        source: Some(source.to_owned()),
        typ: Some(typ),
        read_only: Some(read_only),
        ..EngineMount::default()
    };
    Ok(match mount {
        Mount::Volume { source, read_only } => of(MountType::VOLUME, source, *read_only),
        Mount::Bind { source, read_only } => of(MountType::BIND, source, *read_only),
        Mount::Tmpfs { size_bytes } => EngineMount {
            target: Some(path.to_owned()),
            typ: Some(MountType::TMPFS),
            tmpfs_options: size_bytes.map(tmpfs_size).transpose()?,
            ..EngineMount::default()
        },
    })
}

fn tmpfs_size(bytes: u64) -> Result<MountTmpfsOptions, Refused> {
    Ok(MountTmpfsOptions {
        size_bytes: Some(integer("mounts.size_bytes", bytes)?),
        ..MountTmpfsOptions::default()
    })
}

fn restart(wanted: Option<&Restart>) -> Result<RestartPolicy, Refused> {
    let Some(Restart {
        policy,
        max_retries,
    }) = wanted
    else {
        return Ok(RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: None,
        });
    };
    let name = match (policy.as_str(), max_retries) {
        ("always", None) => RestartPolicyNameEnum::ALWAYS,
        ("unless-stopped", None) => RestartPolicyNameEnum::UNLESS_STOPPED,
        ("on-failure", None | Some(1..)) => RestartPolicyNameEnum::ON_FAILURE,
        ("on-failure", Some(0)) => return Err("`restart.max_retries` is 0: leave it out".into()),
        ("always" | "unless-stopped", Some(_)) => {
            return Err("`restart.max_retries` goes with `on-failure` only".into());
        }
        _ => {
            return Err(format!(
                "`restart.policy` is `{policy}`, not `always`, `on-failure` or `unless-stopped`"
            ));
        }
    };
    Ok(RestartPolicy {
        name: Some(name),
        maximum_retry_count: max_retries.map(i64::from),
    })
}

fn health(check: &HealthCheck) -> HealthConfig {
    let HealthCheck {
        command,
        interval_ns,
        timeout_ns,
        start_period_ns,
        retries,
    } = check;
    let span = |ns: Option<u64>| ns.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    let test = std::iter::once("CMD".to_owned()).chain(command.iter().cloned());
    HealthConfig {
        test: Some(test.collect()),
        interval: span(*interval_ns),
        timeout: span(*timeout_ns),
        start_period: span(*start_period_ns),
        retries: retries.map(i64::from),
        ..HealthConfig::default()
    }
}

fn ulimit(name: &str, limit: &Ulimit) -> ResourcesUlimits {
    let Ulimit { soft, hard } = limit;
    ResourcesUlimits {
        name: Some(name.to_owned()),
        soft: Some(*soft),
        hard: Some(*hard),
    }
}

#[cfg(test)]
#[path = "container_tests.rs"]
mod tests;
