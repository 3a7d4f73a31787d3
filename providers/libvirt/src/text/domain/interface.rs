//! A NIC of a domain, both ways.

use std::net::Ipv4Addr;

use infra_api::target::{Bandwidth, MachineInterface, Rate};
use roxmltree::Node;

use super::super::mark::{self, NAMESPACE};
use super::super::xml::{El, attr, el, find};

/// The address it was planned to have has no place in libvirt's own XML: it is noted under our mark, by MAC.
pub(crate) fn note(interface: &MachineInterface) -> El {
    let (mac, address) = (&interface.mac, interface.address);
    el("infra:address").attr("mac", mac).attr("ip", address)
}

pub(crate) fn write(interface: &MachineInterface) -> El {
    let MachineInterface {
        mac,
        network,
        address: _,
        model,
        queues,
        mtu,
        unplugged,
        bandwidth,
        boot,
    } = interface;
    let model = model.as_deref().unwrap_or("virtio");
    el("interface")
        .attr("type", "network")
        .child(el("mac").attr("address", mac))
        .child(el("source").attr("network", network))
        .children(bandwidth.as_ref().map(limits))
        .child(el("model").attr("type", model))
        .children(queues.map(|queues| el("driver").attr("queues", queues)))
        .children(unplugged.then(|| el("link").attr("state", "down")))
        .children(mtu.map(|size| el("mtu").attr("size", size)))
        .children(boot.map(|turn| el("boot").attr("order", turn)))
}

/// libvirt counts in thousands of bytes.
const KILO: u64 = 1000;

fn limits(bandwidth: &Bandwidth) -> El {
    let Bandwidth { inbound, outbound } = bandwidth;
    let rate = |name, rate: &Rate| {
        let Rate {
            average_bytes,
            peak_bytes,
        } = rate;
        el(name)
            .attr("average", average_bytes / KILO)
            .attrs("peak", peak_bytes.map(|peak| peak / KILO).as_ref())
    };
    el("bandwidth")
        .children(inbound.as_ref().map(|r| rate("inbound", r)))
        .children(outbound.as_ref().map(|r| rate("outbound", r)))
}

pub(crate) fn read(root: Node, node: Node) -> MachineInterface {
    let mac = attr(node, "mac", "address").unwrap_or_default();
    let number = |path, name| attr(node, path, name).and_then(|n| n.parse().ok());
    MachineInterface {
        network: attr(node, "source", "network").unwrap_or_default(),
        address: address(root, &mac).unwrap_or(Ipv4Addr::UNSPECIFIED),
        model: attr(node, "model", "type").filter(|model| model != "virtio"),
        queues: number("driver", "queues"),
        mtu: number("mtu", "size"),
        unplugged: attr(node, "link", "state").as_deref() == Some("down"),
        bandwidth: find(node, "bandwidth").and_then(bandwidth),
        boot: number("boot", "order"),
        mac,
    }
}

fn bandwidth(node: Node) -> Option<Bandwidth> {
    let rate = |name| {
        let bytes = |what| -> Option<u64> {
            attr(node, name, what)?
                .parse::<u64>()
                .ok()?
                .checked_mul(KILO)
        };
        Some(Rate {
            average_bytes: bytes("average")?,
            peak_bytes: bytes("peak"),
        })
    };
    let found = Bandwidth {
        inbound: rate("inbound"),
        outbound: rate("outbound"),
    };
    (found != Bandwidth::default()).then_some(found)
}

fn address(root: Node, mac: &str) -> Option<Ipv4Addr> {
    let notes = mark::node(root)?;
    let of_mac =
        |n: &Node| n.has_tag_name((NAMESPACE, "address")) && n.attribute("mac") == Some(mac);
    notes.children().find(of_mac)?.attribute("ip")?.parse().ok()
}
