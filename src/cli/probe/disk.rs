//! A disk: single small writes that are kept, and single small reads, past the page cache.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::linux::fs::MetadataExt;
use std::os::unix::fs::{FileExt, FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use super::figure::{Figure, Found};
use super::pace;

const PIECE: usize = 4096;

/// So many pieces of the disk are used.
const PIECES: u64 = 4096;

/// Where a disk reads to and writes from without the page cache.
#[repr(align(4096))]
struct Piece([u8; PIECE]);

pub(super) fn look(path: &Path, span: Duration, found: &mut Found) {
    match open(path) {
        Ok((file, device)) => {
            found.device = Some(device);
            found.set(Figure::DiskWriteLatency, writing(&file, span));
            found.set(Figure::DiskReadLatency, reading(&file, span));
        }
        Err(error) => {
            let why = format!("{}: {error}", path.display());
            let unknown = |figure| found.set(figure, Err(why.clone()));
            Figure::OF_DISKS.into_iter().for_each(unknown);
        }
    }
}

/// A file without a name in a folder, or a block device; and which disk that is.
fn open(path: &Path) -> io::Result<(File, String)> {
    let about = std::fs::metadata(path)?;
    let is_device = about.file_type().is_block_device();
    let number = if is_device {
        about.st_rdev()
    } else {
        about.st_dev()
    };
    let device = format!("{}:{}", libc::major(number), libc::minor(number));
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    if !is_device {
        options.custom_flags(libc::O_TMPFILE);
    }
    let mut file = options.open(path)?;
    // What was never written, or is all zeros, need not be on the disk at all.
    let mut state = 1_u64;
    let mut content = vec![0; PIECE];
    for _ in 0..PIECES {
        for eight in content.chunks_mut(8) {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            eight.copy_from_slice(&(state ^ (state >> 31)).to_le_bytes());
        }
        file.write_all(&content)?;
    }
    file.sync_all()?;
    let own = format!("/proc/self/fd/{}", file.as_raw_fd());
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_DIRECT);
    Ok((options.open(own)?, device))
}

/// In us.
fn writing(file: &File, span: Duration) -> Result<f64, String> {
    let (piece, mut places) = (Piece([0x5a; PIECE]), places());
    timed(span, || {
        file.write_all_at(&piece.0, places())?;
        file.sync_data()
    })
}

/// In us.
fn reading(file: &File, span: Duration) -> Result<f64, String> {
    let (mut piece, mut places) = (Piece([0; PIECE]), places());
    timed(span, || file.read_exact_at(&mut piece.0, places()))
}

fn timed(span: Duration, work: impl FnMut() -> io::Result<()>) -> Result<f64, String> {
    let seconds = pace::median(span, work).map_err(|e| e.to_string())?;
    Ok(seconds * 1e6)
}

/// All over it, in an order that is no order.
fn places() -> impl FnMut() -> u64 {
    let mut piece = 0_u64;
    move || {
        // Full period: the number of pieces is a power of two.
        piece = (piece.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)) % PIECES;
        piece * PIECE as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_all_over_it_and_nowhere_else() {
        let mut places = places();
        let mut seen: Vec<u64> = (0..PIECES).map(|_| places()).collect();
        seen.sort_unstable();
        let all: Vec<u64> = (0..PIECES).map(|piece| piece * PIECE as u64).collect();
        assert_eq!(seen, all);
    }

    #[test]
    fn a_disk_that_is_not_there_is_unknown() {
        let mut found = Found::default();
        let folder = tempfile::tempdir().unwrap();
        look(&folder.path().join("none"), Duration::ZERO, &mut found);
        assert_eq!(found.figures[&Figure::DiskReadLatency], None);
        assert!(found.unknown[&Figure::DiskWriteLatency].contains("No such file"));
        assert_eq!(found.device, None);
    }
}
