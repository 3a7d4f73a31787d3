//! The sections of the report.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::applies;
use super::folder::Folder;
use super::meter::{Taken, best, once};
use super::shapes::{self, Shape};

const MIB: f64 = 1024.0 * 1024.0;

fn heading(text: &str) {
    println!("\n{text}");
}

/// A line of a table; `bar` is what it is to reach.
fn line(name: &str, figures: &str, bar: &str) {
    println!("  {name:<34} {figures:<34} {bar}");
}

fn figures(taken: Taken) -> String {
    let Taken {
        cpu,
        wall: _,
        peak_bytes,
    } = taken;
    format!("{:.3} CPU s, {:.0} MiB", cpu.as_secs_f64(), mib(peak_bytes))
}

#[allow(clippy::cast_precision_loss, reason = "for people to read")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

fn times(name: &str, ratio: f64, bar: &str) {
    line(name, &format!("{ratio:.2}×"), bar);
}

/// The program's own start, beside others'; and its size.
pub(crate) fn start() {
    heading("start (least of 20)");
    let infra = env!("CARGO_BIN_EXE_infra");
    for (program, bar) in [
        (infra, "no slower than these"),
        ("docker", ""),
        ("virsh", ""),
    ] {
        let mut version = Command::new(program);
        version.arg("--version");
        if Command::new(program).arg("--version").output().is_err() {
            println!("  SKIPPED {program}: it is not installed");
            continue;
        }
        let taken = best(20, || once(&mut version));
        let name = Path::new(program).file_name().unwrap_or_default();
        let wall = format!(
            "{:.1} ms wall, {}",
            taken.wall.as_secs_f64() * 1e3,
            figures(taken)
        );
        line(&format!("{} --version", name.display()), &wall, bar);
    }
    let size = std::fs::metadata(infra).map_or(0, |m| m.len());
    line(
        "the program's file",
        &format!("{:.1} MiB", mib(size)),
        "< 25 MB stripped",
    );
}

/// Plans on recorded facts, nothing there yet and everything there.
pub(crate) fn plan() {
    heading("plan on recorded facts (least of 3)");
    let mut fresh: BTreeMap<(&str, usize), Duration> = BTreeMap::new();
    let counted = [
        (Shape::Flat, 1_000, ""),
        (Shape::Flat, 10_000, "< 1 CPU s, < 200 MiB"),
        (Shape::Tree, 10_000, ""),
        (Shape::Chain, 1_000, ""),
        (Shape::References, 1_000, ""),
        (Shape::Each, 1_000, ""),
        (Shape::Each, 10_000, ""),
        (Shape::Network, 10_000, ""),
        (Shape::Machines, 10_000, ""),
    ];
    for (shape, count, bar) in counted {
        let folder = Folder::new(&shape.text(count));
        let taken = best(3, || once(&mut folder.plan()));
        line(&format!("{} {count}", shape.name()), &figures(taken), bar);
        fresh.insert((shape.name(), count), taken.cpu);
    }
    let folder = Folder::new(&Shape::Flat.text(10_000));
    once(&mut itself(&["applied", &folder.path().to_string_lossy()]));
    let unchanged = best(3, || once(&mut folder.plan()));
    line("flat 10000, no change", &figures(unchanged), "");
    let of = |shape: Shape, count: usize| fresh[&(shape.name(), count)];
    let (thousand, ten) = (of(Shape::Flat, 1_000), of(Shape::Flat, 10_000));
    times("flat: 10000 / 1000", ratio(ten, thousand), "≤ 12");
    times(
        "flat 10000: no change / fresh",
        ratio(unchanged.cpu, ten),
        "≤ 1",
    );
    times(
        "1000: chain / flat",
        ratio(of(Shape::Chain, 1_000), thousand),
        "≤ 1.5",
    );
    times(
        "1000: references / flat",
        ratio(of(Shape::References, 1_000), thousand),
        "≤ 1.5",
    );
    times(
        "10000: for_each / flat",
        ratio(of(Shape::Each, 10_000), ten),
        "≤ 1.2",
    );
    largest();
}

/// A file as large as one may be.
fn largest() {
    let one = Shape::Flat.text(1_000).len() / 1_000;
    let mut text = Shape::Flat.text((8 << 20) / (one + 8));
    text.extend(std::iter::repeat_n('#', (8 << 20) - text.len()));
    let folder = Folder::new(&text);
    line(
        "a file of 8 MiB",
        &figures(once(&mut folder.plan())),
        "< 1 GiB",
    );
}

/// Applies on a daemon in memory.
pub(crate) fn apply() {
    heading("apply's own cost, on a daemon in memory (least of 3)");
    for (steps, bar) in [(1_000, "< 0.3 CPU s, ≤ 3×"), (10_000, "linear")] {
        let all: Vec<(f64, f64)> = (0..3).map(|_| in_its_own_process(steps)).collect();
        let cpu = all
            .iter()
            .map(|(cpu, _)| *cpu)
            .fold(f64::INFINITY, f64::min);
        let figures = format!("{cpu:.3} CPU s, writes {:.2}× the state", all[0].1);
        line(&format!("{steps} steps"), &figures, bar);
    }
}

fn in_its_own_process(steps: usize) -> (f64, f64) {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let mut command = itself(&[
        "apply",
        &steps.to_string(),
        &directory.path().to_string_lossy(),
    ]);
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split_whitespace().filter_map(|n| n.parse().ok());
    let mut next = || numbers.next().expect("two numbers");
    (next(), next())
}

/// Prints CPU seconds and bytes written as a multiple of the state's.
#[allow(clippy::cast_precision_loss, reason = "for people to read")]
pub(crate) fn applied(steps: &str, directory: &str) {
    let steps = steps.parse().expect("a number");
    let taken = applies::apply(steps, Path::new(directory));
    let times = taken.written as f64 / taken.state as f64;
    println!("{} {times}", taken.cpu.as_secs_f64());
}

/// Terraform's core on the same shapes, beside ours.
pub(crate) fn terraform() {
    heading("Terraform's core beside it, `terraform_data` instead of workloads (one run)");
    if Command::new("terraform").arg("version").output().is_err() {
        println!("  SKIPPED terraform: it is not installed");
        return;
    }
    for (shape, count) in [
        (Shape::Flat, 1_000),
        (Shape::Chain, 1_000),
        (Shape::References, 1_000),
        (Shape::Each, 1_000),
        (Shape::Tree, 10_000),
    ] {
        let Some(text) = shapes::terraform(shape, count) else {
            continue;
        };
        let theirs = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        std::fs::write(theirs.path().join("main.tf"), text).expect("a file");
        let terraform = |word: &[&str]| {
            let mut command = Command::new("terraform");
            command.arg(format!("-chdir={}", theirs.path().display()));
            command
                .args(word)
                .env("CHECKPOINT_DISABLE", "1")
                .env("TF_CLI_CONFIG_FILE", "/dev/null");
            once(&mut command)
        };
        terraform(&["init"]);
        let plan = terraform(&["plan", "-input=false"]);
        let folder = Folder::new(&shape.text(count));
        let ours = best(3, || once(&mut folder.plan()));
        let name = format!("{} {count}", shape.name());
        line(
            &name,
            &format!("Terraform {}", figures(plan)),
            &format!("infra {}", figures(ours)),
        );
        times(
            &format!("{name}: Terraform / infra"),
            ratio(plan.cpu, ours.cpu),
            "",
        );
    }
}

fn itself(words: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(words);
    command
}
