//! The person's own word: `host = …` is obeyed.

use super::Gate;

pub(super) const GATE: Gate = Gate {
    name: "host",
    closed: |workload, _, host, _| {
        let named = &workload.host.as_ref()?.value;
        (*named != host.declared.name).then(|| format!("its `host` says {named}"))
    },
};
