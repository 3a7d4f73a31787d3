//! `serial { … }`: a serial port beside the console's.

use infra_api::target::SerialPort;
use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::read::Reader;
use crate::declared::words::{IP, path, whole, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "serial",
    label: None,
    doc: "A serial port beside the console's: `/dev/ttyS1` and on, three at most. What is at its other end is on the \
          machine's host.",
    attributes: &[
        word(
            "type",
            Shape::OneOf(&["pty", "file", "unix", "tcp"]),
            "`pty`: a terminal that `virsh console --devname serialN` opens. `file`: what it says is written to `path`. \
             `unix`, `tcp`: QEMU listens at `path`, at `address` and `port`.",
        )
        .default("\"pty\""),
        path("path", "Of `file` and `unix`."),
        word("address", Shape::Text(&IP), "Of `tcp`: the host's address.").default("\"127.0.0.1\""),
        whole("port", 1, 65535, "Of `tcp`."),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// So many has a PC.
const PORTS: usize = 4;

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Vec<SerialPort> {
    let blocks: Vec<&Block> = block.nested("serial").collect();
    if let Some(more) = blocks.get(PORTS - 1) {
        let text = format!("a PC has {PORTS}, and the console has the first");
        reader.error("Too many serial ports", more.span, text, "leave it out");
    }
    let ports = blocks.into_iter().filter_map(|b| port(b, reader));
    ports.collect()
}

fn port(block: &Block, reader: &mut Reader<'_>) -> Option<SerialPort> {
    let kind = reader.string(block, "type")?.value;
    let path = reader.string(block, "path").map(|path| path.value);
    let address = reader.string(block, "address").map(|address| address.value);
    let port = reader.whole(block, "port").map(|port| port.value);
    let written = |name: &str| block.get(name).is_some_and(|v| !v.value.is_null());
    let needs: &[&str] = match kind.as_str() {
        "pty" => &[],
        "tcp" => &["port"],
        _ => &["path"],
    };
    let stray = ["path", "port"]
        .into_iter()
        .find(|name| written(name) && !needs.contains(name));
    let lacks = needs.iter().find(|name| !written(name));
    let wrong = match (stray, lacks) {
        (Some(name), _) => Some(format!("`{name}` is not of a port of the type `{kind}`")),
        (None, Some(name)) => Some(format!("a port of the type `{kind}` needs `{name}`")),
        (None, None) => None,
    };
    if let Some(text) = wrong {
        let hint = "see the types of `serial` in docs/blocks.md";
        reader.error("Serial port that leads nowhere", block.span, text, hint);
        return None;
    }
    Some(match kind.as_str() {
        "pty" => SerialPort::Pty,
        "file" => SerialPort::File { path: path? },
        "unix" => SerialPort::Unix { path: path? },
        _ => SerialPort::Tcp {
            address: address?,
            port: port?,
        },
    })
}
