//! Each claim on a kernel's word of its own: it holds, and dies with what is not so.

mod watch;

use std::collections::BTreeSet;

use infra_api::running::{Function, Group, Mapping, Most, Process, Running, Thread};
use infra_api::target::{KernelSetting, MemoryPolicy, Scheduling, Ulimit, UnitAddress};
use infra_api::{Address, HostName, IdSet, Trace};

use super::wanted::{Role, Runs};
use super::*;

fn set(text: &str) -> IdSet {
    text.parse().unwrap()
}

fn thread(name: &str, cpus: &str) -> Thread {
    Thread {
        name: name.to_owned(),
        cpus: set(cpus),
        nodes: set("1"),
        policy: "fifo".to_owned(),
        priority: 10,
        nice: 0,
        last_cpu: 4,
        ran_ns: 0,
        waited_ns: Some(0),
    }
}

/// QEMU with two vCPUs, an I/O thread and a vhost worker of the kernel's, all as it is planned.
fn machine() -> (Subject, Running) {
    let wanted = Wanted {
        threads: [
            (Role::Vcpu(0), set("4")),
            (Role::Vcpu(1), set("5")),
            (Role::Iothread(1), set("6")),
            (Role::Emulator, set("6-7")),
        ]
        .into(),
        nodes: Some(set("1")),
        parts: [(set("1"), 64 << 20)].into(),
        huge_pages: [(2 << 20, 64 << 20)].into(),
        locked_bytes: Some(1 << 20),
        functions: vec!["0000:3b:02.1".to_owned()],
        alone: set("4-5"),
        ..Wanted::default()
    };
    let mapping = |is_huge: bool, page_bytes, pages: &[(u32, u64)]| Mapping {
        policy: is_huge.then(|| ("bind".to_owned(), set("1"))),
        is_file: false,
        page_bytes,
        is_huge,
        pages: pages.iter().copied().collect(),
    };
    let qemu = Process {
        command: ["qemu", "-uuid", "u"].map(str::to_owned).to_vec(),
        threads: [
            (100, thread("qemu-system-x86", "6-7")),
            (101, thread("CPU 0/KVM", "4")),
            (102, thread("CPU 1/KVM", "5")),
            (103, thread("IO iothread1", "6")),
            (104, thread("TC tc-pc.ram", "7")),
            (105, thread("kvm-nx-lpage-re", "4")),
        ]
        .into(),
        memory: Some(vec![
            mapping(true, 2 << 20, &[(1, 32)]),
            mapping(false, 4096, &[(1, 50)]),
        ]),
        locked_bytes: Some(65 << 20),
        groups: vec!["/machine.slice/m.scope/libvirt/emulator".to_owned()],
        opened: ["/dev/vfio/12".to_owned()].into(),
        ..Process::default()
    };
    let vhost = Process {
        threads: [(200, thread("vhost-100", "6-7"))].into(),
        ..Process::default()
    };
    let group = Group {
        cpus: Some(set("6-7")),
        nodes: Some(set("1")),
        ..Group::default()
    };
    let function = Function {
        driver: Some("vfio-pci".to_owned()),
        iommu_group: Some(12),
        node: Some(1),
    };
    let running = Running {
        uptime_ms: 1_000_000,
        processes: [(100, qemu), (200, vhost)].into(),
        groups: [("/machine.slice/m.scope/libvirt/emulator".to_owned(), group)].into(),
        busy_ns: (0..8).map(|cpu| (cpu, 0)).collect(),
        functions: [("0000:3b:02.1".to_owned(), function)].into(),
        ..Running::default()
    };
    let trace = Trace::Argument("-uuid".to_owned(), "u".to_owned());
    (subject(wanted, trace), running)
}

/// A unit of one process.
fn unit() -> (Subject, Running) {
    let limit = Ulimit {
        soft: 1,
        hard: 4096,
    };
    let wanted = Wanted {
        threads: [(Role::Any, set("2-3"))].into(),
        memory_bytes: Some(64 << 20),
        memory_policy: Some(MemoryPolicy {
            mode: "preferred".to_owned(),
            nodes: set("1"),
        }),
        pids: Some(20),
        slice: Some("infra-p.desk".to_owned()),
        scheduling: Scheduling {
            policy: Some("fifo".to_owned()),
            priority: Some(10),
            nice: Some(0),
            ..Scheduling::default()
        },
        ulimits: [("memlock".to_owned(), limit)].into(),
        addresses: vec![UnitAddress {
            device: "br0".to_owned(),
            address: "10.0.0.5/24".parse().unwrap(),
        }],
        ..Wanted::default()
    };
    let mapping = |policy: Option<&str>| Mapping {
        policy: policy.map(|policy| (policy.to_owned(), set("1"))),
        page_bytes: 4096,
        pages: [(1, 4)].into(),
        ..Mapping::default()
    };
    let process = Process {
        memory: Some(vec![
            mapping(Some("prefer")),
            mapping(Some("bind")),
            mapping(None),
        ]),
        groups: vec!["/infra.slice/infra-p.desk.slice/p.a.service/below".to_owned()],
        threads: [(7, thread("a", "2-3")), (8, thread("b", "2"))].into(),
        limits: [("memlock".to_owned(), (Some(1), Some(4096)))].into(),
        ..Process::default()
    };
    let group = Group {
        cpus: Some(set("2-3")),
        memory_bytes: Some(Most::At(64 << 20)),
        pids: Some(Most::At(20)),
        ..Group::default()
    };
    let running = Running {
        processes: [(7, process)].into(),
        groups: [(
            "/infra.slice/infra-p.desk.slice/p.a.service".to_owned(),
            group,
        )]
        .into(),
        addresses: [("br0".to_owned(), "10.0.0.5/24".parse().unwrap())].into(),
        ..Running::default()
    };
    (
        subject(wanted, Trace::Group("p.a.service".to_owned())),
        running,
    )
}

fn subject(wanted: Wanted, trace: Trace) -> Subject {
    Subject {
        address: Address::new("workload.a"),
        host: HostName::new("r1"),
        wanted,
        trace: Some(trace),
    }
}

type World = (Subject, Running);

fn failing((subject, running): &World) -> BTreeSet<String> {
    let checks = verify(std::slice::from_ref(subject), running, None);
    let failing = checks.into_iter().filter(|c| c.verdict == Verdict::Fails);
    failing.map(|check| check.what).collect()
}

fn qemu(running: &mut Running) -> &mut Process {
    running.processes.get_mut(&100).unwrap()
}

fn group(running: &mut Running) -> &mut Group {
    running.groups.values_mut().next().unwrap()
}

fn only(running: &mut Running) -> &mut Process {
    running.processes.get_mut(&7).unwrap()
}

#[test]
fn what_is_as_planned_holds() {
    for (subject, running) in [machine(), unit()] {
        let checks = verify(&[subject], &running, None);
        let other: Vec<&Check> = checks
            .iter()
            .filter(|c| c.verdict != Verdict::Holds)
            .collect();
        assert_eq!(other, Vec::<&Check>::new());
    }
}

/// What is done to the kernel's word, and the checks that then fail: those, and no others.
type Harm = (fn(&mut Running), &'static [&'static str]);

#[test]
fn what_is_not_so_of_a_machine_fails() {
    let harms: [Harm; 16] = [
        (|r| r.processes.clear(), &["processes"]),
        (|r| qemu(r).command.clear(), &["processes"]),
        (
            |r| qemu(r).threads.get_mut(&101).unwrap().cpus = set("4-5"),
            &["vCPU 0"],
        ),
        (|r| drop(qemu(r).threads.remove(&102)), &["vCPU 1"]),
        (
            |r| qemu(r).threads.get_mut(&103).unwrap().cpus = set("7"),
            &["I/O thread 1"],
        ),
        (
            |r| qemu(r).threads.get_mut(&100).unwrap().cpus = set("4"),
            &["emulator threads"],
        ),
        (
            |r| {
                r.processes
                    .get_mut(&200)
                    .unwrap()
                    .threads
                    .get_mut(&200)
                    .unwrap()
                    .cpus = set("0")
            },
            &["emulator threads"],
        ),
        (
            |r| qemu(r).threads.get_mut(&101).unwrap().nodes = set("0-1"),
            &["memory nodes"],
        ),
        (
            |r| qemu(r).memory.as_mut().unwrap()[0].pages = [(0, 32)].into(),
            &["memory", "memory bound to node 1"],
        ),
        (
            |r| qemu(r).memory.as_mut().unwrap()[0].policy = Some(("bind".to_owned(), set("0"))),
            &["memory bound to node 1"],
        ),
        (
            |r| qemu(r).memory.as_mut().unwrap()[0].is_huge = false,
            &["memory bound to node 1", "pages of 2 MiB"],
        ),
        (
            |r| qemu(r).memory.as_mut().unwrap()[0].pages = [(1, 31)].into(),
            &["memory bound to node 1", "pages of 2 MiB"],
        ),
        (|r| qemu(r).locked_bytes = Some(0), &["locked memory"]),
        (
            |r| group(r).nodes = Some(set("0-1")),
            &["control group: memory nodes"],
        ),
        (
            |r| {
                r.functions
                    .values_mut()
                    .for_each(|f| f.driver = Some("igbvf".to_owned()))
            },
            &["device 0000:3b:02.1"],
        ),
        (|r| qemu(r).opened.clear(), &["device 0000:3b:02.1"]),
    ];
    die(machine, &harms);
}

#[test]
fn what_is_not_so_of_a_unit_fails() {
    let harms: [Harm; 14] = [
        (
            |r| {
                let outside = "/infra.slice/p.a.service".to_owned();
                only(r).groups = vec![outside.clone()];
                r.groups = r
                    .groups
                    .values()
                    .map(|group| (outside.clone(), group.clone()))
                    .collect();
            },
            &["control group: slice"],
        ),
        (
            |r| only(r).memory.as_mut().unwrap()[0].policy = None,
            &["memory policy"],
        ),
        (
            |r| {
                only(r).memory.as_mut().unwrap()[0].policy = Some(("prefer".to_owned(), set("0-1")))
            },
            &["memory policy"],
        ),
        (
            |r| only(r).groups = vec!["/infra.slice/xp.a.service".to_owned()],
            &["processes"],
        ),
        (
            |r| only(r).threads.get_mut(&8).unwrap().cpus = set("1-2"),
            &["threads"],
        ),
        (|r| group(r).cpus = None, &["control group: CPUs"]),
        (
            |r| group(r).cpus = Some(set("0-3")),
            &["control group: CPUs"],
        ),
        (
            |r| group(r).memory_bytes = Some(Most::None),
            &["control group: memory"],
        ),
        (
            |r| group(r).pids = Some(Most::At(21)),
            &["control group: tasks"],
        ),
        (
            |r| only(r).threads.get_mut(&7).unwrap().policy = "other".to_owned(),
            &["scheduler"],
        ),
        (
            |r| only(r).threads.get_mut(&7).unwrap().nice = 5,
            &["nice level"],
        ),
        (
            |r| only(r).limits = [("memlock".to_owned(), (None, None))].into(),
            &["limit of memlock"],
        ),
        (|r| r.addresses.clear(), &["address 10.0.0.5/24"]),
        (
            |r| r.addresses = [("eth0".to_owned(), "10.0.0.5/24".parse().unwrap())].into(),
            &["address 10.0.0.5/24"],
        ),
    ];
    die(unit, &harms);
}

fn die(world: fn() -> World, harms: &[Harm]) {
    for (number, (harm, fails)) in harms.iter().enumerate() {
        let mut world = world();
        harm(&mut world.1);
        let expected: BTreeSet<String> = fails.iter().map(|&what| what.to_owned()).collect();
        assert_eq!(failing(&world), expected, "harm {number}");
    }
}

#[test]
fn what_the_kernel_does_not_tell_is_not_known() {
    let (subject, mut running) = machine();
    qemu(&mut running).memory = None;
    qemu(&mut running).locked_bytes = None;
    let checks = verify(&[subject], &running, None);
    let unknown = checks.iter().filter(|c| c.verdict == Verdict::Unknown);
    let unknown: Vec<&str> = unknown.map(|c| c.what.as_str()).collect();
    assert_eq!(
        unknown,
        [
            "memory",
            "memory bound to node 1",
            "pages of 2 MiB",
            "locked memory"
        ]
    );
    assert!(checks.iter().all(|c| c.verdict != Verdict::Fails));
}

#[test]
fn a_task_need_not_run_and_a_program_may_lower_its_limits() {
    let (mut subject, mut running) = unit();
    only(&mut running)
        .limits
        .insert("memlock".to_owned(), (Some(1), Some(1)));
    let notes = |subject: &Subject, running: &Running| {
        let checks = verify(std::slice::from_ref(subject), running, None);
        assert!(
            checks.iter().all(|c| c.verdict != Verdict::Fails),
            "{checks:?}"
        );
        checks
            .into_iter()
            .filter(|c| c.verdict == Verdict::Note)
            .map(|c| c.what)
            .collect::<Vec<_>>()
    };
    assert_eq!(notes(&subject, &running), ["limit of memlock"]);
    subject.wanted.runs = Runs::ToAnEnd;
    running.processes.clear();
    assert_eq!(notes(&subject, &running), ["processes"]);
}

#[test]
fn a_host_says_what_it_is_set_to() {
    let setting = KernelSetting::new("/proc/sys/vm/swappiness", "10");
    let wanted = Wanted {
        runs: Runs::Nothing,
        settings: vec![setting],
        ..Wanted::default()
    };
    let subject = Subject {
        trace: None,
        ..subject(wanted, Trace::Group(String::new()))
    };
    let said = |value: Option<&str>| {
        let value = value.map(|value| ("/proc/sys/vm/swappiness".to_owned(), value.to_owned()));
        let running = Running {
            settings: value.into_iter().collect(),
            ..Running::default()
        };
        let checks = verify(std::slice::from_ref(&subject), &running, None);
        checks
            .into_iter()
            .map(|check| check.verdict)
            .collect::<Vec<_>>()
    };
    assert_eq!(said(Some("10")), [Verdict::Holds]);
    assert_eq!(said(Some("60")), [Verdict::Fails]);
    assert_eq!(said(None), [Verdict::Fails]);
}

#[test]
fn a_limit_of_memory_is_kept_in_pages() {
    let (subject, mut running) = unit();
    group(&mut running).memory_bytes = Some(Most::At((64 << 20) - 4096));
    assert_eq!(
        failing(&(subject.clone(), running.clone())),
        BTreeSet::new()
    );
    group(&mut running).memory_bytes = Some(Most::At((64 << 20) - (64 << 10)));
    assert_eq!(failing(&(subject, running)).len(), 1);
}
