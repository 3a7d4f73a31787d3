//! Planning, case by case: every folder of `tests/cases` is a configuration with the plan it comes to on recorded
//! hosts, or with what is said instead.
//!
//! - `*.infra.hcl`, `*.auto.vars.hcl`, modules, image files: the configuration.
//! - `args`: what is given beside it, a line each: `--var x=1`, `--detailed-exitcode`, `INFRA_VAR_x=1`.
//! - `hosts/NAME.json`: facts; those of `tests/hosts` where the case has none of that name.
//! - `before/`: files laid over the case for a first plan; the case is planned on the state which that one,
//!   applied, leaves.
//! - `unreachable`: hosts, a line each, whose facts are not there for the case itself, though they were for `before`.
//! - `plan.txt` and `plan.json`: what `infra plan` and `infra plan --json` print. `stderr.txt`: what is said.
//!   `exit.txt`: the exit code. A file that is not there stands for nothing, and for 0.
//!
//! `INFRA_BLESS=1` rewrites the last four. What is secret holds the word `hunter2`: it is nowhere but in the case.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Folder, Ran, files, hosts};

const EXPECTED: [&str; 4] = ["plan.txt", "plan.json", "stderr.txt", "exit.txt"];
const SECRET: &str = "hunter2";

#[test]
fn every_case_comes_to_what_is_expected() {
    let failures: Vec<String> = asked_for().iter().filter_map(|c| check(c).err()).collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn some_case_holds_a_secret() {
    let held = |case: &PathBuf| {
        let args = fs::read_to_string(case.join("args")).unwrap_or_default();
        args.contains(SECRET)
    };
    assert!(
        cases().iter().any(held),
        "else nothing would be kept secret"
    );
}

/// `INFRA_CASE=NAME` leaves the others out.
fn asked_for() -> Vec<PathBuf> {
    let mut cases = cases();
    if let Some(name) = std::env::var_os("INFRA_CASE") {
        cases.retain(|case| case.file_name() == Some(&name));
    }
    assert!(!cases.is_empty());
    cases
}

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = fs::read_dir(root).unwrap();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn check(case: &Path) -> Result<(), String> {
    let name = case.file_name().unwrap().to_str().unwrap();
    let folder = prepare(case, name)?;
    let text = plan(&folder, &[]);
    let json = plan(&folder, &["--json"]);
    let exit = match text.exit {
        0 => String::new(),
        code => format!("{code}\n"),
    };
    let got = [&text.stdout, &json.stdout, &text.stderr, &exit];
    let mut wrong: Vec<String> = EXPECTED
        .iter()
        .zip(got)
        .filter_map(|(file, got)| differs(&case.join(file), got))
        .collect();
    if (&json.stderr, json.exit) != (&text.stderr, text.exit) {
        wrong.push(format!("with --json another outcome: {json:?}"));
    }
    wrong.extend(leaks(case, &folder, &[&text, &json]));
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("== {name}\n{}", wrong.join("\n"))),
    }
}

fn prepare(case: &Path, name: &str) -> Result<Folder, String> {
    let folder = Folder::new(name).with_key();
    folder.add(&hosts(), "hosts");
    folder.add(case, ".");
    if case.join("before").is_dir() {
        folder.add(&case.join("before"), ".");
        let before = folder
            .plan()
            .map_err(|why| format!("== {name}, before\n{why}"))?;
        folder.write("before.plan", infra_plan::write(&before));
        folder.applied(&before);
        folder.add(case, ".");
    }
    for host in fs::read_to_string(case.join("unreachable"))
        .unwrap_or_default()
        .lines()
    {
        folder.remove(&format!("hosts/{host}.json"));
    }
    Ok(folder)
}

fn plan(folder: &Folder, more: &[&str]) -> Ran {
    let mut command = folder.command(["plan", "--facts", "hosts"]);
    command.current_dir(folder.path()).args(more);
    if folder.exists("args") {
        folder
            .read("args")
            .lines()
            .for_each(|line| give(&mut command, line));
    }
    folder.run(&mut command, "")
}

fn give(command: &mut Command, line: &str) {
    match (line.split_once('='), line.split_once(' ')) {
        (Some((name, value)), _) if name.starts_with("INFRA_") => command.env(name, value),
        (_, Some((flag, value))) => command.args([flag, value]),
        _ => command.arg(line),
    };
}

fn differs(file: &Path, got: &str) -> Option<String> {
    if std::env::var_os("INFRA_BLESS").is_some() {
        let written = match got {
            "" => fs::remove_file(file).or(Ok(())),
            got => fs::write(file, got),
        };
        written.expect("the case's folder can be written");
    }
    let wanted = fs::read_to_string(file).unwrap_or_default();
    let name = file.file_name().unwrap().display();
    (wanted != got).then(|| format!("{name}\n--- wanted\n{wanted}--- got\n{got}---"))
}

/// Escape codes in what was printed, and secrets anywhere that the case does not hold them itself.
fn leaks(case: &Path, folder: &Folder, ran: &[&Ran]) -> Vec<String> {
    let printed = ran.iter().flat_map(|r| [&r.stdout, &r.stderr]);
    let printed = printed.map(|text| ("what was printed".to_owned(), text.clone().into_bytes()));
    let own: Vec<_> = files(case).into_iter().map(|(name, _)| name).collect();
    let theirs = files(folder.path())
        .into_iter()
        .filter(|(name, _)| !own.contains(name));
    let mut wrong = Vec::new();
    for (place, bytes) in printed.chain(theirs) {
        let text = String::from_utf8_lossy(&bytes);
        if text.contains(SECRET) {
            wrong.push(format!("{place} holds a secret:\n{text}"));
        }
        if text.contains('\u{1b}') {
            wrong.push(format!("{place} holds an escape code:\n{text:?}"));
        }
    }
    wrong
}
