//! What was planned is read back from the kernel: it holds, and what somebody did to it is told.

use std::process::Command;

use serde_json::Value;

use super::{Bench, said};

const PINNED: &str = r#"
infra { project = "PROJECT" }
image "memcached" { archive = "build/memcached.tar" }
workload "cache" {
  cpus { set = "0" }
  memory { size = "64MiB" }
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "8"]
    pids    = 40
    ulimit "memlock" {
      soft = 65536
      hard = 65536
    }
  }
}
image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}
workload "guest" {
  cpus { set = "1" }
  memory { size = "128MiB" }
  kvm {
    image        = image.guest
    acceleration = "emulated"
  }
}
"#;

/// `what`, and what was found, of each check that fails.
fn failing(bench: &Bench, code: i32) -> Vec<(String, String)> {
    let output = bench.command(&["verify", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = document["checks"].as_array().unwrap();
    let fails = checks.iter().filter(|check| check["verdict"] == "fails");
    let text = |check: &Value, of: &str| check[of].as_str().unwrap().to_owned();
    fails
        .map(|check| (text(check, "what"), text(check, "found")))
        .collect()
}

fn docker(args: &[&str]) {
    let endpoint = std::env::var("INFRA_DOCKER_ENDPOINT").unwrap();
    let output = Command::new("docker")
        .args(["-H", &endpoint])
        .args(args)
        .output();
    let output = output.unwrap();
    assert!(output.status.success(), "{args:?}: {}", said(&output));
}

fn virsh(args: &[&str]) {
    let uri = std::env::var("INFRA_LIBVIRT_URI").unwrap();
    let output = Command::new("virsh")
        .args(["-q", "-c", &uri])
        .args(args)
        .output();
    let output = output.unwrap();
    assert!(output.status.success(), "{args:?}: {}", said(&output));
}

#[test]
fn the_kernel_is_asked_and_not_the_daemons() {
    let Some(bench) = Bench::new("infra-live-verify", PINNED) else {
        return;
    };
    let applied = bench
        .command(&["apply", "--auto-approve"])
        .output()
        .unwrap();
    assert!(
        applied.status.success() && said(&applied).contains("Verified: "),
        "{}",
        said(&applied)
    );
    assert_eq!(failing(&bench, 0), []);
    let table = bench.run(0, &["verify", "workload.guest"]);
    assert!(
        table.contains("vCPU 0") && !table.contains("workload.cache"),
        "{table}"
    );
    bench.run(1, &["verify", "workload.nobody"]);

    docker(&[
        "update",
        "--cpuset-cpus",
        "1",
        "--pids-limit",
        "50",
        "infra-live-verify.cache",
    ]);
    virsh(&["vcpupin", "infra-live-verify.guest", "0", "0"]);
    let fails = failing(&bench, 2);
    let what: Vec<&str> = fails.iter().map(|(what, _)| what.as_str()).collect();
    assert_eq!(
        what,
        [
            "threads",
            "control group: CPUs",
            "control group: tasks",
            "vCPU 0"
        ],
        "{fails:?}"
    );
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(failing(&bench, 0), []);

    docker(&["kill", "infra-live-verify.cache"]);
    virsh(&["destroy", "infra-live-verify.guest"]);
    let gone = ("processes".to_owned(), "none".to_owned());
    assert_eq!(failing(&bench, 2), [gone.clone(), gone]);
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(failing(&bench, 0), []);
}
