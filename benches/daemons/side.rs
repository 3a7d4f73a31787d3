//! Two commands side by side: ours, and the floor, which makes the bare calls and nothing else. Run alternately, so
//! that whatever else the machine does falls on both.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
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
        let images = std::env::var_os("INFRA_BENCH_IMAGES").expect("INFRA_BENCH_IMAGES is set");
        std::os::unix::fs::symlink(images, folder.join("build")).expect("a link can be made");
        let program = std::env::var_os("INFRA").expect("INFRA names the program that is measured");
        Self {
            folder,
            program: program.into(),
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-C").arg(&self.folder).args(args);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) {
        run(self.command(args));
    }
}

/// This program again, as the floor.
fn floor(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a program knows where it is"));
    command.arg("floor").args(args);
    command
}

/// Its time; what it prints is shown only where it fails.
fn run(mut command: Command) -> Duration {
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
fn memory(mut command: Command) -> f64 {
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
        thread::sleep(Duration::from_millis(2));
    }
    most
}

fn high_water(status: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// Acts on all, so many at a time.
pub(crate) fn at_once<T: Send>(in_flight: usize, all: Vec<T>, act: impl Fn(&T) + Sync) {
    let all = Mutex::new(all);
    let next = || all.lock().expect("nobody panics").pop();
    thread::scope(|scope| {
        for _ in 0..in_flight {
            scope.spawn(|| {
                while let Some(one) = next() {
                    act(&one);
                }
            });
        }
    });
}

/// One thing that both do.
pub(crate) struct Scene<'a> {
    pub(crate) name: &'static str,
    pub(crate) ours: &'a [&'a str],
    pub(crate) floor: &'a [&'a str],
}

/// What others use for the same: one line of shell for each scene, in our folder, with `$ENDPOINT` for the daemon.
pub(crate) struct Peer<'a> {
    pub(crate) name: &'a str,
    /// Succeeds where it is installed.
    pub(crate) probe: &'a str,
    /// Nothing where it has no word for it.
    pub(crate) lines: &'a [Option<&'a str>],
}

impl Infra {
    fn shell(&self, line: &str, endpoint: &str) -> Command {
        let mut command = Command::new("sh");
        command.current_dir(&self.folder).env("ENDPOINT", endpoint);
        command.args(["-ec", line]);
        command
    }
}

/// Plays the peers' scenes, once for the time and once through the proxy; their times are long. Prints the table.
pub(crate) fn peers(
    infra: &Infra,
    scenes: &[Scene<'_>],
    peers: &[Peer<'_>],
    endpoints: (&str, &str),
    counted: impl Fn() -> u64,
) {
    let (direct, through) = endpoints;
    println!("\n| peer | what | s (least of 2) | calls |\n|---|---|---|---|");
    for peer in peers {
        let probed = infra.shell(peer.probe, direct).output();
        if !probed.is_ok_and(|probed| probed.status.success()) {
            println!("SKIPPED {}: it is not installed", peer.name);
            continue;
        }
        let round = |endpoint: &str| -> Vec<Option<(Duration, u64)>> {
            let play = |line: &Option<&str>| {
                counted();
                let took = run(infra.shell((*line)?, endpoint));
                Some((took, counted()))
            };
            peer.lines.iter().map(play).collect()
        };
        let rounds = round(direct).into_iter().zip(round(through));
        for (scene, (once, again)) in scenes.iter().zip(rounds) {
            if let (Some((once, _)), Some((again, calls))) = (once, again) {
                let least = once.min(again).as_secs_f64();
                println!("| {} | {} | {least:.3} | {calls} |", peer.name, scene.name);
            }
        }
    }
}

/// Plays the scenes in their order, ours all and then the floor's all, so often as is asked for; then once more through
/// the proxy, which counts, and once more for the memory. Prints the table.
pub(crate) fn side_by_side(
    infra: &Infra,
    scenes: &[Scene<'_>],
    through: &(&str, String),
    counted: impl Fn() -> u64,
) {
    let mut times = vec![(Vec::new(), Vec::new()); scenes.len()];
    for _ in 0..runs() {
        for (scene, (ours, _)) in scenes.iter().zip(&mut times) {
            ours.push(run(infra.command(scene.ours)));
        }
        for (scene, (_, bare)) in scenes.iter().zip(&mut times) {
            bare.push(run(floor(scene.floor)));
        }
    }
    let count = |mut command: Command| {
        command.env(through.0, &through.1);
        counted();
        run(command);
        counted()
    };
    let ours: Vec<u64> = scenes
        .iter()
        .map(|s| count(infra.command(s.ours)))
        .collect();
    let bare: Vec<u64> = scenes.iter().map(|s| count(floor(s.floor))).collect();
    let peaks: Vec<f64> = scenes
        .iter()
        .map(|s| memory(infra.command(s.ours)))
        .collect();
    println!("medians of {} runs, in turn\n", runs());
    println!(
        "| what | infra s | floor s | ratio | difference s | calls | floor's calls | peak MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (i, (ours_times, bare_times)) in times.iter().enumerate() {
        let (mine, least) = (median(ours_times), median(bare_times));
        println!(
            "| {} | {mine:.3} | {least:.3} | {:.2} | {:+.3} | {} | {} | {:.0} |",
            scenes[i].name,
            mine / least,
            mine - least,
            ours[i],
            bare[i],
            peaks[i]
        );
    }
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
fn runs() -> usize {
    let said = std::env::var("INFRA_BENCH_RUNS").ok();
    said.map_or(10, |said| {
        said.parse().expect("INFRA_BENCH_RUNS is a number")
    })
}
