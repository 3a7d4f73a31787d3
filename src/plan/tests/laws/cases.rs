//! Cases that have a name.

use std::collections::BTreeSet;

use infra_api::ResourceId;
use infra_plan::{Plan, Reason, Refusal, StepAction, write};
use serde_json::json;

use crate::checker::check;
use crate::world::{Found, Thing, World, id};

pub(crate) fn made(world: &World) -> Plan {
    let plan = world.plan().unwrap();
    assert_eq!(check(world, &plan), Ok(()));
    let backwards = World {
        backwards: true,
        ..world.clone()
    };
    assert_eq!(write(&plan), write(&backwards.plan().unwrap()));
    plan
}

/// As `create t0, delete t1`.
pub(crate) fn told(plan: &Plan) -> String {
    let word = |s: &infra_plan::Step| {
        let number: usize = s.resource.name[1..].parse().unwrap();
        format!("{:?} t{number}", s.action).to_lowercase()
    };
    plan.steps.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn overlaps(plan: &Plan) -> Vec<(ResourceId, Vec<ResourceId>)> {
    let stated = plan.steps.iter().filter(|s| !s.overlaps.is_empty());
    stated
        .map(|s| (s.resource.clone(), s.overlaps.clone()))
        .collect()
}

pub(crate) fn cpus(number: usize, key: &str, from: &str, to: &str) -> Thing {
    Thing::settled(number).with(key, json!(from), json!(to))
}

#[test]
fn live_updates_that_swap_cpus_overlap_once() {
    let world = World::of([cpus(0, "cpus", "0", "1"), cpus(1, "cpus", "1", "0")]);
    let plan = made(&world);
    assert_eq!(told(&plan), "update t0, update t1");
    assert_eq!(overlaps(&plan), [(id(0), vec![id(1)])]);
}

#[test]
fn three_in_a_ring_of_cpus_overlap_once() {
    let turn = |n: usize| cpus(n, "cpus", &n.to_string(), &((n + 1) % 3).to_string());
    let plan = made(&World::of((0..3).map(turn)));
    assert_eq!(overlaps(&plan).len(), 1);
    assert!(plan.steps.iter().all(|s| s.action == StepAction::Update));
}

/// The one that is live overlaps, whichever address is lower: nobody is stopped.
#[test]
fn a_live_update_overlaps_with_one_that_restarts() {
    for (live, other) in [(0, 1), (1, 0)] {
        let world = World::of([
            cpus(live, "cpus", "0", "1"),
            cpus(other, "boot_cpus", "1", "0"),
        ]);
        let plan = made(&world);
        assert_eq!(overlaps(&plan), [(id(live), vec![id(other)])]);
        assert_eq!(plan.steps.len(), 2);
    }
}

#[test]
fn restarts_that_swap_cpus_are_broken_by_the_lowest_address() {
    let world = World::of([
        cpus(0, "boot_cpus", "0", "1"),
        cpus(1, "boot_cpus", "1", "0"),
    ]);
    let plan = made(&world);
    assert_eq!(told(&plan), "delete t0, restart t1, create t0");
    assert!(overlaps(&plan).is_empty());
}

#[test]
fn of_two_that_swap_addresses_the_lowest_yields() {
    let world = World::of([
        cpus(0, "ip", "a", "b"),
        cpus(1, "ip", "b", "a"),
        cpus(2, "ip", "c", "d"),
        cpus(3, "ip", "d", "c"),
    ]);
    let plan = made(&world);
    assert_eq!(
        told(&plan),
        "delete t0, update t1, create t0, delete t2, update t3, create t2"
    );
    let to = id(1).to_string();
    assert_eq!(plan.steps[0].reason, Reason::Yields { to });
}

#[test]
fn three_in_a_ring_of_addresses_stop_one() {
    let turn = |n: usize| cpus(n, "ip", &n.to_string(), &((n + 1) % 3).to_string());
    let plan = made(&World::of((0..3).map(turn)));
    assert_eq!(told(&plan), "delete t0, update t2, update t1, create t0");
}

/// Stopping the one that waits would help nobody.
#[test]
fn who_holds_yields_and_not_who_waits() {
    let mut dependent = cpus(1, "ip", "a", "b");
    dependent.waits_for.insert(0);
    let plan = made(&World::of([cpus(0, "ip", "c", "a"), dependent]));
    assert_eq!(told(&plan), "delete t1, update t0, create t1");
}

#[test]
fn a_swap_with_one_that_is_protected_stops_the_other() {
    let world = World::of([cpus(0, "ip", "a", "b").protected(), cpus(1, "ip", "b", "a")]);
    assert_eq!(told(&made(&world)), "delete t1, update t0, create t1");
}

#[test]
fn a_swap_that_nobody_may_yield_is_a_cycle() {
    let world = World::of([
        cpus(0, "ip", "a", "b").protected(),
        Thing::settled(1).on(&[2]).with("live", json!(0), json!(1)),
        cpus(2, "ip", "b", "a"),
    ]);
    let refusals = world.plan().unwrap_err();
    assert_eq!(
        refusals,
        [Refusal::Cycle(infra_plan::Cycle(vec![id(0), id(2)]))]
    );
}

/// Each waits for the next.
#[test]
fn a_declared_cycle_is_told_as_a_way() {
    let mut things: Vec<Thing> = (0..5)
        .map(|n| Thing::settled(n).found(Found::Nothing, false))
        .collect();
    for (dependent, dependency) in [(1, 3), (3, 2), (2, 1), (4, 1), (1, 0)] {
        things[dependent].waits_for.insert(dependency);
    }
    let refusals = World::of(things).plan().unwrap_err();
    assert_eq!(
        refusals,
        [Refusal::Cycle(infra_plan::Cycle(vec![id(1), id(3), id(2)]))]
    );
}

#[test]
fn a_replaced_object_takes_its_users_along() {
    let world = World::of([
        Thing::settled(0).with("core", json!(0), json!(1)),
        Thing::settled(1).on(&[0]),
        Thing::settled(2).on(&[1]).found(Found::Half, true),
        Thing::settled(3).on(&[1]).found(Found::Nothing, true),
        Thing::settled(4).on(&[0]).found(Found::Nothing, false),
        Thing::settled(5),
    ]);
    let plan = made(&world);
    assert_eq!(
        told(&plan),
        "delete t2, delete t1, delete t0, create t0, create t1, create t2, create t3, create t4"
    );
    let resource = id(0).to_string();
    assert_eq!(plan.steps[1].reason, Reason::ReplacedWith { resource });
}

#[test]
fn what_goes_goes_before_what_it_stood_on() {
    let gone = |n: usize, on: &[usize]| Thing::settled(n).on(on).unwanted();
    let plan = made(&World::of([gone(0, &[]), gone(1, &[0]), gone(2, &[1])]));
    assert_eq!(told(&plan), "delete t2, delete t1, delete t0");
}

/// A volume that is declared no longer is removed when its user has let go of it, not before.
#[test]
fn what_is_let_go_of_goes_after() {
    let mut user = Thing::settled(1).with("boot", json!(0), json!(1));
    user.stood_on.insert(0);
    let plan = made(&World::of([Thing::settled(0).unwanted(), user]));
    assert_eq!(told(&plan), "restart t1, delete t0");
}

#[test]
fn dependents_are_made_after_and_removed_before() {
    let chain = |found: Found, wanted: bool| {
        let mut dependent = Thing::settled(0).found(found, true);
        dependent.waits_for.insert(1);
        let mut things = [dependent, Thing::settled(1).found(found, true)];
        for thing in &mut things {
            thing.wanted = wanted;
        }
        World::of(things)
    };
    assert_eq!(
        told(&made(&chain(Found::Nothing, true))),
        "create t1, create t0"
    );
    let gone = World {
        destroy: true,
        ..chain(Found::Whole, true)
    };
    assert_eq!(told(&made(&gone)), "delete t0, delete t1");
}

/// Two reasons to wait for the same step are one need.
#[test]
fn a_need_is_stated_once() {
    let mut dependent = cpus(1, "ip", "b", "a");
    dependent.waits_for.insert(0);
    let plan = made(&World::of([cpus(0, "ip", "a", "c"), dependent]));
    assert_eq!(told(&plan), "update t0, update t1");
    assert_eq!(plan.steps[1].needs, [1]);
}

/// The reasons say what was found.
#[test]
fn reasons() {
    let reason = |thing: Thing| {
        let plan = made(&World::of([thing]));
        plan.steps[0].reason.clone()
    };
    let thing = || Thing::settled(0);
    let nothing = Found::Nothing;
    assert_eq!(reason(thing().found(nothing, false)), Reason::New);
    assert_eq!(reason(thing().found(nothing, true)), Reason::Vanished);
    assert_eq!(
        reason(thing().found(Found::Whole, false).unwanted()),
        Reason::Stray
    );
    assert_eq!(reason(thing().unwanted()), Reason::Undeclared);
    assert_eq!(
        reason(thing().with("live", json!(0), json!(1))),
        Reason::Changed
    );
    let remembered = |remembered: i32, found: i32, wanted: i32| {
        let world = World::of([thing().with("live", json!(found), json!(wanted))]);
        let mut state = world.state();
        let record = state.resources.get_mut(&id(0)).unwrap();
        record.body = json!({"live": remembered}).into();
        world.plan_on(&state).unwrap().steps[0].reason.clone()
    };
    assert_eq!(remembered(0, 0, 1), Reason::Changed);
    assert_eq!(remembered(0, 1, 0), Reason::Drift);
    assert_eq!(remembered(0, 1, 2), Reason::ChangedAndDrift);
    let why = "cut off".to_owned();
    assert_eq!(
        reason(thing().found(Found::Half, true)),
        Reason::HalfMade { why }
    );
}

#[test]
fn a_protected_object_is_not_destroyed_when_its_declaration_is_gone() {
    let refused = |world: &World| {
        matches!(
            world.plan().unwrap_err()[..],
            [Refusal::PreventDestroy { .. }]
        )
    };
    let gone = World::of([Thing::settled(0).protected().unwanted()]);
    assert!(refused(&gone));
    let replaced = World::of([Thing::settled(0)
        .protected()
        .with("core", json!(0), json!(1))]);
    assert!(refused(&replaced));
    let taken_along = World::of([
        Thing::settled(0).with("core", json!(0), json!(1)),
        Thing::settled(1).on(&[0]).protected(),
    ]);
    assert!(refused(&taken_along));
    let everything = World {
        destroy: true,
        ..World::of([Thing::settled(0).protected()])
    };
    assert!(refused(&everything));
}

#[test]
fn a_name_that_is_taken_is_refused_and_a_strangers_object_is_left() {
    let taken = World::of([Thing::settled(0).found(Found::Strangers, false)]);
    assert!(matches!(
        taken.plan().unwrap_err()[..],
        [Refusal::NameTaken { .. }]
    ));
    let stranger = |n: usize| Thing::settled(n).found(Found::Strangers, false);
    let mut two = World::of([stranger(0), stranger(1)]);
    let refusals = two.plan().unwrap_err();
    two.backwards = true;
    assert_eq!(two.plan().unwrap_err(), refusals);
    let forgotten = World::of([Thing::settled(0).found(Found::Strangers, true).unwanted()]);
    assert!(forgotten.plan().unwrap().is_empty());
}

#[test]
fn what_is_ignored_stays_as_it_is_found() {
    let ignoring = |found: serde_json::Value, wanted: serde_json::Value, path: &[&str]| {
        let mut thing = Thing::settled(0).with("live", found, wanted);
        thing.ignored = vec![path.iter().map(|k| (*k).to_owned()).collect()];
        let plan = World::of([thing]).plan().unwrap();
        let record = plan.result.resources[&id(0)].body.get("live").cloned();
        (told(&plan), record)
    };
    let same = |found: serde_json::Value, wanted: serde_json::Value, path: &[&str]| {
        let (steps, record) = ignoring(found.clone(), wanted, path);
        assert_eq!(steps, "");
        assert_eq!(record, (!found.is_null()).then_some(found));
    };
    let none = serde_json::Value::Null;
    same(json!(1), json!(2), &["live"]);
    same(json!(1), none.clone(), &["live"]);
    same(none.clone(), json!(2), &["live"]);
    same(json!({"a": 1}), none.clone(), &["live", "a"]);
    same(none, json!({"a": 1}), &["live", "a"]);
    same(
        json!({"b": 1}),
        json!({"b": 1, "a": {"c": 1}}),
        &["live", "a", "c"],
    );
    let (_, record) = ignoring(json!({"a": {"b": 1}}), json!({}), &["live", "a", "c"]);
    assert_eq!(record, Some(json!({})));
    same(json!([{"a": 1}]), json!([{"a": 2}]), &["live", "0", "a"]);
    same(json!([1, 2]), json!([1, 3]), &["live", "1"]);
    let (steps, record) = ignoring(
        json!({"a": 1, "b": 1}),
        json!({"a": 2, "b": 2}),
        &["live", "a"],
    );
    assert_eq!(steps, "update t0");
    assert_eq!(record, Some(json!({"a": 1, "b": 2})));
}

/// The empty path: also what only the found one has, and what it has no longer.
#[test]
fn a_body_that_is_left_whole_is_left() {
    let mut thing = Thing::settled(0)
        .with("live", json!(1), json!(2))
        .with("core", json!(1), json!(null))
        .with("boot", json!(null), json!(1));
    thing.ignored = vec![Vec::new()];
    let plan = made(&World::of([thing]));
    assert!(plan.is_empty());
    assert_eq!(
        plan.result.resources[&id(0)].body,
        json!({"live": 1, "core": 1})
    );
}

/// It was found stopped, and is made anew: that starts it.
#[test]
fn what_is_left_whole_and_made_anew_is_started() {
    let mut thing = Thing::settled(0).with("state", json!("exited"), json!("running"));
    thing.ignored = vec![Vec::new()];
    let world = World {
        replace: BTreeSet::from([id(0)]),
        ..World::of([thing])
    };
    let plan = made(&world);
    assert_eq!(told(&plan), "delete t0, create t0");
    assert_eq!(
        plan.result.resources[&id(0)].body,
        json!({"state": "running"})
    );
}

/// A value that is left as it is found may be known to nobody any more: an apply must be able to tell at once.
#[test]
fn the_plan_names_the_secrets_of_what_is_left() {
    let secret = |digest: &str| json!({ infra_api::SECRET: digest });
    let mut thing = Thing::settled(0)
        .with("password", secret("old"), secret("new"))
        .with("boot", json!(0), json!(1));
    thing.ignored = vec![vec!["password".to_owned()]];
    assert_eq!(made(&World::of([thing])).secrets, ["old"]);
}

#[test]
fn what_is_asked_to_be_made_anew_is() {
    let world = World {
        replace: BTreeSet::from([id(0)]),
        ..World::of([Thing::settled(0), Thing::settled(1)])
    };
    assert_eq!(told(&made(&world)), "delete t0, create t0");
}

/// Null is a value; only what is not written is absent.
#[test]
fn a_null_in_a_body_survives_the_file() {
    let mut plan = made(&World::of([Thing::settled(0).with(
        "live",
        json!([1]),
        json!([null]),
    )]));
    plan.steps[0].deltas[0].after = Some(serde_json::Value::Null);
    let output = infra_plan::Output {
        value: Some(serde_json::Value::Null),
        digest: None,
    };
    plan.result.outputs.insert("none".to_owned(), output);
    assert_eq!(infra_plan::read(&write(&plan)), Ok(plan));
}

#[test]
fn a_file_of_another_format_is_refused() {
    let mut plan = made(&World::default());
    let text = write(&plan);
    let newer = text.replace("\"format_version\": \"1.2\"", "\"format_version\": \"2.0\"");
    assert!(infra_plan::read(&newer).unwrap_err().contains("format 2.0"));
    plan.format_version = "1.9".to_owned();
    assert_eq!(infra_plan::read(&write(&plan)), Ok(plan));
    assert!(infra_plan::read("{}").unwrap_err().contains("not a plan"));
    assert!(infra_plan::read(&text[..40]).is_err());
}

/// What was agreed to is what is done; white space says nothing.
#[test]
fn an_edited_file_is_refused() {
    let plan = made(&World::default());
    let text = write(&plan);
    assert_eq!(infra_plan::read(&text.replace('\n', "\n ")), Ok(plan));
    let serial = text.replacen("\"serial\": 0", "\"serial\": 1", 1);
    let mut unsealed: serde_json::Value = serde_json::from_str(&text).unwrap();
    let sum = unsealed.as_object_mut().unwrap().remove("checksum");
    assert!(sum.is_some());
    for edited in [serial, unsealed.to_string()] {
        assert_ne!(edited, text);
        let why = infra_plan::read(&edited).unwrap_err();
        assert!(why.contains("edited"), "{why}");
    }
}

/// What is undeclared or destroyed tells of its dependencies no longer: the state does.
#[test]
fn dependents_go_first_also_when_only_the_state_knows() {
    let mut dependent = Thing::settled(0).found(Found::Nothing, false);
    dependent.waits_for.insert(1);
    let dependency = Thing::settled(1).found(Found::Nothing, false);
    let state = World::of([dependent, dependency]).plan().unwrap().result;
    assert_eq!(state.resources[&id(0)].after, [id(1)]);
    let backwards = {
        let mut dependent = Thing::settled(1).found(Found::Nothing, false);
        dependent.waits_for.insert(0);
        let things = [Thing::settled(0).found(Found::Nothing, false), dependent];
        World::of(things).plan().unwrap().result
    };
    let gone = World::of([0, 1].map(|n| Thing::settled(n).unwanted()));
    let destroyed = World {
        destroy: true,
        ..World::of([0, 1].map(Thing::settled))
    };
    for world in [gone, destroyed] {
        assert_eq!(
            told(&world.plan_on(&state).unwrap()),
            "delete t0, delete t1"
        );
        assert_eq!(
            told(&world.plan_on(&backwards).unwrap()),
            "delete t1, delete t0"
        );
    }
}
