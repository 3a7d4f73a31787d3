//! The few operations on files that durability is made of. Each is one system call or nearly so, and goes
//! through [`Disk`], so that a test can end the world between any two of them. What they are for is not
//! known here.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A file system. Nothing is durable before it is synced: a file's bytes by [`Disk::sync`], its name by
/// [`Disk::sync_directory`].
pub trait Disk: Send + Sync {
    /// The whole file; nothing where there is none.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;
    /// Makes the directory and those above it, for the owner only.
    fn make_directory(&self, path: &Path) -> io::Result<()>;
    /// A new file, for the owner only; one that is there loses its content.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Adds to the end of a file that is there.
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    fn sync(&self, path: &Path) -> io::Result<()>;
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
    /// A second name for a file; an error where that name is taken.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Takes the place of what was called `to`.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// No error where there is none.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The real one.
#[derive(Debug)]
pub struct Files;

impl Disk for Files {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        absent_is(None, fs::read(path).map(Some))
    }

    fn make_directory(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        options.open(path)?.write_all(bytes)
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // One call for the whole record: `write_all` goes on only where the kernel took less.
        OpenOptions::new().append(true).open(path)?.write_all(bytes)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        absent_is((), fs::remove_file(path))
    }
}

fn absent_is<T>(value: T, result: io::Result<T>) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(value),
        other => other,
    }
}

/// Puts `bytes` under `path` so that after a crash it holds either the former content or all of the new.
pub(crate) fn replace(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path, "new");
    disk.write(&new, bytes)?;
    disk.sync(&new)?;
    disk.rename(&new, path)?;
    disk.sync_directory(directory(path))
}

/// Gives what is under `path` the name `copy` too; `path` itself is never missing on the way.
pub(crate) fn keep(disk: &dyn Disk, path: &Path, copy: &Path) -> io::Result<()> {
    let new = beside(copy, "new");
    disk.remove(&new)?;
    disk.link(path, &new)?;
    disk.rename(&new, copy)
}

/// `state.json` → `state.json.new`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// Where the file lies; `.` for a bare name.
pub(crate) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
