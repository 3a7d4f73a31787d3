//! A thread beside the emulator's own that serves a machine's disks, past the host's page cache.

use infra_api::{Runtime, Setting};

use super::{Adding, Knob};
use crate::declared::{At, Disk, Workload};

pub(super) const KNOB: Knob = Knob {
    setting: Setting::Iothread,
    given: |workload, runtime, _| {
        let form = workload.kvm.as_ref();
        runtime == Runtime::Kvm && form.is_some_and(|form| form.iothreads > 0)
    },
    adding: Some(Adding {
        open: |workload, runtime| {
            let form = workload.kvm.as_ref();
            let none = form.is_some_and(|form| form.iothreads == 0);
            runtime == Runtime::Kvm && none && workload.disks.iter().any(served)
        },
        lacks: |_, _, _| None,
        claims: false,
        add: |workload, _| add(workload),
    }),
};

/// Disks on virtio: others are served by the emulator alone.
fn served(disk: &Disk) -> bool {
    disk.bus.is_none()
}

fn add(workload: &mut Workload) {
    if let Some(form) = &mut workload.kvm {
        form.iothreads = 1;
    }
    for disk in workload.disks.iter_mut().filter(|disk| served(disk)) {
        let span = disk.span;
        disk.iothread = Some(At { value: 1, span });
        if disk.cache.is_none() && disk.io.is_none() && disk.remote.is_none() {
            disk.cache = Some("none".to_owned());
            let value = "native".to_owned();
            disk.io = Some(At { value, span });
        }
    }
}
