//! What is decoded is what was encoded, and what others lay over it is told.

use infra_api::target::{
    MemoryPolicy, Scheduling, Ulimit, UnitAddress, UnitFolder, UnitLife, UnitLimits, UnitPlace,
    UploadedFile,
};
use proptest::option::of;
use proptest::prelude::*;

use super::*;

fn mark() -> Mark {
    Mark {
        project: Project::new("demo"),
        address: Address::new("workload.feed"),
    }
}

fn path() -> impl Strategy<Value = String> {
    "/[a-z %\"$]{1,8}[a-z]"
}

fn life() -> impl Strategy<Value = UnitLife> {
    let first = (
        any::<bool>(),
        any::<bool>(),
        of(0..9u32),
        of("always|on-failure"),
    );
    let second = (
        of(0..9u32),
        of("SIGINT"),
        of(1..9u32),
        prop::collection::vec("\\PC{1,8}", 0..3),
    );
    (first, second).prop_map(|(first, second)| {
        let (task, notifies, watchdog_s, restart) = first;
        let (restart_delay_s, stop_signal, stop_timeout_s, health_check) = second;
        UnitLife {
            task,
            times: None,
            notifies: notifies && !task,
            watchdog_s,
            restart,
            restart_delay_s,
            stop_signal,
            stop_timeout_s,
            health_check,
        }
    })
}

fn confinement() -> impl Strategy<Value = UnitConfinement> {
    let list = |word: &'static str| prop::collection::btree_set(word, 0..3);
    let parts = (
        any::<bool>(),
        list("/[a-z ]{1,6}[a-z]"),
        of("[a-z]{1,6}"),
        list("CAP_[A-Z]{1,5}"),
        list("/dev/[a-z]{1,5}"),
    );
    parts.prop_map(
        |(open, writable, state_directory, capabilities, devices)| UnitConfinement {
            open,
            writable: writable.into_iter().collect(),
            state_directory,
            capabilities: capabilities.into_iter().collect(),
            devices: devices.into_iter().collect(),
        },
    )
}

fn place() -> impl Strategy<Value = (UnitPlace, UnitLimits, Scheduling)> {
    let ids = || {
        of(prop::collection::btree_set(0..40u32, 1..6).prop_map(|ids| ids.into_iter().collect()))
    };
    let limits = (
        of(1..u64::MAX),
        of(1..u64::MAX),
        of(0..u64::MAX),
        of(1..99u64),
        of(1..999u32),
        of(1..999u32),
    );
    let scheduling = (
        of("batch|idle|fifo|rr"),
        of(1..99u32),
        of(-20..19i32),
        of("idle|realtime"),
        of(0..7u32),
    );
    let nodes = prop::collection::btree_set(0..40u32, 1..6);
    let policy = ("preferred|interleave", nodes).prop_map(|(mode, nodes)| MemoryPolicy {
        mode,
        nodes: nodes.into_iter().collect(),
    });
    let place = (ids(), ids(), of(policy));
    (place, limits, scheduling).prop_map(|(place, limits, scheduling)| {
        let (cpus, memory_nodes, memory_policy) = place;
        let (memory_bytes, memory_low_bytes, swap_bytes, pids, cpu_weight, io_weight) = limits;
        let (policy, priority, nice, io_class, io_priority) = scheduling;
        (
            UnitPlace {
                cpus,
                memory_nodes,
                memory_policy,
            },
            UnitLimits {
                memory_bytes,
                memory_low_bytes,
                swap_bytes,
                pids,
                cpu_weight,
                io_weight,
            },
            Scheduling {
                policy,
                priority,
                nice,
                io_class,
                io_priority,
            },
        )
    })
}

/// Whoever makes the device may be long in starting, and none of the host's services that systemd knows.
#[test]
fn its_addresses_wait_for_their_devices() {
    let mut unit = Unit {
        name: "demo.feed".to_owned(),
        exec: vec!["/bin/feed".to_owned()],
        ..Unit::default()
    };
    let address = UnitAddress {
        device: "br-0a1b".to_owned(),
        address: "10.0.0.2/24".parse().unwrap(),
    };
    unit.addresses.insert("net".to_owned(), address);
    let device = "sys-subsystem-net-devices-br\\x2d0a1b.device";
    let text = encode(&unit, &mark());
    for line in ["Wants", "After"] {
        assert!(text.contains(&format!("\n{line}={device}\n")), "{text}");
    }
}

/// All that a unit's own file says.
fn unit() -> impl Strategy<Value = Unit> {
    let ulimit = (-1..99i64, -1..99i64).prop_map(|(soft, hard)| Ulimit { soft, hard });
    let ulimits = prop::collection::btree_map("nofile|memlock|nproc", ulimit, 0..3);
    let exec = prop::collection::vec("\\PC{0,8}", 0..4);
    let who = (of("[a-z]{1,6}"), of("[a-z]{1,6}"), of(path()));
    let folder =
        (path(), any::<bool>()).prop_map(|(path, read_only)| UnitFolder { path, read_only });
    let folders = prop::collection::btree_map(path(), folder, 0..3);
    let address = ("br-[a-z]{1,4}", any::<[u8; 4]>(), 0..=32u8).prop_map(|(device, ip, prefix)| {
        UnitAddress {
            device,
            address: ipnet::Ipv4Net::new(ip.into(), prefix).unwrap(),
        }
    });
    let addresses = prop::collection::btree_map("[a-z]{1,4}", address, 0..3);
    let packages = prop::collection::btree_map("[a-z]{2,4}", "[0-9:.]{1,5}", 0..3);
    let mounts = prop::collection::btree_set(path(), 0..3);
    let mounts = mounts.prop_map(|paths| {
        let named = |path: String| (path.clone(), names::unit_of(&path));
        paths.into_iter().map(named).collect()
    });
    let from = (of(path()), packages, mounts, of("infra-[a-z.]{1,6}"));
    let own = (
        life(),
        ulimits,
        confinement(),
        place(),
        folders,
        addresses,
        from,
    );
    ((path(), exec), who, own).prop_map(|((program, args), (user, group, working_dir), own)| {
        let (life, ulimits, confinement, (place, limits, scheduling), folders, addresses, from) =
            own;
        let (current, packages, mounts, slice) = from;
        Unit {
            name: "demo.feed".to_owned(),
            exec: [program].into_iter().chain(args).collect(),
            user,
            group,
            working_dir,
            current,
            packages,
            mounts,
            slice,
            folders,
            addresses,
            life,
            ulimits,
            confinement,
            place,
            limits,
            scheduling,
            ..Unit::default()
        }
    })
}

fn read(texts: &[String]) -> Mine {
    decode("demo.feed", texts).unwrap()
}

proptest! {
    #[test]
    fn what_is_decoded_is_what_was_encoded(unit in unit(), files in prop::collection::btree_map(path(), any::<bool>(), 0..3)) {
        let file = |binary: bool| UploadedFile { content: "x".into(), binary, mode: 0o644, uid: 0, gid: 0 };
        let written = Unit {
            files: files.iter().map(|(path, binary)| (path.clone(), file(*binary))).collect(),
            ..unit.clone()
        };
        let mine = read(&[encode(&written, &mark())]);
        prop_assert_eq!(mine.mark, mark());
        prop_assert_eq!(mine.files, files);
        prop_assert_eq!(mine.unit, unit);
    }
}

fn plain() -> Unit {
    Unit {
        name: "demo.feed".to_owned(),
        exec: vec!["/bin/sleep".to_owned(), "9".to_owned()],
        place: UnitPlace {
            cpus: Some("2-3".parse().unwrap()),
            memory_nodes: Some("0".parse().unwrap()),
            memory_policy: None,
        },
        ..Unit::default()
    }
}

#[test]
fn a_unit_is_written_like_this() {
    let expected = "\
# Made by infra: what is changed here by hand is undone by the next apply.
[X-Infra]
Project=demo
Address=workload.feed

[Unit]
Description=workload.feed of demo
Wants=network-online.target
After=network-online.target

[Service]
Slice=infra.slice
Type=exec
ExecStart=/bin/sleep 9
AllowedCPUs=2-3
AllowedMemoryNodes=0
ProtectSystem=strict
ProtectHome=true
PrivateTmp=true
ProtectKernelTunables=true
ProtectKernelModules=true
ProtectControlGroups=true
NoNewPrivileges=true
RestrictSUIDSGID=true
LockPersonality=true
CapabilityBoundingSet=
DevicePolicy=closed

[Install]
WantedBy=multi-user.target
";
    assert_eq!(encode(&plain(), &mark()), expected);
}

#[test]
fn what_is_laid_over_it_has_its_way_and_is_told() {
    let own = encode(&plain(), &mark());
    let set = "# This is a drop-in unit file extension\n[Service]\nAllowedCPUs=5 7\n".to_owned();
    let odd = "[Service]\nOOMScoreAdjust=5\nPrivateTmp=no\n[Unit]\nBefore=x.service\n".to_owned();
    let unit = read(&[own, set, odd]).unit;
    assert_eq!(unit.place.cpus, Some("5,7".parse().unwrap()));
    let others: Vec<_> = unit
        .others
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    assert_eq!(
        others,
        [
            "Service.OOMScoreAdjust 5",
            "Service.PrivateTmp no",
            "Unit.Before x.service"
        ]
    );
}

#[test]
fn whose_it_is_is_known_of_what_is_not_understood() {
    assert_eq!(
        decode("a", &["[Service]\nExecStart=/bin/true\n".to_owned()]),
        None
    );
    let edited =
        encode(&plain(), &mark()).replace("ExecStart=/bin/sleep 9", "ExecStart=/bin/sleep $TIME");
    let mine = decode("a", &[edited]).unwrap();
    assert_eq!(mine.odd.as_deref(), Some("ExecStart=/bin/sleep $TIME"));
    assert_eq!(mine.mark, mark());
}

#[test]
fn a_timer_starts_what_has_times() {
    let unit = Unit {
        life: UnitLife {
            task: true,
            times: Some("Mon *-*-* 02:00".to_owned()),
            ..UnitLife::default()
        },
        ..plain()
    };
    let text = timer(&unit, &mark()).unwrap();
    assert!(text.contains("OnCalendar=Mon *-*-* 02:00\n"), "{text}");
    assert!(
        !encode(&unit, &mark()).contains("WantedBy"),
        "the timer is what is enabled"
    );
    assert_eq!(timer(&plain(), &mark()), None);
}
