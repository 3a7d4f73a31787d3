//! The file of the project's key: made once, never written again.

use std::fs::File;
use std::io::{self, ErrorKind, Read};

use super::Store;
use crate::disk::{beside, directory};
use crate::{Error, Key, Kind};

impl Store {
    /// The project's key; made where there is none.
    pub fn key(&self) -> Result<Key, Error> {
        let path = &self.paths.key;
        if let Some(key) = self.read_key()? {
            return Ok(key);
        }
        self.make_directory(path)?;
        self.make_key().map_err(|e| Error::io("making", path, &e))?;
        self.read_key()?.ok_or_else(|| {
            Error::new(
                Kind::Io,
                format!("reading {}", path.display()),
                "it vanished",
            )
        })
    }

    /// Under a name of its own and then linked: of two processes that make one, both use the first's.
    pub(super) fn make_key(&self) -> io::Result<()> {
        let new = beside(&self.paths.key, &format!("new.{}", std::process::id()));
        self.disk.write(&new, &random()?)?;
        self.disk.sync(&new)?;
        match self.disk.link(&new, &self.paths.key) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => self.disk.sync_directory(directory(&new))?,
        }
        self.disk.remove(&new)
    }

    pub(super) fn read_key(&self) -> Result<Option<Key>, Error> {
        let path = &self.paths.key;
        let Some(bytes) = self
            .disk
            .read(path)
            .map_err(|e| Error::io("reading", path, &e))?
        else {
            return Ok(None);
        };
        let key = <[u8; Key::BYTES]>::try_from(bytes).map_err(|bytes| {
            let cause = format!("it has {} bytes instead of {}", bytes.len(), Key::BYTES);
            Error::new(Kind::Broken, format!("reading {}", path.display()), cause)
                .hint("put the right one back from a backup, or remove it: then every secret counts as changed")
        })?;
        Ok(Some(Key::new(key)))
    }
}

fn random() -> io::Result<[u8; Key::BYTES]> {
    let mut bytes = [0; Key::BYTES];
    Read::read_exact(&mut File::open("/dev/urandom")?, &mut bytes)?;
    Ok(bytes)
}
