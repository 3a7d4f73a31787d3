//! This program and the libraries it is loaded with, as an image of a container and as what is added to an initramfs.
//!
//! All of it lies in one folder of its own, and is started by its own loader: what else is there is of no account.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Where it lies.
pub(in crate::cli) const DIRECTORY: &str = "infra-probe";

/// Files by their names there.
pub(in crate::cli) struct Package {
    files: BTreeMap<String, PathBuf>,
    loader: Option<String>,
}

impl Package {
    /// Of what runs here, as long as no more was loaded than it needs itself.
    pub(in crate::cli) fn of_this() -> io::Result<Self> {
        let own = std::env::current_exe()?;
        let maps = fs::read_to_string("/proc/self/maps")?;
        Ok(Self::of(&own, &maps))
    }

    fn of(own: &Path, maps: &str) -> Self {
        let libraries = mapped(maps).filter(|path| path != own);
        let named = libraries.filter_map(|path| {
            let name = path.file_name()?.to_string_lossy().into_owned();
            Some((name, path))
        });
        let mut files: BTreeMap<String, PathBuf> =
            named.filter(|(name, _)| is_library(name)).collect();
        let loader = files.keys().find(|name| name.starts_with("ld-")).cloned();
        files.insert("infra".to_owned(), own.to_owned());
        Self { files, loader }
    }

    /// What starts it there, its arguments aside.
    pub(in crate::cli) fn command(&self) -> Vec<String> {
        let at = |name: &str| format!("/{DIRECTORY}/{name}");
        let mut words = Vec::new();
        if let Some(loader) = &self.loader {
            words.extend([
                at(loader),
                "--library-path".to_owned(),
                format!("/{DIRECTORY}"),
            ]);
        }
        words.push(at("infra"));
        words
    }

    /// How much it is.
    pub(in crate::cli) fn bytes(&self) -> u64 {
        let files = self.files.values();
        files
            .map(|path| fs::metadata(path).map_or(0, |about| about.len()))
            .sum()
    }

    /// A root file system, as `docker export` writes one.
    pub(in crate::cli) fn archive(&self, to: &mut impl Write) -> io::Result<()> {
        let mut archive = tar::Builder::new(to);
        archive.mode(tar::HeaderMode::Deterministic);
        for (name, path) in &self.files {
            let mut header = tar::Header::new_gnu();
            header.set_size(fs::metadata(path)?.len());
            header.set_mode(0o755);
            header.set_mtime(0);
            archive.append_data(
                &mut header,
                format!("{DIRECTORY}/{name}"),
                fs::File::open(path)?,
            )?;
        }
        archive.finish()
    }

    /// What the kernel unpacks after what is there already (`cpio`, `newc`).
    pub(in crate::cli) fn initramfs(&self, to: &mut impl Write) -> io::Result<()> {
        entry(to, DIRECTORY, (0o040_755, 2), &mut io::empty(), 0)?;
        for (name, path) in &self.files {
            let length = fs::metadata(path)?.len();
            let name = format!("{DIRECTORY}/{name}");
            entry(
                to,
                &name,
                (0o100_755, 1),
                &mut fs::File::open(path)?,
                length,
            )?;
        }
        entry(to, "TRAILER!!!", (0, 1), &mut io::empty(), 0)
    }
}

/// Everything in it begins at a multiple of four.
fn entry(
    to: &mut impl Write,
    name: &str,
    (mode, links): (u32, u32),
    content: &mut impl Read,
    length: u64,
) -> io::Result<()> {
    let too_large = |_| {
        io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("{name} has 4 GiB or more"),
        )
    };
    let size = u32::try_from(length).map_err(too_large)?;
    let head = |name_length: usize| {
        // Number of the file, mode, user, group, links, time, size, device (two and two), length of the name, sum.
        let numbers = [0, mode, 0, 0, links, 0, size, 0, 0, 0, 0];
        let numbers: String = numbers.iter().map(|n| format!("{n:08X}")).collect();
        format!("070701{numbers}{name_length:08X}00000000{name}\0")
    };
    let head = head(name.len() + 1);
    to.write_all(head.as_bytes())?;
    to.write_all(&[0; 3][..padding(head.len() as u64)])?;
    let written = io::copy(&mut content.by_ref().take(length), to)?;
    if written != length {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("{name} became shorter"),
        ));
    }
    to.write_all(&[0; 3][..padding(length)])
}

/// Up to the next multiple of four.
pub(in crate::cli) fn padding(length: u64) -> usize {
    // Below four.
    #[allow(clippy::cast_possible_truncation)]
    let padding = (length.next_multiple_of(4) - length) as usize;
    padding
}

/// The files that a process has in its memory, each once for each piece.
fn mapped(maps: &str) -> impl Iterator<Item = PathBuf> {
    let paths = maps
        .lines()
        .filter_map(|line| Some(line.split_at(line.find('/')?).1));
    paths.map(PathBuf::from)
}

fn is_library(name: &str) -> bool {
    name.ends_with(".so") || name.contains(".so.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
55d0-55d1 r--p 00000000 fe:00 123 /opt/my tools/infra
7f00-7f01 r--p 00000000 fe:00 124 /usr/lib/x/libc.so.6
7f01-7f02 r-xp 00001000 fe:00 124 /usr/lib/x/libc.so.6
7f03-7f04 r--p 00000000 fe:00 125 /usr/lib/x/ld-linux-x86-64.so.2
7f05-7f06 r--p 00000000 fe:00 126 /usr/lib/locale/locale-archive
7f07-7f08 rw-p 00000000 00:00 0
7ffe-7fff r-xp 00000000 00:00 0 [vdso]
";

    #[test]
    fn it_is_the_program_and_its_libraries() {
        let package = Package::of(Path::new("/opt/my tools/infra"), MAPS);
        let names: Vec<&str> = package.files.keys().map(String::as_str).collect();
        assert_eq!(names, ["infra", "ld-linux-x86-64.so.2", "libc.so.6"]);
        let command =
            "/infra-probe/ld-linux-x86-64.so.2 --library-path /infra-probe /infra-probe/infra";
        assert_eq!(package.command().join(" "), command);
    }

    #[test]
    fn a_program_without_libraries_is_started_by_itself() {
        let package = Package::of(Path::new("/bin/infra"), "");
        assert_eq!(package.command(), ["/infra-probe/infra"]);
    }

    #[test]
    fn entries_are_as_the_kernel_reads_them() {
        let mut written = Vec::new();
        entry(&mut written, "a", (0o100_755, 1), &mut &b"12345"[..], 5).unwrap();
        let text = String::from_utf8(written).unwrap();
        let head = "07070100000000000081ED00000000000000000000000100000000000000050000000000000000000000000000000000000002\
                    00000000a\0";
        assert_eq!(text, format!("{head}12345\0\0\0"));
        let mut short = &b"1"[..];
        assert!(entry(&mut Vec::new(), "a", (0, 1), &mut short, 5).is_err());
    }

    #[test]
    fn what_runs_here_can_be_packed() {
        let package = Package::of_this().unwrap();
        let (mut archive, mut initramfs) = (Vec::new(), Vec::new());
        package.archive(&mut archive).unwrap();
        package.initramfs(&mut initramfs).unwrap();
        let mut archive = tar::Archive::new(&archive[..]);
        let files = archive
            .entries()
            .unwrap()
            .map(|file| file.unwrap().header().size().unwrap());
        assert_eq!(files.sum::<u64>(), package.bytes());
        assert_eq!(initramfs.len() % 4, 0);
        assert!(initramfs.len() as u64 > package.bytes());
    }
}
