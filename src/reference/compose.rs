//! Where each key of a compose service is found here, or why it is not.

use std::fmt::Write;

/// What stands for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An attribute or a block of ours.
    Here(&'static str),
    Left,
}

/// A key, what stands for it, and what is to be known of that.
pub type Row = (&'static str, Answer, &'static str);

const fn here(key: &'static str, path: &'static str, note: &'static str) -> Row {
    (key, Answer::Here(path), note)
}

const fn left(key: &'static str, why: &'static str) -> Row {
    (key, Answer::Left, why)
}

/// The keys of a service, in order.
#[rustfmt::skip]
pub const SERVICE: &[Row] = &[
    left("annotations", "no runtime of the Engine's reads them but through plug-ins; `labels` are for people"),
    left("attach", "infra starts workloads and does not show their output; see the `log` driver"),
    here("blkio_config", "workload.container.limits.block_device", ""),
    left("build", "images are built elsewhere: one that `docker build` made on the host is named by its tag and replaced where it is built anew, `image { archive = … }` takes what `docker save` wrote"),
    here("cap_add", "workload.container.capabilities.add", ""),
    here("cap_drop", "workload.container.capabilities.drop", "`NET_RAW` and `MKNOD` are dropped unless they are added"),
    here("cgroup", "workload.container.cgroupns_mode", ""),
    here("cgroup_parent", "workload.container.cgroup_parent", ""),
    here("command", "workload.container.command", "a list: no shell splits it"),
    here("configs", "workload.container.file", "read back and put right; a change restarts the container"),
    here("container_name", "workload.name", "derived from project and address where it is not written"),
    left("cpu_count", "of Windows containers"),
    left("cpu_percent", "of Windows containers"),
    here("cpu_period", "workload.container.limits.cpu_period", ""),
    here("cpu_quota", "workload.container.limits.cpu_quota", ""),
    here("cpu_rt_period", "workload.container.limits.cpu_realtime_period", ""),
    here("cpu_rt_runtime", "workload.container.limits.cpu_realtime_runtime", ""),
    here("cpu_shares", "workload.container.limits.cpu_shares", ""),
    here("cpus", "workload.container.limits.cpu_quota", "half a CPU is `50ms`; `workload.cpus.count` says which CPUs, not how long on them. The Engine refuses to change the one into the other"),
    here("cpuset", "workload.cpus.set", "or `count`: then they are chosen"),
    left("credential_spec", "of Windows containers"),
    here("depends_on", "workload", "an argument of every workload: it waits for the health check of what it names, or until that runs. `service_completed_successfully` is left out: what ends by itself is started again by the next apply, as `up` does"),
    here("deploy", "workload", "`count` and `for_each` for replicas, `update` for rolling changes, `memory` and `limits` for resources; placement is infra's own"),
    left("develop", "watching sources is no matter of what runs"),
    here("device_cgroup_rules", "workload.container.device_rules", ""),
    here("devices", "workload.container.device", ""),
    here("dns", "workload.container.dns.servers", ""),
    here("dns_opt", "workload.container.dns.options", ""),
    here("dns_search", "workload.container.dns.search", ""),
    here("domainname", "workload.container.domainname", ""),
    here("entrypoint", "workload.container.entrypoint", "a list: no shell splits it"),
    here("env_file", "workload.container.env", "`envdecode(file(\"app.env\"))`; within `sensitive(…)` it is kept as digests"),
    here("environment", "workload.container.env", ""),
    left("expose", "tells others nothing that a shared network does not"),
    left("extends", "modules, locals and `for_each` do it"),
    left("external_links", "names within a shared network do it"),
    here("extra_hosts", "workload.container.extra_hosts", "one address a name"),
    here("gpus", "workload.container.device_request", ""),
    here("group_add", "workload.container.groups", ""),
    here("healthcheck", "workload.container.health_check", ""),
    here("hostname", "workload.container.hostname", ""),
    here("image", "workload.container.image", "a tag is pinned to its digest while planning; where it has moved, the plan replaces the container"),
    here("init", "workload.container.init", ""),
    here("ipc", "workload.container.ipc_mode", "not `container:` or `service:`: who is made anew takes the other's namespace with him"),
    left("isolation", "of Windows containers"),
    here("label_file", "workload.container.labels", "`envdecode(file(…))`"),
    here("labels", "workload.container.labels", ""),
    left("links", "names within a shared network do it"),
    here("logging", "workload.container.log", ""),
    here("mac_address", "workload.interface.mac", "in several networks from API 1.44 on; a container that has one is made anew for another"),
    here("mem_limit", "workload.memory.size", ""),
    here("mem_reservation", "workload.container.limits.memory_reservation", ""),
    here("mem_swappiness", "workload.container.limits.swappiness", ""),
    here("memswap_limit", "workload.container.limits.swap", "what comes on top of the memory, not the sum; unlimited swap cannot be changed in place and is not offered"),
    left("models", "of a plug-in"),
    here("network_mode", "workload.container.network_mode", "`host` and `none`; not `container:` or `service:`"),
    here("networks", "workload.interface", "`aliases`, `address`, `address6`; link-local addresses and priorities are left to the Engine"),
    here("oom_kill_disable", "workload.container.limits.oom_kill_disable", ""),
    here("oom_score_adj", "workload.container.limits.oom_score_adj", ""),
    here("pid", "workload.container.pid_mode", "not `container:` or `service:`"),
    here("pids_limit", "workload.container.pids", ""),
    here("platform", "image.platform", "one a reference and host"),
    here("ports", "workload.container.port", "a range is `count`; the host's port is always written: a plan has no holes"),
    left("post_start", "what is run in a container after its start leaves no trace that could be compared"),
    left("pre_stop", "what is run in a container before its end leaves no trace that could be compared"),
    here("privileged", "workload.container.privileged", ""),
    left("profiles", "`count = var.debug ? 1 : 0`, or `--target`"),
    left("provider", "of a plug-in"),
    here("pull_policy", "image.pull", "who says what a tag stands for; what is pulled is always the digest that was planned, where it is not there. `build`: an image that was built on the host is taken as it is"),
    left("pull_refresh_after", "each plan asks the registry what a tag stands for; `image.pull` says otherwise"),
    here("read_only", "workload.container.read_only", ""),
    here("restart", "workload.container.restart", ""),
    here("runtime", "workload.container.runtime", ""),
    here("scale", "workload", "`count`"),
    here("secrets", "workload.container.file", "a sensitive `content`; kept as a digest"),
    here("security_opt", "workload.container.seccomp", "`apparmor`, `selinux`, `privilege_escalation`; `systempaths=unconfined` only with `privileged`"),
    here("shm_size", "workload.container.shm_size", ""),
    here("stdin_open", "workload.container.stdin", ""),
    here("stop_grace_period", "workload.container.stop_timeout", ""),
    here("stop_signal", "workload.container.stop_signal", ""),
    here("storage_opt", "workload.container.storage_options", ""),
    here("sysctls", "workload.container.sysctls", ""),
    here("tmpfs", "workload.container.mount", "without `source` and `disk`"),
    here("tty", "workload.container.tty", ""),
    here("ulimits", "workload.container.ulimit", ""),
    here("use_api_socket", "workload.container.mount", "of `/var/run/docker.sock`: whoever has it has the host"),
    here("user", "workload.container.user", ""),
    here("userns_mode", "workload.container.userns_mode", ""),
    here("uts", "workload.container.uts_mode", ""),
    here("volumes", "workload.disk.mount", "and `workload.container.mount` for paths of the host, parts of disks and memory"),
    left("volumes_from", "two workloads name one `volume`"),
    here("working_dir", "workload.container.working_dir", ""),
];

const HEAD: &str = "\
# Coming from compose

Made from the program's own tables; a test holds that every key of a compose service is in it, and that what it names is
there. What is usual there and not here: a container has no `NET_RAW` and no `MKNOD`, its programs get no more rights than
the one that starts them (`privilege_escalation`), and nothing of the host is shared unless it is written.

| key of a service | here | |
|---|---|---|
";

const TAIL: &str = "
Of the keys of a network, `ipam.config` is `network.subnet`, `subnet6` and their gateways, one of each family. The Engine
refuses a second one on a bridge (`bridge driver doesn't support multiple subnets`); for macvlan and ipvlan infra has one
as well, and two networks stand for two subnets. `ip_range` and `aux_addresses` are left out: addresses are planned, and what they would keep free is
free where no `address` names it.
";

/// The table.
#[must_use]
pub fn compose() -> String {
    let mut text = HEAD.to_owned();
    for (key, answer, note) in SERVICE {
        let place = match answer {
            Answer::Here(path) => format!("`{path}`"),
            Answer::Left => "left out".to_owned(),
        };
        let _ = writeln!(text, "| `{key}` | {place} | {note} |");
    }
    text.push_str(TAIL);
    text
}
