//! A NoCloud seed: an ISO 9660 image labelled `cidata` with up to four files, written byte for byte the same
//! from the same texts, and read back. Knows no other image than these.
//!
//! Names are given by Rock Ridge (`NM` entries), which Linux prefers and reads without a character table;
//! Joliet would need the guest's kernel to have one. All dates are 1970-01-01.

use infra_api::Text;
use infra_api::target::{SeedVolume, VolumeRef};

use super::domain::NO_SECRET;

const SECTOR: usize = 2048;
const LABEL: &[u8] = b"cidata";

// The image in sectors: 16 are the system's, then two descriptors, two path tables, the directory, the files.
const DESCRIPTOR: usize = 16;
const PATHS_LITTLE: usize = 18;
const PATHS_BIG: usize = 19;
const DIRECTORY: usize = 20;
const FILES: usize = 21;

/// An image has at least so many sectors (256 KiB): busybox's `findfs` takes a disk of less than 64 KiB for an
/// empty drive and looks no further.
const SMALLEST: usize = 128;

const PATH_TABLE_LENGTH: usize = 10;

/// The files in the order of their plain ISO names, which the standard asks for.
const NAMES: [(&str, &str); 4] = [
    ("meta-data", "META_DAT.;1"),
    ("network-config", "NETWORK_.;1"),
    ("user-data", "USER_DAT.;1"),
    ("vendor-data", "VENDOR_D.;1"),
];

/// The image's bytes.
pub(crate) fn write(seed: &SeedVolume) -> Result<Vec<u8>, String> {
    let SeedVolume {
        volume: _,
        meta_data,
        user_data,
        vendor_data,
        network_config,
    } = seed;
    let texts = [
        Some(meta_data),
        network_config.as_ref(),
        Some(user_data),
        vendor_data.as_ref(),
    ];
    let mut files = Vec::new();
    for (name, text) in NAMES.into_iter().zip(texts) {
        if let Some(text) = text {
            files.push((name, text.plain().ok_or(NO_SECRET)?.as_bytes()));
        }
    }
    Ok(image(&files))
}

fn image(files: &[((&str, &str), &[u8])]) -> Vec<u8> {
    let mut data: Vec<u8> = Vec::new();
    let mut directory = [
        record(b"\0", DIRECTORY, SECTOR, true, &root_entries()),
        parent(),
    ]
    .concat();
    for ((name, iso), content) in files {
        let at = FILES + data.len() / SECTOR;
        directory.extend(record(
            iso.as_bytes(),
            at,
            content.len(),
            false,
            &file_entries(name),
        ));
        data.extend(sectors(content));
    }
    let end = SMALLEST.max(FILES + data.len() / SECTOR);
    let mut image = vec![0; DESCRIPTOR * SECTOR];
    image.extend(sectors(&descriptor(end)));
    image.extend(sectors(b"\xffCD001\x01"));
    image.extend(sectors(&path_table(&both(DIRECTORY)[..4], [1, 0])));
    image.extend(sectors(&path_table(&both(DIRECTORY)[4..], [0, 1])));
    image.extend(sectors(&directory));
    image.extend(data);
    image.resize(end * SECTOR, 0);
    image
}

fn sectors(bytes: &[u8]) -> Vec<u8> {
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(SECTOR), 0);
    padded
}

/// ISO 9660 writes its numbers twice: little-endian, then big-endian.
fn both(number: usize) -> [u8; 8] {
    // Texts come from a configuration: an image of 4 GiB cannot be.
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    let (little, big) = (number.to_le_bytes(), number.to_be_bytes());
    [
        little[0], little[1], little[2], little[3], big[0], big[1], big[2], big[3],
    ]
}

/// The primary volume descriptor, of an image of `end` sectors.
fn descriptor(end: usize) -> Vec<u8> {
    let mut d = b"\x01CD001\x01\0".to_vec();
    d.extend([b' '; 32]);
    d.extend(LABEL);
    d.resize(72, b' ');
    d.extend([0; 8]);
    d.extend(both(end));
    d.extend([0; 32]);
    d.extend([1, 0, 0, 1, 1, 0, 0, 1]); // one volume in the set, this the first
    d.extend([0, 8, 8, 0]); // 2048 bytes a sector
    d.extend(both(PATH_TABLE_LENGTH));
    d.extend(&both(PATHS_LITTLE)[..4]);
    d.extend([0; 4]);
    d.extend(&both(PATHS_BIG)[4..]);
    d.extend([0; 4]);
    d.extend(record(b"\0", DIRECTORY, SECTOR, true, &[]));
    d.resize(813, b' '); // who published and prepared it: nobody
    for _ in 0..4 {
        d.extend([b'0'; 16]); // no date
        d.push(0);
    }
    d.push(1);
    d
}

/// A path table names directories; there is the root alone, which is its own parent, number 1.
fn path_table(at: &[u8], parent: [u8; 2]) -> Vec<u8> {
    [&[1, 0], at, &parent, &[0, 0]].concat()
}

/// One entry of the directory. Its length must be even, and so must its name's part.
fn record(name: &[u8], sector: usize, length: usize, directory: bool, entries: &[u8]) -> Vec<u8> {
    let mut r = vec![0, 0];
    r.extend(both(sector));
    r.extend(both(length));
    r.extend([70, 1, 1, 0, 0, 0, 0]);
    r.extend([if directory { 2 } else { 0 }, 0, 0]);
    r.extend([1, 0, 0, 1]);
    r.extend(u8::try_from(name.len()));
    r.extend(name);
    r.resize(r.len().next_multiple_of(2), 0);
    r.extend(entries);
    r.resize(r.len().next_multiple_of(2), 0);
    r[0] = u8::try_from(r.len()).unwrap_or(u8::MAX);
    r
}

fn parent() -> Vec<u8> {
    record(b"\x01", DIRECTORY, SECTOR, true, &posix(0o040_555))
}

/// The root says that the image uses the sharing protocol (`SP`), and Rock Ridge (`ER`).
fn root_entries() -> Vec<u8> {
    let mut entries = b"SP\x07\x01\xbe\xef\0".to_vec();
    entries.extend(posix(0o040_555));
    entries.extend(b"ER\x12\x01\x0a\0\0\x01RRIP_1991A");
    entries
}

fn file_entries(name: &str) -> Vec<u8> {
    let mut entries = posix(0o100_444);
    entries.extend(b"NM");
    entries.extend(u8::try_from(5 + name.len()));
    entries.extend([1, 0]);
    entries.extend(name.as_bytes());
    entries
}

/// Mode, one link, owner root.
fn posix(mode: usize) -> Vec<u8> {
    [
        b"PX\x24\x01".as_slice(),
        &both(mode),
        &both(1),
        &both(0),
        &both(0),
    ]
    .concat()
}

/// The body an image was written from; nothing, if it is no image of ours.
pub(crate) fn read(volume: VolumeRef, image: &[u8]) -> Option<SeedVolume> {
    let label = image.get(DESCRIPTOR * SECTOR + 40..)?.get(..LABEL.len())?;
    let mut files = (label == LABEL).then(|| files(image))??;
    let mut take = |name: &str| {
        let at = files.iter().position(|(found, _)| found == name)?;
        Some(Text::Plain(files.swap_remove(at).1))
    };
    let [meta, network, user, vendor] = NAMES.map(|(name, _)| take(name));
    Some(SeedVolume {
        volume,
        meta_data: meta?,
        user_data: user?,
        vendor_data: vendor,
        network_config: network,
    })
}

/// Name and text of each file of the root directory.
fn files(image: &[u8]) -> Option<Vec<(String, String)>> {
    let mut rest = image.get(DIRECTORY * SECTOR..FILES * SECTOR)?;
    let mut files = Vec::new();
    while let Some(length @ 1..) = rest.first().map(|length| usize::from(*length)) {
        let (record, next) = rest.split_at_checked(length)?;
        rest = next;
        if let Some(name) = posix_name(record) {
            let (start, length) = (number(record, 2)? * SECTOR, number(record, 10)?);
            let bytes = image.get(start..)?.get(..length)?;
            files.push((name, String::from_utf8(bytes.to_vec()).ok()?));
        }
    }
    Some(files)
}

fn number(record: &[u8], at: usize) -> Option<usize> {
    let bytes = record.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}

/// What the `NM` entry of a record says.
fn posix_name(record: &[u8]) -> Option<String> {
    let name_length = usize::from(*record.get(32)?);
    let mut entries = record.get((33 + name_length).next_multiple_of(2)..)?;
    while let [a, b, length, ..] = entries {
        // Shorter than its own head: nothing would be left behind.
        if *length < 4 {
            return None;
        }
        let (entry, next) = entries.split_at_checked(usize::from(*length))?;
        if [*a, *b] == *b"NM" {
            return String::from_utf8(entry.get(5..)?.to_vec()).ok();
        }
        entries = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    fn volume() -> VolumeRef {
        VolumeRef {
            pool: "demo".into(),
            name: "feed-seed".into(),
        }
    }

    fn seed(meta: &str, user: &str, network: Option<&str>) -> SeedVolume {
        SeedVolume {
            volume: volume(),
            meta_data: meta.into(),
            user_data: user.into(),
            vendor_data: None,
            network_config: network.map(Text::from),
        }
    }

    proptest! {
        #[test]
        fn read_undoes_write(meta in ".{0,3000}", user in "(?s).{0,5000}", network in proptest::option::of(".{0,50}")) {
            let vendor_data = network.as_deref().map(Text::from);
            let wanted = SeedVolume { vendor_data, ..seed(&meta, &user, network.as_deref()) };
            let image = write(&wanted).unwrap();
            prop_assert_eq!(image.len() % SECTOR, 0);
            prop_assert_eq!(read(volume(), &image), Some(wanted));
        }

        #[test]
        fn no_bytes_panic(cut in 0usize..50_000, at in 32_768usize..45_000, byte: u8) {
            let mut image = write(&seed("a", "b", Some("c"))).unwrap();
            if let Some(place) = image.get_mut(at) { *place = byte; }
            image.truncate(cut);
            let _ = read(volume(), &image);
        }
    }

    #[test]
    fn a_digest_is_no_content() {
        let secret = Text::Secret {
            digest: "hmac-sha256:00".into(),
        };
        assert_eq!(
            write(&SeedVolume {
                user_data: secret,
                ..seed("m", "", None)
            }),
            Err(NO_SECRET.into())
        );
    }

    #[test]
    fn another_image_is_not_ours() {
        assert_eq!(read(volume(), &vec![0; 100_000]), None);
    }

    /// What another reader of such images makes of it. Skips where `isoinfo` (package genisoimage) is not.
    #[test]
    fn isoinfo_sees_names_label_and_content() {
        let path = std::env::temp_dir().join(format!("infra-seed-{}.iso", std::process::id()));
        std::fs::write(
            &path,
            write(&seed(
                "instance-id: x\n",
                "#cloud-config\n",
                Some("version: 2\n"),
            ))
            .unwrap(),
        )
        .unwrap();
        let isoinfo = |arguments: &[&str]| {
            let done = Command::new("isoinfo")
                .args(arguments)
                .arg("-i")
                .arg(&path)
                .output()
                .ok()?;
            Some(String::from_utf8_lossy(&done.stdout).into_owned())
        };
        let Some(list) = isoinfo(&["-R", "-l"]) else {
            eprintln!("SKIPPED: isoinfo is not installed");
            return;
        };
        for name in ["meta-data", "network-config", "user-data"] {
            assert!(list.contains(&format!(" {name}")), "{list}");
        }
        assert!(isoinfo(&["-d"]).unwrap().contains("Volume id: cidata"));
        assert_eq!(
            isoinfo(&["-R", "-x", "/user-data"]).unwrap(),
            "#cloud-config\n"
        );
        std::fs::remove_file(&path).unwrap();
    }
}
