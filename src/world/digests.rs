//! Digests of the person's image files, kept from plan to plan: one that has not changed since is not read again.
//!
//! A file is known by what every change of it changes: its place, its length, and the times of its content and of its
//! inode, which no program can set. As long as one of these times is of this very moment it may change once more within
//! it, and is not kept (as in Git's index). What is uploaded is compared with its digest on the way all the same.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// So long a time is of this moment: the coarsest that file systems write.
const MOMENT: Duration = Duration::from_secs(2);

/// What a file was when it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds since 1970.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn of(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }

    /// Whether whatever changes it from `now` on gives it another time.
    fn is_settled(&self, now: SystemTime) -> bool {
        let Ok(now) = now.duration_since(UNIX_EPOCH) else {
            return false;
        };
        let (last, _) = self.modified.max(self.changed);
        u64::try_from(last).is_ok_and(|last| Duration::from_secs(last + 1) + MOMENT <= now)
    }
}

/// What a file has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    Any,
    /// An archive that an engine loads.
    Image,
    /// An archive that a host unpacks.
    Files,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    file: Stamp,
    sha256: String,
    /// An engine loads it.
    #[serde(default)]
    archive: bool,
    /// A host unpacks it.
    #[serde(default)]
    files: bool,
}

impl Kept {
    /// Whether it was seen to be that.
    fn is(&self, form: Form) -> bool {
        match form {
            Form::Any => true,
            Form::Image => self.archive,
            Form::Files => self.files,
        }
    }
}

/// Of whole paths.
#[derive(Debug, Default)]
pub(super) struct Digests {
    cache: Option<PathBuf>,
    kept: BTreeMap<PathBuf, Kept>,
    is_new: bool,
}

impl Digests {
    /// What is kept there; nothing, of a cache that cannot be read.
    pub(super) fn read(cache: Option<&Path>) -> Self {
        let text = cache.and_then(|cache| std::fs::read_to_string(cache).ok());
        let kept = text.and_then(|text| serde_json::from_str(&text).ok());
        Self {
            cache: cache.map(Path::to_owned),
            kept: kept.unwrap_or_default(),
            is_new: false,
        }
    }

    /// The digest of a file, where it is as it was, and was seen to be of that form.
    pub(super) fn of(&self, path: &Path, now: &Stamp, form: Form) -> Option<String> {
        let kept = self.kept.get(path)?;
        let whole = kept.file == *now && kept.is(form);
        whole.then(|| kept.sha256.clone())
    }

    /// Of a file that was like this before it was read, and afterwards: `now` is when the reading began.
    pub(super) fn keep(
        &mut self,
        path: &Path,
        (before, after): (&Stamp, &Stamp),
        (sha256, form): (&str, Form),
        now: SystemTime,
    ) {
        if before != after || !before.is_settled(now) {
            return;
        }
        let kept = Kept {
            file: before.clone(),
            sha256: sha256.to_owned(),
            archive: form == Form::Image,
            files: form == Form::Files,
        };
        self.kept.insert(path.to_owned(), kept);
        self.is_new = true;
    }

    /// For the next plan, of files that are there still. A cache that cannot be written is none.
    pub(super) fn write(mut self) {
        let (true, Some(cache)) = (self.is_new, &self.cache) else {
            return;
        };
        let is = |path: &Path| std::fs::metadata(path).ok().map(|file| Stamp::of(&file));
        self.kept
            .retain(|path, kept| is(path).as_ref() == Some(&kept.file));
        let _ = replace(cache, &self.kept);
    }
}

/// In one go: another plan may read it now.
fn replace(cache: &Path, kept: &BTreeMap<PathBuf, Kept>) -> std::io::Result<()> {
    cache.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    let new = cache.with_extension(format!("{}.new", std::process::id()));
    std::fs::write(&new, serde_json::to_string_pretty(kept)? + "\n")?;
    std::fs::rename(&new, cache)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(changed: i64) -> Stamp {
        Stamp {
            device: 1,
            inode: 2,
            size: 3,
            modified: (1000, 5),
            changed: (changed, 7),
        }
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn kept(before: &Stamp, after: &Stamp, now: u64) -> Option<String> {
        let mut digests = Digests::default();
        let path = Path::new("/a");
        digests.keep(path, (before, after), ("00ff", Form::Any), at(now));
        digests.of(path, before, Form::Any)
    }

    #[test]
    fn only_what_cannot_change_unseen_is_kept() {
        let was = stamp(1000);
        assert_eq!(kept(&was, &was, 1003).as_deref(), Some("00ff"));
        assert_eq!(kept(&was, &was, 1002), None, "of this moment");
        assert_eq!(kept(&was, &was, 999), None, "of the future");
        assert_eq!(kept(&was, &stamp(1001), 2000), None, "changed meanwhile");
    }

    #[test]
    fn what_is_another_file_is_read_again() {
        let was = stamp(1000);
        let path = Path::new("/a");
        let mut digests = Digests::default();
        digests.keep(path, (&was, &was), ("00ff", Form::Any), at(2000));
        let of = |now: &Stamp, form| digests.of(path, now, form);
        assert!(of(&was, Form::Any).is_some());
        for form in [Form::Image, Form::Files] {
            assert!(of(&was, form).is_none(), "it was not looked into");
        }
        assert!(digests.of(Path::new("/b"), &was, Form::Any).is_none());
        let other = |change: fn(&mut Stamp)| {
            let mut other = was.clone();
            change(&mut other);
            of(&other, Form::Any)
        };
        assert!(other(|stamp| stamp.device = 9).is_none());
        assert!(other(|stamp| stamp.inode = 9).is_none());
        assert!(other(|stamp| stamp.size = 9).is_none());
        assert!(other(|stamp| stamp.modified.1 = 9).is_none());
        assert!(other(|stamp| stamp.changed.1 = 9).is_none());
    }

    #[test]
    fn what_is_written_is_read_while_its_file_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let (cache, file) = (dir.path().join("c/digests.json"), dir.path().join("image"));
        std::fs::write(&file, "x").unwrap();
        let is = Stamp::of(&std::fs::metadata(&file).unwrap());
        let write = || {
            let mut digests = Digests::read(Some(&cache));
            let later = SystemTime::now() + Duration::from_secs(10);
            digests.keep(&file, (&is, &is), ("00ff", Form::Image), later);
            let gone = dir.path().join("gone");
            digests.keep(&gone, (&is, &is), ("0000", Form::Image), later);
            digests.write();
            Digests::read(Some(&cache))
        };
        let read = write();
        assert_eq!(read.of(&file, &is, Form::Image).as_deref(), Some("00ff"));
        assert_eq!(read.kept.len(), 1);
        std::fs::write(&cache, "{").unwrap();
        assert!(Digests::read(Some(&cache)).kept.is_empty());
        assert_eq!(write().kept.len(), 1);
    }
}
