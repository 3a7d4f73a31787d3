//! Where things are: the configuration, its state, this machine's cache.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use infra_state::Paths;

use super::Options;
use crate::cli::ui::Stop;
use crate::configuration::Source;
use crate::world::{Folder, KvmProbe};

/// Reads the folder, which must hold a configuration.
///
/// # Errors
/// When it holds none.
pub fn read(folder: &Folder) -> Result<Source, Stop> {
    read_with(folder, None)
}

/// The same, with a file beside it.
///
/// # Errors
/// When it holds none, or that file is not there.
pub(super) fn read_with(folder: &Folder, file: Option<&Path>) -> Result<Source, Stop> {
    let files: Arc<dyn infra_lang::Files> = match file {
        None => Arc::new(folder.clone()),
        Some(file) => Arc::new(Beside::new(folder, file)?),
    };
    let names = files.names(".").map_err(|why| {
        Stop::error(
            format!("reading the folder {}", folder.root().display()),
            why,
        )
    })?;
    if !names.iter().any(|name| name.ends_with(".infra.hcl")) {
        return Err(Stop::error("reading the configuration", "this folder holds no `*.infra.hcl`")
            .hint("go to the configuration's folder, name it with `-C DIR`, or start one with `infra init`"));
    }
    Ok(Source::read(&files, &folder.name()))
}

/// Whether a folder holds a configuration.
#[must_use]
pub fn declares(directory: &Path) -> bool {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name());
    names.any(|name| name.to_string_lossy().ends_with(".infra.hcl"))
}

/// Where a configuration's state is.
#[must_use]
pub fn paths(options: &Options) -> Paths {
    match &options.state {
        Some(path) => Paths::of_file(path),
        None => Paths::in_directory(&options.directory.join(".infra")),
    }
}

/// Kept beside other programs' caches: it is this machine's, not a configuration's.
#[must_use]
pub fn kvm_probe() -> KvmProbe {
    let base = own_cache().unwrap_or_else(|| std::env::temp_dir().join("infra"));
    KvmProbe {
        cache: base.join("kvm.json"),
    }
}

/// Where `infra measure host` keeps its own configuration, with its state.
#[must_use]
pub fn measuring() -> PathBuf {
    let base = own_cache().unwrap_or_else(|| std::env::temp_dir().join("infra"));
    base.join("measure")
}

/// Where digests of files are kept: nowhere that others may write.
pub(super) fn digests() -> Option<PathBuf> {
    Some(own_cache()?.join("digests.json"))
}

/// The person's own.
fn own_cache() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    Some(base.or_else(home)?.join("infra"))
}

/// A folder, and a file that belongs to it.
#[derive(Debug)]
struct Beside {
    folder: Folder,
    /// Nothing where it is one of the folder's own.
    file: Option<String>,
}

impl Beside {
    fn new(folder: &Folder, file: &Path) -> Result<Self, Stop> {
        let failed =
            |why: &dyn std::fmt::Display| Stop::error(format!("reading {}", file.display()), why);
        let whole = folder.path(&file.to_string_lossy());
        if !whole.is_file() {
            return Err(failed(&"there is no such file"));
        }
        let own = match (whole.canonicalize(), folder.root().canonicalize()) {
            (Ok(whole), Ok(root)) => {
                whole.parent() == Some(&root) && whole.to_string_lossy().ends_with(".infra.hcl")
            }
            (Err(error), _) | (_, Err(error)) => return Err(failed(&error)),
        };
        Ok(Self {
            folder: folder.clone(),
            file: (!own).then(|| file.to_string_lossy().into_owned()),
        })
    }
}

impl infra_expr::Files for Beside {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.folder.read(path)
    }

    fn exists(&self, path: &str) -> Result<bool, String> {
        self.folder.exists(path)
    }

    fn list(&self, path: &str) -> Result<Vec<String>, String> {
        self.folder.list(path)
    }
}

impl infra_lang::Files for Beside {
    fn names(&self, folder: &str) -> Result<Vec<String>, String> {
        self.folder.names(folder)
    }

    fn more(&self) -> Vec<String> {
        self.file.iter().cloned().collect()
    }
}
