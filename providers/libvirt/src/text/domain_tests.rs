//! What a domain's XML must be, and that reading undoes writing.

use std::collections::BTreeMap;

use infra_api::target::{
    Acceleration, Boot, Format, Machine, MachineDisk, MachineInterface, VolumeRef,
};
use infra_api::{Address, IdSet, Mark, Project, Text};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::domain::{Hypervisor, definition, fingerprint, write};
use super::domain_read::{Found, read, target};
use super::golden;
use super::pool::Pools;

fn pools() -> Pools {
    Pools(BTreeMap::from([("demo".into(), "/srv/demo".into())]))
}

fn mark() -> Mark {
    Mark {
        project: Project::new("demo"),
        address: Address::new("workload.feed"),
    }
}

fn volume(name: &str) -> VolumeRef {
    VolumeRef {
        pool: "demo".into(),
        name: name.into(),
    }
}

fn disk(name: &str, format: Format, read_only: bool) -> MachineDisk {
    MachineDisk {
        volume: volume(name),
        format,
        read_only,
    }
}

fn plain() -> Machine {
    Machine {
        name: "demo.feed".into(),
        uuid: "d5ccae76-5d0e-5b15-b4ed-33c56dfb3a79".into(),
        state: "running".into(),
        acceleration: Acceleration::Emulated,
        vcpus: 1,
        vcpu_pins: BTreeMap::new(),
        emulator_pin: None,
        memory_bytes: 256 << 20,
        memory_nodes: None,
        page_size_bytes: None,
        boot: Boot::Kernel {
            kernel: volume("vmlinuz"),
            initramfs: Some(volume("initrd")),
            cmdline: Some("console=ttyS0 a=\"<&>\"".into()),
        },
        disks: Vec::new(),
        seed: None,
        interfaces: Vec::new(),
        console_log: None,
        autostart: false,
    }
}

fn pinned() -> Machine {
    Machine {
        acceleration: Acceleration::Kvm,
        vcpus: 2,
        vcpu_pins: BTreeMap::from([(0, IdSet::from([4])), (1, IdSet::from([5, 6, 7]))]),
        emulator_pin: Some(IdSet::from([0, 32])),
        memory_bytes: 8 << 30,
        memory_nodes: Some(IdSet::from([1])),
        page_size_bytes: Some(1 << 30),
        boot: Boot::Disk,
        disks: vec![
            disk("root", Format::Qcow2, false),
            disk("data", Format::Raw, false),
            disk("tools", Format::Raw, true),
        ],
        seed: Some(volume("feed-seed")),
        interfaces: vec![MachineInterface {
            mac: "52:54:00:ae:24:5a".into(),
            network: "demo.lan".into(),
            address: "10.1.2.3".parse().unwrap(),
        }],
        console_log: Some("/srv/demo/feed.log".into()),
        ..plain()
    }
}

fn xml(machine: &Machine) -> String {
    write(machine, &mark(), &pools(), Hypervisor::Qemu).unwrap()
}

fn back(xml: &str) -> Found {
    read(xml, &pools()).unwrap()
}

#[test]
fn goldens() {
    golden("domain-emulated.xml", &xml(&plain()));
    golden("domain-pinned.xml", &xml(&pinned()));
    let mocked = write(&plain(), &mark(), &pools(), Hypervisor::Test).unwrap();
    assert!(mocked.starts_with("<domain type=\"test\">"));
}

/// `dumpxml` of libvirt 9.0 after a definition of the first golden with disks, seed and interface: with all
/// that it adds, the body is the same.
#[test]
fn as_libvirt_hands_it_back() {
    let found = back(
        &std::fs::read_to_string(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/text/golden/domain-as-read.xml"
        ))
        .unwrap(),
    );
    let wanted = Machine {
        acceleration: Acceleration::Emulated,
        memory_bytes: 1 << 30,
        memory_nodes: Some(IdSet::from([0])),
        page_size_bytes: Some(2 << 20),
        ..pinned()
    };
    assert_eq!(found.machine, definition(wanted.clone()));
    let stamp = found.stamp.unwrap();
    assert_eq!((stamp.mark, stamp.made), (mark(), fingerprint(&wanted)));
}

#[test]
fn what_libvirt_would_round_or_not_know_is_refused() {
    let refused =
        |machine: Machine| write(&machine, &mark(), &pools(), Hypervisor::Qemu).unwrap_err();
    assert!(
        refused(Machine {
            memory_bytes: 1 << 10,
            ..plain()
        })
        .contains("MiB")
    );
    assert!(
        refused(Machine {
            state: "shutoff".into(),
            ..plain()
        })
        .contains("shutoff")
    );
    let disks = vec![disk("x", Format::Raw, false); 27];
    assert!(refused(Machine { disks, ..plain() }).contains("26"));
    let kernel = VolumeRef {
        pool: "other".into(),
        name: "k".into(),
    };
    assert!(
        refused(Machine {
            boot: Boot::Kernel {
                kernel,
                initramfs: None,
                cmdline: None
            },
            ..plain()
        })
        .contains("`other`")
    );
    let cmdline = Some(Text::Secret {
        digest: "hmac-sha256:0".into(),
    });
    let boot = Boot::Kernel {
        kernel: volume("k"),
        initramfs: None,
        cmdline,
    };
    assert!(refused(Machine { boot, ..plain() }).contains("secret"));
}

/// Nothing of a stranger's machine fails to be read; what we would never write shows as what it is.
#[test]
fn a_strangers_domain() {
    let found = back(
        "<domain type='kvm'><name>win</name><uuid>u</uuid><memory unit='GiB'>2</memory>
         <memoryBacking><hugepages/></memoryBacking><vcpu current='2'>4</vcpu>
         <cputune><vcpupin vcpu='0' cpuset='1-2'/></cputune><numatune><memory mode='preferred' nodeset='1'/></numatune>
         <os><type>hvm</type></os><devices>
         <disk type='file' device='disk'><driver type='qcow2'/><source file='/x/win.img'/><target dev='sda'/></disk>
         <disk type='file' device='cdrom'><target dev='sdb'/></disk>
         <interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/></interface>
         <hostdev mode='subsystem' type='pci'><source><address domain='0x0000' bus='0x3b' slot='0x02' function='0x1'/></source></hostdev>
         </devices></domain>",
    );
    assert_eq!(
        (found.stamp, found.host_devices),
        (None, vec!["0000:3b:02.1".to_owned()])
    );
    let machine = found.machine;
    assert_eq!(
        (machine.vcpus, machine.memory_bytes, machine.page_size_bytes),
        (2, 2 << 30, Some(2 << 20))
    );
    assert_eq!(
        (machine.memory_nodes, machine.seed, machine.disks.len()),
        (None, None, 1)
    );
    assert_eq!(
        machine.disks[0].volume,
        VolumeRef {
            pool: String::new(),
            name: "/x/win.img".into()
        }
    );
    assert_eq!(machine.interfaces[0].network, "");
}

#[test]
fn a_volumes_place_in_a_domain() {
    assert_eq!(
        target(&xml(&pinned()), &volume("data"), &pools()),
        Some("vdb".into())
    );
    assert_eq!(target(&xml(&pinned()), &volume("other"), &pools()), None);
}

fn ids() -> impl Strategy<Value = IdSet> {
    btree_set(0u32..200, 1..5).prop_map(|ids| ids.into_iter().collect())
}

fn volumes() -> impl Strategy<Value = VolumeRef> {
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

fn disks() -> impl Strategy<Value = Vec<MachineDisk>> {
    let format = prop_oneof![Just(Format::Raw), Just(Format::Qcow2)];
    vec(
        (volumes(), format, any::<bool>()).prop_map(|(volume, format, read_only)| MachineDisk {
            volume,
            format,
            read_only,
        }),
        0..4,
    )
}

fn interfaces() -> impl Strategy<Value = Vec<MachineInterface>> {
    let one = (any::<[u8; 3]>(), "[a-z.]{1,12}", any::<u32>());
    let named = one.prop_map(|([a, b, c], network, ip)| MachineInterface {
        mac: format!("52:54:00:{a:02x}:{b:02x}:{c:02x}"),
        network,
        address: ip.into(),
    });
    vec(named, 0..3).prop_filter("a MAC is one interface's", |all| {
        all.iter()
            .map(|i| &i.mac)
            .collect::<std::collections::BTreeSet<_>>()
            .len()
            == all.len()
    })
}

fn machines() -> impl Strategy<Value = Machine> {
    let cpus = (any::<bool>(), 1u32..9, vec(ids(), 8), option::of(ids()));
    let memory = (
        1u64..4096,
        option::of(ids()),
        option::of(prop_oneof![Just(2u64 << 20), Just(1 << 30)]),
    );
    let devices = (
        boots(),
        disks(),
        option::of(volumes()),
        interfaces(),
        option::of("/[a-z/]{1,20}"),
    );
    (cpus, memory, devices).prop_map(
        |((kvm, vcpus, pins, emulator_pin), (mib, memory_nodes, page_size_bytes), devices)| {
            let (boot, disks, seed, interfaces, console_log) = devices;
            let acceleration = if kvm {
                Acceleration::Kvm
            } else {
                Acceleration::Emulated
            };
            let vcpu_pins = (0..vcpus).zip(pins).collect();
            let memory_bytes = mib << 20;
            Machine {
                acceleration,
                vcpus,
                vcpu_pins,
                emulator_pin,
                memory_bytes,
                memory_nodes,
                page_size_bytes,
                boot,
                disks,
                seed,
                interfaces,
                console_log,
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
