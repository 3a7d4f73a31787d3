//! `dns { … }` of a network: records of whoever is on its bridge.

use infra_api::target::{Dns, DnsService};
use infra_lang::{Block, BlockKind, Meta, Nested, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::{IPV4, LINE, whole, word};

static HOST: BlockKind = BlockKind {
    name: "host",
    label: Some("name"),
    doc: "A name and its address.",
    attributes: &[word(
        "address",
        Shape::Text(&IPV4),
        "What the name is found at; it may be outside the network.",
    )
    .required()],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

static TXT: BlockKind = BlockKind {
    name: "txt",
    label: Some("name"),
    doc: "A text at a name.",
    attributes: &[word(
        "value",
        Shape::Text(&LINE),
        "Up to 255 bytes, without commas, double quotes and `#`.",
    )
    .required()],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

static TARGET: BlockKind = BlockKind {
    name: "target",
    label: Some("name"),
    doc: "Who has the service.",
    attributes: &[
        whole("port", 1, 65535, "Where it listens.").required(),
        whole("priority", 0, 65535, "The lowest is tried first.").default("0"),
        whole("weight", 0, 65535, "Its share among those of one priority.").default("0"),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

static SRV: BlockKind = BlockKind {
    name: "srv",
    label: Some("name"),
    doc: "Where a service is; its label is `_SERVICE._tcp.DOMAIN` or `_SERVICE._udp.DOMAIN`.",
    attributes: &[],
    blocks: &[Nested::many(&TARGET)],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) static KIND: BlockKind = BlockKind {
    name: "dns",
    label: None,
    doc: "With this block, empty or not, the gateway answers for the names of the virtual machines on the bridge and for \
          these records, asks the host's own servers for the rest (an internal network has no rest), and is the server \
          that seeds name. Records change while the network runs; switching DNS on or off stops and starts it, and its \
          machines lose their link for that moment. Not where containers are on the bridge.",
    attributes: &[],
    blocks: &[Nested::many(&HOST), Nested::many(&TXT), Nested::many(&SRV)],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Option<At<Dns>> {
    let written = block.nested("dns").next()?;
    let mut dns = Dns::default();
    for block in written.nested("host") {
        let name = named(block, reader);
        if let (Some(name), Some(address)) = (name, reader.ipv4(block, "address")) {
            dns.hosts.insert(name, address.value.into());
        }
    }
    for block in written.nested("txt") {
        let name = named(block, reader);
        if let (Some(name), Some(value)) = (name, reader.string(block, "value")) {
            said(&value, reader);
            dns.txt.insert(name, value.value);
        }
    }
    let srv = written.nested("srv");
    dns.srv = srv.flat_map(|block| services(block, reader)).collect();
    dns.srv.sort();
    Some(At {
        value: dns,
        span: written.span,
    })
}

/// Names between dots, each of letters, digits, dashes and underscores.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let part = |part: &str| (1..=63).contains(&part.len()) && part.chars().all(plain);
    name.len() <= 253 && name.split('.').all(part)
}

/// A block's label, which must be a name.
fn named(block: &Block, reader: &mut Reader<'_>) -> Option<String> {
    let label = block.label.as_ref()?;
    if !is_name(&label.value) {
        let text = format!("`{}` is no name that DNS could answer for", label.value);
        let hint = "write names of letters, digits and dashes with dots between them, as in `db.example.org`";
        reader.error("Unusable name", label.span, text, hint);
    }
    Some(label.value.to_string())
}

/// dnsmasq reads the text as a line of its configuration.
fn said(value: &At<String>, reader: &mut Reader<'_>) {
    let odd = value.value.chars().find(|c| matches!(c, ',' | '"' | '#'));
    let why = match odd {
        Some(c) => format!("dnsmasq, which answers for libvirt, cannot be told a `{c}`"),
        None if !(1..=255).contains(&value.value.len()) => "a text has 1 to 255 bytes".to_owned(),
        None => return,
    };
    reader.error("Unusable text", value.span, why, "write another text");
}

fn services(block: &Block, reader: &mut Reader<'_>) -> Vec<DnsService> {
    let Some(label) = block.label.as_ref() else {
        return Vec::new();
    };
    let mut parts = label.value.splitn(3, '.');
    let mut part = || parts.next().unwrap_or_default();
    let (service, protocol, domain) = (part(), part(), part());
    let service = service.strip_prefix('_').unwrap_or_default();
    let protocol = protocol.strip_prefix('_').unwrap_or_default();
    let known = matches!(protocol, "tcp" | "udp");
    if !known || !is_name(service) || !is_name(domain) {
        let text = format!("`{}` names no service, protocol and domain", label.value);
        let hint = "write it as in `_sip._tcp.example.org`; the protocol is `_tcp` or `_udp`";
        reader.error("Unusable name", label.span, text, hint);
    }
    let mut targets = block.nested("target").peekable();
    if targets.peek().is_none() {
        let hint = "write a block as in `target \"db\" { port = 5060 }`";
        reader.error(
            "Service that nobody has",
            block.span,
            "it has no `target`",
            hint,
        );
    }
    let mut found = Vec::new();
    for target in targets {
        let name = named(target, reader);
        let mut number = |word| reader.whole::<u16>(target, word).map(|number| number.value);
        let (port, priority, weight) = (number("port"), number("priority"), number("weight"));
        let (Some(target), Some(port)) = (name, port) else {
            continue;
        };
        found.push(DnsService {
            service: service.to_owned(),
            protocol: protocol.to_owned(),
            domain: domain.to_owned(),
            target,
            port,
            priority: priority.unwrap_or_default(),
            weight: weight.unwrap_or_default(),
        });
    }
    found
}
