//! How fast, how full: see README.md beside this file.
//!
//!     cargo bench -p infra-place            # everything
//!     cargo bench -p infra-place -- fleet   # some of it: host, fill, fleet
//!     cargo bench -p infra-place -- fill seven   # the tables whose titles have these words

#[path = "placement/fill.rs"]
mod fill;
#[path = "placement/machines.rs"]
mod machines;
#[path = "placement/fill/table.rs"]
mod table;

use std::time::Instant;

fn main() {
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let wanted = |name: &str| asked.is_empty() || asked.iter().any(|a| a == name);
    if wanted("host") {
        machines::single();
    }
    let words: Vec<&str> = (asked.iter().map(String::as_str))
        .filter(|word| !["host", "fill", "fleet"].contains(word))
        .collect();
    if wanted("fill")
        && let Err(why) = table::print(&words)
    {
        eprintln!("{why}");
        std::process::exit(1);
    }
    if wanted("fleet") {
        for (jobs, hosts) in [(1_000, 100), (10_000, 1_000), (100_000, 10_000)] {
            fleet(jobs, hosts);
        }
        for hosts in [100, 1_000, 10_000] {
            steady(hosts);
        }
    }
}

fn fleet(jobs: usize, hosts: usize) {
    let fleet = machines::hosts(hosts);
    let asked = machines::jobs(jobs, hosts);
    let start = Instant::now();
    let outcome = infra_place::place(&fleet, &asked, infra_place::Effort::default());
    let cold = start.elapsed();
    let placed = outcome.assigned.iter().flatten().count();
    let stood = machines::standing(&fleet, &asked, &outcome);
    let start = Instant::now();
    let again = infra_place::place(&fleet, &stood, infra_place::Effort::default());
    let noop = start.elapsed();
    let stays = again.assigned.iter().flatten().filter(|a| a.stays).count();
    let one = change(&fleet, stood);
    let used: std::collections::BTreeSet<usize> =
        outcome.assigned.iter().flatten().map(|a| a.host).collect();
    println!(
        "{jobs} on {hosts}: cold {cold:?}, no change {noop:?}, one change {one:?}; placed {placed}, stays {stays}, refused classes {}, hosts {}, peak {} MiB",
        outcome.refused.len(),
        used.len(),
        peak_mib()
    );
}

/// One workload goes and another comes, in turn; the longest of twenty, as the first is not like the others.
fn change(hosts: &[infra_place::Host], jobs: Vec<infra_place::Job>) -> std::time::Duration {
    let effort = infra_place::Effort::default();
    let mut held = infra_place::Fleet::new(hosts, jobs, effort, |_, _| false);
    let mut longest = std::time::Duration::ZERO;
    for n in 0..20 {
        let gone = held.jobs()[n * held.jobs().len() / 20].clone();
        let new = infra_place::Job {
            name: infra_api::Address::new(format!("workload.x{n:06}")),
            stands: None,
            ..gone.clone()
        };
        let start = Instant::now();
        let changed = held.change(&[gone.name], vec![new]);
        longest = longest.max(start.elapsed());
        assert_eq!(changed.assigned.len() + changed.refused.len(), 1);
    }
    longest
}

/// A fleet that is full: with 28 on each host a fifth would find no place. One goes and one of another kind comes, in turn.
fn steady(hosts: usize) {
    let effort = infra_place::Effort::default();
    let fleet = machines::hosts(hosts);
    let asked = machines::jobs(27 * hosts, hosts);
    let still = infra_place::Effort {
        steps: 0,
        moves: false,
    };
    let full = infra_place::place(&fleet, &asked, still);
    let mut stood = machines::standing(&fleet, &asked, &full);
    stood.retain(|job| job.stands.is_some());
    let most = stood.len();
    let mut held = infra_place::Fleet::new(&fleet, stood, effort, |_, _| false);
    let (mut times, mut refused, mut moved) = (Vec::new(), 0, 0);
    for (n, like) in asked.iter().enumerate().take(100) {
        let gone = held.jobs()[n * held.jobs().len() / 100].name.clone();
        let new = infra_place::Job {
            name: infra_api::Address::new(format!("workload.x{n:06}")),
            ..like.clone()
        };
        let start = Instant::now();
        let changed = held.change(&[gone], vec![new.clone()]);
        times.push(start.elapsed());
        refused += changed.refused.len();
        moved += changed
            .assigned
            .keys()
            .filter(|name| **name != new.name)
            .count();
        // Who found no place is not asked for any longer.
        if !changed.refused.is_empty() {
            held.change(&[new.name], Vec::new());
        }
    }
    times.sort();
    println!(
        "{most} fill {hosts}, one change: median {:?}, longest {:?}; of 100 refused {refused}, others moved {moved}",
        times[50], times[99]
    );
}

/// The most that this process has had so far; nothing where the kernel does not tell.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or_default() >> 10
}
