//! Law 1 and the golden request of a container. The engine's answer is imitated from what 20.10 says.

use proptest::prelude::*;
use serde_json::{Value, json};

use infra_api::target::{
    BlockDevice, Confinement, Device, DeviceRequest, Devices, Limits, Log, Mount, Naming, Port,
    Process, Restart, Security, Ulimit,
};

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
            probe: Probe::Command(vec!["/bin/true".into()]),
            interval_ns: Some(1_000_000_000),
            timeout_ns: None,
            start_period_ns: None,
            start_interval_ns: None,
            retries: Some(2),
        }),
        process: Process {
            groups: vec!["44".into(), "video".into()],
            init: Some(true),
            tty: true,
            stdin: true,
            stop_signal: Some("SIGINT".into()),
            stop_timeout_s: Some(30),
        },
        log: Some(Log {
            driver: "local".into(),
            options: pairs(&[("max-size", "1m")]),
        }),
        ..confined()
    }
}

fn pairs(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    entries.iter().map(owned).collect()
}

/// What keeps it apart from its host.
fn confined() -> Container {
    Container {
        security: Security {
            drop: vec!["MKNOD".into(), "NET_RAW".into()],
            add: vec!["NET_ADMIN".into()],
            no_new_privileges: true,
            privileged: false,
            seccomp: Some("{\"defaultAction\":\"SCMP_ACT_ALLOW\"}".into()),
            apparmor: Some("unconfined".into()),
            selinux: vec!["level:s0:c1".into()],
            read_only: true,
        },
        confinement: Confinement {
            runtime: Some("runsc".into()),
            network: None,
            ipc: Some("shareable".into()),
            pid: Some("host".into()),
            uts: None,
            userns: Some("host".into()),
            cgroupns: Some("private".into()),
            cgroup_parent: Some("work.slice".into()),
            sysctls: pairs(&[("net.core.somaxconn", "1024")]),
            shm_bytes: Some(1 << 20),
            storage: pairs(&[("size", "1G")]),
        },
        devices: Devices {
            mapped: BTreeMap::from([(
                "/dev/kvm".into(),
                Device {
                    source: "/dev/kvm".into(),
                    permissions: "rw".into(),
                },
            )]),
            requests: vec![DeviceRequest {
                driver: Some("nvidia".into()),
                count: Some(-1),
                ids: vec![],
                capabilities: vec!["gpu".into()],
                options: BTreeMap::new(),
            }],
            rules: vec!["c 1:3 mr".into()],
        },
        ..placed()
    }
}

fn limits() -> Limits {
    Limits {
        cpu_shares: Some(512),
        cpu_quota_us: Some(50_000),
        cpu_period_us: Some(20_000),
        cpu_realtime_runtime_us: Some(1000),
        cpu_realtime_period_us: Some(2000),
        memory_reservation_bytes: Some(1 << 29),
        swap_bytes: Some(1 << 20),
        swappiness: Some(10),
        oom_score_adj: Some(-500),
        oom_kill_disable: true,
        blkio_weight: Some(300),
        block_devices: BTreeMap::from([(
            "/dev/sda".into(),
            BlockDevice {
                weight: Some(200),
                read_bps: Some(1),
                write_bps: Some(2),
                read_iops: Some(3),
                write_iops: None,
            },
        )]),
    }
}

/// What it has of its host.
fn placed() -> Container {
    let address = "10.9.0.2".parse().ok();
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
            ("/data".into(), Mount::volume("demo.data", false)),
            ("/etc/x".into(), Mount::bind("/x", true)),
            (
                "/tmp".into(),
                Mount::Tmpfs {
                    size_bytes: Some(1 << 20),
                    mode: Some(0o700),
                },
            ),
        ]),
        networks: BTreeMap::from([
            (
                "demo.lan".into(),
                Endpoint {
                    address,
                    address6: None,
                    aliases: vec!["cache".into()],
                    mac: Some("02:00:5e:00:00:01".into()),
                },
            ),
            (
                "demo.wan".into(),
                Endpoint {
                    address,
                    address6: None,
                    aliases: vec![],
                    mac: None,
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
        naming: Naming {
            domainname: Some("example".into()),
            servers: vec!["10.0.0.53".into()],
            search: vec!["lab.example".into()],
            options: vec!["ndots:2".into()],
            hosts: pairs(&[("db", "10.0.0.5")]),
        },
        files: BTreeMap::new(),
        limits: limits(),
        ..container()
    }
}

#[test]
fn the_request() {
    let request = serde_json::to_value(encode(&full(), &mark()).unwrap()).unwrap();
    let expected: Value = serde_json::from_str(include_str!("container_request.json")).unwrap();
    let mut request = request;
    // bollard writes it as the engine wants it, a map of nothings.
    assert_eq!(request["ExposedPorts"], json!({"80/tcp": {}}));
    request["ExposedPorts"] = json!(["80/tcp"]);
    assert_eq!(request, expected);
}

#[test]
fn what_is_not_wanted_is_unset_or_left() {
    let request = |body: &Container| serde_json::to_value(update(body).unwrap()).unwrap();
    assert_eq!(
        request(&container()),
        json!({
            "PidsLimit": -1, "RestartPolicy": {"Name": "no"}, "CpuQuota": -1, "MemoryReservation": -1,
        })
    );
    let mut limited = container();
    limited.limits.cpu_quota_us = Some(5000);
    let limited = request(&limited);
    assert_eq!(
        (&limited["CpuQuota"], &limited["CpuPeriod"]),
        (&json!(5000), &json!(100_000))
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
            json!({"probe": {"command": []}}),
            "`health_check.probe` is empty",
        ),
        (
            "health_check",
            json!({"probe": {"command": ["a"]}, "retries": 0}),
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
