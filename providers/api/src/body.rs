//! The body of an object, which several may hold.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A struct of [`crate::target`], as JSON. What is recorded, found and wanted of an object is mostly the same, and then
/// one: a copy of it costs nothing until it is changed.
#[derive(Clone, Debug, Default, Eq)]
pub struct Body(Arc<Value>);

impl Body {
    /// The same as another that is equal, so that one of the two can go.
    pub fn share(&mut self, other: &Self) {
        if self == other {
            self.clone_from(other);
        }
    }

    #[must_use]
    pub fn into_value(self) -> Value {
        Arc::unwrap_or_clone(self.0)
    }
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self(Arc::new(value))
    }
}

impl Deref for Body {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl DerefMut for Body {
    fn deref_mut(&mut self) -> &mut Value {
        Arc::make_mut(&mut self.0)
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl PartialEq<Value> for Body {
    fn eq(&self, other: &Value) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<Body> for Value {
    fn eq(&self, other: &Body) -> bool {
        *self == *other.0
    }
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from)
    }
}

/// Any value, as far as a schema of its own goes.
impl JsonSchema for Body {
    fn inline_schema() -> bool {
        Value::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        Value::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Value::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_shared_changes_for_one_alone() {
        let recorded = Body::from(json!({"cpus": "0"}));
        let mut wanted = Body::from(json!({"cpus": "0"}));
        wanted.share(&recorded);
        assert!(Arc::ptr_eq(&wanted.0, &recorded.0));
        wanted["cpus"] = json!("1");
        assert_eq!(
            (&*recorded, &*wanted),
            (&json!({"cpus": "0"}), &json!({"cpus": "1"}))
        );
        wanted.share(&recorded);
        assert_eq!(wanted, json!({"cpus": "1"}), "another one stays as it is");
    }
}
