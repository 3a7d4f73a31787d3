//! A disk that a server has, both ways.

use infra_api::target::{DiskLogin, DiskServer, RemoteDisk};
use roxmltree::Node;

use super::super::xml::{El, all, attr, el, find};

pub(crate) fn write(remote: &RemoteDisk) -> El {
    let RemoteDisk {
        protocol,
        name,
        servers,
        login,
    } = remote;
    let server =
        |DiskServer { host, port }: &DiskServer| el("host").attr("name", host).attr("port", port);
    el("source")
        .attr("protocol", protocol)
        .attr("name", name)
        .children(servers.iter().map(server))
        .children(login.as_ref().map(|login| auth(login, protocol)))
}

/// libvirt's word for what a secret is for.
fn auth(login: &DiskLogin, protocol: &str) -> El {
    let DiskLogin { user, secret } = login;
    let kind = if protocol == "rbd" { "ceph" } else { "iscsi" };
    let secret = el("secret").attr("type", kind).attr("uuid", secret);
    el("auth").attr("username", user).child(secret)
}

pub(crate) fn read(disk: Node) -> Option<RemoteDisk> {
    let source = find(disk, "source").filter(|_| disk.attribute("type") == Some("network"))?;
    let text = |name| source.attribute(name).unwrap_or_default().to_owned();
    let server = |host: Node| {
        Some(DiskServer {
            host: host.attribute("name")?.to_owned(),
            port: host.attribute("port")?.parse().ok()?,
        })
    };
    Some(RemoteDisk {
        protocol: text("protocol"),
        name: text("name"),
        servers: all(source, "host").filter_map(server).collect(),
        login: find(source, "auth").and_then(login),
    })
}

fn login(auth: Node) -> Option<DiskLogin> {
    Some(DiskLogin {
        user: auth.attribute("username")?.to_owned(),
        secret: attr(auth, "secret", "uuid")?,
    })
}
