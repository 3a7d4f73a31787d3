//! The whole program against whole hosts: emulated ones, with NUMA nodes, SMT, huge pages and systemd, reached over SSH.
//! Needs INFRA_LAB, the names of hosts that are up (`tests/lab/lab up`), and INFRA_SSH_CONFIG (`tests/lab/lab config`);
//! skips loudly otherwise. What takes a quarter of an hour needs INFRA_LAB_LONG as well, or two hosts. Each test has a host of
//! these to itself, or two, and a project of its own; it leaves nothing behind.

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
#[path = "lab/one_host.rs"]
mod one_host;
#[path = "lab/prepared.rs"]
mod prepared;
#[path = "lab/software.rs"]
mod software;
#[path = "lab/switched.rs"]
mod switched;
#[path = "lab/tuned.rs"]
mod tuned;
#[path = "lab/units.rs"]
mod units;
#[path = "lab/verify.rs"]
mod verify;
