//! Network devices of the host, whatever they are on.

use infra_api::facts::Link;

use crate::reader::Reader;

const LINKS: &str = "sys/class/net";

/// Nothing where the tree does not tell of any: there is at least `lo`.
pub(crate) fn read(reader: &Reader<'_>) -> Option<Vec<Link>> {
    // What is no device has no folder: `bonding_masters` is a file.
    let mut names = reader.names(LINKS);
    names.retain(|name| reader.exists(&format!("{LINKS}/{name}/type")));
    names.sort_unstable();
    let links: Vec<Link> = names.into_iter().map(|name| link(reader, name)).collect();
    (!links.is_empty()).then_some(links)
}

fn link(reader: &Reader<'_>, name: String) -> Link {
    let vfs = format!("{LINKS}/{name}/device/sriov_numvfs");
    Link {
        bridge: Some(reader.exists(&format!("{LINKS}/{name}/bridge/bridge_id"))),
        vfs: match reader.exists(&vfs) {
            true => reader.number(&vfs),
            false => Some(0),
        },
        name,
    }
}
