//! What a machine starts from: a kernel of its own, or a disk made from an image.

use infra_api::target::{Allocation, Boot, DiskVolume, Format, MachineDisk, VolumeRef};
use infra_api::{Address, Placement, What};

use super::{FileFacts, Lowering};
use crate::declared::{At, Kvm, KvmImage, Source, Workload};

/// What is booted.
pub(super) struct Booted {
    pub(super) boot: Boot,
    /// The disk that was made from the image, if the image is a disk's.
    pub(super) disk: Option<MachineDisk>,
}

impl Lowering<'_> {
    pub(super) fn boot(
        &mut self,
        workload: &Workload,
        placement: &Placement,
        form: &Kvm,
    ) -> Option<Booted> {
        let Some(image) = &form.image else {
            return self.without_image(workload, form);
        };
        let address = image.value.clone();
        match self.inputs.declared.images.get(&address)?.source.clone() {
            Source::Kernel { kernel, initramfs } => {
                self.kernel(placement, (form, image), &kernel, initramfs.as_ref())
            }
            Source::Disk(path) => self.disk_image(workload, placement, (form, image), &path),
            Source::Archive(_) | Source::Reference(_) | Source::Files(_) => {
                let wanted = "an image with `disk` or `kernel`";
                self.wrong_image(image.span, &address, "a virtual machine", wanted);
                None
            }
        }
    }

    /// What its own disks and drives hold.
    fn without_image(&mut self, workload: &Workload, form: &Kvm) -> Option<Booted> {
        for (written, name) in [
            (form.root_size_bytes.as_ref().map(|s| s.span), "root_size"),
            (form.root_pool.as_ref().map(|p| p.span), "root_pool"),
            (form.cmdline.as_ref().map(|_| form.span), "cmdline"),
        ] {
            if let Some(span) = written {
                let text = format!("without an image `{name}` is of nothing");
                self.error(
                    span,
                    "Machine without an image",
                    &text,
                    "leave it out, or write `image`",
                );
            }
        }
        if workload.disks.is_empty() && form.cdroms.is_empty() {
            let hint = "write `image`, a `disk` block, or a `cdrom` block";
            self.error(
                form.span,
                "Machine with nothing to boot",
                "it has no image, disk or drive",
                hint,
            );
        }
        Some(Booted {
            boot: Boot::Disk,
            disk: None,
        })
    }

    fn kernel(
        &mut self,
        placement: &Placement,
        (form, image): (&Kvm, &KvmImage),
        kernel: &At<String>,
        initramfs: Option<&At<String>>,
    ) -> Option<Booted> {
        let size = form.root_size_bytes.as_ref().map(|size| size.span);
        if let Some(span) = size.or(form.root_pool.as_ref().map(|pool| pool.span)) {
            self.error(
                span,
                "Root size without a disk image",
                "a kernel image has no disk",
                "declare a `disk` block, or leave it out",
            );
        }
        let (host, image) = (&placement.host, &image.value);
        let (kernel, _) = self.file(host, image, "kernel", kernel)?;
        let initramfs = match initramfs {
            Some(path) => Some(self.file(host, image, "initramfs", path)?.0),
            None => None,
        };
        let cmdline = form.cmdline.clone();
        Some(Booted {
            boot: Boot::Kernel {
                kernel,
                initramfs,
                cmdline,
            },
            disk: None,
        })
    }

    fn disk_image(
        &mut self,
        workload: &Workload,
        placement: &Placement,
        (form, image): (&Kvm, &KvmImage),
        path: &At<String>,
    ) -> Option<Booted> {
        if form.cmdline.is_some() {
            self.error(
                form.span,
                "Command line without a kernel image",
                "what a disk boots brings its own",
                "use an image with `kernel`, or leave `cmdline` out",
            );
        }
        let (backing, file) = self.file(&placement.host, &image.value, "disk", path)?;
        let capacity_bytes = self.root_size(form, &file);
        let home = self.home(&placement.host, form.root_pool.as_ref())?;
        if let Some(pool) = form.root_pool.as_ref().filter(|_| home.logical) {
            self.error(
                pool.span,
                "Disk over an image in a volume group",
                "a logical volume is raw: it cannot lie over the image",
                "declare a `disk` block with `copy_of` there, and leave the machine's `image` out",
            );
        }
        let volume = VolumeRef {
            pool: home.pool,
            name: format!("{}.qcow2", self.part_name(&workload.address, "boot")),
        };
        let what = DiskVolume {
            volume: volume.clone(),
            format: Format::Qcow2,
            capacity_bytes,
            backing: Some(backing),
            backing_format: Some(file.format),
            allocation: Allocation::Sparse,
            copy_of: None,
        };
        let address: &Address = &workload.address;
        self.push(&placement.host, address, What::Disk(what, None));
        let disk = MachineDisk::new(volume, Format::Qcow2, false);
        Some(Booted {
            boot: Boot::Disk,
            disk: Some(disk),
        })
    }

    /// As written, else the image's own.
    fn root_size(&mut self, form: &Kvm, file: &FileFacts) -> u64 {
        let Some(size) = &form.root_size_bytes else {
            return file.virtual_bytes;
        };
        self.whole_sectors(size);
        if size.value < file.virtual_bytes {
            self.error(
                size.span,
                "Root size below the image's",
                &format!("the image is {} bytes large", file.virtual_bytes),
                "make it larger: a disk cannot be cut",
            );
        }
        size.value
    }
}
