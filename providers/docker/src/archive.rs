//! An image's archive on its way to the engine: a local file in, a stream of `docker load`'s form out,
//! never whole in memory. Blocking; knows no engine.
//!
//! What `docker save` writes goes through with its names replaced by ours; a root file system's tar is
//! wrapped into an image of one layer. The file is hashed on the way, and the stream's end is written
//! only when it was the file that was planned: else the engine gets a stream that breaks off, and loads
//! nothing.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use infra_api::{Failure, Remedy, names};
use sha2::{Digest, Sha256};
use tar::{Archive, Builder, Entry, EntryType, Header};
use tokio::sync::mpsc::Sender;

use crate::text::image;

/// One piece of the stream; a break in it.
pub(crate) type Piece = io::Result<Bytes>;

/// As much is sent at once.
const PIECE: usize = 256 << 10;

/// `manifest.json` and `index.json` are small; anything larger is something else.
const SMALL: u64 = 4 << 20;

/// What an archive may be.
pub const ARCHIVE: &str =
    "write it with `docker save` or `docker export`, or as a plain tar of a root file system";

/// What is to be loaded.
pub(crate) struct Upload<'a> {
    pub(crate) path: &'a Path,
    /// Of the file as it was planned.
    pub(crate) sha256: &'a str,
    /// What the image is to be called: the first name is the one an OCI layout can hold.
    pub(crate) names: [String; 2],
    /// Of a root file system, which does not say it: the host's.
    pub(crate) architecture: &'a str,
}

/// What kind of archive it is.
#[derive(Debug, PartialEq, Eq)]
enum Form {
    /// Images, as `docker save` writes them.
    Images,
    /// A root file system, as `docker export` writes it.
    Root,
}

/// Why an archive cannot be loaded.
#[derive(Debug)]
pub(crate) enum Flaw {
    Unreadable(io::Error),
    Unusable(String),
    Changed {
        found: String,
    },
    /// The engine stopped listening; it says why.
    HungUp,
}

impl Flaw {
    pub(crate) fn failure(self, doing: &str, path: &Path) -> Failure {
        let archive = path.display();
        match self {
            Self::Unreadable(e) => {
                Failure::new(Remedy::Operator, doing, format!("archive {archive}: {e}"))
                    .hint("the file must be readable where infra runs")
            }
            Self::Unusable(why) => {
                Failure::new(Remedy::Operator, doing, format!("archive {archive}: {why}"))
                    .hint(ARCHIVE)
            }
            Self::Changed { found } => Failure::new(
                Remedy::Replan,
                doing,
                format!(
                    "archive {archive} is not the one that was planned: its SHA-256 is {found}"
                ),
            ),
            Self::HungUp => Failure::new(Remedy::Retry, doing, "the engine broke off the upload"),
        }
    }
}

impl From<io::Error> for Flaw {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::HungUp,
            io::ErrorKind::UnexpectedEof => Self::Unusable("it is truncated".to_owned()),
            _ => Self::Unreadable(error),
        }
    }
}

/// Sends the archive into `sink`, adding to `sent` how many bytes of the file are through.
pub(crate) fn send(upload: &Upload, sink: &Sender<Piece>, sent: &AtomicU64) -> Result<(), Flaw> {
    let sent = stream(upload, sink, sent);
    if sent.is_err() {
        // A stream that just ends would look whole.
        let _ = sink.blocking_send(Err(io::Error::other("the archive is not as planned")));
    }
    sent
}

fn stream(upload: &Upload, sink: &Sender<Piece>, sent: &AtomicU64) -> Result<(), Flaw> {
    let mut file = File::open(upload.path)?;
    let form = form(&mut file)?;
    file.seek(SeekFrom::Start(0))?;
    let length = file.metadata()?.len();
    let mut source = Counted {
        inner: BufReader::with_capacity(PIECE, file),
        hash: Sha256::new(),
        sent,
    };
    let pieces = Pieces { sink: Some(sink) };
    let mut out = Builder::new(BufWriter::with_capacity(PIECE, pieces));
    let outcome = match form {
        Form::Images => rename(upload, &mut source, &mut out),
        Form::Root => wrap(upload, length, &mut source, &mut out),
    };
    if outcome.is_err() {
        // Dropping the builder ends the archive, and the engine would take it for a whole one.
        out.get_mut().get_mut().sink = None;
        return outcome;
    }
    out.into_inner()?.flush()?;
    Ok(())
}

/// Whether an engine could load what is in the file, as far as its headers tell. The error says why not.
///
/// # Errors
/// In words that follow the file's name.
pub fn check_archive(file: &mut File) -> Result<(), String> {
    match form(file) {
        Ok(_) => Ok(()),
        Err(Flaw::Unusable(why)) => Err(why),
        Err(Flaw::Unreadable(error)) => Err(error.to_string()),
        // Of a stream, and here is none.
        Err(Flaw::Changed { .. } | Flaw::HungUp) => Err("it cannot be read".to_owned()),
    }
}

/// What kind of archive it is, seen from its headers alone; whether all it tells of is there.
fn form(file: &mut File) -> Result<Form, Flaw> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    uncompressed(file)?;
    ended(file, length)?;
    file.seek(SeekFrom::Start(0))?;
    let mut archive = Archive::new(BufReader::new(&mut *file));
    let (mut form, mut entries) = (Form::Root, 0_u64);
    for entry in archive.entries_with_seek().map_err(|e| damaged(&e))? {
        let mut entry = entry.map_err(|e| damaged(&e))?;
        if entry
            .raw_file_position()
            .saturating_add(entry.header().entry_size()?)
            > length
        {
            return Err(Flaw::Unusable("it is truncated".to_owned()));
        }
        stays_inside(&entry)?;
        entries += 1;
        let images = match name(&entry)?.as_str() {
            // A root file system may hold a file of that name too.
            "manifest.json" => {
                let manifest = small(&mut entry)?;
                let images = image::is_manifest(&manifest);
                let parts = match images {
                    true => image::parts(&manifest),
                    false => Vec::new(),
                };
                if let Some(part) = parts.iter().find(|part| leaves(Path::new(part))) {
                    return Err(Flaw::Unusable(format!(
                        "its `manifest.json` names {part:?}, which is no path inside the archive"
                    )));
                }
                images
            }
            "oci-layout" => true,
            _ => false,
        };
        if images {
            form = Form::Images;
        }
    }
    match entries {
        0 => Err(Flaw::Unusable("nothing is in it".to_owned())),
        _ => Ok(form),
    }
}

/// Every name, and what a hard link names, is a path in the archive. (A symbolic link may point anywhere: it is
/// followed in the container, if at all.)
fn stays_inside(entry: &Entry<impl Read>) -> Result<(), Flaw> {
    let link = match entry.header().entry_type() {
        EntryType::Link => entry.link_name()?,
        _ => None,
    };
    for path in [Some(entry.path()?), link].into_iter().flatten() {
        if leaves(&path) {
            return Err(Flaw::Unusable(format!(
                "its entry {path:?} is no path inside the archive"
            )));
        }
    }
    Ok(())
}

fn leaves(path: &Path) -> bool {
    let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    !path.components().all(inside)
}

fn name(entry: &Entry<impl Read>) -> io::Result<String> {
    let path = entry.path()?;
    Ok(path
        .strip_prefix("./")
        .unwrap_or(&path)
        .to_string_lossy()
        .into_owned())
}

fn damaged(error: &io::Error) -> Flaw {
    Flaw::Unusable(format!("it is no tar archive, or is damaged: {error}"))
}

fn uncompressed(file: &mut File) -> Result<(), Flaw> {
    const KINDS: [(&[u8], &str); 4] = [
        (b"\x1f\x8b", "gzip"),
        (b"\xfd7zXZ", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"BZh", "bzip2"),
    ];
    let mut head = [0; 8];
    let mut beginning = file.take(8);
    let read = beginning.read(&mut head)?;
    match KINDS
        .iter()
        .find(|(magic, _)| head[..read].starts_with(magic))
    {
        Some((_, name)) => Err(Flaw::Unusable(format!(
            "it is compressed with {name}: decompress it first, `{name} -d`"
        ))),
        None => Ok(()),
    }
}

/// A tar ends with blocks of zeros; a file that was cut off at an entry's edge does not.
fn ended(file: &mut File, length: u64) -> Result<(), Flaw> {
    if length == 0 {
        return Err(Flaw::Unusable("it is empty".to_owned()));
    }
    let mut block = [0xff; 512];
    if length >= 1024 {
        file.seek(SeekFrom::Start(length - 512))?;
        file.read_exact(&mut block)?;
    }
    if block.iter().all(|byte| *byte == 0) {
        Ok(())
    } else {
        Err(Flaw::Unusable(
            "it is truncated (a tar ends with blocks of zeros), or no tar archive".to_owned(),
        ))
    }
}

fn small(entry: &mut impl Read) -> Result<Vec<u8>, Flaw> {
    let mut text = Vec::new();
    entry.take(SMALL).read_to_end(&mut text)?;
    Ok(text)
}

/// Images pass unchanged but for their names. Raw, so that long names and such pass as they are.
fn rename(
    upload: &Upload,
    source: &mut Counted<impl Read>,
    out: &mut Builder<impl Write>,
) -> Result<(), Flaw> {
    let mut archive = Archive::new(&mut *source);
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        let path = name(&entry)?;
        let renamed = match path.as_str() {
            // The names of engines before 1.10.
            "repositories" => continue,
            "manifest.json" => image::rename_manifest(&small(&mut entry)?, &upload.names),
            "index.json" => image::rename_index(&small(&mut entry)?, &upload.names[0]),
            _ => {
                let header = entry.header().clone();
                out.append(&header, entry)?;
                continue;
            }
        };
        append(out, &path, &renamed.map_err(Flaw::Unusable)?)?;
    }
    source.verified(upload.sha256)
}

/// A root file system becomes the one layer of an image. Uncompressed, its digest is the layer's.
fn wrap(
    upload: &Upload,
    length: u64,
    source: &mut Counted<impl Read>,
    out: &mut Builder<impl Write>,
) -> Result<(), Flaw> {
    let config = image::config(upload.architecture, upload.sha256).to_string();
    let config_file = format!("{}.json", names::hex(&Sha256::digest(config.as_bytes())));
    let manifest = image::manifest(&config_file, "layer.tar", &upload.names).to_string();
    let mut layer = header(length);
    out.append_data(&mut layer, "layer.tar", source.by_ref().take(length))?;
    source.verified(upload.sha256)?;
    append(out, &config_file, config.as_bytes())?;
    append(out, "manifest.json", manifest.as_bytes())
}

fn append(out: &mut Builder<impl Write>, path: &str, text: &[u8]) -> Result<(), Flaw> {
    Ok(out.append_data(&mut header(text.len() as u64), path, text)?)
}

fn header(size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_size(size);
    header
}

/// Hashes and counts what is read through it.
struct Counted<'a, R> {
    inner: R,
    hash: Sha256,
    sent: &'a AtomicU64,
}

impl<R: Read> Counted<'_, R> {
    /// Reads to the end and says whether it was the file that was planned.
    fn verified(&mut self, sha256: &str) -> Result<(), Flaw> {
        io::copy(self, &mut io::sink())?;
        let found = names::hex(&self.hash.clone().finalize());
        if found == sha256 {
            Ok(())
        } else {
            Err(Flaw::Changed { found })
        }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.sent.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Into the stream, while it is to go on. A full one is waited for.
struct Pieces<'a> {
    sink: Option<&'a Sender<Piece>>,
}

impl Write for Pieces<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let sink = self.sink.ok_or_else(gone)?;
        sink.blocking_send(Ok(Bytes::copy_from_slice(buffer)))
            .map_err(|_| gone())?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
