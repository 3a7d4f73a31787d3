//! `infra measure`, as its user has it: what was measured counts, and nothing is left of it whatever happens.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Bench, said};

/// All that was said, on one line: where lines are broken is of no account.
fn flat(output: &Output) -> String {
    said(output)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

const ANSWERS: &str = r#"
infra { project = "PROJECT" }
network "lan" { subnet = "10.77.9.0/24" }
image "memcached" { archive = "build/memcached.tar" }
image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}
workload "web" {
  needs {
    cpu              = "high"
    deployment_speed = "low"
  }
  cpus { policy = "shared" }
  memory { size = "128MiB" }
  interface "lan" { network = network.lan }
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "8"]
  }
  kvm {
    image        = image.guest
    acceleration = "emulated"
  }
  measure {
    MEASURE
  }
}
"#;

fn bench(project: &'static str, measure: &str) -> Option<Bench> {
    Bench::new(project, &ANSWERS.replace("MEASURE", measure))
}

fn ran(bench: &Bench, args: &[&str]) -> Output {
    bench.command(args).output().expect("infra runs")
}

/// Neither objects nor records.
fn nothing_is_left(bench: &Bench) {
    assert_eq!(bench.left(), Vec::<String>::new());
    let state = std::fs::read_to_string(bench.path(".infra/state.json")).unwrap_or_default();
    let state: Value = serde_json::from_str(&state).unwrap_or_default();
    assert!(
        state["resources"]
            .as_object()
            .is_none_or(serde_json::Map::is_empty),
        "{state}"
    );
}

/// The machine is said to be ten times as fast: the next plan takes it, and says whose word that is.
#[test]
fn what_was_measured_counts() {
    let script = r#"case $INFRA_RUNTIME in kvm) echo 'rate: 1000';; *) echo 'rate: 100';; esac"#;
    let measure = format!(
        "command = [\"sh\", \"-c\", {script:?}]\n metric = \"rate: ([0-9]+)\"\n better = \"higher\"\n runs = 3\n warmup = 0"
    );
    let Some(bench) = bench("infra-live-measure", &measure) else {
        return;
    };
    let before = ran(&bench, &["plan"]);
    assert!(
        flat(&before).contains("a container suits best"),
        "{}",
        flat(&before)
    );
    let measured = ran(&bench, &["measure", "workload.web"]);
    assert_eq!(measured.status.code(), Some(0), "{}", flat(&measured));
    assert!(
        flat(&measured).contains("×10.00 worse"),
        "{}",
        flat(&measured)
    );
    nothing_is_left(&bench);
    let after = ran(&bench, &["plan"]);
    let text = flat(&after);
    assert!(text.contains("KVM suits best"), "{text}");
    assert!(
        text.contains("as evidence/web.local.json measured"),
        "{text}"
    );
    // Of another version it is stale, and counts all the same.
    let path = bench.path("evidence/web.local.json");
    let evidence = std::fs::read_to_string(&path).unwrap();
    let mut evidence: Value = serde_json::from_str(&evidence).unwrap();
    evidence["host"]["versions"]["kernel"] = "1.0".into();
    std::fs::write(&path, evidence.to_string()).unwrap();
    let text = flat(&ran(&bench, &["plan"]));
    assert!(text.contains("which is stale: kernel was 1.0"), "{text}");
    assert!(text.contains("KVM suits best"), "{text}");
    // Of another class of host it is not.
    evidence["host"]["class"] = "another".into();
    std::fs::write(&path, evidence.to_string()).unwrap();
    let text = flat(&ran(&bench, &["plan"]));
    assert!(text.contains("is not used: no host of its class"), "{text}");
    assert!(text.contains("a container suits best"), "{text}");
}

/// A benchmark that fails, prints no number or hangs: said, and nothing is left.
#[test]
fn benchmarks_that_are_none() {
    for (project, command, said_of_it) in [
        (
            "infra-live-fails",
            "echo broken >&2; exit 3",
            "exit status: 3: broken",
        ),
        (
            "infra-live-mute",
            "echo no rate",
            "its last line is `no rate`",
        ),
        ("infra-live-hangs", "sleep 60", "did not end within 1 s"),
    ] {
        let measure = format!(
            "command = [\"sh\", \"-c\", {command:?}]\n metric = \"rate: ([0-9]+)\"\n better = \"higher\"\n timeout = \"1s\"\n \
             tries = 1"
        );
        let Some(bench) = bench(project, &measure) else {
            return;
        };
        let ran = ran(
            &bench,
            &["measure", "workload.web", "--runtimes", "container"],
        );
        assert_eq!(ran.status.code(), Some(1), "{}", flat(&ran));
        assert!(flat(&ran).contains(said_of_it), "{}", flat(&ran));
        assert!(!bench.path("evidence").exists());
        nothing_is_left(&bench);
    }
}

/// One Ctrl-C, in the middle of a run.
#[test]
fn an_interrupted_measurement_leaves_nothing() {
    let measure = "command = [\"sh\", \"-c\", \"touch begun; sleep 60\"]\n better = \"lower\"";
    let Some(bench) = bench("infra-live-interrupted", measure) else {
        return;
    };
    let mut command = bench.command(&["measure", "workload.web", "--runtimes", "container"]);
    let child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("infra runs");
    let began = Instant::now();
    while !bench.path("begun").exists() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "the benchmark never began"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupt.expect("kill runs").success());
    let ended = child.wait_with_output().expect("infra ends");
    assert!(
        began.elapsed() < Duration::from_secs(60),
        "it ended with the benchmark"
    );
    assert_eq!(ended.status.code(), Some(1), "{}", flat(&ended));
    assert!(flat(&ended).contains("interrupted"), "{}", flat(&ended));
    nothing_is_left(&bench);
}
