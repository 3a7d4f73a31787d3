//! What changing an attribute takes. Measured on Docker 20.10.24 (API 1.41); the calls and their fields are the same
//! in API 1.53. Pure.

use infra_api::{Edit, Impact};
use serde_json::Value;

use crate::kind::CONTAINER;

/// What changes while a container runs: the attribute, whether it can be taken away in place too, and how.
const LIVE: &[(&str, bool, &str)] = &[
    // To write all CPUs is not to write none: it would read back as asked for, and the engine has no word for none ("" is "leave").
    (
        "cpus",
        false,
        "update CpusetCpus: cpuset.cpus changes, the process stays",
    ),
    (
        "memory_nodes",
        false,
        "update CpusetMems; pages that are allocated stay where they are",
    ),
    // 0 is "leave", -1 is refused (400).
    (
        "memory_bytes",
        false,
        "update Memory and MemorySwap together; 500 below what is in use",
    ),
    ("pids", true, "update PidsLimit; -1 is no limit"),
    ("restart", true, "update RestartPolicy; `no` is none"),
    ("state", true, "start, unpause"),
    (
        "networks",
        true,
        "connect, disconnect; a new address is both",
    ),
    // 0 is "leave", and 1024 would read back as asked for.
    ("limits.cpu_shares", false, "update CpuShares"),
    ("limits.cpu_quota_us", true, "update CpuQuota; -1 is none"),
    (
        "limits.cpu_period_us",
        true,
        "update CpuPeriod with CpuQuota; 100 ms is the kernel's own",
    ),
    (
        "limits.memory_reservation_bytes",
        true,
        "update MemoryReservation; -1 is none",
    ),
    (
        "limits.swap_bytes",
        true,
        "update MemorySwap, which counts memory too: that much is none",
    ),
    // 0 is "leave".
    ("limits.blkio_weight", false, "update BlkioWeight"),
];

/// What takes a stop and a start of the same container: parts of a file. Which files there are stands in its labels,
/// and those are fixed.
const RESTARTED: [&str; 4] = ["content", "mode", "uid", "gid"];

/// Whatever is neither [`LIVE`] nor [`RESTARTED`] is fixed when the object is made: the engine answers 200 to an
/// update of it and changes nothing. Of networks, volumes and images nothing can be changed.
pub(crate) fn impact(kind: &str, path: &[String], removed: bool) -> Impact {
    if kind != CONTAINER {
        return Impact::Replace;
    }
    if let [files, _, part, ..] = path
        && files == "files"
        && RESTARTED.contains(&part.as_str())
    {
        return Impact::Restart;
    }
    let of = |name: &str| {
        let parts: Vec<&str> = name.split('.').collect();
        path.iter().map(String::as_str).take(parts.len()).eq(parts)
    };
    match LIVE.iter().find(|(name, _, _)| of(name)) {
        // Of a list or map what is left after one of its parts is removed is still there.
        Some((name, removable, _))
            if *removable || !removed || path.len() > name.split('.').count() =>
        {
            Impact::InPlace
        }
        _ => Impact::Replace,
    }
}

/// The same, where the bodies tell more: a MAC of its own is given when the container is made, and a label says so. An endpoint
/// that is connected anew has another.
pub(crate) fn impact_of(kind: &str, edit: &Edit<'_>) -> Impact {
    let networks = |body: &Value| match (edit.path, body.get("networks")) {
        ([_, name, ..], Some(all)) => all.get(name).into_iter().cloned().collect(),
        ([_], Some(Value::Object(all))) => all.values().cloned().collect(),
        _ => Vec::new(),
    };
    let within = edit.path.first().is_some_and(|first| first == "networks");
    let leaves = edit.removed && edit.path.len() < 3;
    let ends: [Vec<Value>; 2] = [edit.before, edit.after].map(networks);
    let has_mac = ends.iter().flatten().any(|end| end.get("mac").is_some());
    match kind == CONTAINER && within && has_mac && !leaves {
        true => Impact::Replace,
        false => impact(kind, edit.path, edit.removed),
    }
}
