//! What is written of pools and disks that others have made makes the same, though nobody uses them; and no disk of
//! another name.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::target::{Allocation, DiskVolume, Format, Pool, VolumeRef};
use infra_api::{Address, HostName, Project, ResourceId, What};
use infra_plan::MadeAs;

use super::tests::configuration;
use super::{disk_volume, pool};
use crate::lower::{Inputs, lower};

fn disk(format: Format, name: &str) -> DiskVolume {
    DiskVolume {
        volume: VolumeRef {
            pool: "theirs".into(),
            name: name.into(),
        },
        format,
        capacity_bytes: 8 << 20,
        backing: None,
        backing_format: None,
        allocation: Allocation::Sparse,
        copy_of: None,
    }
}

/// All that is wanted where these are taken over.
fn wanted(text: &str, taken: &[(&str, &str, &str)]) -> Vec<What> {
    let found = configuration(text);
    let host = HostName::new("local");
    let one = |(kind, name, address): &(&str, &str, &str)| {
        let id = ResourceId::new(&host, "libvirt", kind, name);
        (id, Address::new(*address))
    };
    let (targets, diagnostics) = lower(&Inputs {
        project: &Project::new("demo"),
        declared: &found.declared,
        placements: &BTreeMap::new(),
        made_as: &MadeAs::default(),
        files: &BTreeMap::new(),
        pinned: &BTreeMap::new(),
        libvirt: &BTreeSet::new(),
        settings: &BTreeMap::new(),
        distances: &BTreeMap::new(),
        parents: &BTreeMap::new(),
        logical: &BTreeSet::new(),
        taken: &taken.iter().map(one).collect(),
    });
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    targets.into_iter().map(|target| target.what).collect()
}

#[test]
fn pools_and_disks_come_back() {
    let theirs = Pool {
        name: "theirs".into(),
        path: "/srv/theirs".into(),
        volume_group: None,
    };
    let disks = [disk(Format::Qcow2, "a.qcow2"), disk(Format::Raw, "b.img")];
    let mut text = pool("all", &theirs).to_string();
    for (label, disk) in ["a", "b"].iter().zip(&disks) {
        text += &disk_volume(label, disk, Some("pool.all"), false).to_string();
    }
    let taken = [
        ("pool", "theirs", "pool.all"),
        ("volume", "theirs/a.qcow2", "volume.a"),
        ("volume", "theirs/b.img", "volume.b"),
    ];
    let [a, b] = disks.map(|disk| What::Disk(disk, None));
    assert_eq!(wanted(&text, &taken), [What::Pool(theirs), a, b]);
    assert_eq!(wanted(&text, &[]), [], "else nobody wants them");
}
