//! The virtual disks that are made: a workload's own, and declared volumes with what they begin as.

use std::path::PathBuf;

use infra_api::target::{Allocation, DiskVolume, Format, Original, VolumeRef};
use infra_api::units::Bytes;
use infra_api::{Address, HostName, What};
use infra_diag::Span;

use super::Lowering;
use super::machine::SECTOR;
use crate::declared::{At, Source, Storage};

/// What LVM gives room by, where nobody has chosen larger ones.
const EXTENT: u64 = 4 << 20;

/// What is called so stands beside a volume and says whose it is.
const MARKS: &str = ".infra";

/// A disk to be made, as declared.
pub(super) struct Made<'a> {
    pub(super) address: &'a Address,
    pub(super) name: String,
    /// The name is the volume's own, as a person wrote it, with no ending of ours.
    pub(super) whole: bool,
    pub(super) storage: &'a Storage,
    pub(super) size: Option<&'a At<u64>>,
    /// Who asks for it.
    pub(super) span: Span,
}

/// What a disk begins as.
struct Begun {
    original: Original,
    format: Format,
    /// What a guest sees of it.
    bytes: u64,
    source: Option<PathBuf>,
}

impl Lowering<'_> {
    /// A declared volume on a host, made once there.
    pub(super) fn declared_volume(
        &mut self,
        host: &HostName,
        address: &Address,
        user: Span,
    ) -> Option<(VolumeRef, Format)> {
        let inputs = self.inputs;
        let declared = inputs.declared.volumes.get(address)?;
        let made = Made {
            address,
            name: self.name(address),
            whole: inputs.declared.names.contains_key(address),
            storage: &declared.storage,
            size: declared.size_bytes.as_ref(),
            span: user,
        };
        self.virtual_disk(host, made)
    }

    pub(super) fn virtual_disk(
        &mut self,
        host: &HostName,
        made: Made<'_>,
    ) -> Option<(VolumeRef, Format)> {
        let storage = made.storage;
        let begun = match &storage.copy_of {
            Some(original) => Some(self.begun(host, original)?),
            None => None,
        };
        let home = self.home(host, storage.pool.as_ref())?;
        let format = self.format(storage, begun.as_ref(), home.logical);
        let volume = VolumeRef {
            pool: home.pool,
            name: match made.whole {
                true => made.name.clone(),
                false => format!("{}.{}", made.name, ending(format)),
            },
        };
        if volume.name.ends_with(MARKS) {
            let text = format!("names that end in `{MARKS}` are marks of other volumes");
            self.error(made.span, "Name of a mark", &text, "write another `name`");
        }
        let key = (host.clone(), volume.clone());
        if self.disks.contains_key(&key) {
            return Some((volume, format));
        }
        let unit = if home.logical { EXTENT } else { SECTOR };
        let capacity_bytes = self.capacity(&made, begun.as_ref(), unit)?;
        self.disks.insert(key, capacity_bytes);
        let allocation = match home.logical {
            true => self.all_of_it(storage),
            false => self.allocation(storage, format, begun.as_ref()),
        };
        let (copy_of, source) = begun.map(|b| (b.original, b.source)).unzip();
        let what = DiskVolume {
            volume: volume.clone(),
            format,
            capacity_bytes,
            backing: None,
            backing_format: None,
            allocation,
            copy_of,
        };
        self.push(host, made.address, What::Disk(what, source.flatten()));
        Some((volume, format))
    }

    /// A volume that is copied is made too, whoever else uses it.
    fn begun(&mut self, host: &HostName, original: &At<Address>) -> Option<Begun> {
        let inputs = self.inputs;
        let address = &original.value;
        let Some(image) = inputs.declared.images.get(address) else {
            let (volume, format) = self.declared_volume(host, address, original.span)?;
            let bytes = *self.disks.get(&(host.clone(), volume.clone()))?;
            return Some(Begun {
                original: Original::Volume(volume),
                format,
                bytes,
                source: None,
            });
        };
        let Source::Disk(path) = &image.source else {
            self.wrong_image(original.span, address, "a copy", "an image with `disk`");
            return None;
        };
        let file = inputs.files.get(&path.value)?;
        Some(Begun {
            original: Original::File {
                sha256: file.sha256.clone(),
                size_bytes: file.size_bytes,
            },
            format: file.format,
            bytes: file.virtual_bytes,
            source: Some(file.path.clone()),
        })
    }

    /// A logical volume is bytes and nothing else.
    fn raw(&mut self, storage: &Storage, begun: Option<&Begun>) -> Format {
        let is_qcow2 = |format: &Format| *format == Format::Qcow2;
        let written = storage.format.as_ref().filter(|f| is_qcow2(&f.value));
        if let Some(written) = written {
            let text = "a logical volume of LVM is raw";
            let hint = "leave `format` out";
            self.error(written.span, "Logical volume in a format", text, hint);
        }
        let uploaded = begun.filter(|b| b.source.is_some() && is_qcow2(&b.format));
        if let (Some(_), Some(original)) = (uploaded, &storage.copy_of) {
            let text = "the image is qcow2, and a logical volume of LVM is raw";
            let hint = "convert the file: `qemu-img convert -O raw FILE NEW`";
            self.error(original.span, "Copy in another format", text, hint);
        }
        Format::Raw
    }

    fn all_of_it(&mut self, storage: &Storage) -> Allocation {
        let written = storage.allocation.as_ref();
        if let Some(written) = written.filter(|a| a.value != Allocation::Full) {
            let text = "a logical volume of LVM has all of its space";
            let hint = "leave `allocation` out";
            self.error(written.span, "Sparse logical volume", text, hint);
        }
        Allocation::Full
    }

    fn format(&mut self, storage: &Storage, begun: Option<&Begun>, logical: bool) -> Format {
        if logical {
            return self.raw(storage, begun);
        }
        let Some(begun) = begun else {
            return storage.format.as_ref().map_or(Format::Qcow2, |f| f.value);
        };
        let Some(written) = &storage.format else {
            return begun.format;
        };
        let uploaded = matches!(begun.original, Original::File { .. });
        if uploaded && written.value != begun.format {
            let is = ending(begun.format);
            let hint = format!(
                "leave `format` out, or convert the file: `qemu-img convert -O {} FILE NEW`",
                ending(written.value)
            );
            let text = format!("the image is {is}, and goes into the disk as it is");
            self.error(written.span, "Copy in another format", &text, &hint);
        }
        written.value
    }

    /// As written, else as large as what it begins as.
    fn capacity(&mut self, made: &Made<'_>, begun: Option<&Begun>, unit: u64) -> Option<u64> {
        let Some(size) = made.size else {
            if begun.is_none() {
                self.error(
                    made.span,
                    "Disk without a size",
                    "a virtual disk needs to be told its size",
                    "write `size = \"…\"`",
                );
            }
            let whole = |bytes: u64| bytes.checked_next_multiple_of(unit).unwrap_or(bytes);
            return begun.map(|begun| whole(begun.bytes));
        };
        match unit {
            SECTOR => self.whole_sectors(size),
            _ => self.whole_extents(size),
        }
        if let Some(begun) = begun.filter(|begun| begun.bytes > size.value) {
            let text = format!("its original is {} large", Bytes(begun.bytes));
            let hint = "make it larger: a disk cannot be cut";
            self.error(size.span, "Copy smaller than its original", &text, hint);
        }
        Some(size.value)
    }

    fn whole_extents(&mut self, size: &At<u64>) {
        if !size.value.is_multiple_of(EXTENT) {
            let text =
                "a logical volume is a whole number of its group's extents, of 4 MiB or more";
            self.error(size.span, "Uneven disk", text, "round it to whole 4 MiB");
        }
    }

    /// What libvirt can reserve: it converts and sends a qcow2 as it comes.
    fn allocation(
        &mut self,
        storage: &Storage,
        format: Format,
        begun: Option<&Begun>,
    ) -> Allocation {
        let Some(written) = &storage.allocation else {
            return Allocation::Sparse;
        };
        let raw = |begun: &Begun| begun.format == Format::Raw && format == Format::Raw;
        if written.value != Allocation::Sparse && begun.is_some_and(|begun| !raw(begun)) {
            self.error(
                written.span,
                "Reserved copy of a qcow2",
                "of a copy that is or was a qcow2 libvirt reserves nothing",
                "leave `allocation` out, or copy a raw original into a raw disk",
            );
        }
        written.value
    }
}

fn ending(format: Format) -> &'static str {
    match format {
        Format::Raw => "raw",
        Format::Qcow2 => "qcow2",
    }
}
