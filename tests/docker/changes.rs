//! Changes in place, read back from the kernel; and what was cut off, gone on with.

use std::collections::BTreeMap;

use bollard::models::NetworkDisconnectRequest;
use bollard::query_parameters::{StopContainerOptions, TagImageOptions};
use infra_api::target::*;
use infra_api::{Impact, Provider, Remedy};
use infra_docker::Docker;

use crate::rig::{Rig, cgroup, live, root, shell, status};

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

#[test]
fn every_resource_changes_in_place() {
    live("update", 11, |rig| async move {
        let image = rig.image("a", &root("update"));
        rig.stand(&image).await;
        let body = Container {
            cpus: Some([0].into()),
            memory_nodes: Some([0].into()),
            memory_bytes: Some(32 << 20),
            pids: Some(20),
            ..rig.container("a", &image)
        };
        rig.create(&rig.workload(&body)).await;
        let (_, pid) = rig.process(&body.name).await;
        let memory = |pid| cgroup(pid, "memory/memory.limit_in_bytes", "memory.max");
        let pids = |pid| cgroup(pid, "pids/pids.max", "pids.max");
        assert_eq!(status(pid, "Cpus_allowed_list"), "0");

        let body = change(
            &rig,
            &body.clone(),
            Container {
                cpus: Some([0, 1].into()),
                ..body
            },
        )
        .await;
        assert_eq!(status(pid, "Cpus_allowed_list"), "0-1");
        let body = change(
            &rig,
            &body.clone(),
            Container {
                cpus: Some([1].into()),
                ..body
            },
        )
        .await;
        assert_eq!(status(pid, "Cpus_allowed_list"), "1");
        assert_eq!(status(pid, "Mems_allowed_list"), "0");
        let body = change(
            &rig,
            &body.clone(),
            Container {
                memory_bytes: Some(64 << 20),
                ..body
            },
        )
        .await;
        assert_eq!(memory(pid), (64 << 20).to_string());
        let body = change(
            &rig,
            &body.clone(),
            Container {
                memory_bytes: Some(48 << 20),
                ..body
            },
        )
        .await;
        assert_eq!(memory(pid), (48 << 20).to_string());
        let body = change(
            &rig,
            &body.clone(),
            Container {
                pids: Some(30),
                ..body
            },
        )
        .await;
        assert_eq!(pids(pid), "30");
        let body = change(&rig, &body.clone(), Container { pids: None, ..body }).await;
        assert_eq!(pids(pid), "max");
        let always = Some(Restart {
            policy: "always".into(),
            max_retries: None,
        });
        let body = change(
            &rig,
            &body.clone(),
            Container {
                restart: always,
                ..body
            },
        )
        .await;
        let body = change(
            &rig,
            &body.clone(),
            Container {
                restart: None,
                ..body
            },
        )
        .await;

        for (attribute, without) in [
            (
                "cpus",
                Container {
                    cpus: None,
                    ..body.clone()
                },
            ),
            (
                "memory_nodes",
                Container {
                    memory_nodes: None,
                    ..body.clone()
                },
            ),
            (
                "memory_bytes",
                Container {
                    memory_bytes: None,
                    ..body.clone()
                },
            ),
            (
                "hostname",
                Container {
                    hostname: "b".into(),
                    ..body.clone()
                },
            ),
        ] {
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
            if networks.is_empty() && !std::path::Path::new("/sys/class/net/docker0").exists() {
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
        assert!(listed.iter().any(
            |(_, seen)| matches!(seen, infra_api::Observed::Present { body, .. } if *body == moved)
        ));
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
