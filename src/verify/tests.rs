//! Each claim on a kernel's word of its own: it holds, and dies with what is not so.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::running::{Function, Group, Mapping, Most, Process, Running, Thread};
use infra_api::target::{KernelSetting, Scheduling, Ulimit, UnitAddress};
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
        bound: is_huge.then(|| set("1")),
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
        pids: Some(20),
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
    let process = Process {
        groups: vec!["/infra.slice/p.a.service/below".to_owned()],
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
        groups: [("/infra.slice/p.a.service".to_owned(), group)].into(),
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
            |r| qemu(r).memory.as_mut().unwrap()[0].bound = Some(set("0")),
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
    let harms: [Harm; 11] = [
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

/// Ten seconds, in which the vCPUs ran for six: on their CPUs, and maybe somebody else did.
#[test]
fn who_else_ran_on_dedicated_cpus_is_told() {
    let watched = |others_ns: u64| {
        let (subject, earlier) = machine();
        let mut now = earlier.clone();
        now.uptime_ms += 10_000;
        for id in [101, 102] {
            qemu(&mut now).threads.get_mut(&id).unwrap().ran_ns = 3_000_000_000;
        }
        now.busy_ns
            .extend([(4, 3_000_000_000), (5, 3_000_000_000 + others_ns)]);
        now.others = BTreeMap::from([(900, thread("cron", "0-7"))]);
        let checks = verify(&[subject], &now, Some(&earlier));
        let of = |what: &str| {
            let check = checks.iter().find(|c| c.what == what).unwrap();
            (check.verdict, check.found.clone())
        };
        assert_eq!(
            of("dedicated CPUs 4-5: others allowed"),
            (Verdict::Note, "1 thread: cron".to_owned())
        );
        of("dedicated CPUs 4-5: others running")
    };
    assert_eq!(
        watched(1_000_000),
        (Verdict::Holds, "0.00 % of 10.0 s".to_owned())
    );
    assert_eq!(
        watched(200_000_000),
        (Verdict::Fails, "1.00 % of 10.0 s".to_owned())
    );
}

#[test]
fn what_was_waited_for_is_told() {
    let (subject, earlier) = machine();
    let mut now = earlier.clone();
    now.uptime_ms += 10_000;
    let thread = qemu(&mut now).threads.get_mut(&101).unwrap();
    (thread.waited_ns, thread.last_cpu) = (Some(50_000_000), 5);
    let checks = verify(&[subject], &now, Some(&earlier));
    let found = |what: &str| {
        checks
            .iter()
            .find(|c| c.what == what)
            .unwrap()
            .found
            .clone()
    };
    assert_eq!(found("waiting for a CPU"), "at most 0.50 % of the time");
    assert_eq!(found("moved to another CPU"), "1 thread");
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

/// Newer kernels have vhost workers among QEMU's threads: nothing of it counts twice.
#[test]
fn a_worker_inside_the_process_is_counted_once() {
    let (subject, mut earlier) = machine();
    earlier.processes.remove(&200);
    let worker = thread("vhost-100", "6-7");
    qemu(&mut earlier).threads.insert(106, worker);
    let mut now = earlier.clone();
    now.uptime_ms += 10_000;
    qemu(&mut now).threads.get_mut(&101).unwrap().ran_ns = 3_000_000_000;
    now.busy_ns.insert(4, 6_000_000_000);
    let checks = verify(&[subject], &now, Some(&earlier));
    let check = checks
        .iter()
        .find(|c| c.what.ends_with("others running"))
        .unwrap();
    assert_eq!(
        (check.verdict, check.found.as_str()),
        (Verdict::Fails, "15.00 % of 10.0 s")
    );
    let emulator = checks
        .iter()
        .find(|c| c.what == "emulator threads")
        .unwrap();
    assert_eq!(
        emulator.found,
        "CPUs 6-7 (2 threads: qemu-system-x86, vhost-100), CPU 7 (1 thread: TC tc-pc.ram)"
    );
}

/// Whoever of a container or unit has ended meanwhile ran there, too.
#[test]
fn what_a_control_group_ran_is_its_own() {
    let (mut subject, mut earlier) = unit();
    subject.wanted.alone = set("2-3");
    earlier.busy_ns = [(2, 0), (3, 0)].into();
    group(&mut earlier).ran_ns = Some(0);
    let mut now = earlier.clone();
    now.uptime_ms += 10_000;
    now.busy_ns.insert(2, 5_000_000_000);
    group(&mut now).ran_ns = Some(4_900_000_000);
    let found = |now: &Running| {
        let checks = verify(std::slice::from_ref(&subject), now, Some(&earlier));
        checks
            .into_iter()
            .find(|c| c.what.ends_with("others running"))
            .unwrap()
            .found
    };
    assert_eq!(found(&now), "0.50 % of 10.0 s");
    group(&mut now).ran_ns = None;
    assert_eq!(found(&now), "25.00 % of 10.0 s");
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
