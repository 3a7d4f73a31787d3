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

/// A hard condition.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    pub name: &'static str,
    /// Why the workload cannot run so there, or nothing.
    pub closed: fn(&Workload, Runtime, &HostInventory, &Homes) -> Option<String>,
}

pub const GATES: &[Gate] = &[
    form::GATE,
    word::GATE,
    host::GATE,
    labels::GATE,
    volume::GATE,
    offered::GATE,
    engine::GATE,
    hardware::GATE,
    device::GATE,
];
