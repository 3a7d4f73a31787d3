//! Settings that change how well a runtime suits, one a file: whether a workload is declared with it, whether the planner
//! may add it, whether a host has what it takes, and what adding it declares.
//!
//! Adding a setting is declaring what a person could have declared: all that follows knows nothing of who did.

mod function;
mod host_network;
mod huge_pages;
mod iothread;
mod macvlan;
mod pinned;
mod sandbox;
mod volume;
mod whole_disk;
mod writable_layer;

use std::collections::BTreeMap;

use infra_api::{Address, Runtime, Setting, Settings};

use crate::declared::{Network, Workload};
use crate::inventory::HostInventory;

/// Declared networks.
pub(super) type Networks = BTreeMap<Address, Network>;

/// A setting, as a runtime has it.
pub(super) struct Knob {
    pub(super) setting: Setting,
    /// Whether the workload is declared with it.
    pub(super) given: fn(&Workload, Runtime, &Networks) -> bool,
    /// What of it the planner may do; nothing where it is the person's alone.
    pub(super) adding: Option<Adding>,
}

/// How the planner adds a setting.
#[derive(Clone, Copy)]
pub(super) struct Adding {
    /// Whether nothing that is declared stands against it.
    pub(super) open: fn(&Workload, Runtime) -> bool,
    /// Why a host has not what it takes. Of the host it looks at what `choose/kinds.rs` keeps apart alone.
    pub(super) lacks: fn(&Workload, Runtime, &HostInventory) -> Option<String>,
    /// It takes of the host what another may need: whether there is enough is for placing to find.
    pub(super) claims: bool,
    /// Declares it.
    pub(super) add: fn(&mut Workload, Runtime),
}

pub(super) const KNOBS: &[Knob] = &[
    pinned::KNOB,
    huge_pages::KNOB,
    iothread::KNOB,
    function::KNOB,
    whole_disk::KNOB,
    host_network::KNOB,
    macvlan::KNOB,
    volume::KNOB,
    writable_layer::KNOB,
    sandbox::KNOB,
];

/// What a workload is declared with, as a runtime.
pub(super) fn given(workload: &Workload, runtime: Runtime, networks: &Networks) -> Settings {
    let given = KNOBS
        .iter()
        .filter(|k| (k.given)(workload, runtime, networks));
    given.map(|knob| knob.setting).collect()
}

/// Of these what nothing declared stands against.
pub(super) fn open(workload: &Workload, runtime: Runtime, wanted: Settings) -> Settings {
    let wanted = KNOBS.iter().filter(|knob| wanted.has(knob.setting));
    let open = wanted.filter(|k| k.adding.is_some_and(|a| (a.open)(workload, runtime)));
    open.map(|knob| knob.setting).collect()
}

/// Why a host has not what a setting takes.
pub(super) fn lacks(
    setting: Setting,
    workload: &Workload,
    runtime: Runtime,
    host: &HostInventory,
) -> Option<String> {
    let knob = KNOBS.iter().find(|knob| knob.setting == setting)?;
    (knob.adding?.lacks)(workload, runtime, host)
}

/// Those whose fit is for placing to find.
#[must_use]
pub fn claims() -> Settings {
    let claim = KNOBS.iter().filter(|k| k.adding.is_some_and(|a| a.claims));
    claim.map(|knob| knob.setting).collect()
}

/// A workload as if it had been declared with these.
#[must_use]
pub fn with(workload: &Workload, runtime: Runtime, settings: Settings) -> Workload {
    let mut workload = workload.clone();
    for knob in KNOBS.iter().filter(|knob| settings.has(knob.setting)) {
        if let Some(adding) = knob.adding.filter(|a| (a.open)(&workload, runtime)) {
            (adding.add)(&mut workload, runtime);
        }
    }
    workload
}
