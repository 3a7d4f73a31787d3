//! Tests: the laws of the contract, and that faults are where the test puts them.

use infra_api::{Action, Address, Impact, Mark, Silent};
use serde_json::{Value, json};

use super::*;
use crate::{Verb, When};

fn project() -> Project {
    Project::new("demo")
}

fn id(name: &str) -> ResourceId {
    ResourceId::new(&HostName::new("r1"), "sim", "container", name)
}

fn change(name: &str, action: Action) -> Change {
    let mark = Mark {
        project: project(),
        address: Address::new(format!("workload.{name}")),
    };
    Change {
        id: id(name),
        mark,
        imported: None,
        action,
    }
}

fn create(name: &str, body: Value) -> Change {
    change(
        name,
        Action::Create {
            body,
            source: None,
            anew: false,
        },
    )
}

fn update(name: &str, before: Value, after: Value, impact: Impact) -> Change {
    change(
        name,
        Action::Update {
            before,
            after,
            impact,
        },
    )
}

fn present(name: &str, body: Value) -> Observed {
    Observed::Present {
        address: Address::new(format!("workload.{name}")),
        body: body.into(),
    }
}

async fn apply(sim: &Sim, change: &Change) -> Result<(), Failure> {
    sim.daemon(&HostName::new("r1"))
        .apply(change, &Silent)
        .await
}

async fn read(sim: &Sim, name: &str) -> Observed {
    sim.daemon(&HostName::new("r1"))
        .read(&project(), &id(name))
        .await
        .unwrap()
}

#[tokio::test]
async fn what_is_applied_is_read_and_twice_is_once() {
    let sim = Sim::default();
    assert_eq!(read(&sim, "a").await, Observed::Absent);
    for _ in 0..2 {
        apply(&sim, &create("a", json!({"x": 1}))).await.unwrap();
        assert_eq!(read(&sim, "a").await, present("a", json!({"x": 1})));
    }
    let first = sim.world().objects[&id("a")].clone();
    assert_eq!((first.identity, first.starts), (1, 1));
    for _ in 0..2 {
        apply(
            &sim,
            &update("a", json!({"x": 1}), json!({"x": 2}), Impact::InPlace),
        )
        .await
        .unwrap();
        assert_eq!(read(&sim, "a").await, present("a", json!({"x": 2})));
    }
    let daemon = sim.daemon(&HostName::new("r1"));
    assert_eq!(
        daemon.list(&project()).await.unwrap(),
        [(id("a"), present("a", json!({"x": 2})))]
    );
    for _ in 0..2 {
        apply(&sim, &change("a", Action::Delete)).await.unwrap();
        assert_eq!(read(&sim, "a").await, Observed::Absent);
    }
}

#[tokio::test]
async fn what_is_not_ours_is_neither_listed_nor_touched() {
    let sim = Sim::default();
    let other = Mark {
        project: Project::new("other"),
        address: Address::new("workload.a"),
    };
    sim.world().put(id("a"), None, json!({"x": 1}));
    sim.world().put(id("b"), Some(other), json!({"x": 1}));
    let before = sim.world().objects.clone();
    for name in ["a", "b"] {
        assert!(matches!(read(&sim, name).await, Observed::Foreign { .. }));
        let update = update(name, json!({"x": 1}), json!({"x": 2}), Impact::InPlace);
        for change in [
            create(name, json!({"x": 1})),
            update,
            change(name, Action::Delete),
        ] {
            assert!(apply(&sim, &change).await.is_err());
        }
    }
    assert!(
        sim.daemon(&HostName::new("r1"))
            .list(&project())
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(sim.world().objects, before);
}

#[tokio::test]
async fn a_half_made_object_is_found_and_finished() {
    let sim = Sim::default();
    sim.world().fail(
        When::On(id("a"), Verb::Create),
        Fault::Half(Remedy::Operator),
    );
    assert!(apply(&sim, &create("a", json!({}))).await.is_err());
    assert!(matches!(read(&sim, "a").await, Observed::Partial { .. }));
    apply(&sim, &create("a", json!({}))).await.unwrap();
    assert_eq!(read(&sim, "a").await, present("a", json!({})));
    assert_eq!(sim.world().objects[&id("a")].identity, 1, "the same object");
}

#[tokio::test]
async fn faults_happen_where_they_are_put_and_once() {
    let sim = Sim::default();
    sim.world()
        .fail(When::Call(2), Fault::Before(Remedy::Retry));
    sim.world()
        .fail(When::On(id("c"), Verb::Create), Fault::After(Remedy::Retry));
    sim.world()
        .fail(When::On(id("d"), Verb::Create), Fault::Lie);
    sim.world().fail(
        When::On(id("e"), Verb::Create),
        Fault::LieWith(json!({"x": 2})),
    );
    let mut results = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        results.push(apply(&sim, &create(name, json!({"x": 1}))).await.is_ok());
    }
    assert_eq!(results, [true, false, false, true, true]);
    let there: Vec<String> = sim
        .world()
        .objects
        .keys()
        .map(|id| id.name.clone())
        .collect();
    assert_eq!(there, ["a", "c", "e"]);
    assert_eq!(read(&sim, "e").await, present("e", json!({"x": 2})));
    assert_eq!(sim.world().faults_left(), 0);
    assert_eq!(sim.world().calls.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_crash_ends_the_caller_where_the_test_says() {
    for (fault, found) in [
        (Fault::CrashBefore, Observed::Absent),
        (
            Fault::CrashHalf,
            Observed::Partial {
                address: Address::new("workload.a"),
                why: "it was cut off".into(),
            },
        ),
        (Fault::CrashAfter, present("a", json!({}))),
    ] {
        let sim = Sim::default();
        sim.world().fail(When::Call(1), fault);
        let change = create("a", json!({}));
        tokio::select! {
            _ = apply(&sim, &change) => panic!("it came back"),
            () = sim.crashed() => {}
        }
        assert_eq!(read(&sim, "a").await, found);
    }
}

#[tokio::test]
async fn readiness_follows_the_script_then_the_state() {
    let sim = Sim::default();
    let daemon = sim.daemon(&HostName::new("r1"));
    sim.world().put(id("a"), None, json!({"state": "exited"}));
    assert_eq!(
        daemon.ready(&id("a")).await.unwrap(),
        Readiness::Failed("it is exited".to_owned())
    );
    let script = vec![Readiness::Waiting("x".to_owned()), Readiness::Ready];
    sim.world().readiness.insert(id("a"), script.clone());
    assert_eq!(daemon.ready(&id("a")).await.unwrap(), script[0]);
    assert_eq!(daemon.ready(&id("a")).await.unwrap(), script[1]);
    assert_eq!(daemon.ready(&id("a")).await.unwrap(), script[1]);
    sim.world().unreachable.insert(HostName::new("r1"));
    assert_eq!(
        daemon.ready(&id("a")).await.unwrap_err().remedy,
        Remedy::Retry
    );
}
