//! Which runtime on which host: gates rule candidates out, each with its reason; what is left is in the order of
//! preference. Scores by needs and measurements come between the two when there are any.

mod gates;

use std::collections::BTreeMap;

use infra_api::{Address, HostName, Runtime};

use crate::declared::Workload;
use crate::inventory::{HostInventory, Inventory};

pub use gates::{GATES, Gate};

/// Among candidates that nothing rules out, lighter ones first: a container shares the host's kernel and starts at
/// once, a VM brings its own; a bare process has no packaging and no isolation of its own.
pub const PREFERENCE: [Runtime; 3] = [Runtime::Container, Runtime::Kvm, Runtime::BareMetal];

/// Where declared volumes are.
pub type Homes = BTreeMap<Address, Home>;

/// A volume's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    pub host: HostName,
    /// Whose it is; nothing where none has been made.
    pub runtime: Option<Runtime>,
}

/// A workload's candidates, the preferred first, and those ruled out, each with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub workload: Address,
    pub possible: Vec<Candidate>,
    pub ruled_out: Vec<RuledOut>,
    /// The person named the runtime.
    pub named: bool,
}

/// A runtime on a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    pub runtime: Runtime,
    pub host: HostName,
}

/// A candidate that a gate closed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuledOut {
    pub candidate: Candidate,
    /// The gate's name.
    pub gate: &'static str,
    pub why: String,
}

/// Judges every runtime on every host.
#[must_use]
pub fn choose(workload: &Workload, inventory: &Inventory, homes: &Homes) -> Choice {
    let mut choice = Choice {
        workload: workload.address.clone(),
        possible: Vec::new(),
        ruled_out: Vec::new(),
        named: workload.runtime.is_some(),
    };
    for runtime in PREFERENCE {
        for (name, host) in &inventory.hosts {
            let candidate = Candidate {
                runtime,
                host: name.clone(),
            };
            match closed(workload, runtime, host, homes) {
                None => choice.possible.push(candidate),
                Some((gate, why)) => choice.ruled_out.push(RuledOut {
                    candidate,
                    gate,
                    why,
                }),
            }
        }
    }
    choice
}

fn closed(
    workload: &Workload,
    runtime: Runtime,
    host: &HostInventory,
    homes: &Homes,
) -> Option<(&'static str, String)> {
    GATES
        .iter()
        .find_map(|gate| (gate.closed)(workload, runtime, host, homes).map(|why| (gate.name, why)))
}
