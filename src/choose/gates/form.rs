//! The workload exists in the runtime's form.

use super::Gate;

pub(super) const GATE: Gate = Gate {
    name: "form",
    closed: |workload, runtime, _, _| {
        (!workload.has_form(runtime)).then(|| {
            format!(
                "it is not given as one: it has no `{}` block",
                runtime.word()
            )
        })
    },
};
