//! A file system in memory that knows what is durable and what is not yet.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::Disk;

#[derive(Default)]
pub(crate) struct Platter(Mutex<Inner>);

#[derive(Clone, Default)]
struct Inner {
    /// By inode: the bytes as they are, and as they were last synced.
    files: Vec<(Vec<u8>, Vec<u8>)>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    /// How many changing operations are still carried out.
    left: Option<usize>,
    tear: bool,
}

impl Platter {
    /// After so many further operations every one fails, the last of them half done.
    pub(crate) fn crash_after(&self, operations: usize) {
        self.0.lock().unwrap().left = Some(operations);
    }

    pub(crate) fn tear_next_append(&self) {
        self.0.lock().unwrap().tear = true;
    }

    /// What is found at the next start: everything, or only what was synced.
    pub(crate) fn after_crash(&self, everything: bool) -> Self {
        let mut inner = self.0.lock().unwrap().clone();
        if everything {
            inner.durable_names = inner.names.clone();
        } else {
            inner.names = inner.durable_names.clone();
        }
        for (now, synced) in &mut inner.files {
            let kept = if everything {
                now.clone()
            } else {
                synced.clone()
            };
            (*now, *synced) = (kept.clone(), kept);
        }
        inner.left = None;
        Self(Mutex::new(inner))
    }

    fn change<T>(&self, act: impl FnOnce(&mut Inner) -> io::Result<T>) -> io::Result<T> {
        let mut inner = self.0.lock().unwrap();
        match &mut inner.left {
            Some(0) => return Err(io::Error::other("the machine is off")),
            Some(left) => *left -= 1,
            None => {}
        }
        act(&mut inner)
    }
}

impl Inner {
    fn inode(&self, path: &Path) -> io::Result<usize> {
        self.names
            .get(path)
            .copied()
            .ok_or_else(|| ErrorKind::NotFound.into())
    }
}

impl Disk for Platter {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        let inner = self.0.lock().unwrap();
        Ok(inner
            .names
            .get(path)
            .map(|inode| inner.files[*inode].0.clone()))
    }

    fn make_directory(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.change(|inner| {
            let inode = inner.names.get(path).copied().unwrap_or(inner.files.len());
            if inode == inner.files.len() {
                inner.files.push(Default::default());
            }
            inner.names.insert(path.to_owned(), inode);
            inner.files[inode].0 = bytes.to_vec();
            Ok(())
        })
    }

    /// At the last operation before the end half of it arrives.
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.change(|inner| {
            let inode = inner.inode(path)?;
            let torn = inner.left == Some(0) || std::mem::take(&mut inner.tear);
            let arrives = if torn { bytes.len() / 2 } else { bytes.len() };
            inner.files[inode].0.extend_from_slice(&bytes[..arrives]);
            if torn {
                Err(ErrorKind::StorageFull.into())
            } else {
                Ok(())
            }
        })
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.change(|inner| {
            let inode = inner.inode(path)?;
            inner.files[inode].1 = inner.files[inode].0.clone();
            Ok(())
        })
    }

    fn sync_directory(&self, _: &Path) -> io::Result<()> {
        self.change(|inner| {
            inner.durable_names = inner.names.clone();
            Ok(())
        })
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(|inner| {
            let inode = inner.inode(from)?;
            if inner.names.contains_key(to) {
                return Err(ErrorKind::AlreadyExists.into());
            }
            inner.names.insert(to.to_owned(), inode);
            Ok(())
        })
    }

    /// Two names of one file: nothing happens, as POSIX has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(|inner| {
            let inode = inner.inode(from)?;
            if inner.names.get(to) != Some(&inode) {
                inner.names.remove(from);
                inner.names.insert(to.to_owned(), inode);
            }
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change(|inner| {
            inner.names.remove(path);
            Ok(())
        })
    }
}
