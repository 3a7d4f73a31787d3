//! The person's image files: there, whole, and what the plan needs to know of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::time::SystemTime;

use infra_api::names;
use infra_api::target::Format;
use infra_diag::{Diagnostic, Diagnostics};
use sha2::{Digest, Sha256};

use super::Folder;
use super::digests::{Digests, Form, Stamp};
use crate::declared::{At, Declared, Source};
use crate::lower::FileFacts;

/// By the path as written.
pub type ImageFiles = BTreeMap<String, FileFacts>;

/// What a qcow2 image begins with.
const QCOW2_MAGIC: [u8; 4] = *b"QFI\xfb";
/// Where its version stands, as 4 bytes, the highest first like all its numbers.
const QCOW2_VERSION_AT: usize = 4;
/// Where the name of the file it lies over stands in it, as 8 bytes; 0: it lies over none.
const QCOW2_BACKING_AT: usize = 8;
/// Where its virtual size stands, as 8 bytes.
const QCOW2_SIZE_AT: usize = 24;
/// From version 3 on: what a reader must understand, as 8 bytes of flags.
const QCOW2_FEATURES_AT: usize = 72;
/// Of these: its content is in another file.
const QCOW2_DATA_ELSEWHERE: u64 = 1 << 2;
/// Of a file, all that tells its format.
const HEAD: u64 = 512;
/// What stays in the processor's cache between reading and hashing.
const BLOCK: usize = 128 << 10;

/// Reads every file that an image names, but for what is known of it by `cache`. What is missing or cut off is an error at
/// its place.
#[must_use]
pub fn read(
    declared: &Declared,
    folder: &Folder,
    cache: Option<&Path>,
) -> (ImageFiles, Diagnostics) {
    if declared.images.is_empty() {
        return <_>::default();
    }
    let mut digests = Digests::read(cache);
    let mut files = ImageFiles::new();
    let mut diagnostics = Diagnostics::new();
    // What is a kernel to one image may be no archive to another.
    let mut looked = BTreeSet::new();
    for image in declared.images.values() {
        let form = match image.source {
            Source::Archive(_) => Form::Image,
            Source::Files(_) => Form::Files,
            Source::Disk(_) | Source::Kernel { .. } | Source::Reference(_) => Form::Any,
        };
        for written in image.source.files() {
            if !looked.insert((&written.value, form)) {
                continue;
            }
            match look(&folder.path(&written.value), form, &mut digests) {
                Ok(facts) => {
                    files.insert(written.value.clone(), facts);
                }
                Err(trouble) => diagnostics.push(unusable(written, &trouble)),
            }
        }
    }
    digests.write();
    (files, diagnostics)
}

/// Why a file cannot be used.
enum Trouble {
    /// It is missing, damaged or something else.
    Unreadable(String),
    /// No engine would load it.
    Unloadable(String),
    /// No host would unpack it.
    Unpackable(String),
    /// It is a part of an image: the rest is in a file that it names.
    InParts(&'static str),
}

impl From<String> for Trouble {
    fn from(why: String) -> Self {
        Self::Unreadable(why)
    }
}

fn unusable(written: &At<String>, trouble: &Trouble) -> Diagnostic {
    let path = &written.value;
    let (why, hint) = match trouble {
        Trouble::Unreadable(why) => (
            why.as_str(),
            "make or copy the file again; paths are relative to the configuration's folder".into(),
        ),
        Trouble::Unloadable(why) => (why.as_str(), infra_docker::ARCHIVE.to_owned()),
        Trouble::Unpackable(why) => (why.as_str(), infra_software::UNPACKS.to_owned()),
        Trouble::InParts(why) => (
            *why,
            format!("make one whole file of them: `qemu-img convert -O qcow2 {path} NEW.qcow2`"),
        ),
    };
    Diagnostic::error("Unusable image file")
        .at(written.span, format!("`{path}`: {why}"))
        .hint(hint)
}

fn look(path: &Path, form: Form, digests: &mut Digests) -> Result<FileFacts, Trouble> {
    let mut file = File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => e.to_string(),
    })?;
    let meta = file.metadata().map_err(|e| e.to_string())?;
    if !meta.is_file() {
        return Err("it is not a file".to_owned().into());
    }
    let whole = std::path::absolute(path).map_err(|e| e.to_string())?;
    let (now, before) = (SystemTime::now(), Stamp::of(&meta));
    let head = head(&mut file).map_err(|e| e.to_string())?;
    let sha256 = match digests.of(&whole, &before, form) {
        Some(sha256) => sha256,
        None => {
            let sha256 = digest(&mut file).map_err(|e| e.to_string())?;
            match form {
                Form::Image => {
                    infra_docker::check_archive(&mut file).map_err(Trouble::Unloadable)?;
                }
                Form::Files => {
                    infra_software::check_archive(&mut file).map_err(Trouble::Unpackable)?;
                }
                Form::Any => {}
            }
            let after = Stamp::of(&file.metadata().map_err(|e| e.to_string())?);
            digests.keep(&whole, (&before, &after), (&sha256, form), now);
            sha256
        }
    };
    let format = if head.starts_with(&QCOW2_MAGIC) {
        Format::Qcow2
    } else {
        Format::Raw
    };
    let virtual_bytes = match format {
        Format::Qcow2 => whole_qcow2(&head)?,
        Format::Raw => meta.len(),
    };
    Ok(FileFacts {
        path: whole,
        sha256,
        size_bytes: meta.len(),
        format,
        virtual_bytes,
    })
}

/// A file's first bytes.
fn head(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

/// The digest of the whole file.
fn digest(file: &mut File) -> std::io::Result<String> {
    file.rewind()?;
    let mut hash = Sha256::new();
    let mut block = vec![0; BLOCK];
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            return Ok(names::hex(&hash.finalize()));
        }
        hash.update(&block[..read]);
    }
}

/// The virtual size of an image that is whole in itself. One that names other files would have QEMU open them where
/// it runs: whatever has that name on the host, and never what was meant.
fn whole_qcow2(head: &[u8]) -> Result<u64, Trouble> {
    let cut_off = || "it begins as a qcow2 image and is cut off".to_owned();
    let virtual_bytes = number(head, QCOW2_SIZE_AT).ok_or_else(cut_off)?;
    if number(head, QCOW2_BACKING_AT) != Some(0) {
        return Err(Trouble::InParts(
            "it lies over another file, its backing file",
        ));
    }
    // Version 2 has no flags: what stands there is content.
    let features = match head.get(QCOW2_VERSION_AT..QCOW2_BACKING_AT) {
        Some([0, 0, 0, 2]) => 0,
        _ => number(head, QCOW2_FEATURES_AT).ok_or_else(cut_off)?,
    };
    if features & QCOW2_DATA_ELSEWHERE != 0 {
        return Err(Trouble::InParts(
            "its content is in another file, its data file",
        ));
    }
    Ok(virtual_bytes)
}

fn number(head: &[u8], at: usize) -> Option<u64> {
    let bytes = head.get(at..at + 8)?.try_into().ok()?;
    Some(u64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(version: u32, backing: u64, features: u64) -> Vec<u8> {
        let mut head = vec![0; 104];
        head[..4].copy_from_slice(&QCOW2_MAGIC);
        head[4..8].copy_from_slice(&version.to_be_bytes());
        head[8..16].copy_from_slice(&backing.to_be_bytes());
        head[24..32].copy_from_slice(&(1_u64 << 30).to_be_bytes());
        head[72..80].copy_from_slice(&features.to_be_bytes());
        head
    }

    #[test]
    fn only_a_whole_image_is_taken() {
        let size = |head: &[u8]| whole_qcow2(head).ok();
        assert_eq!(size(&image(3, 0, 0)), Some(1 << 30));
        // It was not closed; its compression is another.
        assert_eq!(size(&image(3, 0, 0b1001)), Some(1 << 30));
        assert_eq!(size(&image(2, 0, QCOW2_DATA_ELSEWHERE)), Some(1 << 30));
        assert_eq!(size(&image(2, 0, 0)[..72]), Some(1 << 30));
        assert_eq!(size(&image(3, 0, QCOW2_DATA_ELSEWHERE)), None);
        assert_eq!(size(&image(3, 112, 0)), None);
        assert_eq!(size(&image(2, 112, 0)), None);
        assert_eq!(size(&image(3, 0, 0)[..72]), None);
        assert_eq!(size(&image(3, 0, 0)[..30]), None);
    }
}
