//! The whole program against a real Docker Engine and a real libvirt. Needs INFRA_LIVE=1, the daemons' endpoints in
//! INFRA_DOCKER_ENDPOINT and INFRA_LIBVIRT_URI, the quickstart's images (`examples/quickstart/images`) and those of the
//! modules (`modules/images`); skips loudly otherwise. Every test has a project of its own and leaves nothing behind.

#[path = "live/changes.rs"]
mod changes;
#[path = "live/cut.rs"]
mod cut;
#[path = "live/imports.rs"]
mod imports;
#[path = "live/kills.rs"]
mod kills;
#[path = "live/lan.rs"]
mod lan;
#[path = "live/lost.rs"]
mod lost;
#[path = "live/measure.rs"]
mod measure;
#[path = "live/measure_host.rs"]
mod measure_host;
#[path = "live/modules.rs"]
mod modules;
#[path = "live/state.rs"]
mod state;
#[path = "live/tags.rs"]
mod tags;
#[path = "live/together.rs"]
mod together;
#[path = "live/verify.rs"]
mod verify;
#[path = "live/ways.rs"]
mod ways;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A folder with a configuration, and the program run in it.
struct Bench {
    folder: tempfile::TempDir,
    project: &'static str,
}

impl Bench {
    /// Nothing where live tests are not wanted.
    fn new(project: &'static str, configuration: &str) -> Option<Self> {
        if std::env::var_os("INFRA_LIVE").is_none() {
            eprintln!("SKIPPED: INFRA_LIVE is not set, so nothing was tried on real daemons");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder can be made");
        let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart/build");
        assert!(
            images.join("vmlinuz").exists(),
            "run examples/quickstart/images first"
        );
        std::os::unix::fs::symlink(images, folder.path().join("build"))
            .expect("a link can be made");
        let bench = Self { folder, project };
        bench.write(configuration);
        Some(bench)
    }

    fn write(&self, configuration: &str) {
        let text = configuration.replace("PROJECT", self.project);
        std::fs::write(self.path("main.infra.hcl"), text).expect("a file can be written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_infra"));
        command
            .arg("-C")
            .arg(self.folder.path())
            .args(args)
            .env("NO_COLOR", "1");
        command
    }

    /// Runs it and says everything it said where it ends otherwise.
    fn run(&self, code: i32, args: &[&str]) -> String {
        let output = self.command(args).output().expect("infra runs");
        assert_eq!(
            output.status.code(),
            Some(code),
            "infra {args:?}\n{}",
            said(&output)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.run(0, args)).expect("it is JSON")
    }

    fn docker(&self, args: &[&str]) -> String {
        let endpoint =
            std::env::var("INFRA_DOCKER_ENDPOINT").expect("INFRA_DOCKER_ENDPOINT is set");
        let output = Command::new("docker")
            .args(["-H", &endpoint])
            .args(args)
            .output()
            .expect("docker runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn virsh(&self, args: &[&str]) -> String {
        let uri = std::env::var("INFRA_LIBVIRT_URI").expect("INFRA_LIBVIRT_URI is set");
        let output = Command::new("virsh")
            .args(["-q", "-c", &uri])
            .args(args)
            .output()
            .expect("virsh runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Every object on the daemons that carries the project's name, as they themselves list them.
    fn left(&self) -> Vec<String> {
        self.left_of(self.project)
    }

    /// The same of another project.
    fn left_of(&self, project: &str) -> Vec<String> {
        let label = format!("label=infra.project={project}");
        let own = |names: String| {
            let ends = [("", "."), ("infra-", "")];
            let prefix = ends.map(|(before, after)| format!("{before}{project}{after}"));
            names
                .lines()
                .map(|n| n.trim().to_owned())
                .filter(move |n| prefix.iter().any(|p| n.starts_with(p.as_str())))
                .collect::<Vec<_>>()
        };
        let mut left = Vec::new();
        for listing in [
            self.docker(&["ps", "-a", "--filter", &label, "--format", "{{.Names}}"]),
            self.docker(&["network", "ls", "--filter", &label, "--format", "{{.Name}}"]),
            self.docker(&["volume", "ls", "--filter", &label, "--format", "{{.Name}}"]),
        ] {
            left.extend(listing.lines().map(str::to_owned));
        }
        left.extend(own(self.virsh(&["list", "--all", "--name"])));
        left.extend(own(self.virsh(&["net-list", "--all", "--name"])));
        left.extend(own(self.virsh(&["pool-list", "--all", "--name"])));
        left.sort();
        left
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let output = self
            .command(&["destroy", "--auto-approve"])
            .output()
            .expect("infra runs");
        if !std::thread::panicking() {
            assert!(output.status.success(), "destroying\n{}", said(&output));
            assert_eq!(self.left(), Vec::<String>::new(), "left behind");
        }
    }
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

const PAIR: &str = r#"
infra { project = "PROJECT" }

variable "cpu" {
  type    = number
  default = 1
}

network "lan" { subnet = "10.SUBNET.0/24" }
image "memcached" { archive = "build/memcached.tar" }
image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}

workload "cache" {
  cpus   { set = tostring(var.cpu) }
  memory { size = "32MiB" }
  interface "lan" { network = network.lan }
  disk "data" { mount = "/data" }
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "8"]
  }
}

workload "guest" {
  memory { size = "128MiB" }
  interface "lan" { network = network.lan }
  disk "data" { size = "16MiB" }
  kvm {
    image        = image.guest
    acceleration = "emulated"
    cmdline      = "console=ttyS0 quiet"
    user_data    = "name: guest"
  }
}
"#;

fn pair(subnet: &str) -> String {
    PAIR.replace("SUBNET", subnet)
}

/// A container and a machine through their whole life, with the state lost on the way.
#[test]
fn a_life() {
    let Some(bench) = Bench::new("infra-live-life", &pair("97.1")) else {
        return;
    };
    bench.run(0, &["apply", "--auto-approve"]);
    bench.run(0, &["plan", "--detailed-exitcode"]);
    let before = bench.run(0, &["state", "list"]);

    std::fs::remove_dir_all(bench.path(".infra")).expect("the state can be lost");
    bench.run(0, &["state", "rebuild"]);
    assert_eq!(
        bench.run(0, &["state", "list"]),
        before,
        "the rebuilt state"
    );
    bench.run(0, &["plan", "--detailed-exitcode"]);

    let domain = || bench.virsh(&["domid", "infra-live-life.guest"]);
    let container = || {
        bench.docker(&[
            "inspect",
            "--format",
            "{{.Id}} {{.State.Pid}}",
            "infra-live-life.cache",
        ])
    };
    let (machine, process) = (domain(), container());
    bench.run(0, &["apply", "--auto-approve", "--var", "cpu=0"]);
    assert_eq!(
        (domain(), container()),
        (machine, process),
        "the pins change under what runs"
    );
    bench.run(0, &["plan", "--detailed-exitcode", "--var", "cpu=0"]);
    assert_eq!(
        bench.docker(&[
            "inspect",
            "--format",
            "{{.HostConfig.CpusetCpus}}",
            "infra-live-life.cache"
        ]),
        "0"
    );
    let pin = bench.virsh(&["vcpupin", "infra-live-life.guest", "--live"]);
    assert_eq!(pin.split_whitespace().last(), Some("1"), "{pin}");

    bench.virsh(&["vcpupin", "infra-live-life.guest", "0", "0", "--live"]);
    bench.run(2, &["diff", "--var", "cpu=0"]);
    bench.run(3, &["plan", "--detailed-exitcode", "--var", "cpu=0"]);
    bench.run(0, &["apply", "--auto-approve", "--var", "cpu=0"]);
    bench.run(0, &["diff", "--var", "cpu=0"]);
}

/// A secret's value is in no file and in no word of ours; that it changed is seen all the same.
#[test]
fn a_secret_stays_one() {
    let configuration = r#"
infra { project = "PROJECT" }
variable "password" {
  type      = string
  sensitive = true
}
image "memcached" { archive = "build/memcached.tar" }
workload "cache" {
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache"]
    env     = { PASSWORD = var.password, BOTH = "user:${var.password}" }
  }
}
output "dsn" {
  value     = "memcached://${var.password}@cache"
  sensitive = true
}
"#;
    let Some(bench) = Bench::new("infra-live-secret", configuration) else {
        return;
    };
    let (first, second) = (
        "--var=password=correct horse",
        "--var=password=battery staple",
    );
    let plan = bench.path("the.plan");
    let plan = plan.to_str().expect("a path of ours is text");
    let mut words = bench.run(0, &["plan", first, "--out", plan]);
    words += &bench.run(5, &["apply", second, plan]);
    words += &said(
        &bench
            .command(&["apply", first, plan])
            .output()
            .expect("infra runs"),
    );
    assert_eq!(
        bench.docker(&["exec", "infra-live-secret.cache", "sh", "-c", "echo $BOTH"]),
        "user:correct horse"
    );
    words += &bench.run(0, &["plan", first, "--detailed-exitcode"]);
    words += &bench.run(2, &["plan", second, "--detailed-exitcode"]);
    words += &bench.run(2, &["plan", second, "--detailed-exitcode", "--json"]);
    words += &bench.run(0, &["show", "--json"]);
    words += &bench.run(0, &["output"]);
    let mut files = vec![PathBuf::from(plan)];
    files.extend(
        std::fs::read_dir(bench.path(".infra"))
            .expect("there is a state")
            .map(|e| e.expect("it can be read").path()),
    );
    for file in files {
        words += &String::from_utf8_lossy(&std::fs::read(file).expect("it can be read"));
    }
    for secret in ["correct horse", "battery staple"] {
        assert!(!words.contains(secret), "{words}");
    }
    // The last look at this configuration (its destruction) needs the value too.
    bench.write(&configuration.replace(
        "sensitive = true\n}\nimage",
        "sensitive = true\n  default = \"\"\n}\nimage",
    ));
}

/// A plan that the world has left behind starts nothing.
#[test]
fn a_stale_plan_starts_nothing() {
    let Some(bench) = Bench::new("infra-live-stale", &pair("97.3")) else {
        return;
    };
    bench.run(0, &["apply", "--auto-approve"]);
    let plan = bench.path("the.plan");
    let plan = plan.to_str().expect("a path of ours is text");
    bench.run(0, &["plan", "--var", "cpu=0", "--out", plan]);
    bench.docker(&[
        "update",
        "--memory",
        "48m",
        "--memory-swap",
        "48m",
        "infra-live-stale.cache",
    ]);
    bench.run(5, &["apply", plan]);
    assert_eq!(
        bench.docker(&[
            "inspect",
            "--format",
            "{{.HostConfig.CpusetCpus}}",
            "infra-live-stale.cache"
        ]),
        "1"
    );
    let pin = bench.virsh(&["vcpupin", "infra-live-stale.guest"]);
    assert_eq!(pin.split_whitespace().last(), Some("0"), "{pin}");
}

/// An object of somebody else's under our name is left alone, and said while planning.
#[test]
fn a_taken_name_is_refused() {
    let configuration = r#"
infra { project = "PROJECT" }
image "memcached" { archive = "build/memcached.tar" }
workload "cache" {
  container { image = image.memcached }
}
"#;
    let Some(bench) = Bench::new("infra-live-taken", configuration) else {
        return;
    };
    bench.docker(&["volume", "create", "infra-live-taken-other"]);
    let image =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart/build/memcached.tar");
    bench.docker(&[
        "import",
        image.to_str().expect("a path of ours is text"),
        "infra-live-taken-image:1",
    ]);
    bench.docker(&[
        "create",
        "--name",
        "infra-live-taken.cache",
        "infra-live-taken-image:1",
        "true",
    ]);
    let output = bench.command(&["plan"]).output().expect("infra runs");
    let words = said(&output);
    let there = bench.docker(&["ps", "-aq", "--filter", "name=infra-live-taken.cache"]);
    bench.docker(&["rm", "-f", "infra-live-taken.cache"]);
    bench.docker(&["rmi", "infra-live-taken-image:1"]);
    bench.docker(&["volume", "rm", "infra-live-taken-other"]);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(
        words.contains("Name taken") && words.contains("main.infra.hcl:4:1"),
        "{words}"
    );
    assert!(!there.is_empty(), "it was removed");
}

/// What `plan --json` says is what the kernel says.
#[test]
fn planned_pins_are_the_kernels() {
    let Some(bench) = Bench::new("infra-live-pins", &pair("97.4")) else {
        return;
    };
    let plan = bench.json(&["plan", "--json"]);
    bench.run(0, &["apply", "--auto-approve"]);
    let workload = |name: &str| {
        let all = plan["workloads"].as_array().expect("workloads are a list");
        all.iter()
            .find(|w| w["address"] == format!("workload.{name}"))
            .cloned()
            .expect("it is planned")
    };
    let pid = bench.docker(&[
        "inspect",
        "--format",
        "{{.State.Pid}}",
        "infra-live-pins.cache",
    ]);
    let status =
        std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its process is there");
    let allowed = status
        .lines()
        .find_map(|l| l.strip_prefix("Cpus_allowed_list:"))
        .map(str::trim);
    assert_eq!(
        allowed,
        workload("cache")["cells"][0]["vcpus"][0]["cpu"]
            .as_u64()
            .map(|c| c.to_string())
            .as_deref()
    );
    let pin = bench.virsh(&["vcpupin", "infra-live-pins.guest", "--live"]);
    let planned = workload("guest")["cells"][0]["cpus"]
        .as_str()
        .map(str::to_owned);
    assert_eq!(
        pin.split_whitespace().last().map(str::to_owned),
        planned,
        "{pin}"
    );
}
