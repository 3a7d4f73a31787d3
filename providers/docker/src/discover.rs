//! What the engine knows of its host: itself, its networks, and what its containers have taken. Reads only.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use futures_util::future::{TryFutureExt, try_join_all, try_join3};
use infra_api::facts::{Docker, DockerNetwork, HostPort, Offer, Protocol, Used};
use infra_api::{Facts, Failure, IdSet, Remedy};
use serde::Deserialize;

use crate::calls::look::{self, Containers, PublishedPort, Summary};
use crate::calls::network;
use crate::mark;
use crate::seen::{Seen, Sight};
use crate::text::inspect::Inspect;
use crate::text::network::Network;
use crate::trouble::Answer;
use crate::wire::Wire;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Info {
    #[serde(default)]
    name: String,
    #[serde(default)]
    kernel_version: String,
    #[serde(default)]
    server_version: String,
    #[serde(rename = "OSType", default)]
    os_type: String,
    docker_root_dir: Option<String>,
    driver: Option<String>,
    cgroup_driver: Option<String>,
    live_restore_enabled: Option<bool>,
    cgroup_version: Option<String>,
    runtimes: Option<BTreeMap<String, serde::de::IgnoredAny>>,
    security_options: Option<Vec<String>>,
    swap_limit: Option<bool>,
    oom_kill_disable: Option<bool>,
    cpu_cfs_quota: Option<bool>,
    #[serde(rename = "CPUShares")]
    cpu_shares: Option<bool>,
}

pub(crate) async fn discover(
    wire: &Wire,
    seen: &Seen<Sight>,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let doing = format!("asking the Docker Engine of {} about its host", wire.host);
    // The engine takes longer over itself than over all the rest.
    let info = wire.get::<Info>("/info").map_err(|e| e.failure(&doing));
    let containers = containers(wire).map_err(|e| e.failure(&doing));
    let (networks, info, containers) = try_join3(network::all(wire), info, containers).await?;
    if wire.leads_away() && !is_here(&info) {
        return Err(elsewhere(&info, doing));
    }
    facts.versions.docker = Some(info.server_version.clone()).filter(|version| !version.is_empty());
    facts.runtimes.container = Some(offer(&info));
    facts.docker = Some(docker(wire, info, &networks));
    let alive = containers.all.iter().filter_map(|one| {
        let found = containers.whole.get(&one.id)?;
        Some(used(one, found))
    });
    facts.used.extend(alive);
    facts.used.sort_by(|a, b| a.owner.cmp(&b.owner));
    seen.keep(Sight {
        networks,
        containers,
    });
    Ok(())
}

/// Each that runs is looked at.
async fn containers(wire: &Wire) -> Answer<Containers> {
    let all = look::all(wire, "").await?;
    let alive = all
        .iter()
        .filter(|one| matches!(one.state.as_str(), "running" | "paused" | "restarting"));
    let whole = try_join_all(alive.map(|one| look::inspect(wire, &one.id))).await?;
    let whole = whole.into_iter().flatten();
    let whole = whole.map(|found| (found.id.clone(), found)).collect();
    Ok(Containers { all, whole })
}

/// What is planned from this machine's CPUs and memory would be carried out on others.
fn elsewhere(info: &Info, doing: String) -> Failure {
    let cause = format!("it runs on another machine, `{}`", info.name);
    Failure::new(Remedy::Operator, doing, cause)
        .hint("this version of infra manages the machine it runs on: run it there")
}

fn offer(info: &Info) -> Offer {
    Offer::new(match info.os_type.as_str() {
        "linux" => Ok(()),
        other => Err(format!(
            "the engine runs containers of `{other}`, not of Linux"
        )),
    })
}

fn docker(wire: &Wire, info: Info, networks: &[Network]) -> Docker {
    let free_bytes = info
        .docker_root_dir
        .as_deref()
        .filter(|_| is_here(&info))
        .and_then(free);
    let limits = limits(&info);
    Docker {
        api_version: Some(wire.version()),
        root_dir: info.docker_root_dir,
        free_bytes,
        cgroup_driver: info.cgroup_driver,
        storage_driver: info.driver,
        live_restore: info.live_restore_enabled,
        cgroup_version: info.cgroup_version.and_then(|version| version.parse().ok()),
        runtimes: info.runtimes.map(|all| all.into_keys().collect()),
        security: info.security_options.as_deref().map(security),
        limits,
        networks: subnets(networks),
    }
}

/// It writes `name=seccomp,profile=default`; older engines the name alone.
fn security(options: &[String]) -> BTreeSet<String> {
    let name = |option: &String| {
        let first = option.split(',').next().unwrap_or_default();
        first.strip_prefix("name=").unwrap_or(first).to_owned()
    };
    options.iter().map(name).collect()
}

/// Unknown where the engine tells of none.
fn limits(info: &Info) -> Option<BTreeSet<String>> {
    let all = [
        ("cpu_quota", info.cpu_cfs_quota),
        ("cpu_shares", info.cpu_shares),
        ("oom_kill_disable", info.oom_kill_disable),
        ("swap", info.swap_limit),
    ];
    let known = all.iter().any(|(_, can)| can.is_some());
    let can = all.iter().filter(|(_, can)| *can == Some(true));
    known.then(|| can.map(|(name, _)| (*name).to_owned()).collect())
}

/// Whether the engine's host is this one: its socket may be a forwarded one of a remote host that has the
/// same directories.
fn is_here(info: &Info) -> bool {
    let here = rustix::system::uname();
    here.nodename().to_str() == Ok(&info.name)
        && here.release().to_str() == Ok(&info.kernel_version)
}

fn free(path: &str) -> Option<u64> {
    let file_system = rustix::fs::statvfs(path).ok()?;
    file_system.f_bavail.checked_mul(file_system.f_frsize)
}

fn subnets(networks: &[Network]) -> Vec<DockerNetwork> {
    let mut found: Vec<DockerNetwork> = networks
        .iter()
        .map(|one| DockerNetwork {
            name: one.name.clone(),
            project: mark::of(&one.labels).map(|(project, _)| project.to_string()),
            subnets: one.pools().filter_map(|pool| pool.subnet.clone()).collect(),
        })
        .filter(|one| !one.subnets.is_empty())
        .collect();
    found.sort_by(|a, b| (&a.name, &a.subnets).cmp(&(&b.name, &b.subnets)));
    found
}

/// CPUs count as shared: the engine keeps nobody else off them.
fn used(summary: &Summary, found: &Inspect) -> Used {
    let host = &found.host_config;
    let mark = mark::of(&found.own_labels());
    let set = |text: &str| text.parse::<IdSet>().ok().filter(|set| !set.is_empty());
    Used {
        owner: match &mark {
            Some((_, address)) => address.to_string(),
            None => format!("docker:{}", found.plain_name()),
        },
        project: mark.map(|(project, _)| project.to_string()),
        shared_cpus: set(&host.cpuset_cpus).unwrap_or_default(),
        memory_bytes: u64::try_from(host.limits.memory).ok().filter(|n| *n != 0),
        memory_nodes: set(&host.cpuset_mems),
        host_ports: ports(summary.ports.as_deref().unwrap_or_default()),
        ..Used::default()
    }
}

/// As they are bound now, those the engine chose too. It lists IPv4 and IPv6 apart.
fn ports(published: &[PublishedPort]) -> Vec<HostPort> {
    let ports: BTreeSet<HostPort> = published.iter().filter_map(port).collect();
    ports.into_iter().collect()
}

fn port(published: &PublishedPort) -> Option<HostPort> {
    let address: Option<IpAddr> = published.ip.parse().ok();
    Some(HostPort {
        address: address.filter(|address| !address.is_unspecified()),
        port: published.public_port?,
        protocol: match published.protocol.as_str() {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            "sctp" => Protocol::Sctp,
            _ => return None,
        },
    })
}
