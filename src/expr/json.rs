//! Values ↔ JSON, as `jsonencode` and `jsondecode` do it.

use crate::Value;

/// # Errors
/// When something in it is unknown.
pub fn encode(_value: &Value) -> Result<serde_json::Value, String> {
    Ok(serde_json::Value::Null)
}

#[must_use]
pub fn decode(_json: &serde_json::Value) -> Value {
    Value::null()
}
