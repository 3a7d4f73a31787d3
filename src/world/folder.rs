//! The configuration's files on the disk, as the language asks for them.

use std::io::Read;
use std::path::{Path, PathBuf};

/// Of one file that the configuration reads: it is held in memory. Disk images are not read this way.
const LARGEST: u64 = 64 << 20;

/// A folder; paths are relative to it.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    #[must_use]
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The last part of its path, for a project without a name.
    #[must_use]
    pub fn name(&self) -> String {
        let path = std::path::absolute(&self.root).unwrap_or_else(|_| self.root.clone());
        let path = path.canonicalize().unwrap_or(path);
        path.file_name().map_or_else(
            || "infra".to_owned(),
            |n| n.to_string_lossy().to_lowercase(),
        )
    }
}

impl infra_expr::Files for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(self.path(path)).map_err(|e| said(&e))?;
        let read = file.take(LARGEST + 1).read_to_end(&mut bytes);
        match read.map_err(|e| said(&e))? as u64 > LARGEST {
            true => Err("it has more than 64 MiB".to_owned()),
            false => Ok(bytes),
        }
    }

    fn exists(&self, path: &str) -> Result<bool, String> {
        self.path(path).try_exists().map_err(|e| said(&e))
    }

    fn list(&self, path: &str) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        below(&self.path(path), "", &mut found).map_err(|e| said(&e))?;
        Ok(found)
    }
}

impl infra_lang::Files for Folder {
    fn names(&self, folder: &str) -> Result<Vec<String>, String> {
        let entries = std::fs::read_dir(self.path(folder)).map_err(|e| said(&e))?;
        let files = entries
            .filter_map(Result::ok)
            .filter(|e| e.path().is_file());
        Ok(files
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .collect())
    }
}

/// A short phrase, without the number of the error.
fn said(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        _ => error.to_string(),
    }
}

/// Every file under `folder`, as a path relative to where it began.
fn below(folder: &Path, prefix: &str, found: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            below(&entry.path(), &format!("{name}/"), found)?;
        } else {
            found.push(name);
        }
    }
    Ok(())
}
