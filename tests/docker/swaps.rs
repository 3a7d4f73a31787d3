//! A container made anew beside the old one: in one go, from wherever it was cut off, and not at all where the new one
//! cannot be.

use bollard::query_parameters::{RemoveContainerOptions, RenameContainerOptions};
use infra_api::target::*;
use infra_api::{Action, Failure, Observed, Readiness, names};
use serde_json::json;

use crate::rig::{Rig, live};
use crate::things::{root, shell, with};

async fn replace(rig: &Rig, after: &Container, early: bool) -> Result<(), Failure> {
    let wanted = rig.workload(after);
    let action = Action::Replace {
        body: wanted.body.into_value(),
        early,
    };
    rig.apply(&wanted.id, rig.mark("workload.a"), action).await
}

/// A running container, and what shall take its place.
async fn old_and_new(rig: &Rig) -> (Container, Container) {
    let image = rig.image("a", &root(rig.project.as_str()));
    rig.stand(&image).await;
    let old = rig.container("a", &image);
    rig.create(&rig.workload(&old)).await;
    let new = with(&old, json!({"hostname": "other"}));
    (old, new)
}

/// The new one as it is called beside the old one.
fn next(new: &Container) -> Container {
    with(new, json!({"name": names::next(&new.name)}))
}

async fn took_place(rig: &Rig, new: &Container, old: &(String, i64)) {
    let wanted = rig.workload(new);
    rig.expect(&wanted).await;
    assert_eq!(rig.ready(&wanted.id).await, Readiness::Ready);
    assert_ne!(rig.process(&new.name).await.0, old.0);
    let listed = rig.daemon.list(&rig.project).await.unwrap();
    let containers: Vec<_> = listed
        .iter()
        .filter(|(id, _)| id.kind == "container")
        .map(|(id, _)| id.name.as_str())
        .collect();
    assert_eq!(containers, [new.name.as_str()], "and nothing is beside it");
}

#[test]
fn a_container_takes_the_place_of_another() {
    live("takes-place", 31, |rig| async move {
        let (old, new) = old_and_new(&rig).await;
        let before = rig.process(&old.name).await;
        replace(&rig, &new, false).await.unwrap();
        took_place(&rig, &new, &before).await;
        let after = rig.process(&new.name).await;
        replace(&rig, &new, false).await.unwrap();
        assert_eq!(rig.process(&new.name).await, after, "twice is once");
        rig.delete(&rig.workload(&new).id).await.unwrap();
    });
}

#[test]
fn it_goes_on_from_wherever_it_was_cut_off() {
    live("cut-off-swap", 32, |rig| async move {
        for stage in ["made", "removed", "named"] {
            let (old, new) = old_and_new(&rig).await;
            let before = rig.process(&old.name).await;
            rig.create(&rig.workload(&with(&next(&new), json!({"state": "created"}))))
                .await;
            let leftover = rig.workload(&next(&new)).id;
            assert!(
                matches!(rig.read(&leftover).await, Observed::Present { .. }),
                "it is ours"
            );
            if stage != "made" {
                let force = RemoveContainerOptions {
                    force: true,
                    ..Default::default()
                };
                rig.raw
                    .remove_container(&old.name, Some(force))
                    .await
                    .unwrap();
            }
            if stage == "named" {
                let name = new.name.clone();
                let options = RenameContainerOptions { name };
                rig.raw
                    .rename_container(&leftover.name, options)
                    .await
                    .unwrap();
            }
            replace(&rig, &new, false).await.unwrap();
            took_place(&rig, &new, &before).await;
            rig.delete(&rig.workload(&new).id).await.unwrap();
        }
    });
}

/// What the engine would refuse to make costs the old one nothing.
#[test]
fn what_cannot_be_made_stops_nothing() {
    live("unmade-swap", 33, |rig| async move {
        let (old, new) = old_and_new(&rig).await;
        let before = rig.process(&old.name).await;
        let mounts =
            json!({"/x": {"type": "bind", "source": "/nowhere/at/all", "read_only": true}});
        let wrong = with(&new, json!({"mounts": mounts}));
        let failure = replace(&rig, &wrong, false).await.unwrap_err();
        assert!(failure.cause.contains("/nowhere/at/all"), "{failure}");
        assert_eq!(rig.process(&old.name).await, before);
        rig.expect(&rig.workload(&old)).await;
    });
}

/// Nor what would not run, where the new one runs first.
#[test]
fn what_does_not_run_stops_nothing_where_it_is_first() {
    live("first-swap", 34, |rig| async move {
        let (old, _) = old_and_new(&rig).await;
        let old = {
            let alone = with(&old, json!({"networks": {}}));
            rig.delete(&rig.workload(&old).id).await.unwrap();
            rig.create(&rig.workload(&alone)).await;
            alone
        };
        let before = rig.process(&old.name).await;
        for command in [json!(["/bin/none"]), json!(shell("echo no >&2; exit 3"))] {
            let wrong = with(&old, json!({"command": command}));
            let failure = replace(&rig, &wrong, true).await.unwrap_err();
            assert_eq!(rig.process(&old.name).await, before, "{failure}");
        }
        let new = with(&old, json!({"hostname": "other"}));
        replace(&rig, &new, true).await.unwrap();
        took_place(&rig, &new, &before).await;
    });
}
