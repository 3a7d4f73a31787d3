//! What a container finds at its paths: disks, which are volumes of the engine; paths of the host; memory; files.

use std::collections::BTreeMap;

use infra_api::target::{ContainerVolume, Mount};
use infra_api::{Address, HostName, Placement, What};

use super::Lowering;
use crate::declared::{At, Container, Disk, DiskMount, Mounted, Workload};

impl Lowering<'_> {
    /// By the path inside the container.
    pub(super) fn mounts(
        &mut self,
        workload: &Workload,
        placement: &Placement,
        form: &Container,
    ) -> BTreeMap<String, Mount> {
        let mut mounts = BTreeMap::new();
        let mut named: BTreeMap<&str, Vec<(&str, &DiskMount)>> = BTreeMap::new();
        for (target, At { value, .. }) in &form.mounts {
            match value {
                Mounted::Whole(mount) => drop(mounts.insert(target.clone(), mount.clone())),
                Mounted::Disk(part)
                    if workload.disks.iter().any(|d| d.label == part.disk.value) =>
                {
                    named
                        .entry(&part.disk.value)
                        .or_default()
                        .push((target, part));
                }
                Mounted::Disk(part) => self.no_disk(part),
            }
        }
        for disk in &workload.disks {
            let parts = named.remove(disk.label.as_str()).unwrap_or_default();
            if disk.mount.is_none() && parts.is_empty() {
                self.error(
                    disk.span,
                    "Disk without a mount",
                    "a container needs to know where to find it",
                    "write `mount = \"/path\"`",
                );
                continue;
            }
            let source = self.volume_of(workload, placement, disk);
            for (target, part) in parts {
                let mount = Mount::Volume {
                    source: source.clone(),
                    read_only: disk.read_only || part.read_only,
                    subpath: part.subpath.clone(),
                    no_copy: part.no_copy,
                };
                mounts.insert(target.to_owned(), mount);
            }
            if let Some(target) = &disk.mount {
                self.mount_whole(target, Mount::volume(source, disk.read_only), &mut mounts);
            }
        }
        mounts
    }

    fn mount_whole(
        &mut self,
        target: &At<String>,
        mount: Mount,
        mounts: &mut BTreeMap<String, Mount>,
    ) {
        if mounts.insert(target.value.clone(), mount).is_some() {
            self.error(
                target.span,
                "Path mounted twice",
                "another disk or mount of the container is there already",
                "mount it at another path",
            );
        }
    }

    fn no_disk(&mut self, part: &DiskMount) {
        let text = format!("the workload has no `disk \"{}\"`", part.disk.value);
        self.error(
            part.disk.span,
            "Mount of no disk",
            &text,
            "write the label of one of its `disk` blocks",
        );
    }

    /// The name of a disk's volume, which is wanted on the host.
    fn volume_of(&mut self, workload: &Workload, placement: &Placement, disk: &Disk) -> String {
        let (address, name) = match &disk.volume {
            Some(volume) => (volume.value.clone(), self.name(&volume.value)),
            None => (
                workload.address.clone(),
                self.part_name(&workload.address, &format!("disk-{}", disk.label)),
            ),
        };
        self.container_volume(&placement.host, &address, &name);
        name
    }

    /// Once on each host.
    pub(super) fn container_volume(&mut self, host: &HostName, address: &Address, name: &str) {
        if self.first(host, &format!("container volume {name}")) {
            let declared = self.inputs.declared.volumes.get(address);
            let volume = ContainerVolume {
                name: name.to_owned(),
                driver: declared.and_then(|volume| volume.driver.clone()),
                options: declared.map_or_else(BTreeMap::new, |volume| volume.options.clone()),
                labels: declared.map_or_else(BTreeMap::new, |volume| volume.labels.clone()),
            };
            self.push(host, address, What::ContainerVolume(volume));
        }
    }

    /// A file is put where it stays: not into memory that is not there yet, not onto the host, and nowhere that is
    /// not written to.
    pub(super) fn files_fit(&mut self, form: &Container, mounts: &BTreeMap<String, Mount>) {
        for (path, file) in &form.files {
            let why = match under(path, mounts) {
                Some(Mount::Tmpfs { .. }) => {
                    "it is in a tmpfs, which is empty whenever the container starts"
                }
                Some(Mount::Bind { .. }) => {
                    "it is on a path of the host, which is not the container's to write"
                }
                Some(Mount::Volume {
                    read_only: true, ..
                }) => "the disk there is not written to",
                Some(Mount::Volume {
                    subpath: Some(_), ..
                }) => "only a part of the disk is there",
                None if form.security.read_only => {
                    "the container's root file system is `read_only`"
                }
                Some(Mount::Volume { .. }) | None => continue,
            };
            self.error(
                file.span,
                "File where none can be put",
                why,
                "put it elsewhere, or mount a disk there",
            );
        }
    }
}

/// What a path lies on; nothing where that is the container's own root.
fn under<'a>(path: &str, mounts: &'a BTreeMap<String, Mount>) -> Option<&'a Mount> {
    let holds = |target: &str| {
        let rest = path.strip_prefix(target.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let holding = mounts.iter().filter(|(target, _)| holds(target));
    holding
        .max_by_key(|(target, _)| target.len())
        .map(|(_, mount)| mount)
}
