//! The person's image files: there, whole, and what the plan needs to know of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use infra_api::names;
use infra_api::target::Format;
use infra_diag::{Diagnostic, Diagnostics};
use sha2::{Digest, Sha256};

use super::Folder;
use crate::declared::{At, Declared, Source};
use crate::lower::FileFacts;

/// By the path as written.
pub type ImageFiles = BTreeMap<String, FileFacts>;

/// What a qcow2 image begins with.
const QCOW2_MAGIC: [u8; 4] = *b"QFI\xfb";
/// Where its virtual size stands, as 8 bytes, the highest first.
const QCOW2_SIZE_AT: usize = 24;
const BLOCK: usize = 1 << 20;

/// Reads every file that an image names. What is missing or cut off is an error at its place.
#[must_use]
pub fn read(declared: &Declared, folder: &Folder) -> (ImageFiles, Diagnostics) {
    let mut files = ImageFiles::new();
    let mut diagnostics = Diagnostics::new();
    for image in declared.images.values() {
        let archive = matches!(image.source, Source::Archive(_));
        for written in image.source.files() {
            if files.contains_key(&written.value) {
                continue;
            }
            match look(&folder.path(&written.value), archive) {
                Ok(facts) => {
                    files.insert(written.value.clone(), facts);
                }
                Err(why) => diagnostics.push(unreadable(written, &why)),
            }
        }
    }
    (files, diagnostics)
}

fn unreadable(written: &At<String>, why: &str) -> Diagnostic {
    Diagnostic::error("Unusable image file")
        .at(written.span, format!("`{}`: {why}", written.value))
        .hint("make or copy the file again; paths are relative to the configuration's folder")
}

fn look(path: &Path, archive: bool) -> Result<FileFacts, String> {
    let mut file = File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => e.to_string(),
    })?;
    let meta = file.metadata().map_err(|e| e.to_string())?;
    if !meta.is_file() {
        return Err("it is not a file".to_owned());
    }
    let (sha256, head) = digest(&mut file).map_err(|e| e.to_string())?;
    if archive {
        whole_archive(&mut file, &head, meta.len())?;
    }
    let format = if head.starts_with(&QCOW2_MAGIC) {
        Format::Qcow2
    } else {
        Format::Raw
    };
    let path = std::path::absolute(path).map_err(|e| e.to_string())?;
    Ok(FileFacts {
        path,
        sha256,
        size_bytes: meta.len(),
        format,
        virtual_bytes: if format == Format::Qcow2 {
            virtual_size(&head)?
        } else {
            meta.len()
        },
    })
}

/// The digest of the whole file, and its first bytes.
fn digest(file: &mut File) -> std::io::Result<(String, Vec<u8>)> {
    let mut hash = Sha256::new();
    let mut block = vec![0; BLOCK];
    let mut head = Vec::new();
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            return Ok((names::hex(&hash.finalize()), head));
        }
        if head.is_empty() {
            head.extend_from_slice(&block[..read.min(512)]);
        }
        hash.update(&block[..read]);
    }
}

fn virtual_size(head: &[u8]) -> Result<u64, String> {
    let bytes = head
        .get(QCOW2_SIZE_AT..QCOW2_SIZE_AT + 8)
        .and_then(|b| b.try_into().ok());
    bytes
        .map(u64::from_be_bytes)
        .ok_or_else(|| "it begins as a qcow2 image and is cut off".to_owned())
}

/// Walks a tar's headers: each must be one, and what it announces must be there. A compressed archive is left to
/// whoever unpacks it.
fn whole_archive(file: &mut File, head: &[u8], size: u64) -> Result<(), String> {
    if head.starts_with(&[0x1f, 0x8b]) {
        return Ok(());
    }
    file.seek(SeekFrom::Start(0)).map_err(|e| e.to_string())?;
    let mut archive = tar::Archive::new(&mut *file);
    let entries = archive.entries_with_seek().map_err(|e| e.to_string())?;
    let mut sound = 0;
    for entry in entries {
        // What the library says of a header that is none shows the file's content.
        let entry = entry.map_err(|_| match sound {
            0 => "it is no tar archive".to_owned(),
            _ => format!("it is damaged after byte {sound}"),
        })?;
        let end = entry.raw_file_position() + entry.size();
        if end > size {
            return Err(format!(
                "it is cut off: an entry ends at byte {end}, and the file at {size}"
            ));
        }
        sound = end;
    }
    match (size, sound) {
        (0, _) => Err("it is empty".to_owned()),
        (_, 0) => Err("it is a tar archive with nothing in it".to_owned()),
        _ => Ok(()),
    }
}
