//! [`Devices`] ⇄ JSON.

use std::collections::BTreeMap;

use bollard::models::{DeviceMapping, DeviceRequest as EngineRequest, HostConfig};
use infra_api::target::{Device, DeviceRequest, Devices};
use serde::Deserialize;

use super::{some, some_map, sorted};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Found {
    devices: Option<Vec<Mapped>>,
    device_requests: Option<Vec<Requested>>,
    device_cgroup_rules: Option<Vec<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mapped {
    path_on_host: String,
    path_in_container: String,
    cgroup_permissions: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Requested {
    driver: String,
    count: i64,
    #[serde(rename = "DeviceIDs")]
    device_ids: Option<Vec<String>>,
    capabilities: Option<Vec<Vec<String>>>,
    options: Option<BTreeMap<String, String>>,
}

pub(crate) fn encode(wanted: &Devices, host: &mut HostConfig) {
    let Devices {
        mapped,
        requests,
        rules,
    } = wanted;
    host.devices = some(mapped.iter().map(mapping).collect());
    host.device_requests = some(requests.iter().map(request).collect());
    host.device_cgroup_rules = some(rules.clone());
}

fn mapping((path, device): (&String, &Device)) -> DeviceMapping {
    let Device {
        source,
        permissions,
    } = device;
    DeviceMapping {
        path_on_host: Some(source.clone()),
        path_in_container: Some(path.clone()),
        cgroup_permissions: Some(permissions.clone()),
    }
}

fn request(wanted: &DeviceRequest) -> EngineRequest {
    let DeviceRequest {
        driver,
        count,
        ids,
        capabilities,
        options,
    } = wanted;
    EngineRequest {
        driver: driver.clone(),
        count: *count,
        device_ids: some(ids.clone()),
        // Any of several lists would do: one is all that is asked for.
        capabilities: some(capabilities.clone()).map(|all| vec![all]),
        options: some_map(options),
    }
}

pub(crate) fn decode(found: &Found) -> Devices {
    let mapped = found.devices.iter().flatten().map(|device| {
        let permissions = "rwm".chars();
        let own = permissions.filter(|c| device.cgroup_permissions.contains(*c));
        let what = Device {
            source: device.path_on_host.clone(),
            permissions: own.collect(),
        };
        (device.path_in_container.clone(), what)
    });
    let requests = found.device_requests.iter().flatten().map(requested);
    Devices {
        mapped: mapped.collect(),
        requests: requests.collect(),
        rules: sorted(found.device_cgroup_rules.iter().flatten().cloned()),
    }
}

fn requested(found: &Requested) -> DeviceRequest {
    let capabilities = found.capabilities.iter().flatten().flatten();
    DeviceRequest {
        driver: Some(found.driver.clone()).filter(|driver| !driver.is_empty()),
        count: Some(found.count).filter(|n| *n != 0),
        ids: sorted(found.device_ids.iter().flatten().cloned()),
        capabilities: sorted(capabilities.cloned()),
        options: found.options.clone().unwrap_or_default(),
    }
}
