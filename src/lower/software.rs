//! What a process on the metal runs from, once on each host that needs it.

use infra_api::target::{Package, UnpackedFiles};
use infra_api::{Placement, ResourceId, What};

use super::Lowering;
use crate::declared::{BareMetal, Source, Workload};

/// Of a unit.
pub(super) struct RunsFrom {
    /// The name of its files.
    pub(super) current: Option<String>,
    pub(super) ids: Vec<ResourceId>,
}

impl Lowering<'_> {
    /// Nothing where its image is of another kind, or is not there.
    pub(super) fn runs_from(
        &mut self,
        workload: &Workload,
        placement: &Placement,
        form: &BareMetal,
    ) -> Option<RunsFrom> {
        let mut ids = self.packages(workload, placement, form);
        let Some(image) = &form.software.image else {
            return Some(RunsFrom { current: None, ids });
        };
        let (host, address) = (&placement.host, &image.value);
        let Source::Files(path) = self.inputs.declared.images.get(address)?.source.clone() else {
            let wanted = "an image with `files`";
            self.wrong_image(image.span, address, "a process on the metal", wanted);
            return None;
        };
        let file = self.inputs.files.get(&path.value)?.clone();
        // Its content is in its name: another content is unpacked beside it.
        let name = format!("{}/{}", self.derived_name(address), &file.sha256[..16]);
        ids.push(ResourceId::new(host, "software", "files", &name));
        let current = Some(name.clone());
        if self.first(host, &format!("files {name}")) {
            let files = UnpackedFiles {
                name,
                sha256: file.sha256,
            };
            self.push(host, address, What::UnpackedFiles(files, file.path));
        }
        Some(RunsFrom { current, ids })
    }

    fn packages(
        &mut self,
        workload: &Workload,
        placement: &Placement,
        form: &BareMetal,
    ) -> Vec<ResourceId> {
        let (host, address) = (&placement.host, &workload.address);
        let mut ids = Vec::new();
        for (name, version) in &form.software.packages {
            ids.push(ResourceId::new(host, "software", "package", name));
            let key = (host.clone(), name.clone());
            match self.packages.get(&key).cloned() {
                None => {
                    let first = (version.clone(), address.clone());
                    self.packages.insert(key, first);
                    let (name, version) = (name.clone(), version.clone());
                    self.push(host, address, What::Package(Package { name, version }));
                }
                Some((other, first)) if other != *version => self.error(
                    form.software.span.unwrap_or(form.span),
                    "Two versions of a package",
                    &format!("on {host} `{first}` has {name} {other}, and this one {version}"),
                    "write one version, or name another host for one of the two",
                ),
                Some(_) => {}
            }
        }
        ids
    }
}
