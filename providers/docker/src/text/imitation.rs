//! An engine's answer to an inspect, imitated from what 20.10 says, and containers of any shape: for tests
//! of `container` and `decode`.

use infra_api::target::{
    BlockDevice, Confinement, Container, Device, DeviceRequest, Devices, Endpoint, HealthCheck,
    Limits, Log, Mount, Naming, Port, Probe, Process, Restart, Security, Ulimit,
};
use infra_api::{Address, Mark, Project, Text};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::tests::container;
use crate::text::container::{encode, endpoint};
use crate::text::inspect::{Config, Inspect, Origin};

pub(crate) const IMAGE_ID: &str = "sha256:11";

pub(crate) fn mark() -> Mark {
    Mark {
        project: Project::new("demo"),
        address: Address::new("workload.a"),
    }
}

/// What the engine mixes into a container from its image.
pub(crate) fn image() -> Value {
    json!({
        "User": "9", "WorkingDir": "/image", "Env": ["PATH=/bin", "A=image"], "Cmd": ["image"],
        "Entrypoint": ["/image"], "Labels": {"maker": "them"}, "StopSignal": "SIGQUIT",
        "Healthcheck": {"Test": ["CMD-SHELL", "x"], "Interval": 5, "Timeout": 6, "Retries": 7},
    })
}

/// Docker's own rules (`merge` in moby's daemon/commit.go), for what this crate writes.
fn merged(request: &Value, image: &Value) -> Value {
    let mut config = request.clone();
    let asked = |field: &str| !request[field].is_null();
    if !asked("Entrypoint") {
        config["Entrypoint"] = image["Entrypoint"].clone();
        if !asked("Cmd") {
            config["Cmd"] = image["Cmd"].clone();
        }
    }
    for field in ["User", "WorkingDir"] {
        if !asked(field) {
            config[field] = if image[field].is_null() {
                json!("")
            } else {
                image[field].clone()
            };
        }
    }
    let name = |line: &Value| line.as_str().unwrap().split('=').next().unwrap().to_owned();
    let mut env = request["Env"].as_array().unwrap().clone();
    for line in image["Env"].as_array().into_iter().flatten() {
        if env.iter().all(|own| name(own) != name(line)) {
            env.push(line.clone());
        }
    }
    config["Env"] = json!(env);
    for (key, value) in image["Labels"].as_object().into_iter().flatten() {
        config["Labels"]
            .as_object_mut()
            .unwrap()
            .entry(key)
            .or_insert(value.clone());
    }
    let health = &image["Healthcheck"];
    if !asked("StopSignal") {
        config["StopSignal"] = image["StopSignal"].clone();
    }
    for field in ["Test", "Interval", "Timeout", "StartPeriod", "Retries"] {
        if config["Healthcheck"][field].is_null() && !health[field].is_null() {
            config["Healthcheck"][field] = health[field].clone();
        }
    }
    config
}

/// The answer to an inspect of a running container made so, on an image with this configuration.
pub(crate) fn answer(body: &Container, image: &Value) -> Inspect {
    serde_json::from_value(inspected(body, image)).unwrap()
}

/// The same as its JSON.
pub(crate) fn inspected(body: &Container, image: &Value) -> Value {
    let request = serde_json::to_value(encode(body, &mark()).unwrap()).unwrap();
    let id = "0123456789ab".repeat(5);
    let networks: serde_json::Map<String, Value> = body
        .networks
        .iter()
        .map(|(name, end)| {
            let mut settings = serde_json::to_value(endpoint(end)).unwrap();
            settings["IPAddress"] = settings["IPAMConfig"]["IPv4Address"]
                .as_str()
                .unwrap_or_default()
                .into();
            let ipv6 = settings["IPAMConfig"]["IPv6Address"].clone();
            settings["GlobalIPv6Address"] = json!(ipv6.as_str().unwrap_or_default());
            // The engine's own choice, where nobody asked for one.
            if settings["MacAddress"].is_null() {
                settings["MacAddress"] = json!("02:42:0a:00:00:01");
            }
            settings["Aliases"]
                .as_array_mut()
                .unwrap()
                .extend([json!(&id[..12]), json!(body.hostname)]);
            (name.clone(), settings)
        })
        .collect();
    let networks = if networks.is_empty() {
        json!({"bridge": {"IPAMConfig": null, "Aliases": null, "IPAddress": "172.17.0.2"}})
    } else {
        json!(networks)
    };
    let mut host = request["HostConfig"].clone();
    if let Some(options) = host["LogConfig"]["Config"].as_object_mut() {
        options.insert("zzzzzzz".into(), json!("of the engine's configuration"));
    }
    let defaults = json!({
        "CpusetCpus": "", "CpusetMems": "", "Memory": 0, "ShmSize": 67_108_864, "Runtime": "runc",
        "CgroupnsMode": "host", "LogConfig": {"Type": "json-file", "Config": {}}, "MemorySwap": 0,
        "OomKillDisable": false, "MemorySwappiness": null, "BlkioWeightDevice": [], "Dns": [], "CapAdd": null,
        "SecurityOpt": null, "NetworkMode": "default", "UTSMode": "", "PidMode": "", "StorageOpt": null,
        "Devices": [], "DeviceRequests": null, "Privileged": false, "ReadonlyRootfs": false, "Init": null,
    });
    for (key, value) in defaults.as_object().unwrap() {
        if host[key].is_null() {
            host[key] = value.clone();
        }
    }
    let shares = host["PidMode"] == "host" || host["IpcMode"] == "host";
    if shares && body.security.selinux.is_empty() {
        let mut options = host["SecurityOpt"].as_array().cloned().unwrap_or_default();
        options.push(json!("label=disable"));
        host["SecurityOpt"] = json!(options);
    }
    // Of the engine's own configuration.
    let theirs = json!({"Name": "zzzzzzz", "Soft": 1, "Hard": 1});
    host["Ulimits"].as_array_mut().unwrap().push(theirs);
    json!({
        "Id": id, "Created": "2026-11-23T01:00:00Z", "Name": format!("/{}", body.name), "Image": IMAGE_ID,
        "State": {"Status": "running", "Pid": 1, "ExitCode": 0, "Error": ""},
        "Config": merged(&request, image), "HostConfig": host, "NetworkSettings": {"Networks": networks},
    })
}

pub(crate) fn origin(image: &Value) -> Origin {
    let config: Config = serde_json::from_value(image.clone()).unwrap();
    Origin {
        now: Some(IMAGE_ID.into()),
        config: Some(config),
        pinned: None,
    }
}

fn word() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9/_.-]{1,6}"
}

fn words() -> impl Strategy<Value = Option<Vec<Text>>> {
    option::of(vec(word().prop_map(Text::from), 1..3))
}

fn ids() -> impl Strategy<Value = Option<infra_api::IdSet>> {
    option::of(vec(0u32..80, 1..9).prop_map(|ids| ids.into_iter().collect()))
}

prop_compose! {
    fn process()(
        entrypoint in words(),
        command in words(),
        env in btree_map("[A-Z]{1,2}", "[ -~]{0,8}".prop_map(Text::from), 0..4),
        user in option::of(word()),
        working_dir in option::of(word()),
        labels in btree_map("[a-z]{1,6}", "[ -~]{0,8}", 0..3),
        health_check in option::of(health_check()),
        (process, log, naming) in (first_process(), option::of(log()), naming()),
    ) -> Container {
        let body = Container { entrypoint, command, env, user, working_dir, ..container() };
        Container { labels, health_check, process, log, naming, ..body }
    }
}

prop_compose! {
    fn health_check()(
        probe in prop_oneof![
            vec(word(), 1..3).prop_map(Probe::Command),
            word().prop_map(Probe::Shell),
            Just(Probe::None),
        ],
        interval_ns in option::of(1u64..9),
        timeout_ns in option::of(1u64..9),
        start_period_ns in option::of(1u64..9),
        start_interval_ns in option::of(1u64..9),
        retries in option::of(1u32..9),
    ) -> HealthCheck {
        HealthCheck { probe, interval_ns, timeout_ns, start_period_ns, start_interval_ns, retries }
    }
}

fn words_of(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<String>> {
    btree_set("[A-Z]{2,5}", count).prop_map(|set| set.into_iter().collect())
}

fn map() -> impl Strategy<Value = std::collections::BTreeMap<String, String>> {
    btree_map("[a-z]{2,5}", word(), 0..3)
}

prop_compose! {
    fn first_process()(
        groups in words_of(0..3),
        init in option::of(any::<bool>()),
        tty: bool,
        stdin: bool,
        stop_signal in option::of(word()),
        stop_timeout_s in option::of(0u32..99),
    ) -> Process {
        Process { groups, init, tty, stdin, stop_signal, stop_timeout_s }
    }
}

prop_compose! {
    fn log()(driver in word(), options in map()) -> Log {
        Log { driver, options }
    }
}

prop_compose! {
    fn naming()(
        domainname in option::of(word()),
        servers in vec(word(), 0..3),
        search in vec(word(), 0..3),
        options in vec(word(), 0..3),
        hosts in map(),
    ) -> Naming {
        Naming { domainname, servers, search, options, hosts }
    }
}

prop_compose! {
    fn security()(
        drop in words_of(0..3),
        add in words_of(0..3),
        no_new_privileges: bool,
        privileged: bool,
        seccomp in option::of(Just("{\"a\":\"b:c=d\"}".to_owned())),
        apparmor in option::of(word()),
        selinux in words_of(0..3),
        read_only: bool,
    ) -> Security {
        Security { drop, add, no_new_privileges, privileged, seccomp, apparmor, selinux, read_only }
    }
}

prop_compose! {
    fn confinement()(
        runtime in option::of(word()),
        network in option::of("host|none"),
        ipc in option::of("host|none|shareable"),
        (pid, uts, userns) in (option::of(Just("host".to_owned())), option::of(Just("host".to_owned())), option::of(Just("host".to_owned()))),
        cgroupns in option::of("host|private"),
        cgroup_parent in option::of(word()),
        (sysctls, storage) in (map(), map()),
        shm_bytes in option::of(1u64..1 << 40),
    ) -> Confinement {
        let kept = Confinement { runtime, network, ipc, pid, uts, userns, ..Confinement::default() };
        Confinement { cgroupns, cgroup_parent, sysctls, shm_bytes, storage, ..kept }
    }
}

prop_compose! {
    fn device_request()(
        driver in option::of(word()),
        (count, ids) in prop_oneof![
            (option::of(1i64..9), Just(Vec::new())),
            (Just(None), words_of(1..3)),
        ],
        capabilities in words_of(0..3),
        options in map(),
    ) -> DeviceRequest {
        DeviceRequest { driver, count, ids, capabilities, options }
    }
}

prop_compose! {
    fn devices()(
        mapped in btree_map("/[a-z]{1,4}", (word(), "r|w|m|rw|rm|wm|rwm"), 0..3),
        requests in vec(device_request(), 0..3),
        rules in words_of(0..3),
    ) -> Devices {
        let device = |(path, (source, permissions))| (path, Device { source, permissions });
        Devices { mapped: mapped.into_iter().map(device).collect(), requests, rules }
    }
}

prop_compose! {
    fn block_device()(
        weight in 10u16..1000,
        read_bps in option::of(1u64..9),
        write_bps in option::of(1u64..9),
        read_iops in option::of(1u64..9),
        write_iops in option::of(1u64..9),
    ) -> BlockDevice {
        BlockDevice { weight: Some(weight), read_bps, write_bps, read_iops, write_iops }
    }
}

prop_compose! {
    fn limits()(
        cpu_shares in option::of(2u64..9000),
        quota in option::of((1000u64..9000, option::of(1000u64..9000))),
        realtime in option::of((1u64..9, 9u64..99)),
        memory_reservation_bytes in option::of(1u64..1 << 50),
        swap_bytes in option::of(1u64..1 << 50),
        swappiness in option::of(0u8..=100),
        oom_score_adj in option::of(1i16..1000),
        oom_kill_disable: bool,
        blkio_weight in option::of(10u16..1000),
        block_devices in btree_map("/[a-z]{1,4}", block_device(), 0..3),
    ) -> Limits {
        Limits {
            cpu_shares,
            cpu_quota_us: quota.map(|(quota, _)| quota),
            cpu_period_us: quota.and_then(|(_, period)| period),
            cpu_realtime_runtime_us: realtime.map(|(runtime, _)| runtime),
            cpu_realtime_period_us: realtime.map(|(_, period)| period),
            memory_reservation_bytes,
            swap_bytes,
            swappiness,
            oom_score_adj,
            oom_kill_disable,
            blkio_weight,
            block_devices,
        }
    }
}

prop_compose! {
    fn port()(
        host in 1u16..,
        container in 1u16..,
        protocol in prop_oneof!["tcp", "udp", "sctp"],
        host_address in option::of(Just("127.0.0.1".to_owned())),
    ) -> Port {
        Port { host, container, protocol, host_address }
    }
}

fn mount() -> impl Strategy<Value = Mount> {
    prop_oneof![
        (word(), any::<bool>(), option::of(word()), any::<bool>()).prop_map(
            |(source, read_only, subpath, no_copy)| Mount::Volume {
                source,
                read_only,
                subpath,
                no_copy
            }
        ),
        (
            word(),
            any::<bool>(),
            option::of("shared|rslave|private"),
            any::<bool>()
        )
            .prop_map(
                |(source, read_only, propagation, non_recursive)| Mount::Bind {
                    source,
                    read_only,
                    propagation,
                    non_recursive
                }
            ),
        (option::of(1u64..1 << 40), option::of(1u32..0o7777))
            .prop_map(|(size_bytes, mode)| Mount::Tmpfs { size_bytes, mode }),
    ]
}

fn restarts() -> impl Strategy<Value = Restart> {
    let always = prop_oneof!["always", "unless-stopped"].prop_map(|policy| Restart {
        policy,
        max_retries: None,
    });
    let failure = option::of(1u32..9).prop_map(|max_retries| Restart {
        policy: "on-failure".into(),
        max_retries,
    });
    prop_oneof![always, failure]
}

prop_compose! {
    fn endpoint_of()(address in option::of(1u32..), address6 in option::of(1u128..), aliases in btree_set("[a-z]{2,5}", 0..3), mac in option::of("52:54:00:[0-9]{2}:00:01")) -> Endpoint {
        Endpoint { address: address.map(Into::into), address6: address6.map(Into::into), aliases: aliases.into_iter().collect(), mac }
    }
}

prop_compose! {
    pub(crate) fn any_container()(
        process in process(),
        ports in btree_set(port(), 0..4),
        mounts in btree_map("/[a-z]{1,4}", mount(), 0..4),
        networks in btree_map("[a-z]{1,3}", endpoint_of(), 0..3),
        restart in option::of(restarts()),
        ulimits in btree_map("[a-z]{3,5}", (-1i64..9, -1i64..9).prop_map(|(soft, hard)| Ulimit { soft, hard }), 0..3),
        cpus in ids(),
        memory_nodes in ids(),
        memory_bytes in option::of(1u64..1 << 50),
        pids in option::of(1u64..1 << 22),
        (security, confinement, devices, limits) in (security(), confinement(), devices(), limits()),
    ) -> Container {
        let ports = ports.into_iter().collect();
        // Neither has it networks beside a mode, nor a name of its own beside the host's, nor swap without memory.
        let confinement = if networks.is_empty() { confinement } else { Confinement { network: None, ..confinement } };
        let hostname = if confinement.uts.is_some() { String::new() } else { process.hostname.clone() };
        let swap_bytes = limits.swap_bytes.filter(|_| memory_bytes.is_some());
        let limits = Limits { swap_bytes, ..limits };
        let body = Container { ports, mounts, networks, restart, ulimits, cpus, memory_nodes, ..process };
        Container { memory_bytes, pids, security, confinement, devices, limits, hostname, ..body }
    }
}
