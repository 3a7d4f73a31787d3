//! Outputs as the plan and the state keep them: values, or the digests of sensitive ones.

use std::collections::BTreeMap;

use infra_expr::json;
use infra_plan::Output;

use crate::configuration::Configuration;

/// The root module's outputs.
///
/// # Errors
/// When a digest cannot be made: without it nobody could tell that a sensitive one changed.
pub fn of<E>(
    configuration: &Configuration,
    digest: &mut dyn FnMut(&str) -> Result<String, E>,
) -> Result<BTreeMap<String, Output>, E> {
    let outputs = configuration.evaluation.outputs.iter();
    outputs
        .map(|(name, output)| {
            // Nothing is unknown once addresses are allocated.
            let plain = json::encode(&output.value).unwrap_or(serde_json::Value::Null);
            let secret = output.sensitive || output.value.contains_sensitive();
            let kept = if secret {
                Output {
                    value: None,
                    digest: Some(digest(&plain.to_string())?),
                }
            } else {
                Output {
                    value: Some(plain),
                    digest: None,
                }
            };
            Ok((name.to_string(), kept))
        })
        .collect()
}
