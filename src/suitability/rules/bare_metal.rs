//! Who is deployed seldom and lives by latency has the machine to itself: whole drives and the kernel's own modules are
//! at hand there, and nothing is left that a layer could add later.

use infra_api::{Level, Need, Runtime};

use super::Tie;

pub(super) const TIE: Tie = Tie {
    runtime: Runtime::BareMetal,
    holds: |needs| {
        let deployed = needs.get(Need::DeploymentSpeed);
        let disk = needs.get(Need::DiskLatency) == Level::High && deployed <= Level::Low;
        let network = needs.get(Need::NetworkLatency) == Level::High && deployed == Level::None;
        disk || network
    },
    why: "it lives by latency and is seldom deployed",
};
