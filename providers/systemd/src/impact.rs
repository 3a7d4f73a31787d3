//! What changing an attribute takes. Pure.

use infra_api::Impact;

use crate::{MOUNT, SLICE};

/// What changes while a unit runs, whether it can be taken away in place too, and how. Seen on systemd 257: a reload
/// alone changes nothing of what runs; `set-property` writes all of the unit's control group anew.
const LIVE: &[(&[&str], bool, &str)] = &[
    // Reset to nothing, the control group keeps what it had (systemd issue 43846).
    (&["place", "cpus"], false, "set-property AllowedCPUs"),
    (
        &["place", "memory_nodes"],
        false,
        "set-property AllowedMemoryNodes: the kernel moves its pages",
    ),
    (
        &["limits", "memory_bytes"],
        true,
        "set-property MemoryMax; infinity is none",
    ),
    (
        &["limits", "memory_low_bytes"],
        true,
        "set-property MemoryLow; 0 is none",
    ),
    (
        &["limits", "swap_bytes"],
        true,
        "set-property MemorySwapMax; infinity is none",
    ),
    (
        &["limits", "pids"],
        true,
        "set-property TasksMax; infinity is none",
    ),
    (
        &["limits", "cpu_weight"],
        true,
        "set-property CPUWeight; 100 is everybody's",
    ),
    (
        &["limits", "io_weight"],
        true,
        "set-property IOWeight; 100 is everybody's",
    ),
    (&["state"], true, "start"),
    (&["life", "restart"], true, "read again when it ends"),
    (
        &["life", "restart_delay_s"],
        true,
        "read again when it ends",
    ),
    (
        &["life", "stop_signal"],
        true,
        "read again when it is stopped",
    ),
    (
        &["life", "stop_timeout_s"],
        true,
        "read again when it is stopped",
    ),
    (&["life", "health_check"], true, "asked by us alone"),
];

/// `removed`: it was there and shall be no more.
pub(crate) fn impact(kind: &str, path: &[String], removed: bool) -> Impact {
    match kind {
        // Who is in it goes on.
        SLICE => return Impact::InPlace,
        MOUNT => {
            return match path.first().map(String::as_str) {
                Some("state") => Impact::InPlace,
                _ => Impact::Restart,
            };
        }
        _ => {}
    }
    let is =
        |known: &[&str]| path.len() >= known.len() && known.iter().zip(path).all(|(a, b)| a == b);
    match LIVE.iter().find(|(known, _, _)| is(known)) {
        Some((_, takes_away, _)) if !removed || *takes_away => Impact::InPlace,
        _ => Impact::Restart,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, removed: bool) -> Impact {
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        impact(crate::UNIT, &path, removed)
    }

    #[test]
    fn control_groups_change_in_place_and_processes_do_not() {
        assert_eq!(of("place.cpus", false), Impact::InPlace);
        assert_eq!(of("place.cpus", true), Impact::Restart);
        assert_eq!(of("limits.memory_bytes", true), Impact::InPlace);
        for path in [
            "exec.0",
            "env.A",
            "user",
            "files",
            "limits",
            "place",
            "ulimits.nofile.soft",
            "confinement.open",
        ] {
            assert_eq!(of(path, false), Impact::Restart, "{path}");
        }
    }

    #[test]
    fn a_slice_changes_under_what_runs_and_a_mount_does_not() {
        let of = |kind: &str, path: &str| impact(kind, &[path.to_owned()], false);
        assert_eq!(of(SLICE, "limits"), Impact::InPlace);
        assert_eq!(of(MOUNT, "state"), Impact::InPlace);
        assert_eq!(of(MOUNT, "source"), Impact::Restart);
    }
}
