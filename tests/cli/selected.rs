//! `--target` and `--exclude`: part by part one comes to the same as at once, and what is left out is as it was.

use std::collections::BTreeSet;
use std::path::Path;

use infra::select::{Asked, Pattern};
use infra_api::Address;
use infra_plan::{Plan, Record};
use snapbox::str;

use crate::support::Folder;
use crate::{WEB, ends};

/// A case of `tests/cases` whose `before` is applied.
fn case(name: &str) -> Folder {
    let case = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(name);
    let folder = Folder::of("").with_key();
    folder.add(&case, ".");
    folder.add(&case.join("before"), ".");
    folder.applied(&folder.plan().unwrap());
    folder.add(&case, ".");
    folder
}

fn all(folder: &Folder) -> BTreeSet<Address> {
    let plan = folder.plan().unwrap();
    let steps = plan.steps.iter().map(|s| s.address.clone());
    let records = plan.result.resources.values().map(|r| r.address.clone());
    steps.chain(records).collect()
}

fn recorded(folder: &Folder) -> infra_plan::Outcome {
    let project = infra_api::Project::new("demo");
    folder
        .store()
        .load(&project)
        .unwrap()
        .state
        .unwrap()
        .outcome
}

/// What is left out has no step, and its records and its place are as they were.
fn leaves_alone(folder: &Folder, plan: &Plan) {
    let before = recorded(folder);
    for step in &plan.steps {
        assert!(!plan.left_out.contains(&step.address), "{step:?}");
    }
    let left = |record: &Record| plan.left_out.contains(&record.address);
    for (id, record) in before.resources.iter().filter(|(_, r)| left(r)) {
        // What others use too is planned with them.
        let now = &plan.result.resources[id];
        assert_eq!(now.body, record.body, "{id}");
    }
    for address in &plan.left_out {
        assert_eq!(
            plan.result.workloads.get(address),
            before.workloads.get(address),
            "{address}"
        );
    }
}

fn same_in_parts(name: &str, asked: impl Fn(&Address) -> Asked) {
    let mut parts = 0;
    for address in all(&case(name)) {
        let folder = case(name);
        let whole = folder.plan().unwrap().result;
        // One part may not go alone: that is refused, and nothing is planned.
        let Ok(plan) = folder.plan_of(asked(&address)) else {
            continue;
        };
        leaves_alone(&folder, &plan);
        folder.applied(&plan);
        let rest = folder.plan().unwrap();
        assert!(rest.left_out.is_empty());
        let made = |o: &infra_plan::Outcome| -> Vec<String> {
            o.resources.keys().map(ToString::to_string).collect()
        };
        assert_eq!(made(&rest.result), made(&whole), "{name} after {address}");
        assert_eq!(rest.result.outputs, whole.outputs, "{name} after {address}");
        folder.applied(&rest);
        assert!(folder.plan().unwrap().is_empty());
        parts += 1;
    }
    assert!(parts > 1, "{name} has parts that go alone");
}

#[test]
fn target_by_target_it_comes_to_the_same() {
    for name in ["target", "exclude", "target-host"] {
        same_in_parts(name, |address| Asked {
            targets: vec![Pattern::new(address.as_str())],
            excludes: Vec::new(),
        });
    }
}

#[test]
fn with_an_exclusion_and_then_without_it_comes_to_the_same() {
    for name in ["target", "exclude", "target-host"] {
        same_in_parts(name, |address| Asked {
            targets: Vec::new(),
            excludes: vec![Pattern::new(address.as_str())],
        });
    }
}

#[test]
fn a_plan_that_is_made_takes_no_targets() {
    let folder = Folder::of(WEB).with_key();
    folder.write("it.plan", infra_plan::write(&folder.plan().unwrap()));
    let plan = folder.path().join("it.plan");
    ends(
        folder.infra(&["apply", "--exclude", "workload.web", plan.to_str().unwrap()]),
        1,
        str![],
        str![[r#"
error: applying the plan: `--exclude` changes what is planned, and this plan is made already

hint: give `--exclude` to `infra plan`

"#]],
    );
}
