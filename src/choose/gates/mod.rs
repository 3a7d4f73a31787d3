//! Gates: hard conditions, one a file, asked in this order; the first that closes gives the reason.

mod device;
mod engine;
mod form;
mod hardware;
mod host;
mod labels;
mod offered;
mod volume;
mod word;

use infra_api::Runtime;

use crate::choose::Homes;
use crate::declared::Workload;
use crate::inventory::HostInventory;

/// A hard condition on a workload alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfWorkload {
    pub(super) name: &'static str,
    /// Why the workload cannot run so anywhere, or nothing. The last is the runtime that is named, where one is.
    pub(super) closed: fn(&Workload, Runtime, Option<Runtime>) -> Option<String>,
}

/// A hard condition on a workload and a host. Of the host it looks at nothing but what `choose/kinds.rs` keeps apart,
/// and does not name it: what it says is said of all that are alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfHost {
    pub(super) name: &'static str,
    /// Why the workload cannot run so there, or nothing.
    pub(super) closed: fn(&Workload, Runtime, &HostInventory, &Homes) -> Option<String>,
}

pub(super) const OF_WORKLOADS: &[OfWorkload] = &[form::GATE, word::GATE];

pub(super) const OF_HOSTS: &[OfHost] = &[
    host::GATE,
    labels::GATE,
    volume::GATE,
    offered::GATE,
    engine::GATE,
    hardware::GATE,
    device::GATE,
];
