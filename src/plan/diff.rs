//! The attributes in which two bodies differ; none exactly when the bodies are equal.

use infra_api::{Impact, SECRET};
use serde_json::Value;

use crate::Delta;

/// The leaves that differ, in the order of the body's keys. A list of objects is compared place by place while
/// its length stays; any other list is one leaf. `impact` is asked for each, with whether the attribute goes.
#[must_use]
pub fn diff(
    before: &Value,
    after: &Value,
    impact: &dyn Fn(&[String], bool) -> Impact,
) -> Vec<Delta> {
    let mut walk = Walk {
        path: Vec::new(),
        deltas: Vec::new(),
        impact,
    };
    walk.values(Some(before), Some(after));
    walk.deltas
}

/// The value at a path of object keys and list indices.
#[must_use]
pub fn get<'a>(body: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(body, |value, key| match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => value.get(key),
    })
}

struct Walk<'a> {
    path: Vec<String>,
    deltas: Vec<Delta>,
    impact: &'a dyn Fn(&[String], bool) -> Impact,
}

impl Walk<'_> {
    fn values(&mut self, before: Option<&Value>, after: Option<&Value>) {
        match (before, after) {
            (Some(b), Some(a)) if std::ptr::eq(b, a) || b == a => {}
            (Some(Value::Object(b)), Some(Value::Object(a))) if !is_secret(b) && !is_secret(a) => {
                let keys: std::collections::BTreeSet<&String> = b.keys().chain(a.keys()).collect();
                for key in keys {
                    self.step(key, b.get(key), a.get(key));
                }
            }
            (Some(Value::Array(b)), Some(Value::Array(a))) if walkable(b, a) => {
                for (index, (b, a)) in b.iter().zip(a).enumerate() {
                    self.step(&index.to_string(), Some(b), Some(a));
                }
            }
            _ => self.leaf(before, after),
        }
    }

    fn step(&mut self, key: &str, before: Option<&Value>, after: Option<&Value>) {
        self.path.push(key.to_owned());
        self.values(before, after);
        self.path.pop();
    }

    fn leaf(&mut self, before: Option<&Value>, after: Option<&Value>) {
        if before.is_none() && after.is_none() {
            return;
        }
        self.deltas.push(Delta {
            path: self.path.clone(),
            before: before.cloned(),
            after: after.cloned(),
            impact: (self.impact)(&self.path, after.is_none()),
        });
    }
}

fn is_secret(object: &serde_json::Map<String, Value>) -> bool {
    object.contains_key(SECRET)
}

fn walkable(before: &[Value], after: &[Value]) -> bool {
    let objects = |list: &[Value]| {
        list.iter()
            .all(|v| v.as_object().is_some_and(|o| !is_secret(o)))
    };
    before.len() == after.len() && objects(before) && objects(after)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn paths(before: &Value, after: &Value) -> Vec<String> {
        diff(before, after, &|_, _| Impact::InPlace)
            .iter()
            .map(|d| d.path.join("."))
            .collect()
    }

    #[test]
    fn leaves_that_differ() {
        let before = json!({"cpus": "0", "env": {"A": "1", "B": "2"}, "command": ["a", "b"], "nics": [{"mac": "x"}]});
        let after = json!({"cpus": "1", "env": {"A": "1", "C": "2"}, "command": ["a"], "nics": [{"mac": "y"}]});
        assert_eq!(
            paths(&before, &after),
            ["command", "cpus", "env.B", "env.C", "nics.0.mac"]
        );
    }

    #[test]
    fn a_secret_is_a_leaf() {
        let before = json!({"env": {"A": {"$secret": "x"}}});
        let after = json!({"env": {"A": {"$secret": "y"}}});
        assert_eq!(paths(&before, &after), ["env.A"]);
    }

    #[test]
    fn removal_is_told_to_the_impact() {
        let deltas = diff(&json!({"a": 1, "b": 1}), &json!({"b": 2}), &|_, removed| {
            if removed {
                Impact::Replace
            } else {
                Impact::InPlace
            }
        });
        let impacts: Vec<_> = deltas.iter().map(|d| d.impact).collect();
        assert_eq!(impacts, [Impact::Replace, Impact::InPlace]);
    }

    fn body() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..4u8).prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[abc]", inner, 0..3)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn empty_exactly_when_equal(a in body(), b in body()) {
            prop_assert!(paths(&a, &a).is_empty());
            prop_assert_eq!(paths(&a, &b).is_empty(), a == b);
        }

        #[test]
        fn each_delta_tells_the_truth(a in body(), b in body()) {
            for delta in diff(&a, &b, &|_, _| Impact::InPlace) {
                prop_assert_eq!(get(&a, &delta.path), delta.before.as_ref());
                prop_assert_eq!(get(&b, &delta.path), delta.after.as_ref());
            }
        }
    }
}
