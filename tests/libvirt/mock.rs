//! On libvirt's in-memory mock: definitions, pins, lifecycle, and whose an object is.

use infra_api::target::*;
use infra_api::*;
use infra_libvirt::Libvirt;
use serde_json::json;
use virt::domain::Domain;

use crate::bench::*;

#[test]
fn a_machine_keeps_the_laws() {
    on_mock("laws", |b| {
        Box::pin(async {
            let machine = b.pinned(1);
            b.laws(&b.id("domain", &machine.name), &machine, None).await;
        })
    });
}

#[test]
fn states_are_seen_and_mended() {
    on_mock("states", |b| {
        Box::pin(async {
            let machine = b.plain();
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            assert_eq!(b.daemon.ready(&id).await, Ok(Readiness::Ready));
            for (state, act) in [
                ("paused", Domain::suspend as fn(&Domain) -> _),
                ("shutoff", Domain::destroy),
            ] {
                act(&b.domain_by_hand(&machine)).unwrap();
                let found = b.machine(&id).await;
                assert_eq!(
                    found,
                    Machine {
                        state: state.into(),
                        ..machine.clone()
                    }
                );
                assert_ne!(b.daemon.ready(&id).await, Ok(Readiness::Ready));
                b.update(&id, &found, &machine, Impact::InPlace)
                    .await
                    .unwrap();
                assert_eq!(b.machine(&id).await, machine);
            }
        })
    });
}

#[test]
fn autostart_is_kept() {
    on_mock("autostart", |b| {
        Box::pin(async {
            let machine = Machine {
                autostart: true,
                ..b.plain()
            };
            b.create(&b.id("domain", &machine.name), &machine, None)
                .await
                .unwrap();
            assert_eq!(b.machine(&b.id("domain", &machine.name)).await, machine);
        })
    });
}

#[test]
fn a_restart_that_was_not_planned_is_refused() {
    on_mock("unplanned", |b| {
        Box::pin(async {
            let (small, large) = (
                b.plain(),
                Machine {
                    memory_bytes: 128 * MIB,
                    ..b.plain()
                },
            );
            let id = b.id("domain", &small.name);
            b.create(&id, &small, None).await.unwrap();
            let refused = b
                .update(&id, &small, &large, Impact::InPlace)
                .await
                .unwrap_err();
            assert_eq!(refused.remedy, Remedy::Replan);
            assert_eq!(b.machine(&id).await, small);
            b.update(&id, &small, &large, Impact::Restart)
                .await
                .unwrap();
            assert_eq!(b.machine(&id).await, large);
        })
    });
}

/// The mock has a domain, a network and a pool of nobody's.
#[test]
fn a_strangers_objects_are_not_touched() {
    on_mock("foreign", |b| {
        Box::pin(async {
            let machine = Machine {
                name: "test".into(),
                ..b.plain()
            };
            let id = b.id("domain", "test");
            let before = b.domain_by_hand(&machine).xml_desc(0).unwrap();
            b.refused(&id, &machine, None).await;
            let refused = b
                .update(&id, &machine, &machine, Impact::Restart)
                .await
                .unwrap_err();
            assert!(refused.cause.contains("was not made by infra"), "{refused}");
            assert_eq!(b.domain_by_hand(&machine).xml_desc(0).unwrap(), before);
            let network = MachineNetwork {
                name: "default".into(),
                uuid: machine.uuid,
                bridge: Some("x".into()),
                driver: None,
                own: None,
            };
            b.refused(&b.id("network", "default"), &network, None).await;
            let pool = Pool {
                name: "default-pool".into(),
                path: "/default-pool".into(),
                volume_group: None,
            };
            b.refused(&b.id("pool", "default-pool"), &pool, None).await;
        })
    });
}

#[test]
fn another_projects_objects_are_not_ours() {
    on_mock("mine", |b| {
        Box::pin(async {
            let other = Bench::open(MOCK, "infra-test-libvirt-other").await;
            let machine = Machine {
                name: "infra-test-libvirt-shared".into(),
                ..b.plain()
            };
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            other.refused(&id, &machine, None).await;
            assert_eq!(b.machine(&id).await, machine);
        })
    });
}

#[test]
fn networks_and_pools_keep_the_laws() {
    on_mock("kinds", |b| {
        Box::pin(async {
            let pool = b.pool();
            b.laws(&b.id("pool", &pool.name), &pool, None).await;
            let network = MachineNetwork {
                name: b.name("lan"),
                uuid: b.plain().uuid,
                bridge: Some("br-mock".into()),
                driver: None,
                own: None,
            };
            b.laws(&b.id("network", &network.name), &network, None)
                .await;
        })
    });
}

#[test]
fn bad_input_is_a_failure_and_no_panic() {
    on_mock("bad", |b| {
        Box::pin(async {
            for name in ["a\0b", "", "🦀"] {
                let machine = Machine {
                    name: name.into(),
                    memory_bytes: 1,
                    ..b.plain()
                };
                b.create(&b.id("domain", name), &machine, None)
                    .await
                    .unwrap_err();
            }
            b.create(&b.id("domain", "x"), &json!({"name": 7}), None)
                .await
                .unwrap_err();
            b.create(&b.id("teapot", "x"), &json!({}), None)
                .await
                .unwrap_err();
            let escape = b.disk("../escape");
            b.create(&b.volume_id(&escape.volume), &escape, None)
                .await
                .unwrap_err();
            let provider = Libvirt::default();
            assert!(provider.connect(&b.host, "test:///\0").await.is_err());
            let nowhere = provider
                .connect(&b.host, "qemu+unix:///system?socket=/nonexistent")
                .await
                .err()
                .unwrap();
            assert_eq!(nowhere.remedy, Remedy::Retry);
            assert!(nowhere.hint.is_some(), "{nowhere:?}");
        })
    });
}

/// What its host saved when it went down is of the old definition.
#[test]
fn a_planned_restart_forgets_what_was_saved() {
    on_mock("saved", |b| {
        Box::pin(async {
            let (small, large) = (
                b.plain(),
                Machine {
                    memory_bytes: 128 * MIB,
                    ..b.plain()
                },
            );
            let id = b.id("domain", &small.name);
            b.create(&id, &small, None).await.unwrap();
            let domain = b.domain_by_hand(&small);
            domain.managed_save(0).unwrap();
            let found = b.machine(&id).await;
            assert_eq!(found.state, "shutoff");
            b.update(&id, &found, &large, Impact::Restart)
                .await
                .unwrap();
            assert_eq!(b.machine(&id).await, large);
            assert!(!domain.has_managed_save(0).unwrap());
        })
    });
}

/// A plan asks for facts and for what is its own, and is of one moment; whoever asks again is told what is there then.
#[test]
fn what_the_facts_saw_is_listed_once() {
    on_mock("seen", |b| {
        Box::pin(async {
            let machine = b.plain();
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            let state = async || {
                let listed = b.daemon.list(&b.project).await.unwrap();
                let (_, observed) = listed.into_iter().find(|(other, _)| *other == id).unwrap();
                match observed {
                    Observed::Present { body, .. } => body["state"].clone(),
                    other => panic!("{other:?}"),
                }
            };
            b.daemon.discover(&mut Facts::default()).await.unwrap();
            b.domain_by_hand(&machine).destroy().unwrap();
            assert_eq!(state().await, "running");
            assert_eq!(state().await, "shutoff");
            assert_eq!(b.machine(&id).await.state, "shutoff");
            b.daemon.discover(&mut Facts::default()).await.unwrap();
            assert_eq!(state().await, "shutoff");
        })
    });
}

/// What somebody has made since the plan is left as it is, also where it could be ours.
#[test]
fn what_is_there_is_not_made_anew() {
    on_mock("anew", |b| {
        Box::pin(async {
            let anew = |body| Action::Create {
                body,
                source: None,
                anew: true,
            };
            let (machine, pool) = (b.plain(), b.pool());
            let other = Machine {
                autostart: true,
                ..machine.clone()
            };
            let network = MachineNetwork {
                name: b.name("lan"),
                uuid: machine.uuid.clone(),
                bridge: Some("br-anew".into()),
                driver: None,
                own: None,
            };
            for (kind, name, body, other) in [
                ("domain", &machine.name, json!(machine), json!(other)),
                ("network", &network.name, json!(network), json!(network)),
                ("pool", &pool.name, json!(pool), json!(pool)),
            ] {
                let id = b.id(kind, name);
                b.apply(&id, anew(body.clone())).await.unwrap();
                assert!(b.daemon.refuses_taken(kind));
                let refused = b.apply(&id, anew(other)).await.unwrap_err();
                assert_eq!(refused.remedy, Remedy::Replan, "{refused}");
                assert_eq!(b.body(&id).await, body);
            }
        })
    });
}

#[test]
fn a_survey_tells_what_reading_tells() {
    on_mock("survey", |b| {
        Box::pin(async {
            let (machine, pool) = (b.plain(), b.with_pool().await);
            let there = b.id("domain", &machine.name);
            b.create(&there, &machine, None).await.unwrap();
            let (gone, foreign) = (b.id("domain", &b.name("gone")), b.id("domain", "test"));
            let volume = b.volume_id(&b.volume("none"));
            let pool = b.id("pool", &pool.name);
            let ids = [&there, &gone, &foreign, &volume, &pool];
            let told = b.daemon.survey(&b.project, &ids).await.unwrap();
            let asked: Vec<&ResourceId> = told.iter().map(|(id, _)| id).collect();
            assert_eq!(asked, [&there, &gone, &volume]);
            for (id, observed) in &told {
                assert_eq!(*observed, b.read(id).await, "{id}");
            }
            b.domain_by_hand(&machine).destroy().unwrap();
            let told = b.daemon.survey(&b.project, &[&there]).await.unwrap();
            assert_eq!(told, [(there.clone(), b.read(&there).await)]);
        })
    });
}
