//! Guests that see NUMA nodes, on a libvirtd.

use std::collections::BTreeMap;
use std::path::PathBuf;

use infra_api::target::{Boot, GuestCell, Machine};
use infra_api::{IdSet, Impact, Text};

use crate::bench::live;
use crate::machines::{linux, wait_for};

/// Both on the host's node 0, as most machines have no other.
fn cells(machine: &Machine) -> Vec<GuestCell> {
    let small = 96 << 20;
    let cell = |vcpus: &[u32], memory_bytes, distances: [u32; 2]| GuestCell {
        vcpus: vcpus.iter().copied().collect(),
        memory_bytes,
        nodes: Some(IdSet::from([0])),
        page_size_bytes: None,
        distances: distances.into(),
    };
    vec![
        cell(&[0, 1], machine.memory_bytes - small, [10, 31]),
        cell(&[2], small, [31, 10]),
    ]
}

/// What was made is read back as it was, the guest sees it, and it comes and goes with a start.
#[test]
fn live_a_guest_sees_its_cells() {
    live("cells", |b| {
        Box::pin(async {
            let Some(images) = std::env::var_os("INFRA_LIVE_IMAGES").map(PathBuf::from) else {
                eprintln!(
                    "SKIPPED: INFRA_LIVE_IMAGES names no directory with vmlinuz and initrd.img"
                );
                return;
            };
            let whole = linux(b, &images).await;
            let Boot::Kernel {
                kernel, initramfs, ..
            } = whole.boot.clone()
            else {
                panic!("it boots a kernel");
            };
            let whole = Machine {
                boot: Boot::Kernel {
                    kernel,
                    initramfs,
                    cmdline: Some(Text::from("console=ttyS0")),
                },
                vcpus: 3,
                vcpu_pins: (0..3)
                    .map(|vcpu| (vcpu, IdSet::from([0])))
                    .collect::<BTreeMap<_, _>>(),
                memory_nodes: Some(IdSet::from([0])),
                ..whole
            };
            let parted = Machine {
                cells: cells(&whole),
                ..whole.clone()
            };
            let id = b.id("domain", &parted.name);
            b.create(&id, &parted, None).await.unwrap();
            assert_eq!(b.machine(&id).await, parted);
            let log = parted.console_log.clone().unwrap();
            wait_for(&log, "Initmem setup node 1").await;
            wait_for(&log, "seeded serves HTTP").await;
            assert_eq!(b.machine(&id).await, parted, "also once it runs");
            // A vCPU moves while it runs; the guest's nodes do not.
            let mut moved = parted.clone();
            moved.vcpu_pins.insert(2, IdSet::from([1]));
            b.update(&id, &parted, &moved, Impact::InPlace)
                .await
                .unwrap();
            b.update(&id, &moved, &whole, Impact::InPlace)
                .await
                .unwrap_err();
            b.update(&id, &moved, &whole, Impact::Restart)
                .await
                .unwrap();
            assert_eq!(b.machine(&id).await, whole);
            b.delete(&id).await.unwrap();
        })
    });
}
