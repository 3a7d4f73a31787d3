//! Volumes on a daemon, each with its companion.
//!
//! Companion (incomplete), volume, content, companion (complete): cut off anywhere, the host itself tells what
//! was half made, and the same call finishes it. Deleting goes the same way back.

use std::path::Path;

use infra_api::target::{Allocation, DiskVolume, VolumeRef};
use infra_api::{Failure, Mark, Observed, Project, Remedy};
use virt::connect::Connect;

use crate::failure::{Doing, each, patiently};
use crate::fill::fill;
use crate::grow::grow_to;
use crate::pool;
use crate::spot::{Note, Place, Spot, open};
use crate::text::companion::{self, Content};
use crate::text::volume::Body;
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
        Body::Disk(DiskVolume {
            allocation: Allocation::Sparse,
            copy_of: None,
            ..
        }) => Content::Disk,
        Body::Disk(disk) => Content::DiskMade {
            allocation: disk.allocation,
            copy_of: disk.copy_of.clone(),
        },
        Body::Seed(_) => Content::Seed,
        Body::Ignition(_) => Content::Ignition,
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
