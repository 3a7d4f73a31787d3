//! Its threads may run where they were placed.

use infra_api::IdSet;

use super::Claim;
use crate::verify::wanted::Role;
use crate::verify::words::{answers, cpus};
use crate::verify::{Case, Check, Verdict};

pub(super) const CLAIM: Claim = Claim {
    name: "CPUs",
    holds: "`Cpus_allowed_list` of every thread: what it asked for, within its control group. Of a vCPU and an I/O thread it is exactly the planned set. Each other thread of QEMU, vhost workers of the kernel among them, keeps to the planned set or a part of it (one that takes huge pages keeps to their node), and so does a thread of a container or unit. KVM's own worker (`kvm-nx-lpage-recovery`), which wakes once a minute, is where the thread was that the kernel made it for.",
    source: "proc(5): `/proc/PID/task/TID/status`; QEMU names its threads (`CPU 0/KVM`, `IO iothread1`), which libvirt asks for (`debug-threads=on`)",
    of_processes: true,
    check,
};

fn check(case: &Case<'_>) -> Vec<Check> {
    let of = |(role, wanted): (&Role, &IdSet)| {
        let threads = case
            .threads()
            .filter(|(_, thread)| has(&thread.name, *role) && !is_kvms_own(&thread.name));
        let sets: Vec<(&IdSet, &str)> = threads
            .map(|(_, thread)| (&thread.cpus, thread.name.as_str()))
            .collect();
        let holds = |found: &IdSet| match role {
            Role::Any | Role::Emulator => found.is_subset(wanted),
            _ => found == wanted,
        };
        let verdict = Verdict::of(!sets.is_empty() && sets.iter().all(|(set, _)| holds(set)));
        let found = answers(sets.into_iter(), "thread", |set| cpus(set));
        case.check(words(*role), cpus(wanted), found, verdict)
    };
    case.wanted.threads.iter().map(of).collect()
}

fn words(role: Role) -> String {
    match role {
        Role::Vcpu(number) => format!("vCPU {number}"),
        Role::Iothread(number) => format!("I/O thread {number}"),
        Role::Emulator => "emulator threads".to_owned(),
        Role::Any => "threads".to_owned(),
    }
}

/// The kernel cuts names off.
fn is_kvms_own(name: &str) -> bool {
    name.starts_with("kvm-nx-lpage")
}

/// What a thread of a machine is there for, by its name.
pub(super) fn role(name: &str) -> Role {
    let vcpu = || {
        let number = name.strip_prefix("CPU ")?.split('/').next()?;
        number.parse().ok().map(Role::Vcpu)
    };
    let iothread = || {
        let number = name.strip_prefix("IO iothread")?;
        number.parse().ok().map(Role::Iothread)
    };
    vcpu().or_else(iothread).unwrap_or(Role::Emulator)
}

/// Whether a thread of this name is there for that.
fn has(name: &str, wanted: Role) -> bool {
    let own = role(name);
    // One thread runs all vCPUs where QEMU emulates without threads of their own.
    let all = name.starts_with("ALL CPUs/");
    match wanted {
        Role::Any => true,
        Role::Vcpu(_) if all => true,
        Role::Emulator if all => false,
        _ => own == wanted,
    }
}
