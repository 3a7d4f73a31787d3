//! What stands around processes on the metal, once on each host that needs it: slices, and file systems that are mounted.

use std::collections::BTreeMap;

use infra_api::target::{HostMount, Slice};
use infra_api::{HostName, Placement, ResourceId, What, names};

use super::Lowering;
use crate::declared::{BareMetal, Workload};

impl Lowering<'_> {
    /// The slice that it is in, which is wanted on its host.
    pub(super) fn slice(&mut self, host: &HostName, form: &BareMetal) -> Option<String> {
        let address = &form.slice.as_ref()?.value;
        let declared = self.inputs.declared.slices.get(address)?;
        let name = names::slice(&self.derived_name(address));
        if self.first(host, &format!("slice {name}")) {
            let slice = Slice {
                name: name.clone(),
                limits: declared.limits.clone(),
                others: BTreeMap::new(),
            };
            self.push(host, address, What::Slice(slice));
        }
        Some(name)
    }

    /// Paths, and the names of what is mounted there.
    pub(super) fn host_mounts(
        &mut self,
        workload: &Workload,
        placement: &Placement,
        form: &BareMetal,
    ) -> BTreeMap<String, String> {
        let (host, address) = (&placement.host, &workload.address);
        let mut mounts = BTreeMap::new();
        for (path, written) in &form.mounts {
            let (span, mounted) = (written.span, &written.value);
            let mount = HostMount {
                name: names::unit_of(path),
                path: path.clone(),
                state: "mounted".to_owned(),
                source: mounted.source.clone(),
                kind: mounted.kind.clone(),
                options: mounted.options.clone(),
                others: BTreeMap::new(),
            };
            mounts.insert(path.clone(), mount.name.clone());
            let key = (host.clone(), path.clone());
            match self.mounts.get(&key).cloned() {
                None => {
                    self.mounts.insert(key, (mount.clone(), address.clone()));
                    self.push(host, address, What::HostMount(mount));
                }
                Some((other, first)) if other != mount => self.error(
                    span,
                    "Two mounts at one path",
                    &format!("on {host} `{first}` has another one at {path}"),
                    "write the same of it in both, or mount it at another path",
                ),
                Some(_) => {}
            }
        }
        mounts
    }
}

/// Their ids.
pub(super) fn ids(
    host: &HostName,
    slice: Option<&String>,
    mounts: &BTreeMap<String, String>,
) -> Vec<ResourceId> {
    let id = |kind, name: &String| ResourceId::new(host, "systemd", kind, name);
    let mounts = mounts.values().map(|name| id("mount", name));
    mounts.chain(slice.map(|name| id("slice", name))).collect()
}
