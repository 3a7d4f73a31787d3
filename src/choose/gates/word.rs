//! The person's own word: `runtime = "…"` is obeyed.

use super::OfWorkload;

pub(super) const GATE: OfWorkload = OfWorkload {
    name: "word",
    closed: |_, runtime, word| {
        let named = word?;
        (named != runtime).then(|| format!("its `runtime` says {}", named.word()))
    },
};
