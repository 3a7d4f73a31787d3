//! One apply at a time. The kernel's lock on the file decides, and frees itself when its holder dies; what is
//! written in the file tells who it is, and its lease decides where a network file system forgets the
//! kernel's lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use infra_api::names;
use serde::{Deserialize, Serialize};

use crate::{Error, Kind};

/// How long a holder is believed to be alive without having said so again: long enough for a host that is
/// busy, short enough to wait for. The holder says so every third of it.
pub const LEASE: Duration = Duration::from_secs(60);

/// How often a waiting process looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The time, from the shell.
pub trait Clock {
    /// Seconds since 1970.
    fn now(&self) -> u64;
    fn sleep(&self, time: Duration);
}

/// Who holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub user: String,
    pub host: String,
    pub pid: u32,
    /// The words of the command, as in `apply`.
    pub command: String,
    /// RFC 3339, for people.
    pub started: String,
    /// Seconds since 1970; filled in by the lock.
    #[serde(default)]
    pub lease_until: u64,
}

impl Holder {
    /// What `state unlock` must be told, so that nobody else's lock is taken by mistake.
    #[must_use]
    pub fn id(&self) -> String {
        let Self {
            user,
            host,
            pid,
            command,
            started,
            lease_until: _,
        } = self;
        let mut id = names::digest(&[user, host, &pid.to_string(), command, started]);
        id.truncate(8);
        id
    }

    /// As in "ann@desk (pid 42) since 2026-09-01T12:00:00Z, `infra apply`".
    #[must_use]
    pub fn describe(&self) -> String {
        let Self {
            user,
            host,
            pid,
            command,
            started,
            lease_until: _,
        } = self;
        format!("{user}@{host} (pid {pid}) since {started}, `infra {command}`")
    }
}

/// Held until dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
    holder: Holder,
    note: Option<String>,
}

impl Lock {
    /// Takes it, waiting at most `wait` for another holder.
    pub(crate) fn acquire(
        path: &Path,
        holder: Holder,
        wait: Duration,
        clock: &dyn Clock,
    ) -> Result<Self, Error> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        let mut file = options
            .open(path)
            .map_err(|e| Error::io("opening", path, &e))?;
        let deadline = clock.now().saturating_add(wait.as_secs());
        loop {
            let held = match free(&mut file, path, &holder, clock.now())? {
                Ok(note) => {
                    let mut lock = Self {
                        file,
                        path: path.to_owned(),
                        holder,
                        note,
                    };
                    lock.extend(clock.now())?;
                    return Ok(lock);
                }
                Err(held) => held,
            };
            if clock.now() >= deadline {
                return Err(locked(path, &held));
            }
            clock.sleep(LOOK_AGAIN);
        }
    }

    /// Who holds it.
    #[must_use]
    pub fn holder(&self) -> &Holder {
        &self.holder
    }

    /// What a person should know about how it was taken, if anything.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Says that the holder is still alive. An error where another has taken over meanwhile, which a network
    /// file system and a pause longer than the lease allow: then nothing more may be written.
    pub fn renew(&mut self, now: u64) -> Result<(), Error> {
        let content = read(&mut self.file).map_err(|e| Error::io("reading", &self.path, &e))?;
        match serde_json::from_str::<Holder>(&content).ok() {
            Some(holder) if holder == self.holder => self.extend(now),
            other => Err(locked(&self.path, &other)),
        }
    }

    fn extend(&mut self, now: u64) -> Result<(), Error> {
        self.holder.lease_until = now.saturating_add(LEASE.as_secs());
        let text = serde_json::to_string(&self.holder)
            .map_err(|e| Error::new(Kind::Io, "writing the lock", e))?;
        let written = self.write(&text).and_then(|()| match is_local(&self.file) {
            // Whoever looks sees it; and where the machine loses its power nobody holds it.
            true => Ok(()),
            false => self.file.sync_all(),
        });
        written.map_err(|e| Error::io("writing", &self.path, &e))
    }

    /// In place: a new file would not be the one that is locked.
    fn write(&mut self, text: &str) -> std::io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())?;
        self.file.set_len(text.len() as u64)
    }
}

impl Drop for Lock {
    /// The kernel's lock goes with the file; an error leaves a holder behind that the next one explains.
    fn drop(&mut self) {
        let ours = read(&mut self.file)
            .ok()
            .and_then(|text| serde_json::from_str::<Holder>(&text).ok());
        // Whoever took over while this stood still is not wiped out.
        if ours.is_none_or(|holder| holder == self.holder) {
            // Closing it, which follows, tells a network file system; after a crash nobody holds it anyway.
            let _ = self.write("");
        }
    }
}

/// File systems that no other machine looks at, by the numbers of Linux: tmpfs, XFS, Btrfs, overlayfs, ext2 to ext4, F2FS
/// and ZFS.
const LOCAL: [u32; 7] = [
    0x0102_1994,
    0x5846_5342,
    0x9123_683e,
    0x794c_7630,
    0xef53,
    0xf2f5_2010,
    0x2fc1_2fc1,
];

/// Of any other, one that is not known included, it is taken that another machine may look, which sees only what was synced.
fn is_local(file: &File) -> bool {
    let system = rustix::fs::fstatfs(file).ok();
    let number = system.and_then(|system| u32::try_from(system.f_type).ok());
    number.is_some_and(|number| LOCAL.contains(&number))
}

/// Takes a lock from a holder that is gone, without waiting for its lease.
pub(crate) fn unlock(path: &Path, id: &str) -> Result<Holder, Error> {
    let doing = format!("unlocking {}", path.display());
    let error = |cause: String| Error::new(Kind::Locked, &doing, cause);
    let nobody = || Error::new(Kind::Foreign, &doing, "nobody holds it");
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(nobody()),
        opened => opened.map_err(|e| Error::io("opening", path, &e))?,
    };
    let free = file.try_lock().is_ok();
    let content = read(&mut file).map_err(|e| Error::io("reading", path, &e))?;
    let Ok(holder) = serde_json::from_str::<Holder>(&content) else {
        return Err(nobody());
    };
    if holder.id() != id {
        let cause = format!(
            "it is held by {}, whose lock is {}",
            holder.describe(),
            holder.id()
        );
        return Err(error(cause).hint("give that id if that is the one you mean"));
    }
    if !free {
        let cause = format!("{} is alive and holds it", holder.describe());
        return Err(error(cause).hint("wait until it has ended, or stop that process"));
    }
    let emptied = file.set_len(0).and_then(|()| file.sync_all());
    emptied.map_err(|e| Error::io("writing", path, &e))?;
    Ok(holder)
}

/// Takes the kernel's lock: `Ok` with what to say about a holder that did not let go, `Err` with who has it.
fn free(
    file: &mut File,
    path: &Path,
    holder: &Holder,
    now: u64,
) -> Result<Result<Option<String>, Option<Holder>>, Error> {
    let kernel = match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(error)) => return Err(Error::io("locking", path, &error)),
    };
    let content = read(file).map_err(|e| Error::io("reading", path, &e))?;
    let found: Option<Holder> = serde_json::from_str(&content).ok();
    match found {
        _ if !kernel => Ok(Err(found)),
        None => Ok(Ok(None)),
        // Of this host the kernel knows best: the holder is dead.
        Some(former) if former.host == holder.host => Ok(Ok(Some(left(&former)))),
        Some(former) if former.lease_until <= now => Ok(Ok(Some(left(&former)))),
        Some(former) => {
            file.unlock()
                .map_err(|e| Error::io("unlocking", path, &e))?;
            Ok(Err(Some(former)))
        }
    }
}

fn read(file: &mut File) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn left(former: &Holder) -> String {
    format!(
        "took over the lock of {}, which ended without letting go",
        former.describe()
    )
}

fn locked(path: &Path, holder: &Option<Holder>) -> Error {
    let who = holder
        .as_ref()
        .map_or_else(|| "another process".to_owned(), Holder::describe);
    let doing = format!("locking {}", path.display());
    let id = holder.as_ref().map_or_else(String::new, |holder| {
        format!(", or at once by `infra state unlock {}`", holder.id())
    });
    Error::new(Kind::Locked, doing, format!("it is held by {who}")).hint(format!(
        "wait until it has ended, then run this again; a holder that died on another host loses it within a minute{id}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    struct Hand(Cell<u64>);

    impl Clock for Hand {
        fn now(&self) -> u64 {
            self.0.get()
        }

        fn sleep(&self, _: Duration) {
            self.0.set(self.0.get() + 1);
        }
    }

    fn holder(host: &str) -> Holder {
        Holder {
            user: "ann".to_owned(),
            host: host.to_owned(),
            pid: 42,
            command: "apply".to_owned(),
            started: "2026-09-01T12:00:00Z".to_owned(),
            lease_until: 0,
        }
    }

    fn acquire(path: &Path, host: &str, wait: u64, now: u64) -> Result<(Lock, u64), Error> {
        let clock = Hand(Cell::new(now));
        let lock = Lock::acquire(path, holder(host), Duration::from_secs(wait), &clock)?;
        Ok((lock, clock.now()))
    }

    #[test]
    fn one_at_a_time_and_the_second_learns_who_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let (first, _) = acquire(&path, "desk", 0, 1000).unwrap();
        assert_eq!(first.note(), None);
        let error = acquire(&path, "desk", 5, 1000).unwrap_err();
        assert_eq!(error.kind, Kind::Locked);
        assert!(
            error
                .cause
                .contains("ann@desk (pid 42) since 2026-09-01T12:00:00Z, `infra apply`"),
            "{error}"
        );
        drop(first);
        let (second, _) = acquire(&path, "desk", 0, 1000).unwrap();
        assert_eq!(second.note(), None, "it was let go of properly");
    }

    #[test]
    fn who_is_killed_holds_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let text = serde_json::to_string(&Holder {
            lease_until: 2000,
            ..holder("desk")
        })
        .unwrap();
        std::fs::write(&path, text).unwrap();
        let (lock, _) = acquire(&path, "desk", 0, 1000).unwrap();
        assert!(lock.note().unwrap().contains("pid 42"));
    }

    #[test]
    fn a_lease_of_another_host_holds_until_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let text = serde_json::to_string(&Holder {
            lease_until: 1010,
            ..holder("far")
        })
        .unwrap();
        std::fs::write(&path, text).unwrap();
        assert_eq!(
            acquire(&path, "desk", 5, 1000).unwrap_err().kind,
            Kind::Locked
        );
        let (lock, now) = acquire(&path, "desk", 30, 1000).unwrap();
        assert_eq!(now, 1010);
        assert!(lock.note().unwrap().contains("ann@far"));
    }

    #[test]
    fn the_lease_is_renewed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let (mut lock, _) = acquire(&path, "desk", 0, 1000).unwrap();
        lock.renew(1030).unwrap();
        let written: Holder =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(written.lease_until, 1030 + LEASE.as_secs());
        std::fs::write(&path, serde_json::to_string(&holder("far")).unwrap()).unwrap();
        assert_eq!(
            lock.renew(1050).unwrap_err().kind,
            Kind::Locked,
            "another took over"
        );
    }

    #[test]
    fn garbage_in_the_file_is_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        std::fs::write(&path, b"\xff{").unwrap();
        assert!(acquire(&path, "desk", 0, 1000).is_ok());
    }
}
