//! What is known by looking twice.

use std::collections::BTreeMap;

use super::*;

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

/// The group of a machine's first process is not that of its vCPUs, wherever the emulator is.
#[test]
fn what_vcpus_ran_is_the_machines_own() {
    let (mut subject, mut earlier) = machine();
    subject.wanted.alone = set("4-7");
    group(&mut earlier).ran_ns = Some(0);
    let mut now = earlier.clone();
    now.uptime_ms += 10_000;
    qemu(&mut now).threads.get_mut(&101).unwrap().ran_ns = 9_000_000_000;
    now.busy_ns.insert(4, 9_000_000_000);
    let checks = verify(&[subject], &now, Some(&earlier));
    let check = checks.iter().find(|c| c.what.ends_with("others running"));
    assert_eq!(check.unwrap().verdict, Verdict::Holds);
}
