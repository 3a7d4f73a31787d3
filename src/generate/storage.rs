//! Declarations of libvirt's pools and volumes.

use infra_api::target::{DiskVolume, Format, Pool, VolumeRef};

use super::text::Block;

#[must_use]
pub fn pool(label: &str, body: &Pool) -> Block {
    let Pool {
        name,
        path,
        volume_group,
    } = body;
    let mut block = Block::labelled("pool", label);
    block.text("name", name);
    match volume_group {
        Some(group) => block.text("volume_group", group),
        None => block.text("path", path),
    }
    block
}

/// One that stays somebody else's.
#[must_use]
pub fn existing_pool(label: &str, name: &str) -> Block {
    let mut block = Block::labelled("pool", label);
    block.text("existing", name);
    block
}

/// `pool`: the declaration of the pool it is in, where that is not the project's own; `logical`: that has volumes of LVM.
#[must_use]
pub fn disk_volume(label: &str, body: &DiskVolume, pool: Option<&str>, logical: bool) -> Block {
    let DiskVolume {
        volume: VolumeRef { pool: _, name },
        format,
        capacity_bytes,
        backing,
        // It is the one of what it stands on.
        backing_format: _,
        // How it was made nobody knows any more.
        allocation: _,
        copy_of: _,
    } = body;
    let mut block = Block::labelled("volume", label);
    block.text("name", name);
    block.size("size", Some(*capacity_bytes));
    if *format == Format::Raw && !logical {
        block.text("format", "raw");
    }
    if let Some(pool) = pool {
        block.raw("pool", pool);
    }
    if let Some(VolumeRef { pool, name }) = backing {
        block.note(format!(
            "it stands on the volume `{name}` of the pool `{pool}`, and needs it for ever"
        ));
    }
    block
}
