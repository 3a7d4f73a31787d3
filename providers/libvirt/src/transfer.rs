//! Bytes into and out of a volume, by libvirt's stream: the pool may be on another host.

use std::io::Read;

use infra_api::Failure;
use virt::connect::Connect;
use virt::error::{Error, ErrorNumber};
use virt::storage_vol::StorageVol;
use virt::stream::Stream;

use crate::failure::{Doing, patiently};

/// What libvirt sends in one message.
const CHUNK: usize = 256 * 1024;

/// Sends all of `source` into a volume that has room for `length` bytes. `seen` is shown each piece.
pub(crate) fn upload(
    connection: &Connect,
    volume: &StorageVol,
    length: u64,
    source: &mut dyn Read,
    seen: &mut dyn FnMut(&[u8]),
) -> Result<(), Failure> {
    let doing = || "sending a volume's content".to_owned();
    let begin = || {
        let stream = Stream::new(connection, 0)?;
        volume.upload(&stream, 0, length, 0).map(|()| stream)
    };
    let stream = patiently(begin).doing(doing)?;
    match pump(&stream, length, source, seen) {
        Ok(()) => stream.finish().doing(doing),
        Err(failure) => {
            // The failure is what counts; an unfinished stream would keep the volume busy.
            let _ = stream.abort();
            Err(failure)
        }
    }
}

/// Never more than `length`: libvirt would only say that the stream was closed.
fn pump(
    stream: &Stream,
    length: u64,
    source: &mut dyn Read,
    seen: &mut dyn FnMut(&[u8]),
) -> Result<(), Failure> {
    let mut source = source.take(length);
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = source
            .read(&mut buffer)
            .map_err(|e| e.to_string())
            .doing(|| "reading the local file".into())?;
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else {
            return Ok(());
        };
        seen(piece);
        send(stream, piece).doing(|| "sending a volume's content".into())?;
    }
}

fn send(stream: &Stream, mut piece: &[u8]) -> Result<(), Error> {
    while !piece.is_empty() {
        let sent = usize::try_from(stream.send(piece)?).unwrap_or(0);
        piece = piece.get(sent..).unwrap_or_default();
    }
    Ok(())
}

/// The first `length` bytes of a volume; nothing, while somebody is still making it.
pub(crate) fn download(
    connection: &Connect,
    volume: &StorageVol,
    length: u64,
) -> Result<Option<Vec<u8>>, Failure> {
    download_part(connection, volume, 0, length)
}

/// `length` bytes of it, from some byte on; 0 are all that follow.
pub(crate) fn download_part(
    connection: &Connect,
    volume: &StorageVol,
    from: u64,
    length: u64,
) -> Result<Option<Vec<u8>>, Failure> {
    let doing = || "reading a volume's content".to_owned();
    let stream = Stream::new(connection, 0).doing(doing)?;
    match volume.download(&stream, from, length, 0) {
        // "volume 'x' is still being allocated"; there is no other reason for this code here.
        Err(error) if error.code().is(ErrorNumber::OperationInvalid) => return Ok(None),
        begun => begun.doing(doing)?,
    }
    match receive(&stream) {
        Ok(bytes) => stream.finish().doing(doing).map(|()| Some(bytes)),
        Err(error) => {
            let _ = stream.abort();
            Err(error).doing(doing)
        }
    }
}

fn receive(stream: &Stream) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        let received = usize::try_from(stream.recv(&mut buffer)?).unwrap_or(0);
        match buffer.get(..received) {
            None | Some([]) => return Ok(bytes),
            Some(piece) => bytes.extend(piece),
        }
    }
}
