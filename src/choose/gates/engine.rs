//! The host's Docker Engine and kernel can do what the container asks for. An engine that cannot says 201 and leaves
//! it out.

use infra_api::Runtime;
use infra_api::facts::Docker;
use infra_api::target::{Confinement, Limits, Security};

use super::OfHost;
use crate::declared::{Container, Mounted, Workload};
use crate::inventory::HostInventory;

pub(super) const GATE: OfHost = OfHost {
    name: "engine",
    closed: |workload, runtime, host, _| match runtime {
        Runtime::Container => closed(workload, host),
        Runtime::BareMetal | Runtime::Kvm => None,
    },
};

/// Of the API; that the minor number is compared is all its versions ever needed.
type Version = (u16, u16);

fn closed(workload: &Workload, host: &HostInventory) -> Option<String> {
    let form = workload.container.as_ref()?;
    let docker = host.facts.docker.as_ref()?;
    let why = too_old(workload, form, docker)
        .or_else(|| no_runtime(&form.confinement, docker))
        .or_else(|| no_guard(&form.security, docker))
        .or_else(|| no_limit(&form.limits.limits, docker))?;
    Some(format!("its Docker Engine {why}"))
}

fn too_old(workload: &Workload, form: &Container, docker: &Docker) -> Option<String> {
    let version = docker.api()?;
    let (what, needed) = newer(workload, form)
        .into_iter()
        .find(|(_, needed)| version < *needed)?;
    let api = |(major, minor): Version| format!("{major}.{minor}");
    Some(format!(
        "speaks API {}, and {what} needs {}",
        api(version),
        api(needed)
    ))
}

/// What is asked for that not every engine knows, and from which version on it does.
fn newer(workload: &Workload, form: &Container) -> Vec<(&'static str, Version)> {
    let part = |mounted: &Mounted| match mounted {
        Mounted::Disk(part) => part.subpath.is_some(),
        Mounted::Whole(_) => false,
    };
    let check = form.health_check.as_ref();
    // Before, a container has one MAC of its choice, and that is for the network it is made with.
    let several = workload.interfaces.len() > 1;
    let asked = [
        (
            "`interface { mac }` in several networks",
            (1, 44),
            several && workload.interfaces.iter().any(|i| i.mac.is_some()),
        ),
        (
            "`mount { subpath }`",
            (1, 45),
            form.mounts.values().any(|mount| part(&mount.value)),
        ),
        (
            "`health_check { start_interval }`",
            (1, 44),
            check.is_some_and(|check| check.start_interval_ns.is_some()),
        ),
    ];
    let asked = asked.into_iter().filter(|(_, _, asked)| *asked);
    asked.map(|(what, version, _)| (what, version)).collect()
}

fn no_runtime(confinement: &Confinement, docker: &Docker) -> Option<String> {
    let wanted = confinement.runtime.as_ref()?;
    match &docker.runtimes {
        None => Some(format!(
            "is not known to have the runtime `{wanted}`: its facts name none"
        )),
        Some(there) if there.contains(wanted) => None,
        Some(there) => {
            let there: Vec<&str> = there.iter().map(String::as_str).collect();
            Some(format!(
                "has no runtime `{wanted}`; it has {}",
                there.join(", ")
            ))
        }
    }
}

fn no_guard(security: &Security, docker: &Docker) -> Option<String> {
    let there = docker.security.as_ref()?;
    let named = |profile: &Option<String>| profile.as_deref().is_some_and(|p| p != "unconfined");
    let asked = [
        ("apparmor", named(&security.apparmor)),
        ("seccomp", named(&security.seccomp)),
        (
            "selinux",
            security.selinux.iter().any(|label| label != "disable"),
        ),
    ];
    let missing = |(name, asked): &(&str, bool)| *asked && !there.contains(*name);
    let (name, _) = asked.into_iter().find(missing)?;
    Some(format!("has no {name}, and would leave `{name}` out"))
}

fn no_limit(limits: &Limits, docker: &Docker) -> Option<String> {
    let asked = [
        ("cpu_quota", limits.cpu_quota_us.is_some()),
        ("cpu_shares", limits.cpu_shares.is_some()),
        ("oom_kill_disable", limits.oom_kill_disable),
        ("swap", limits.swap_bytes.is_some()),
    ];
    let only_v1 = [
        ("swappiness", limits.swappiness.is_some()),
        ("oom_kill_disable", limits.oom_kill_disable),
        (
            "cpu_realtime_runtime",
            limits.cpu_realtime_runtime_us.is_some(),
        ),
    ];
    if docker.cgroup_version.is_some_and(|version| version > 1)
        && let Some((name, _)) = only_v1.into_iter().find(|(_, asked)| *asked)
    {
        return Some(format!(
            "uses control groups of version 2, which have no `{name}`"
        ));
    }
    let there = docker.limits.as_ref()?;
    let missing = |(name, asked): &(&str, bool)| *asked && !there.contains(*name);
    let (name, _) = asked.into_iter().find(missing)?;
    Some(format!("cannot set `{name}`: its kernel does not let it"))
}
