//! `dhcp { … }` of a network: who is told his planned address by it.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use infra_lang::{Block, BlockKind, Meta, Nested, Shape};

use super::Range;
use crate::declared::read::{At, Reader};
use crate::declared::words::{IPV4, MAC, word};

static HOST: BlockKind = BlockKind {
    name: "host",
    label: Some("name"),
    doc: "Somebody on the bridge that infra does not make. Its label is the name it is told.",
    attributes: &[
        word("mac", Shape::Text(&MAC), "What it is known by.").required(),
        word(
            "address",
            Shape::Text(&IPV4),
            "What it is told; no workload gets it.",
        )
        .required(),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) static KIND: BlockKind = BlockKind {
    name: "dhcp",
    label: None,
    doc: "With this block, empty or not, DHCP tells each virtual machine on the bridge its planned address and its name; \
          changed while the network runs. Not where containers are on the bridge.",
    attributes: &[],
    blocks: &[Nested::many(&HOST)],
    computed: &[],
    meta: Meta::NONE,
};

/// Whom infra does not make.
#[derive(Clone, Debug)]
pub struct Guest {
    pub name: At<String>,
    pub mac: String,
    pub address: At<Ipv4Addr>,
}

pub(super) fn read(
    block: &Block,
    range: Option<&Range>,
    reader: &mut Reader<'_>,
) -> Option<At<Vec<Guest>>> {
    let written = block.nested("dhcp").next()?;
    let mut guests = Vec::new();
    let mut taken: BTreeSet<Ipv4Addr> = range.map(|range| range.gateway).into_iter().collect();
    let mut names = BTreeSet::new();
    let mut macs = BTreeSet::new();
    for block in written.nested("host") {
        let Some(guest) = guest(block, reader) else {
            continue;
        };
        let address = guest.address.value;
        let hint = "give it another address";
        let subnet = range.map(|range| range.subnet.value);
        if let Some(subnet) = subnet.filter(|subnet| !Range::is_host(*subnet, address)) {
            let text = format!("{address} is no host's address in {subnet}");
            reader.error(
                "Address outside its network",
                guest.address.span,
                text,
                hint,
            );
        } else if !taken.insert(address) {
            let text = "the gateway or another host has it";
            reader.error("Address taken", guest.address.span, text, hint);
        }
        if !names.insert(guest.name.value.clone()) {
            let text = format!("another host is called `{}`", guest.name.value);
            reader.error("Name taken", guest.name.span, text, "give it another name");
        }
        if !macs.insert(guest.mac.clone()) {
            let text = format!("another host has {}", guest.mac);
            reader.error("MAC taken", block.span, text, "write it once");
        }
        guests.push(guest);
    }
    Some(At {
        value: guests,
        span: written.span,
    })
}

fn guest(block: &Block, reader: &mut Reader<'_>) -> Option<Guest> {
    let label = block.label.as_ref()?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let begins = label.value.starts_with(|c: char| c.is_ascii_alphabetic());
    if !begins || label.value.len() > 63 || !label.value.chars().all(allowed) {
        let hint = "use a letter, and up to 62 letters, digits and dashes after it";
        let text = format!("`{}` is no host's name", label.value);
        reader.error("Unusable label", label.span, text, hint);
    }
    Some(Guest {
        name: At {
            value: label.value.to_string(),
            span: label.span,
        },
        mac: reader.string(block, "mac")?.value,
        address: reader.ipv4(block, "address")?,
    })
}
