//! On a real daemon: how virtual disks are made: what is taken of the host, and what they begin as.

use infra_api::target::*;
use infra_api::*;
use serde_json::json;

use crate::bench::*;

/// What libvirt says a disk takes of its host, and what of it is a hole.
fn taken(b: &Bench, disk: &DiskVolume) -> u64 {
    let path = format!("{}/{}", b.pool().path, disk.volume.name);
    std::os::unix::fs::MetadataExt::blocks(&std::fs::metadata(path).unwrap()) * 512
}

#[test]
fn live_a_disks_space_is_taken_as_asked() {
    live("allocation", |b| {
        Box::pin(async {
            b.with_pool().await;
            let disk = |name: &str, format, allocation| DiskVolume {
                format,
                allocation,
                ..b.disk(name)
            };
            for (name, format, allocation, least, most) in [
                ("q", Format::Qcow2, Allocation::Sparse, 0, MIB),
                // The tables of 8 MiB are small; the file is as long as it will be.
                ("q-m", Format::Qcow2, Allocation::Metadata, 0, MIB),
                ("q-f", Format::Qcow2, Allocation::Full, 8 * MIB, 9 * MIB),
                ("r", Format::Raw, Allocation::Sparse, 0, 0),
                ("r-f", Format::Raw, Allocation::Full, 8 * MIB, 8 * MIB),
            ] {
                let disk = disk(name, format, allocation);
                let id = b.volume_id(&disk.volume);
                b.laws(&id, &disk, None).await;
                b.create(&id, &disk, None).await.unwrap();
                let taken = taken(b, &disk);
                assert!((least..=most).contains(&taken), "{name}: {taken}");
            }
            let path = |name: &str| format!("{}/{name}", b.pool().path);
            let length = |name: &str| std::fs::metadata(path(name)).unwrap().len();
            assert!(length("q-m") > 8 * MIB && length("q") < MIB);
            for format in [Format::Raw, Format::Qcow2] {
                let name = if format == Format::Raw { "r-f" } else { "q-f" };
                let small = disk(name, format, Allocation::Full);
                let large = DiskVolume {
                    capacity_bytes: 16 * MIB,
                    ..small.clone()
                };
                let id = b.volume_id(&small.volume);
                b.update(&id, &small, &large, Impact::InPlace)
                    .await
                    .unwrap();
                assert_eq!(b.body(&id).await, json!(large));
                // Of a qcow2 libvirt takes no new space beforehand.
                let more = if format == Format::Raw { 16 } else { 8 };
                assert!(taken(b, &large) >= more * MIB);
            }
        })
    });
}

#[test]
fn live_a_disk_begins_as_a_copy_and_needs_no_original() {
    live("copies", |b| {
        Box::pin(async {
            b.with_pool().await;
            let content: Vec<u8> = (0..3_000_001u32).map(|n| (n / 7 % 251) as u8).collect();
            let (file, path) = b.file("image", &content);
            let of_file = Original::File {
                sha256: file.sha256.clone(),
                size_bytes: file.size_bytes,
            };
            let uploaded = DiskVolume {
                format: Format::Raw,
                allocation: Allocation::Full,
                copy_of: Some(of_file),
                ..b.disk("uploaded")
            };
            let id = b.volume_id(&uploaded.volume);
            b.laws(&id, &uploaded, Some(&path)).await;
            b.create(&id, &uploaded, Some(&path)).await.unwrap();
            let begins = |name: &str| {
                let there = std::fs::read(format!("{}/{name}", b.pool().path)).unwrap();
                there.len() as u64 == 8 * MIB && there.starts_with(&content)
            };
            assert!(begins("uploaded"));
            assert_eq!(taken(b, &uploaded), 8 * MIB);
            std::fs::remove_file(path).unwrap();

            // Into another format and larger; and back again.
            let copy = |name: &str, format, of: &DiskVolume, capacity_bytes| DiskVolume {
                format,
                capacity_bytes,
                copy_of: Some(Original::Volume(of.volume.clone())),
                ..b.disk(name)
            };
            let larger = copy("larger", Format::Qcow2, &uploaded, 16 * MIB);
            let back = copy("back", Format::Raw, &larger, 16 * MIB);
            for disk in [&larger, &back] {
                let id = b.volume_id(&disk.volume);
                b.laws(&id, disk, None).await;
                b.create(&id, disk, None).await.unwrap();
            }
            b.delete(&id).await.unwrap();
            b.delete(&b.volume_id(&larger.volume)).await.unwrap();
            let there = std::fs::read(format!("{}/back", b.pool().path)).unwrap();
            assert!(there.starts_with(&content) && there.len() as u64 == 16 * MIB);
            let id = b.volume_id(&back.volume);
            assert_eq!(b.body(&id).await, json!(back));
            let grown = DiskVolume {
                capacity_bytes: 32 * MIB,
                ..back.clone()
            };
            b.update(&id, &back, &grown, Impact::InPlace).await.unwrap();
            assert_eq!(b.body(&id).await, json!(grown));
        })
    });
}

#[test]
fn live_an_image_of_qcow2_becomes_a_disk() {
    live("image", |b| {
        Box::pin(async {
            b.with_pool().await;
            let empty = b.disk("empty");
            b.create(&b.volume_id(&empty.volume), &empty, None)
                .await
                .unwrap();
            let image = std::fs::read(format!("{}/empty", b.pool().path)).unwrap();
            let (file, path) = b.file("base", &image);
            let disk = |sha256: &str| DiskVolume {
                capacity_bytes: 16 * MIB,
                copy_of: Some(Original::File {
                    sha256: sha256.into(),
                    size_bytes: file.size_bytes,
                }),
                ..b.disk("disk")
            };
            let wanted = disk(&file.sha256);
            let id = b.volume_id(&wanted.volume);
            b.laws(&id, &wanted, Some(&path)).await;
            let changed = b.create(&id, &disk("00"), Some(&path)).await.unwrap_err();
            assert_eq!(changed.remedy, Remedy::Replan);
            assert!(matches!(b.read(&id).await, Observed::Partial { .. }));
            b.create(&id, &wanted, Some(&path)).await.unwrap();
            assert_eq!(b.body(&id).await, json!(wanted));
            std::fs::remove_file(path).unwrap();
        })
    });
}

#[test]
fn live_what_a_running_machine_has_is_not_copied() {
    live("busy", |b| {
        Box::pin(async {
            b.with_pool().await;
            let disk = b.disk("data");
            b.create(&b.volume_id(&disk.volume), &disk, None)
                .await
                .unwrap();
            let machine = Machine {
                disks: vec![MachineDisk::new(disk.volume.clone(), Format::Qcow2, false)],
                ..b.plain()
            };
            let domain = b.id("domain", &machine.name);
            b.create(&domain, &machine, None).await.unwrap();
            let copy = DiskVolume {
                copy_of: Some(Original::Volume(disk.volume.clone())),
                ..b.disk("copy")
            };
            let id = b.volume_id(&copy.volume);
            let refused = b.create(&id, &copy, None).await.unwrap_err();
            assert_eq!(refused.remedy, Remedy::Operator);
            assert!(refused.cause.contains(&machine.name), "{refused}");
            b.domain_by_hand(&machine).destroy().unwrap();
            b.create(&id, &copy, None).await.unwrap();
            assert_eq!(b.body(&id).await, json!(copy));
        })
    });
}
