//! Volumes on a daemon, each with its companion.
//!
//! Companion (incomplete), volume, content, companion (complete): cut off anywhere, the host itself tells what
//! was half made, and the same call finishes it. Deleting goes the same way back.

use std::path::Path;

use infra_api::target::{Allocation, DiskVolume, VolumeRef};
use infra_api::{Failure, Mark, Observed, Project, Remedy};

use crate::failure::{Doing, each, patiently, there};
use crate::fill::fill;
use crate::grow::grow_to;
use crate::guard::{Claim, taken};
use crate::link::Link;
use crate::pool;
use crate::side::side_by_side;
use crate::spot::{Note, Place, Spot, open, opened};
use crate::text::companion::{self, Content};
use crate::text::volume::Body;
use crate::wire::{AT_A_TIME, Say};

pub(crate) fn read(
    link: &Link,
    project: &Project,
    volume: &VolumeRef,
) -> Result<Observed, Failure> {
    match open(link, &volume.pool)? {
        Some(place) => place.spot(&volume.name)?.observe(project),
        None => Ok(Observed::Absent),
    }
}

/// By `POOL/NAME`: every volume whose companion names this project, in every pool that is started.
pub(crate) fn list(
    link: &Link,
    project: &Project,
    pools: &[pool::Seen],
) -> Result<Vec<(String, Observed)>, Failure> {
    let started = pools.iter().filter(|pool| pool.active);
    let lists = each(started, |pool| {
        let name = &pool.found.pool.name;
        let place = opened(link, name)?;
        place
            .map(|place| list_in(&place, name, project))
            .transpose()
    })?;
    Ok(lists.into_iter().flatten().collect())
}

fn list_in(
    place: &Place,
    pool: &str,
    project: &Project,
) -> Result<Vec<(String, Observed)>, Failure> {
    let listed = place.listed()?;
    let marked: Vec<&str> = listed
        .keys()
        .filter_map(|n| companion::volume_of(n))
        .collect();
    there(side_by_side(AT_A_TIME, &marked, |name| {
        let spot = place.spot_in(&listed, name)?;
        let ours = spot.mark().is_some_and(|mark| mark.project == *project);
        ours.then(|| Ok((format!("{pool}/{name}"), spot.observe(project)?)))
            .transpose()
    }))
}

/// What these volumes of one pool are. Nothing of those that are somebody else's.
pub(crate) fn survey(
    link: &Link,
    project: &Project,
    pool: &str,
    names: &[String],
) -> Result<Vec<(String, Observed)>, Failure> {
    let absent = |name: &String| (format!("{pool}/{name}"), Observed::Absent);
    let Some(place) = open(link, pool)? else {
        return Ok(names.iter().map(absent).collect());
    };
    let listed = place.listed()?;
    there(side_by_side(AT_A_TIME, names, |name| {
        let observed = place.spot_in(&listed, name)?.observe(project)?;
        let told = !matches!(observed, Observed::Foreign { .. });
        Ok(told.then(|| (format!("{pool}/{name}"), observed)))
    }))
}

/// What is there and whole must be what is wanted; anything less is made again from the beginning.
pub(crate) fn create(
    link: &Link,
    mark: &Mark,
    (wanted, anew): (&Body, bool),
    source: Option<&Path>,
    say: &Say,
) -> Result<(), Failure> {
    let doing = || format!("making the volume `{}`", wanted.volume().name);
    let stale = |why: &str| Failure::new(Remedy::Replan, doing(), why);
    let Some(place) = open(link, &wanted.volume().pool)? else {
        return Err(stale("its pool is not started"));
    };
    let spot = place.spot(&wanted.volume().name)?;
    if anew && !spot.is_empty() {
        return Err(taken(doing()));
    }
    spot.claim(&mark.project)?;
    match spot.observe(&mark.project)? {
        Observed::Present { body, .. } => {
            match serde_json::to_value(wanted).is_ok_and(|wanted| wanted == body) {
                true => Ok(()),
                false => Err(stale("it is there, and another one")),
            }
        }
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
    let companion = spot.note(mark, content.clone(), false)?;
    if let Some(old) = &spot.data {
        patiently(|| old.delete(0)).doing(|| format!("clearing {}", spot.what()))?;
    }
    fill(place, spot, wanted, source, say)?;
    spot.note_in(&companion, mark, content, true)
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
    link: &Link,
    claim: &Claim,
    before: &Body,
    after: &Body,
    say: &Say,
) -> Result<(), Failure> {
    if let (Body::Seed(_), Body::Seed(_)) | (Body::Ignition(_), Body::Ignition(_)) = (before, after)
    {
        let volume = after.volume();
        let doing = || format!("changing the volume `{}`", volume.name);
        let Some(place) = open(link, &volume.pool)? else {
            return Err(Failure::new(
                Remedy::Replan,
                doing(),
                "its pool is not started",
            ));
        };
        let (spot, mark) = (place.spot(&volume.name)?, &claim.mark);
        spot.claim(&mark.project)?;
        return make(&place, &spot, mark, after, None, say);
    }
    grow_to(link, claim, before, after)
}

pub(crate) fn delete(link: &Link, mark: &Mark, volume: &VolumeRef) -> Result<(), Failure> {
    let Some(place) = open(link, &volume.pool)? else {
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
