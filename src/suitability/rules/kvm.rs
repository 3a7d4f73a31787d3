//! Who is to be kept apart, or to go elsewhere while it runs, is given a machine.

use infra_api::{Level, Need, Runtime};

use super::Tie;

pub(super) const TIE: Tie = Tie {
    runtime: Runtime::Kvm,
    holds: |needs| {
        needs.get(Need::Security) == Level::High || needs.get(Need::LiveMigration) >= Level::Medium
    },
    why: "it is to be kept apart, or to move while it runs",
};
