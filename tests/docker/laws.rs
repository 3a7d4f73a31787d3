//! The laws of the contract, for each kind of object.

use std::collections::BTreeMap;

use bollard::query_parameters::{RemoveImageOptions, TagImageOptions};
use infra_api::target::*;
use infra_api::{Facts, ImageTag, Observed, Pinned, Readiness, Remedy, Resource, What};
use serde_json::json;

use crate::rig::{Rig, live};
use crate::things::{root, saved, shell, with};

/// Laws 2 to 6 for one object; it is left there.
async fn holds(rig: &Rig, wanted: &Resource) {
    assert_eq!(rig.read(&wanted.id).await, Observed::Absent);
    rig.delete(&wanted.id).await.unwrap();
    rig.create(wanted).await;
    rig.expect(wanted).await;
    rig.create(wanted).await;
    rig.expect(wanted).await;
    let listed = rig.daemon.list(&rig.project).await.unwrap();
    let whole = Observed::Present {
        address: wanted.address.clone(),
        body: wanted.body.clone(),
    };
    assert!(listed.contains(&(wanted.id.clone(), whole)), "{listed:?}");
    assert!(listed.is_sorted_by(|(a, _), (b, _)| a < b), "{listed:?}");
    let stranger = rig.stranger(wanted.address.as_str());
    let refused = rig
        .apply(&wanted.id, stranger.clone(), infra_api::Action::Delete)
        .await
        .unwrap_err();
    assert_eq!(refused.remedy, Remedy::Replan);
    assert!(
        refused
            .cause
            .contains(&format!("project `{}`", rig.project)),
        "{refused}"
    );
    let seen = rig
        .daemon
        .read(&stranger.project, &wanted.id)
        .await
        .unwrap();
    assert!(matches!(seen, Observed::Foreign { .. }), "{seen:?}");
    rig.expect(wanted).await;
}

async fn goes(rig: &Rig, wanted: &Resource) {
    rig.delete(&wanted.id).await.unwrap();
    assert_eq!(rig.read(&wanted.id).await, Observed::Absent);
    rig.delete(&wanted.id).await.unwrap();
}

#[test]
fn networks_and_volumes() {
    live("plain", 1, |rig| async move {
        let volume = ContainerVolume {
            name: rig.name("data"),
            ..ContainerVolume::default()
        };
        for wanted in [
            rig.network("lan", false),
            rig.resource("volume.data", What::ContainerVolume(volume)),
        ] {
            holds(&rig, &wanted).await;
            assert_eq!(rig.ready(&wanted.id).await, Readiness::Ready);
            goes(&rig, &wanted).await;
        }
        assert_eq!(rig.daemon.list(&rig.project).await.unwrap(), []);
    });
}

#[test]
fn images() {
    live("images", 2, |rig| async move {
        let theirs = rig.name("theirs:latest");
        for wanted in [
            rig.image("root", &root("images")),
            rig.image("saved", &saved("images", &theirs)),
        ] {
            holds(&rig, &wanted).await;
            goes(&rig, &wanted).await;
        }
        assert!(
            rig.raw.inspect_image(&theirs).await.is_err(),
            "a name in the archive is not taken"
        );
        // The same archive gives the same image, whenever it is made.
        let wanted = rig.image("root", &root("images"));
        let mut ids = Vec::new();
        for _ in 0..2 {
            rig.create(&wanted).await;
            ids.push(rig.raw.inspect_image(&wanted.id.name).await.unwrap().id);
            rig.delete(&wanted.id).await.unwrap();
        }
        assert_eq!(ids[0], ids[1]);
    });
}

/// The same image packed anew is another archive and the same content: both names stand for one image.
#[test]
fn one_image_of_two_archives_loses_one_name_while_it_is_used() {
    live("image-twice", 28, |rig| async move {
        let name = rig.name("theirs:latest");
        let archive = saved("twice", &name);
        let (old, new) = (
            rig.image("a", &archive),
            rig.image("b", &[archive.as_slice(), &[0; 512]].concat()),
        );
        rig.stand(&old).await;
        rig.create(&new).await;
        let one = rig.raw.inspect_image(&old.id.name).await.unwrap();
        let other = rig.raw.inspect_image(&new.id.name).await.unwrap();
        assert_eq!(one.id, other.id);
        let user = rig.workload(&rig.container("a", &new));
        rig.create(&user).await;
        rig.delete(&old.id).await.unwrap();
        assert_eq!(rig.read(&old.id).await, Observed::Absent);
        rig.expect(&user).await;
        let refused = rig.delete(&new.id).await.unwrap_err();
        assert!(refused.cause.contains("in use by"), "{refused}");
    });
}

#[test]
fn an_image_is_made_whole_from_any_point() {
    live("image-cut", 3, |rig| async move {
        let (wanted, other) = (rig.image("a", &root("cut")), rig.image("b", &root("other")));
        rig.create(&wanted).await;
        rig.create(&other).await;
        let (repository, short) = wanted.id.name.split_once(':').unwrap();
        let long = format!("{repository}:{}", wanted.body["sha256"].as_str().unwrap());
        // Only the long name is there.
        rig.raw
            .remove_image(&wanted.id.name, None::<RemoveImageOptions>, None)
            .await
            .unwrap();
        assert_eq!(rig.read(&wanted.id).await, Observed::Absent);
        let listed = rig.daemon.list(&rig.project).await.unwrap();
        assert!(listed.iter().any(|(id, _)| *id == wanted.id), "{listed:?}");
        rig.create(&wanted).await;
        rig.expect(&wanted).await;
        // Only the short one.
        rig.raw
            .remove_image(&long, None::<RemoveImageOptions>, None)
            .await
            .unwrap();
        assert!(matches!(
            rig.read(&wanted.id).await,
            Observed::Partial { .. }
        ));
        rig.create(&wanted).await;
        rig.expect(&wanted).await;
        // The short one was moved.
        let options = TagImageOptions {
            repo: Some(repository.into()),
            tag: Some(short.into()),
        };
        rig.raw
            .tag_image(&other.id.name, Some(options))
            .await
            .unwrap();
        assert!(matches!(
            rig.read(&wanted.id).await,
            Observed::Partial { .. }
        ));
        rig.create(&wanted).await;
        rig.expect(&wanted).await;
        rig.expect(&other).await;
    });
}

#[test]
fn a_plain_container() {
    live("container", 4, |rig| async move {
        let image = rig.image("a", &root("container"));
        rig.stand(&image).await;
        let wanted = rig.workload(&rig.container("a", &image));
        holds(&rig, &wanted).await;
        let (id, pid) = rig.process(&wanted.id.name).await;
        rig.create(&wanted).await;
        assert_eq!(
            rig.process(&wanted.id.name).await,
            (id, pid),
            "made again is left alone"
        );
        let (one, other) = tokio::join!(rig.delete(&wanted.id), rig.delete(&wanted.id));
        one.and(other).unwrap();
        goes(&rig, &wanted).await;
        goes(&rig, &image).await;
    });
}

/// A container with everything at once, and what it uses made.
async fn everything(rig: &Rig, image: &Resource) -> Container {
    let (wan, volume) = (rig.network("wan", true), rig.name("data"));
    let data = What::ContainerVolume(ContainerVolume {
        name: volume.clone(),
        ..ContainerVolume::default()
    });
    rig.stand(image).await;
    rig.create(&wan).await;
    rig.create(&rig.resource("volume.data", data)).await;
    let mut body = rig.container("a", image);
    body.networks.insert(wan.id.name.clone(), rig.endpoint(135));
    with(
        &body,
        json!({
            "entrypoint": shell("echo $0 && exec sleep 1000"),
            "command": ["arg"],
            "env": {"A": "image", "C": "x=y z"},
            "user": "0:0",
            "working_dir": "/bin",
            "labels": {"team": "ours"},
            "ports": [{"host": 23105, "container": 80, "protocol": "tcp", "host_address": "127.0.0.1"}],
            "mounts": {
                "/data": {"type": "volume", "source": volume, "read_only": false},
                "/here": {"type": "bind", "source": rig.dir.path(), "read_only": true},
                "/tmp": {"type": "tmpfs", "size_bytes": 1 << 20},
            },
            "restart": {"policy": "on-failure", "max_retries": 2},
            "health_check": {"probe": {"command": ["/bin/true"]}, "interval_ns": 1_000_000_000},
            "ulimits": {"nofile": {"soft": 100, "hard": 200}},
            "cpus": "0",
            "memory_nodes": "0",
            "memory_bytes": 64 << 20,
            "pids": 50,
        }),
    )
}

/// On an image that gives a little of everything too.
#[test]
fn a_full_container() {
    live("full", 5, |rig| async move {
        let image = rig.image("a", &saved("full", "full:latest"));
        let wanted = rig.workload(&everything(&rig, &image).await);
        holds(&rig, &wanted).await;
        assert_eq!(rig.ready(&wanted.id).await, Readiness::Ready);
        let found = rig
            .raw
            .inspect_container(&wanted.id.name, None)
            .await
            .unwrap();
        let ports = found.network_settings.unwrap().ports.unwrap();
        let bound = ports["80/tcp"]
            .as_ref()
            .is_some_and(|bound| !bound.is_empty());
        assert!(bound, "published: {ports:?}");
        goes(&rig, &wanted).await;
        // Nothing but what it cannot do without: all else is the image's.
        let bare = with(
            &rig.container("b", &image),
            json!({"command": ["sleep", "1000"]}),
        );
        holds(&rig, &rig.workload(&bare)).await;
    });
}

#[test]
fn discovery() {
    live("facts", 6, |rig| async move {
        let image = rig.image("a", &root("facts"));
        let lan = rig.network("lan", false);
        rig.stand(&image).await;
        rig.create(&lan).await;
        let port = Port {
            host: 23_106,
            container: 80,
            protocol: "udp".into(),
            host_address: None,
        };
        let body = Container {
            ports: vec![port],
            networks: BTreeMap::from([(lan.id.name.clone(), rig.endpoint(5))]),
            cpus: Some([0].into()),
            memory_bytes: Some(64 << 20),
            ..rig.container("a", &image)
        };
        rig.create(&rig.workload(&body)).await;
        let mut facts = Facts::default();
        rig.daemon.discover(&mut facts).await.unwrap();
        let docker = facts.docker.unwrap();
        assert!(facts.versions.docker.is_some() && facts.runtimes.container.unwrap().offered);
        assert!(
            docker.api_version.is_some()
                && docker.root_dir.is_some()
                && docker.storage_driver.is_some()
        );
        assert!(docker.free_bytes.is_some_and(|bytes| bytes > 0));
        assert!(docker.live_restore.is_some() && docker.cgroup_driver.is_some());
        let network = docker
            .networks
            .iter()
            .find(|one| one.name == lan.id.name)
            .unwrap();
        assert_eq!(network.subnets, [format!("{}/25", rig.ip(0))]);
        assert_eq!(network.project.as_deref(), Some(rig.project.as_str()));
        let used = facts
            .used
            .iter()
            .find(|one| one.project == network.project)
            .unwrap();
        assert_eq!(
            (used.owner.as_str(), used.memory_bytes),
            ("workload.a", Some(64 << 20))
        );
        assert_eq!(used.shared_cpus, [0].into());
        let ports: Vec<_> = used
            .host_ports
            .iter()
            .map(|one| (one.address, one.port))
            .collect();
        assert_eq!(ports, [(None, 23_106)]);
    });
}

#[test]
fn tags_are_resolved_or_refused() {
    live("resolve", 7, |rig| async move {
        let pinned = format!("r1.example/cache@sha256:{}", "0".repeat(64));
        let resolve = async |reference: &str| {
            let tag = ImageTag::new(reference);
            rig.daemon.resolve_image(&tag, None).await
        };
        assert_eq!(resolve(&pinned).await.unwrap(), Pinned::new(&pinned));
        let none = resolve("r1.example/cache").await.unwrap_err();
        assert!(none.cause.contains("no tag"), "{none}");
        let away = resolve("registry.invalid/cache:1").await.unwrap_err();
        assert!(away.hint.unwrap().contains("registry must be reachable"));
    });
}

#[test]
fn readiness() {
    live("ready", 8, |rig| async move {
        let image = rig.image("a", &root("ready"));
        rig.stand(&image).await;
        let check = |command: &[&str]| {
            Some(HealthCheck {
                probe: Probe::Command(command.iter().map(|word| (*word).to_owned()).collect()),
                interval_ns: Some(200_000_000),
                timeout_ns: None,
                start_period_ns: None,
                start_interval_ns: None,
                retries: Some(2),
            })
        };
        let sick = check(&["/bin/sh", "-c", "echo not today; false"]);
        let sick = rig.workload(&Container {
            health_check: sick,
            ..rig.container("sick", &image)
        });
        let well = rig.workload(&Container {
            health_check: check(&["/bin/true"]),
            ..rig.container("well", &image)
        });
        let over = Container {
            command: Some(shell("echo so long; exit 3")),
            ..rig.container("over", &image)
        };
        let again = Container {
            restart: Some(Restart {
                policy: "always".to_owned(),
                max_retries: None,
            }),
            command: over.command.clone(),
            ..rig.container("again", &image)
        };
        let again = rig.workload(&again);
        let over = rig.workload(&over);
        for wanted in [&sick, &well, &over, &again] {
            rig.create(wanted).await;
        }
        assert_eq!(rig.ready(&well.id).await, Readiness::Ready);
        let unhealthy = "unhealthy: its check ended with 1: not today";
        assert_eq!(
            rig.ready(&sick.id).await,
            Readiness::Failed(unhealthy.into())
        );
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let exited = "it exited with code 3; it last said: so long";
        assert_eq!(rig.ready(&over.id).await, Readiness::Failed(exited.into()));
        assert_eq!(rig.body(&over.id).await["state"], "exited");
        // It runs for moments, and is between them for longer each time.
        let said = |ready: &Readiness| match ready {
            Readiness::Waiting(what) => what.contains("code 3; it last said: so long"),
            _ => false,
        };
        for _ in 0..200 {
            if said(&rig.daemon.ready(&again.id).await.unwrap()) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{:?}", rig.daemon.ready(&again.id).await);
    });
}
