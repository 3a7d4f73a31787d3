//! `port { … }`: a way in from outside.

use infra_api::target::Port;
use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::{IP, whole, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "port",
    label: None,
    doc: "A port of the host that leads to one of the container.",
    attributes: &[
        whole("container", 1, 65535, "The container's port.").required(),
        whole("host", 1, 65535, "The host's port.").required(),
        whole("count", 1, 1000, "So many in a row, from these two on.").default("1"),
        word(
            "protocol",
            Shape::OneOf(&["tcp", "udp", "sctp"]),
            "The transport protocol.",
        )
        .default("\"tcp\""),
        word(
            "address",
            Shape::Text(&IP),
            "The host's address it listens on, of IPv4 or IPv6; all where it is not written.",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// A range is so many ports.
pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Vec<At<Port>> {
    let host = reader.whole::<u16>(block, "host");
    let container = reader.whole::<u16>(block, "container");
    let count = reader.whole::<u16>(block, "count");
    let protocol = reader.string(block, "protocol");
    let (Some(host), Some(container), Some(protocol)) = (host, container, protocol) else {
        return Vec::new();
    };
    let last = count.as_ref().map_or(0, |count| count.value - 1);
    if let Some(count) =
        count.filter(|_| host.value.max(container.value).checked_add(last).is_none())
    {
        reader.error(
            "Ports beyond the last one",
            count.span,
            "so many from there on would go past 65535",
            "begin lower, or write a smaller `count`",
        );
        return Vec::new();
    }
    let host_address = address(block, reader);
    (0..=last)
        .map(|n| At {
            value: Port {
                host: host.value + n,
                container: container.value + n,
                protocol: protocol.value.clone(),
                host_address: host_address.clone(),
            },
            span: block.span,
        })
        .collect()
}

/// Each address has several texts; the engine keeps the one it was sent.
fn address(block: &Block, reader: &mut Reader<'_>) -> Option<String> {
    let written = reader.string(block, "address")?.value;
    let address: Result<std::net::IpAddr, _> = written.parse();
    Some(address.map_or(written, |address| address.to_string()))
}
