//! Two commands side by side: ours, and the floor, which makes the bare calls and nothing else. Run alternately, so
//! that whatever else the machine does falls on both.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where `infra` runs: a folder, and the program.
pub(crate) struct Infra {
    pub(crate) folder: PathBuf,
    program: PathBuf,
}

impl Infra {
    /// In a new folder below the system's temporary one, with this configuration.
    pub(crate) fn new(name: &str, configuration: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("infra-bench-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        std::fs::write(folder.join("main.infra.hcl"), configuration)
            .expect("a file can be written");
        let program = std::env::var_os("INFRA").expect("INFRA names the program that is measured");
        Self {
            folder,
            program: program.into(),
        }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-C").arg(&self.folder).args(args);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) {
        run(self.command(args));
    }
}

/// This program again, as the floor.
pub(crate) fn floor(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a program knows where it is"));
    command.arg("floor").args(args);
    command
}

/// Its time; what it prints is shown only where it fails.
pub(crate) fn run(mut command: Command) -> Duration {
    let began = Instant::now();
    let output = command
        .stdin(Stdio::null())
        .output()
        .expect("the command runs");
    let took = began.elapsed();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    took
}

/// The most memory it held, in MiB: its high-water mark, looked at until it ends.
pub(crate) fn memory(mut command: Command) -> f64 {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command runs");
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut most = 0.0_f64;
    while child
        .try_wait()
        .expect("a child can be asked after")
        .is_none()
    {
        most = most.max(high_water(&status).unwrap_or(0.0));
        std::thread::sleep(Duration::from_millis(2));
    }
    most
}

fn high_water(status: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// Times of one phase, in the order they were taken.
#[derive(Default)]
pub(crate) struct Phase {
    pub(crate) ours: Vec<Duration>,
    pub(crate) floor: Vec<Duration>,
}

/// A line of the table: medians, their ratio, calls of both, memory of ours.
pub(crate) fn line(name: &str, phase: &Phase, calls: (u64, u64), memory: f64) {
    let (ours, floor) = (median(&phase.ours), median(&phase.floor));
    println!(
        "| {name} | {ours:.3} | {floor:.3} | {:.2} | {:+.3} | {} | {} | {memory:.0} |",
        ours / floor,
        ours - floor,
        calls.0,
        calls.1
    );
}

pub(crate) fn head(runs: usize) {
    println!("medians of {runs} runs, ours and the floor in turn\n");
    println!(
        "| phase | infra s | floor s | ratio | difference s | calls | floor's calls | peak MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
}

fn median(times: &[Duration]) -> f64 {
    let mut seconds: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
    seconds.sort_by(f64::total_cmp);
    let middle = seconds.len() / 2;
    match seconds.len() % 2 {
        0 => (seconds[middle - 1] + seconds[middle]) / 2.0,
        _ => seconds[middle],
    }
}

/// How often each phase is run: `INFRA_BENCH_RUNS`, 10 without it.
pub(crate) fn runs() -> usize {
    let said = std::env::var("INFRA_BENCH_RUNS").ok();
    said.map_or(10, |said| {
        said.parse().expect("INFRA_BENCH_RUNS is a number")
    })
}
