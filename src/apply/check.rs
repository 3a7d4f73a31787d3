//! Is the world as the plan says? Pure comparisons of what was found with what was, or shall be, there.

use infra_api::{Impact, Observed, SECRET};
use infra_plan::{Before, Delta, Step, StepAction, diff, get};
use infra_state::{Key, mask};
use serde_json::Value;

/// Digests in the place of secrets, as the bodies it is compared with have them.
pub(crate) fn masked(found: Observed, like: &[&Value], key: &Key) -> Observed {
    match found {
        Observed::Present { address, body } => Observed::Present {
            address,
            body: mask(&body, like, key).into(),
        },
        other => other,
    }
}

/// Whether the object is as it was while planning; the error says what differs.
pub(crate) fn as_before(before: &Before, found: &Observed) -> Result<(), String> {
    match (before, found) {
        (Before::Absent | Before::Removed, Observed::Absent)
        | (Before::Partial, Observed::Partial { .. }) => Ok(()),
        (Before::Present { body: was }, Observed::Present { body, .. }) if was == body => Ok(()),
        (Before::Present { body: was }, Observed::Present { body, .. }) => Err(changes(was, body)),
        _ => Err(format!("it {}, but {}", expected(before), state(found))),
    }
}

/// Whether the object is where an attempt of ours at this step may have left it: half made or half removed, or changed
/// in some of the attributes that the step changes and in no other.
pub(crate) fn is_on_the_way(step: &Step, wanted: Option<&Value>, found: &Observed) -> bool {
    let body = match found {
        // The old one is gone, and the new one has not its name yet.
        Observed::Absent => return step.action == StepAction::Replace,
        Observed::Partial { .. } => {
            return matches!(
                step.action,
                StepAction::Create | StepAction::Replace | StepAction::Delete
            );
        }
        Observed::Present { body, .. } => body,
        Observed::Foreign { .. } => return false,
    };
    let Some(wanted) = wanted else { return false };
    let starts = matches!(
        step.action,
        StepAction::Create | StepAction::Restart | StepAction::Replace
    );
    let was = |path: &[String]| match &step.before {
        Before::Present { body } => get(body, path),
        Before::Absent | Before::Partial | Before::Removed => None,
    };
    // What is made is started last; a restart stops first.
    diff(body, wanted, &|_, _| Impact::InPlace)
        .iter()
        .all(|left| was(&left.path) == left.before.as_ref() || starts && left.path == ["state"])
}

/// Whether nothing is left to do. `wanted`: none where it is to be removed.
pub(crate) fn is_reached(wanted: Option<&Value>, found: &Observed) -> bool {
    match (wanted, found) {
        (None, Observed::Absent) => true,
        (Some(wanted), Observed::Present { body, .. }) => wanted == body,
        _ => false,
    }
}

/// Why what was found is not what was wanted.
pub(crate) fn shortfall(wanted: Option<&Value>, found: &Observed) -> String {
    match (wanted, found) {
        (Some(wanted), Observed::Present { body, .. }) => differences(wanted, body),
        (_, found) => state(found),
    }
}

/// "attribute `cpus`: `1` → `2`", for each that differs.
fn changes(was: &Value, is: &Value) -> String {
    let told = |delta: &Delta| {
        let path = delta.path.join(".");
        match (&delta.before, &delta.after) {
            (Some(was), Some(is)) => format!("attribute `{path}`: {} → {}", show(was), show(is)),
            (None, Some(is)) => format!("attribute `{path}`: not there → {}", show(is)),
            (Some(was), None) => format!("attribute `{path}`: {} → not there", show(was)),
            (None, None) => format!("attribute `{path}` differs"),
        }
    };
    let deltas = diff(was, is, &|_, _| Impact::InPlace);
    deltas.iter().map(told).collect::<Vec<_>>().join("; ")
}

/// "attribute `cpus` is `2` instead of `1`", for each that differs.
fn differences(expected: &Value, found: &Value) -> String {
    let deltas = diff(expected, found, &|_, _| Impact::InPlace);
    deltas.iter().map(difference).collect::<Vec<_>>().join("; ")
}

fn difference(delta: &Delta) -> String {
    let path = delta.path.join(".");
    match (&delta.before, &delta.after) {
        (Some(expected), Some(found)) => {
            format!(
                "attribute `{path}` is {} instead of {}",
                show(found),
                show(expected)
            )
        }
        (None, Some(found)) => format!(
            "attribute `{path}` is {} and should not be there",
            show(found)
        ),
        (Some(expected), None) => format!(
            "attribute `{path}` is missing; it should be {}",
            show(expected)
        ),
        (None, None) => format!("attribute `{path}` differs"),
    }
}

fn show(value: &Value) -> String {
    match value.get(SECRET) {
        Some(_) => "(sensitive)".to_owned(),
        None => format!("`{value}`"),
    }
}

fn expected(before: &Before) -> &'static str {
    match before {
        Before::Absent => "was not there while planning",
        Before::Partial => "was half made while planning",
        Before::Present { .. } => "was there while planning",
        Before::Removed => "was removed by this apply",
    }
}

fn state(found: &Observed) -> String {
    match found {
        Observed::Absent => "it is not there".to_owned(),
        Observed::Present { address, .. } => format!("it is there, made for `{address}`"),
        Observed::Partial { address, why } => format!("it is half made for `{address}`: {why}"),
        Observed::Foreign { what, .. } => format!("its name is taken by what is not ours: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use infra_api::Address;
    use serde_json::json;

    fn present(body: Value) -> Observed {
        Observed::Present {
            address: Address::new("workload.a"),
            body: body.into(),
        }
    }

    #[test]
    fn every_pair_of_before_and_found() {
        let before = [
            Before::Absent,
            Before::Partial,
            Before::Present {
                body: json!({"a": 1}).into(),
            },
            Before::Removed,
        ];
        let found = [
            Observed::Absent,
            Observed::Partial {
                address: Address::new("workload.a"),
                why: "cut off".to_owned(),
            },
            present(json!({"a": 1})),
            present(json!({"a": 2})),
            Observed::Foreign {
                what: "a container".to_owned(),
                unmarked: None,
            },
        ];
        let good: Vec<Vec<bool>> = before
            .iter()
            .map(|b| found.iter().map(|f| as_before(b, f).is_ok()).collect())
            .collect();
        assert_eq!(
            good,
            [
                [true, false, false, false, false],
                [false, true, false, false, false],
                [false, false, true, false, false],
                [true, false, false, false, false],
            ]
        );
    }

    fn step(action: StepAction, before: Before) -> Step {
        let text = serde_json::to_value(before).unwrap();
        serde_json::from_value(json!({
            "number": 1, "resource": "r1/sim/container/a", "address": "workload.a", "action": action,
            "before": text, "reason": {"because": "changed"}, "needs": [],
        }))
        .unwrap()
    }

    #[test]
    fn what_is_on_the_way_has_old_and_new_and_nothing_else() {
        let wanted = json!({"cpus": 2, "image": 2, "state": "running"});
        let was = Before::Present {
            body: json!({"cpus": 1, "image": 1, "state": "running"}).into(),
        };
        let on_the_way = |action, before: &Before, found: Observed| {
            is_on_the_way(&step(action, before.clone()), Some(&wanted), &found)
        };
        let half = || Observed::Partial {
            address: Address::new("workload.a"),
            why: "cut off".to_owned(),
        };
        let mixed =
            |cpus: i32, state: &str| present(json!({"cpus": cpus, "image": 1, "state": state}));
        use StepAction::{Create, Delete, Restart, Update};
        assert!(on_the_way(Update, &was, mixed(2, "running")));
        assert!(!on_the_way(Update, &was, mixed(3, "running")));
        assert!(!on_the_way(Update, &was, mixed(2, "exited")));
        assert!(on_the_way(Restart, &was, mixed(2, "exited")));
        assert!(!on_the_way(Update, &was, half()));
        assert!(on_the_way(Create, &Before::Absent, half()));
        let begun = |image: i32| present(json!({"cpus": 2, "image": image, "state": "created"}));
        assert!(on_the_way(Create, &Before::Absent, begun(2)));
        assert!(!on_the_way(Create, &Before::Absent, begun(1)));
        assert!(is_on_the_way(&step(Delete, was.clone()), None, &half()));
        assert!(!is_on_the_way(&step(Delete, was), None, &begun(2)));
    }

    #[test]
    fn what_differs_is_named_and_secrets_are_not() {
        let was = Before::Present {
            body: json!({"cpus": "1", "env": {"A": {SECRET: "x"}}, "gone": 1}).into(),
        };
        let now = present(json!({"cpus": "2", "env": {"A": {SECRET: "y"}}, "new": [1]}));
        assert_eq!(
            as_before(&was, &now).unwrap_err(),
            "attribute `cpus`: `\"1\"` → `\"2\"`; attribute `env.A`: (sensitive) → (sensitive); \
             attribute `gone`: `1` → not there; attribute `new`: not there → `[1]`"
        );
        let foreign = Observed::Foreign {
            what: "container `a`".to_owned(),
            unmarked: None,
        };
        assert_eq!(
            as_before(&Before::Absent, &foreign).unwrap_err(),
            "it was not there while planning, but its name is taken by what is not ours: container `a`"
        );
    }
}
