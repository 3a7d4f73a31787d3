//! A volume's XML: written to make one, read to see what is there.

use infra_api::target::{
    Allocation, DiskVolume, FileVolume, Format, IgnitionVolume, SeedVolume, VolumeRef,
};
use serde::{Deserialize, Serialize};

use super::pool::Pools;
use super::xml::{attr, el, leaf, parse, size_at, text};

/// The body of a volume; which of the four it is shows in its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Body {
    File(FileVolume),
    Disk(DiskVolume),
    Seed(SeedVolume),
    Ignition(IgnitionVolume),
}

impl Body {
    pub(crate) fn volume(&self) -> &VolumeRef {
        match self {
            Body::File(file) => &file.volume,
            Body::Disk(disk) => &disk.volume,
            Body::Seed(seed) => &seed.volume,
            Body::Ignition(ignition) => &ignition.volume,
        }
    }
}

/// A volume whose bytes we send ourselves. It is made as raw whatever it will hold: a qcow2 would begin with
/// QEMU's own headers, of which the rest would stay behind a shorter file. All of its space is taken at once,
/// so that a full disk shows before the upload and not in its middle.
pub(crate) fn write_raw(name: &str, bytes: u64) -> Result<String, String> {
    let size = |element| leaf(element, bytes).attr("unit", "bytes");
    el("volume")
        .child(leaf("name", name))
        .child(size("capacity"))
        .child(size("allocation"))
        .child(el("target").child(el("format").attr("type", "raw")))
        .document()
}

/// Disks have whole sectors; libvirt would round.
pub(crate) const SECTOR: u64 = 512;

/// A disk: what libvirt can say of its space is how much of it is taken, and of a qcow2 by [`preallocates`] whether its
/// tables are.
pub(crate) fn write_disk(disk: &DiskVolume, pools: &Pools) -> Result<String, String> {
    let DiskVolume {
        volume,
        format,
        capacity_bytes,
        backing,
        backing_format,
        allocation,
        copy_of: _,
    } = disk;
    if !capacity_bytes.is_multiple_of(SECTOR) {
        return Err(format!(
            "a disk of {capacity_bytes} bytes has no whole number of sectors (512 bytes)"
        ));
    }
    if *allocation == Allocation::Metadata && *format == Format::Raw {
        return Err("a raw disk has no tables to be made beforehand".to_owned());
    }
    if backing.is_some() && *allocation != Allocation::Sparse {
        return Err("libvirt reserves nothing for a disk over a backing volume".to_owned());
    }
    let taken = match allocation {
        Allocation::Sparse | Allocation::Metadata => 0,
        Allocation::Full => *capacity_bytes,
    };
    let backing = match backing {
        None => None,
        Some(backing) => {
            let format = backing_format
                .ok_or("a backing volume's format must be known: QEMU would guess")?;
            let path = leaf("path", pools.path(backing)?);
            Some(
                el("backingStore")
                    .child(path)
                    .child(el("format").attr("type", word(format))),
            )
        }
    };
    el("volume")
        .child(leaf("name", &volume.name))
        .child(leaf("capacity", capacity_bytes).attr("unit", "bytes"))
        .child(leaf("allocation", taken).attr("unit", "bytes"))
        .child(el("target").child(el("format").attr("type", word(*format))))
        .children(backing)
        .document()
}

/// Whether it is made by libvirt's flag for it: a qcow2's tables alone, or with all of its space where that is its
/// allocation.
pub(crate) fn preallocates(disk: &DiskVolume) -> bool {
    disk.format == Format::Qcow2 && disk.allocation != Allocation::Sparse
}

fn word(format: Format) -> &'static str {
    match format {
        Format::Raw => "raw",
        Format::Qcow2 => "qcow2",
    }
}

/// A volume as libvirt describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) format: Format,
    /// What a guest sees.
    pub(crate) capacity: u64,
    /// The file's own length.
    pub(crate) length: u64,
    pub(crate) backing: Option<(VolumeRef, Format)>,
}

impl Found {
    /// Whether it stands on a file of no pool that is known.
    pub(crate) fn is_astray(&self) -> bool {
        self.backing
            .as_ref()
            .is_some_and(|(backing, _)| backing.pool.is_empty())
    }
}

pub(crate) fn read(xml: &str, pools: &Pools) -> Result<Found, String> {
    parse(xml, |root| {
        let capacity = size_at(root, "capacity")?;
        let backing = text(root, "backingStore/path").filter(|path| !path.is_empty());
        Some(Found {
            format: format(attr(root, "target/format", "type")),
            capacity,
            length: size_at(root, "physical").unwrap_or(capacity),
            backing: backing.map(|path| {
                (
                    pools.volume(&path),
                    format(attr(root, "backingStore/format", "type")),
                )
            }),
        })
    })
}

/// libvirt probes what a file begins with: an ISO image is `iso` to it. What is not qcow2 is bytes to us.
fn format(word: Option<String>) -> Format {
    match word.as_deref() {
        Some("qcow2") => Format::Qcow2,
        _ => Format::Raw,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::golden;
    use std::collections::BTreeMap;

    fn pools() -> Pools {
        Pools(BTreeMap::from([("demo".into(), "/srv/demo".into())]))
    }

    fn disk() -> DiskVolume {
        let name = |name: &str| VolumeRef {
            pool: "demo".into(),
            name: name.into(),
        };
        DiskVolume {
            volume: name("data"),
            format: Format::Qcow2,
            capacity_bytes: 1 << 30,
            backing: Some(name("base")),
            backing_format: Some(Format::Qcow2),
            allocation: Allocation::Sparse,
            copy_of: None,
        }
    }

    #[test]
    fn goldens() {
        golden("volume-disk.xml", &write_disk(&disk(), &pools()).unwrap());
        let full = DiskVolume {
            format: Format::Raw,
            backing: None,
            backing_format: None,
            allocation: Allocation::Full,
            ..disk()
        };
        golden("volume-full.xml", &write_disk(&full, &pools()).unwrap());
        golden("volume-raw.xml", &write_raw("f", 5000).unwrap());
    }

    #[test]
    fn as_libvirt_hands_it_back() {
        let found = read(include_str!("golden/volume-as-read.xml"), &pools()).unwrap();
        let DiskVolume {
            capacity_bytes,
            backing,
            ..
        } = disk();
        let backing = backing.map(|volume| (volume, Format::Qcow2));
        assert_eq!(
            found,
            Found {
                format: Format::Qcow2,
                capacity: capacity_bytes,
                length: 196_616,
                backing
            }
        );
    }

    #[test]
    fn what_would_be_read_back_otherwise_is_refused() {
        let odd = DiskVolume {
            capacity_bytes: 1000,
            ..disk()
        };
        assert!(write_disk(&odd, &pools()).unwrap_err().contains("sectors"));
        let guessed = DiskVolume {
            backing_format: None,
            ..disk()
        };
        assert!(
            write_disk(&guessed, &pools())
                .unwrap_err()
                .contains("guess")
        );
        let reserved = DiskVolume {
            allocation: Allocation::Full,
            ..disk()
        };
        let refused = write_disk(&reserved, &pools()).unwrap_err();
        assert!(refused.contains("backing"));
        let tables = DiskVolume {
            format: Format::Raw,
            allocation: Allocation::Metadata,
            ..disk()
        };
        let refused = write_disk(&tables, &pools()).unwrap_err();
        assert!(refused.contains("tables"));
        let nowhere = Pools::default();
        assert!(
            write_disk(&disk(), &nowhere)
                .unwrap_err()
                .contains("`demo`")
        );
    }

    #[test]
    fn only_a_qcow2_has_tables_to_be_made_beforehand() {
        let made = |format, allocation| {
            preallocates(&DiskVolume {
                format,
                allocation,
                ..disk()
            })
        };
        assert!(made(Format::Qcow2, Allocation::Metadata));
        assert!(made(Format::Qcow2, Allocation::Full));
        assert!(!made(Format::Qcow2, Allocation::Sparse));
        assert!(!made(Format::Raw, Allocation::Full));
    }

    #[test]
    fn a_body_is_known_by_its_fields() {
        let json = serde_json::to_value(disk()).unwrap();
        assert_eq!(
            serde_json::from_value::<Body>(json).unwrap(),
            Body::Disk(disk())
        );
    }
}
