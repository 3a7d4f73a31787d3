//! The libvirt provider against libvirt: its in-memory mock always, a real daemon where `INFRA_LIVE=1` says so
//! (`INFRA_LIBVIRT_URI` names it; it must run on this machine: pools are made under /var/tmp).
//!
//! Each test has a project of its own and removes all that carries its mark, also when it fails.

#[path = "libvirt/bench.rs"]
mod bench;
#[path = "../benches/daemons/calls.rs"]
mod calls;
#[path = "libvirt/cells.rs"]
mod cells;
#[path = "libvirt/changes.rs"]
mod changes;
#[path = "libvirt/devices.rs"]
mod devices;
#[path = "libvirt/disks.rs"]
mod disks;
#[path = "libvirt/frugal.rs"]
mod frugal;
#[path = "libvirt/guests.rs"]
mod guests;
#[path = "libvirt/imports.rs"]
mod imports;
#[path = "libvirt/machines.rs"]
mod machines;
#[path = "libvirt/mock.rs"]
mod mock;
#[path = "libvirt/nets.rs"]
mod nets;
#[path = "libvirt/outage.rs"]
mod outage;
#[path = "libvirt/patches.rs"]
mod patches;
#[path = "../benches/daemons/proxy.rs"]
mod proxy;
#[path = "libvirt/storage.rs"]
mod storage;
