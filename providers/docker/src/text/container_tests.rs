//! Law 1 and the golden request of a container. The engine's answer is imitated from what 20.10 says.

use infra_api::{Address, Project};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::tests::container;
use crate::text::decode::decode;
use crate::text::inspect::{Config, Inspect, Origin};

const IMAGE_ID: &str = "sha256:11";

fn mark() -> Mark {
    Mark {
        project: Project::new("demo"),
        address: Address::new("workload.a"),
    }
}

fn full() -> Container {
    let words = |text: &str| Some(text.split(' ').map(Text::from).collect());
    let address = "10.9.0.2".parse().unwrap();
    Container {
        entrypoint: words("/init"),
        command: words("serve -v"),
        env: BTreeMap::from([
            ("A".into(), Text::from("a=b")),
            ("Z".into(), Text::from("")),
        ]),
        user: Some("7:8".into()),
        working_dir: Some("/srv".into()),
        labels: BTreeMap::from([("team".into(), "x".into())]),
        ports: vec![
            Port {
                host: 8080,
                container: 80,
                protocol: "tcp".into(),
                host_address: None,
            },
            Port {
                host: 8081,
                container: 80,
                protocol: "tcp".into(),
                host_address: Some("127.0.0.1".into()),
            },
        ],
        mounts: BTreeMap::from([
            (
                "/data".into(),
                Mount::Volume {
                    source: "demo.data".into(),
                    read_only: false,
                },
            ),
            (
                "/etc/x".into(),
                Mount::Bind {
                    source: "/x".into(),
                    read_only: true,
                },
            ),
            (
                "/tmp".into(),
                Mount::Tmpfs {
                    size_bytes: Some(1 << 20),
                },
            ),
        ]),
        networks: BTreeMap::from([
            (
                "demo.lan".into(),
                Endpoint {
                    address,
                    aliases: vec!["cache".into()],
                },
            ),
            (
                "demo.wan".into(),
                Endpoint {
                    address,
                    aliases: vec![],
                },
            ),
        ]),
        restart: Some(Restart {
            policy: "on-failure".into(),
            max_retries: Some(3),
        }),
        health_check: Some(HealthCheck {
            command: vec!["/bin/true".into()],
            interval_ns: Some(1_000_000_000),
            timeout_ns: None,
            start_period_ns: None,
            retries: Some(2),
        }),
        ulimits: BTreeMap::from([("memlock".into(), Ulimit { soft: -1, hard: -1 })]),
        cpus: Some([0, 1, 4].into()),
        memory_nodes: Some([0].into()),
        memory_bytes: Some(1 << 30),
        pids: Some(100),
        ..container()
    }
}

#[test]
fn the_request() {
    let request = serde_json::to_value(encode(&full(), &mark()).unwrap()).unwrap();
    let expected = json!({
        "Image": "infra/demo/a:0123456789abcdef",
        "Hostname": "a",
        "Entrypoint": ["/init"],
        "Cmd": ["serve", "-v"],
        "Env": ["A=a=b", "Z="],
        "User": "7:8",
        "WorkingDir": "/srv",
        "ExposedPorts": ["80/tcp"],
        "Labels": {
            "team": "x",
            "infra.project": "demo",
            "infra.address": "workload.a",
            "infra.set": "command,entrypoint,env.A,env.Z,health_check,health_check.interval_ns,\
                          health_check.retries,labels.team,user,working_dir",
        },
        "Healthcheck": {"Test": ["CMD", "/bin/true"], "Interval": 1_000_000_000, "Retries": 2},
        "HostConfig": {
            "NetworkMode": "demo.lan",
            "CpusetCpus": "0-1,4",
            "CpusetMems": "0",
            "Memory": 1_073_741_824,
            "MemorySwap": 1_073_741_824,
            "PidsLimit": 100,
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
            "PortBindings": {"80/tcp": [
                {"HostPort": "8080"},
                {"HostIp": "127.0.0.1", "HostPort": "8081"},
            ]},
            "Mounts": [
                {"Type": "volume", "Source": "demo.data", "Target": "/data", "ReadOnly": false},
                {"Type": "bind", "Source": "/x", "Target": "/etc/x", "ReadOnly": true},
                {"Type": "tmpfs", "Target": "/tmp", "TmpfsOptions": {"SizeBytes": 1_048_576}},
            ],
            "Ulimits": [{"Name": "memlock", "Soft": -1, "Hard": -1}],
        },
        "NetworkingConfig": {"EndpointsConfig": {
            "demo.lan": {"IPAMConfig": {"IPv4Address": "10.9.0.2"}, "Aliases": ["cache"]},
        }},
    });
    let mut request = request;
    // bollard writes it as the engine wants it, a map of nothings.
    assert_eq!(request["ExposedPorts"], json!({"80/tcp": {}}));
    request["ExposedPorts"] = json!(["80/tcp"]);
    assert_eq!(request, expected);
}

#[test]
fn what_is_not_wanted_is_unset_or_left() {
    let update = serde_json::to_value(resources(&container()).unwrap()).unwrap();
    assert_eq!(
        update,
        json!({"PidsLimit": -1, "RestartPolicy": {"Name": "no"}})
    );
}

#[test]
fn what_the_engine_takes_for_something_else_is_refused() {
    let refused = |body: Container| encode(&body, &mark()).unwrap_err();
    let base = container;
    let secret = Text::Secret {
        digest: "hmac-sha256:00".into(),
    };
    let env = |name: &str, value: Text| BTreeMap::from([(name.to_owned(), value)]);
    let restart = |policy: &str, max_retries| {
        Some(Restart {
            policy: policy.into(),
            max_retries,
        })
    };
    assert!(
        refused(Container {
            user: Some(String::new()),
            ..base()
        })
        .starts_with("`user` is empty")
    );
    assert!(
        refused(Container {
            command: Some(vec![]),
            ..base()
        })
        .starts_with("`command` is empty")
    );
    assert!(
        refused(Container {
            pids: Some(0),
            ..base()
        })
        .starts_with("`pids` is 0")
    );
    assert!(
        refused(Container {
            cpus: Some([].into()),
            ..base()
        })
        .starts_with("`cpus` is empty")
    );
    assert!(
        refused(Container {
            memory_bytes: Some(u64::MAX),
            ..base()
        })
        .contains("too large")
    );
    assert!(
        refused(Container {
            env: env("S", secret),
            ..base()
        })
        .contains("`env.S` has no value here")
    );
    assert!(
        refused(Container {
            env: env("A,B", Text::from("v")),
            ..base()
        })
        .contains("comma")
    );
    assert!(
        refused(Container {
            restart: restart("sometimes", None),
            ..base()
        })
        .contains("sometimes")
    );
    assert!(
        refused(Container {
            restart: restart("always", Some(1)),
            ..base()
        })
        .contains("on-failure")
    );
    let labels = BTreeMap::from([("infra.project".into(), "other".into())]);
    assert!(refused(Container { labels, ..base() }).contains("kept for infra"));
}

/// What the engine mixes into a container from its image.
fn image() -> Value {
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
fn answer(body: &Container, image: &Value) -> Inspect {
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
    serde_json::from_value(json!({
        "Id": id, "Created": "2026-11-23T01:00:00Z", "Name": format!("/{}", body.name), "Image": IMAGE_ID,
        "State": {"Status": "running", "Pid": 1, "ExitCode": 0, "Error": ""},
        "Config": merged(&request, image), "HostConfig": host, "NetworkSettings": {"Networks": networks},
    }))
    .unwrap()
}

fn origin(image: &Value) -> Origin {
    let config: Config = serde_json::from_value(image.clone()).unwrap();
    Origin {
        now: Some(IMAGE_ID.into()),
        config: Some(config),
    }
}

#[test]
fn law_1_for_all_at_once() {
    for image in [json!({}), image()] {
        assert_eq!(
            decode(&answer(&full(), &image), &origin(&image)),
            Ok(full())
        );
        assert_eq!(
            decode(&answer(&container(), &image), &origin(&image)),
            Ok(container())
        );
    }
}

#[test]
fn a_moved_tag_and_a_lost_image_show() {
    let found = answer(&full(), &image());
    let moved = Origin {
        now: Some("sha256:22".into()),
        ..origin(&image())
    };
    let reference = format!("{} (was {IMAGE_ID})", full().image);
    assert_eq!(
        decode(&found, &moved),
        Ok(Container {
            image: reference.clone(),
            ..full()
        })
    );
    assert_eq!(
        decode(&found, &Origin::default()),
        Ok(Container {
            image: reference,
            ..full()
        })
    );
}

#[test]
fn what_somebody_changed_shows() {
    let mut found = answer(&full(), &image());
    found.host_config.cpuset_cpus = "4,0,1".into();
    assert_eq!(
        decode(&found, &origin(&image())),
        Ok(full()),
        "the same set, written in another way"
    );
    found.host_config.cpuset_cpus = "0".into();
    found.host_config.pids_limit = Some(-1);
    found.state.status = "paused".into();
    let changed = Container {
        cpus: Some([0].into()),
        pids: None,
        state: "paused".into(),
        ..full()
    };
    assert_eq!(decode(&found, &origin(&image())), Ok(changed));
    found.host_config.cpuset_cpus = "zero".into();
    assert!(
        decode(&found, &origin(&image()))
            .unwrap_err()
            .contains("CpusetCpus")
    );
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
    fn endpoint_of()(address: u32, aliases in proptest::collection::btree_set("[a-z]{2,5}", 0..3)) -> Endpoint {
        Endpoint { address: (address | 1).into(), aliases: aliases.into_iter().collect() }
    }
}

prop_compose! {
    fn any_container()(
        process in process(),
        ports in proptest::collection::btree_set(port(), 0..4),
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

proptest! {
    #[test]
    fn law_1(body in any_container(), bare: bool) {
        let image = if bare { json!({}) } else { image() };
        prop_assert_eq!(decode(&answer(&body, &image), &origin(&image)), Ok(body));
    }
}
