//! Is the world as the plan says? Pure comparisons of what was found with what was, or shall be, there.

use infra_api::{Impact, Observed, SECRET};
use infra_plan::{Before, Delta, diff};
use infra_state::{Key, mask};
use serde_json::Value;

/// Digests in the place of secrets, as the bodies it is compared with have them.
pub(crate) fn masked(found: Observed, like: &[&Value], key: &Key) -> Observed {
    match found {
        Observed::Present { address, body } => Observed::Present {
            address,
            body: mask(&body, like, key),
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
        (Before::Present { body: was }, Observed::Present { body, .. }) => {
            Err(differences(was, body))
        }
        _ => Err(format!("it {}, but {}", expected(before), state(found))),
    }
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
        Observed::Foreign { what } => format!("its name is taken by what is not ours: {what}"),
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
            body,
        }
    }

    #[test]
    fn every_pair_of_before_and_found() {
        let before = [
            Before::Absent,
            Before::Partial,
            Before::Present {
                body: json!({"a": 1}),
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

    #[test]
    fn what_differs_is_named_and_secrets_are_not() {
        let was = Before::Present {
            body: json!({"cpus": "1", "env": {"A": {SECRET: "x"}}, "gone": 1}),
        };
        let now = present(json!({"cpus": "2", "env": {"A": {SECRET: "y"}}, "new": [1]}));
        assert_eq!(
            as_before(&was, &now).unwrap_err(),
            "attribute `cpus` is `\"2\"` instead of `\"1\"`; \
             attribute `env.A` is (sensitive) instead of (sensitive); \
             attribute `gone` is missing; it should be `1`; \
             attribute `new` is `[1]` and should not be there"
        );
        let foreign = Observed::Foreign {
            what: "container `a`".to_owned(),
        };
        assert_eq!(
            as_before(&Before::Absent, &foreign).unwrap_err(),
            "it was not there while planning, but its name is taken by what is not ours: container `a`"
        );
    }
}
