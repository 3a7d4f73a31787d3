//! The person's own word: `runtime = "…"` is obeyed.

use super::Gate;

pub(super) const GATE: Gate = Gate {
    name: "word",
    closed: |workload, runtime, _, _| {
        let named = workload.runtime.as_ref()?.value;
        (named != runtime).then(|| format!("its `runtime` says {}", named.word()))
    },
};
