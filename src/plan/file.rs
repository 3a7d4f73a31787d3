//! The plan as a file: versioned JSON.

use infra_api::names;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::Plan;

/// The version of the plan's format that is written. A reader takes every version of its own major number.
pub const FORMAT_VERSION: &str = "1.2";

/// The file: the plan and the checksum of it. What was agreed to is what is done.
#[derive(Serialize, JsonSchema)]
pub struct PlanFile<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    /// `sha256:` and the digest of the rest as compact JSON with sorted keys.
    checksum: String,
}

/// The plan as text, the same bytes for the same plan.
///
/// # Panics
/// Never: every field of a plan has a form in JSON.
#[must_use]
pub fn write(plan: &Plan) -> String {
    let document = serde_json::to_value(plan).expect("a plan is JSON");
    let checksum = checksum(&document);
    let file = PlanFile { plan, checksum };
    let mut text = serde_json::to_string_pretty(&file).expect("a plan is JSON");
    text.push('\n');
    text
}

/// Of the document as compact JSON with sorted keys, so that white space does not count.
fn checksum(document: &Value) -> String {
    format!("sha256:{}", names::digest(&[&document.to_string()]))
}

/// What tells one plan from every other.
///
/// # Panics
/// Never, as [`write()`].
#[must_use]
pub fn digest(plan: &Plan) -> String {
    names::digest(&[&serde_json::to_string(plan).expect("a plan is JSON")])
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// What is wrong with the text, in words for a person.
pub fn read(text: &str) -> Result<Plan, String> {
    let mut value: Value =
        serde_json::from_str(text).map_err(|e| format!("it is not a plan file: {e}"))?;
    let version = value
        .get("format_version")
        .and_then(Value::as_str)
        .ok_or("it is not a plan file: it states no `format_version`")?;
    let major = |v: &str| v.split('.').next().unwrap_or_default().to_owned();
    if major(version) != major(FORMAT_VERSION) {
        return Err(format!(
            "it is a plan of format {version}, and this infra reads {}.x",
            major(FORMAT_VERSION)
        ));
    }
    let written = value.as_object_mut().and_then(|v| v.remove("checksum"));
    if written != Some(Value::String(checksum(&value))) {
        return Err("its content does not have its checksum: it was damaged or edited".to_owned());
    }
    serde_json::from_value(value).map_err(|e| format!("it is damaged: {e}"))
}
