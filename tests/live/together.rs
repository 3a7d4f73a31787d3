//! Two of us at work on one host: one at a time, and each knows of the other.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::{Bench, said};

/// Its second is not begun before its first is ready, which is not before somebody says so.
const SLOW: &str = r#"
infra { project = "PROJECT" }
host "local" {}
image "memcached" { archive = "build/memcached.tar" }
workload "first" {
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "8"]
    health_check {
      command  = ["test", "-e", "/tmp/ready"]
      interval = "1s"
      retries  = 1000
    }
  }
}
workload "second" {
  depends_on = [workload.first]
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "8"]
  }
}
"#;

const QUICK: &str = r#"
infra { project = "PROJECT" }
host "local" {}
image "memcached" { archive = "build/memcached.tar" }
workload "it" {
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "8"]
  }
}
"#;

/// An apply that is at work: it has made the first of its two.
fn at_work(bench: &Bench) -> Child {
    let mut apply = bench.command(&["apply", "--auto-approve"]);
    let output = apply.stdout(Stdio::null()).stderr(Stdio::null());
    let child = output.spawn().expect("infra runs");
    let made = || {
        !bench
            .docker(&["ps", "-q", "--filter", "name=infra-live-slow"])
            .is_empty()
    };
    until(made, "nothing is made");
    child
}

fn until(is: impl Fn() -> bool, otherwise: &str) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(60), "{otherwise}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Whether a process of this machine is to lock a host for a project: its words say for whom.
fn stands_in_line(project: &str) -> bool {
    let processes = std::fs::read_dir("/proc").expect("it is there").flatten();
    let words = |process: std::fs::DirEntry| std::fs::read(process.path().join("cmdline")).ok();
    let who = format!("project `{project}`");
    processes
        .filter_map(words)
        .any(|words| String::from_utf8_lossy(&words).contains(&who))
}

#[test]
fn one_at_a_time_is_at_work_on_a_host() {
    let Some(slow) = Bench::new("infra-live-slow", SLOW) else {
        return;
    };
    let Some(quick) = Bench::new("infra-live-quick", QUICK) else {
        return;
    };
    let mut child = at_work(&slow);
    let refused = quick.command(&["apply", "--auto-approve"]).output();
    let refused = refused.expect("infra runs");
    assert_eq!(refused.status.code(), Some(6), "{}", said(&refused));
    for told in [
        "locking host `local`",
        "`infra apply`, project `infra-live-slow` is at work there",
    ] {
        assert!(said(&refused).contains(told), "{told}\n{}", said(&refused));
    }
    assert_eq!(quick.left(), Vec::<String>::new());

    // Who waits goes on when the other is done, from what the host is then.
    let mut waits = quick.command(&["apply", "--auto-approve", "--lock-timeout", "2m"]);
    let waits = waits.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let waits = waits.expect("infra runs");
    until(|| stands_in_line("infra-live-quick"), "nobody waits");
    slow.docker(&["exec", "infra-live-slow.first", "touch", "/tmp/ready"]);
    let waited = waits.wait_with_output().expect("it ends");
    assert_eq!(waited.status.code(), Some(0), "{}", said(&waited));
    assert!(
        said(&waited).contains("others were at work on host `local`"),
        "{}",
        said(&waited)
    );
    assert_eq!(child.wait().expect("it ends").code(), Some(0));

    // The lock of who is killed is free.
    slow.run(0, &["destroy", "--auto-approve"]);
    let mut child = at_work(&slow);
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    for bench in [&quick, &slow] {
        bench.run(0, &["destroy", "--auto-approve"]);
        assert_eq!(bench.left(), Vec::<String>::new());
    }
}
