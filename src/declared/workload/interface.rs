//! `interface "lan" { … }`: a place in a network.

use std::net::Ipv4Addr;

use infra_api::Address;
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::{IPV4, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "interface",
    label: Some("name"),
    doc: "A VM's NIC, a container's endpoint.",
    attributes: &[
        word("network", Shape::Ref(&["network"]), "The network it is in.").required(),
        word(
            "address",
            Shape::Text(&IPV4),
            "Its static address; without it the lowest free one is taken and kept.",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// An interface as declared.
#[derive(Clone, Debug)]
pub struct Interface {
    pub label: String,
    pub network: At<Address>,
    pub address: Option<At<Ipv4Addr>>,
    pub span: Span,
}

impl Interface {
    pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Option<Self> {
        let network = reader.string(block, "network")?;
        super::plain_label(block, reader);
        Some(Self {
            label: block
                .label
                .as_ref()
                .map_or_else(String::new, |l| l.value.to_string()),
            network: At {
                value: Address::new(network.value),
                span: network.span,
            },
            address: reader.ipv4(block, "address"),
            span: block.span,
        })
    }
}
