//! What costs a need so much that no sum makes up for it.

use infra_api::{Needs, Variant};

use crate::table::{Exclusion, Micro, Table};

/// The first exclusion that closes to a variant.
#[must_use]
pub fn excluded<'a>(
    table: &'a Table,
    needs: &Needs,
    trusted: bool,
    variant: Variant,
) -> Option<&'a Exclusion> {
    let closes = |exclusion: &&Exclusion| {
        let asked = needs.get(exclusion.need) >= exclusion.at;
        let figure = table.figure(exclusion.need, variant.runtime, variant.with);
        let costs = figure.is_some_and(|(_, f)| f.penalty() >= Micro::of(exclusion.penalty));
        asked && costs && !(trusted && exclusion.unless_trusted)
    };
    table.exclusions.iter().find(closes)
}
