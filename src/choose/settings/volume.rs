//! What a container writes lies on volumes.

use infra_api::{Runtime, Setting};

use super::Knob;
use crate::declared::Workload;

pub(super) const KNOB: Knob = Knob {
    setting: Setting::Volume,
    given: |workload, runtime, _| runtime == Runtime::Container && has(workload),
    adding: None,
};

/// Whether anything but its own layer is there to be written to.
pub(super) fn has(workload: &Workload) -> bool {
    let form = workload.container.as_ref();
    workload.disks.iter().any(|disk| disk.mount.is_some())
        || form.is_some_and(|form| !form.mounts.is_empty())
}
