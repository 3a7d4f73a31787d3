//! A volume's place on a daemon: what is there, and whose it is. Of all that can be changed, only the companion
//! is written here.

use std::collections::BTreeMap;

use infra_api::target::{Allocation, DiskVolume, FileVolume, IgnitionVolume, Original, VolumeRef};
use infra_api::{Failure, Mark, Observed, Project, Text, Unmarked};
use virt::storage_pool::StoragePool;
use virt::storage_vol::StorageVol;

use crate::failure::{Doing, found};
use crate::guard::Claim;
use crate::link::Link;
use crate::text::companion::{self, Companion, Content};
use crate::text::pool::Pools;
use crate::text::seed;
use crate::text::theirs::storage;
use crate::text::volume::{self as text, Body};
use crate::transfer::{download, upload};
use crate::{guard, pool};

/// No seed is that large: what is, was not made by us.
const LARGEST_SEED: u64 = 64 << 20;

/// A pool that is started.
pub(crate) struct Place<'a> {
    pub(crate) link: &'a Link,
    pub(crate) pool: StoragePool,
    name: String,
}

/// Looked through just now. Nothing, of a pool that is not there or not started: what it holds cannot be known.
pub(crate) fn open<'a>(link: &'a Link, name: &str) -> Result<Option<Place<'a>>, Failure> {
    let Some(place) = opened(link, name)? else {
        return Ok(None);
    };
    let active = place.refresh() || {
        let active = place.pool.is_active();
        active.doing(|| format!("looking into the pool `{name}`"))?
    };
    Ok(active.then_some(place))
}

/// One that is known to be started, and was looked through already.
pub(crate) fn opened<'a>(link: &'a Link, name: &str) -> Result<Option<Place<'a>>, Failure> {
    let pool = pool::lookup(link, name)?;
    Ok(pool.map(|pool| Place {
        link,
        pool,
        name: name.to_owned(),
    }))
}

/// What stands in a pool, by name.
pub(crate) type Listed = BTreeMap<String, StorageVol>;

impl Place<'_> {
    /// Files come and go behind libvirt's back, and their formats are looked at only now. It refuses while a
    /// volume is being made; what it knew before is then good enough. Of one that is not started there is nothing to see.
    pub(crate) fn refresh(&self) -> bool {
        self.pool.refresh(0).is_ok()
    }

    pub(crate) fn listed(&self) -> Result<Listed, Failure> {
        let volumes = match self.pool.list_all_volumes(0) {
            // Somebody stopped it meanwhile: what it holds cannot be known.
            Err(_) if !self.pool.is_active().unwrap_or(false) => return Ok(Listed::new()),
            volumes => volumes,
        };
        let doing = || format!("listing the pool `{}`", self.name);
        let volumes = volumes.doing(doing)?.into_iter();
        let named = volumes.map(|volume| volume.name().map(|name| (name, volume)));
        named.collect::<Result<_, _>>().doing(doing)
    }

    pub(crate) fn spot(&self, name: &str) -> Result<Spot<'_>, Failure> {
        let companion = self.volume(&companion::name(name))?;
        self.spot_of(name, companion, self.volume(name)?)
    }

    /// By what was listed.
    pub(crate) fn spot_in(&self, listed: &Listed, name: &str) -> Result<Spot<'_>, Failure> {
        let listed = |name: &str| listed.get(name).cloned();
        self.spot_of(name, listed(&companion::name(name)), listed(name))
    }

    fn spot_of(
        &self,
        name: &str,
        companion: Option<StorageVol>,
        data: Option<StorageVol>,
    ) -> Result<Spot<'_>, Failure> {
        let note = match &companion {
            Some(there) => match download(self.link, there, COMPANION)? {
                Some(bytes) => Note::read(&bytes),
                None => Note::Unreadable,
            },
            None => Note::Absent,
        };
        let volume = VolumeRef {
            pool: self.name.clone(),
            name: name.to_owned(),
        };
        Ok(Spot {
            place: self,
            volume,
            companion,
            note,
            data,
        })
    }

    fn volume(&self, name: &str) -> Result<Option<StorageVol>, Failure> {
        let there = found(self.pool.lookup_storage_vol_by_name(name));
        there.doing(|| format!("looking for the volume `{name}`"))
    }
}

const COMPANION: u64 = companion::LENGTH as u64;

/// What the companion says.
pub(crate) enum Note {
    Absent,
    /// Cut off between its making and its first writing: no volume of ours is beside it.
    Blank,
    Written(Companion),
    /// Somebody else's file of such a name, one of a later infra, or one that another infra makes just now.
    Unreadable,
}

impl Note {
    fn read(bytes: &[u8]) -> Self {
        let blank = bytes.len() == companion::LENGTH && bytes.iter().all(|byte| *byte == 0);
        match Companion::read(bytes) {
            Some(note) => Self::Written(note),
            None if blank => Self::Blank,
            None => Self::Unreadable,
        }
    }
}

/// How a disk was made, as its companion tells.
fn made(content: &Content) -> (Allocation, Option<Original>) {
    match content {
        Content::DiskMade {
            allocation,
            copy_of,
        } => (*allocation, copy_of.clone()),
        _ => (Allocation::Sparse, None),
    }
}

/// Where a volume is or will be.
pub(crate) struct Spot<'a> {
    place: &'a Place<'a>,
    volume: VolumeRef,
    pub(crate) companion: Option<StorageVol>,
    pub(crate) note: Note,
    pub(crate) data: Option<StorageVol>,
}

impl Spot<'_> {
    pub(crate) fn what(&self) -> String {
        let VolumeRef { pool, name } = &self.volume;
        format!("the volume `{name}` in the pool `{pool}`")
    }

    pub(crate) fn mark(&self) -> Option<Mark> {
        match &self.note {
            Note::Written(note) => Some(note.mark()),
            Note::Absent | Note::Blank | Note::Unreadable => None,
        }
    }

    /// Neither a volume nor anything that speaks of one.
    pub(crate) fn is_empty(&self) -> bool {
        self.data.is_none() && matches!(self.note, Note::Absent | Note::Blank)
    }

    /// Refuses what somebody else has put here.
    pub(crate) fn claim(&self, project: &Project) -> Result<(), Failure> {
        match self.is_empty() {
            true => Ok(()),
            false => guard::ours(&self.what(), self.mark().as_ref(), project),
        }
    }

    /// Refuses what somebody else has put here, but for the very one that was imported.
    pub(crate) fn may_change(&self, claim: &Claim) -> Result<(), Failure> {
        if self.is_empty() {
            return Ok(());
        }
        let identity = self.strangers().map(|data| self.identity(data));
        let identity = identity.transpose()?.unwrap_or_default();
        claim.may(&self.what(), self.mark().as_ref(), &identity)
    }

    /// A volume beside which nothing speaks of it.
    fn strangers(&self) -> Option<&StorageVol> {
        let alone = matches!(self.note, Note::Absent);
        self.data.as_ref().filter(|_| alone)
    }

    /// A logical volume's UUID; of a file libvirt knows no more than its path.
    fn identity(&self, data: &StorageVol) -> Result<String, Failure> {
        data.key().doing(|| format!("reading {}", self.what()))
    }

    fn unmarked(&self) -> Result<Option<Box<Unmarked>>, Failure> {
        let Some(data) = self.strangers() else {
            return Ok(None);
        };
        let doing = || format!("reading {}", self.what());
        let xml = data.xml_desc(0).doing(doing)?;
        let kind = pool::describe(&self.place.pool)?.kind;
        let logical = kind.as_deref() == Some("logical");
        let volume = &self.volume;
        let read = |pools: &Pools| Ok(storage::volume(&xml, volume.clone(), pools, logical));
        let body = self.place.link.with_pools(read, Result::is_ok)?;
        let body = body.doing(doing)?;
        let body = body.and_then(|body| serde_json::to_value(body).map_err(|e| e.to_string()));
        let identity = self.identity(data)?;
        Ok(Some(Box::new(Unmarked { identity, body })))
    }

    pub(crate) fn observe(&self, project: &Project) -> Result<Observed, Failure> {
        if self.is_empty() {
            return Ok(Observed::Absent);
        }
        let what = self.what();
        let address = match guard::owner(&what, self.mark().as_ref(), project) {
            Ok(address) => address,
            Err(what) => {
                let unmarked = self.unmarked()?;
                return Ok(Observed::Foreign { what, unmarked });
            }
        };
        let body = match (&self.note, &self.data) {
            (Note::Written(note), Some(data)) if note.complete => self.body(&note.content, data)?,
            _ => None,
        };
        let why = || format!("{what} was cut off, or has lost its content");
        match body {
            Some(body) => guard::present(address, &body),
            None => Ok(Observed::Partial {
                address,
                why: why(),
            }),
        }
    }

    fn body(&self, content: &Content, data: &StorageVol) -> Result<Option<Body>, Failure> {
        let doing = || format!("reading {}", self.what());
        let xml = data.xml_desc(0).doing(doing)?;
        let read = |pools: &Pools| text::read(&xml, pools);
        let found = self.place.link.with_pools(read, |found| !found.is_astray());
        let text::Found {
            format,
            capacity,
            length,
            backing,
        } = found?.doing(doing)?;
        let volume = self.volume.clone();
        Ok(match content {
            Content::File { sha256 } => {
                let (sha256, size_bytes) = (sha256.clone(), length);
                Some(Body::File(FileVolume {
                    volume,
                    format,
                    sha256,
                    size_bytes,
                }))
            }
            Content::Disk | Content::DiskMade { .. } => {
                let (allocation, copy_of) = made(content);
                let (backing, backing_format) = backing.unzip();
                let capacity_bytes = capacity;
                let disk = DiskVolume {
                    volume,
                    format,
                    capacity_bytes,
                    backing,
                    backing_format,
                    allocation,
                    copy_of,
                };
                Some(Body::Disk(disk))
            }
            Content::Seed | Content::Ignition if length > LARGEST_SEED => None,
            Content::Ignition => {
                let bytes = download(self.place.link, data, length)?;
                let config = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
                config.map(|config| {
                    let config = Text::Plain(config);
                    Body::Ignition(IgnitionVolume { volume, config })
                })
            }
            Content::Seed => {
                let image = download(self.place.link, data, length)?;
                image
                    .and_then(|image| seed::read(volume, &image))
                    .map(Body::Seed)
            }
        })
    }

    /// Writes the companion, made at need.
    pub(crate) fn note(
        &self,
        mark: &Mark,
        content: Content,
        complete: bool,
    ) -> Result<StorageVol, Failure> {
        let there = match &self.companion {
            Some(there) => there.clone(),
            None => self.room(&companion::name(&self.volume.name), COMPANION)?,
        };
        self.note_in(&there, mark, content, complete)?;
        Ok(there)
    }

    /// Writes the companion that is there.
    pub(crate) fn note_in(
        &self,
        companion: &StorageVol,
        mark: &Mark,
        content: Content,
        complete: bool,
    ) -> Result<(), Failure> {
        let bytes = Companion::new(mark, content, complete).write();
        self.send(
            companion,
            &bytes.doing(|| format!("marking {}", self.what()))?,
        )
    }

    /// A volume of these very bytes.
    pub(crate) fn make(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        self.send(&self.room(name, bytes.len() as u64)?, bytes)
    }

    /// A volume with room for so many bytes.
    pub(crate) fn room(&self, name: &str, length: u64) -> Result<StorageVol, Failure> {
        let xml = text::write_raw(name, length).doing(|| format!("making {}", self.what()))?;
        self.define(&xml)
    }

    pub(crate) fn define(&self, xml: &str) -> Result<StorageVol, Failure> {
        self.define_with(xml, 0)
    }

    pub(crate) fn define_with(&self, xml: &str, flags: u32) -> Result<StorageVol, Failure> {
        let made = StorageVol::create_xml(&self.place.pool, xml, flags);
        made.doing(|| format!("making {}", self.what()))
    }

    fn send(&self, volume: &StorageVol, mut bytes: &[u8]) -> Result<(), Failure> {
        let length = bytes.len() as u64;
        upload(self.place.link, volume, length, &mut bytes, &mut |_| ())
    }
}
