//! What was planned is proven from the kernel of a host that has NUMA nodes and huge pages, and what people and daemons do
//! to it is told.

use serde_json::Value;

use super::bench::{Bench, said};

const PROVEN: &str = r#"
infra { project = "PROJECT" }
host "lab" { address = "root@HOST" }
image "memcached" { archive = "build/memcached.tar" }
image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}
workload "feed" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  numa { nodes = 1 }
  memory { size = "64MiB" }
  bare_metal {
    exec       = ["/bin/sleep", "infinity"]
    scheduling {
      policy   = "fifo"
      priority = 10
    }
    ulimit "memlock" { soft = 65536 }
  }
}
workload "cache" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  numa { nodes = 1 }
  memory { size = "64MiB" }
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "8"]
  }
}
workload "guest" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  numa { nodes = 1 }
  memory {
    size      = "128MiB"
    page_size = "2MiB"
  }
  kvm {
    image   = image.guest
    cmdline = "console=ttyS0"
  }
}
"#;

/// `ADDRESS: what` of each check that came to this.
pub(crate) fn of(document: &Value, verdict: &str) -> Vec<String> {
    let checks = document["checks"].as_array().expect("there are checks");
    let such = checks.iter().filter(|check| check["verdict"] == verdict);
    let text = |check: &Value, of: &str| check[of].as_str().expect("it is a text").to_owned();
    such.map(|check| format!("{}: {}", text(check, "address"), text(check, "what")))
        .collect()
}

pub(crate) fn verified(bench: &Bench, code: i32, args: &[&str]) -> Value {
    let output = bench.infra(&[&["verify", "--json"], args].concat());
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

#[test]
fn the_kernel_does_what_was_planned_until_somebody_changes_it() {
    let Some(bench) = Bench::new("lab-proven", PROVEN) else {
        return;
    };
    let pool = "/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages";
    bench.shell(&format!("echo 64 > {pool}"));
    assert_eq!(bench.shell(&format!("cat {pool}")), "64");
    let applied = bench.run(0, &["apply", "--auto-approve"]);
    assert!(applied.contains("Verified: "), "{applied}");
    let all = verified(&bench, 0, &[]);
    let holds = of(&all, "holds");
    for what in [
        "workload.cache: control group: memory nodes",
        "workload.cache: memory",
        "workload.cache: threads",
        "workload.feed: limit of memlock",
        "workload.feed: memory nodes",
        "workload.feed: scheduler",
        "workload.feed: threads",
        "workload.guest: emulator threads",
        "workload.guest: memory",
        "workload.guest: memory nodes",
        "workload.guest: pages of 2 MiB",
        "workload.guest: vCPU 0",
    ] {
        assert!(holds.iter().any(|held| held == what), "{what}: {all:#}");
    }
    let free = pool.replace("nr_", "free_");
    assert_eq!(
        bench.shell(&format!("cat {free}")),
        "0",
        "the pages are the guest's"
    );

    mended(&bench);
    told_of_others(&bench);
    bench.run(0, &["destroy", "--auto-approve"]);
    bench.shell(&format!("echo 0 > {pool}"));
}

const PROCESS: &str = "systemctl show -p MainPID --value lab-proven.feed.service";

/// What is done to it is seen by the kernel alone, or by a daemon as well; and is undone.
fn mended(bench: &Bench) {
    let drifts = [
        (
            format!("chrt -o -p 0 $({PROCESS}); prlimit --memlock=unlimited --pid $({PROCESS})"),
            vec!["workload.feed: scheduler", "workload.feed: limit of memlock"],
        ),
        (
            "docker update --cpuset-cpus 0 --cpuset-mems 0 lab-proven.cache; virsh -q vcpupin lab-proven.guest 0 0".to_owned(),
            vec![
                "workload.cache: threads",
                "workload.cache: memory nodes",
                "workload.cache: memory",
                "workload.cache: control group: CPUs",
                "workload.cache: control group: memory nodes",
                "workload.guest: vCPU 0",
            ],
        ),
    ];
    for (drift, told) in drifts {
        bench.shell(&drift);
        assert_eq!(of(&verified(bench, 2, &[]), "fails"), told, "{drift}");
        match told.iter().any(|told| told.contains("cache")) {
            true => bench.run(0, &["apply", "--auto-approve"]),
            // What no daemon knows of, a restart mends.
            false => bench.shell("systemctl restart lab-proven.feed.service"),
        };
        assert_eq!(of(&verified(bench, 0, &[]), "fails"), [""; 0], "{drift}");
    }
}

/// Who else runs on its CPU while it is watched.
fn told_of_others(bench: &Bench) {
    let cpu = bench.shell(&format!("taskset -c -p $({PROCESS})"));
    let cpu = cpu.rsplit(' ').next().expect("it says where");
    bench.shell(&format!(
        "systemd-run -q --unit lab-noise taskset -c {cpu} sh -c 'while :; do :; done'"
    ));
    let watched = verified(bench, 2, &["--watch", "3s", "workload.feed"]);
    bench.shell("systemctl stop lab-noise");
    assert_eq!(
        of(&watched, "fails"),
        [format!(
            "workload.feed: dedicated CPU {cpu}: others running"
        )]
    );
}

#[test]
fn an_apply_tells_what_the_kernel_does_otherwise() {
    let unit = r#"
workload "it" {
  bare_metal {
    exec = ["/usr/bin/nice", "-n", "3", "/bin/sleep", "infinity"]
    scheduling { nice = 5 }
  }
}
"#;
    let head = PROVEN.split("image").next().expect("it begins with hosts");
    let Some(bench) = Bench::new("lab-unproven", &format!("{head}{unit}")) else {
        return;
    };
    let applied = bench.run(4, &["apply", "--auto-approve"]);
    assert!(applied.contains("FAILS    nice level  5  8"), "{applied}");
    let plan = bench.run(0, &["plan", "--detailed-exitcode"]);
    assert!(plan.contains("No changes"), "{plan}");
    bench.run(2, &["verify"]);
    bench.write(&format!("{head}{}", unit.replace("nice = 5", "nice = 4")));
    bench.run(0, &["apply", "--auto-approve", "--no-verify"]);
}
