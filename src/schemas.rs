//! The JSON Schemas of the formats that programs read, made from the types themselves.

use schemars::{JsonSchema, schema_for};
use serde_json::Value;

/// Name of each published schema, and the schema.
#[must_use]
pub fn all() -> Vec<(&'static str, Value)> {
    vec![
        (
            "facts",
            schema::<infra_api::Facts>("What `infra facts` prints"),
        ),
        (
            "plan-file",
            schema::<infra_plan::PlanFile>("What `infra plan --out` writes"),
        ),
        (
            "state",
            schema::<infra_state::StateFile>("`.infra/state.json`"),
        ),
        (
            "events",
            schema::<infra_apply::Event>("A line of `infra apply --json`"),
        ),
        (
            "plan",
            schema::<crate::cli::show::json::PlanDocument>("What `infra plan --json` prints"),
        ),
        (
            "diff",
            schema::<crate::cli::show::json::DriftDocument>("What `infra diff --json` prints"),
        ),
        (
            "suitability",
            schema::<infra_suitability::Overlay>(
                "The table of a `suitability` block; `infra suitability --json` prints all of it",
            ),
        ),
        (
            "evidence",
            schema::<infra_suitability::EvidenceFile>("What `infra measure` writes"),
        ),
        (
            "measured-host",
            schema::<crate::cli::show::measured::HostDocument>(
                "What `infra measure host --json` prints",
            ),
        ),
        (
            "verification",
            schema::<crate::cli::show::verification::VerificationDocument>(
                "What `infra verify --json` prints",
            ),
        ),
        (
            "capacity",
            schema::<crate::cli::show::capacity::CapacityDocument>(
                "What `infra capacity --json` prints",
            ),
        ),
    ]
}

fn schema<T: JsonSchema>(title: &str) -> Value {
    let mut schema = schema_for!(T).to_value();
    schema["title"] = title.into();
    schema
}
