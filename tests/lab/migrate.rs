//! A machine goes to another host of the lab while it runs, and comes back: it is emptied under it. Takes two hosts.

use std::process::Command;
use std::time::{Duration, Instant};

use super::bench::{Bench, said};

const MOVING: &str = r##"
infra { project = "PROJECT" }
host "one" {
  address = "root@HOST"
  drain   = DRAIN_ONE
}
host "two" {
  address = "root@SECOND"
  drain   = DRAIN_TWO
}
image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}
network "lan" { subnet = "10.98.7.0/24" }
workload "count" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  numa { nodes = 1 }
  memory { size = "192MiB" }
  interface "lan" { network = network.lan }
  kvm {
    image     = image.guest
    cmdline   = "console=ttyS0 quiet"
    user_data = "#!/bin/sh\nn=0; while :; do n=$((n + 1)); echo \"tick $n\"; sleep 1; done\n"
    migration { downtime = "500ms" }
  }
}
"##;

/// What the guest says on its host.
const LOG: &str = "/var/log/libvirt/qemu/lab-moving.count.console.log";

/// Which of the two is emptied.
fn with(drained: &str) -> String {
    let is = |host| (drained == host).to_string();
    MOVING
        .replace("DRAIN_ONE", &is("one"))
        .replace("DRAIN_TWO", &is("two"))
}

/// What root's shell says on any host of the lab.
fn shell(host: &str, script: &str) -> String {
    let config = std::env::var("INFRA_SSH_CONFIG").expect("it is set");
    let output = Command::new("ssh")
        .args(["-F", &config, host, script])
        .output()
        .expect("ssh runs");
    assert!(output.status.success(), "{script}\n{}", said(&output));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The guest's last word on its console there, once it is past `after`.
fn ticks(host: &str, after: u64) -> u64 {
    let last = format!("sed -n 's/.*tick \\([0-9]*\\).*/\\1/p' {LOG} | tail -n 1");
    let began = Instant::now();
    loop {
        let said = shell(host, &last).parse().unwrap_or(0);
        if said > after {
            return said;
        }
        let limit = Duration::from_secs(240);
        assert!(began.elapsed() < limit, "{host}: it is at {said} still");
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// How often the guest has begun to count.
fn starts(hosts: [&str; 2]) -> u32 {
    let begun = |host| shell(host, &format!("grep -c -w 'tick 1' {LOG} || true"));
    let begun = hosts.map(begun);
    begun
        .iter()
        .map(|count| count.parse::<u32>().expect("it is a number"))
        .sum()
}

/// On which of these it runs.
fn runs(hosts: [&str; 2]) -> Vec<&str> {
    let lists = |host: &&str| {
        shell(host, "virsh -q list --name")
            .lines()
            .any(|name| name == "lab-moving.count")
    };
    hosts.into_iter().filter(lists).collect()
}

#[test]
fn a_machine_leaves_a_host_that_is_emptied_while_it_runs() {
    let Some((bench, second)) = Bench::on_two("lab-moving", &with("two")) else {
        return;
    };
    let (one, two) = (bench.host.clone(), second.host.as_str());
    let hosts = [one.as_str(), two];
    for host in hosts {
        shell(host, &format!("rm -f {LOG}"));
    }
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(runs(hosts), [&*one]);
    let mut at = ticks(&one, 3);
    for (drained, from, to) in [("one", one.as_str(), two), ("two", two, one.as_str())] {
        bench.write(&with(drained).replace("SECOND", two));
        let plan = bench.run(2, &["plan", "--detailed-exitcode"]);
        assert!(plan.contains("moves live from"), "{plan}");
        assert!(plan.contains("1 to move live"), "{plan}");
        let applied = bench.run(0, &["apply", "--auto-approve"]);
        assert!(applied.contains("moved while it runs"), "{applied}");
        assert_eq!(runs(hosts), [to]);
        let before = ticks(from, 0);
        assert!(before >= at, "{from}: {before}, and it was at {at}");
        at = ticks(to, before);
        assert_eq!(starts(hosts), 1, "it has gone on counting");
        bench.run(0, &["plan", "--detailed-exitcode"]);
        bench.run(0, &["verify"]);
    }
    let left = shell(
        two,
        "virsh -q list --all --name; virsh -q net-list --all --name; virsh -q pool-list --all --name",
    );
    assert!(!left.contains("lab-moving"), "left on the second: {left}");
}
