//! What must be refused, in words that help; and what is left behind then.

use std::collections::BTreeMap;

use bollard::models::{
    ContainerConfig, ContainerCreateBody, Ipam, IpamConfig, NetworkCreateRequest,
    VolumeCreateRequest,
};
use bollard::query_parameters::{CommitContainerOptions, CreateContainerOptions, TagImageOptions};
use infra_api::target::*;
use infra_api::{Action, Failure, Observed, Remedy, Text, What};

use crate::rig::{Rig, live};
use crate::things::{root, shell};

fn hint(failure: &Failure) -> &str {
    failure.hint.as_deref().unwrap_or_default()
}

/// A container somebody made by hand.
async fn by_hand(rig: &Rig, name: &str, image: &str) -> String {
    let options = CreateContainerOptions {
        name: Some(name.into()),
        ..Default::default()
    };
    let body = ContainerCreateBody {
        image: Some(image.into()),
        cmd: Some(vec!["/bin/true".into()]),
        ..Default::default()
    };
    rig.raw
        .create_container(Some(options), body)
        .await
        .unwrap()
        .id
}

/// With a subnet: newer engines look at a container's address before its name.
fn somebodys_network(rig: &Rig, name: &str) -> NetworkCreateRequest {
    let range = IpamConfig {
        subnet: Some(format!("{}/25", rig.ip(0))),
        ..Default::default()
    };
    NetworkCreateRequest {
        name: name.to_owned(),
        ipam: Some(Ipam {
            config: Some(vec![range]),
            ..Default::default()
        }),
        ..Default::default()
    }
}

#[test]
fn what_is_not_ours_is_left_alone() {
    live("foreign", 21, |rig| async move {
        let image = rig.image("a", &root("foreign"));
        rig.create(&image).await;
        let lan = rig.network("lan", false);
        let volume = ContainerVolume {
            name: rig.name("data"),
            ..ContainerVolume::default()
        };
        let volume = rig.resource("volume.data", What::ContainerVolume(volume));
        let container = rig.workload(&rig.container("a", &image));

        let id = by_hand(&rig, &container.id.name, &image.id.name).await;
        let request = somebodys_network(&rig, &lan.id.name);
        rig.raw.create_network(request).await.unwrap();
        let request = VolumeCreateRequest {
            name: Some(volume.id.name.clone()),
            ..Default::default()
        };
        rig.raw.create_volume(request).await.unwrap();

        for wanted in [&lan, &volume, &container] {
            let what = rig.foreign(&wanted.id).await;
            assert!(what.contains("was not made by infra"), "{what}");
            let refused = rig.try_create(wanted).await.unwrap_err();
            assert_eq!(
                (refused.remedy, refused.cause.as_str()),
                (Remedy::Replan, what.as_str())
            );
            assert_eq!(
                rig.delete(&wanted.id).await.unwrap_err().remedy,
                Remedy::Replan
            );
            rig.foreign(&wanted.id).await;
        }
        assert!(rig.foreign(&container.id).await.contains(&id[..12]));
        let body = rig.container("a", &image);
        assert_eq!(
            rig.try_update(&body, &body).await.unwrap_err().remedy,
            Remedy::Replan
        );
        assert_eq!(rig.process(&container.id.name).await.0, id);
        // An image of no known name.
        let (repo, tag) = (Some(rig.name("theirs")), Some("1".to_owned()));
        rig.raw
            .tag_image(&image.id.name, Some(TagImageOptions { repo, tag }))
            .await
            .unwrap();
        let mut theirs = image.id.clone();
        theirs.name = rig.name("theirs:1");
        assert!(rig.foreign(&theirs).await.contains("was not made by infra"));
        assert_eq!(
            rig.delete(&theirs).await.unwrap_err().remedy,
            Remedy::Replan
        );
        rig.raw
            .remove_image(
                &theirs.name,
                None::<bollard::query_parameters::RemoveImageOptions>,
                None,
            )
            .await
            .unwrap();
    });
}

/// A container has its image's labels, and an image committed from one of ours has our mark.
#[test]
fn an_inherited_mark_is_none() {
    live("inherited", 27, |rig| async move {
        let image = rig.image("a", &root("inherited"));
        rig.stand(&image).await;
        let body = rig.container("a", &image);
        let wanted = rig.workload(&body);
        rig.create(&wanted).await;
        let options = CommitContainerOptions {
            container: Some(body.name.clone()),
            repo: Some(rig.name("committed")),
            tag: Some("1".to_owned()),
            ..Default::default()
        };
        rig.raw
            .commit_container(options, ContainerConfig::default())
            .await
            .unwrap();
        let copy = rig.workload(&rig.container("copy", &image)).id;
        let id = by_hand(&rig, &copy.name, &rig.name("committed:1")).await;
        assert!(rig.foreign(&copy).await.contains("was not made by infra"));
        assert_eq!(rig.delete(&copy).await.unwrap_err().remedy, Remedy::Replan);
        assert_eq!(rig.process(&copy.name).await.0, id);
        let listed = rig.daemon.list(&rig.project).await.unwrap();
        assert!(listed.iter().all(|(id, _)| *id != copy), "{listed:?}");
        rig.expect(&wanted).await;
    });
}

#[test]
fn what_is_in_use_names_its_users() {
    live("in-use", 22, |rig| async move {
        let image = rig.image("a", &root("in use"));
        let lan = rig.network("lan", false);
        let volume = ContainerVolume {
            name: rig.name("data"),
            ..ContainerVolume::default()
        };
        let volume = rig.resource("volume.data", What::ContainerVolume(volume));
        for wanted in [&image, &lan, &volume] {
            rig.create(wanted).await;
        }
        let body = Container {
            networks: BTreeMap::from([(lan.id.name.clone(), rig.endpoint(5))]),
            mounts: BTreeMap::from([("/d".into(), Mount::volume(volume.id.name.clone(), false))]),
            ..rig.container("a", &image)
        };
        let container = rig.workload(&body);
        rig.create(&container).await;
        for wanted in [&image, &lan, &volume] {
            let refused = rig.delete(&wanted.id).await.unwrap_err();
            let told = format!("{} {}", refused.cause, hint(&refused));
            assert!(told.contains(&body.name), "{told}");
            rig.expect(wanted).await;
        }
        for wanted in [&container, &image, &lan, &volume] {
            rig.delete(&wanted.id).await.unwrap();
        }
        assert_eq!(rig.daemon.list(&rig.project).await.unwrap(), []);
    });
}

#[test]
fn two_networks_of_one_name() {
    live("twins", 23, |rig| async move {
        let lan = rig.network("lan", false);
        rig.create(&lan).await;
        let request = NetworkCreateRequest {
            name: lan.id.name.clone(),
            ..Default::default()
        };
        if rig.raw.create_network(request).await.is_err() {
            eprintln!("this engine lets no two networks have one name");
            return;
        }
        let refused = rig.daemon.read(&rig.project, &lan.id).await.unwrap_err();
        assert_eq!(refused.cause.matches(&lan.id.name).count(), 2, "{refused}");
        assert!(hint(&refused).contains("docker network rm ID"));
    });
}

#[test]
fn what_the_engine_refuses_leaves_nothing() {
    live("cpuset", 24, |rig| async move {
        let image = rig.image("a", &root("cpuset"));
        rig.stand(&image).await;
        let body = Container {
            cpus: Some([8000].into()),
            ..rig.container("a", &image)
        };
        let wanted = rig.workload(&body);
        let refused = rig.try_create(&wanted).await.unwrap_err();
        assert_eq!(
            refused.doing,
            format!("creating container `{}` on r1", body.name)
        );
        assert!(
            refused.cause.contains("Requested CPUs are not available"),
            "{refused}"
        );
        assert!(hint(&refused).contains("plan again"));
        assert_eq!(rig.read(&wanted.id).await, Observed::Absent);
        let ghost = rig.workload(&Container {
            image: "infra/nobody/a:0".into(),
            cpus: None,
            ..body.clone()
        });
        assert_eq!(
            rig.try_create(&ghost).await.unwrap_err().remedy,
            Remedy::Replan
        );
        let nowhere = BTreeMap::from([("/x".into(), Mount::bind("/nowhere", true))]);
        let bound = rig.workload(&Container {
            mounts: nowhere,
            cpus: None,
            ..body
        });
        assert!(hint(&rig.try_create(&bound).await.unwrap_err()).contains("make the directory"));
    });
}

/// Who makes a container of which the plan knew nothing makes a new one or none: also where the one of its name is ours,
/// and where it is just as it is wanted.
#[test]
fn what_came_meanwhile_is_left_alone() {
    live("meanwhile", 61, |rig| async move {
        let image = rig.image("a", &root("meanwhile"));
        rig.stand(&image).await;
        let body = rig.container("a", &image);
        let wanted = rig.workload(&body);
        let anew = || Action::Create {
            body: wanted.body.clone().into_value(),
            source: None,
            anew: true,
        };
        let other = rig.workload(&Container {
            command: Some(shell("sleep 1000")),
            ..body.clone()
        });
        for there in [&other, &wanted] {
            rig.create(there).await;
            let process = rig.process(&body.name).await;
            let refused = rig.apply(&wanted.id, rig.mark("workload.a"), anew()).await;
            let refused = refused.unwrap_err();
            assert_eq!(refused.remedy, Remedy::Replan);
            assert!(
                refused.cause.contains("the world changed meanwhile"),
                "{refused}"
            );
            assert!(refused.cause.contains(&body.name), "{refused}");
            assert_eq!(rig.process(&body.name).await, process);
            rig.expect(there).await;
            rig.delete(&wanted.id).await.unwrap();
        }
        rig.apply(&wanted.id, rig.mark("workload.a"), anew())
            .await
            .unwrap();
        rig.expect(&wanted).await;
    });
}

#[test]
fn what_does_not_start_can_be_looked_at() {
    live("start", 25, |rig| async move {
        let image = rig.image("a", &root("start"));
        rig.stand(&image).await;
        let secret = BTreeMap::from([("S".into(), Text::from("hunter2"))]);
        let body = Container {
            command: Some(vec![Text::from("/nope")]),
            env: secret,
            ..rig.container("a", &image)
        };
        let wanted = rig.workload(&body);
        let failed = rig.try_create(&wanted).await.unwrap_err();
        assert_eq!(
            failed.doing,
            format!("starting container `{}` on r1", body.name)
        );
        assert!(failed.cause.contains("no such file"), "{failed}");
        assert!(hint(&failed).contains("check `command`"), "{failed:?}");
        assert!(!format!("{failed:?}").contains("hunter2"));
        assert_eq!(rig.body(&wanted.id).await["state"], "created");
        let mended = Container {
            command: Some(shell("sleep 1000")),
            ..body
        };
        rig.create(&rig.workload(&mended)).await;
        rig.expect(&rig.workload(&mended)).await;
        let found = rig.raw.inspect_container(&mended.name, None).await.unwrap();
        let labels = found.config.unwrap().labels.unwrap();
        assert!(
            labels.values().all(|value| !value.contains("hunter2")),
            "{labels:?}"
        );
    });
}

#[test]
fn archives_that_are_not_as_planned() {
    live("archive", 26, |rig| async move {
        let whole = root("archive");
        let good = rig.image("a", &whole);
        let path = good.source.clone().unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let truncated = rig.try_create(&good).await.unwrap_err();
        assert!(
            truncated.cause.contains("truncated")
                && truncated.cause.contains(path.to_str().unwrap())
        );
        std::fs::write(&path, root("another")).unwrap();
        let changed = rig.try_create(&good).await.unwrap_err();
        assert_eq!(changed.remedy, Remedy::Replan);
        assert!(
            changed.cause.contains("not the one that was planned"),
            "{changed}"
        );
        std::fs::write(&path, crate::things::saved("another", "x:1")).unwrap();
        assert_eq!(
            rig.try_create(&good).await.unwrap_err().remedy,
            Remedy::Replan
        );
        std::fs::remove_file(&path).unwrap();
        let missing = rig.try_create(&good).await.unwrap_err();
        assert!(missing.cause.contains("No such file"), "{missing}");
        assert_eq!(rig.daemon.list(&rig.project).await.unwrap(), []);
        std::fs::write(&path, &whole).unwrap();
        rig.create(&good).await;
        rig.expect(&good).await;
        // It is there: the file is not needed any more.
        std::fs::remove_file(&path).unwrap();
        rig.create(&good).await;
    });
}
