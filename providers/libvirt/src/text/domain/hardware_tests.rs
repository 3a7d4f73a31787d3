//! Machines with hardware of all kinds, for the tests.

use infra_api::target::{
    Bandwidth, Clock, Cpu, DiskDevice, DiskLogin, DiskServer, Driver, Filesystem, Firmware, Format,
    Graphics, Hardware, HostDevice, MachineDisk, MachineInterface, Rate, RemoteDisk, SerialPort,
    Throttle, Timer, Topology, Tpm, Watchdog,
};
use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;

use crate::text::domain_laws::volumes;

fn every_port() -> [SerialPort; 3] {
    [
        SerialPort::Pty,
        SerialPort::Unix {
            path: "/run/port".into(),
        },
        SerialPort::Tcp {
            address: "127.0.0.1".into(),
            port: 4555,
        },
    ]
}

/// One of everything.
pub(crate) fn all_of_it() -> Hardware {
    let timer = Timer {
        present: Some(true),
        tick_policy: None,
    };
    Hardware {
        title: Some("The whole <thing>".into()),
        description: Some("with & without".into()),
        machine_type: Some("pc-q35-7.2".into()),
        cpu: Some(Cpu {
            check: None,
            mode: "custom".into(),
            model: Some("EPYC".into()),
            features: [("svm".to_owned(), "disable".to_owned())].into(),
        }),
        topology: Some(Topology {
            sockets: 1,
            cores: 2,
            threads: 2,
        }),
        firmware: Some(Firmware { secure_boot: true }),
        tpm: Some(Tpm {
            version: "2.0".into(),
            model: "tpm-crb".into(),
        }),
        clock: Some(Clock {
            offset: "localtime".into(),
            timers: [("hpet".to_owned(), timer)].into(),
        }),
        hyperv: true,
        dedicated_hint: true,
        without_pmu: true,
        realtime: Some(1),
        on_poweroff: Some("preserve".into()),
        on_reboot: Some("destroy".into()),
        on_crash: Some("coredump-restart".into()),
        locked_memory: true,
        shared_memory: true,
        graphics: Some(Graphics {
            protocol: "vnc".into(),
            port: Some(5901),
        }),
        video: Some("virtio".into()),
        watchdog: Some(Watchdog {
            action: "poweroff".into(),
        }),
        vsock_cid: Some(7),
        panic: true,
        agent: true,
        without_rng: true,
        without_balloon: false,
        serial_ports: every_port().into(),
        filesystems: [(
            "share".to_owned(),
            Filesystem {
                source: "/srv/share".into(),
            },
        )]
        .into(),
        host_devices: vec![
            HostDevice::Pci {
                address: "0000:3b:02.1".into(),
            },
            HostDevice::Usb {
                vendor: "1d6b".into(),
                product: "0002".into(),
            },
        ],
    }
}

fn words(pattern: &'static str) -> impl Strategy<Value = Option<String>> {
    option::of(pattern)
}

fn cpus() -> impl Strategy<Value = Cpu> {
    let features = btree_map("[a-z0-9]{1,6}", "require|disable|force", 0..3);
    let custom = (
        "[A-Z][a-z]{1,8}",
        features.clone(),
        option::of(Just("none".to_owned())),
    );
    let custom = custom.prop_map(|(model, features, check)| Cpu {
        mode: "custom".into(),
        model: Some(model),
        features,
        check,
    });
    let model = features.prop_map(|features| Cpu {
        mode: "host-model".into(),
        model: None,
        features,
        check: None,
    });
    prop_oneof![custom, model]
}

fn clocks() -> impl Strategy<Value = Clock> {
    let timer = (any::<bool>(), words("merge|discard")).prop_map(|(present, tick_policy)| Timer {
        present: Some(present),
        tick_policy,
    });
    // None of them is the usual one, which would be no wish.
    (btree_map("rtc|pit|tsc|kvmclock", timer, 0..3)).prop_map(|timers| Clock {
        offset: "localtime".into(),
        timers,
    })
}

fn devices() -> impl Strategy<Value = Hardware> {
    let graphics = ("vnc|spice", option::of(5900u16..6000));
    let graphics = graphics.prop_map(|(protocol, port)| Graphics { protocol, port });
    let shared = "/[a-z]{1,8}".prop_map(|source| Filesystem { source });
    let usb = ("[0-9a-f]{4}", "[0-9a-f]{4}");
    let given = prop_oneof![
        "0000:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]".prop_map(|address| HostDevice::Pci { address }),
        usb.prop_map(|(vendor, product)| HostDevice::Usb { vendor, product }),
    ];
    let tpm = "1\\.2|2\\.0".prop_map(|version| Tpm {
        version,
        model: "tpm-tis".into(),
    });
    let watchdog = "reset|none|pause".prop_map(|action| Watchdog { action });
    (
        option::of(graphics),
        words("vga|bochs"),
        option::of(watchdog),
        option::of(3u32..900),
        (any::<[bool; 3]>(), serial_ports()),
        btree_map("[a-z]{1,5}", shared, 0..3),
        proptest::collection::vec(given, 0..3),
        option::of(tpm),
    )
        .prop_map(
            |(graphics, video, watchdog, vsock_cid, yes, filesystems, host_devices, tpm)| {
                let ([panic, agent, without_rng], serial_ports) = yes;
                Hardware {
                    tpm,
                    graphics,
                    video,
                    watchdog,
                    vsock_cid,
                    panic,
                    agent,
                    without_rng,
                    serial_ports,
                    filesystems,
                    host_devices,
                    ..Hardware::default()
                }
            },
        )
}

pub(crate) fn hardware() -> impl Strategy<Value = Hardware> {
    let topology = (1u32..4, 1u32..4, 1u32..3).prop_map(|(sockets, cores, threads)| Topology {
        sockets,
        cores,
        threads,
    });
    let firmware = any::<bool>().prop_map(|secure_boot| Firmware { secure_boot });
    (
        (
            words("[a-z<&]{1,9}"),
            words("[ -~]{1,30}"),
            words("pc|pc-q35-7\\.2|microvm"),
        ),
        (
            option::of(cpus()),
            option::of(topology),
            option::of(firmware),
        ),
        option::of(clocks()),
        any::<[bool; 5]>(),
        (
            words("restart|preserve"),
            words("destroy"),
            words("restart"),
        ),
        devices(),
    )
        .prop_map(
            |(
                (title, description, machine_type),
                (cpu, topology, firmware),
                clock,
                yes,
                on,
                devices,
            )| {
                let [
                    hyperv,
                    locked_memory,
                    shared_memory,
                    dedicated_hint,
                    without_pmu,
                ] = yes;
                let (on_poweroff, on_reboot, on_crash) = on;
                Hardware {
                    title,
                    description,
                    machine_type,
                    cpu,
                    topology,
                    firmware,
                    clock,
                    hyperv,
                    dedicated_hint,
                    without_pmu,
                    realtime: (dedicated_hint && hyperv).then_some(7),
                    on_poweroff,
                    on_reboot,
                    on_crash,
                    locked_memory,
                    shared_memory,
                    ..devices
                }
            },
        )
}

fn throttles() -> impl Strategy<Value = Throttle> {
    let limits = proptest::collection::vec(option::of(1u64..1 << 40), 6);
    limits
        .prop_map(|l| Throttle {
            bytes: l[0],
            read_bytes: l[1],
            write_bytes: l[2],
            iops: l[3],
            read_iops: l[4],
            write_iops: l[5],
        })
        .prop_filter("no limit is none", |t| *t != Throttle::default())
}

fn remotes() -> impl Strategy<Value = RemoteDisk> {
    let server = ("[a-z]{1,9}", 1u16..).prop_map(|(host, port)| DiskServer { host, port });
    let login = ("[a-z]{1,9}", "[0-9a-f]{8}").prop_map(|(user, secret)| DiskLogin { user, secret });
    (
        "nbd|rbd|iscsi|https",
        "[a-z/<&]{1,12}",
        proptest::collection::vec(server, 1..3),
        option::of(login),
    )
        .prop_map(|(protocol, name, servers, login)| RemoteDisk {
            protocol,
            name,
            servers,
            login,
        })
}

fn serial_ports() -> impl Strategy<Value = Vec<SerialPort>> {
    let port = prop_oneof![
        Just(SerialPort::Pty),
        "/[a-z/]{1,9}".prop_map(|path| SerialPort::File { path }),
        "/[a-z/]{1,9}".prop_map(|path| SerialPort::Unix { path }),
        ("[0-9.]{7}", 1u16..).prop_map(|(address, port)| SerialPort::Tcp { address, port }),
    ];
    proptest::collection::vec(port, 0..3)
}

pub(crate) fn disks() -> impl Strategy<Value = Vec<MachineDisk>> {
    let format = prop_oneof![Just(Format::Raw), Just(Format::Qcow2)];
    let content = prop_oneof![
        volumes().prop_map(|volume| (Some(volume), None, None)),
        "/(dev/)?[a-z]{1,9}/[a-z]{1,9}".prop_map(|path| (None, Some(path), None)),
        remotes().prop_map(|remote| (None, None, Some(remote))),
    ];
    let bus = option::of(prop_oneof![
        Just("scsi".to_owned()),
        Just("nvme".to_owned()),
        Just("sata".to_owned())
    ]);
    let tuning = (
        option::of("none|directsync"),
        option::of("threads|io_uring"),
        option::of("[a-zA-Z0-9]{1,9}"),
        option::of(1u32..9),
        option::of(1u32..3),
        option::of(throttles()),
        any::<bool>(),
        option::of(1u32..9),
    );
    let one = (content, format, any::<bool>(), bus, tuning, any::<bool>());
    let disk = one.prop_map(
        |((volume, path, remote), format, read_only, bus, tuning, drive)| {
            let (cache, io, serial, queues, iothread, throttle, keep, boot) = tuning;
            match drive {
                true => MachineDisk {
                    volume,
                    path,
                    remote,
                    format,
                    ..MachineDisk::drive()
                },
                false => MachineDisk {
                    volume,
                    path,
                    remote,
                    format,
                    read_only,
                    bus,
                    cache,
                    io,
                    discard: (keep && !read_only).then(|| "ignore".to_owned()),
                    serial,
                    queues,
                    iothread,
                    throttle,
                    boot,
                    device: DiskDevice::Disk,
                },
            }
        },
    );
    proptest::collection::vec(disk, 0..5)
}

pub(crate) fn interfaces() -> impl Strategy<Value = Vec<MachineInterface>> {
    let rate = || {
        option::of(
            (1u64..1 << 30, option::of(1u64..1 << 30)).prop_map(|(average, peak)| Rate {
                average_bytes: average * 1000,
                peak_bytes: peak.map(|peak| peak * 1000),
            }),
        )
    };
    let bandwidth =
        (rate(), rate()).prop_map(|(inbound, outbound)| Bandwidth { inbound, outbound });
    let bandwidth = option::of(bandwidth).prop_map(|b| b.filter(|b| *b != Bandwidth::default()));
    let card = (
        option::of("e1000e|rtl8139"),
        option::of(1u32..9),
        option::of(68u32..9001),
        option::of(1u32..9),
    );
    let one = (
        any::<[u8; 3]>(),
        "[a-z.]{1,12}",
        option::of(any::<u32>()),
        card,
        any::<bool>(),
        bandwidth,
        on(),
    );
    let named = one.prop_map(|([a, b, c], network, ip, card, unplugged, bandwidth, on)| {
        let (model, queues, mtu, boot) = card;
        let (bridge, driver, vlan) = on;
        // One in five without a device of its own is a function.
        let function =
            (driver.is_none() && a % 5 == 0).then(|| format!("0000:{b:02x}:02.{}", c % 8));
        let plain = driver.is_none() && function.is_none();
        let switched = plain && b % 3 == 0;
        let vf = function.is_some() || driver.as_ref().is_some_and(|driver| driver.name == "sriov");
        MachineInterface {
            bridge: bridge.filter(|_| !switched),
            driver,
            function,
            vhost_user: switched.then(|| format!("/run/switch/{c}")),
            queue_size: (c % 4 == 0).then_some(512),
            vlan,
            mac: format!("52:54:00:{a:02x}:{b:02x}:{c:02x}"),
            network,
            address: ip.map(Into::into),
            model: model.filter(|_| !vf),
            queues,
            mtu,
            unplugged,
            bandwidth,
            boot,
        }
    });
    proptest::collection::vec(named, 0..3).prop_filter("a MAC is one interface's", |all| {
        all.iter()
            .map(|i| &i.mac)
            .collect::<std::collections::BTreeSet<_>>()
            .len()
            == all.len()
    })
}

/// What a NIC is on, and its VLAN.
fn on() -> impl Strategy<Value = (Option<String>, Option<Driver>, Option<u16>)> {
    let device = ("macvlan|sriov", "[a-z0-9.]{1,9}", "bridge|passthru");
    let device = device.prop_map(|(name, parent, mode)| Driver {
        mode: if name == "sriov" { String::new() } else { mode },
        name,
        parent,
    });
    let on = (option::of("br[a-z0-9]{1,9}"), option::of(device));
    (on, option::of(1u16..4095)).prop_map(|((bridge, driver), vlan)| {
        let bridge = bridge.filter(|_| driver.is_none());
        (bridge, driver, vlan)
    })
}
