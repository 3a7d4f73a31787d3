//! What tells that a guest is up, both ways: libvirt has no place for it, so it is noted under our mark.

use infra_api::target::GuestReady;
use roxmltree::Node;

use super::super::mark::{self, NAMESPACE};
use super::super::xml::{El, el};

pub(crate) fn note(ready: &GuestReady) -> Option<El> {
    let when = serde_json::to_string(ready).ok()?;
    Some(el("infra:ready").attr("when", when))
}

pub(crate) fn read(root: Node) -> Option<GuestReady> {
    let mut notes = mark::node(root)?.children();
    let note = notes.find(|n| n.has_tag_name((NAMESPACE, "ready")))?;
    serde_json::from_str(note.attribute("when")?).ok()
}
