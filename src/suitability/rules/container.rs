//! Who is deployed often is packed.

use infra_api::{Level, Need, Runtime};

use super::Tie;

pub(super) const TIE: Tie = Tie {
    runtime: Runtime::Container,
    holds: |needs| needs.get(Need::DeploymentSpeed) >= Level::Medium,
    why: "it is deployed often",
};
