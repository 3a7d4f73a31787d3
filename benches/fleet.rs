//! The whole command on a fleet: `cargo bench --bench fleet [-- WORKLOADS/HOSTS...]` writes fleets of recorded facts and
//! plans them, reading included. `cargo bench --bench fleet -- write DIR WORKLOADS/HOSTS` only writes one, to be tried by
//! hand: `infra -C DIR plan --facts hosts`. What was measured when is in `README.md` beside this file.

#[path = "fleet/facts.rs"]
mod facts;
#[path = "core/meter.rs"]
#[allow(dead_code, reason = "another bench uses the rest")]
mod meter;
#[path = "fleet/text.rs"]
mod text;

use std::fs;
use std::path::Path;
use std::process::Command;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|w| !w.starts_with('-'))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["write", directory, size] => {
            let (workloads, hosts) = sizes(size);
            let machines = write(Path::new(directory), workloads, hosts);
            println!("{workloads} workloads on {hosts} hosts of {machines} kinds in {directory}");
        }
        [] => ["1000/100", "10000/1000", "100000/10000"]
            .into_iter()
            .for_each(measure),
        _ => words.into_iter().for_each(measure),
    }
}

/// # Panics
/// Where it is not two numbers.
fn sizes(text: &str) -> (usize, usize) {
    let (workloads, hosts) = text.split_once('/').expect("WORKLOADS/HOSTS");
    let number = |text: &str| text.parse().expect("WORKLOADS/HOSTS");
    (number(workloads), number(hosts))
}

fn write(directory: &Path, workloads: usize, hosts: usize) -> usize {
    let machines = facts::machines();
    let folder = directory.join("hosts");
    fs::create_dir_all(&folder).expect("a folder");
    for n in 0..hosts {
        let name = text::host(n);
        let facts = serde_json::to_string(&facts::of(&machines, n, &name)).expect("facts");
        fs::write(folder.join(format!("{name}.json")), facts).expect("a file");
    }
    let text = text::fleet(workloads, hosts);
    fs::write(directory.join("main.infra.hcl"), text).expect("a file");
    fs::write(directory.join("guest.raw"), vec![0; 1 << 20]).expect("a file");
    machines.len()
}

fn measure(size: &str) {
    let (workloads, hosts) = sizes(size);
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let machines = write(directory.path(), workloads, hosts);
    let run = |how: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_infra"));
        command
            .env_clear()
            .env("HOME", directory.path())
            .arg("-C")
            .arg(directory.path())
            .args(["plan", "--facts", "hosts"])
            .args((how == "json").then_some("--json"));
        let taken = meter::once(&mut command);
        println!(
            "{workloads} on {hosts} ({machines} kinds), {how}: {:.2} s, {:.2} s CPU, {} MiB",
            taken.wall.as_secs_f64(),
            taken.cpu.as_secs_f64(),
            taken.peak_bytes >> 20
        );
    };
    ["text", "json"].into_iter().for_each(run);
}
