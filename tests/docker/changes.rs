//! Changes in place, read back from the kernel; and what was cut off, gone on with.

use std::collections::BTreeMap;

use bollard::models::NetworkDisconnectRequest;
use bollard::query_parameters::{StopContainerOptions, TagImageOptions};
use infra_api::target::*;
use infra_api::{Impact, Observed, Provider, Remedy};
use infra_docker::Docker;
use serde_json::json;

use crate::rig::{Rig, live};
use crate::things::{cgroup, root, shell, status, with};

/// Changes it in place and sees that it was: the same container, the same process, what was wanted.
async fn change(rig: &Rig, before: &Container, after: Container) -> Container {
    let process = rig.process(&before.name).await;
    rig.try_update(before, &after)
        .await
        .unwrap_or_else(|e| panic!("{e}: {:?}", e.hint));
    rig.expect(&rig.workload(&after)).await;
    assert_eq!(rig.process(&after.name).await, process);
    after
}

/// A running container with all its limits, and its process.
async fn limited(rig: &Rig) -> (Container, i64) {
    let image = rig.image("a", &root(rig.project.as_str()));
    rig.stand(&image).await;
    let limits = json!({"cpus": "0", "memory_nodes": "0", "memory_bytes": 32 << 20, "pids": 20});
    let body = with(&rig.container("a", &image), limits);
    rig.create(&rig.workload(&body)).await;
    let (_, pid) = rig.process(&body.name).await;
    (body, pid)
}

#[test]
fn cpus_change_in_place() {
    live("cpus", 11, |rig| async move {
        let (mut body, pid) = limited(&rig).await;
        for cpus in ["0", "0-1", "1", "0"] {
            body = change(&rig, &body, with(&body, json!({"cpus": cpus}))).await;
            assert_eq!(status(pid, "Cpus_allowed_list"), cpus);
        }
        assert_eq!(status(pid, "Mems_allowed_list"), "0");
    });
}

#[test]
fn limits_and_the_restart_policy_change_in_place() {
    live("limits", 15, |rig| async move {
        let (mut body, pid) = limited(&rig).await;
        for bytes in [64 << 20, 48 << 20] {
            body = change(&rig, &body, with(&body, json!({"memory_bytes": bytes}))).await;
            let limit = cgroup(pid, "memory/memory.limit_in_bytes", "memory.max");
            assert_eq!(limit, bytes.to_string());
        }
        for (pids, limit) in [(json!(30), "30"), (json!(null), "max"), (json!(40), "40")] {
            body = change(&rig, &body, with(&body, json!({"pids": pids}))).await;
            assert_eq!(cgroup(pid, "pids/pids.max", "pids.max"), limit);
        }
        let sometimes = json!({"policy": "on-failure", "max_retries": 2});
        for restart in [sometimes, json!({"policy": "always"}), json!(null)] {
            body = change(&rig, &body, with(&body, json!({"restart": restart}))).await;
        }
    });
}

#[test]
fn what_cannot_change_in_place_is_not_tried() {
    live("fixed", 16, |rig| async move {
        let (body, _) = limited(&rig).await;
        for attribute in ["cpus", "memory_nodes", "memory_bytes", "command"] {
            let without = with(&body, json!({attribute: null}));
            let refused = rig.try_update(&body, &without).await.unwrap_err();
            assert_eq!(refused.remedy, Remedy::Replan);
            assert!(refused.cause.starts_with(attribute), "{refused}");
            assert_eq!(
                Docker.impact("container", &[attribute.to_owned()], true),
                Impact::Replace
            );
        }
        rig.expect(&rig.workload(&body)).await;
    });
}

#[test]
fn networks_change_in_place() {
    live("connect", 12, |rig| async move {
        let image = rig.image("a", &root("connect"));
        let (lan, wan) = (rig.network("lan", false), rig.network("wan", true));
        for wanted in [&image, &lan, &wan] {
            rig.create(wanted).await;
        }
        let on = |networks: &[(&str, u8)]| -> BTreeMap<String, Endpoint> {
            networks
                .iter()
                .map(|(name, last)| ((*name).to_owned(), rig.endpoint(*last)))
                .collect()
        };
        let (lan, wan) = (lan.id.name.as_str(), wan.id.name.as_str());
        let mut body = Container {
            networks: on(&[(lan, 5)]),
            ..rig.container("a", &image)
        };
        rig.create(&rig.workload(&body)).await;
        for networks in [
            on(&[(lan, 6)]),
            on(&[(lan, 6), (wan, 140)]),
            on(&[(wan, 140)]),
            on(&[]),
            on(&[(lan, 7)]),
        ] {
            // The engine's own bridge may have been taken away on a machine that tests.
            let interfaces = std::fs::read_to_string("/proc/net/dev").unwrap();
            if networks.is_empty() && !interfaces.contains("docker0:") {
                eprintln!("SKIPPED the default bridge: docker0 is not there");
                continue;
            }
            body = change(&rig, &body.clone(), Container { networks, ..body }).await;
        }
        // Moved while it is stopped.
        rig.raw
            .stop_container(&body.name, None::<StopContainerOptions>)
            .await
            .unwrap();
        let moved = Container {
            networks: on(&[(lan, 8), (wan, 141)]),
            ..body.clone()
        };
        rig.try_update(&body, &moved).await.unwrap();
        rig.expect(&rig.workload(&moved)).await;
    });
}

#[test]
fn drift_is_seen_and_mended() {
    live("drift", 13, |rig| async move {
        let (image, other) = (
            rig.image("a", &root("drift")),
            rig.image("b", &root("other drift")),
        );
        rig.stand(&image).await;
        rig.create(&other).await;
        let body = Container {
            cpus: Some([0].into()),
            ..rig.container("a", &image)
        };
        let wanted = rig.workload(&body);
        rig.create(&wanted).await;
        let by_hand = bollard::models::ContainerUpdateBody {
            cpuset_cpus: Some("0,1".into()),
            ..Default::default()
        };
        rig.raw.update_container(&body.name, by_hand).await.unwrap();
        rig.raw.pause_container(&body.name).await.unwrap();
        let seen = rig.body(&wanted.id).await;
        assert_eq!(
            (seen["cpus"].as_str(), seen["state"].as_str()),
            (Some("0-1"), Some("paused"))
        );
        rig.try_update(&body, &body).await.unwrap();
        rig.expect(&wanted).await;
        rig.raw
            .stop_container(&body.name, None::<StopContainerOptions>)
            .await
            .unwrap();
        assert_eq!(rig.body(&wanted.id).await["state"], "exited");
        rig.try_update(&body, &body).await.unwrap();
        rig.expect(&wanted).await;

        let (repository, tag) = image.id.name.split_once(':').unwrap();
        let before = rig
            .raw
            .inspect_image(&image.id.name)
            .await
            .unwrap()
            .id
            .unwrap();
        let options = TagImageOptions {
            repo: Some(repository.into()),
            tag: Some(tag.into()),
        };
        rig.raw
            .tag_image(&other.id.name, Some(options))
            .await
            .unwrap();
        let moved = rig.body(&wanted.id).await;
        assert_eq!(moved["image"], format!("{} (was {before})", image.id.name));
        let listed = rig.daemon.list(&rig.project).await.unwrap();
        assert!(
            listed
                .iter()
                .any(|(_, seen)| matches!(seen, Observed::Present { body, .. } if *body == moved))
        );
    });
}

#[test]
fn a_creation_goes_on_where_it_was_cut_off() {
    live("cut", 14, |rig| async move {
        let image = rig.image("a", &root("cut container"));
        let (lan, wan) = (rig.network("lan", false), rig.network("wan", true));
        for wanted in [&image, &lan, &wan] {
            rig.create(wanted).await;
        }
        let networks =
            [(&lan, 5), (&wan, 150)].map(|(net, last)| (net.id.name.clone(), rig.endpoint(last)));
        let body = Container {
            networks: networks.into(),
            ..rig.container("a", &image)
        };
        let wanted = rig.workload(&body);

        // Made, not started.
        rig.create(&rig.workload(&Container {
            state: "created".into(),
            ..body.clone()
        }))
        .await;
        let (made, _) = rig.process(&body.name).await;
        assert_eq!(rig.body(&wanted.id).await["state"], "created");
        // And without its second network.
        let off = NetworkDisconnectRequest {
            container: made.clone(),
            force: Some(true),
        };
        rig.raw.disconnect_network(&wan.id.name, off).await.unwrap();
        rig.create(&wanted).await;
        rig.expect(&wanted).await;
        assert_eq!(
            rig.process(&body.name).await.0,
            made,
            "it is the one that was half made"
        );

        // Half made of something else.
        rig.delete(&wanted.id).await.unwrap();
        rig.create(&rig.workload(&Container {
            state: "created".into(),
            command: Some(shell("false")),
            ..body.clone()
        }))
        .await;
        let (other, _) = rig.process(&body.name).await;
        rig.create(&wanted).await;
        rig.expect(&wanted).await;
        assert_ne!(rig.process(&body.name).await.0, other);
    });
}

/// Every call is dropped after a while, as a kill would, and made again.
#[test]
fn calls_that_were_dropped_anywhere_are_finished() {
    live("dropped", 17, |rig| async move {
        let (image, lan) = (rig.image("a", &root("dropped")), rig.network("lan", false));
        let wanted = rig.workload(&rig.container("a", &image));
        for ms in [1, 3, 6, 10, 20, 40, 70, 110, 160, 230] {
            let patience = std::time::Duration::from_millis(ms);
            for one in [&image, &lan, &wanted] {
                let _ = tokio::time::timeout(patience, rig.try_create(one)).await;
                rig.create(one).await;
                rig.expect(one).await;
            }
            assert_eq!(rig.daemon.list(&rig.project).await.unwrap().len(), 3);
            for one in [&wanted, &lan, &image] {
                let _ = tokio::time::timeout(patience, rig.delete(&one.id)).await;
                rig.delete(&one.id)
                    .await
                    .unwrap_or_else(|e| panic!("{ms} ms: {e}"));
                assert_eq!(rig.read(&one.id).await, Observed::Absent);
            }
            // The engine carries a removal out that nobody waits for any more; not on the next ones.
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
        assert_eq!(rig.daemon.list(&rig.project).await.unwrap(), []);
    });
}
