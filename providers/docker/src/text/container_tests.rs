//! Law 1 and the golden request of a container. The engine's answer is imitated from what 20.10 says.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::tests::container;
use crate::text::decode::decode;
use crate::text::imitation::{IMAGE_ID, answer, any_container, image, mark, origin};
use crate::text::inspect::Origin;

fn full() -> Container {
    let words = |text: &str| Some(text.split(' ').map(Text::from).collect());
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
        health_check: Some(HealthCheck {
            command: vec!["/bin/true".into()],
            interval_ns: Some(1_000_000_000),
            timeout_ns: None,
            start_period_ns: None,
            retries: Some(2),
        }),
        ..placed()
    }
}

/// What it has of its host.
fn placed() -> Container {
    let address = "10.9.0.2".parse().unwrap();
    Container {
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
            "infra.name": "demo.a",
            "infra.set": "command,entrypoint,env.A,env.Z,health_check,health_check.interval_ns,\
                          health_check.retries,labels.team,ulimits.memlock,user,working_dir",
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

/// Why a plain container that differs in one attribute is not written.
fn refused(attribute: &str, value: Value) -> String {
    let mut body = json!(container());
    body[attribute] = value;
    encode(&serde_json::from_value(body).unwrap(), &mark()).unwrap_err()
}

#[test]
fn what_the_engine_takes_for_something_else_is_refused() {
    for (attribute, value, why) in [
        ("user", json!(""), "`user` is empty"),
        ("working_dir", json!(""), "`working_dir` is empty"),
        ("command", json!([]), "`command` is empty"),
        ("pids", json!(0), "`pids` is 0"),
        ("memory_bytes", json!(0), "`memory_bytes` is 0"),
        ("memory_bytes", json!(u64::MAX), "too large"),
        ("cpus", json!(""), "`cpus` is empty"),
        ("memory_nodes", json!(""), "`memory_nodes` is empty"),
        (
            "env",
            json!({"S": {"$secret": "hmac-sha256:00"}}),
            "`env.S` has no value here",
        ),
        ("env", json!({"A,B": "v"}), "comma"),
        ("restart", json!({"policy": "sometimes"}), "sometimes"),
        (
            "restart",
            json!({"policy": "always", "max_retries": 1}),
            "on-failure",
        ),
        (
            "restart",
            json!({"policy": "on-failure", "max_retries": 0}),
            "leave it out",
        ),
        (
            "health_check",
            json!({"command": []}),
            "`health_check.command` is empty",
        ),
        (
            "health_check",
            json!({"command": ["a"], "retries": 0}),
            "`health_check` is 0",
        ),
        (
            "ports",
            json!([{"host": 0, "container": 1, "protocol": "tcp"}]),
            "a port is 0",
        ),
        (
            "labels",
            json!({"infra.project": "other"}),
            "kept for infra",
        ),
    ] {
        let told = refused(attribute, value);
        assert!(told.contains(why), "{attribute}: {told}");
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

proptest! {
    #[test]
    fn law_1(body in any_container(), bare: bool) {
        let image = if bare { json!({}) } else { image() };
        prop_assert_eq!(decode(&answer(&body, &image), &origin(&image)), Ok(body));
    }
}
