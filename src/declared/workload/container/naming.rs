//! `dns { … }` and what stands in the container's `/etc/hosts`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use infra_api::target::Naming;
use infra_lang::{Block, BlockKind, Meta};

use crate::declared::read::Reader;
use crate::declared::words::{STRINGS, word};

pub(super) static DNS: BlockKind = BlockKind {
    name: "dns",
    label: None,
    doc: "How it finds names that are not in its networks; as its host does where it is not written.",
    attributes: &[
        word(
            "servers",
            STRINGS,
            "Addresses, in the order they are asked.",
        ),
        word(
            "search",
            STRINGS,
            "Domains, in the order they are tried; `[\".\"]` for none.",
        ),
        word("options", STRINGS, "Of the resolver, such as `ndots:2`."),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// The engine's word for the host's own address.
const HOST: &str = "host-gateway";

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Naming {
    let dns = block.nested("dns").next();
    let mut list = |name| {
        dns.and_then(|dns| reader.strings(dns, name))
            .unwrap_or_default()
    };
    let (servers, search, options) = (list("servers"), list("search"), list("options"));
    let written = dns.and_then(|dns| dns.get("servers"));
    let wrong = servers.iter().find(|text| text.parse::<IpAddr>().is_err());
    if let (Some(wrong), Some(written)) = (wrong, written) {
        let text = format!("`{wrong}` is not an IP address");
        reader.error(
            "Not a name server",
            written.span,
            text,
            "write the server's address",
        );
    }
    Naming {
        domainname: reader.string(block, "domainname").map(|name| name.value),
        servers,
        search,
        options,
        hosts: hosts(block, reader),
    }
}

fn hosts(block: &Block, reader: &mut Reader<'_>) -> BTreeMap<String, String> {
    let hosts = reader.string_map(block, "extra_hosts");
    let odd_name = |name: &str| name.is_empty() || name.contains([':', '=', ' ']);
    let odd = |(name, at): &(&String, &String)| {
        odd_name(name) || (at.as_str() != HOST && at.parse::<IpAddr>().is_err())
    };
    if let (Some((name, at)), Some(written)) = (hosts.iter().find(odd), block.get("extra_hosts")) {
        let text = format!("`{name}` = `{at}` is no name with an IP address or `{HOST}`");
        let hint = "write it as `{ db = \"10.0.0.5\" }`";
        reader.error("Not a host's address", written.span, text, hint);
    }
    hosts
}
