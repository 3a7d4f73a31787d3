//! Where things are: the configuration, its state, this machine's cache.

use std::path::PathBuf;
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
    let files: Arc<dyn infra_lang::Files> = Arc::new(folder.clone());
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
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let base = base.or_else(home).unwrap_or_else(std::env::temp_dir);
    KvmProbe {
        cache: base.join("infra").join("kvm.json"),
    }
}
