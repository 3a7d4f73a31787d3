//! The whole program against whole hosts: emulated ones, with NUMA nodes, SMT, huge pages and systemd, reached over SSH.
//! Needs INFRA_LAB, the name of a host that is up (`tests/lab/lab up`), and INFRA_SSH_CONFIG (`tests/lab/lab config`);
//! skips loudly otherwise. What takes two hosts needs another one, INFRA_LAB_SECOND. Every test has a project of its own and leaves nothing behind.

#[path = "lab/bench.rs"]
mod bench;
#[path = "lab/functions.rs"]
mod functions;
#[path = "lab/hosts.rs"]
mod hosts;
#[path = "lab/housekeeping.rs"]
mod housekeeping;
#[path = "lab/migrate.rs"]
mod migrate;
#[path = "lab/prepared.rs"]
mod prepared;
#[path = "lab/software.rs"]
mod software;
#[path = "lab/tuned.rs"]
mod tuned;
#[path = "lab/units.rs"]
mod units;
#[path = "lab/verify.rs"]
mod verify;
