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

/// The name of an empty volume group that the daemon sees.
fn group() -> Option<String> {
    let name = std::env::var("INFRA_LIVE_VG").ok();
    if name.is_none() {
        eprintln!("SKIPPED: name an empty volume group of LVM by INFRA_LIVE_VG");
    }
    name
}

fn over(b: &Bench, group: &str) -> Pool {
    Pool {
        name: b.name("lvm"),
        path: format!("/dev/{group}"),
        volume_group: Some(group.into()),
    }
}

#[test]
fn live_a_pool_comes_and_goes_over_a_volume_group_that_stays() {
    live("group", |b| {
        Box::pin(async {
            let Some(group) = group() else { return };
            let pool = over(b, &group);
            let id = b.id("pool", &pool.name);
            b.laws(&id, &pool, None).await;
            // Were the group gone, there would be nothing to make it of again.
            b.laws(&id, &pool, None).await;
        })
    });
}

#[test]
fn live_a_logical_volume_is_a_disk() {
    live("logical", |b| {
        Box::pin(async {
            let Some(group) = group() else { return };
            if std::fs::File::open("/dev/mapper/control").is_err() {
                eprintln!("SKIPPED: this kernel has no device mapper");
                return;
            }
            let pool = over(b, &group);
            b.create(&b.id("pool", &pool.name), &pool, None)
                .await
                .unwrap();
            let (file, path) = b.file("image", &vec![7; 1_000_000]);
            let disk = |name: &str| DiskVolume {
                volume: VolumeRef {
                    pool: pool.name.clone(),
                    name: name.into(),
                },
                format: Format::Raw,
                allocation: Allocation::Full,
                ..b.disk(name)
            };
            let uploaded = DiskVolume {
                copy_of: Some(Original::File {
                    sha256: file.sha256.clone(),
                    size_bytes: file.size_bytes,
                }),
                ..disk("uploaded")
            };
            let copied = DiskVolume {
                copy_of: Some(Original::Volume(uploaded.volume.clone())),
                ..disk("copied")
            };
            for disk in [disk("empty"), uploaded, copied] {
                let id = b.volume_id(&disk.volume);
                b.laws(&id, &disk, Some(&path)).await;
                b.create(&id, &disk, Some(&path)).await.unwrap();
            }
            let uneven = DiskVolume {
                capacity_bytes: 5 * MIB,
                ..disk("uneven")
            };
            let refused = b.create(&b.volume_id(&uneven.volume), &uneven, None).await;
            assert_eq!(refused.unwrap_err().remedy, Remedy::Operator);
            std::fs::remove_file(path).unwrap();
        })
    });
}

/// libvirt makes a pool over a group that is not there, and does not start it: what is defined is taken away again.
#[test]
fn live_a_volume_group_that_is_not_there_is_said() {
    live("nogroup", |b| {
        Box::pin(async {
            let pool = over(b, "infra-test-no-such-group");
            let id = b.id("pool", &pool.name);
            assert!(b.create(&id, &pool, None).await.is_err());
            assert!(matches!(b.read(&id).await, Observed::Partial { .. }));
            b.delete(&id).await.unwrap();
            assert_eq!(b.read(&id).await, Observed::Absent);
        })
    });
}

#[test]
fn live_volumes_of_ours_come_and_go_in_a_pool_that_is_not() {
    live("theirs", |b| {
        Box::pin(async {
            let (name, path) = (b.name("theirs"), format!("/var/tmp/{}", b.project));
            let xml = format!(
                "<pool type='dir'><name>{name}</name><target><path>{path}</path></target></pool>"
            );
            let by_hand = b.by_hand();
            std::fs::create_dir_all(&path).unwrap();
            let pool = by_hand.define_storage_pool_xml(&xml, 0).unwrap();
            pool.create(0).unwrap();
            let disk = DiskVolume {
                volume: VolumeRef {
                    pool: name.clone(),
                    name: "data".into(),
                },
                ..b.disk("data")
            };
            let id = b.volume_id(&disk.volume);
            b.laws(&id, &disk, None).await;
            let as_pool = Pool {
                name: name.clone(),
                path: path.clone(),
                volume_group: None,
            };
            b.refused(&b.id("pool", &name), &as_pool, None).await;
            pool.destroy().unwrap();
            pool.undefine().unwrap();
            std::fs::remove_dir(path).unwrap();
        })
    });
}
