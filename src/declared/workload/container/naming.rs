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

/// What the kernel takes for the name of a host or domain.
const LONGEST: usize = 64;

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
    for (name, list) in [("search", &search), ("options", &options)] {
        let odd = list.iter().find(|text| !is_one_word(text));
        if let (Some(odd), Some(written)) = (odd, dns.and_then(|dns| dns.get(name))) {
            let text = format!(
                "`{}` is empty, or would be more than one in `resolv.conf`",
                odd.escape_debug()
            );
            let hint = "write each as an element of the list";
            reader.error("Not one word", written.span, text, hint);
        }
    }
    Naming {
        domainname: name(block, "domainname", reader),
        servers,
        search,
        options,
        hosts: hosts(block, reader),
    }
}

/// The engine writes it into `/etc/hosts` as it is, and of a long one the kernel refuses the start or cuts it off.
pub(super) fn name(block: &Block, word: &str, reader: &mut Reader<'_>) -> Option<String> {
    let name = reader.string(block, word)?;
    let text = &name.value;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let wrong = if text.is_empty() {
        Some("it is empty".to_owned())
    } else if text.len() > LONGEST {
        Some(format!("it has {} characters", text.chars().count()))
    } else {
        let odd = text.chars().find(|c| !plain(*c));
        odd.map(|c| format!("it has `{}`", c.escape_debug()))
    };
    if let Some(wrong) = wrong {
        let hint = format!("write at most {LONGEST} letters, digits, `-`, `_` and `.`");
        reader.error(
            "Not a host's name",
            name.span,
            format!("`{word}`: {wrong}"),
            hint,
        );
    }
    Some(name.value)
}

fn is_one_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

fn hosts(block: &Block, reader: &mut Reader<'_>) -> BTreeMap<String, String> {
    let hosts = reader.string_map(block, "extra_hosts");
    let odd_name = |name: &str| !is_one_word(name) || name.contains([':', '=']);
    let odd = |(name, at): &(&String, &String)| {
        odd_name(name) || (at.as_str() != HOST && at.parse::<IpAddr>().is_err())
    };
    if let (Some((name, at)), Some(written)) = (hosts.iter().find(odd), block.get("extra_hosts")) {
        let text = format!(
            "`{}` = `{at}` is no name with an IP address or `{HOST}`",
            name.escape_debug()
        );
        let hint = "write it as `{ db = \"10.0.0.5\" }`";
        reader.error("Not a host's address", written.span, text, hint);
    }
    hosts
}
