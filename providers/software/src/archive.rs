//! Whether a file is a tar archive that can be unpacked on a host, and nowhere but in its own folder.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use tar::{Archive, Entry, EntryType};

/// What to do about one that is not, for who is told.
pub const UNPACKS: &str =
    "make it with `tar -czf FILE.tar.gz -C FOLDER .`: files, folders and links, all inside of it";

/// How compressed files begin, and who decompresses them.
const COMPRESSED: [(&[u8], &str); 3] = [
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
];

/// Reads all of its entries. What is compressed in a way that nothing on this machine decompresses is taken unseen: the
/// host's own tar sees it before anything is changed there.
///
/// # Errors
/// In words that follow the file's name.
pub fn check_archive(file: &mut File) -> Result<(), String> {
    let mut head = [0; 8];
    let rewound = file.seek(SeekFrom::Start(0));
    let read = rewound.and_then(|_| file.take(8).read(&mut head));
    let read = read.map_err(|error| error.to_string())?;
    file.seek(SeekFrom::Start(0))
        .map_err(|error| error.to_string())?;
    let mut kinds = COMPRESSED.iter();
    match kinds.find(|(magic, _)| head[..read].starts_with(magic)) {
        None => entries(&mut *file),
        Some((_, program)) => match decompressing(program, file) {
            Ok((child, output)) => through(program, child, output),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(format!("`{program}` does not run: {error}")),
        },
    }
}

fn decompressing(program: &str, file: &File) -> std::io::Result<(Child, ChildStdout)> {
    let mut child = Command::new(program)
        .arg("-dc")
        .stdin(file.try_clone()?)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let output = child.stdout.take();
    let output = output.ok_or_else(|| std::io::Error::other("it has no output"))?;
    Ok((child, output))
}

/// The archive as `child` writes it: what it says itself of a damaged file is worth more than what is missing then.
fn through(program: &str, mut child: Child, mut output: ChildStdout) -> Result<(), String> {
    let checked = entries(&mut output);
    // Behind the archive's end there may be more, which must be whole too.
    let rest = match &checked {
        Ok(()) => std::io::copy(&mut output, &mut std::io::sink()).is_ok(),
        Err(_) => false,
    };
    drop(output);
    let ended = child.wait().map_err(|error| error.to_string())?;
    match (checked, rest && !ended.success()) {
        (Ok(()), true) => Err(format!("`{program}` cannot decompress it: it is damaged")),
        (checked, _) => checked,
    }
}

fn entries(file: &mut impl Read) -> Result<(), String> {
    let damaged =
        |error: std::io::Error| format!("it is no tar archive, or is damaged or cut off: {error}");
    let mut links = BTreeSet::new();
    let mut archive = Archive::new(file);
    let mut any = false;
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        any = true;
        stays_inside(&entry, &mut links)?;
        // Its content is there.
        std::io::copy(&mut entry, &mut std::io::sink()).map_err(damaged)?;
    }
    match any {
        true => Ok(()),
        false => Err("nothing is in it".to_owned()),
    }
}

/// A symbolic link may point anywhere: it is followed when what runs reads it, if at all. Nothing is unpacked through one.
fn stays_inside(entry: &Entry<'_, impl Read>, links: &mut BTreeSet<PathBuf>) -> Result<(), String> {
    let path = entry.path().map_err(|error| error.to_string())?;
    let plain = plain(&path);
    let Some(plain) = plain else {
        return Err(format!("its entry {path:?} is no path inside the archive"));
    };
    if let Some(link) = plain.ancestors().skip(1).find(|at| links.contains(*at)) {
        return Err(format!(
            "its entry {path:?} would be unpacked through the link {link:?}"
        ));
    }
    match entry.header().entry_type() {
        EntryType::Symlink => drop(links.insert(plain)),
        EntryType::Link => {
            let target = entry.link_name().map_err(|error| error.to_string())?;
            let target = target.unwrap_or_default();
            if self::plain(&target).is_none() {
                return Err(format!(
                    "its entry {path:?} is a hard link to {target:?}, which is no path inside the archive"
                ));
            }
        }
        EntryType::Char | EntryType::Block | EntryType::Fifo => {
            return Err(format!("its entry {path:?} is a device or a pipe"));
        }
        _ => {}
    }
    Ok(())
}

/// Without what only says "here"; nothing where it leads out.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => plain.push(name),
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tar::{Builder, Header};

    use super::*;

    /// Names as they are written, whatever they are.
    fn archive(entries: &[(EntryType, &str, &str)]) -> Vec<u8> {
        let mut archive = Builder::new(Vec::new());
        for (kind, name, link) in entries {
            let mut header = Header::new_gnu();
            header.set_entry_type(*kind);
            let text: &[u8] = match kind {
                EntryType::Regular => b"text",
                _ => b"",
            };
            header.set_size(text.len() as u64);
            header.set_mode(0o755);
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
            header.set_cksum();
            archive.append(&header, text).unwrap();
        }
        archive.into_inner().unwrap()
    }

    fn check(bytes: &[u8]) -> Result<(), String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        check_archive(&mut file)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let packed = Command::new("gzip").arg("-c").arg(file.path()).output();
        packed.unwrap().stdout
    }

    #[test]
    fn what_stays_inside_is_taken() {
        let good = archive(&[
            (EntryType::Directory, "./", ""),
            (EntryType::Regular, "./bin/feed", ""),
            (EntryType::Symlink, "etc", "/etc/feed"),
            (EntryType::Link, "bin/other", "bin/feed"),
        ]);
        assert_eq!(check(&good), Ok(()));
        assert_eq!(check(&gzip(&good)), Ok(()));
    }

    #[test]
    fn what_leads_out_is_not() {
        let file = EntryType::Regular;
        for (entries, why) in [
            (&[(file, "../x", "")][..], "no path inside"),
            (&[(file, "a/../../x", "")], "no path inside"),
            (&[(file, "/etc/x", "")], "no path inside"),
            (
                &[(EntryType::Link, "x", "/etc/passwd")],
                "hard link to \"/etc/passwd\"",
            ),
            (
                &[(EntryType::Symlink, "a", "/etc"), (file, "a/x", "")],
                "through the link \"a\"",
            ),
            (&[(EntryType::Char, "x", "")], "a device or a pipe"),
            (&[], "nothing is in it"),
        ] {
            let bytes = archive(entries);
            for bytes in [gzip(&bytes), bytes] {
                let said = check(&bytes).unwrap_err();
                assert!(said.contains(why), "{said}");
            }
        }
    }

    #[test]
    fn what_is_damaged_is_not() {
        let good = archive(&[(EntryType::Regular, "a", ""), (EntryType::Regular, "b", "")]);
        let packed = gzip(&good);
        for bytes in [
            &b"text that is no archive"[..],
            &good[..1400],
            &packed[..packed.len() - 9],
            b"",
        ] {
            assert!(check(bytes).is_err(), "{}", bytes.len());
        }
    }
}
