//! `interface "lan" { … }`: a place in a network.

use std::net::{Ipv4Addr, Ipv6Addr};

use infra_api::Address;
use infra_api::target::{Bandwidth, Rate};
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Nested, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::{IPV4, IPV6, MAC, STRINGS, path, size, whole, word};

static BANDWIDTH: BlockKind = BlockKind {
    name: "bandwidth",
    label: None,
    doc: "The most a VM's NIC may carry in a second, in whole kB; changed while it runs.",
    attributes: &[
        size("inbound", "To the guest."),
        size("inbound_peak", "To the guest, for a moment."),
        size("outbound", "From the guest."),
        size("outbound_peak", "From the guest, for a moment."),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) static KIND: BlockKind = BlockKind {
    name: "interface",
    label: Some("name"),
    doc: "A VM's NIC, a container's endpoint.",
    attributes: &[
        word("network", Shape::Ref(&["network"]), "The network it is in.").required(),
        word(
            "address",
            Shape::Text(&IPV4),
            "Its static address; without it the lowest free one is taken and kept. In a network without `subnet` it has none.",
        ),
        word(
            "address6",
            Shape::Text(&IPV6),
            "A container's, in a network with `subnet6`; without it the place that its `address` has.",
        ),
        word(
            "aliases",
            STRINGS,
            "A container's: further names by which others in the network find it, beside the workload's own.",
        ),
        word(
            "mac",
            Shape::Text(&MAC),
            "Its MAC address, in lower case. Where it is not written, a VM's is derived from project, address and label, and a \
             container's is chosen by the engine, which may choose another one at its next start.",
        ),
        word(
            "fabric",
            Shape::String,
            "A VM's: the `fabric` of the host whose virtual functions are in this network. Where `network_latency` is needed the VM \
             gets one of them, with this interface's MAC, in place of a card of QEMU's, if the host has one free near its CPUs.",
        ),
        word(
            "model",
            Shape::OneOf(&["virtio", "e1000e", "e1000", "rtl8139", "vmxnet3"]),
            "The card a VM sees.",
        )
        .default("\"virtio\""),
        whole("queues", 1, 256, "A VM's virtio NIC: pairs of queues."),
        whole(
            "queue_size",
            256,
            1024,
            "A VM's virtio NIC: so many packets wait in each queue, a power of two; 256 where it is not written. Of what it sends more than \
             256 wait only with `vhost_user`.",
        ),
        path(
            "vhost_user",
            "A VM's: the socket by which a switch in user space (Open vSwitch with DPDK: a port of type `dpdkvhostuserclient`) has it, in \
             place of the network's bridge. QEMU makes it, in a folder where its user may, and waits there for the switch; the VM's memory is then shared with it. \
             Its address is one of the network all the same.",
        ),
        whole(
            "mtu",
            68,
            65535,
            "A VM's: the largest packet, on the host's side and the guest's.",
        ),
        word(
            "link",
            Shape::OneOf(&["up", "down"]),
            "A VM's: whether the guest sees a cable; changed while it runs.",
        )
        .default("\"up\""),
        whole(
            "vlan",
            1,
            4094,
            "A VM's: the VLAN whose packets alone it carries, untagged for the guest; of a VF alone, in a network of sriov or \
             of macvlan's passthru.",
        ),
    ],
    blocks: &[Nested::one(&BANDWIDTH)],
    computed: &[],
    meta: Meta::NONE,
};

/// An interface as declared.
#[derive(Clone, Debug)]
pub struct Interface {
    pub label: String,
    pub network: At<Address>,
    pub address: Option<At<Ipv4Addr>>,
    pub address6: Option<At<Ipv6Addr>>,
    pub aliases: Option<At<Vec<String>>>,
    /// Absent: derived.
    pub mac: Option<At<String>>,
    /// Whose functions are in its network.
    pub fabric: Option<At<String>>,
    /// It is one of those.
    pub function: bool,
    /// Other than virtio.
    pub model: Option<String>,
    pub queues: Option<At<u32>>,
    pub queue_size: Option<At<u32>>,
    pub vhost_user: Option<At<String>>,
    pub mtu: Option<u32>,
    pub unplugged: bool,
    pub bandwidth: Option<Bandwidth>,
    pub vlan: Option<At<u16>>,
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
            address6: reader.ipv6(block, "address6"),
            aliases: aliases(block, reader),
            mac: reader.string(block, "mac"),
            fabric: reader.string(block, "fabric"),
            function: false,
            model: model(block, reader),
            queues: reader.whole(block, "queues"),
            queue_size: queue_size(block, reader),
            vhost_user: reader.string(block, "vhost_user"),
            mtu: reader.whole(block, "mtu").map(|n| n.value),
            unplugged: reader
                .string(block, "link")
                .is_some_and(|link| link.value == "down"),
            bandwidth: block
                .nested("bandwidth")
                .next()
                .and_then(|b| bandwidth(b, reader)),
            vlan: reader.whole(block, "vlan"),
            span: block.span,
        })
    }
}

fn aliases(block: &Block, reader: &mut Reader<'_>) -> Option<At<Vec<String>>> {
    let value = reader.strings(block, "aliases")?;
    let span = block.get("aliases")?.span;
    let odd = |alias: &String| alias.is_empty() || alias.contains(|c: char| c.is_whitespace());
    if value.iter().any(odd) {
        let hint = "write names as in `[\"db\"]`";
        reader.error("Not a name", span, "a name is empty or has a space", hint);
    }
    Some(At { value, span })
}

fn model(block: &Block, reader: &mut Reader<'_>) -> Option<String> {
    let model = reader.string(block, "model").map(|model| model.value);
    let model = model.filter(|model| model != "virtio")?;
    if let Some(queues) = block.get("queues") {
        let text = format!("the card `{model}` has one");
        reader.error("Queues without virtio", queues.span, text, "leave it out");
    }
    Some(model)
}

/// QEMU takes no other.
fn queue_size(block: &Block, reader: &mut Reader<'_>) -> Option<At<u32>> {
    let size: At<u32> = reader.whole(block, "queue_size")?;
    if !size.value.is_power_of_two() {
        let text = "a ring has 256, 512 or 1024 places";
        reader.error("Uneven queue", size.span, text, "write one of these");
    }
    Some(size)
}

fn bandwidth(block: &Block, reader: &mut Reader<'_>) -> Option<Bandwidth> {
    let limits = Bandwidth {
        inbound: rate(block, ["inbound", "inbound_peak"], reader),
        outbound: rate(block, ["outbound", "outbound_peak"], reader),
    };
    (limits != Bandwidth::default()).then_some(limits)
}

fn rate(block: &Block, [average, peak]: [&str; 2], reader: &mut Reader<'_>) -> Option<Rate> {
    const KILO: u64 = 1000;
    let [average_bytes, peak_bytes] = [average, peak].map(|name| {
        let size = reader.bytes(block, name)?;
        if size.value < KILO || !size.value.is_multiple_of(KILO) {
            let text = "libvirt counts in thousands of bytes";
            reader.error(
                "Uneven bandwidth",
                size.span,
                text,
                "write whole kB, as in `12500kB`",
            );
        }
        Some(size)
    });
    if let (None, Some(peak)) = (&average_bytes, &peak_bytes) {
        let hint = format!("write `{average}` as well");
        reader.error(
            "Peak without an average",
            peak.span,
            "there is nothing to rise from",
            hint,
        );
    }
    Some(Rate {
        average_bytes: average_bytes?.value,
        peak_bytes: peak_bytes.map(|size| size.value),
    })
}
