//! What the virtual machine boots: a kernel and the initramfs whose drivers go with it.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::cli::arguments;
use crate::cli::probe::{self, Package};

/// Files of the person's, or of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) kernel: PathBuf,
    pub(super) initramfs: Option<PathBuf>,
}

impl Machine {
    /// What was named, or this machine's own; within it why there is none.
    ///
    /// # Errors
    /// When what was named cannot be read.
    pub(super) fn given(args: &arguments::MeasureHost) -> Result<Result<Self, String>, String> {
        let Some(kernel) = &args.kernel else {
            let release = rustix::system::uname();
            let release = release.release().to_string_lossy();
            return Ok(Self::own(Path::new("/boot"), &release));
        };
        let machine = Self {
            kernel: whole(kernel, "--kernel")?,
            initramfs: match &args.initramfs {
                Some(path) => Some(whole(path, "--initramfs")?),
                None => None,
            },
        };
        Ok(Ok(machine))
    }

    fn own(boot: &Path, release: &str) -> Result<Self, String> {
        let kernel = boot.join(format!("vmlinuz-{release}"));
        let none = |e: io::Error| {
            format!(
                "its kernel is not known: {}: {e}; `--kernel FILE` names one, with `--initramfs FILE` for its drivers",
                kernel.display()
            )
        };
        File::open(&kernel).map_err(none)?;
        let names = [
            format!("initrd.img-{release}"),
            format!("initramfs-{release}.img"),
        ];
        let mut initramfs = names.iter().map(|name| boot.join(name));
        let initramfs = initramfs.find(|path| File::open(path).is_ok());
        Ok(Self { kernel, initramfs })
    }

    /// How much of its initramfs there is, packed.
    pub(super) fn initramfs_bytes(&self) -> u64 {
        let about = self.initramfs.as_ref().map(std::fs::metadata);
        about.and_then(Result::ok).map_or(0, |about| about.len())
    }

    /// Its initramfs, and the probe after it: the kernel unpacks one after the other.
    pub(super) fn pack(&self, package: &Package, to: &mut impl Write) -> io::Result<()> {
        if let Some(path) = &self.initramfs {
            let written = io::copy(&mut File::open(path)?, to)?;
            to.write_all(&[0; 3][..probe::padding(written)])?;
        }
        package.initramfs(to)
    }
}

/// A readable file, by its whole path.
fn whole(path: &Path, option: &str) -> Result<PathBuf, String> {
    let failed = |e: io::Error| format!("`{option} {}`: {e}", path.display());
    if path.is_dir() {
        return Err(format!("`{option} {}` is a folder", path.display()));
    }
    File::open(path).map_err(failed)?;
    std::path::absolute(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_of_its_own_is_what_lies_below_boot() {
        let boot = tempfile::tempdir().unwrap();
        let why = Machine::own(boot.path(), "6.1").unwrap_err();
        assert!(
            why.contains("vmlinuz-6.1") && why.contains("`--kernel FILE`"),
            "{why}"
        );
        let file = |name: &str| {
            let path = boot.path().join(name);
            std::fs::write(&path, "12345").unwrap();
            path
        };
        let kernel = file("vmlinuz-6.1");
        let machine = Machine::own(boot.path(), "6.1").unwrap();
        assert_eq!((machine.initramfs, machine.kernel), (None, kernel.clone()));
        let initramfs = file("initramfs-6.1.img");
        let machine = Machine::own(boot.path(), "6.1").unwrap();
        assert_eq!(machine.initramfs, Some(initramfs));
        assert_eq!(machine.initramfs_bytes(), 5);
        let package = Package::of_this().unwrap();
        let (mut alone, mut both) = (Vec::new(), Vec::new());
        package.initramfs(&mut alone).unwrap();
        machine.pack(&package, &mut both).unwrap();
        assert_eq!(both.len(), 8 + alone.len());
        assert_eq!(&both[..8], b"12345\0\0\0");
    }
}
