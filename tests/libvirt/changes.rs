//! On a real libvirtd: all kinds of hardware, and what is changed while a machine runs.

use std::path::PathBuf;

use infra_api::target::*;
use infra_api::*;

use infra_libvirt::Libvirt;

use crate::bench::*;
use crate::machines::{linux, wait_for};

/// A pool with a disk to start from, one to plug in, and two media.
async fn stored(b: &Bench) {
    b.with_pool().await;
    for name in ["root", "data", "more"] {
        let disk = b.disk(name);
        b.create(&b.volume_id(&disk.volume), &disk, None)
            .await
            .unwrap();
    }
    for name in ["one.iso", "two.iso"] {
        let (file, path) = b.file(name, &[7; 4096]);
        b.create(&b.volume_id(&file.volume), &file, Some(&path))
            .await
            .unwrap();
        std::fs::remove_file(path).unwrap();
    }
}

fn disk(b: &Bench, name: &str) -> MachineDisk {
    MachineDisk::new(b.volume(name), Format::Qcow2, false)
}

fn present() -> Timer {
    Timer {
        present: Some(true),
        tick_policy: None,
    }
}

/// Of what QEMU has on any host.
fn furnished(b: &Bench) -> Machine {
    let hardware = Hardware {
        title: Some("One <of> everything".into()),
        description: Some("for a test".into()),
        machine_type: Some("pc-q35-7.2".into()),
        cpu: Some(Cpu {
            check: None,
            mode: "custom".into(),
            model: Some("qemu64".into()),
            features: [("svm".to_owned(), "disable".to_owned())].into(),
        }),
        topology: Some(Topology {
            sockets: 1,
            cores: 2,
            threads: 2,
        }),
        clock: Some(Clock {
            offset: "localtime".into(),
            timers: [("hpet".to_owned(), present())].into(),
        }),
        on_crash: Some("preserve".into()),
        graphics: Some(Graphics {
            protocol: "vnc".into(),
            port: None,
        }),
        video: Some("vga".into()),
        watchdog: Some(Watchdog {
            action: "reset".into(),
        }),
        panic: true,
        agent: true,
        shared_memory: true,
        ..Hardware::default()
    };
    let throttle = Throttle {
        read_bytes: Some(50_000_000),
        write_iops: Some(500),
        ..Throttle::default()
    };
    Machine {
        vcpus: 4,
        online_vcpus: Some(2),
        iothreads: 1,
        boot_order: vec!["cdrom".into(), "disk".into()],
        disks: vec![
            MachineDisk {
                cache: Some("writethrough".into()),
                io: Some("threads".into()),
                serial: Some("root-1".into()),
                queues: Some(2),
                iothread: Some(1),
                throttle: Some(throttle),
                ..disk(b, "root")
            },
            MachineDisk {
                bus: Some("scsi".into()),
                ..disk(b, "data")
            },
            MachineDisk {
                volume: Some(b.volume("one.iso")),
                ..MachineDisk::drive()
            },
            MachineDisk::drive(),
        ],
        hardware,
        ..b.plain()
    }
}

#[test]
fn live_hardware_is_as_it_was_asked_for() {
    live("hardware", |b| {
        Box::pin(async {
            stored(b).await;
            let machine = furnished(b);
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            assert_eq!(b.machine(&id).await, machine);
            // And so it will be at its next start.
            let domain = b.domain_by_hand(&machine);
            domain.destroy().unwrap();
            domain.create().unwrap();
            assert_eq!(b.machine(&id).await, machine);
        })
    });
}

/// One change after the other, each of the running machine: it stays the same process, is as asked, and would start so.
#[test]
fn live_changes_leave_it_running() {
    live("changes", |b| {
        Box::pin(async {
            stored(b).await;
            let network = b.network("10.213.95");
            b.create(&b.id("network", &network.name), &network, None)
                .await
                .unwrap();
            let mut machine = furnished(b);
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            let process = b.domain_by_hand(&machine).id();
            for (what, change) in CHANGES {
                let before = machine.clone();
                change(b, &mut machine);
                let changed = b.update(&id, &before, &machine, Impact::InPlace).await;
                changed.unwrap_or_else(|why| panic!("{what}: {why}"));
                assert_eq!(b.machine(&id).await, machine, "{what}");
            }
            let domain = b.domain_by_hand(&machine);
            assert_eq!(domain.id(), process);
            domain.destroy().unwrap();
            domain.create().unwrap();
            assert_eq!(b.machine(&id).await, machine);
        })
    });
}

/// What waits for its next start is there whoever starts it, and is taken back when nobody wants it any more. Until then
/// it is the same process, with what it had.
#[test]
fn live_its_next_start_is_prepared() {
    live("next-start", |b| {
        Box::pin(async {
            stored(b).await;
            let machine = furnished(b);
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            let process = b.domain_by_hand(&machine).id();
            let mut wanted = machine.clone();
            wanted.memory_bytes *= 2;
            wanted.hardware.watchdog = None;
            wanted.disks.remove(1);
            let (before, after) = (serde_json::json!(machine), serde_json::json!(wanted));
            let prepared = Libvirt::default()
                .prepared("domain", &before, &after)
                .unwrap();
            for _ in 0..2 {
                let prepare = Action::Prepare {
                    after: after.clone(),
                };
                b.apply(&id, prepare).await.unwrap();
                assert_eq!(b.body(&id).await, prepared);
            }
            assert_eq!(b.domain_by_hand(&machine).id(), process);
            let strangers = Change {
                id: id.clone(),
                mark: Mark {
                    project: Project::new("another"),
                    ..b.mark()
                },
                imported: None,
                action: Action::Prepare {
                    after: before.clone(),
                },
            };
            let refused = b.daemon.apply(&strangers, &Silent).await;
            assert_eq!(refused.unwrap_err().remedy, Remedy::Replan);
            assert_eq!(b.body(&id).await, prepared);
            // Taken back in place.
            let taken_back = b.update(&id, &prepared, &before, Impact::InPlace).await;
            taken_back.unwrap();
            assert_eq!(b.body(&id).await, before);
            assert_eq!(b.domain_by_hand(&machine).id(), process);
            let prepare = Action::Prepare {
                after: after.clone(),
            };
            b.apply(&id, prepare).await.unwrap();
            let domain = b.domain_by_hand(&machine);
            domain.destroy().unwrap();
            domain.create().unwrap();
            assert_eq!(b.body(&id).await, after);
            // Changed by hand for its next start alone: that is seen, too.
            domain
                .set_memory_flags(64 << 10, virt::sys::VIR_DOMAIN_AFFECT_CONFIG)
                .unwrap();
            assert_eq!(b.machine(&id).await.balloon_bytes, Some(64 << 20));
        })
    });
}

type Edited = fn(&Bench, &mut Machine);

const CHANGES: &[(&str, Edited)] = &[
    ("vCPUs are plugged in", |_, m| m.online_vcpus = None),
    ("a thread is added", |_, m| {
        m.iothreads = 2;
        m.iothread_pins.insert(2, IdSet::from([0]));
    }),
    ("a thread is pinned", |_, m| {
        m.iothread_pins.insert(2, IdSet::from([1]));
    }),
    ("a thread is taken away", |_, m| {
        m.iothreads = 1;
        m.iothread_pins.clear();
    }),
    ("a disk is limited", |_, m| {
        m.disks[0].throttle = Some(Throttle {
            iops: Some(100),
            ..Throttle::default()
        });
    }),
    ("a disk is set free", |_, m| m.disks[0].throttle = None),
    ("a disk is plugged in", |b, m| {
        m.disks.insert(1, disk(b, "more"));
    }),
    ("a medium is changed", |b, m| {
        m.disks[3].volume = Some(b.volume("two.iso"));
    }),
    ("a drive is emptied", |_, m| m.disks[3].volume = None),
    ("a drive is filled", |b, m| {
        m.disks[4].volume = Some(b.volume("one.iso"));
    }),
    ("a NIC is plugged in", |b, m| {
        m.interfaces.push(MachineInterface::new(
            "52:54:00:12:34:95".into(),
            &b.network("10.213.95"),
            Some([10, 213, 95, 7].into()),
        ));
    }),
    ("its cable is pulled", |_, m| {
        m.interfaces[0].unplugged = true;
    }),
    ("its cable is plugged in", |_, m| {
        m.interfaces[0].unplugged = false;
    }),
    ("it is described", |_, m| {
        m.hardware.title = None;
        m.hardware.description = Some("another".into());
    }),
    ("what follows a crash", |_, m| {
        m.hardware.on_crash = None;
        m.hardware.on_reboot = Some("destroy".into());
    }),
];

/// libvirt says yes to any balloon: a guest that hears nothing of it keeps its memory, and that is said.
#[test]
fn live_memory_that_is_not_given_back_is_missed() {
    live("balloon", |b| {
        Box::pin(async {
            let machine = b.plain();
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            let less = Machine {
                balloon_bytes: Some(32 * MIB),
                ..machine.clone()
            };
            let kept = b.update(&id, &machine, &less, Impact::InPlace).await;
            let kept = kept.unwrap_err();
            assert!(kept.cause.contains("kept 64 MiB"), "{kept}");
            assert!(kept.hint.unwrap().contains("virtio_balloon"));
            // What is not as wished is told.
            let found = b.machine(&id).await;
            assert_eq!((found.memory_bytes, found.balloon_bytes), (64 * MIB, None));
            b.update(&id, &found, &machine, Impact::InPlace)
                .await
                .unwrap();
            assert_eq!(b.machine(&id).await, machine);
        })
    });
}

#[test]
fn live_what_takes_a_restart_is_not_done_in_place() {
    live("cold", |b| {
        Box::pin(async {
            let machine = b.plain();
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            let process = b.domain_by_hand(&machine).id();
            let wanted = Machine {
                hardware: Hardware {
                    agent: true,
                    ..Hardware::default()
                },
                ..machine.clone()
            };
            let refused = b.update(&id, &machine, &wanted, Impact::InPlace).await;
            assert_eq!(refused.unwrap_err().remedy, Remedy::Replan);
            assert_eq!(b.machine(&id).await, machine);
            b.update(&id, &machine, &wanted, Impact::Restart)
                .await
                .unwrap();
            assert_eq!(b.machine(&id).await, wanted);
            assert_ne!(b.domain_by_hand(&machine).id(), process);
        })
    });
}

/// The seed is written again beside the running machine, which reads it when it starts: nothing of it is made anew.
#[test]
fn live_another_seed_is_a_restart() {
    live("reseed", |b| {
        Box::pin(async {
            b.with_pool().await;
            let seed = b.seed("seed");
            let at = b.volume_id(&seed.volume);
            b.create(&at, &seed, None).await.unwrap();
            let machine = Machine {
                seed: Some(seed.volume.clone()),
                seed_digest: Some("one".into()),
                ..b.plain()
            };
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            let other = SeedVolume {
                user_data: "#cloud-config\n# a much longer text\n".repeat(9000).into(),
                vendor_data: Some("#cloud-config\n".into()),
                ..seed.clone()
            };
            for _ in 0..2 {
                b.update(&at, &seed, &other, Impact::InPlace).await.unwrap();
                let written: SeedVolume = serde_json::from_value(b.body(&at).await).unwrap();
                assert_eq!(written, other);
            }
            assert_eq!(b.machine(&id).await, machine);
            let reseeded = Machine {
                seed_digest: Some("two".into()),
                ..machine.clone()
            };
            let refused = b.update(&id, &machine, &reseeded, Impact::InPlace).await;
            assert_eq!(refused.unwrap_err().remedy, Remedy::Replan);
            b.update(&id, &machine, &reseeded, Impact::Restart)
                .await
                .unwrap();
            assert_eq!(b.machine(&id).await, reseeded);
        })
    });
}

/// A network that is stopped by hand takes its bridge from under the machines on it. They are put back on the new one,
/// and the guests notice nothing.
#[test]
fn live_a_nic_that_was_cut_off_is_put_back() {
    live("cutoff", |b| {
        Box::pin(async {
            let network = b.network("10.213.97");
            let lan = b.id("network", &network.name);
            b.create(&lan, &network, None).await.unwrap();
            let nic = MachineInterface::new(
                "52:54:00:12:34:97".into(),
                &network,
                Some([10, 213, 97, 7].into()),
            );
            let machine = Machine {
                interfaces: vec![nic],
                ..b.plain()
            };
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            let process = b.domain_by_hand(&machine).id();
            let by_hand = b.by_hand().lookup_network_by_name(&network.name).unwrap();
            let cut_off = format!("{} (cut off)", network.name);
            by_hand.destroy().unwrap();
            assert_eq!(b.machine(&id).await.interfaces[0].network, cut_off);
            b.create(&lan, &network, None).await.unwrap();
            let found = b.machine(&id).await;
            assert_eq!(found.interfaces[0].network, cut_off);
            let bridge = network.bridge.as_ref().unwrap();
            let plugged = format!("/sys/class/net/{bridge}/brif");
            let on_it = || std::fs::read_dir(&plugged).unwrap().count();
            assert_eq!(on_it(), 0);
            for _ in 0..2 {
                b.update(&id, &found, &machine, Impact::InPlace)
                    .await
                    .unwrap();
                assert_eq!(b.machine(&id).await, machine);
            }
            assert_eq!(on_it(), 1);
            assert_eq!(b.domain_by_hand(&machine).id(), process);
            assert_eq!(b.ours().await.len(), 2, "nothing is left of the way");
        })
    });
}

/// What is pulled out a guest must let go: a real one does. Needs INFRA_LIVE_IMAGES, as booting Linux does.
#[test]
fn live_a_guest_lets_go_what_is_pulled_out() {
    live("pull", |b| {
        Box::pin(async {
            let Some(images) = std::env::var_os("INFRA_LIVE_IMAGES").map(PathBuf::from) else {
                eprintln!(
                    "SKIPPED: INFRA_LIVE_IMAGES names no directory with vmlinuz and initrd.img"
                );
                return;
            };
            let mut machine = linux(b, &images).await;
            for name in ["root", "data"] {
                let volume = b.disk(name);
                b.create(&b.volume_id(&volume.volume), &volume, None)
                    .await
                    .unwrap();
            }
            machine.disks = vec![disk(b, "root"), disk(b, "data")];
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            wait_for(machine.console_log.as_ref().unwrap(), "eth0 has").await;
            let process = b.domain_by_hand(&machine).id();
            let less = Machine {
                disks: vec![disk(b, "root")],
                interfaces: Vec::new(),
                ..machine.clone()
            };
            for (before, after) in [(&machine, &less), (&less, &machine)] {
                b.update(&id, before, after, Impact::InPlace).await.unwrap();
                assert_eq!(b.machine(&id).await, *after);
            }
            assert_eq!(b.domain_by_hand(&machine).id(), process);
        })
    });
}
