//! What was measured, as it lies in the configuration's folder: `evidence/*.json`.

use infra_diag::{Diagnostic, Diagnostics};
use infra_suitability::{EvidenceFile, Measurement};

use super::Folder;

/// The folder beside the configuration that holds evidence.
pub const EVIDENCE: &str = "evidence";

/// Every file of evidence, in the order of their names, and what is wrong with the others.
#[must_use]
pub fn evidence(folder: &Folder) -> (Vec<Measurement>, Diagnostics) {
    let (mut all, mut diagnostics) = (Vec::new(), Diagnostics::new());
    let entries = std::fs::read_dir(folder.path(EVIDENCE))
        .into_iter()
        .flatten();
    let names = entries.flatten().map(|entry| entry.file_name());
    let mut names: Vec<String> = names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".json"))
        .collect();
    names.sort();
    for name in names {
        let file = format!("{EVIDENCE}/{name}");
        let read = std::fs::read_to_string(folder.path(&file)).map_err(|e| e.to_string());
        let read = read.and_then(|text| {
            let evidence: EvidenceFile = serde_json::from_str(&text).map_err(|e| e.to_string())?;
            match evidence.flaw() {
                None => Ok(evidence),
                Some(flaw) => Err(flaw),
            }
        });
        match read {
            Ok(evidence) => all.push(Measurement { file, evidence }),
            Err(why) => diagnostics.push(
                Diagnostic::error("Unusable evidence")
                    .note(format!("{file}: {why}"))
                    .hint("measure again with `infra measure`, or take the file away"),
            ),
        }
    }
    (all, diagnostics)
}
