//! CPUs of its own. Memory of their nodes comes with them.

use infra_api::{CpuPolicy, Runtime, Setting};

use super::{Adding, Knob};

pub(super) const KNOB: Knob = Knob {
    setting: Setting::Pinned,
    given: |workload, _, _| workload.cpus.policy == CpuPolicy::Dedicated,
    adding: Some(Adding {
        open: |workload, runtime| {
            let cpus = &workload.cpus;
            // Who said how his CPUs are shared has said so; CPUs that come and go have no places of their own.
            let silent = !cpus.says_whose && cpus.set.is_none() && cpus.maximum.is_none();
            let form = workload.container.as_ref();
            let quota = form.is_some_and(|form| form.limits.quota.is_some());
            silent && !(quota && runtime == Runtime::Container)
        },
        lacks: |_, _, _| None,
        claims: true,
        add: |workload, _| workload.cpus.policy = CpuPolicy::Dedicated,
    }),
};
