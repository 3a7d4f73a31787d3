//! `xml { … }`: what a machine's description says beside what is modelled.

use infra_api::target::XmlPatch;
use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::word;

pub(super) static KIND: BlockKind = BlockKind {
    name: "xml",
    label: None,
    doc: "A change of libvirt's XML of the machine, for what no attribute says; exactly one of `set`, `add` and `remove`. \
          Several are done in their order, to what infra writes. They are compared with what libvirt has made of them: \
          only with what is written here, for libvirt adds addresses, aliases and defaults of its own. It has to be \
          written as libvirt hands it out (`virsh dumpxml`), or it will not be found again. A change takes a restart. \
          What infra models itself, and the machine's name, UUID and metadata, are refused; so are secrets.",
    attributes: &[
        word(
            "at",
            Shape::String,
            "The way from `<domain>` down to an element, or with `@` at its end to an attribute: \
             `devices/memballoon/@autodeflate`, `devices/disk[target/@dev='vda']/driver/@detect_zeroes`. In brackets \
             stands what tells an element from others of its name. Without it: `<domain>` itself.",
        ),
        word(
            "set",
            Shape::String,
            "The attribute's value, or the element's text. What is missing on the way is made.",
        ),
        word(
            "add",
            Shape::String,
            "One element that the one there gets: `<input type='tablet' bus='usb'/>`. The prefix `qemu` needs no \
             declaration.",
        ),
        word(
            "remove",
            Shape::Bool,
            "True: all there goes. Something that infra writes must be there.",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Option<At<XmlPatch>> {
    let mut text = |name| reader.string(block, name).map(|text| text.value);
    let (at, set, add) = (text("at"), text("set"), text("add"));
    let remove = reader.bool(block, "remove") == Some(true);
    let written = ["set", "add", "remove"];
    // What is written and could not be read has been told.
    let written = written.into_iter().filter(|name| block.get(name).is_some());
    let told = written.count()
        != [set.is_some(), add.is_some(), remove]
            .into_iter()
            .filter(|w| *w)
            .count();
    let value = XmlPatch {
        at,
        set,
        add,
        remove,
    };
    let several = match (&value.set, &value.add, value.remove) {
        (Some(_), None, false) | (None, Some(_), false) | (None, None, true) => None,
        (None, None, false) if told => return None,
        (None, None, false) => Some("none of `set`, `add` and `remove` is written"),
        _ => Some("more than one of `set`, `add` and `remove` is written"),
    };
    if let Some(text) = several {
        let hint = "write one, and a block for each";
        reader.error(
            "XML changed in no way or in several",
            block.span,
            text,
            hint,
        );
        return None;
    }
    Some(At {
        value,
        span: block.span,
    })
}
