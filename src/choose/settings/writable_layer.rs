//! A container whose disks matter, and that has none but its own layer.

use infra_api::{Level, Need, Runtime, Setting};

use super::{Knob, volume};

pub(super) const KNOB: Knob = Knob {
    setting: Setting::WritableLayer,
    given: |workload, runtime, _| {
        let needs = &workload.suits.needs;
        let matters = |need| needs.get(need) >= Level::Medium;
        let disk = matters(Need::DiskLatency) || matters(Need::DiskThroughput);
        runtime == Runtime::Container && disk && !volume::has(workload)
    },
    adding: None,
};
