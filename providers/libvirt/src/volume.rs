//! Volumes on a daemon, each with its companion.
//!
//! Companion (incomplete), volume, content, companion (complete): cut off anywhere, the host itself tells what
//! was half made, and the same call finishes it. Deleting goes the same way back.

use std::fs::File;
use std::path::Path;

use infra_api::target::{DiskVolume, FileVolume, IgnitionVolume, VolumeRef};
use infra_api::{Failure, Mark, Observed, Project, Remedy, names};
use sha2::{Digest, Sha256};
use virt::connect::Connect;
use virt::storage_vol::StorageVol;
use virt::sys;

use crate::failure::{Doing, each, patiently};
use crate::pool;
use crate::spot::{Note, Place, Spot, open};
use crate::text::companion::{self, Content};
use crate::text::domain::NO_SECRET;
use crate::text::volume::{self as text, Body};
use crate::text::{domain_read, seed};
use crate::transfer::upload;
use crate::wire::Say;

pub(crate) fn read(
    connection: &Connect,
    project: &Project,
    volume: &VolumeRef,
) -> Result<Observed, Failure> {
    match open(connection, &volume.pool)? {
        Some(place) => place.spot(&volume.name)?.observe(project),
        None => Ok(Observed::Absent),
    }
}

/// By `POOL/NAME`: every volume whose companion names this project, in every pool that is started.
pub(crate) fn list(
    connection: &Connect,
    project: &Project,
) -> Result<Vec<(String, Observed)>, Failure> {
    let pools = pool::paths(connection)?.0;
    let lists = each(pools.keys(), |pool| match open(connection, pool)? {
        Some(place) => list_in(&place, pool, project).map(Some),
        None => Ok(None),
    })?;
    Ok(lists.into_iter().flatten().collect())
}

fn list_in(
    place: &Place,
    pool: &str,
    project: &Project,
) -> Result<Vec<(String, Observed)>, Failure> {
    each(place.marked()?, |name| {
        let spot = place.spot(name)?;
        let ours = spot.mark().is_some_and(|mark| mark.project == *project);
        ours.then(|| Ok((format!("{pool}/{name}"), spot.observe(project)?)))
            .transpose()
    })
}

/// What is there and whole must be what is wanted; anything less is made again from the beginning.
pub(crate) fn create(
    connection: &Connect,
    mark: &Mark,
    wanted: &Body,
    source: Option<&Path>,
    say: &Say,
) -> Result<(), Failure> {
    let doing = || format!("making the volume `{}`", wanted.volume().name);
    let stale = |why: &str| Failure::new(Remedy::Replan, doing(), why);
    let Some(place) = open(connection, &wanted.volume().pool)? else {
        return Err(stale("its pool is not started"));
    };
    let spot = place.spot(&wanted.volume().name)?;
    spot.claim(&mark.project)?;
    match spot.observe(&mark.project)? {
        Observed::Present { body, .. } => match serde_json::to_value(wanted).ok() == Some(body) {
            true => Ok(()),
            false => Err(stale("it is there, and another one")),
        },
        _ => make(&place, &spot, mark, wanted, source, say),
    }
}

fn make(
    place: &Place,
    spot: &Spot,
    mark: &Mark,
    wanted: &Body,
    source: Option<&Path>,
    say: &Say,
) -> Result<(), Failure> {
    let content = content(wanted);
    spot.note(mark, content.clone(), false)?;
    if let Some(old) = &spot.data {
        patiently(|| old.delete(0)).doing(|| format!("clearing {}", spot.what()))?;
    }
    fill(place, spot, wanted, source, say)?;
    place.refresh();
    // Looked at again: the companion is there now.
    place.spot(&wanted.volume().name)?.note(mark, content, true)
}

fn content(body: &Body) -> Content {
    match body {
        Body::File(file) => Content::File {
            sha256: file.sha256.clone(),
        },
        Body::Disk(_) => Content::Disk,
        Body::Seed(_) => Content::Seed,
        Body::Ignition(_) => Content::Ignition,
    }
}

fn fill(
    place: &Place,
    spot: &Spot,
    wanted: &Body,
    source: Option<&Path>,
    say: &Say,
) -> Result<(), Failure> {
    let doing = || format!("making {}", spot.what());
    match wanted {
        Body::Disk(disk) => {
            let xml = text::write_disk(disk, &place.paths).doing(doing)?;
            spot.define(&xml).map(drop)
        }
        Body::Seed(seed) => spot.make(&seed.volume.name, &seed::write(seed).doing(doing)?),
        Body::Ignition(IgnitionVolume { volume, config }) => {
            let config = config.plain().ok_or(NO_SECRET).map_err(str::to_owned);
            spot.make(&volume.name, config.doing(doing)?.as_bytes())
        }
        Body::File(file) => {
            let source = source
                .ok_or_else(|| "no file was given".to_owned())
                .doing(doing)?;
            send_file(place, spot, file, source, say)
        }
    }
}

/// The file is hashed as it goes over the wire, so that what was planned is what arrives.
fn send_file(
    place: &Place,
    spot: &Spot,
    wanted: &FileVolume,
    path: &Path,
    say: &Say,
) -> Result<(), Failure> {
    let doing = || format!("uploading {}", path.display());
    let changed = |how: &str| {
        let why = format!("the file changed since it was planned: {how}");
        Failure::new(Remedy::Replan, doing(), why)
    };
    // The format is the content's: it is seen when the volume is read.
    let FileVolume {
        volume,
        format: _,
        sha256,
        size_bytes,
    } = wanted;
    let (mut file, length) = open_file(path).doing(doing)?;
    if length != *size_bytes {
        return Err(changed(&format!(
            "it has {length} bytes instead of {size_bytes}"
        )));
    }
    let room = spot.room(&volume.name, length)?;
    let (mut hash, mut sent) = (Sha256::new(), 0);
    upload(place.connection, &room, length, &mut file, &mut |piece| {
        hash.update(piece);
        tell(say, &mut sent, piece.len() as u64, length);
    })?;
    match names::hex(&hash.finalize()) == *sha256 {
        true => Ok(()),
        false => Err(changed("its digest is another one")),
    }
}

fn open_file(path: &Path) -> Result<(File, u64), String> {
    let file = File::open(path).map_err(|e| e.to_string())?;
    let length = file.metadata().map_err(|e| e.to_string())?.len();
    Ok((file, length))
}

/// Every 16 MiB is often enough for a person, and for the clock that watches for silence.
fn tell(say: &Say, sent: &mut u64, piece: u64, length: u64) {
    const EVERY: u64 = 16 << 20;
    let before = *sent / EVERY;
    *sent += piece;
    if *sent / EVERY != before {
        say.say(format!(
            "uploading {} of {} MiB",
            *sent >> 20,
            length.div_ceil(1 << 20)
        ));
    }
}

/// A disk grows in place. What a guest reads when it starts is written again: who has it open keeps the old one until
/// he starts again.
pub(crate) fn update(
    connection: &Connect,
    mark: &Mark,
    before: &Body,
    after: &Body,
    say: &Say,
) -> Result<(), Failure> {
    if let (Body::Seed(_), Body::Seed(_)) | (Body::Ignition(_), Body::Ignition(_)) = (before, after)
    {
        let volume = after.volume();
        let doing = || format!("changing the volume `{}`", volume.name);
        let Some(place) = open(connection, &volume.pool)? else {
            return Err(Failure::new(
                Remedy::Replan,
                doing(),
                "its pool is not started",
            ));
        };
        let spot = place.spot(&volume.name)?;
        spot.claim(&mark.project)?;
        return make(&place, &spot, mark, after, None, say);
    }
    grow_to(connection, mark, before, after)
}

fn grow_to(connection: &Connect, mark: &Mark, before: &Body, after: &Body) -> Result<(), Failure> {
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
    let Some(place) = open(connection, &new.volume.pool)? else {
        return refused("its pool is not started");
    };
    let spot = place.spot(&new.volume.name)?;
    spot.claim(&mark.project)?;
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

/// A running QEMU must do it itself: it would not see what another process did to its file.
fn grow(place: &Place, data: &StorageVol, disk: &DiskVolume) -> Result<(), Failure> {
    let doing = || format!("growing the volume `{}`", disk.volume.name);
    let active = sys::VIR_CONNECT_LIST_DOMAINS_ACTIVE;
    for domain in place.connection.list_all_domains(active).doing(doing)? {
        // One that has just stopped has no live XML and no use for the disk.
        let Ok(xml) = domain.xml_desc(0) else {
            continue;
        };
        let places = domain_read::places(&xml, &place.paths);
        if let Some(target) = places.ok().and_then(|all| all.of_volume(&disk.volume)) {
            let in_bytes = sys::VIR_DOMAIN_BLOCK_RESIZE_BYTES;
            return domain
                .block_resize(&target, disk.capacity_bytes, in_bytes)
                .doing(doing);
        }
    }
    data.resize(disk.capacity_bytes, 0).doing(doing)
}

pub(crate) fn delete(connection: &Connect, mark: &Mark, volume: &VolumeRef) -> Result<(), Failure> {
    let Some(place) = open(connection, &volume.pool)? else {
        return Ok(());
    };
    let spot = place.spot(&volume.name)?;
    spot.claim(&mark.project)?;
    if let Note::Written(note) = &spot.note {
        spot.note(mark, note.content.clone(), false)?;
    }
    let mut there = [&spot.data, &spot.companion].into_iter().flatten();
    there.try_for_each(|volume| {
        patiently(|| volume.delete(0)).doing(|| format!("removing {}", spot.what()))
    })
}

/// `POOL/NAME`, as in an id.
pub(crate) fn place(name: &str) -> Result<VolumeRef, Failure> {
    let parts = name
        .split_once('/')
        .ok_or_else(|| "a volume is named POOL/NAME".to_owned());
    let (pool, name) = parts.doing(|| format!("looking for the volume `{name}`"))?;
    Ok(VolumeRef {
        pool: pool.to_owned(),
        name: name.to_owned(),
    })
}

/// Refuses names that would be taken for a companion or leave the pool's directory.
pub(crate) fn check_name(volume: &VolumeRef) -> Result<(), Failure> {
    let name = &volume.name;
    let taken = companion::volume_of(name).is_some();
    match taken || name.is_empty() || name.starts_with('.') || name.contains('/') {
        false => Ok(()),
        true => Err(Failure::new(
            Remedy::Operator,
            "naming a volume",
            format!("`{name}` is no name for one"),
        )),
    }
}
