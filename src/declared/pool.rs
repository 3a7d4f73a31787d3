//! `pool "fast" { … }`: where virtual disks lie, other than in the project's own pool.

use infra_api::Address;
use infra_diag::Span;
use infra_lang::{BlockKind, Instance, Meta, Shape, Text};

use super::read::{At, Reader};
use super::words::{NAME, path, word};

/// What a pool of libvirt may be called by whoever has made it.
static POOL_NAME: Text = Text {
    name: "the name of a storage pool",
    example: "default",
    check: |text| match text.chars().find(|c| c.is_control() || *c == '/') {
        _ if text.is_empty() => Err("it is empty".to_owned()),
        Some(c) => Err(format!("it has the character {}", c.escape_default())),
        None => Ok(()),
    },
};

pub(super) const KIND: BlockKind = BlockKind {
    name: "pool",
    label: Some("name"),
    doc: "A storage pool of libvirt for virtual disks that name it by `pool = pool.NAME`, on each host where one does. \
          Exactly one of `existing`, `path` and `volume_group` is written. Without any, disks lie in the project's own \
          pool (`host { libvirt { pool_path } }`), as images, kernels and seeds always do.",
    attributes: &[
        word(
            "name",
            Shape::Text(&NAME),
            "The daemon's name for it, where that is not `PROJECT.NAME`: of a pool that is imported.",
        ),
        word(
            "existing",
            Shape::Text(&POOL_NAME),
            "A pool that is there (of kind dir, fs, netfs or logical), by libvirt's name for it: never made, changed or \
             removed. The volumes made in it are this project's.",
        ),
        path(
            "path",
            "A directory of the host, made where it is missing: a pool is made of it. It is removed with the pool where \
             it is empty.",
        ),
        word(
            "volume_group",
            Shape::Text(&NAME),
            "An LVM volume group that is there, or there is no plan: a pool is defined over it, and neither it nor what else is in it is ever \
             removed. Its volumes are logical volumes: raw, with all of their space, in whole extents (4 MiB where the \
             group has no others), each with a companion of one extent; what a new one holds is what its extents held. \
             libvirt cannot make one larger: `lvextend` does, then the plan agrees. When the pool is removed libvirt \
             deactivates the group, and fails where others have volumes of it open: such a group is better `existing`.",
        ),
    ],
    blocks: &[],
    computed: &[],
    // Order among workloads is declared on workloads; what these stand on follows by itself.
    meta: Meta {
        depends_on: false,
        ..Meta::ALL
    },
};

/// A pool as declared.
#[derive(Clone, Debug)]
pub struct Pool {
    pub address: Address,
    pub place: Place,
    pub origin: Span,
}

/// What it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Somebody else's, by its name.
    Existing(At<String>),
    Path(At<String>),
    VolumeGroup(At<String>),
}

impl Pool {
    pub(super) fn read(instance: &Instance, reader: &mut Reader<'_>) -> Option<Self> {
        let block = &instance.block;
        let mut places: Vec<Place> = Vec::new();
        places.extend(reader.string(block, "existing").map(Place::Existing));
        places.extend(reader.string(block, "path").map(Place::Path));
        places.extend(reader.string(block, "volume_group").map(Place::VolumeGroup));
        if places.len() != 1 {
            let found = if places.is_empty() {
                "none"
            } else {
                "more than one"
            };
            reader.error(
                "Pool without one place",
                block.span,
                format!("{found} of `existing`, `path` and `volume_group` is written here"),
                "write exactly one of them",
            );
            return None;
        }
        if let (Some(Place::Existing(_)), Some(name)) =
            (places.first(), reader.string(block, "name"))
        {
            let text = "`existing` is its name already";
            reader.error("Pool of two names", name.span, text, "leave `name` out");
        }
        Some(Self {
            address: Address::new(instance.address.to_string()),
            place: places.pop()?,
            origin: instance.origin,
        })
    }
}
