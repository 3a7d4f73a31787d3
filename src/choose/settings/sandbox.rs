//! A container's runtime with a kernel between it and the host's.

use infra_api::{Runtime, Setting};

use super::Knob;

/// What the engine calls them by, or begins with.
const SANDBOXES: [&str; 3] = ["runsc", "kata", "io.containerd.kata"];

pub(super) const KNOB: Knob = Knob {
    setting: Setting::Sandbox,
    given: |workload, runtime, _| {
        let form = workload.container.as_ref();
        let name = form.and_then(|form| form.confinement.runtime.as_deref());
        let sandbox = name.is_some_and(|name| SANDBOXES.iter().any(|s| name.starts_with(s)));
        runtime == Runtime::Container && sandbox
    },
    adding: None,
};
