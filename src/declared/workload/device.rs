//! `device "nic" { … }`: PCI devices of the host that are the guest's alone, chosen where it runs.

use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::{CLASS, PCI, PCI_ID, whole, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "device",
    label: Some("name"),
    doc: "PCI devices that are a VM's alone, chosen with its CPUs and memory: by exactly one of `fabric`, `id`, `class` and \
          `pci`. What shares an IOMMU group with one goes with it. The host needs an IOMMU. By `fabric`, `id` and `class` only \
          those are given that the host does not use: virtual functions whose interfaces are down, and devices without a \
          driver or on vfio-pci.",
    attributes: &[
        word(
            "fabric",
            Shape::String,
            "Virtual functions of this `fabric` of the host.",
        ),
        word(
            "id",
            Shape::Text(&PCI_ID),
            "Of this vendor and product.",
        ),
        word(
            "class",
            Shape::Text(&CLASS),
            "Of this class, or of a subclass of it: `0302` is a GPU without a screen, `0108` an NVMe drive.",
        ),
        word(
            "pci",
            Shape::Text(&PCI),
            "The one at this address, though a driver of the host has it.",
        ),
        whole("count", 1, 256, "How many.").default("1"),
        word(
            "near",
            Shape::OneOf(&["node", "socket", "switch", "anywhere"]),
            "To its CPUs: on a NUMA node of theirs, in a socket of theirs, or on such a node below one PCIe bridge with \
             all of this workload that are to be so.",
        )
        .default("\"node\""),
        word(
            "locality",
            Shape::OneOf(&["required", "preferred"]),
            "Whether it must be so near, or only where it may.",
        )
        .default("\"preferred\""),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// Devices as asked for.
#[derive(Clone, Debug)]
pub struct Device {
    pub kind: DeviceKind,
    pub count: u32,
    pub near: DeviceNear,
    /// It must be so near.
    pub required: bool,
    /// Where it says which.
    pub span: Span,
}

/// By what it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    Fabric(String),
    /// `8086:1572`.
    Id(String),
    /// Two, four or six digits.
    Class(String),
    Pci(String),
}

/// How near to its CPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceNear {
    #[default]
    Node,
    Socket,
    Switch,
    Anywhere,
}

/// An attribute, and what it asks by.
type Kind = (&'static str, fn(String) -> DeviceKind);

/// What says which.
const KINDS: [Kind; 4] = [
    ("fabric", DeviceKind::Fabric),
    ("id", DeviceKind::Id),
    ("class", DeviceKind::Class),
    ("pci", DeviceKind::Pci),
];

impl Device {
    pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Option<Self> {
        super::plain_label(block, reader);
        let mut written: Vec<At<DeviceKind>> = Vec::new();
        for (name, kind) in KINDS {
            written.extend(reader.string(block, name).map(|word| At {
                value: kind(word.value),
                span: word.span,
            }));
        }
        let count = reader.whole::<u32>(block, "count");
        let near = reader.string(block, "near").map(|near| near.value);
        let locality = reader.string(block, "locality").map(|word| word.value);
        let [kind] = written.as_slice() else {
            let hint = "write exactly one of `fabric`, `id`, `class` and `pci`";
            let text = format!("{} of them say which", written.len());
            reader.error("Which device", block.span, text, hint);
            return None;
        };
        if let (DeviceKind::Pci(_), Some(count)) =
            (&kind.value, count.as_ref().filter(|n| n.value > 1))
        {
            let text = "there is one at an address";
            let hint = "leave `count` out, or ask by `id` or `class`";
            reader.error("Several devices at one address", count.span, text, hint);
        }
        Some(Self {
            kind: kind.value.clone(),
            count: count.map_or(1, |count| count.value),
            near: match near.as_deref() {
                Some("socket") => DeviceNear::Socket,
                Some("switch") => DeviceNear::Switch,
                Some("anywhere") => DeviceNear::Anywhere,
                _ => DeviceNear::Node,
            },
            required: locality.as_deref() == Some("required"),
            span: kind.span,
        })
    }
}
