//! `host { fabric "data" { … } }`: cards whose virtual functions are one as good as another, and what each function is given.

use infra_lang::{Block, BlockKind, Meta, Shape};

use super::read::{At, Reader};
use super::words::{MAC, STRINGS, whole, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "fabric",
    label: Some("name"),
    doc: "Network cards (SR-IOV) whose virtual functions are one as good as another: a `device` asks for some of them by this \
          name. What is said of each function holds of all of them, is read back from the card (`ip link show`), and needs `vfs`; \
          what is not said is as the card's driver makes it.",
    attributes: &[
        word(
            "parents",
            STRINGS,
            "The cards, each by the name of its interface (`ens1f0`) or its PCI address.",
        )
        .required(),
        whole(
            "vfs",
            0,
            65_535,
            "So many virtual functions on each card. They are made before anything runs there, with the card's link up, are there \
             again after a start of the host, and are what was found once nobody wants them any more. Their number is changed \
             only while nobody has one. Without it the cards have the functions that they are found with.",
        ),
        word(
            "mac",
            Shape::Text(&MAC),
            "The address of the first card's first function; each one after it has the next. Where it is not written the driver \
             draws them, others at each start.",
        ),
        whole(
            "vlan",
            0,
            4094,
            "The VLAN that each function is in, without knowing of it; 0: none.",
        ),
        whole(
            "max_tx_mbit",
            0,
            1_000_000,
            "The most that each may send, in Mbit/s; 0: whatever the card can.",
        ),
        word(
            "spoof_check",
            Shape::Bool,
            "Whether the card drops what a function sends from an address that is not its own.",
        ),
        word(
            "trust",
            Shape::Bool,
            "Whether a function may change its address and listen to everything (promiscuous), as routers, bridges and bonds in \
             a guest do.",
        ),
        word(
            "driver",
            Shape::OneOf(&["vfio-pci"]),
            "The driver each is given on the host: `vfio-pci` is what a program with DPDK takes it by. A machine needs none: it \
             binds its functions itself.",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// As declared.
#[derive(Clone, Debug)]
pub struct Fabric {
    /// Interfaces or addresses of the cards.
    pub parents: At<Vec<String>>,
    /// How many functions each is to have; absent: as many as are found.
    pub vfs: Option<At<u32>>,
    /// Of the first of them.
    pub mac: Option<At<String>>,
    pub vlan: Option<At<u32>>,
    /// What else each is given, as a setting's words have it, in their order.
    pub each: Vec<(&'static str, String)>,
}

impl Fabric {
    /// With its name.
    pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Option<(String, Self)> {
        let (label, value) = (block.label.as_ref()?, reader.strings(block, "parents")?);
        let span = block.get("parents")?.span;
        if value.is_empty() {
            let hint = "name a card, or leave the block out";
            reader.error("Fabric of no card", span, "none is named", hint);
        }
        let vfs = reader.whole(block, "vfs");
        let given = [
            "mac",
            "vlan",
            "max_tx_mbit",
            "spoof_check",
            "trust",
            "driver",
        ];
        let given = given
            .iter()
            .find_map(|name| Some((name, block.get(name)?.span)));
        if let (None, Some((name, span))) = (&vfs, given) {
            let text = format!("`{name}` is of functions that are made here, and none are");
            let hint = "write `vfs` as well: how many each card is to have";
            reader.error("Functions of no number", span, text, hint);
        }
        let switch = |on: bool| if on { "on" } else { "off" }.to_owned();
        let number = |n: At<u32>| n.value.to_string();
        let each = [
            (
                "max_tx_mbit",
                reader.whole(block, "max_tx_mbit").map(number),
            ),
            ("spoof_check", reader.bool(block, "spoof_check").map(switch)),
            ("trust", reader.bool(block, "trust").map(switch)),
            (
                "driver",
                reader.string(block, "driver").map(|driver| driver.value),
            ),
        ];
        let each = each
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let fabric = Self {
            parents: At { value, span },
            vfs,
            mac: reader.string(block, "mac"),
            vlan: reader.whole(block, "vlan"),
            each: each.collect(),
        };
        Some((label.value.to_string(), fabric))
    }
}
