//! Whether KVM works, found out by trying it.
//!
//! `/dev/kvm` that opens is no proof: under some hypervisors QEMU then aborts. KVM counts as
//! working if the CPU can virtualise and a paused QEMU really starts with it and with `-cpu host`.
//! Nor is the start alone a proof: a KVM without help of the CPU starts every machine, and an
//! ordinary guest kernel then gets nowhere because its instructions are emulated one by one.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::run::{Ran, run};

/// A paused QEMU is there within one second; a loaded machine may take much more, an emulated one above all.
const PATIENCE: Duration = Duration::from_secs(30);

/// The monitor's commands are carried out only after the machine and its CPUs have been made.
pub const COMMANDS: &str = "{\"execute\":\"qmp_capabilities\"}\n\
                        {\"execute\":\"query-status\"}\n\
                        {\"execute\":\"quit\"}\n";

/// Starts a paused machine with KVM and ends it. The error is the reason to show to a person.
pub fn works(emulator: &Path) -> Result<(), String> {
    if !Path::new("/dev/kvm").exists() {
        return Err("there is no /dev/kvm".to_owned());
    }
    if cfg!(target_arch = "x86_64") {
        virtualises(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default())?;
    }
    starts_paused(emulator)
}

/// As [`works`], tried once for each boot, emulator and state of its file: the answer is kept in the
/// file `cache`. A cache that cannot be read or written only costs the trial.
pub fn works_cached(emulator: &Path, cache: &Path) -> Result<(), String> {
    tried_once(Key::now(emulator), cache, || works(emulator))
}

fn tried_once(
    key: Key,
    cache: &Path,
    trial: impl Fn() -> Result<(), String>,
) -> Result<(), String> {
    if let Some(kept) = kept(cache, &key) {
        return kept.why_not.map_or(Ok(()), Err);
    }
    let works = trial();
    let why_not = works.clone().err();
    if key.boot.is_some() {
        let _ = keep(cache, Trial { key, why_not });
    }
    works
}

/// Whether an x86 CPU has what KVM needs.
fn virtualises(cpuinfo: &str) -> Result<(), String> {
    let flags = cpuinfo.lines().find(|line| line.starts_with("flags"));
    let mut flags = flags.into_iter().flat_map(str::split_whitespace);
    match flags.any(|flag| flag == "vmx" || flag == "svm") {
        true => Ok(()),
        false => Err(
            "the CPU does not virtualise here: /proc/cpuinfo has neither vmx nor svm".to_owned(),
        ),
    }
}

fn starts_paused(emulator: &Path) -> Result<(), String> {
    let ran = run(&mut command(emulator), COMMANDS, PATIENCE)
        .map_err(|error| format!("{} does not start: {error}", emulator.display()))?;
    judge(&ran)
}

/// A host that is reached by a shell: what KVM is tried with there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    pub arch: String,
    /// Of its kernel, since it was started.
    pub boot: String,
    /// The flag of its CPU, `vmx` or `svm`; of x86 only.
    pub virtualises: String,
    /// Whether there is a `/dev/kvm`.
    pub device: bool,
    /// QEMU's path, its size, and when it was changed, in seconds since 1970; empty where there is none.
    pub emulator: String,
}

impl Machine {
    /// What is known without a trial.
    #[must_use]
    pub fn known(&self, cache: &Path) -> Option<Result<(), String>> {
        if !self.device {
            return Some(Err("there is no /dev/kvm".to_owned()));
        }
        if self.arch == "x86_64" && self.virtualises.is_empty() {
            return Some(virtualises(""));
        }
        let kept = kept(cache, &self.key())?;
        Some(kept.why_not.map_or(Ok(()), Err))
    }

    pub fn keep(&self, cache: &Path, works: &Result<(), String>) {
        let why_not = works.clone().err();
        let key = self.key();
        let _ = keep(cache, Trial { key, why_not });
    }

    /// The command of the trial, with [`COMMANDS`] on its stdin.
    #[must_use]
    pub fn trial(&self) -> Vec<String> {
        let emulator = self.emulator.split(' ').next().unwrap_or_default();
        let limit = PATIENCE.as_secs().to_string();
        let command = command(Path::new(emulator));
        let args = command
            .get_args()
            .map(|arg| arg.to_string_lossy().into_owned());
        let first = ["timeout".to_owned(), limit, emulator.to_owned()];
        first.into_iter().chain(args).collect()
    }

    fn key(&self) -> Key {
        Key {
            boot: Some(self.boot.clone()),
            emulator: self.emulator.clone(),
            file: None,
        }
    }
}

/// What the trial shows of a host that is reached by a shell.
///
/// # Errors
/// Why KVM does not work there.
pub fn judge_afar(code: Option<i32>, stdout: &str, stderr: &str) -> Result<(), String> {
    match code {
        Some(0) if paused(stdout) => Ok(()),
        // What `timeout` says of a command that it has ended.
        Some(124) => Err(hung()),
        _ => Err(refused(
            &code.map_or("a signal".to_owned(), |c| format!("exit status: {c}")),
            stderr,
        )),
    }
}

/// What an answer holds for.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Key {
    boot: Option<String>,
    emulator: String,
    /// Its length, and when it was changed: an update changes both. Asking it for its version would mean to run it each time.
    file: Option<(u64, Duration)>,
}

impl Key {
    fn now(emulator: &Path) -> Key {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        Key {
            boot: boot.map(|id| id.trim().to_owned()),
            emulator: emulator.display().to_string(),
            file: fs::metadata(emulator).ok().and_then(|file| {
                let changed = file.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH);
                Some((file.len(), changed.ok()?))
            }),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Trial {
    #[serde(flatten)]
    key: Key,
    why_not: Option<String>,
}

/// So many hosts are known at a time: those that were tried last.
const KNOWN: usize = 256;

fn all_kept(cache: &Path) -> Vec<Trial> {
    let text = fs::read_to_string(cache).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn kept(cache: &Path, key: &Key) -> Option<Trial> {
    let mut trials = all_kept(cache).into_iter();
    trials.find(|trial| trial.key == *key)
}

fn keep(cache: &Path, trial: Trial) -> std::io::Result<()> {
    // Who was only busy may answer the next time.
    if trial.why_not.as_ref() == Some(&hung()) {
        return Ok(());
    }
    let mut trials = all_kept(cache);
    trials.retain(|known| known.key != trial.key);
    trials.push(trial);
    let from = trials.len().saturating_sub(KNOWN);
    match cache.parent().map(fs::create_dir_all) {
        Some(Err(error)) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // A half-written file is no JSON and is tried again.
    fs::write(cache, serde_json::to_string(&trials[from..])? + "\n")
}

fn command(emulator: &Path) -> Command {
    let mut command = Command::new(emulator);
    let machine = machine(&emulator.to_string_lossy());
    command.args([
        "-accel", "kvm", "-cpu", "host", "-machine", machine, "-m", "64", "-S",
    ]);
    command.args([
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-qmp",
        "stdio",
    ]);
    command
}

/// A machine that the emulator has and that takes the host's CPU.
fn machine(emulator: &str) -> &'static str {
    let machines = [
        ("aarch64", "virt"),
        ("riscv64", "virt"),
        ("loongarch64", "virt"),
        ("ppc64", "pseries"),
        ("s390x", "s390-ccw-virtio"),
    ];
    let known = machines.iter().find(|(arch, _)| emulator.ends_with(arch));
    known.map_or("q35", |(_, machine)| machine)
}

fn judge(ran: &Ran) -> Result<(), String> {
    match ran.status {
        None => Err(hung()),
        Some(status) if status.success() && paused(&ran.stdout) => Ok(()),
        Some(status) => Err(refused(&status.to_string(), &ran.stderr)),
    }
}

fn hung() -> String {
    format!(
        "QEMU hung for {} s as it started with KVM",
        PATIENCE.as_secs()
    )
}

fn refused(status: &str, stderr: &str) -> String {
    let last = stderr.lines().rfind(|line| !line.trim().is_empty());
    let said = last.unwrap_or("it said nothing").trim();
    format!("QEMU does not start with KVM ({status}): {said}")
}

fn paused(stdout: &str) -> bool {
    stdout.lines().any(|line| {
        let answer: Option<serde_json::Value> = serde_json::from_str(line).ok();
        answer.is_some_and(|answer| {
            matches!(
                answer["return"]["status"].as_str(),
                Some("prelaunch" | "paused")
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    /// A program that behaves as a QEMU might, and counts how often it was run.
    fn qemu(dir: &Path, body: &str) -> PathBuf {
        let path = dir.join("qemu");
        let log = dir.join("tried");
        let script = format!("#!/bin/sh\necho x >> {}\n{body}\n", log.display());
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn answer(body: &str) -> Result<(), String> {
        let dir = tempfile::tempdir().unwrap();
        starts_paused(&qemu(dir.path(), body))
    }

    const PAUSED: &str = r#"echo '{"QMP": {}}'; echo '{"return": {"status": "prelaunch"}}'"#;

    #[test]
    fn a_paused_machine_is_proof() {
        assert_eq!(answer(PAUSED), Ok(()));
    }

    #[test]
    fn anything_else_is_not_and_says_why() {
        let abort =
            answer("echo 'qemu: error: failed to set MSR 0x345' >&2; kill -ABRT $$").unwrap_err();
        assert!(
            abort.contains("SIGABRT") && abort.ends_with("failed to set MSR 0x345"),
            "{abort}"
        );
        let greeting = answer(r#"echo '{"QMP": {}}'"#).unwrap_err();
        assert!(greeting.ends_with("it said nothing"), "{greeting}");
    }

    #[test]
    fn it_is_tried_once() {
        let dir = tempfile::tempdir().unwrap();
        let (emulator, cache) = (qemu(dir.path(), PAUSED), dir.path().join("a/b/kvm.json"));
        let ask = || tried_once(Key::now(&emulator), &cache, || starts_paused(&emulator));
        let tried = || {
            fs::read_to_string(dir.path().join("tried"))
                .unwrap()
                .lines()
                .count()
        };
        assert_eq!((ask(), ask(), tried()), (Ok(()), Ok(()), 1));
        fs::write(&cache, "{").unwrap();
        assert_eq!((ask(), tried()), (Ok(()), 2));
        qemu(dir.path(), &format!("{PAUSED}; true"));
        assert_eq!((ask(), ask(), tried()), (Ok(()), Ok(()), 3), "another one");
    }

    /// One does not push out another, and who was only busy is asked again.
    #[test]
    fn each_host_is_tried_once() {
        let dir = tempfile::tempdir().unwrap();
        let cache = dir.path().join("kvm.json");
        let key = |boot: &str| Key {
            boot: Some(boot.to_owned()),
            emulator: "/qemu".to_owned(),
            file: None,
        };
        for boot in ["one", "two"] {
            assert!(tried_once(key(boot), &cache, || Ok(())).is_ok());
        }
        for boot in ["one", "two"] {
            tried_once(key(boot), &cache, || panic!("tried again")).unwrap();
        }
        for _ in 0..2 {
            let tried = tried_once(key("three"), &cache, || Err(hung()));
            assert_eq!(tried, Err(hung()));
        }
        assert!(tried_once(key("three"), &cache, || Ok(())).is_ok());
    }

    #[test]
    fn a_refusal_is_kept_with_its_reason() {
        let dir = tempfile::tempdir().unwrap();
        let (emulator, cache) = (dir.path().join("none"), dir.path().join("kvm.json"));
        let refusal = tried_once(Key::now(&emulator), &cache, || starts_paused(&emulator));
        assert!(refusal.as_ref().unwrap_err().contains("does not start"));
        let again = tried_once(Key::now(&emulator), &cache, || panic!("tried again"));
        assert_eq!(again, refusal);
    }

    #[test]
    fn the_cpu_must_virtualise() {
        assert_eq!(
            virtualises("processor: 0\nflags\t\t: fpu vmx sse\n"),
            Ok(())
        );
        let no = virtualises("flags\t\t: fpu svm_lock hypervisor\n").unwrap_err();
        assert!(no.contains("neither vmx nor svm"));
    }
}
