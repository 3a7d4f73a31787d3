//! The person's own word: `host = …` is obeyed.

use super::OfHost;

pub(super) const GATE: OfHost = OfHost {
    name: "host",
    closed: |workload, _, host, _| {
        let named = &workload.host.as_ref()?.value;
        (*named != host.declared.name).then(|| format!("its `host` says {named}"))
    },
};
