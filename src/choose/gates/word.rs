//! The person's own word: `runtime = "…"` is obeyed.

use super::OfWorkload;

pub(super) const GATE: OfWorkload = OfWorkload {
    name: "word",
    closed: |workload, runtime| {
        let named = workload.runtime.as_ref()?.value;
        (named != runtime).then(|| format!("its `runtime` says {}", named.word()))
    },
};
