//! How fast, how full: see README.md beside this file.
//!
//!     cargo bench -p infra-place            # everything
//!     cargo bench -p infra-place -- fleet   # some of it

#[path = "placement/machines.rs"]
mod machines;

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
    if wanted("fleet") {
        for (jobs, hosts) in [(1_000, 100), (10_000, 1_000), (100_000, 10_000)] {
            fleet(jobs, hosts);
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
    let used: std::collections::BTreeSet<usize> =
        outcome.assigned.iter().flatten().map(|a| a.host).collect();
    println!(
        "{jobs} on {hosts}: cold {cold:?}, no change {noop:?}; placed {placed}, stays {stays}, refused classes {}, hosts {}",
        outcome.refused.len(),
        used.len()
    );
}
