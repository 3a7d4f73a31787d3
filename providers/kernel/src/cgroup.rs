//! Control groups: which version, and which CPUs and nodes they leave to the reader.
//!
//! Only a cpuset is a limit. A task's affinity is not: it may ask for any CPU its cpuset has, and
//! those CPUs that are isolated for dedicated work are just the ones no task starts out with.

use infra_api::IdSet;
use infra_api::facts::{Cgroup, CgroupVersion};

use crate::mounts::Mount;
use crate::reader::Reader;

/// What the cpuset of the reader allows. None is unknown.
#[derive(Default)]
pub(crate) struct Limits {
    pub(crate) cpus: Option<IdSet>,
    pub(crate) nodes: Option<IdSet>,
}

pub(crate) fn read(reader: &Reader<'_>, mounts: &[Mount]) -> Option<Cgroup> {
    let v1 = v1_controllers(mounts);
    let v2 = unified(mounts);
    let version = match (v1.is_empty(), v2) {
        (true, Some(_)) => CgroupVersion::V2,
        (false, Some(_)) => CgroupVersion::Hybrid,
        (false, None) => CgroupVersion::V1,
        (true, None) => return None,
    };
    let mut controllers = v1;
    controllers.extend(
        v2.into_iter()
            .flat_map(|mount| v2_controllers(reader, mount)),
    );
    controllers.sort();
    controllers.dedup();
    Some(Cgroup {
        version,
        path: own_path(reader, if v2.is_some() { "" } else { "cpuset" }),
        controllers,
    })
}

fn unified(mounts: &[Mount]) -> Option<&Mount> {
    mounts.iter().find(|mount| mount.kind == "cgroup2")
}

/// Options of a version 1 mount that name controllers. Others are flags, or have a value.
const CONTROLLERS: [&str; 14] = [
    "blkio",
    "cpu",
    "cpuacct",
    "cpuset",
    "devices",
    "freezer",
    "hugetlb",
    "memory",
    "misc",
    "net_cls",
    "net_prio",
    "perf_event",
    "pids",
    "rdma",
];

fn v1_controllers(mounts: &[Mount]) -> Vec<String> {
    let v1 = mounts
        .iter()
        .filter(|mount| mount.kind == "cgroup" || mount.kind == "cpuset");
    let names = v1.flat_map(|mount| mount.options().chain([mount.kind.as_str()]));
    let names = names.filter(|name| CONTROLLERS.contains(name));
    names.map(str::to_owned).collect()
}

fn v2_controllers(reader: &Reader<'_>, mount: &Mount) -> Vec<String> {
    let path = format!("{}/cgroup.controllers", relative(&mount.path));
    let text = reader.text(&path).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

/// The group of the reader in the hierarchy of a controller (the empty name is version 2's).
fn own_path(reader: &Reader<'_>, controller: &str) -> Option<String> {
    let text = reader.text("proc/self/cgroup");
    let listed = text.iter().flat_map(|text| text.lines()).find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let ours = controllers.split(',').any(|name| name == controller);
        ours.then(|| path.to_owned())
    });
    // Older, and of the cpuset only, whichever version that is on.
    listed.or_else(|| reader.line("proc/self/cpuset"))
}

pub(crate) fn limits(reader: &Reader<'_>, mounts: &[Mount]) -> Limits {
    let v1 = mounts
        .iter()
        .find(|mount| mount.kind == "cpuset" || mount.kind == "cgroup" && mount.has("cpuset"));
    match (v1, unified(mounts)) {
        (Some(mount), _) => v1_limits(reader, mount),
        (None, Some(mount)) => v2_limits(reader, mount),
        (None, None) => Limits::default(),
    }
}

/// In version 1 a group's CPUs always lie within its parent's, so `cpus` is the limit. The later
/// `effective_cpus` follows hotplug and is not set right on every kernel.
fn v1_limits(reader: &Reader<'_>, mount: &Mount) -> Limits {
    let noprefix = mount.kind == "cpuset" || mount.has("noprefix");
    let prefix = if noprefix { "" } else { "cpuset." };
    let nearest = |name: &str| nearest(reader, mount, "cpuset", &format!("{prefix}{name}"));
    Limits {
        cpus: nearest("cpus"),
        nodes: nearest("mems"),
    }
}

fn v2_limits(reader: &Reader<'_>, mount: &Mount) -> Limits {
    let nearest = |name: &str| nearest(reader, mount, "", name);
    Limits {
        cpus: nearest("cpuset.cpus.effective"),
        nodes: nearest("cpuset.mems.effective"),
    }
}

/// What a file says in the reader's group, or in the nearest group above it that has the file:
/// where a group has no cpuset of its own, that of its parent holds. In a container the path may
/// be one of the host's, of which only the top is seen here.
fn nearest(reader: &Reader<'_>, mount: &Mount, controller: &str, file: &str) -> Option<IdSet> {
    let own = own_path(reader, controller).unwrap_or_default();
    let mut group: Vec<&str> = own.split('/').filter(|step| !step.is_empty()).collect();
    loop {
        let directory = [&[relative(&mount.path)], group.as_slice()]
            .concat()
            .join("/");
        let set = reader.list(&format!("{directory}/{file}"));
        let found = set.filter(|set| !set.is_empty());
        if found.is_some() || group.pop().is_none() {
            return found;
        }
    }
}

fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}
