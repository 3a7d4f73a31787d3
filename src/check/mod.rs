//! Rules over a decided configuration and over a finished plan, one a file: what no daemon would refuse until it
//! is too late.

mod anew;
mod devices;
mod functions;
mod imported;
mod left;
mod links;
mod originals;
mod pools;
mod ports;
mod rechosen;
mod shrink;
mod space;
mod subnets;
mod volumes;

use std::collections::BTreeMap;

use infra_api::{Address, Placement, Project, ResourceId};
use infra_diag::Diagnostics;

use crate::declared::Declared;
use crate::inventory::Inventory;

pub use anew::anew;
pub use imported::imported;
pub use left::left;
pub use originals::written;
pub use pools::logical;
pub use rechosen::rechosen;
pub use shrink::shrink;
pub use space::space;

/// What the rules look at.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub project: &'a Project,
    pub declared: &'a Declared,
    pub inventory: &'a Inventory,
    pub placements: &'a BTreeMap<Address, Placement>,
    /// What others have made and is ours now, for which address each.
    pub taken: &'a BTreeMap<ResourceId, Address>,
}

/// A rule over what was decided.
type Rule = fn(&View<'_>, &mut Diagnostics);

const RULES: &[Rule] = &[
    subnets::check,
    ports::check,
    volumes::check,
    originals::check,
    pools::check,
    devices::check,
    functions::check,
    links::check,
];

/// All that the rules have to say.
#[must_use]
pub fn declared(view: &View<'_>) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for rule in RULES {
        rule(view, &mut diagnostics);
    }
    diagnostics
}
