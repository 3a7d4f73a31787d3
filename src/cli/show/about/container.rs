//! What a person wants to see of a container that is made: what it runs, how it is reached, and whatever it may do
//! that others may not.

use infra_api::Text;
use infra_api::target::{Confinement, Container, Device, Limits, Mount, Port, Security};
use infra_api::units::Bytes;
use serde_json::{Value, json};

use super::{Row, each, row, some, yes};
use crate::cli::show::value::{self, quoted};

pub(super) fn rows(c: Container) -> Vec<Row> {
    let devices = c.devices.mapped.iter();
    vec![
        row("image", &c.image),
        some("entrypoint", c.entrypoint.map(|words| command(&words))),
        some("command", c.command.map(|words| command(&words))),
        each("env", &c.env, |(name, v)| format!("{name}={}", text(v))),
        some("user", c.user),
        some("runtime", c.confinement.runtime.as_ref()),
        yes("privileged", c.security.privileged),
        row("capabilities", &capabilities(&c.security)),
        yes(
            "privilege_escalation",
            !c.security.no_new_privileges && !c.security.privileged,
        ),
        each(
            "shares with its host",
            shared(&c.confinement),
            str::to_owned,
        ),
        each("ports", &c.ports, port),
        each("mounts", &c.mounts, |(at, what)| {
            format!("{at} ({})", mount(what))
        }),
        each("files", c.files.keys(), String::clone),
        each("devices", devices, device),
        each("networks", &c.networks, |(name, e)| {
            let six = e.address6.map(|address| format!(" {address}"));
            let four = e.address.map(|address| format!(" {address}"));
            format!(
                "{name}{}{}",
                four.unwrap_or_default(),
                six.unwrap_or_default()
            )
        }),
        some("cpus", c.cpus),
        some("memory.nodes", c.memory_nodes),
        some("memory", c.memory_bytes.map(Bytes)),
        each("limits", limits(&c.limits), |(name, v)| {
            format!("{name} {v}")
        }),
    ]
}

/// What is usual is not said.
fn capabilities(security: &Security) -> String {
    if security.add.is_empty() && (security.drop == ["MKNOD", "NET_RAW"] || security.privileged) {
        return String::new();
    }
    let signed = |sign: &'static str| move |name: &String| format!("{sign}{name}");
    let dropped = security.drop.iter().map(signed("-"));
    let all: Vec<String> = dropped
        .chain(security.add.iter().map(signed("+")))
        .collect();
    all.join(" ")
}

/// The namespaces that are the host's own.
fn shared(confinement: &Confinement) -> Vec<&'static str> {
    let Confinement {
        network,
        ipc,
        pid,
        uts,
        userns,
        ..
    } = confinement;
    let modes = [
        ("network", network),
        ("ipc", ipc),
        ("processes", pid),
        ("name", uts),
        ("user ids", userns),
    ];
    let host = modes
        .into_iter()
        .filter(|(_, mode)| mode.as_deref() == Some("host"));
    host.map(|(name, _)| name).collect()
}

/// By the names a person reads elsewhere in the plan.
fn limits(limits: &Limits) -> Vec<(String, String)> {
    let Value::Object(all) = json!(limits) else {
        return Vec::new();
    };
    all.iter()
        .map(|(key, v)| (value::path(std::slice::from_ref(key)), value::value(key, v)))
        .collect()
}

fn device((path, device): (&String, &Device)) -> String {
    let Device {
        source,
        permissions,
    } = device;
    let rights = match permissions.as_str() {
        "rwm" => String::new(),
        rights => format!(" ({rights})"),
    };
    match source == path {
        true => format!("{path}{rights}"),
        false => format!("{source} at {path}{rights}"),
    }
}

/// Words as a shell would read them.
fn command(words: &[Text]) -> String {
    let words: Vec<String> = words.iter().map(text).collect();
    words.join(" ")
}

fn text(text: &Text) -> String {
    let plain = |t: &str| !t.is_empty() && !t.contains(|c: char| c.is_whitespace() || c == '"');
    match text {
        Text::Plain(t) if plain(t) => t.clone(),
        Text::Plain(t) => quoted(t),
        Text::Secret { digest: _ } => "(sensitive)".to_owned(),
    }
}

fn port(p: &Port) -> String {
    let at = p
        .host_address
        .as_ref()
        .map_or_else(String::new, |a| match a.contains(':') {
            true => format!("[{a}]:"),
            false => format!("{a}:"),
        });
    format!("{at}{}:{}/{}", p.host, p.container, p.protocol)
}

fn mount(mount: &Mount) -> String {
    let only = |read_only: &bool| if *read_only { ", read only" } else { "" };
    match mount {
        Mount::Volume {
            source,
            read_only,
            subpath,
            no_copy: _,
        } => {
            let part = subpath
                .as_ref()
                .map_or_else(String::new, |path| format!("/{path}"));
            format!("volume {source}{part}{}", only(read_only))
        }
        Mount::Bind {
            source, read_only, ..
        } => format!("host's {source}{}", only(read_only)),
        Mount::Tmpfs {
            size_bytes: None, ..
        } => "in memory".to_owned(),
        Mount::Tmpfs {
            size_bytes: Some(n),
            ..
        } => format!("{} in memory", Bytes(*n)),
    }
}
