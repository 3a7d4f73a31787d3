//! `remote { … }` of a disk: what a server elsewhere has.

use infra_api::target::{DiskLogin, DiskServer, RemoteDisk};
use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::{STRINGS, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "remote",
    label: None,
    doc: "A VM's disk that a server has: QEMU reads and writes it there. It is used and never made or removed; `format` \
          says what is in it. The server must be reached by the host, when the machine starts too; on \
          Debian `rbd`, `iscsi` and `http` need the package qemu-block-extra.",
    attributes: &[
        word(
            "protocol",
            Shape::OneOf(&["nbd", "rbd", "iscsi", "http", "https"]),
            "How it is had. QEMU only reads by `http` and `https`: with `read_only = true`.",
        )
        .required(),
        word(
            "servers",
            STRINGS,
            "`HOST` or `HOST:PORT`; IPv6 as `[fd00::5]:10809`. One; of `rbd` the cluster's monitors.",
        )
        .required(),
        word(
            "name",
            Shape::String,
            "The export of `nbd`, `POOL/IMAGE` of `rbd`, `IQN/LUN` of `iscsi`, the path of `http`.",
        )
        .required(),
        word("user", Shape::String, "Of `rbd` and `iscsi`: who it is had as."),
        word(
            "secret",
            Shape::String,
            "With `user`: the UUID of a secret that the host's libvirt keeps (`virsh secret-define`). infra never sees it.",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Option<At<RemoteDisk>> {
    let protocol = reader.string(block, "protocol")?.value;
    let name = reader.string(block, "name")?;
    let servers = servers(block, &protocol, reader)?;
    if name.value.is_empty() || name.value.contains(char::is_control) {
        let hint = "write what the server calls it";
        reader.error("Disk without a name", name.span, "of which disk?", hint);
    }
    let (user, secret) = (reader.string(block, "user"), reader.string(block, "secret"));
    let login = match (user, secret) {
        (Some(user), Some(secret)) => {
            if !matches!(protocol.as_str(), "rbd" | "iscsi") {
                let text = format!("QEMU has no login of `{protocol}`");
                reader.error(
                    "Login that nobody asks for",
                    user.span,
                    text,
                    "leave it out",
                );
            }
            Some(DiskLogin {
                user: user.value,
                secret: secret.value,
            })
        }
        (None, None) => None,
        (Some(half), None) | (None, Some(half)) => {
            let hint = "write both, or neither";
            let text = "`user` and `secret` go together";
            reader.error("Half a login", half.span, text, hint);
            None
        }
    };
    Some(At {
        value: RemoteDisk {
            protocol,
            name: name.value,
            servers,
            login,
        },
        span: block.span,
    })
}

/// Where a protocol is spoken by custom: libvirt would write it in by itself.
fn usual_port(protocol: &str) -> u16 {
    match protocol {
        "nbd" => 10809,
        "rbd" => 6789,
        "iscsi" => 3260,
        "https" => 443,
        _ => 80,
    }
}

fn servers(block: &Block, protocol: &str, reader: &mut Reader<'_>) -> Option<Vec<DiskServer>> {
    let written = reader.strings(block, "servers")?;
    let span = block.get("servers")?.span;
    let most = if protocol == "rbd" { usize::MAX } else { 1 };
    if written.is_empty() || written.len() > most {
        let text = format!("`{protocol}` has {} here", written.len());
        let hint = "write one server; of `rbd` the monitors";
        reader.error("Wrong number of servers", span, text, hint);
        return None;
    }
    let mut servers = Vec::new();
    for text in &written {
        match server(text, usual_port(protocol)) {
            Some(server) => servers.push(server),
            None => {
                let hint = "write `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`";
                reader.error("Not a server", span, format!("`{text}`"), hint);
            }
        }
    }
    Some(servers)
}

fn server(text: &str, usual: u16) -> Option<DiskServer> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (
                host,
                rest.strip_prefix(':').or((!rest.is_empty()).then_some("x")),
            )
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
        None => usual,
    };
    (!host.is_empty() && host.chars().all(plain)).then(|| DiskServer {
        host: host.to_owned(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_a_host_and_a_port() {
        let read = |text| server(text, 7).map(|s| (s.host, s.port));
        assert_eq!(read("a.example"), Some(("a.example".into(), 7)));
        assert_eq!(read("10.0.0.5:10809"), Some(("10.0.0.5".into(), 10809)));
        assert_eq!(read("[fd00::5]:1"), Some(("fd00::5".into(), 1)));
        assert_eq!(read("[fd00::5]"), Some(("fd00::5".into(), 7)));
        for bad in [
            "",
            ":1",
            "a:0",
            "a:b",
            "a:65536",
            "fd00::5",
            "[a]:1",
            "[fd00::5]1",
            "a b",
            "a/b",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
