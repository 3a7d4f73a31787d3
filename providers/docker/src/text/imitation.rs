//! An engine's answer to an inspect, imitated from what 20.10 says, and containers of any shape: for tests
//! of `container` and `decode`.

use infra_api::target::{Container, Endpoint, HealthCheck, Mount, Port, Restart, Ulimit};
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
        "Entrypoint": ["/image"], "Labels": {"maker": "them"},
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
    for field in ["Test", "Interval", "Timeout", "StartPeriod", "Retries"] {
        if config["Healthcheck"][field].is_null() && !health[field].is_null() {
            config["Healthcheck"][field] = health[field].clone();
        }
    }
    config
}

/// The answer to an inspect of a running container made so, on an image with this configuration.
pub(crate) fn answer(body: &Container, image: &Value) -> Inspect {
    let request = serde_json::to_value(encode(body, &mark()).unwrap()).unwrap();
    let id = "0123456789ab".repeat(5);
    let networks: serde_json::Map<String, Value> = body
        .networks
        .iter()
        .map(|(name, end)| {
            let mut settings = serde_json::to_value(endpoint(end)).unwrap();
            settings["IPAddress"] = settings["IPAMConfig"]["IPv4Address"].clone();
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
    let defaults = json!({"CpusetCpus": "", "CpusetMems": "", "Memory": 0, "ShmSize": 67_108_864, "Runtime": "runc"});
    for (key, value) in defaults.as_object().unwrap() {
        host.as_object_mut()
            .unwrap()
            .entry(key)
            .or_insert(value.clone());
    }
    // Of the engine's own configuration.
    let theirs = json!({"Name": "zzzzzzz", "Soft": 1, "Hard": 1});
    host["Ulimits"].as_array_mut().unwrap().push(theirs);
    serde_json::from_value(json!({
        "Id": id, "Created": "2026-11-23T01:00:00Z", "Name": format!("/{}", body.name), "Image": IMAGE_ID,
        "State": {"Status": "running", "Pid": 1, "ExitCode": 0, "Error": ""},
        "Config": merged(&request, image), "HostConfig": host, "NetworkSettings": {"Networks": networks},
    }))
    .unwrap()
}

pub(crate) fn origin(image: &Value) -> Origin {
    let config: Config = serde_json::from_value(image.clone()).unwrap();
    Origin {
        now: Some(IMAGE_ID.into()),
        config: Some(config),
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
    ) -> Container {
        Container { entrypoint, command, env, user, working_dir, labels, health_check, ..container() }
    }
}

prop_compose! {
    fn health_check()(
        command in vec(word(), 1..3),
        interval_ns in option::of(1u64..9),
        timeout_ns in option::of(1u64..9),
        start_period_ns in option::of(1u64..9),
        retries in option::of(1u32..9),
    ) -> HealthCheck {
        HealthCheck { command, interval_ns, timeout_ns, start_period_ns, retries }
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
        (word(), any::<bool>()).prop_map(|(source, read_only)| Mount::Volume { source, read_only }),
        (word(), any::<bool>()).prop_map(|(source, read_only)| Mount::Bind { source, read_only }),
        option::of(1u64..1 << 40).prop_map(|size_bytes| Mount::Tmpfs { size_bytes }),
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
    fn endpoint_of()(address: u32, aliases in btree_set("[a-z]{2,5}", 0..3)) -> Endpoint {
        Endpoint { address: (address | 1).into(), aliases: aliases.into_iter().collect() }
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
    ) -> Container {
        let ports = ports.into_iter().collect();
        Container { ports, mounts, networks, restart, ulimits, cpus, memory_nodes, memory_bytes, pids, ..process }
    }
}
