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

/// The same, where the bodies tell more: that a MAC was asked for stands in a label, which is fixed.
pub(crate) fn impact_of(kind: &str, edit: &Edit<'_>) -> Impact {
    let [networks, within @ ..] = edit.path else {
        return Impact::Replace;
    };
    let has_mac = |end: &Value| end.get("mac").is_some();
    let wanted = edit.after.get(networks).filter(|_| !edit.removed);
    let gains = match within {
        [] => wanted
            .and_then(Value::as_object)
            .is_some_and(|all| all.values().any(has_mac)),
        [name] => wanted.and_then(|all| all.get(name)).is_some_and(has_mac),
        [_, part, ..] => part == "mac",
    };
    match kind == CONTAINER && networks == "networks" && gains {
        true => Impact::Replace,
        false => impact(kind, edit.path, edit.removed),
    }
}
