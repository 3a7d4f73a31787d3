//! What a running machine can become without a restart, and by which steps.

use std::collections::BTreeMap;

use infra_api::target::{Bandwidth, Driver, Format, MachineDisk, Rate, Throttle, XmlPatch};

use super::*;
use crate::text::domain_tests::{disk, nic, plain, volume, whole};

/// The steps by which the whole machine becomes another.
fn steps(change: impl Fn(&mut Machine)) -> Option<Vec<Step>> {
    let mut wanted = whole();
    change(&mut wanted);
    way(&whole(), &wanted)
}

fn cpus(ids: &[u32]) -> IdSet {
    ids.iter().copied().collect()
}

#[test]
fn nothing_takes_nothing() {
    assert_eq!(steps(|_| ()), Some(vec![]));
    // A definition has no state.
    assert_eq!(steps(|m| m.state = "paused".into()), Some(vec![]));
}

#[test]
fn vcpus_come_and_do_not_go() {
    assert_eq!(
        steps(|m| m.online_vcpus = Some(3)),
        Some(vec![Step::OnlineVcpus(3)])
    );
    assert_eq!(
        steps(|m| m.online_vcpus = None),
        Some(vec![Step::OnlineVcpus(4)])
    );
    assert_eq!(steps(|m| m.online_vcpus = Some(1)), None);
    assert_eq!(steps(|m| m.vcpus = 8), None);
    // Plugged in before it is pinned.
    let pinned = steps(|m| {
        m.online_vcpus = Some(3);
        m.vcpu_pins = BTreeMap::from([(2, cpus(&[5]))]);
    });
    assert_eq!(
        pinned,
        Some(vec![Step::OnlineVcpus(3), Step::PinVcpu(2, cpus(&[5]))])
    );
}

#[test]
fn when_it_is_ready_is_only_noted() {
    assert_eq!(steps(|m| m.ready = None), Some(vec![Step::Remark]));
}

#[test]
fn pins_move_and_stay() {
    let pinned = Machine {
        vcpu_pins: BTreeMap::from([(0, cpus(&[1]))]),
        emulator_pin: Some(cpus(&[0])),
        ..plain()
    };
    let moved = Machine {
        vcpu_pins: BTreeMap::from([(0, cpus(&[2]))]),
        ..pinned.clone()
    };
    assert_eq!(
        way(&pinned, &moved),
        Some(vec![Step::PinVcpu(0, cpus(&[2]))])
    );
    assert_eq!(way(&pinned, &plain()), None);
    let of_the_emulator = Machine {
        emulator_pin: None,
        ..pinned.clone()
    };
    assert_eq!(way(&pinned, &of_the_emulator), None);
}

#[test]
fn threads_come_and_go_with_their_pins() {
    let more = steps(|m| {
        m.iothreads = 3;
        m.iothread_pins.insert(3, cpus(&[1]));
    });
    assert_eq!(
        more,
        Some(vec![Step::AddIothread(3), Step::PinIothread(3, cpus(&[1]))])
    );
    let fewer = steps(|m| {
        m.iothreads = 1;
        m.iothread_pins.remove(&2);
    });
    assert_eq!(fewer, Some(vec![Step::DropIothread(2)]));
    // The first serves a disk.
    let none = steps(|m| {
        m.iothreads = 0;
        m.iothread_pins.clear();
    });
    assert_eq!(none, None);
}

#[test]
fn memory_moves_within_its_maximum_and_by_cgroups() {
    assert_eq!(
        steps(|m| m.balloon_bytes = None),
        Some(vec![Step::Balloon(4 << 30)])
    );
    assert_eq!(
        steps(|m| m.balloon_bytes = Some(1 << 30)),
        Some(vec![Step::Balloon(1 << 30)])
    );
    assert_eq!(steps(|m| m.memory_bytes = 8 << 30), None);
    let nodes = |m: &mut Machine| m.memory_nodes = Some(cpus(&[1]));
    assert_eq!(steps(nodes), Some(vec![Step::Nodes(cpus(&[1]))]));
    let strict = |machine: Machine| Machine {
        memory_mode: None,
        ..machine
    };
    let mut wanted = whole();
    nodes(&mut wanted);
    assert_eq!(way(&strict(whole()), &strict(wanted)), None);
    assert_eq!(steps(|m| m.memory_mode = None), None);
}

#[test]
fn disks_are_plugged_after_those_of_their_bus() {
    let new = disk("new", Format::Qcow2, false);
    let plugged = steps(|m| m.disks.insert(2, new.clone()));
    assert_eq!(plugged, Some(vec![Step::Attach(new.clone())]));
    // Somewhere else it would have another place after the next start.
    assert_eq!(steps(|m| m.disks.insert(1, new.clone())), None);
    let scsi = MachineDisk {
        bus: Some("scsi".into()),
        ..new.clone()
    };
    let plugged = steps(|m| m.disks.insert(3, scsi.clone()));
    assert_eq!(plugged, Some(vec![Step::Attach(scsi.clone())]));
    // Where no SCSI disk is there is no controller.
    let first = Machine {
        disks: vec![disk("root", Format::Qcow2, false)],
        ..plain()
    };
    let mut second = first.clone();
    second.disks.push(scsi);
    assert_eq!(way(&first, &second), None);
}

#[test]
fn disks_are_pulled_but_for_the_first() {
    let data = whole().disks[1].clone();
    let pulled = steps(|m| drop(m.disks.remove(1)));
    assert_eq!(pulled, Some(vec![Step::Detach(data)]));
    assert_eq!(steps(|m| drop(m.disks.remove(0))), None);
    // Drives are part of the board.
    assert_eq!(steps(|m| drop(m.disks.pop())), None);
    assert_eq!(steps(|m| m.disks[1].cache = None), None);
}

#[test]
fn media_are_changed_and_limits_set() {
    let changed = steps(|m| m.disks[3].volume = Some(volume("other.iso")));
    let medium = MachineDisk {
        volume: Some(volume("other.iso")),
        ..MachineDisk::drive()
    };
    assert_eq!(changed, Some(vec![Step::Medium(0, medium)]));
    let emptied = steps(|m| m.disks[3].volume = None);
    assert_eq!(emptied, Some(vec![Step::Medium(0, MachineDisk::drive())]));
    let Some([Step::Throttle(free)]) = steps(|m| m.disks[1].throttle = None).as_deref().map(|s| {
        let [step] = s else { panic!("{s:?}") };
        [step.clone()]
    }) else {
        panic!("one step")
    };
    assert_eq!(free.throttle, Some(Throttle::default()));
}

#[test]
fn nics_come_and_go_and_are_limited() {
    let new = nic("52:54:00:00:00:01");
    assert_eq!(
        steps(|m| m.interfaces.push(new.clone())),
        Some(vec![Step::AttachNic(new.clone())])
    );
    let old = whole().interfaces[0].clone();
    assert_eq!(
        steps(|m| drop(m.interfaces.remove(0))),
        Some(vec![Step::DetachNic(old)])
    );
    let limited = |m: &mut Machine| {
        m.interfaces[0].bandwidth = Some(Bandwidth {
            inbound: Some(Rate {
                average_bytes: 1000,
                peak_bytes: None,
            }),
            outbound: None,
        });
        m.interfaces[0].unplugged = true;
    };
    assert!(matches!(
        steps(limited).as_deref(),
        Some([Step::ChangeNic(_)])
    ));
    for change in [
        |m: &mut Machine| m.interfaces[0].queues = None,
        |m: &mut Machine| m.interfaces[0].mtu = Some(1400),
        |m: &mut Machine| m.interfaces[0].model = Some("e1000".into()),
        |m: &mut Machine| m.interfaces.swap(0, 1),
    ] {
        assert_eq!(steps(change), None);
    }
}

fn device(name: &str) -> Option<Driver> {
    Some(Driver {
        name: name.into(),
        parent: "ens1f0".into(),
        mode: "passthru".into(),
    })
}

#[test]
fn a_nic_moves_from_bridge_to_bridge() {
    for change in [
        |nic: &mut MachineInterface| nic.network = "other".into(),
        |nic: &mut MachineInterface| nic.bridge = Some("br0".into()),
        |nic: &mut MachineInterface| nic.address = Some([10, 0, 0, 1].into()),
        |nic: &mut MachineInterface| nic.address = None,
    ] {
        let mut moved = whole().interfaces[0].clone();
        change(&mut moved);
        assert_eq!(
            steps(|m| change(&mut m.interfaces[0])),
            Some(vec![Step::MoveNic(moved)])
        );
    }
    // Whatever else it takes.
    let both = |m: &mut Machine| {
        m.interfaces[0].network = "other".into();
        m.interfaces[0].mtu = Some(1400);
    };
    assert_eq!(steps(both), None);
}

#[test]
fn a_nic_on_a_device_is_plugged_in_anew() {
    let on = |driver: Option<Driver>| {
        let mut machine = whole();
        machine.interfaces[0].driver = driver;
        machine
    };
    let anew = |from: &Machine, to: &Machine| {
        Some(vec![
            Step::DetachNic(from.interfaces[0].clone()),
            Step::AttachNic(to.interfaces[0].clone()),
        ])
    };
    let kinds = [None, device("macvlan"), device("sriov")].map(on);
    for (from, to) in [(0, 1), (1, 2), (2, 0), (1, 0)].map(|(a, b)| (&kinds[a], &kinds[b])) {
        assert_eq!(way(from, to), anew(from, to));
    }
    let [_, macvtap, _] = &kinds;
    for change in [
        |nic: &mut MachineInterface| nic.network = "other".into(),
        |nic: &mut MachineInterface| nic.vlan = Some(7),
    ] {
        let mut other = macvtap.clone();
        change(&mut other.interfaces[0]);
        assert_eq!(way(macvtap, &other), anew(macvtap, &other));
    }
    // The firmware's order is of the start.
    let mut turned = on(device("sriov"));
    turned.interfaces[0].boot = Some(1);
    assert_eq!(way(macvtap, &turned), None);
}

#[test]
fn a_nic_comes_back_to_its_bridge() {
    for end in [CUT_OFF, PASSING] {
        let mut runs = whole();
        runs.interfaces[0].network += end;
        let back = vec![Step::Reattach(whole().interfaces[0].clone())];
        assert_eq!(way(&runs, &whole()), Some(back));
    }
    // From another network it is moved.
    let mut runs = whole();
    runs.interfaces[0].network = "other (cut off)".into();
    let moved = vec![Step::MoveNic(whole().interfaces[0].clone())];
    assert_eq!(way(&runs, &whole()), Some(moved));
}

#[test]
fn words_are_changed_and_the_board_is_not() {
    assert_eq!(
        steps(|m| m.hardware.title = None),
        Some(vec![Step::Title(None)])
    );
    assert_eq!(
        steps(|m| m.hardware.on_crash = None),
        Some(vec![Step::OnCrash(None)])
    );
    for change in [
        |m: &mut Machine| m.hardware.cpu = None,
        |m: &mut Machine| m.hardware.agent = false,
        |m: &mut Machine| m.hardware.clock = None,
        |m: &mut Machine| m.boot_order.clear(),
        |m: &mut Machine| m.console_log = Some("/x".into()),
    ] {
        assert_eq!(steps(change), None);
    }
}

#[test]
fn each_attribute_is_weighed_by_itself() {
    let body = |machine: &Machine| serde_json::to_value(machine).unwrap();
    let mut wanted = whole();
    wanted.online_vcpus = None;
    wanted.memory_bytes = 8 << 30;
    wanted.disks[3].volume = Some(volume("other.iso"));
    wanted.disks[1].cache = None;
    wanted.hardware.title = None;
    let (before, after) = (body(&whole()), body(&wanted));
    let weigh = |path: &str| {
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        impact(&path, &before, &after)
    };
    for live in [
        "online_vcpus",
        "disks.3.volume.name",
        "hardware.title",
        "balloon_bytes",
    ] {
        assert_eq!(weigh(live), Impact::InPlace, "{live}");
    }
    for cold in ["memory_bytes", "disks.1.cache"] {
        assert_eq!(weigh(cold), Impact::Restart, "{cold}");
    }
    // A value that no machine has.
    assert_eq!(
        impact(&["vcpus".into()], &before, &Value::Null),
        Impact::Restart
    );
}

#[test]
fn the_first_of_a_kind_makes_what_lies_above_it() {
    let body = |machine: &Machine| serde_json::to_value(machine).unwrap();
    let titled = Machine {
        hardware: Hardware {
            title: Some("feed".into()),
            ..Hardware::default()
        },
        ..plain()
    };
    let path = ["hardware".to_owned()];
    assert_eq!(
        impact(&path, &body(&plain()), &body(&titled)),
        Impact::InPlace
    );
    assert_eq!(
        impact(&path, &body(&titled), &body(&plain())),
        Impact::InPlace
    );
}

/// What is written of it needs no check by libvirt's schema: it had that when it was first written so.
#[test]
fn only_numbers_move() {
    let pinned = Machine {
        vcpu_pins: BTreeMap::from([(0, cpus(&[1]))]),
        emulator_pin: Some(cpus(&[0])),
        memory_nodes: Some(cpus(&[0])),
        state: "running".into(),
        ..plain()
    };
    let alone = |change: fn(&mut Machine)| {
        let mut wanted = pinned.clone();
        change(&mut wanted);
        moves_alone(&pinned, &wanted)
    };
    assert!(alone(|_| ()));
    assert!(alone(|m| m.state.clear()));
    assert!(alone(|m| m.vcpu_pins = BTreeMap::from([(0, cpus(&[2, 3]))])));
    assert!(alone(|m| m.emulator_pin = Some(cpus(&[1]))));
    assert!(alone(|m| m.memory_nodes = Some(cpus(&[1]))));
    assert!(!alone(|m| m.vcpu_pins.clear()));
    assert!(!alone(|m| m.emulator_pin = None));
    assert!(!alone(|m| m.memory_nodes = None));
    assert!(!alone(|m| m.memory_bytes += 1 << 20));
    assert!(!alone(|m| m.hardware.title = Some("a".into())));
    assert!(!alone(|m| m.patches = vec![XmlPatch {
        at: Some("memtune".into()),
        set: None,
        add: None,
        remove: true,
    }]));
}
