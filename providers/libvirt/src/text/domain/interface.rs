//! A NIC of a domain, both ways.

use infra_api::target::{Bandwidth, Driver, MachineInterface, Rate};
use roxmltree::Node;

use super::super::mark::{self, NAMESPACE};
use super::super::network::macvlan;
use super::super::xml::{El, attr, el, find};
use super::devices;

/// What has no place in libvirt's own XML is noted under our mark, by MAC: the address it was planned to have, and what
/// its network was to put it on, which libvirt tells of a machine that runs alone, and of a VF not even then.
pub(crate) fn note(interface: &MachineInterface) -> El {
    let MachineInterface {
        mac,
        address,
        network,
        bridge,
        driver,
        function,
        vhost_user,
        ..
    } = interface;
    let note = el("infra:address")
        .attr("mac", mac)
        .attrs("ip", address.as_ref())
        .attrs("bridge", bridge.as_ref());
    match driver {
        None if function.is_some() => note.attr("network", network).attr("function", "yes"),
        None if vhost_user.is_some() => note.attr("network", network),
        None => note,
        Some(Driver { name, parent, mode }) => note
            .attr("network", network)
            .attr("driver", name)
            .attr("parent", parent)
            .attr("mode", mode),
    }
}

pub(crate) fn write(interface: &MachineInterface) -> El {
    let MachineInterface {
        mac,
        network,
        bridge: _,
        driver: _,
        function,
        vhost_user,
        vlan,
        address: _,
        model,
        queues,
        queue_size,
        mtu,
        unplugged,
        bandwidth,
        boot,
    } = interface;
    // The guest sees a VF itself, no card of QEMU's.
    let card = (!is_vf(interface)).then(|| model.as_deref().unwrap_or("virtio"));
    let place = function.as_deref().and_then(devices::place);
    let place = place.map(|place| place.attr("type", "pci"));
    // QEMU is the server: the switch may end and come back, and finds it again.
    let socket = |path| {
        let source = el("source").attr("type", "unix").attr("path", path);
        source.attr("mode", "server")
    };
    let (kind, source) = match (place, vhost_user) {
        (Some(place), _) => ("hostdev", el("source").child(place)),
        (None, Some(path)) => ("vhostuser", socket(path)),
        (None, None) => ("network", el("source").attr("network", network)),
    };
    el("interface")
        .attr("type", kind)
        .attrs("managed", function.as_ref().map(|_| "yes").as_ref())
        .child(el("mac").attr("address", mac))
        .child(source)
        .children(vlan.map(|id| el("vlan").child(el("tag").attr("id", id))))
        .children(bandwidth.as_ref().map(limits))
        .children(card.map(|card| el("model").attr("type", card)))
        .children((queues.is_some() || queue_size.is_some()).then(|| driver(*queues, *queue_size)))
        .children(unplugged.then(|| el("link").attr("state", "down")))
        .children(mtu.map(|size| el("mtu").attr("size", size)))
        .children(boot.map(|turn| el("boot").attr("order", turn)))
}

fn driver(queues: Option<u32>, size: Option<u32>) -> El {
    el("driver")
        .attrs("queues", queues.as_ref())
        .attrs("rx_queue_size", size.as_ref())
        .attrs("tx_queue_size", size.as_ref())
}

/// Whether it is a device of the host that the guest is given.
pub(crate) fn is_vf(interface: &MachineInterface) -> bool {
    let driver = interface.driver.as_ref();
    interface.function.is_some() || driver.is_some_and(|driver| driver.name == "sriov")
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
    let noted = noted(root, &mac);
    let (bridge, driver) = on(node, noted);
    let network = attr(node, "source", "network");
    // A VF of a pool has an address as well while it runs, which is libvirt's choice.
    let is_named = noted.is_some_and(|note| note.attribute("function").is_some());
    let place = find(node, "source/address").filter(|_| is_named);
    MachineInterface {
        function: place.and_then(devices::pci),
        network: network
            .or_else(|| {
                let noted = || Some(noted?.attribute("network")?.to_owned());
                noted().filter(|_| is_given(node) || is_of_switch(node))
            })
            .unwrap_or_default(),
        bridge,
        driver,
        vhost_user: attr(node, "source", "path").filter(|_| is_of_switch(node)),
        vlan: attr(node, "vlan/tag", "id").and_then(|id| id.parse().ok()),
        address: noted.and_then(|note| note.attribute("ip")?.parse().ok()),
        model: attr(node, "model", "type").filter(|model| model != "virtio"),
        queues: number("driver", "queues"),
        // One of the two alone is not what ours have.
        queue_size: number("driver", "rx_queue_size")
            .filter(|size| number("driver", "tx_queue_size") == Some(*size)),
        mtu: number("mtu", "size"),
        unplugged: attr(node, "link", "state").as_deref() == Some("down"),
        bandwidth: find(node, "bandwidth").and_then(bandwidth),
        boot: number("boot", "order"),
        mac,
    }
}

/// A VF that a running machine was given; of its network libvirt says nothing more.
fn is_given(node: Node) -> bool {
    node.attribute("type") == Some("hostdev")
}

/// Of a switch in user space, which knows of no network of libvirt's.
fn is_of_switch(node: Node) -> bool {
    node.attribute("type") == Some("vhostuser")
}

/// Whether it is cut off when its network is stopped: the bridge goes, and what is on another device stays on it.
pub(crate) fn stands_on_network(node: Node) -> bool {
    node.attribute("type") == Some("network")
}

/// What it is on: while it runs what libvirt says, else what we noted.
fn on(node: Node, noted: Option<Node>) -> (Option<String>, Option<Driver>) {
    let source = |name| attr(node, "source", name);
    if let Some(bridge) = source("bridge") {
        return (Some(bridge), None);
    }
    if let (Some(parent), Some(mode)) = (source("dev"), source("mode")) {
        return (None, Some(macvlan(parent, &mode)));
    }
    let noted = |name| Some(noted?.attribute(name)?.to_owned());
    let driver = noted("driver").map(|name| Driver {
        name,
        parent: noted("parent").unwrap_or_default(),
        mode: noted("mode").unwrap_or_default(),
    });
    (noted("bridge"), driver)
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

/// Our note of the NIC with this MAC.
fn noted<'a, 'i>(root: Node<'a, 'i>, mac: &str) -> Option<Node<'a, 'i>> {
    let of_mac =
        |n: &Node| n.has_tag_name((NAMESPACE, "address")) && n.attribute("mac") == Some(mac);
    mark::node(root)?.children().find(of_mac)
}

/// The turn of the NIC with this MAC: where it was noted, whenever it was plugged in.
pub(crate) fn turn(root: Node, mac: &str) -> usize {
    let notes = mark::node(root).into_iter();
    let mut notes = notes.flat_map(|mark| {
        let notes = mark.children();
        notes.filter(|n| n.has_tag_name((NAMESPACE, "address")))
    });
    notes
        .position(|n| n.attribute("mac") == Some(mac))
        .unwrap_or(usize::MAX)
}
