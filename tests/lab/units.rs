//! Processes on the metal: made, changed in place and by a restart, mended, and proven from the kernel.

use serde_json::Value;

use super::bench::{Bench, said};

const UNITS: &str = r#"
infra { project = "PROJECT" }
host "lab" { address = "root@HOST" }
variable "token" {
  type      = string
  default   = "s3cr\"et $x"
  sensitive = true
}
workload "feed" {
  cpus {
    count  = 2
    policy = "dedicated"
  }
  memory { size = "64MiB" }
  numa { nodes = 1 }
  bare_metal {
    exec         = ["/bin/sh", "-c", "printf %s \"$TOKEN\" > /var/lib/lab-units/token; while :; do sleep 1; done"]
    env          = { TOKEN = var.token }
    health_check = ["/usr/bin/test", "-e", "/var/lib/lab-units/token"]
    state_directory = "lab-units"
    file "/etc/lab-units.conf" { content = "it's \"%n\" $HOME\n" }
    ulimit "memlock" { soft = 65536 }
    limits { pids = 20 }
  }
}
workload "once" {
  depends_on = [workload.feed]
  bare_metal {
    exec            = ["/bin/sh", "-c", "cat /etc/lab-units.conf > /var/lib/lab-once/copy"]
    task            = true
    state_directory = "lab-once"
  }
}
workload "nightly" {
  bare_metal {
    exec  = ["/bin/true"]
    task  = true
    times = "daily"
  }
}
"#;

/// The processes of a unit: what their kernel lets them use.
fn allowed(bench: &Bench, name: &str, what: &str) -> Vec<String> {
    let group = format!(
        "/sys/fs/cgroup/infra.slice/{}.{name}.service/cgroup.procs",
        bench.project
    );
    let told = bench.shell(&format!(
        "for it in $(cat {group}); do grep -s ^{what}: /proc/$it/status || true; done"
    ));
    let mut told: Vec<String> = told
        .lines()
        .filter_map(|line| Some(line.split_once('\t')?.1.to_owned()))
        .collect();
    told.sort();
    told.dedup();
    told
}

fn main_process(bench: &Bench, name: &str) -> String {
    bench.shell(&format!(
        "systemctl show -p MainPID --value {}.{name}.service",
        bench.project
    ))
}

#[test]
fn a_unit_lives_where_it_was_placed() {
    let Some(bench) = Bench::new("lab-units", UNITS) else {
        return;
    };
    bench.run(0, &["apply", "--auto-approve"]);
    bench.run(0, &["plan", "--detailed-exitcode"]);
    let state = std::fs::read_to_string(bench.path(".infra/state.json")).expect("there is a state");
    assert!(!state.contains("s3cr"), "a secret is in the state");
    let state: Value = serde_json::from_str(&state).expect("it is JSON");
    let cell = &state["workloads"]["workload.feed"]["cells"][0];
    let planned = |what: &str| cell[what].as_str().expect("it is placed").to_owned();
    assert_eq!(
        allowed(&bench, "feed", "Cpus_allowed_list"),
        [planned("cpus")]
    );
    assert_eq!(
        allowed(&bench, "feed", "Mems_allowed_list"),
        [cell["node"].to_string()]
    );
    assert_eq!(bench.shell("cat /var/lib/lab-units/token"), "s3cr\"et $x");
    assert_eq!(
        bench.shell("cat /var/lib/lab-once/copy"),
        "it's \"%n\" $HOME"
    );
    assert_eq!(
        bench.shell("stat -c '%a %U' /var/lib/infra/units/lab-units.feed.env"),
        "600 root"
    );
    assert_eq!(
        bench.shell("systemctl is-active lab-units.nightly.timer"),
        "active"
    );
    // In place: the process stays.
    let before = main_process(&bench, "feed");
    bench.write(
        &UNITS
            .replace("count  = 2", "set    = \"6-7\"")
            .replace("  numa { nodes = 1 }\n", "")
            .replace("pids = 20", "pids = 30"),
    );
    let applied = bench.run(0, &["apply", "--auto-approve"]);
    assert!(
        applied.contains("~ lab/systemd/unit/lab-units.feed"),
        "{applied}"
    );
    assert_eq!(main_process(&bench, "feed"), before);
    assert_eq!(allowed(&bench, "feed", "Cpus_allowed_list"), ["6-7"]);
    assert_eq!(allowed(&bench, "feed", "Mems_allowed_list"), ["1"]);

    // By a restart: another one.
    bench.write(
        &UNITS
            .replace("count  = 2", "set    = \"6-7\"")
            .replace("  numa { nodes = 1 }\n", "")
            .replace("soft = 65536", "soft = 131072"),
    );
    bench.run(0, &["apply", "--auto-approve"]);
    assert_ne!(main_process(&bench, "feed"), before);
    bench.run(0, &["plan", "--detailed-exitcode"]);
}

/// Each is found, told and undone.
#[test]
fn what_a_person_does_to_a_unit_is_mended() {
    let Some(bench) = Bench::new(
        "lab-drift",
        &UNITS
            .replace("lab-units", "lab-drift")
            .replace("lab-once", "lab-drift-once"),
    ) else {
        return;
    };
    bench.run(0, &["apply", "--auto-approve"]);
    let unit = "lab-drift.feed.service";
    let drop_in = format!("/etc/systemd/system/{unit}.d");
    let lay =
        format!("mkdir -p {drop_in}; printf '[Service]\\nOOMScoreAdjust=5\\n' > {drop_in}/x.conf");
    let drifts = [
        (
            format!("systemctl set-property {unit} AllowedCPUs=0; systemctl -q disable {unit}"),
            ["place.cpus", "not enabled"],
        ),
        (
            format!("{lay}; echo other > /etc/lab-drift.conf; systemctl daemon-reload"),
            ["OOMScoreAdjust", "files"],
        ),
        (
            format!(
                "systemctl stop {unit}; rm /etc/systemd/system/lab-drift.once.service; systemctl daemon-reload"
            ),
            ["stopped", "create"],
        ),
    ];
    for (drift, told) in &drifts {
        bench.shell(drift);
        let plan = bench.run(3, &["plan", "--detailed-exitcode"]);
        assert!(
            told.iter().all(|told| plan.contains(told)),
            "{drift}\n{plan}"
        );
        bench.run(0, &["apply", "--auto-approve"]);
    }
    let plan = bench.run(0, &["plan", "--detailed-exitcode"]);
    assert!(plan.contains("No changes"), "{plan}");
    assert_eq!(
        bench.shell(&format!("ls {drop_in}")),
        "x.conf.undone",
        "it is kept"
    );
    bench.shell(&format!("rm -r {drop_in}"));
}

/// What is somebody else's is left alone, and the apply says whose way it is in.
#[test]
fn what_is_somebody_elses_stays() {
    let Some(bench) = Bench::new(
        "lab-theirs",
        &UNITS
            .replace("lab-units", "lab-theirs")
            .replace("lab-once", "lab-theirs-once"),
    ) else {
        return;
    };
    bench.shell("echo theirs > /etc/lab-theirs.conf");
    let refused = bench.infra(&["apply", "--auto-approve"]);
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    assert!(
        said(&refused).contains("/etc/lab-theirs.conf is there already"),
        "{}",
        said(&refused)
    );
    assert_eq!(bench.shell("cat /etc/lab-theirs.conf"), "theirs");
    bench.shell("rm /etc/lab-theirs.conf");
    let own = "printf '[Service]\\nExecStart=/bin/sleep 9\\n' > /etc/systemd/system/lab-theirs.feed.service; systemctl daemon-reload";
    bench.shell(own);
    let refused = bench.infra(&["plan"]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    assert!(
        said(&refused).contains("somebody else's"),
        "{}",
        said(&refused)
    );
    bench.shell("rm /etc/systemd/system/lab-theirs.feed.service; systemctl daemon-reload");
    bench.run(0, &["apply", "--auto-approve"]);
    // A state that is lost is found again on the host.
    std::fs::remove_dir_all(bench.path(".infra")).expect("it can be lost");
    bench.run(0, &["state", "rebuild"]);
    bench.run(0, &["plan", "--detailed-exitcode"]);
}

const NETWORK: &str = r#"
infra { project = "PROJECT" }
host "lab" { address = "root@HOST" }
network "lan" { subnet = "10.98.2.0/24" }
workload "web" {
  cpus {
    set = "CPU"
  }
  interface "lan" {
    network = network.lan
    address = "10.98.2.7"
  }
  disk "data" { mount = "/data" }
  bare_metal {
    exec = ["/bin/sh", "-c", "cat /etc/lab-web.conf > /data/x; exec busybox httpd -f -p 8088 -h /data"]
    file "/etc/lab-web.conf" { content = "here" }
  }
}
"#;

/// It answers at its planned address and at no former one, keeps its data, and is where it was when nobody knows of it.
#[test]
fn a_unit_is_in_its_network_and_keeps_its_data() {
    let configuration = NETWORK.replace("CPU", "6");
    let Some(bench) = Bench::new("lab-net", &configuration) else {
        return;
    };
    bench.run(0, &["apply", "--auto-approve"]);
    bench.run(0, &["plan", "--detailed-exitcode"]);
    let answer = |address: &str| {
        bench.shell(&format!(
            "busybox wget -T 5 -qO- http://{address}:8088/x 2> /dev/null || echo nobody"
        ))
    };
    assert_eq!(answer("10.98.2.7"), "here");

    // Somebody makes of its file what nobody understands: its own files are not in its way.
    bench.shell(
        "sed -i 's/^ExecStart=.*/ExecStart=\\/bin\\/sleep $TIME/' /etc/systemd/system/lab-net.web.service; \
         systemctl daemon-reload",
    );
    bench.write(&configuration.replace("10.98.2.7", "10.98.2.9"));
    bench.run(0, &["apply", "--auto-approve"]);
    assert_eq!(answer("10.98.2.9"), "here");
    assert_eq!(answer("10.98.2.7"), "nobody");

    // Nothing says where it is to run any more, and it stays.
    let silent = configuration.replace("10.98.2.7", "10.98.2.9");
    bench.write(&silent.replace("set = \"6\"", "count = 1\n    policy = \"dedicated\""));
    std::fs::remove_dir_all(bench.path(".infra")).expect("it can be lost");
    bench.run(0, &["state", "rebuild"]);
    bench.run(0, &["plan", "--detailed-exitcode"]);
    assert_eq!(allowed(&bench, "web", "Cpus_allowed_list"), ["6"]);

    bench.run(0, &["destroy", "--auto-approve"]);
    let data = "/var/lib/infra/disks/lab-net.web.disk-data";
    assert_eq!(bench.shell(&format!("cat {data}/x; rm -r {data}")), "here");
}
