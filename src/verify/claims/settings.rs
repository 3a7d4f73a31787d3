//! The host's kernel is set as was asked.

use super::Claim;
use crate::verify::{Case, Check, Verdict};

pub(super) const CLAIM: Claim = Claim {
    name: "settings",
    holds: "Each file of a host's kernel that is set says what was planned: pools of huge pages by node and size, and all of `kernel { … }`.",
    source: "kernel documentation: `/sys/devices/system/node/nodeN/hugepages`, `/proc/sys`",
    of_processes: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Check> {
    let settings = case.wanted.settings.iter().map(|setting| {
        let (found, verdict) = match case.running.settings.get(&setting.file) {
            Some(said) => (said.as_str(), Verdict::of(*said == setting.value)),
            None => ("it is not there", Verdict::Fails),
        };
        case.check(&setting.file, &setting.value, found, verdict)
    });
    settings.collect()
}
