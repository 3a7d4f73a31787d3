//! What a volume holds when it is made: a file of the person's, a copy of another volume, or what we write ourselves.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use infra_api::target::{DiskVolume, FileVolume, Format, IgnitionVolume, Original, VolumeRef};
use infra_api::{Failure, Remedy, names};
use sha2::{Digest, Sha256};
use virt::storage_vol::StorageVol;
use virt::sys;

use crate::failure::{Doing, patiently};
use crate::spot::{Place, Spot, open};
use crate::text::domain::NO_SECRET;
use crate::text::pool::Pools;
use crate::text::volume::{self as text, Body};
use crate::text::{domain_read, seed};
use crate::transfer::upload;
use crate::wire::Say;

pub(crate) fn fill(
    place: &Place,
    spot: &Spot,
    wanted: &Body,
    source: Option<&Path>,
    say: &Say,
) -> Result<(), Failure> {
    let doing = || format!("making {}", spot.what());
    match wanted {
        Body::Disk(disk) => make_disk(place, spot, disk, source, say),
        Body::Seed(seed) => spot.make(&seed.volume.name, &seed::write(seed).doing(doing)?),
        Body::Ignition(IgnitionVolume { volume, config }) => {
            let config = config.plain().ok_or(NO_SECRET).map_err(str::to_owned);
            spot.make(&volume.name, config.doing(doing)?.as_bytes())
        }
        // The format is the content's: it is seen when the volume is read.
        Body::File(FileVolume {
            volume,
            format,
            sha256,
            size_bytes,
        }) => {
            let file = Sent::open(source, sha256, *size_bytes)?;
            let room = spot.room(&volume.name, *size_bytes)?;
            file.send(place, &room, say)?;
            if *format != Format::Raw {
                // Made as raw, and looked at now. A failure only leaves that to who reads it next.
                let _ = patiently(|| place.pool.refresh(0));
            }
            Ok(())
        }
    }
}

fn make_disk(
    place: &Place,
    spot: &Spot,
    disk: &DiskVolume,
    source: Option<&Path>,
    say: &Say,
) -> Result<(), Failure> {
    let write = |pools: &Pools| text::write_disk(disk, pools);
    let xml = place.link.with_pools(write, |_| true)?;
    let xml = xml.doing(|| format!("making {}", spot.what()))?;
    match &disk.copy_of {
        None => {
            let made = spot.define_with(&xml, flags(disk))?;
            as_large(spot, &made, disk)
        }
        Some(Original::File { sha256, size_bytes }) => {
            let file = Sent::open(source, sha256, *size_bytes)?;
            // A qcow2 is as large as the file until its own header says otherwise.
            let room = match disk.format {
                Format::Qcow2 => spot.room(&disk.volume.name, *size_bytes)?,
                Format::Raw => spot.define_with(&xml, flags(disk))?,
            };
            file.send(place, &room, say)?;
            widen(place, spot, disk)
        }
        Some(Original::Volume(original)) => {
            copy(place, spot, disk, original, &xml, say)?;
            widen(place, spot, disk)
        }
    }
}

fn flags(disk: &DiskVolume) -> u32 {
    match text::preallocates(disk) {
        true => sys::VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA,
        false => 0,
    }
}

/// LVM rounds up to the extents of its volume group.
fn as_large(spot: &Spot, made: &StorageVol, disk: &DiskVolume) -> Result<(), Failure> {
    let doing = || format!("making {}", spot.what());
    let there = made.info().doing(doing)?.capacity;
    if there == disk.capacity_bytes {
        return Ok(());
    }
    let asked = disk.capacity_bytes;
    let why = format!("asked for {asked} bytes, the host made it {there} bytes large");
    Err(Failure::new(Remedy::Operator, doing(), why)
        .hint("ask for a whole number of the volume group's extents (`vgdisplay`)"))
}

/// A file on its way into a volume. It is hashed as it goes over the wire, so that what was planned is what arrives.
struct Sent<'a> {
    path: &'a Path,
    file: File,
    length: u64,
    sha256: &'a str,
}

impl<'a> Sent<'a> {
    fn open(source: Option<&'a Path>, sha256: &'a str, length: u64) -> Result<Self, Failure> {
        let none = || "no file was given".to_owned();
        let path = source
            .ok_or_else(none)
            .doing(|| "uploading a file".into())?;
        let doing = || format!("uploading {}", path.display());
        let file = File::open(path).map_err(|e| e.to_string()).doing(doing)?;
        let there = file.metadata().map_err(|e| e.to_string()).doing(doing)?;
        let sent = Self {
            path,
            file,
            length,
            sha256,
        };
        match there.len() {
            there if there == length => Ok(sent),
            there => Err(sent.changed(&format!("it has {there} bytes instead of {length}"))),
        }
    }

    fn changed(&self, how: &str) -> Failure {
        let doing = format!("uploading {}", self.path.display());
        let why = format!("the file changed since it was planned: {how}");
        Failure::new(Remedy::Replan, doing, why)
    }

    fn send(mut self, place: &Place, room: &StorageVol, say: &Say) -> Result<(), Failure> {
        let (mut hash, mut sent, length) = (Sha256::new(), 0, self.length);
        upload(place.link, room, length, &mut self.file, &mut |piece| {
            hash.update(piece);
            tell(say, &mut sent, piece.len() as u64, length);
        })?;
        match names::hex(&hash.finalize()) == self.sha256 {
            true => Ok(()),
            false => Err(self.changed("its digest is another one")),
        }
    }
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

/// By libvirt, on its own host: nothing of it comes over the wire.
fn copy(
    place: &Place,
    spot: &Spot,
    disk: &DiskVolume,
    original: &VolumeRef,
    xml: &str,
    say: &Say,
) -> Result<(), Failure> {
    let VolumeRef { pool, name } = original;
    let doing = || format!("copying the volume `{name}` in the pool `{pool}`");
    let gone = |why: &str| Failure::new(Remedy::Replan, doing(), why);
    let home = open(place.link, pool)?.ok_or_else(|| gone("its pool is not started"))?;
    let from = home.spot(name)?.data;
    let from = from.ok_or_else(|| gone("it is not there"))?;
    unused(place, original, &from.path().doing(doing)?)?;
    let (end, ended) = mpsc::channel::<()>();
    let made = thread::scope(|scope| {
        scope.spawn(move || {
            while ended.recv_timeout(Duration::from_secs(2)) == Err(RecvTimeoutError::Timeout) {
                progress(place, disk, say);
            }
        });
        let copy = || StorageVol::create_xml_from(&place.pool, xml, &from, flags(disk));
        let made = patiently(copy).doing(|| format!("making {}", spot.what()));
        drop(end);
        made
    });
    made.map(drop)
}

/// How much of a copy is there by now.
fn progress(place: &Place, disk: &DiskVolume, say: &Say) {
    let there = place.pool.lookup_storage_vol_by_name(&disk.volume.name);
    if let Ok(info) = there.and_then(|there| there.info()) {
        let (copied, all) = (info.allocation >> 20, disk.capacity_bytes >> 20);
        say.say(format!("copying: {copied} MiB written, at most {all}"));
    }
}

/// A machine that runs writes on: of a copy half would be from before and half from after.
fn unused(place: &Place, original: &VolumeRef, path: &str) -> Result<(), Failure> {
    let VolumeRef { pool, name } = original;
    let doing = || format!("copying the volume `{name}` in the pool `{pool}`");
    let active = sys::VIR_CONNECT_LIST_DOMAINS_ACTIVE;
    for domain in place.link.list_all_domains(active).doing(doing)? {
        // One that has just stopped has no live XML and no use for the disk.
        let Ok(xml) = domain.xml_desc(0) else {
            continue;
        };
        let places = domain_read::places(&xml);
        if places.is_ok_and(|all| all.of_volume(original, path).is_some()) {
            let user = domain.name().unwrap_or_default();
            let why = format!("the machine `{user}` runs and has it");
            return Err(Failure::new(Remedy::Operator, doing(), why)
                .hint("shut it down until the copy is made"));
        }
    }
    Ok(())
}

/// A copy is as large as its original until it is made larger; then it is what was planned.
fn widen(place: &Place, spot: &Spot, disk: &DiskVolume) -> Result<(), Failure> {
    let doing = || format!("making {}", spot.what());
    // What libvirt takes it for decides how it grows.
    patiently(|| place.pool.refresh(0)).doing(doing)?;
    let made = place.pool.lookup_storage_vol_by_name(&disk.volume.name);
    let made = made.doing(doing)?;
    let xml = made.xml_desc(0).doing(doing)?;
    let there = text::read(&xml, &Pools::default()).doing(doing)?;
    let refused = |why: String| Err(Failure::new(Remedy::Operator, doing(), why));
    if there.format != disk.format {
        return refused("the copy is of another format than was planned".to_owned());
    }
    match there.capacity {
        capacity if capacity < disk.capacity_bytes => {
            made.resize(disk.capacity_bytes, 0).doing(doing)
        }
        capacity if capacity == disk.capacity_bytes => Ok(()),
        capacity => refused(format!(
            "its original is {capacity} bytes large, and it was to have {}",
            disk.capacity_bytes
        )),
    }
}
