//! Ignition's configuration, both ways: QEMU's firmware hands the file to the guest under a name that Ignition knows.

use infra_api::target::Ignition;
use roxmltree::Node;

use super::super::mark::{self, NAMESPACE};
use super::super::pool::Pools;
use super::super::xml::{El, all, el};

const NAME: &str = "opt/com.coreos/config";

pub(crate) fn write(ignition: &Ignition, pools: &Pools) -> Result<El, String> {
    let path = pools.path(&ignition.volume)?;
    let entry = el("entry").attr("name", NAME).attr("file", path);
    Ok(el("sysinfo").attr("type", "fwcfg").child(entry))
}

/// Which content it is has no place in libvirt's own XML.
pub(crate) fn note(ignition: &Ignition) -> El {
    el("infra:ignition").attr("digest", &ignition.digest)
}

pub(crate) fn read(root: Node, pools: &Pools) -> Option<Ignition> {
    let mut entries = all(root, "sysinfo").flat_map(|info| all(info, "entry"));
    let entry = entries.find(|entry| entry.attribute("name") == Some(NAME))?;
    let volume = pools.volume(entry.attribute("file")?);
    let mut notes = mark::node(root)
        .into_iter()
        .flat_map(|mark| mark.children());
    let note = notes.find(|n| n.has_tag_name((NAMESPACE, "ignition")));
    let digest = note.and_then(|note| note.attribute("digest"));
    Some(Ignition {
        volume,
        digest: digest.unwrap_or_default().to_owned(),
    })
}
