//! What a guest has written to its serial console: a file of the daemon's host, which may be another machine. libvirt
//! hands out files by its pools alone, so the file's directory is a pool for as long as it is read.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use infra_api::{Failure, Remedy};
use virt::connect::Connect;
use virt::storage_pool::StoragePool;

use crate::failure::{Doing, found};
use crate::text::xml::{el, leaf};
use crate::transfer::download_part;

/// A guest that says more than this has said what it was waited for long ago.
const END: u64 = 1 << 20;

/// The pool by which logs are read where their directory is none. It is never defined: gone when it is stopped.
const POOL: &str = "infra-console-logs";

/// libvirt takes no two pools of one directory.
static READING: Mutex<()> = Mutex::new(());

/// The end of a log; nothing where there is none.
pub(crate) fn end(connection: &Connect, path: &str) -> Result<Option<String>, Failure> {
    let path = Path::new(path);
    let parts = (path.parent().and_then(Path::to_str), path.file_name());
    let (Some(directory), Some(name)) = (parts.0, parts.1.and_then(|n| n.to_str())) else {
        return Ok(None);
    };
    let _alone = READING.lock().unwrap_or_else(PoisonError::into_inner);
    let doing = || format!("looking into {directory}");
    let there = found(connection.lookup_storage_pool_by_target_path(directory)).doing(doing)?;
    let pool = match there {
        Some(pool) => pool.refresh(0).map(|()| pool),
        None => open(connection, directory)?,
    };
    // Another infra may read there just now, and close it any moment.
    let pool = pool.doing(doing).map_err(later)?;
    let text = read(connection, &pool, name).map_err(later);
    // Also one that an infra which was killed has left open.
    if pool.name().doing(doing).map_err(later)? == POOL {
        pool.destroy().doing(doing).map_err(later)?;
    }
    text
}

fn later(failure: Failure) -> Failure {
    Failure {
        remedy: Remedy::Retry,
        ..failure
    }
}

fn open(
    connection: &Connect,
    directory: &str,
) -> Result<Result<StoragePool, virt::error::Error>, Failure> {
    let pool = el("pool")
        .attr("type", "dir")
        .child(leaf("name", POOL))
        .child(el("target").child(leaf("path", directory)));
    let xml = pool.document().doing(|| format!("opening {directory}"))?;
    Ok(connection.create_storage_pool_xml(&xml, 0))
}

fn read(connection: &Connect, pool: &StoragePool, name: &str) -> Result<Option<String>, Failure> {
    let doing = || format!("reading {name}");
    let Some(log) = found(pool.lookup_storage_vol_by_name(name)).doing(doing)? else {
        return Ok(None);
    };
    let size = log.info().doing(doing)?.capacity;
    let bytes = download_part(connection, &log, size.saturating_sub(END), 0)?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}
