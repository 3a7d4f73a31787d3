//! Rules over a decided configuration and over a finished plan, one a file: what no daemon would refuse until it
//! is too late.

mod ports;
mod space;
mod subnets;
mod volumes;

use std::collections::BTreeMap;

use infra_api::{Address, Placement};
use infra_diag::Diagnostics;

use crate::decide::Inputs;

pub use space::space;

/// A rule over what was decided.
type Rule = fn(&Inputs<'_>, &BTreeMap<Address, Placement>, &mut Diagnostics);

const RULES: &[Rule] = &[subnets::check, ports::check, volumes::check];

/// All that the rules have to say.
#[must_use]
pub fn declared(inputs: &Inputs<'_>, placements: &BTreeMap<Address, Placement>) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for rule in RULES {
        rule(inputs, placements, &mut diagnostics);
    }
    diagnostics
}
