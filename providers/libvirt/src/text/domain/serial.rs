//! Serial ports beside the console's, both ways.

use infra_api::target::SerialPort;
use roxmltree::Node;

use super::super::xml::{El, all, attr, el, find};

/// The first port is the console's.
pub(crate) fn write(ports: &[SerialPort]) -> impl Iterator<Item = El> {
    (1..).zip(ports).map(|(number, port)| {
        let bound = || el("source").attr("mode", "bind");
        let (kind, source) = match port {
            SerialPort::Pty => ("pty", None),
            SerialPort::File { path } => ("file", Some(el("source").attr("path", path))),
            SerialPort::Unix { path } => ("unix", Some(bound().attr("path", path))),
            SerialPort::Tcp { address, port } => {
                let source = bound().attr("host", address).attr("service", port);
                ("tcp", Some(source))
            }
        };
        let raw = (kind == "tcp").then(|| el("protocol").attr("type", "raw"));
        el("serial")
            .attr("type", kind)
            .children(source)
            .children(raw)
            .child(el("target").attr("port", number))
    })
}

pub(crate) fn read(devices: Node) -> Vec<SerialPort> {
    let further = |node: &Node| attr(*node, "target", "port").is_some_and(|port| port != "0");
    all(devices, "serial").filter(further).map(port).collect()
}

/// One of another kind is none of ours: its path says so.
fn port(node: Node) -> SerialPort {
    let source = |name| attr(node, "source", name).unwrap_or_default();
    let bound = source("mode") == "bind";
    match node.attribute("type").unwrap_or_default() {
        "pty" => SerialPort::Pty,
        "file" => SerialPort::File {
            path: source("path"),
        },
        "unix" if bound => SerialPort::Unix {
            path: source("path"),
        },
        "tcp" if bound && find(node, "protocol").is_none_or(is_raw) => SerialPort::Tcp {
            address: source("host"),
            port: source("service").parse().unwrap_or(0),
        },
        other => SerialPort::File {
            path: format!("(a port of the kind {other})"),
        },
    }
}

fn is_raw(protocol: Node) -> bool {
    protocol.attribute("type") == Some("raw")
}
