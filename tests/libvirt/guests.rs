//! On a real daemon: what a guest says of itself. Needs INFRA_LIVE_IMAGES, as booting Linux does.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use infra_api::target::*;
use infra_api::*;

use crate::bench::*;
use crate::machines::linux;

/// It is ready when the guest is, and says until then what it lacks.
#[test]
fn live_a_guest_is_ready_when_it_is_up() {
    live("ready", |b| {
        Box::pin(async {
            let Some(images) = images() else { return };
            let machine = linux(b, &images).await;
            // Where lowering puts it: in a directory that is nobody's pool.
            let log = format!("/var/log/libvirt/qemu/{}.console.log", machine.name);
            let machine = Machine {
                ready: up("serves HTTP", 80),
                console_log: Some(log.clone()),
                ..machine
            };
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            let seen = until_ready(b, &id).await;
            assert!(seen[0].contains("\"serves HTTP\""), "{seen:?}");
            let last = b.daemon.last_words(&id).await.unwrap().unwrap();
            assert!(last.contains("serves HTTP after"), "{last}");
            // What an earlier start said is no word of this one.
            let before = b.machine(&id).await;
            let larger = Machine {
                memory_bytes: before.memory_bytes + MIB,
                ..before.clone()
            };
            let restarted = b.update(&id, &before, &larger, Impact::Restart).await;
            restarted.unwrap();
            assert!(until_ready(b, &id).await[0].contains("\"serves HTTP\""));
            let process = b.domain_by_hand(&machine).id();
            other_wishes(b, &id).await;
            assert_eq!(b.domain_by_hand(&machine).id(), process);
            let pools = b.by_hand().list_all_storage_pools(0).unwrap();
            let mut names = pools.iter().map(|pool| pool.name().unwrap());
            assert!(!names.any(|name| name == "infra-console-logs"));
            b.delete(&id).await.unwrap();
            // The daemon may have a /var/log of its own.
            let _ = std::fs::remove_file(log);
        })
    });
}

fn images() -> Option<PathBuf> {
    let images = std::env::var_os("INFRA_LIVE_IMAGES").map(PathBuf::from);
    if images.is_none() {
        eprintln!("SKIPPED: INFRA_LIVE_IMAGES names no directory with vmlinuz and initrd.img");
    }
    images
}

fn up(console: &str, port: u16) -> Option<GuestReady> {
    Some(GuestReady {
        console: Some(console.into()),
        port: Some(port),
        ..GuestReady::default()
    })
}

/// What was waited for.
async fn until_ready(b: &Bench, id: &ResourceId) -> Vec<String> {
    let (mut seen, began) = (Vec::new(), Instant::now());
    loop {
        match b.daemon.ready(id).await.unwrap() {
            Readiness::Ready => return seen,
            Readiness::Waiting(what) => seen.push(what),
            Readiness::Failed(why) => panic!("{why}"),
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{seen:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// They are noted while it runs, and asked from then on.
async fn other_wishes(b: &Bench, id: &ResourceId) {
    let only = |wish: fn(&mut GuestReady)| {
        let mut ready = GuestReady::default();
        wish(&mut ready);
        Some(ready)
    };
    for (ready, says) in [
        (up("no such line", 80), "\"no such line\" does not stand"),
        (up("serves HTTP", 81), "10.213.93.7:81 takes no connection"),
        (only(|r| r.lease = true), "no DHCP lease"),
        (only(|r| r.agent = true), "guest agent has not started"),
        (only(|r| r.cloud_init = true), "cloud-init has not said"),
    ] {
        let before = b.machine(id).await;
        let after = Machine {
            ready,
            ..before.clone()
        };
        let changed = b.update(id, &before, &after, Impact::InPlace).await;
        changed.unwrap();
        assert_eq!(b.machine(id).await, after);
        let Readiness::Waiting(what) = b.daemon.ready(id).await.unwrap() else {
            panic!("{says}");
        };
        assert!(what.contains(says), "{what}");
    }
}

/// QEMU opens the file when it starts: it must be let in. A change is there at the next start.
#[test]
fn live_ignition_is_handed_over() {
    live("ignition", |b| {
        Box::pin(async {
            b.with_pool().await;
            let config = |version: &str| IgnitionVolume {
                volume: b.volume("vm.ign"),
                config: format!("{{\"ignition\":{{\"version\":\"{version}\"}}}}\n").into(),
            };
            let file = b.volume_id(&b.volume("vm.ign"));
            b.create(&file, &config("3.4.0"), None).await.unwrap();
            let told = |digest: &str| Machine {
                ignition: Some(Ignition {
                    volume: b.volume("vm.ign"),
                    digest: digest.into(),
                }),
                ..b.plain()
            };
            let (machine, other) = (told("1"), told("2"));
            let id = b.id("domain", &machine.name);
            b.create(&id, &machine, None).await.unwrap();
            assert_eq!(b.machine(&id).await, machine);
            assert_eq!(
                handed_over(&machine),
                "{\"ignition\":{\"version\":\"3.4.0\"}}\n"
            );
            let (old, new) = (config("3.4.0"), config("3.5.0"));
            b.update(&file, &old, &new, Impact::InPlace).await.unwrap();
            assert_eq!(b.body(&file).await, serde_json::json!(config("3.5.0")));
            b.update(&id, &machine, &other, Impact::Restart)
                .await
                .unwrap();
            assert_eq!(b.machine(&id).await, other);
            assert_eq!(
                handed_over(&other),
                "{\"ignition\":{\"version\":\"3.5.0\"}}\n"
            );
            b.delete(&id).await.unwrap();
            b.delete(&file).await.unwrap();
        })
    });
}

/// What the running QEMU was given under Ignition's name.
fn handed_over(machine: &Machine) -> String {
    let guest = format!("guest={}", machine.name);
    let processes = std::fs::read_dir("/proc").unwrap();
    let lines = processes.filter_map(|entry| {
        let line = std::fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).into_owned())
    });
    let mut ours = lines.filter(|line| line.contains(&guest));
    let line = ours.next().expect("it runs");
    let mut words = line.split('\0');
    let given = words.find_map(|word| word.strip_prefix("name=opt/com.coreos/config,file="));
    std::fs::read_to_string(given.expect("it was given")).unwrap()
}
