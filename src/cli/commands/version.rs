//! `infra version`: of the program and of its formats.

use crate::cli::arguments;
use crate::cli::ui::{Exit, Ui};

pub(in crate::cli) fn run(args: &arguments::Version, ui: Ui) -> Exit {
    let version = env!("CARGO_PKG_VERSION");
    let formats = [
        ("facts", infra_api::facts::FORMAT_VERSION),
        ("plan", infra_plan::FORMAT_VERSION),
        ("state", infra_state::FORMAT_VERSION),
        ("events", infra_apply::EVENTS_VERSION),
        ("evidence", infra_suitability::EVIDENCE_VERSION),
    ];
    if args.json {
        let formats: serde_json::Map<String, serde_json::Value> = formats
            .iter()
            .map(|(name, v)| ((*name).to_owned(), (*v).into()))
            .collect();
        ui.json(&serde_json::json!({ "version": version, "formats": formats }));
    } else {
        let formats: Vec<String> = formats
            .iter()
            .map(|(name, v)| format!("{name} {v}"))
            .collect();
        ui.result(&format!(
            "infra {version}\nformats: {}\n",
            formats.join(", ")
        ));
    }
    Exit::Done
}
