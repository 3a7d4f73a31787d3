//! The workload exists in the runtime's form.

use super::OfWorkload;

pub(super) const GATE: OfWorkload = OfWorkload {
    name: "form",
    closed: |workload, runtime, _| {
        (!workload.has_form(runtime)).then(|| {
            format!(
                "it is not given as one: it has no `{}` block",
                runtime.word()
            )
        })
    },
};
