//! Any machine: reading undoes writing, and no text makes the reader panic.

use infra_api::target::{Acceleration, Boot, GuestCell, Machine, VolumeRef};
use infra_api::{IdSet, Text};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::domain::definition;
use super::domain::hardware_tests::{disks, hardware, interfaces};
use super::domain_read::{in_order, read};
use super::domain_tests::{back, mark, plain, pools, volume, xml};

fn ids() -> impl Strategy<Value = IdSet> {
    btree_set(0u32..200, 1..5).prop_map(|ids| ids.into_iter().collect())
}

pub(crate) fn volumes() -> impl Strategy<Value = VolumeRef> {
    "[a-z][a-z0-9.-]{0,12}".prop_map(|name| volume(&name))
}

fn boots() -> impl Strategy<Value = Boot> {
    let kernel = (volumes(), option::of(volumes()), option::of("[ -~]{0,60}"));
    prop_oneof![
        Just(Boot::Disk),
        kernel.prop_map(|(kernel, initramfs, cmdline)| Boot::Kernel {
            kernel,
            initramfs,
            cmdline: cmdline.map(Text::from)
        })
    ]
}

/// The first vCPUs and MiB, one each, and what is left, where there is as much.
fn cells(machine: &Machine, parts: usize) -> Vec<GuestCell> {
    let parts = u32::try_from(parts).unwrap();
    if parts < 2 || machine.vcpus < parts || machine.memory_bytes < u64::from(parts) << 20 {
        return Vec::new();
    }
    let cell = |n: u32| {
        let (end, bytes) = match n + 1 == parts {
            true => (machine.vcpus, machine.memory_bytes - (u64::from(n) << 20)),
            false => (n + 1, 1 << 20),
        };
        GuestCell {
            vcpus: (n..end).collect(),
            memory_bytes: bytes,
            // Whoever is bound as a whole is bound in its parts, or some of them.
            nodes: machine.memory_nodes.clone().filter(|_| n != 1),
            page_size_bytes: machine.page_size_bytes.filter(|_| n != 0),
            distances: match machine.vcpus % 2 {
                0 => (0..parts).map(|to| if to == n { 10 } else { 21 }).collect(),
                _ => Vec::new(),
            },
        }
    };
    (0..parts).map(cell).collect()
}

fn machines() -> impl Strategy<Value = Machine> {
    let cpus = (
        any::<bool>(),
        (1u32..9, 0u32..3),
        vec(ids(), 8),
        option::of(ids()),
        0u32..3,
    );
    let memory = (
        (1u64..4096, 0u64..2),
        option::of((ids(), option::of("preferred|interleave|restrictive"))),
        option::of(prop_oneof![Just(2u64 << 20), Just(1 << 30)]),
        0usize..4,
    );
    let devices = (
        boots(),
        disks(),
        option::of(volumes()),
        interfaces(),
        option::of("/[a-z/]{1,20}"),
    );
    (cpus, memory, devices, hardware()).prop_map(
        |(cpus, ((mib, less), bound, page_size_bytes, parts), devices, hardware)| {
            let (boot, disks, seed, interfaces, console_log) = devices;
            let (kvm, (online, more), pins, emulator_pin, iothreads) = cpus;
            let (memory_nodes, memory_mode) = bound.unzip();
            let acceleration = if kvm {
                Acceleration::Kvm
            } else {
                Acceleration::Emulated
            };
            let iothread_pins = (1..=iothreads).zip(pins.clone()).collect();
            let vcpu_pins = (0..online).zip(pins).collect();
            let memory_bytes = (mib + less) << 20;
            let parted = Machine {
                memory_bytes,
                page_size_bytes,
                memory_nodes: memory_nodes.clone(),
                vcpus: online + more,
                ..plain()
            };
            let cells = cells(&parted, parts);
            let page_size_bytes = page_size_bytes.filter(|_| cells.is_empty());
            Machine {
                cells,
                acceleration,
                vcpus: online + more,
                online_vcpus: (more > 0).then_some(online),
                vcpu_pins,
                emulator_pin,
                iothreads,
                iothread_pins,
                memory_bytes,
                balloon_bytes: (less > 0).then_some(mib << 20),
                memory_nodes,
                memory_mode: memory_mode.flatten(),
                page_size_bytes,
                boot,
                disks: in_order(disks),
                seed_digest: seed.as_ref().map(|_| "00ff".to_owned()),
                seed,
                interfaces,
                console_log,
                hardware,
                ..plain()
            }
        },
    )
}

proptest! {
    #[test]
    fn read_undoes_write(machine in machines()) {
        let found = back(&xml(&machine));
        prop_assert_eq!(found.stamp.map(|stamp| stamp.mark), Some(mark()));
        prop_assert_eq!(found.machine, definition(machine));
    }

    #[test]
    fn no_text_panics(text in "(<domain>)?(<[a-z]{0,6}/?>|[ -~]){0,40}") {
        let _ = read(&text, &pools());
    }
}
