//! [`Port`]s, [`Mount`]s, [`Naming`] ⇄ JSON.

use std::collections::{BTreeMap, BTreeSet};

use bollard::models::{
    HostConfig, Mount as EngineMount, MountBindOptions, MountBindOptionsPropagationEnum,
    MountTmpfsOptions, MountType, MountVolumeOptions, PortBinding,
};
use infra_api::target::{Endpoint, Mount, Naming, Port};
use serde::Deserialize;

use super::{Refused, integer, some};

// ── endpoints ─────────────────────────────────────────────────────────────────────────────────────

/// The engine always tells of a MAC: that one was asked for stands in the label.
pub(crate) fn set(networks: &BTreeMap<String, Endpoint>) -> Vec<String> {
    let asked = networks.iter().filter(|(_, end)| end.mac.is_some());
    asked.map(|(name, _)| mac_of(name)).collect()
}

/// As the label names it.
pub(crate) fn mac_of(network: &str) -> String {
    format!("networks.{network}.mac")
}

// ── ports ─────────────────────────────────────────────────────────────────────────────────────────

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Binding {
    #[serde(default)]
    host_ip: String,
    #[serde(default)]
    host_port: String,
}

/// By the port's name.
pub(crate) type Bindings = Option<BTreeMap<String, Option<Vec<Binding>>>>;

fn port_name(port: &Port) -> String {
    format!("{}/{}", port.container, port.protocol)
}

pub(crate) fn exposed(ports: &[Port]) -> Vec<String> {
    let names: BTreeSet<String> = ports.iter().map(port_name).collect();
    names.into_iter().collect()
}

pub(crate) fn bindings(ports: &[Port]) -> BTreeMap<String, Option<Vec<PortBinding>>> {
    let mut map = BTreeMap::new();
    for port in ports {
        let Port {
            host,
            container: _,
            protocol: _,
            host_address,
        } = port;
        let binding = PortBinding {
            host_ip: host_address.clone(),
            host_port: Some(host.to_string()),
        };
        let bound: &mut Option<Vec<_>> = map.entry(port_name(port)).or_default();
        bound.get_or_insert_default().push(binding);
    }
    map
}

/// What is asked for, not what is bound: that is empty while it is stopped.
pub(crate) fn ports(found: &Bindings) -> Result<Vec<Port>, String> {
    let mut ports = Vec::new();
    for (name, bindings) in found.iter().flatten() {
        for binding in bindings.iter().flatten() {
            ports.push(port(name, binding).ok_or_else(|| {
                format!(
                    "it publishes port {name} at `{}`, a port chosen by the engine",
                    binding.host_port
                )
            })?);
        }
    }
    ports.sort();
    Ok(ports)
}

fn port(name: &str, binding: &Binding) -> Option<Port> {
    let (container, protocol) = name.split_once('/')?;
    Some(Port {
        host: binding.host_port.parse().ok()?,
        container: container.parse().ok()?,
        protocol: protocol.to_owned(),
        host_address: Some(binding.host_ip.clone()).filter(|ip| !ip.is_empty()),
    })
}

// ── mounts ────────────────────────────────────────────────────────────────────────────────────────

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MountPoint {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(default)]
    source: String,
    target: String,
    #[serde(default)]
    read_only: bool,
    bind_options: Option<BindOptions>,
    volume_options: Option<VolumeOptions>,
    tmpfs_options: Option<TmpfsOptions>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct BindOptions {
    propagation: String,
    non_recursive: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct VolumeOptions {
    no_copy: bool,
    subpath: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TmpfsOptions {
    size_bytes: u64,
    mode: u32,
}

/// Only `Mounts`: the older `Binds` silently makes a missing directory of the host.
pub(crate) fn mounted(path: &str, mount: &Mount) -> Result<EngineMount, Refused> {
    let of = |typ, source: &str, read_only| EngineMount {
        target: Some(path.to_owned()),
        source: Some(source.to_owned()),
        typ: Some(typ),
        read_only: Some(read_only),
        ..EngineMount::default()
    };
    Ok(match mount {
        Mount::Volume {
            source,
            read_only,
            subpath,
            no_copy,
        } => EngineMount {
            volume_options: volume_options(subpath.as_ref(), *no_copy),
            ..of(MountType::VOLUME, source, *read_only)
        },
        Mount::Bind {
            source,
            read_only,
            propagation,
            non_recursive,
        } => EngineMount {
            bind_options: bind_options(propagation.as_deref(), *non_recursive)?,
            ..of(MountType::BIND, source, *read_only)
        },
        Mount::Tmpfs { size_bytes, mode } => EngineMount {
            target: Some(path.to_owned()),
            typ: Some(MountType::TMPFS),
            tmpfs_options: tmpfs_options(*size_bytes, *mode)?,
            ..EngineMount::default()
        },
    })
}

fn volume_options(subpath: Option<&String>, no_copy: bool) -> Option<MountVolumeOptions> {
    (subpath.is_some() || no_copy).then(|| MountVolumeOptions {
        no_copy: no_copy.then_some(true),
        subpath: subpath.cloned(),
        ..MountVolumeOptions::default()
    })
}

fn bind_options(
    propagation: Option<&str>,
    non_recursive: bool,
) -> Result<Option<MountBindOptions>, Refused> {
    let propagation = propagation.map(propagated).transpose()?;
    let wanted = propagation.is_some() || non_recursive;
    Ok(wanted.then(|| MountBindOptions {
        propagation,
        non_recursive: non_recursive.then_some(true),
        ..MountBindOptions::default()
    }))
}

fn propagated(word: &str) -> Result<MountBindOptionsPropagationEnum, Refused> {
    use MountBindOptionsPropagationEnum as Propagation;
    match word {
        "private" => Ok(Propagation::PRIVATE),
        "rprivate" => Ok(Propagation::RPRIVATE),
        "shared" => Ok(Propagation::SHARED),
        "rshared" => Ok(Propagation::RSHARED),
        "slave" => Ok(Propagation::SLAVE),
        "rslave" => Ok(Propagation::RSLAVE),
        other => Err(format!(
            "`propagation` is `{other}`, which the engine does not know"
        )),
    }
}

fn tmpfs_options(
    size_bytes: Option<u64>,
    mode: Option<u32>,
) -> Result<Option<MountTmpfsOptions>, Refused> {
    let size_bytes = size_bytes.map(|n| integer("mounts.size_bytes", n));
    let size_bytes = size_bytes.transpose()?;
    let wanted = size_bytes.is_some() || mode.is_some();
    Ok(wanted.then(|| MountTmpfsOptions {
        size_bytes,
        mode: mode.map(i64::from),
        ..MountTmpfsOptions::default()
    }))
}

pub(crate) fn mount(point: &MountPoint) -> Result<(String, Mount), String> {
    let MountPoint {
        kind,
        source,
        target,
        read_only,
        bind_options,
        volume_options,
        tmpfs_options,
    } = point;
    let (source, read_only) = (source.clone(), *read_only);
    let (bind, volume, tmpfs) = (
        bind_options.clone().unwrap_or_default(),
        volume_options.clone().unwrap_or_default(),
        tmpfs_options.clone().unwrap_or_default(),
    );
    let mount = match kind.as_str() {
        "volume" => Mount::Volume {
            source,
            read_only,
            subpath: Some(volume.subpath).filter(|path| !path.is_empty()),
            no_copy: volume.no_copy,
        },
        "bind" => Mount::Bind {
            source,
            read_only,
            propagation: Some(bind.propagation)
                .filter(|word| !matches!(word.as_str(), "" | "rprivate")),
            non_recursive: bind.non_recursive,
        },
        "tmpfs" => Mount::Tmpfs {
            size_bytes: Some(tmpfs.size_bytes).filter(|n| *n != 0),
            mode: Some(tmpfs.mode).filter(|mode| *mode != 0),
        },
        other => return Err(format!("it mounts a `{other}` at {target}")),
    };
    Ok((target.clone(), mount))
}

// ── names ─────────────────────────────────────────────────────────────────────────────────────────

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Found {
    dns: Option<Vec<String>>,
    dns_search: Option<Vec<String>>,
    dns_options: Option<Vec<String>>,
    extra_hosts: Option<Vec<String>>,
}

/// All but the domain name, which is not the host's matter.
pub(crate) fn encode(wanted: &Naming, host: &mut HostConfig) {
    let Naming {
        domainname: _,
        servers,
        search,
        options,
        hosts,
    } = wanted;
    let line = |(name, address): (&String, &String)| format!("{name}:{address}");
    host.dns = some(servers.clone());
    host.dns_search = some(search.clone());
    host.dns_options = some(options.clone());
    host.extra_hosts = some(hosts.iter().map(line).collect());
}

pub(crate) fn decode(found: &Found, domainname: &str) -> Naming {
    let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    let lines = found.extra_hosts.iter().flatten();
    let entry = |line: &String| {
        // Newer engines also take an equals sign, and keep it.
        let (name, address) = line.split_once([':', '=']).unwrap_or((line, ""));
        (name.to_owned(), address.to_owned())
    };
    Naming {
        domainname: Some(domainname.to_owned()).filter(|name| !name.is_empty()),
        servers: list(&found.dns),
        search: list(&found.dns_search),
        options: list(&found.dns_options),
        hosts: lines.map(entry).collect(),
    }
}
