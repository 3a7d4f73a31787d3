//! What a domain's XML must be, and that reading undoes writing.

use std::collections::BTreeMap;

use infra_api::target::{
    Acceleration, Bandwidth, Boot, DiskDevice, Driver, Format, GuestReady, Hardware, Ignition,
    Machine, MachineDisk, MachineInterface, MachineNetwork, Rate, Throttle, VolumeRef,
};
use infra_api::{Address, IdSet, Mark, Project, Text};

use super::domain::hardware_tests::all_of_it;
use super::domain::{Hypervisor, definition, fingerprint, write};
use super::domain_read::{Found, places, read};
use super::golden;
use super::pool::Pools;

pub(crate) fn pools() -> Pools {
    Pools(BTreeMap::from([("demo".into(), "/srv/demo".into())]))
}

pub(crate) fn mark() -> Mark {
    Mark {
        project: Project::new("demo"),
        address: Address::new("workload.feed"),
    }
}

pub(crate) fn volume(name: &str) -> VolumeRef {
    VolumeRef {
        pool: "demo".into(),
        name: name.into(),
    }
}

pub(crate) fn disk(name: &str, format: Format, read_only: bool) -> MachineDisk {
    MachineDisk::new(volume(name), format, read_only)
}

pub(crate) fn plain() -> Machine {
    Machine {
        name: "demo.feed".into(),
        uuid: "d5ccae76-5d0e-5b15-b4ed-33c56dfb3a79".into(),
        state: "running".into(),
        next_start: None,
        acceleration: Acceleration::Emulated,
        vcpus: 1,
        online_vcpus: None,
        vcpu_pins: BTreeMap::new(),
        emulator_pin: None,
        iothreads: 0,
        iothread_pins: BTreeMap::new(),
        memory_bytes: 256 << 20,
        balloon_bytes: None,
        memory_nodes: None,
        memory_mode: None,
        page_size_bytes: None,
        cells: Vec::new(),
        boot: Boot::Kernel {
            kernel: volume("vmlinuz"),
            initramfs: Some(volume("initrd")),
            cmdline: Some("console=ttyS0 a=\"<&>\"".into()),
        },
        boot_order: Vec::new(),
        disks: Vec::new(),
        seed: None,
        seed_digest: None,
        ignition: None,
        interfaces: Vec::new(),
        console_log: None,
        autostart: false,
        ready: None,
        stop_timeout_s: None,
        patches: Vec::new(),
        hardware: Hardware::default(),
    }
}

pub(crate) fn pinned() -> Machine {
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
        interfaces: vec![nic("52:54:00:ae:24:5a")],
        console_log: Some("/srv/demo/feed.log".into()),
        ..plain()
    }
}

pub(crate) fn nic(mac: &str) -> MachineInterface {
    let address = "10.1.2.3".parse().ok();
    let network = MachineNetwork {
        name: "demo.lan".into(),
        uuid: String::new(),
        bridge: Some("br-0123456789".into()),
        driver: None,
        own: None,
    };
    MachineInterface::new(mac.into(), &network, address)
}

/// One of everything.
pub(crate) fn whole() -> Machine {
    let fast = MachineDisk {
        cache: Some("none".into()),
        io: Some("native".into()),
        discard: Some("ignore".into()),
        serial: Some("data-1".into()),
        queues: Some(2),
        iothread: Some(1),
        throttle: Some(throttle()),
        ..disk("data", Format::Qcow2, false)
    };
    let block = MachineDisk {
        volume: None,
        path: Some("/dev/vg0/logs".into()),
        bus: Some("scsi".into()),
        ..disk("", Format::Raw, false)
    };
    let rate = |average_bytes, peak_bytes| Rate {
        average_bytes,
        peak_bytes,
    };
    let bandwidth = Bandwidth {
        inbound: Some(rate(1_000_000, Some(2_000_000))),
        outbound: Some(rate(5000, None)),
    };
    let limited = MachineInterface {
        model: Some("e1000e".into()),
        mtu: Some(9000),
        unplugged: true,
        bandwidth: Some(bandwidth),
        ..nic("52:54:00:ae:24:5b")
    };
    let several = MachineInterface {
        queues: Some(2),
        ..nic("52:54:00:ae:24:5a")
    };
    Machine {
        acceleration: Acceleration::Kvm,
        vcpus: 4,
        online_vcpus: Some(2),
        iothreads: 2,
        iothread_pins: BTreeMap::from([(1, IdSet::from([0])), (2, IdSet::from([0, 1]))]),
        memory_bytes: 4 << 30,
        balloon_bytes: Some(2 << 30),
        memory_nodes: Some(IdSet::from([0])),
        memory_mode: Some("restrictive".into()),
        boot: Boot::Disk,
        boot_order: vec!["cdrom".into(), "disk".into(), "network".into()],
        disks: vec![
            disk("root", Format::Qcow2, false),
            fast,
            block,
            MachineDisk {
                volume: Some(volume("setup.iso")),
                ..MachineDisk::drive()
            },
            MachineDisk::drive(),
        ],
        interfaces: vec![several, limited],
        ready: Some(ready()),
        stop_timeout_s: Some(5),
        ignition: Some(ignition()),
        hardware: all_of_it(),
        ..plain()
    }
}

fn throttle() -> Throttle {
    Throttle {
        read_bytes: Some(50_000_000),
        write_iops: Some(500),
        ..Throttle::default()
    }
}

fn ignition() -> Ignition {
    Ignition {
        volume: volume("feed.ign"),
        digest: "00ff".into(),
    }
}

fn ready() -> GuestReady {
    GuestReady {
        port: Some(22),
        console: Some("\"login\": <&>".into()),
        ..GuestReady::default()
    }
}

pub(crate) fn xml(machine: &Machine) -> String {
    write(machine, &mark(), &pools(), Hypervisor::Qemu).unwrap()
}

pub(crate) fn back(xml: &str) -> Found {
    read(xml, &pools()).unwrap()
}

#[test]
fn goldens() {
    golden("domain-emulated.xml", &xml(&plain()));
    golden("domain-pinned.xml", &xml(&pinned()));
    golden("domain-whole.xml", &xml(&whole()));
    assert_eq!(back(&xml(&whole())).machine, definition(whole()));
    let mocked = write(&plain(), &mark(), &pools(), Hypervisor::Test).unwrap();
    assert!(mocked.starts_with("<domain type=\"test\">"));
}

/// What an earlier start said is no answer.
#[test]
fn a_console_that_is_waited_for_is_begun_anew() {
    let waits = Machine {
        ready: Some(ready()),
        ..pinned()
    };
    assert!(xml(&pinned()).contains("append=\"on\"") && !xml(&pinned()).contains("\"off\""));
    assert!(xml(&waits).contains("append=\"off\"") && !xml(&waits).contains("append=\"on\""));
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
        (machine.vcpus, machine.online_vcpus, machine.memory_bytes),
        (4, Some(2), 2 << 30)
    );
    assert_eq!(
        (machine.memory_mode.as_deref(), machine.page_size_bytes),
        (Some("preferred"), Some(2 << 20))
    );
    assert_eq!((machine.seed, machine.disks.len()), (None, 2));
    let disk = &machine.disks[0];
    assert_eq!(
        (&disk.volume, disk.path.as_deref()),
        (&None, Some("/x/win.img"))
    );
    assert_eq!(machine.disks[1].device, DiskDevice::Cdrom);
    assert_eq!(machine.interfaces[0].network, "");
}

/// What libvirt says of NICs of a machine that runs, beside what we wrote.
#[test]
fn what_nics_are_on_while_they_run() {
    let wanted = Machine {
        interfaces: vec![
            nic("52:54:00:00:00:01"),
            on("52:54:00:00:00:02", "macvlan", "passthru"),
            on("52:54:00:00:00:03", "sriov", ""),
        ],
        ..definition(plain())
    };
    let written = xml(&Machine {
        state: "running".into(),
        ..wanted.clone()
    });
    let interface = |n: usize| {
        let from = written.match_indices("<interface").nth(n).unwrap().0;
        let to = from + written[from..].find("</interface>").unwrap() + "</interface>".len();
        written[from..to].to_owned()
    };
    let port = "portid='b0ab4a0e-7f6f-4d0c-8f0e-6f0d2e6b0c11'";
    let runs = |bridge: &str, dev: &str| {
        let mac = |n: u8| format!("<mac address='52:54:00:00:00:0{n}'/>");
        let model = "<model type='virtio'/>";
        let now = [
            format!(
                "<interface type='bridge'>{}<source network='demo.lan' {port} bridge='{bridge}'/>{model}</interface>",
                mac(1)
            ),
            format!(
                "<interface type='direct'>{}<source network='demo.lan' {port} dev='{dev}' mode='passthrough'/>{model}</interface>",
                mac(2)
            ),
            format!(
                "<interface type='hostdev' managed='yes'>{}<driver name='vfio'/><source><address type='pci' domain='0x0000' bus='0x3b' slot='0x02' function='0x1'/></source></interface>",
                mac(3)
            ),
        ];
        // What was plugged in last is last.
        let [one, two, three] = now;
        let all = [three, two, one].concat();
        let without = (0..3).fold(written.clone(), |text, n| text.replace(&interface(n), ""));
        back(&without.replace("</devices>", &format!("{all}</devices>")))
    };
    let found = runs("br-0123456789", "ens1f0");
    assert_eq!(found.machine, wanted);
    let given = vec!["0000:3b:02.1".to_owned()];
    assert_eq!((found.host_devices, found.ports), (given, vec![None; 3]));
    let elsewhere = runs("br0", "ens2").machine.interfaces;
    assert_eq!(elsewhere[0].bridge.as_deref(), Some("br0"));
    assert_eq!(elsewhere[1].driver.as_ref().unwrap().parent, "ens2");
    // What is noted speaks for what is written, and where nothing is said.
    assert_eq!(back(&written).machine, wanted);
}

fn on(mac: &str, name: &str, mode: &str) -> MachineInterface {
    MachineInterface {
        bridge: None,
        driver: Some(Driver {
            name: name.into(),
            parent: "ens1f0".into(),
            mode: mode.into(),
        }),
        vlan: None,
        ..nic(mac)
    }
}

#[test]
fn where_disks_are_in_a_domain() {
    let places = places(&xml(&whole())).unwrap();
    assert_eq!(places.of_volume(&volume("data"), "/no"), Some("vdb".into()));
    assert_eq!(places.of_volume(&volume("other"), "/no"), None);
    assert_eq!(places.of(&whole().disks[2]), Some("sda".into()));
    assert_eq!(places.drive(0), Some("sdb".into()));
    assert_eq!(places.drive(1), Some("sdc".into()));
    assert_eq!(places.drive(2), None);
    assert_eq!(places.free("virtio"), Some("vdc".into()));
    assert_eq!(places.free("scsi"), Some("sdd".into()));
}

#[test]
fn each_nvme_disk_has_a_controller_of_its_own() {
    let disk = |name: &str| MachineDisk {
        bus: Some("nvme".into()),
        serial: Some(name.into()),
        ..MachineDisk::new(volume(name), Format::Raw, false)
    };
    let machine = Machine {
        disks: vec![disk("a"), disk("b")],
        ..plain()
    };
    let xml = xml(&machine);
    for (place, serial) in [("nvme0n1", "a"), ("nvme1n1", "b")] {
        assert!(
            xml.contains(&format!("<target dev=\"{place}\" bus=\"nvme\"/>")),
            "{xml}"
        );
        assert!(xml.contains(&format!("<serial>{serial}</serial>")));
    }
    let places = places(&xml).unwrap();
    assert_eq!(
        places.of_volume(&volume("b"), "/no"),
        Some("nvme1n1".into())
    );
    assert_eq!(places.free("nvme"), Some("nvme2n1".into()));
}

/// What runs is spelled out by libvirt: it is still what was asked for.
#[test]
fn what_libvirt_makes_of_a_wish_is_the_wish() {
    let machine = Machine {
        hardware: all_of_it(),
        ..plain()
    };
    let asked = xml(&machine);
    let at = asked.find("<cpu mode").unwrap();
    let end = asked[at..].find("</cpu>").unwrap() + at;
    let spelled = "<cpu mode='custom' match='exact' check='full'><model fallback='forbid'>EPYC</model>\
        <topology sockets='1' dies='1' cores='2' threads='2'/>\
        <feature policy='require' name='x2apic'/>";
    let runs = format!("{}{spelled}{}", &asked[..at], &asked[end..])
        .replace("machine=\"q35\"", "machine=\"pc-q35-7.2\"");
    assert_ne!(runs, asked);
    assert_eq!(back(&runs).machine, definition(machine.clone()));
    // Without the note nobody knows.
    let unnoted = runs.replace("infra:asked", "infra:other");
    assert_ne!(back(&unnoted).machine, definition(machine));
}
