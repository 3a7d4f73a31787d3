//! explain
use infra_api::Address;

use crate::decide::Decision;
use crate::inventory::Inventory;

/// Why a workload runs as what it does and where.
#[must_use]
pub fn explain(address: &Address, decision: &Decision, inventory: &Inventory) -> String {
    let _ = inventory;
    format!("{address}: {:?}\n", decision.choices.get(address))
}
