//! A host over SSH: how often a plan waits for it, what its facts take beside the bare transfer, what verifying takes. Run by
//! `benches/daemons/run`.

#[path = "core/meter.rs"]
mod meter;
#[path = "remote/slow.rs"]
mod slow;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use meter::{Taken, best, once};
use slow::Slow;

const CONFIGURATION: &str = r#"
infra { project = "infra-bench-remote" }
variable "docker" { type = string }
variable "libvirt" { type = string }
variable "containers" {
  type    = number
  default = 50
}
host "far" {
  address = "root@infra-live"
  docker  { endpoint = "ssh://root@infra-live${var.docker}" }
  libvirt { uri = "qemu+ssh://root@infra-live/system?socket=${var.libvirt}" }
}
image "memcached" { archive = "build/memcached.tar" }
workload "cache" {
  count = var.containers
  memory { size = "32MiB" }
  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "8"]
  }
}
image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}
workload "guest" {
  count = 10
  memory { size = "64MiB" }
  kvm {
    image        = image.guest
    acceleration = "emulated"
    cmdline      = "console=ttyS0 quiet"
  }
}
"#;

/// How much later a daemon answers, or a command on the host.
const LATER: Duration = Duration::from_millis(400);

const RUNS: usize = 5;

struct Bench {
    folder: PathBuf,
    infra: PathBuf,
    ssh: String,
    docker: String,
    libvirt: String,
}

impl Bench {
    fn new() -> Self {
        let of = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is set"));
        let folder =
            std::env::temp_dir().join(format!("infra-bench-remote-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("bin")).expect("a folder can be made");
        std::fs::write(folder.join("main.infra.hcl"), CONFIGURATION)
            .expect("a file can be written");
        let link = |to: &Path, name: &str| {
            std::os::unix::fs::symlink(to, folder.join(name)).expect("a link can be made");
        };
        link(Path::new(&of("INFRA_BENCH_IMAGES")), "build");
        let ssh = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/remote/ssh");
        link(&ssh, "bin/ssh");
        let docker = of("INFRA_DOCKER_ENDPOINT");
        let libvirt = of("INFRA_LIBVIRT_URI");
        let libvirt = libvirt
            .split_once("socket=")
            .map_or("/var/run/libvirt/libvirt-sock", |(_, s)| s);
        Self {
            infra: of("INFRA").into(),
            ssh: of("INFRA_LIVE_SSH_CONFIG"),
            docker: docker
                .strip_prefix("unix://")
                .expect("it is a socket")
                .to_owned(),
            libvirt: libvirt.to_owned(),
            folder,
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        self.through(args, &self.docker, &self.libvirt)
    }

    /// With these sockets of the daemons.
    fn through(&self, args: &[&str], docker: &str, libvirt: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", self.folder.join("bin").display());
        let mut command = Command::new(&self.infra);
        command
            .arg("-C")
            .arg(&self.folder)
            .args(args)
            .env("PATH", path);
        command.env("INFRA_SSH_CONFIG", &self.ssh);
        command
            .env("INFRA_VAR_docker", docker)
            .env("INFRA_VAR_libvirt", libvirt);
        command
            .env_remove("INFRA_DOCKER_ENDPOINT")
            .env_remove("INFRA_LIBVIRT_URI");
        command
    }
}

/// The least of some runs.
fn least(mut command: impl FnMut() -> Command) -> Duration {
    let run = |_| once(&mut command()).wall;
    (0..RUNS).map(run).min().unwrap_or_default()
}

/// How often a plan that changes nothing waits for each, one after the other.
fn rounds(bench: &Bench) {
    let plan = ["plan", "--detailed-exitcode"];
    let plain = least(|| bench.command(&plan));
    let docker = Slow::before(Path::new(&bench.docker), "docker", LATER);
    let libvirt = Slow::before(Path::new(&bench.libvirt), "libvirt", LATER);
    let (far_docker, far_libvirt) = (
        docker.socket.to_string_lossy(),
        libvirt.socket.to_string_lossy(),
    );
    let of = |took: Duration| took.saturating_sub(plain).as_secs_f64() / LATER.as_secs_f64();
    println!(
        "plan of 60 workloads on one host over SSH, nothing to do: {:.3} s\n",
        plain.as_secs_f64()
    );
    println!("| it waits for | rounds | to reach |\n|---|---|---|");
    let took = least(|| bench.through(&plan, &far_docker, &bench.libvirt));
    println!("| Docker, 50 containers | {:.1} | 3 |", of(took));
    let took = least(|| bench.through(&plan, &bench.docker, &far_libvirt));
    println!(
        "| libvirt, 10 machines | {:.1} | 7: 3 and two fifths of the machines |",
        of(took)
    );
    let took = least(|| {
        let mut command = bench.command(&plan);
        command.env("BENCH_LATER", LATER.as_secs_f64().to_string());
        command
    });
    println!("| commands on the host | {:.1} | 3 |", of(took));
}

/// `infra facts` beside one connection and one command on it, which is told and tells the same.
fn facts(bench: &Bench) {
    let notes = bench.folder.join("notes");
    std::fs::create_dir_all(&notes).expect("a folder can be made");
    let mut noted = bench.command(&["facts", "far"]);
    once(noted.env("BENCH_NOTES", &notes));
    let mut told: Vec<PathBuf> = std::fs::read_dir(&notes)
        .expect("it is there")
        .map(|file| file.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "told"))
        .collect();
    told.sort_by_key(|path| std::fs::metadata(path).map_or(0, |data| data.len()));
    let script = told.last().expect("the host was asked").clone();
    let ours = least(|| bench.command(&["facts", "far"]));
    let bare = || {
        let began = Instant::now();
        let mut ssh = Command::new("ssh");
        ssh.args(["-F", &bench.ssh, "root@infra-live", "sh"]);
        let script = std::fs::File::open(&script).expect("it is there");
        let output = ssh
            .stdin(script)
            .stderr(Stdio::null())
            .output()
            .expect("ssh runs");
        assert!(output.status.success() && !output.stdout.is_empty());
        began.elapsed()
    };
    let bare = (0..RUNS).map(|_| bare()).min().unwrap_or_default();
    println!("\n| facts of the host | | to reach |\n|---|---|---|");
    println!("| commands | {} | 1 |", told.len());
    println!("| `infra facts` | {:.3} s | |", ours.as_secs_f64());
    println!(
        "| `ssh` with the same script | {:.3} s | |",
        bare.as_secs_f64()
    );
    println!(
        "| ratio | {:.2} | 1.2 |",
        ours.as_secs_f64() / bare.as_secs_f64()
    );
}

fn verify(bench: &Bench) {
    let Taken {
        cpu,
        wall,
        peak_bytes,
    } = best(RUNS, || once(&mut bench.command(&["verify"])));
    println!("\n| verify of 20 containers and 10 machines | | to reach |\n|---|---|---|");
    println!(
        "| processor, ssh's included | {:.3} s | 2 s for 20 workloads |",
        cpu.as_secs_f64()
    );
    println!("| in all | {:.3} s | |", wall.as_secs_f64());
    println!("| peak | {} MiB | |", peak_bytes >> 20);
}

fn main() {
    let bench = Bench::new();
    let apply = ["apply", "--auto-approve", "--no-verify"];
    once(&mut bench.command(&apply));
    rounds(&bench);
    facts(&bench);
    once(&mut bench.command(&[&apply[..], &["--var", "containers=20"]].concat()));
    verify(&bench);
    once(&mut bench.command(&["destroy", "--auto-approve"]));
    let _ = std::fs::remove_dir_all(&bench.folder);
}
