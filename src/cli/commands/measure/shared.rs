//! What a copy of a workload would write to together with it: a benchmark would touch data that is kept.

use infra_api::target::Mount;

use crate::declared::{Mounted, Workload};

/// The first such thing, as it is declared.
pub(super) fn shared(workload: &Workload) -> Option<String> {
    let disks = workload.disks.iter().filter(|disk| !disk.read_only);
    let mut disks = disks.filter_map(|disk| {
        let volume = disk.volume.as_ref().map(|volume| volume.value.to_string());
        let path = disk.path.as_ref().map(|path| path.value.clone());
        let remote = disk.remote.as_ref().map(|remote| remote.value.name.clone());
        volume.or(path).or(remote)
    });
    let mounts = workload
        .container
        .iter()
        .flat_map(|form| form.mounts.values());
    let mut mounts = mounts.filter_map(|mount| match &mount.value {
        Mounted::Whole(
            Mount::Bind {
                source, read_only, ..
            }
            | Mount::Volume {
                source, read_only, ..
            },
        ) => (!read_only).then(|| source.clone()),
        Mounted::Whole(Mount::Tmpfs { .. }) | Mounted::Disk(_) => None,
    });
    let machine = workload.kvm.iter();
    let mut folders = machine.flat_map(|form| form.hardware.filesystems.values());
    disks
        .next()
        .or_else(|| mounts.next())
        .or_else(|| folders.next().map(|folder| folder.source.clone()))
}
