//! For the fuzzer of the workspace alone: every reader of what a script of ours printed, given any bytes. Each says whether
//! it took them.

use infra_api::Project;

use crate::settings;

/// Facts from afar.
#[must_use]
pub fn far(printed: &[u8]) -> bool {
    let Ok(far) = crate::Far::parse(printed) else {
        return false;
    };
    let (facts, _) = far.facts();
    let _ = facts.contradictions();
    true
}

/// Processes.
#[must_use]
pub fn processes(printed: &[u8]) -> bool {
    crate::looked(printed).is_ok()
}

/// Settings.
#[must_use]
pub fn settings(printed: &[u8]) -> bool {
    settings::observed_of(printed, &Project::new("demo"), "/proc/sys/vm/swappiness").is_some()
}
