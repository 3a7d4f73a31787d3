//! What a container is told beside what it runs, each on the real engine: read back from the engine as it was asked
//! for, and where the kernel shows it, from there.

use infra_api::target::Container;
use infra_api::{Impact, Observed, Readiness};
use serde_json::{Value, json};

use crate::rig::{Rig, live};
use crate::things::{cgroup, root, shell, status, with};

/// It is made so and is so; its process.
async fn made(rig: &Rig, body: &Container) -> i64 {
    let wanted = rig.workload(body);
    rig.create(&wanted).await;
    rig.expect(&wanted).await;
    rig.process(&body.name).await.1
}

async fn plain(rig: &Rig) -> Container {
    let image = rig.image("a", &root(rig.project.as_str()));
    rig.stand(&image).await;
    rig.container("a", &image)
}

#[test]
fn rights_and_confinement() {
    live("rights", 21, |rig| async move {
        let plain = plain(&rig).await;
        let profile = "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}";
        let body = with(
            &plain,
            json!({
                "security": {
                    "drop": ["ALL"], "add": ["KILL", "NET_ADMIN"], "no_new_privileges": true, "seccomp": profile,
                    "selinux": ["disable"], "read_only": true,
                },
                "confinement": {
                    "runtime": "runc", "ipc": "shareable", "pid": "host", "cgroupns": "private", "shm_bytes": 1 << 20,
                    "sysctls": {"net.core.somaxconn": "77"},
                },
                "process": {
                    "groups": ["44", "7"], "init": true, "tty": true, "stdin": true, "stop_signal": "SIGKILL",
                    "stop_timeout_s": 3,
                },
                "log": {"driver": "json-file", "options": {"max-size": "1m"}},
                "naming": {
                    "domainname": "example", "servers": ["10.0.0.53"], "search": ["lab.example"],
                    "options": ["ndots:2"], "hosts": {"db": "10.0.0.5"},
                },
                "devices": {
                    "mapped": {"/dev/zero2": {"source": "/dev/zero", "permissions": "rm"}}, "rules": ["c 1:3 mr"],
                },
                "mounts": {"/tmp": {"type": "tmpfs", "mode": 0o700}},
            }),
        );
        let pid = made(&rig, &body).await;
        assert_eq!(status(pid, "NoNewPrivs"), "1");
        assert_eq!(status(pid, "Seccomp"), "2");
        // NET_ADMIN is 12, KILL is 5.
        assert_eq!(status(pid, "CapBnd"), format!("{:016x}", 1 << 12 | 1 << 5));
        let root = format!("/proc/{pid}/root");
        let mode = std::fs::metadata(format!("{root}/tmp")).unwrap();
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&mode) & 0o7777, 0o700);
        assert!(std::fs::metadata(format!("{root}/dev/zero2")).is_ok());
        let hosts = std::fs::read_to_string(format!("{root}/etc/hosts")).unwrap();
        assert!(hosts.contains("10.0.0.5\tdb"), "{hosts}");
    });
}

#[test]
fn the_safe_default() {
    live("safe", 22, |rig| async move {
        let plain = plain(&rig).await;
        let safe = json!({"drop": ["MKNOD", "NET_RAW"], "no_new_privileges": true});
        let pid = made(&rig, &with(&plain, json!({"security": safe}))).await;
        assert_eq!(status(pid, "NoNewPrivs"), "1");
        let bounding = u64::from_str_radix(&status(pid, "CapBnd"), 16).unwrap();
        // NET_RAW is 13, MKNOD is 27; CHOWN is 0.
        assert_eq!(
            (bounding >> 13 & 1, bounding >> 27 & 1, bounding & 1),
            (0, 0, 1)
        );
    });
}

#[test]
fn the_hosts_own() {
    live("hosts", 23, |rig| async move {
        let plain = plain(&rig).await;
        for (mode, uts) in [("host", Some("host")), ("none", None)] {
            let hostname = if uts.is_some() { "" } else { "a" };
            let body = with(
                &plain,
                json!({
                    "networks": {}, "hostname": hostname,
                    "confinement": {"network": mode, "uts": uts, "ipc": "host", "userns": "host"},
                }),
            );
            let pid = made(&rig, &body).await;
            let namespace = |pid: &str, kind: &str| {
                std::fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap()
            };
            let shared = |kind| namespace(&pid.to_string(), kind) == namespace("self", kind);
            assert_eq!(
                (shared("net"), shared("uts")),
                (mode == "host", uts.is_some())
            );
            rig.try_update(&body, &body).await.unwrap();
            rig.expect(&rig.workload(&body)).await;
            rig.delete(&rig.workload(&body).id).await.unwrap();
        }
    });
}

/// The limits of a body, changed in place in a process that stays.
async fn limited(rig: &Rig, body: &Container, limits: Value) -> Container {
    let before = rig.process(&body.name).await;
    let after = with(body, json!({"limits": limits}));
    rig.try_update(body, &after)
        .await
        .unwrap_or_else(|e| panic!("{limits}: {e}"));
    rig.expect(&rig.workload(&after)).await;
    assert_eq!(rig.process(&body.name).await, before);
    after
}

#[test]
fn limits_change_in_place_and_go() {
    live("weights", 24, |rig| async move {
        let plain = plain(&rig).await;
        let mut body = with(&plain, json!({"memory_bytes": 64 << 20}));
        let pid = made(&rig, &body).await;
        let quota = || cgroup(pid, "cpu/cpu.cfs_quota_us", "cpu.max");
        for (limits, expected) in [
            (json!({"cpu_quota_us": 50_000}), ["50000", "50000 100000"]),
            (
                json!({"cpu_quota_us": 20_000, "cpu_period_us": 40_000}),
                ["20000", "20000 40000"],
            ),
            (json!({"cpu_quota_us": 20_000}), ["20000", "20000 100000"]),
            (json!({}), ["-1", "max 100000"]),
        ] {
            body = limited(&rig, &body, limits).await;
            assert!(expected.contains(&quota().as_str()), "{}", quota());
        }
        for limits in [
            json!({"cpu_shares": 512}),
            json!({"cpu_shares": 2048, "memory_reservation_bytes": 32 << 20}),
            json!({"cpu_shares": 2048, "swap_bytes": 16 << 20}),
            json!({"cpu_shares": 2048}),
        ] {
            body = limited(&rig, &body, limits).await;
        }
        let without = with(&body, json!({"limits": {}}));
        let refused = rig.try_update(&body, &without).await.unwrap_err();
        assert!(
            refused
                .cause
                .starts_with("limits.cpu_shares cannot be changed"),
            "{refused}"
        );
    });
}

#[test]
fn limits_that_are_fixed() {
    live("fixed-limits", 25, |rig| async move {
        let plain = plain(&rig).await;
        let limits = json!({
            "oom_score_adj": 100, "swappiness": 10, "oom_kill_disable": true,
            "block_devices": {"/dev/loop0": {"read_bps": 1 << 20, "write_iops": 100}},
        });
        let body = with(&plain, json!({"memory_bytes": 64 << 20, "limits": limits}));
        let body = match std::path::Path::new("/dev/loop0").exists() {
            true => body,
            false => with(
                &body,
                json!({"limits": {"oom_score_adj": 100, "swappiness": 10, "oom_kill_disable": true}}),
            ),
        };
        let pid = made(&rig, &body).await;
        let score = std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).unwrap();
        assert_eq!(score.trim(), "100");
    });
}

#[test]
fn health_checks_of_every_form() {
    live("health", 26, |rig| async move {
        let plain = plain(&rig).await;
        for (probe, ready) in [
            (json!({"shell": "test -e /bin/sh"}), true),
            (json!("none"), true),
            (json!({"shell": "echo no; exit 1"}), false),
        ] {
            let check = match &probe {
                Value::String(_) => json!({"probe": probe}),
                _ => json!({"probe": probe, "interval_ns": 200_000_000, "retries": 1}),
            };
            let body = with(&plain, json!({"health_check": check}));
            made(&rig, &body).await;
            let wanted = rig.workload(&body);
            let judged = rig.ready(&wanted.id).await;
            assert_eq!(judged == Readiness::Ready, ready, "{probe}: {judged:?}");
            rig.delete(&wanted.id).await.unwrap();
        }
    });
}

#[test]
fn files_are_put_there_and_put_right() {
    live("files", 27, |rig| async move {
        let plain = plain(&rig).await;
        let data = rig.name("data");
        let volume = infra_api::target::ContainerVolume {
            name: data.clone(),
            ..Default::default()
        };
        rig.create(&rig.resource("volume.data", infra_api::What::ContainerVolume(volume)))
            .await;
        let file = |content: &str| json!({"content": content, "mode": 0o640, "uid": 7, "gid": 8});
        let body = with(
            &plain,
            json!({
                "command": shell("cat /etc/app/conf; trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"),
                "security": {"read_only": false},
                "mounts": {"/data": {"type": "volume", "source": data, "read_only": false}},
                "files": {
                    "/etc/app/conf": file("one\n"),
                    "/data/deep/x": {"content": "AP8K", "binary": true, "mode": 0o600, "uid": 0, "gid": 0},
                },
            }),
        );
        let pid = made(&rig, &body).await;
        let at = |pid: i64, path: &str| std::fs::read(format!("/proc/{pid}/root{path}")).unwrap();
        assert_eq!(
            (at(pid, "/etc/app/conf"), at(pid, "/data/deep/x")),
            (b"one\n".to_vec(), vec![0, 255, 10])
        );

        // A change restarts it, and it stays the same container.
        let (id, _) = rig.process(&body.name).await;
        let mut after = body.clone();
        after.files.get_mut("/etc/app/conf").unwrap().content = "two\n".into();
        restart(&rig, &body, &after).await;
        rig.expect(&rig.workload(&after)).await;
        let (same, new_pid) = rig.process(&body.name).await;
        assert_eq!(same, id);
        assert_ne!(new_pid, pid);
        assert_eq!(at(new_pid, "/etc/app/conf"), b"two\n");

        // What somebody changed or removed is seen and put right.
        std::fs::write(format!("/proc/{new_pid}/root/etc/app/conf"), "three").unwrap();
        std::fs::remove_file(format!("/proc/{new_pid}/root/data/deep/x")).unwrap();
        let seen = rig.body(&rig.workload(&after).id).await;
        assert_eq!(seen["files"]["/etc/app/conf"]["content"], "three");
        assert_eq!(seen["files"]["/data/deep/x"]["mode"], 0);
        restart(&rig, &body, &after).await;
        rig.expect(&rig.workload(&after)).await;

        // Which files there are is fixed.
        let mut fewer = after.clone();
        fewer.files.remove("/data/deep/x");
        let refused = rig.try_update(&after, &fewer).await.unwrap_err();
        assert!(refused.cause.contains("files./data/deep/x"), "{refused}");
    });
}

async fn restart(rig: &Rig, before: &Container, after: &Container) {
    let wanted = rig.workload(after);
    let action = infra_api::Action::Update {
        before: json!(before),
        after: wanted.body.clone().into_value(),
        impact: Impact::Restart,
    };
    rig.apply(&wanted.id, rig.mark("workload.a"), action)
        .await
        .unwrap_or_else(|e| panic!("{e}: {:?}", e.hint));
}

/// Files are written to a root that is not, where there is a volume.
#[test]
fn files_of_a_container_that_is_not_written_to() {
    live("sealed", 28, |rig| async move {
        let plain = plain(&rig).await;
        let data = rig.name("data");
        let volume = infra_api::target::ContainerVolume {
            name: data.clone(),
            ..Default::default()
        };
        rig.create(&rig.resource("volume.data", infra_api::What::ContainerVolume(volume)))
            .await;
        let body = with(
            &plain,
            json!({
                "security": {"read_only": true},
                "mounts": {"/data": {"type": "volume", "source": data, "read_only": false, "no_copy": true}},
                "files": {"/data/x": {"content": "x", "mode": 0o644, "uid": 0, "gid": 0}},
            }),
        );
        made(&rig, &body).await;
    });
}

/// Cut off between any two calls, it is finished by the next.
#[test]
fn a_creation_with_files_goes_on() {
    live("half", 29, |rig| async move {
        let plain = plain(&rig).await;
        let files = json!({"/etc/x": {"content": "x", "mode": 0o644, "uid": 0, "gid": 0}});
        let body = with(&plain, json!({"files": files}));
        let wanted = rig.workload(&body);
        for ms in [5, 20, 60, 120, 250] {
            let patience = std::time::Duration::from_millis(ms);
            let _ = tokio::time::timeout(patience, rig.try_create(&wanted)).await;
            rig.create(&wanted).await;
            rig.expect(&wanted).await;
            rig.delete(&wanted.id).await.unwrap();
            assert_eq!(rig.read(&wanted.id).await, Observed::Absent);
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    });
}
