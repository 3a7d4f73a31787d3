//! The script is run here and now: what it prints of this machine is what the kernel says of it.

use std::io::Write;
use std::process::{Child, Command, Stdio};

use infra_api::Trace;

use super::*;

fn run(search: &Search) -> Running {
    let mut shell = Command::new("sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let script = looking(search);
    shell
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    let output = shell.wait_with_output().unwrap();
    looked(&output.stdout).unwrap()
}

/// A process with a word of its own on its command line; it ends with the test.
struct Marked(Child, String);

impl Marked {
    fn new() -> Self {
        let word = format!("infra-looked-for-{}", std::process::id());
        let child = Command::new("sh")
            .args(["-c", "read -r _", "-mark", &word])
            .stdin(Stdio::piped())
            .spawn();
        Self(child.unwrap(), word)
    }
}

impl Drop for Marked {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_process_is_found_by_its_words_and_told_of() {
    let marked = Marked::new();
    let trace = Trace::Argument("-mark".to_owned(), marked.1.clone());
    let search = Search {
        traces: [trace.text().to_owned()].into(),
        others: true,
        ..Search::default()
    };
    let running = run(&search);
    assert_eq!(
        running.processes.keys().copied().collect::<Vec<_>>(),
        [marked.0.id()]
    );
    let process = &running.processes[&marked.0.id()];
    assert!(trace.is_of(process), "{:?}", process.command);
    let thread = &process.threads[&marked.0.id()];
    let own = std::fs::read_to_string("/proc/self/status").unwrap();
    assert_eq!(
        thread.cpus.to_string(),
        thread::field(&own, "Cpus_allowed_list").unwrap()
    );
    assert_eq!(
        thread.nodes.to_string(),
        thread::field(&own, "Mems_allowed_list").unwrap()
    );
    assert_eq!((thread.policy.as_str(), thread.priority), ("other", 0));
    assert!(process.limits.contains_key("memlock") && process.limits.len() == LIMITS.len());
    assert!(running.uptime_ms > 0);
    // It is a thread of this one that reads: of another process.
    assert!(running.others.contains_key(&std::process::id()));
    assert!(!running.others.contains_key(&marked.0.id()));
}

#[test]
fn nothing_is_found_where_nothing_is_looked_for() {
    let running = run(&Search::default());
    assert!(running.processes.is_empty() && running.others.is_empty());
}

#[test]
fn what_is_cut_off_is_nothing() {
    let whole = b"Welcome!\ninfra-running 1\0\0proc/uptime\x0012.50 1.0\n\0";
    assert_eq!(looked(whole).unwrap().uptime_ms, 12_500);
    for length in [0, 10, 30, whole.len() - 1] {
        assert!(looked(&whole[..length]).is_err(), "{length}");
    }
}

#[test]
fn groups_of_both_versions_are_read() {
    let of = |files: &str| {
        let text = format!("infra-running 1\0\0{files}\0");
        let mut running = looked(text.as_bytes()).unwrap();
        (running.processes.remove(&7).unwrap(), running.groups)
    };
    // Its fields 23 to 37 say nothing here.
    let stat = format!(
        "7 (a) b) S 1 7 7 0 -1 64 0 0 0 0 1 2 0 0 20 -5 1 0 9 {}17 17 3 1 0",
        "0 ".repeat(15)
    );
    let thread = format!(
        "proc/7/task/7/stat\0{stat}\nproc/7/task/7/status\0Cpus_allowed_list:\t2-3\n\
         proc/7/task/7/status\0Mems_allowed_list:\t1\n"
    );
    let new = of(&format!(
        "{thread}proc/7/cgroup\x000::/infra.slice/p.a.service\n\
         sys/fs/cgroup/infra.slice/p.a.service/cpuset.cpus.effective\x002-3\n\
         sys/fs/cgroup/infra.slice/p.a.service/memory.max\x00max\n\
         sys/fs/cgroup/infra.slice/p.a.service/pids.max\x0020\n\
         sys/fs/cgroup/infra.slice/p.a.service/cpu.stat\x00usage_usec 7\n\
         sys/fs/cgroup/infra.slice/p.a.service/cpu.stat\x00user_usec 3\n"
    ));
    let (new, groups) = new;
    let own = &groups["/infra.slice/p.a.service"];
    assert_eq!(own.cpus, Some("2-3".parse().unwrap()));
    assert_eq!(
        (own.nodes.clone(), own.memory_bytes),
        (None, Some(Most::None))
    );
    assert_eq!((own.pids, own.ran_ns), (Some(Most::At(20)), Some(7_000)));
    assert!(groups.contains_key("/infra.slice"), "those above, too");
    assert!(Trace::Group("p.a.service".to_owned()).is_of(&new));
    assert!(!Trace::Group("a.service".to_owned()).is_of(&new));
    let thread_of = &new.threads[&7];
    assert_eq!(
        (
            thread_of.name.as_str(),
            thread_of.last_cpu,
            thread_of.priority,
            thread_of.policy.as_str()
        ),
        ("a) b", 17, 3, "fifo")
    );
    assert_eq!((thread_of.nice, thread_of.ran_ns), (-5, 30_000_000));
    let old = of(&format!(
        "{thread}proc/7/cgroup\x005:name=systemd:/system.slice/x.service\nproc/7/cgroup\x004:memory:/docker/3f\nproc/7/cgroup\x002:cpuset:/docker/3f\n\
         sys/fs/cgroup/cpuset/docker/3f/cpuset.effective_mems\x001\n\
         sys/fs/cgroup/memory/docker/3f/memory.limit_in_bytes\x009223372036854771712\n"
    ));
    let (old, groups) = old;
    assert_eq!(old.groups, ["/docker/3f", "/system.slice/x.service"]);
    let own = &groups["/docker/3f"];
    assert_eq!(
        (own.nodes.clone(), own.memory_bytes),
        (Some("1".parse().unwrap()), Some(Most::None))
    );
    assert!(Trace::Group("x.service".to_owned()).is_of(&old));
    assert!(Trace::Group("3f".to_owned()).is_of(&old));
}

#[test]
fn what_has_ended_and_was_not_waited_for_is_not_there() {
    let stat = format!(
        "7 (a) Z 1 7 7 0 -1 64 0 0 0 0 1 2 0 0 20 0 1 0 9 {}17 17 0 0 0",
        "0 ".repeat(15)
    );
    let text = format!(
        "infra-running 1\0\0proc/7/cgroup\x000::/a\nproc/7/task/7/stat\0{stat}\n\
         proc/7/task/7/status\0Cpus_allowed_list:\t0\nproc/7/task/7/status\0Mems_allowed_list:\t0\n\0"
    );
    assert!(looked(text.as_bytes()).unwrap().processes.is_empty());
}
