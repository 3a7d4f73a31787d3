//! [`Confinement`] ⇄ JSON.

use std::collections::BTreeMap;

use bollard::models::{HostConfig, HostConfigCgroupnsModeEnum};
use infra_api::target::Confinement;
use serde::Deserialize;

use super::{Refused, Set, integer, some_map};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Found {
    pub(crate) runtime: Option<String>,
    pub(crate) network_mode: Option<String>,
    pub(crate) ipc_mode: Option<String>,
    pub(crate) pid_mode: Option<String>,
    #[serde(rename = "UTSMode")]
    pub(crate) uts_mode: Option<String>,
    userns_mode: Option<String>,
    cgroupns_mode: Option<String>,
    cgroup_parent: Option<String>,
    sysctls: Option<BTreeMap<String, String>>,
    pub(crate) shm_size: Option<u64>,
    storage_opt: Option<BTreeMap<String, String>>,
}

/// Always asked for: an engine may be configured to share by default.
const PRIVATE: &str = "private";

pub(crate) fn encode(wanted: &Confinement, host: &mut HostConfig) -> Result<(), Refused> {
    let Confinement {
        runtime,
        network,
        ipc,
        pid,
        uts,
        userns,
        cgroupns,
        cgroup_parent,
        sysctls,
        shm_bytes,
        storage,
    } = wanted;
    host.runtime = runtime.clone();
    if let Some(mode) = network {
        host.network_mode = Some(mode.clone());
    }
    host.ipc_mode = Some(ipc.clone().unwrap_or_else(|| PRIVATE.to_owned()));
    host.pid_mode = pid.clone();
    host.uts_mode = uts.clone();
    host.userns_mode = userns.clone();
    host.cgroupns_mode = cgroupns.as_deref().map(cgroup_namespace).transpose()?;
    host.cgroup_parent = cgroup_parent.clone();
    host.sysctls = some_map(sysctls);
    host.shm_size = shm_bytes.map(|n| integer("shm_bytes", n)).transpose()?;
    host.storage_opt = some_map(storage);
    Ok(())
}

fn cgroup_namespace(word: &str) -> Result<HostConfigCgroupnsModeEnum, Refused> {
    match word {
        PRIVATE => Ok(HostConfigCgroupnsModeEnum::PRIVATE),
        "host" => Ok(HostConfigCgroupnsModeEnum::HOST),
        other => Err(format!("`cgroupns` is `{other}`, not `private` or `host`")),
    }
}

/// What the engine fills in by itself is ours where it was set by us.
pub(crate) fn set(wanted: &Confinement) -> Vec<String> {
    let of = [
        ("runtime", wanted.runtime.is_some()),
        ("cgroupns", wanted.cgroupns.is_some()),
        ("shm_bytes", wanted.shm_bytes.is_some()),
    ];
    super::named("confinement", &of)
}

pub(crate) fn decode(found: &Found, set: &Set<'_>) -> Confinement {
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let own = |name: &str| set.contains(format!("confinement.{name}").as_str());
    let network = text(&found.network_mode);
    Confinement {
        runtime: text(&found.runtime).filter(|_| own("runtime")),
        network: network.filter(|mode| matches!(mode.as_str(), "host" | "none")),
        ipc: text(&found.ipc_mode).filter(|mode| mode != PRIVATE),
        pid: text(&found.pid_mode),
        uts: text(&found.uts_mode),
        userns: text(&found.userns_mode),
        cgroupns: text(&found.cgroupns_mode).filter(|_| own("cgroupns")),
        cgroup_parent: text(&found.cgroup_parent),
        sysctls: found.sysctls.clone().unwrap_or_default(),
        shm_bytes: found.shm_size.filter(|_| own("shm_bytes")),
        storage: found.storage_opt.clone().unwrap_or_default(),
    }
}
