//! The words of a container's form, and where each stands in its body.

use super::Part::Container;
use super::{Word, map, word};

pub(super) const WORDS: &[Word] = &[
    word(
        "container",
        &[
            (Container, "command"),
            (Container, "confinement"),
            (Container, "devices"),
            (Container, "entrypoint"),
            (Container, "env"),
            (Container, "files"),
            (Container, "health_check"),
            (Container, "hostname"),
            (Container, "image"),
            (Container, "labels"),
            (Container, "limits"),
            (Container, "log"),
            (Container, "mounts"),
            (Container, "naming"),
            (Container, "pids"),
            (Container, "ports"),
            (Container, "process"),
            (Container, "restart"),
            (Container, "security"),
            (Container, "ulimits"),
            (Container, "user"),
            (Container, "working_dir"),
        ],
    ),
    word("container.apparmor", &[(Container, "security.apparmor")]),
    word(
        "container.capabilities",
        &[(Container, "security.add"), (Container, "security.drop")],
    ),
    word(
        "container.cgroup_parent",
        &[(Container, "confinement.cgroup_parent")],
    ),
    word(
        "container.cgroupns_mode",
        &[(Container, "confinement.cgroupns")],
    ),
    word("container.command", &[(Container, "command")]),
    map("container.device", &[(Container, "devices.mapped")]),
    word(
        "container.device_request",
        &[(Container, "devices.requests")],
    ),
    word("container.device_rules", &[(Container, "devices.rules")]),
    word(
        "container.dns",
        &[
            (Container, "naming.options"),
            (Container, "naming.search"),
            (Container, "naming.servers"),
        ],
    ),
    word("container.domainname", &[(Container, "naming.domainname")]),
    word("container.entrypoint", &[(Container, "entrypoint")]),
    map("container.env", &[(Container, "env")]),
    map("container.extra_hosts", &[(Container, "naming.hosts")]),
    map("container.file", &[(Container, "files")]),
    word("container.groups", &[(Container, "process.groups")]),
    word("container.health_check", &[(Container, "health_check")]),
    word("container.hostname", &[(Container, "hostname")]),
    word("container.image", &[(Container, "image")]),
    word("container.init", &[(Container, "process.init")]),
    word("container.ipc_mode", &[(Container, "confinement.ipc")]),
    map("container.labels", &[(Container, "labels")]),
    word("container.limits", &[(Container, "limits")]),
    map(
        "container.limits.block_device",
        &[(Container, "limits.block_devices")],
    ),
    word(
        "container.limits.blkio_weight",
        &[(Container, "limits.blkio_weight")],
    ),
    word(
        "container.limits.cpu_period",
        &[(Container, "limits.cpu_period_us")],
    ),
    word(
        "container.limits.cpu_quota",
        &[(Container, "limits.cpu_quota_us")],
    ),
    word(
        "container.limits.cpu_realtime_period",
        &[(Container, "limits.cpu_realtime_period_us")],
    ),
    word(
        "container.limits.cpu_realtime_runtime",
        &[(Container, "limits.cpu_realtime_runtime_us")],
    ),
    word(
        "container.limits.cpu_shares",
        &[(Container, "limits.cpu_shares")],
    ),
    word(
        "container.limits.memory_reservation",
        &[(Container, "limits.memory_reservation_bytes")],
    ),
    word(
        "container.limits.oom_kill_disable",
        &[(Container, "limits.oom_kill_disable")],
    ),
    word(
        "container.limits.oom_score_adj",
        &[(Container, "limits.oom_score_adj")],
    ),
    word("container.limits.swap", &[(Container, "limits.swap_bytes")]),
    word(
        "container.limits.swappiness",
        &[(Container, "limits.swappiness")],
    ),
    word("container.log", &[(Container, "log")]),
    map("container.mount", &[(Container, "mounts")]),
    word(
        "container.network_mode",
        &[(Container, "confinement.network")],
    ),
    word("container.pid_mode", &[(Container, "confinement.pid")]),
    word("container.pids", &[(Container, "pids")]),
    word("container.port", &[(Container, "ports")]),
    word(
        "container.privilege_escalation",
        &[(Container, "security.no_new_privileges")],
    ),
    word(
        "container.privileged",
        &[(Container, "security.privileged")],
    ),
    word("container.read_only", &[(Container, "security.read_only")]),
    word("container.restart", &[(Container, "restart")]),
    word(
        "container.restart_retries",
        &[(Container, "restart.max_retries")],
    ),
    word("container.runtime", &[(Container, "confinement.runtime")]),
    word("container.seccomp", &[(Container, "security.seccomp")]),
    word("container.selinux", &[(Container, "security.selinux")]),
    word(
        "container.shm_size",
        &[(Container, "confinement.shm_bytes")],
    ),
    word("container.stdin", &[(Container, "process.stdin")]),
    word(
        "container.stop_signal",
        &[(Container, "process.stop_signal")],
    ),
    word(
        "container.stop_timeout",
        &[(Container, "process.stop_timeout_s")],
    ),
    map(
        "container.storage_options",
        &[(Container, "confinement.storage")],
    ),
    map("container.sysctls", &[(Container, "confinement.sysctls")]),
    word("container.tty", &[(Container, "process.tty")]),
    map("container.ulimit", &[(Container, "ulimits")]),
    word("container.user", &[(Container, "user")]),
    word(
        "container.userns_mode",
        &[(Container, "confinement.userns")],
    ),
    word("container.uts_mode", &[(Container, "confinement.uts")]),
    word("container.working_dir", &[(Container, "working_dir")]),
];
