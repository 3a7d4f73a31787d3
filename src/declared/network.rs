//! `network "lan" { … }`: one bridge and subnet on each host whose workloads name it, for containers and virtual
//! machines alike.

mod dhcp;
mod dns;
mod place;
mod range;

use std::collections::BTreeMap;

use infra_api::Address;
use infra_api::target::{Dns, Driver, Range6};
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Instance, Meta, Nested, Shape};

use super::read::{At, Reader};
use super::words::{IPV4, IPV6, LINK, NAME, STRING_MAP, SUBNET, SUBNET6, UUID, word};

pub use dhcp::Guest;
pub use range::{Range, counterpart};

pub(super) const KIND: BlockKind = BlockKind {
    name: "network",
    label: Some("name"),
    doc: "A bridge with a subnet; containers and virtual machines that name it reach each other. Or a network on a bridge \
          or a device that the host has.",
    attributes: &[
        word(
            "name",
            Shape::Text(&NAME),
            "The daemon's name for it, where that is not `PROJECT.NAME`.",
        ),
        word(
            "subnet",
            Shape::Text(&SUBNET),
            "Addresses are taken from it. Left out where others give them, which only a network on a bridge or device of the \
             host's own can be: then its interfaces have no `address`, a VM's seed tells the guest to ask by DHCP, and a \
             container asks by itself (an Engine of API 1.48 or later).",
        ),
        word(
            "gateway",
            Shape::Text(&IPV4),
            "The host's own address in it, or on a device or bridge that the host has the router's; the first one where it \
             is not written.",
        ),
        word(
            "internal",
            Shape::Bool,
            "True: nothing outside is reached through it.",
        )
        .default("false"),
        word(
            "forward",
            Shape::OneOf(&["nat", "route", "bridge"]),
            "How a bridge leads outside: `nat` with the host's address; `route` with the address each has, for which \
             the routers around the host must know the way; `bridge`: it is the host's own, which `bridge` names, and \
             leads where that does, for virtual machines.",
        )
        .default("\"nat\""),
        word(
            "subnet6",
            Shape::Text(&SUBNET6),
            "Its IPv6 side, for containers: each has in it the place it has in `subnet`, unless it says otherwise.",
        ),
        word(
            "gateway6",
            Shape::Text(&IPV6),
            "The host's own address in `subnet6`; the one that `gateway` has in `subnet` where it is not written.",
        ),
        word(
            "driver",
            Shape::OneOf(&["bridge", "macvlan", "ipvlan", "sriov"]),
            "`macvlan` (for virtual machines: macvtap) and, for containers alone, `ipvlan`: on a device of the host, \
             beside it on its own network, and out of its own reach. `sriov`, for virtual machines alone: each has a VF \
             of the device.",
        )
        .default("\"bridge\""),
        word(
            "parent",
            Shape::Text(&LINK),
            "Of macvlan and ipvlan: the host's device, such as `eth0`, or `eth0.7` for a VLAN of it; of sriov the PF.",
        ),
        word(
            "mode",
            Shape::OneOf(&["bridge", "private", "vepa", "passthru", "l2", "l3", "l3s"]),
            "Of macvlan `bridge`, `private`, `vepa` or `passthru` (one interface alone has the device), of ipvlan `l2`, \
             `l3` or `l3s`; the first of them where it is not written.",
        ),
        word(
            "bridge",
            Shape::Text(&LINK),
            "The name of the Linux bridge, where others know it by one, or where it is the host's own; derived where it \
             is not written.",
        ),
        word(
            "uuid",
            Shape::Text(&UUID),
            "What libvirt knows it by, for virtual machines; derived where it is not written. Another one makes it anew.",
        ),
        word("options", STRING_MAP, "Of the engine's driver, for containers."),
        word("labels", STRING_MAP, "Labels of the engine's network."),
    ],
    blocks: &[Nested::one(&dhcp::KIND), Nested::one(&dns::KIND)],
    computed: &[],
    // Order among workloads is declared on workloads; what these stand on follows by itself.
    meta: Meta {
        depends_on: false,
        ..Meta::ALL
    },
};

/// A network as declared.
#[derive(Clone, Debug)]
pub struct Network {
    pub address: Address,
    /// Absent: its members' addresses are others' to give.
    pub range: Option<Range>,
    pub internal: bool,
    /// Forwarded without NAT.
    pub routed: bool,
    /// Where it is said that the bridge is the host's own.
    pub existing: Option<Span>,
    /// Whom DHCP tells an address beside the machines; absent: there is none.
    pub dhcp: Option<At<Vec<Guest>>>,
    /// What DNS knows beside the machines; absent: there is none.
    pub dns: Option<At<Dns>>,
    pub ipv6: Option<At<Range6>>,
    /// Absent: a bridge.
    pub driver: Option<At<Driver>>,
    /// The bridge's name, where it is not derived.
    pub bridge: Option<String>,
    /// libvirt's, where it is not derived.
    pub uuid: Option<String>,
    pub options: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    pub origin: Span,
}

impl Network {
    /// Nothing where the subnet is not known yet.
    pub(super) fn read(instance: &Instance, reader: &mut Reader<'_>) -> Option<Self> {
        let block = &instance.block;
        let range = range::read(block, instance.origin, reader)?;
        super::labels::check(block, reader);
        place::check(block, reader);
        let forward = reader.string(block, "forward");
        let leads = |word: &str| forward.as_ref().filter(|forward| forward.value == word);
        Some(Self {
            address: Address::new(instance.address.to_string()),
            dhcp: dhcp::read(block, range.as_ref(), reader),
            dns: dns::read(block, reader),
            ipv6: range
                .as_ref()
                .and_then(|range| range::ipv6(block, range, reader)),
            driver: place::driver(block, reader),
            bridge: place::bridge(block, reader),
            existing: leads("bridge").map(|forward| forward.span),
            uuid: reader.string(block, "uuid").map(|uuid| uuid.value),
            options: options(block, reader),
            labels: reader.string_map(block, "labels"),
            range,
            routed: leads("route").is_some(),
            internal: reader.bool(block, "internal").unwrap_or(false),
            origin: instance.origin,
        })
    }
}

/// The engine's word for NAT.
pub(crate) const MASQUERADE: &str = "com.docker.network.bridge.enable_ip_masquerade";

/// Those that are words of their own are not written twice.
fn options(block: &Block, reader: &mut Reader<'_>) -> BTreeMap<String, String> {
    let options = reader.string_map(block, "options");
    let words = [
        "com.docker.network.bridge.name",
        "parent",
        "macvlan_mode",
        "ipvlan_mode",
    ];
    let routed = reader
        .string(block, "forward")
        .is_some_and(|forward| forward.value == "route");
    let own = options
        .keys()
        .find(|name| words.contains(&name.as_str()) || routed && *name == MASQUERADE);
    if let (Some(own), Some(written)) = (own, block.get("options")) {
        let text = format!("`{own}` is set by infra itself");
        let hint = "use `driver`, `parent`, `mode`, `forward` and `bridge`";
        reader.error("Option that is none", written.span, text, hint);
    }
    options
}
