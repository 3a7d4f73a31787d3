//! Facts of this machine that take a running program or a system call.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use infra_api::Facts;

use crate::reader::Problem;
use crate::run::run;
use crate::tree::Root;

/// Asking a program for its version takes no longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The facts of this machine, as far as its files tell them: nothing is run, which would take longer than all else that a
/// plan does.
pub fn live() -> (Facts, Vec<Problem>) {
    let (mut facts, problems) = crate::read(&Root::live());
    let uname = rustix::system::uname();
    let arch = uname.machine().to_string_lossy().into_owned();
    facts.hostname = Some(uname.nodename().to_string_lossy().into_owned());
    facts.page_bytes = u64::try_from(rustix::param::page_size()).ok();
    facts.kernel.arch = Some(arch);
    (facts, problems)
}

/// The versions of QEMU, systemd and tuned of this machine, where nobody has told them yet: each is run for it.
pub fn programs(facts: &mut Facts) {
    let arch = facts.kernel.arch.clone().unwrap_or_default();
    let versions = &mut facts.versions;
    let qemu = || emulator(&arch).and_then(|emulator| version(&emulator, 3));
    versions.qemu = versions.qemu.take().or_else(qemu);
    let systemd = || version(Path::new("systemctl"), 1);
    versions.systemd = versions.systemd.take().or_else(systemd);
    versions.tuned = version(Path::new("tuned"), 1);
}

/// QEMU's system emulator for an architecture, where distributions put it.
pub fn emulator(arch: &str) -> Option<PathBuf> {
    let places = [
        format!("/usr/bin/qemu-system-{arch}"),
        format!("/usr/local/bin/qemu-system-{arch}"),
        "/usr/libexec/qemu-kvm".to_owned(),
    ];
    places
        .into_iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
}

/// The word at `position` of the first line a program prints for `--version`.
fn version(program: &Path, position: usize) -> Option<String> {
    let ran = run(Command::new(program).arg("--version"), "", PATIENCE).ok()?;
    if !ran.status?.success() {
        return None;
    }
    ran.stdout
        .lines()
        .next()?
        .split_whitespace()
        .nth(position)
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_understood() {
        let (facts, problems) = live();
        assert!(problems.is_empty(), "{problems:?}");
        assert!(!facts.cpus.online.is_empty() && facts.memory_bytes > Some(0));
        assert_eq!(facts.cpus.list.len(), facts.cpus.online.len());
        assert!(facts.page_bytes >= Some(4096) && facts.kernel.arch.is_some());
        let json = serde_json::to_string(&facts).unwrap();
        assert_eq!(Facts::from_json(&json).unwrap(), facts);
    }

    #[test]
    fn what_is_told_already_is_not_asked_for() {
        let mut facts = live().0;
        assert_eq!(facts.versions, Default::default(), "nothing was run");
        facts.versions.qemu = Some("1.2.3".to_owned());
        programs(&mut facts);
        assert_eq!(facts.versions.qemu.as_deref(), Some("1.2.3"));
    }

    #[test]
    fn a_missing_program_has_no_version() {
        assert_eq!(version(Path::new("/nonexistent"), 0), None);
    }
}
