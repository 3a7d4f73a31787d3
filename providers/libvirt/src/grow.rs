//! A disk that grows in place.

use infra_api::target::{Allocation, DiskVolume, Format};
use infra_api::{Failure, Remedy};
use virt::storage_vol::StorageVol;
use virt::sys;

use crate::failure::Doing;
use crate::guard::Claim;
use crate::link::Link;
use crate::spot::{Place, open};
use crate::text::domain_read;
use crate::text::volume::{self as text, Body};

/// To what is wanted, and nothing else changed.
pub(crate) fn grow_to(
    link: &Link,
    claim: &Claim,
    before: &Body,
    after: &Body,
) -> Result<(), Failure> {
    let doing = || format!("changing the volume `{}`", after.volume().name);
    let refused = |why: &str| Err(Failure::new(Remedy::Operator, doing(), why));
    let (Body::Disk(old), Body::Disk(new)) = (before, after) else {
        return refused("only a disk can change in place");
    };
    let capacity_bytes = new.capacity_bytes;
    if (DiskVolume {
        capacity_bytes,
        ..old.clone()
    }) != *new
    {
        return refused("only a disk's size can change in place");
    }
    let Some(place) = open(link, &new.volume.pool)? else {
        return refused("its pool is not started");
    };
    let spot = place.spot(&new.volume.name)?;
    spot.may_change(claim)?;
    let Some(data) = &spot.data else {
        return refused("it is not there");
    };
    match data.info().doing(doing)?.capacity {
        there if there == capacity_bytes => Ok(()),
        there if there > capacity_bytes => {
            refused("a disk cannot shrink: what lies beyond its new end would be lost")
        }
        _ if !capacity_bytes.is_multiple_of(text::SECTOR) => {
            refused("its new size is no whole number of sectors (512 bytes)")
        }
        _ => grow(&place, data, new),
    }
}

/// Of a qcow2 libvirt takes no new space beforehand, nor does a QEMU that runs.
fn taken(disk: &DiskVolume) -> u32 {
    match (disk.format, disk.allocation) {
        (Format::Raw, Allocation::Full) => sys::VIR_STORAGE_VOL_RESIZE_ALLOCATE,
        _ => 0,
    }
}

/// A running QEMU must do it itself: it would not see what another process did to its file.
fn grow(place: &Place, data: &StorageVol, disk: &DiskVolume) -> Result<(), Failure> {
    let doing = || format!("growing the volume `{}`", disk.volume.name);
    // A machine that is not ours has it by its path.
    let path = data.path().doing(doing)?;
    let active = sys::VIR_CONNECT_LIST_DOMAINS_ACTIVE;
    for domain in place.link.list_all_domains(active).doing(doing)? {
        // One that has just stopped has no live XML and no use for the disk.
        let Ok(xml) = domain.xml_desc(0) else {
            continue;
        };
        let places = domain_read::places(&xml);
        if let Some(target) = places
            .ok()
            .and_then(|all| all.of_volume(&disk.volume, &path))
        {
            let in_bytes = sys::VIR_DOMAIN_BLOCK_RESIZE_BYTES;
            return domain
                .block_resize(&target, disk.capacity_bytes, in_bytes)
                .doing(doing);
        }
    }
    data.resize(disk.capacity_bytes, taken(disk)).doing(doing)
}
