//! All else of a host is kept off dedicated CPUs: whoever starts something there, and whatever somebody tells systemd.

use super::bench::Bench;

const KEPT: &str = r#"
infra { project = "PROJECT" }
host "lab" {
  address      = "root@HOST"
  housekeeping = true
}
workload "unit" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  bare_metal { exec = ["/bin/sleep", "infinity"] }
}
image "memcached" { archive = "build/memcached.tar" }
workload "contained" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  container {
    image   = image.memcached
    command = ["sleep", "infinity"]
  }
}
"#;

/// Whether what is started on the host may run on each of these CPUs.
fn may_run(bench: &Bench, cpus: &[String]) -> Vec<bool> {
    let tries = cpus.iter().map(|cpu| {
        format!(
            "systemd-run -q --wait -p CPUAffinity={cpu} true 2> /dev/null && echo y || echo n; "
        )
    });
    let said = bench.shell(&tries.collect::<String>());
    said.lines().map(|line| line == "y").collect()
}

#[test]
fn nothing_else_runs_on_dedicated_cpus() {
    let Some(bench) = Bench::new("lab-kept", KEPT) else {
        return;
    };
    let slices = "for it in init.scope system.slice user.slice; do cat /sys/fs/cgroup/$it/cpuset.cpus.effective 2> /dev/null || cat /sys/fs/cgroup/cpuset.cpus.effective; done; ls /etc/systemd/system /etc/systemd/system.control 2> /dev/null | grep -E 'slice|scope' || true";
    let found = bench.shell(slices);
    bench.run(0, &["apply", "--auto-approve"]);
    let state = std::fs::read_to_string(bench.path(".infra/state.json")).expect("there is a state");
    let state: serde_json::Value = serde_json::from_str(&state).expect("it is JSON");
    let own: Vec<String> = ["unit", "contained"]
        .map(|name| {
            let cell = &state["workloads"][format!("workload.{name}")]["cells"][0];
            cell["cpus"].as_str().expect("it is placed").to_owned()
        })
        .to_vec();
    assert_eq!(may_run(&bench, &own), [false, false]);
    assert_eq!(may_run(&bench, &["0".to_owned()]), [true]);
    let masks = "cat /sys/devices/virtual/workqueue/cpumask /proc/irq/default_smp_affinity";
    let kept = own.iter().fold(0xff, |all, cpu| {
        all & !(1 << cpu.parse::<u32>().expect("one CPU"))
    });
    assert_eq!(bench.shell(masks), format!("{kept:02x}\n{kept:02x}"));
    // They themselves do.
    let verified = bench.run(0, &["verify"]);
    assert!(!verified.contains("FAILS"), "{verified}");
    bench.run(0, &["plan", "--detailed-exitcode"]);

    bench.shell("systemctl set-property system.slice AllowedCPUs=0-7");
    assert_eq!(may_run(&bench, &own), [true, true]);
    let plan = bench.run(3, &["plan", "--detailed-exitcode"]);
    assert!(plan.contains("system.slice/cpuset.cpus"), "{plan}");
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(may_run(&bench, &own), [false, false]);

    bench.run(0, &["destroy", "--auto-approve"]);
    assert_eq!(bench.shell(slices), found);
}
