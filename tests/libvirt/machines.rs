//! On a real daemon: machines that boot, change while they run, drift and fail.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use infra_api::target::*;
use infra_api::*;

use crate::bench::*;

/// A boot sector that writes "infra was here" to the first serial port and halts.
const BOOT_SECTOR: &[u8] =
    b"\x31\xc0\x8e\xd8\xba\xf8\x03\xbe\x17\x7c\xac\x84\xc0\x74\x03\xee\xeb\xf8\xf4\xeb\xfd\x90\x90infra was here\n\0";

/// With all a machine can have, and a console that can be read.
#[test]
fn live_a_machine_boots() {
    live("boot", |b| {
        Box::pin(async {
            b.with_pool().await;
            let mut sector = BOOT_SECTOR.to_vec();
            sector.resize(510, 0);
            sector.extend([0x55, 0xaa]);
            sector.resize(1 << 20, 0); // SeaBIOS boots from no smaller disk
            let (file, path) = b.file("boot", &sector);
            let seed = SeedVolume {
                volume: b.volume("seed"),
                meta_data: "a".into(),
                user_data: "b".into(),
                vendor_data: None,
                network_config: None,
            };
            let network = b.network("10.213.92");
            b.create(&b.volume_id(&file.volume), &file, Some(&path))
                .await
                .unwrap();
            b.create(&b.volume_id(&seed.volume), &seed, None)
                .await
                .unwrap();
            b.create(&b.volume_id(&b.volume("data")), &b.disk("data"), None)
                .await
                .unwrap();
            b.create(&b.id("network", &network.name), &network, None)
                .await
                .unwrap();
            let log = format!("{}/console.log", b.pool().path);
            let machine = Machine {
                memory_nodes: Some(IdSet::from([0])),
                disks: vec![
                    MachineDisk::new(file.volume.clone(), Format::Raw, true),
                    MachineDisk::new(b.volume("data"), Format::Qcow2, false),
                ],
                seed: Some(seed.volume.clone()),
                interfaces: vec![MachineInterface::new(
                    "52:54:00:12:34:56".into(),
                    &network,
                    "10.213.92.7".parse().ok(),
                )],
                console_log: Some(log.clone()),
                ..b.pinned(0)
            };
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            assert_eq!(b.machine(&id).await, machine);
            wait_for(&log, "infra was here").await;
            b.delete(&id).await.unwrap();
            std::fs::remove_file(log).unwrap();
            std::fs::remove_file(path).unwrap();
        })
    });
}

/// A Linux guest, by direct kernel boot: it mounts our seed, takes its address from it and hears the power
/// button. Needs a directory with `vmlinuz` and the quickstart's `initrd.img`.
#[test]
fn live_linux_boots_and_reads_its_seed() {
    live("linux", |b| {
        Box::pin(async {
            let Some(images) = std::env::var_os("INFRA_LIVE_IMAGES").map(PathBuf::from) else {
                eprintln!(
                    "SKIPPED: INFRA_LIVE_IMAGES names no directory with vmlinuz and initrd.img"
                );
                return;
            };
            let machine = linux(b, &images).await;
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            assert_eq!(b.machine(&id).await, machine);
            let log = machine.console_log.unwrap();
            wait_for(&log, "eth0 has 10.213.93.7/24").await;
            wait_for(&log, "seeded serves HTTP").await;
            b.delete(&id).await.unwrap();
            wait_for(&log, "power button: off").await;
        })
    });
}

pub(crate) async fn linux(b: &Bench, images: &Path) -> Machine {
    b.with_pool().await;
    for name in ["vmlinuz", "initrd.img"] {
        let (file, path) = b.file(name, &std::fs::read(images.join(name)).unwrap());
        b.create(&b.volume_id(&file.volume), &file, Some(&path))
            .await
            .unwrap();
        std::fs::remove_file(path).unwrap();
    }
    let seed = SeedVolume {
        volume: b.volume("seed"),
        meta_data: "instance-id: a\nlocal-hostname: seeded\n".into(),
        user_data: "#cloud-config\n".into(),
        vendor_data: None,
        network_config: Some(NETWORK_CONFIG.into()),
    };
    b.create(&b.volume_id(&seed.volume), &seed, None)
        .await
        .unwrap();
    let network = b.network("10.213.93");
    b.create(&b.id("network", &network.name), &network, None)
        .await
        .unwrap();
    Machine {
        boot: Boot::Kernel {
            kernel: b.volume("vmlinuz"),
            initramfs: Some(b.volume("initrd.img")),
            cmdline: Some("console=ttyS0 quiet".into()),
        },
        seed: Some(seed.volume),
        interfaces: vec![MachineInterface::new(
            "52:54:00:12:34:57".into(),
            &network,
            Some([10, 213, 93, 7].into()),
        )],
        memory_bytes: 256 << 20,
        console_log: Some(format!("{}/console.log", b.pool().path)),
        ..b.plain()
    }
}

const NETWORK_CONFIG: &str = "version: 2
ethernets:
  eth0:
    match:
      macaddress: \"52:54:00:12:34:57\"
    addresses: [10.213.93.7/24]
";

pub(crate) async fn wait_for(path: &str, text: &str) {
    let began = Instant::now();
    while !std::fs::read_to_string(path)
        .unwrap_or_default()
        .contains(text)
    {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{path} never said {text:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[test]
fn live_a_kernel_is_found_in_its_pool() {
    live("kernel", |b| {
        Box::pin(async {
            b.with_pool().await;
            // QEMU loads any bytes that look like a kernel's header; what matters here is that all is read back.
            let boot = Boot::Kernel {
                kernel: b.volume("vmlinuz"),
                initramfs: Some(b.volume("initrd")),
                cmdline: Some("console=ttyS0 a=\"<&>\"".into()),
            };
            let machine = Machine { boot, ..b.plain() };
            let id = b.id("domain", &machine.name);
            let failed = b.create(&id, &machine, None).await.unwrap_err();
            assert_eq!(failed.remedy, Remedy::Operator, "{failed}");
            let there = b.machine(&id).await;
            assert_eq!(
                there,
                Machine {
                    state: "shutoff".into(),
                    ..machine
                },
                "defined, and not started"
            );
        })
    });
}

/// The headline: pins of a running machine move, and it is the same machine.
#[test]
fn live_pins_move_while_it_runs() {
    live("pins", |b| {
        Box::pin(async {
            let (first, second) = (b.pinned(0), b.pinned(1));
            let id = b.id("domain", &first.name);
            b.create(&id, &first, None).await.unwrap();
            let before = b.domain_by_hand(&first).id();
            for _ in 0..2 {
                b.update(&id, &first, &second, Impact::InPlace)
                    .await
                    .unwrap();
                assert_eq!(b.machine(&id).await, second);
            }
            assert_eq!(b.domain_by_hand(&first).id(), before);
            drift(b, &id, &second, 1).await;
            drift(b, &id, &second, 2).await;
            assert_eq!(b.domain_by_hand(&first).id(), before);
        })
    });
}

/// Somebody moves a pin by hand, of the running machine (1) or of its definition (2): both are seen and mended.
async fn drift(b: &Bench, id: &ResourceId, wanted: &Machine, flags: u32) {
    b.domain_by_hand(wanted)
        .pin_vcpu_flags(0, &[1], flags)
        .unwrap();
    let found = b.machine(id).await;
    assert_eq!(found.vcpu_pins[&0], IdSet::from([0]), "flags {flags}");
    b.update(id, &found, wanted, Impact::InPlace).await.unwrap();
    assert_eq!(b.machine(id).await, *wanted);
}

#[test]
fn live_an_edit_for_the_next_start_is_seen() {
    live("edit", |b| {
        Box::pin(async {
            let machine = b.plain();
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            let (domain, before) = (b.domain_by_hand(&machine), b.domain_by_hand(&machine).id());
            let edited = domain
                .xml_desc(virt::sys::VIR_DOMAIN_XML_INACTIVE)
                .unwrap()
                .replace("65536", "131072");
            b.by_hand().define_domain_xml(&edited).unwrap();
            let found = b.machine(&id).await;
            assert_eq!(found.memory_bytes, 128 * MIB);
            b.update(&id, &found, &machine, Impact::Restart)
                .await
                .unwrap();
            assert_eq!(b.machine(&id).await, machine);
            assert_eq!(
                b.domain_by_hand(&machine).id(),
                before,
                "what runs was right all along: no restart"
            );
        })
    });
}

#[test]
fn live_a_failed_update_leaves_the_machine() {
    live("failed", |b| {
        Box::pin(async {
            let machine = b.plain();
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            let before = b.domain_by_hand(&machine).id();
            let nic = MachineInterface::new(
                "not-a-mac".into(),
                &b.network("10.213.99"),
                Some([10, 0, 0, 1].into()),
            );
            let refused = Machine {
                interfaces: vec![nic],
                ..machine.clone()
            };
            b.update(&id, &machine, &refused, Impact::Restart)
                .await
                .unwrap_err();
            assert_eq!(
                (b.machine(&id).await, b.domain_by_hand(&machine).id()),
                (machine.clone(), before)
            );
            // libvirt takes this definition and fails at the start: the machine is off, and still there.
            let impossible = Machine {
                memory_nodes: Some(IdSet::from([7])),
                ..machine.clone()
            };
            let failed = b
                .update(&id, &machine, &impossible, Impact::Restart)
                .await
                .unwrap_err();
            assert!(failed.hint.is_some(), "{failed:?}");
            let found = b.machine(&id).await;
            b.update(&id, &found, &machine, Impact::Restart)
                .await
                .unwrap();
            assert_eq!(b.machine(&id).await, machine);
        })
    });
}

#[test]
fn live_a_removed_pin_takes_a_restart() {
    live("unpin", |b| {
        Box::pin(async {
            let (pinned, free) = (b.pinned(0), b.plain());
            let id = b.id("domain", &pinned.name);
            b.create(&id, &pinned, None).await.unwrap();
            assert_eq!(
                b.update(&id, &pinned, &free, Impact::InPlace)
                    .await
                    .unwrap_err()
                    .remedy,
                Remedy::Replan
            );
            b.update(&id, &pinned, &free, Impact::Restart)
                .await
                .unwrap();
            assert_eq!(b.machine(&id).await, free);
        })
    });
}

#[test]
fn live_an_undefined_machine_that_still_runs_is_taken_back() {
    live("transient", |b| {
        Box::pin(async {
            let machine = b.plain();
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            let before = b.domain_by_hand(&machine).id();
            b.domain_by_hand(&machine).undefine().unwrap();
            assert!(matches!(b.read(&id).await, Observed::Partial { .. }));
            b.create(&id, &machine, None).await.unwrap();
            assert_eq!(
                (b.machine(&id).await, b.domain_by_hand(&machine).id()),
                (machine, before)
            );
        })
    });
}

#[test]
fn live_facts() {
    live("facts", |b| {
        Box::pin(async {
            let pool = b.with_pool().await;
            let machine = b.pinned(1);
            b.create(&b.id("domain", &machine.name), &machine, None)
                .await
                .unwrap();
            let mut facts = Facts::default();
            b.daemon.discover(&mut facts).await.unwrap();
            assert!(facts.versions.libvirt.is_some() && facts.versions.qemu.is_some());
            let libvirt = facts.libvirt.unwrap();
            assert_eq!(
                (libvirt.uri.as_str(), libvirt.emulated),
                (b.uri.as_str(), Some(true))
            );
            assert!(libvirt.machines.iter().any(|machine| machine == "q35"));
            let found = libvirt
                .pools
                .iter()
                .find(|found| found.name == pool.name)
                .unwrap();
            assert!(found.active == Some(true) && found.free_bytes > Some(0));
            let used = facts
                .used
                .iter()
                .find(|used| used.project.as_deref() == Some(b.project.as_str()))
                .unwrap();
            assert_eq!(
                (used.shared_cpus.clone(), used.memory_bytes),
                (IdSet::from([1]), Some(64 * MIB))
            );
        })
    });
}

/// What somebody else has written into it counts at once.
#[test]
fn live_the_room_in_our_pool_is_todays() {
    live("room", |b| {
        Box::pin(async {
            const MUCH: usize = 256 << 20;
            let pool = b.with_pool().await;
            let free = || async {
                let mut facts = Facts::default();
                b.daemon.discover(&mut facts).await.unwrap();
                let pools = facts.libvirt.unwrap().pools;
                let found = pools.iter().find(|found| found.name == pool.name);
                found.unwrap().free_bytes.unwrap()
            };
            let before = free().await;
            let path = PathBuf::from(&pool.path).join("by-hand");
            std::fs::write(&path, vec![1; MUCH]).unwrap();
            let after = free().await;
            std::fs::remove_file(path).unwrap();
            // Others write and remove there, too.
            assert!(
                before.saturating_sub(after) > MUCH as u64 / 2,
                "{before} {after}"
            );
        })
    });
}
