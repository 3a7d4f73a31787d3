//! What workloads start from, once on each host that needs it.

use infra_api::target::{ContainerImage, FileVolume, Format, ImageSource, VolumeRef};
use infra_api::{Address, HostName, ImageTag, What, names};
use infra_diag::{Diagnostic, Span};

use super::{FileFacts, Lowering};
use crate::declared::{At, ImageRef, Source};

impl Lowering<'_> {
    /// The reference containers of a host use.
    pub(super) fn container_image(
        &mut self,
        host: &HostName,
        user: &Address,
        image: &At<ImageRef>,
    ) -> Option<String> {
        match &image.value {
            ImageRef::Registry(reference) => {
                self.registry_image(host, user, &ImageTag::new(reference), image.span)
            }
            ImageRef::Declared(address) => {
                let source = self.inputs.declared.images.get(address)?.source.clone();
                match source {
                    Source::Archive(path) => self.archive_image(host, address, &path),
                    Source::Reference(reference) => {
                        self.registry_image(host, address, &reference.value, reference.span)
                    }
                    Source::Disk(_) | Source::Kernel { .. } | Source::Files(_) => {
                        self.wrong_image(
                            image.span,
                            address,
                            "a container",
                            "an image with `archive` or `reference`",
                        );
                        None
                    }
                }
            }
        }
    }

    fn registry_image(
        &mut self,
        host: &HostName,
        address: &Address,
        tag: &ImageTag,
        span: Span,
    ) -> Option<String> {
        let pinned = self.inputs.pinned.get(&(host.clone(), tag.clone()))?;
        let (reference, platform) = (pinned.reference.clone(), pinned.platform.clone());
        let own = format!("{reference} of {platform:?}");
        if self.first(host, &reference) {
            self.first(host, &own);
            let image = ContainerImage {
                reference: reference.clone(),
                sha256: None,
                platform,
            };
            self.push(
                host,
                address,
                What::ContainerImage(image, ImageSource::Registry),
            );
        } else if self.first(host, &own) {
            self.error(
                span,
                "Two platforms of an image",
                &format!("on {host} it is wanted for another platform already"),
                "an engine keeps one platform a reference: write the digest of each platform's own image",
            );
        }
        Some(reference)
    }

    fn archive_image(
        &mut self,
        host: &HostName,
        address: &Address,
        path: &At<String>,
    ) -> Option<String> {
        let file = self.inputs.files.get(&path.value)?.clone();
        let reference = names::image(self.inputs.project, self.made_as(address), &file.sha256);
        if self.first(host, &reference) {
            let image = ContainerImage {
                reference: reference.clone(),
                sha256: Some(file.sha256),
                platform: None,
            };
            self.push(
                host,
                address,
                What::ContainerImage(image, ImageSource::Archive(file.path)),
            );
        }
        Some(reference)
    }

    pub(super) fn wrong_image(&mut self, span: Span, address: &Address, user: &str, wanted: &str) {
        self.diagnostics.push(
            Diagnostic::error("Image of the wrong kind")
                .at(span, format!("{user} cannot start from `{address}`"))
                .hint(format!("use {wanted}")),
        );
    }

    /// A file of the person's as a volume, once on each host. Its content is in its name: another content is another
    /// volume, and who uses the old one can go on until it is changed over.
    pub(super) fn file(
        &mut self,
        host: &HostName,
        address: &Address,
        role: &str,
        path: &At<String>,
    ) -> Option<(VolumeRef, FileFacts)> {
        let file = self.inputs.files.get(&path.value)?.clone();
        let ending = match (role, file.format) {
            ("disk", Format::Qcow2) => ".qcow2",
            ("disk", Format::Raw) => ".raw",
            _ => "",
        };
        let name = format!(
            "{}.{role}.{}{ending}",
            self.derived_name(address),
            &file.sha256[..16]
        );
        let volume = VolumeRef {
            pool: self.pool(host),
            name,
        };
        if self.first(host, &format!("volume {}", volume.name)) {
            let what = FileVolume {
                volume: volume.clone(),
                format: file.format,
                sha256: file.sha256.clone(),
                size_bytes: file.size_bytes,
            };
            self.push(host, address, What::File(what, file.path.clone()));
        }
        Some((volume, file))
    }
}
