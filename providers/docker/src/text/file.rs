//! A file put into a container ⇄ the archive it travels in. Pure.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use infra_api::target::UploadedFile;

use crate::mark;
use crate::text::inspect::Inspect;

/// What is read of a file at most: what is larger is none that we wrote.
pub(crate) const MOST: usize = 4 << 20;

/// The paths of the files that are ours, and whether each is binary.
pub(crate) fn ours(found: &Inspect) -> Vec<(String, bool)> {
    let labels = found.config.labels.iter().flatten();
    labels
        .filter_map(|(name, form)| {
            let path = name.strip_prefix(mark::FILE)?;
            Some((path.to_owned(), form == mark::BINARY))
        })
        .collect()
}

/// An archive of one file, with a path relative to where it is unpacked.
pub(crate) fn encode(path: &str, file: &UploadedFile, mtime: u64) -> Result<Vec<u8>, String> {
    let UploadedFile {
        content,
        binary,
        mode,
        uid,
        gid,
    } = file;
    let text = content
        .plain()
        .ok_or_else(|| format!("the secret in `files.{path}` has no value here"))?;
    let bytes = match binary {
        true => BASE64
            .decode(text)
            .map_err(|_| format!("`files.{path}` is not base64"))?,
        false => text.as_bytes().to_vec(),
    };
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(*mode);
    header.set_uid((*uid).into());
    header.set_gid((*gid).into());
    header.set_mtime(mtime);
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_data(&mut header, path.trim_start_matches('/'), bytes.as_slice())
        .and_then(|()| tar.into_inner())
        .map_err(|e| format!("`files.{path}`: {e}"))
}

/// The file as it is; one of nobody's where it is none, or too large to be ours.
pub(crate) fn decode(archive: &[u8], binary: bool) -> UploadedFile {
    read(archive, binary).unwrap_or_else(|| none(binary))
}

/// What stands for a file that is not there: no file of ours has no permissions.
pub(crate) fn none(binary: bool) -> UploadedFile {
    UploadedFile {
        content: "".into(),
        binary,
        mode: 0,
        uid: 0,
        gid: 0,
    }
}

fn read(archive: &[u8], binary: bool) -> Option<UploadedFile> {
    let mut archive = tar::Archive::new(archive);
    let mut entry = archive.entries().ok()?.next()?.ok()?;
    if !entry.header().entry_type().is_file() {
        return None;
    }
    let header = entry.header();
    let (mode, uid, gid) = (header.mode(), header.uid(), header.gid());
    let size = entry.size();
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).ok()?;
    // What was not read to its end is too large.
    if u64::try_from(bytes.len()) != Ok(size) {
        return None;
    }
    let content = match binary {
        true => BASE64.encode(bytes),
        false => String::from_utf8_lossy(&bytes).into_owned(),
    };
    Some(UploadedFile {
        content: content.into(),
        binary,
        mode: mode.ok()? & 0o7777,
        uid: u32::try_from(uid.ok()?).ok()?,
        gid: u32::try_from(gid.ok()?).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use infra_api::Text;
    use proptest::prelude::*;

    fn file(content: &str, binary: bool) -> UploadedFile {
        UploadedFile {
            content: content.into(),
            binary,
            mode: 0o640,
            uid: 7,
            gid: 8,
        }
    }

    #[test]
    fn a_binary_file_comes_back_as_it_went() {
        let wanted = file(&BASE64.encode([0, 255, 10]), true);
        let archive = encode("/etc/x", &wanted, 1).unwrap();
        assert_eq!(decode(&archive, true), wanted);
    }

    #[test]
    fn what_is_no_file_is_none_of_ours() {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        let mut tar = tar::Builder::new(Vec::new());
        tar.append_link(&mut header, "x", "y").unwrap();
        assert_eq!(decode(&tar.into_inner().unwrap(), false), none(false));
        assert_eq!(decode(b"", false), none(false));
        assert_eq!(decode(&[7; 2000], false), none(false));
        let cut = &encode("/x", &file("text", false), 0).unwrap()[..514];
        assert_eq!(decode(cut, false), none(false));
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        let secret = UploadedFile {
            content: Text::Secret { digest: "d".into() },
            ..file("", false)
        };
        assert!(encode("/x", &secret, 0).unwrap_err().contains("no value"));
        assert!(
            encode("/x", &file("!", true), 0)
                .unwrap_err()
                .contains("base64")
        );
    }

    proptest! {
        #[test]
        fn law_1(content: String, path in "(/[a-z]{1,60}){1,4}", mode in 1u32..0o7777, uid: u32) {
            let wanted = UploadedFile { mode, uid, ..file(&content, false) };
            let archive = encode(&path, &wanted, 1).unwrap();
            prop_assert_eq!(decode(&archive, false), wanted);
        }
    }
}
