//! How long a guest may take to shut down, both ways: libvirt has no place for it, so it is noted under our mark.

use roxmltree::Node;

use super::super::mark::{self, NAMESPACE};
use super::super::xml::{El, el};

pub(crate) fn note(seconds: u32) -> El {
    el("infra:stop").attr("seconds", seconds)
}

pub(crate) fn read(root: Node) -> Option<u32> {
    let mut notes = mark::node(root)?.children();
    let note = notes.find(|n| n.has_tag_name((NAMESPACE, "stop")))?;
    note.attribute("seconds")?.parse().ok()
}
