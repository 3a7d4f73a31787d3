//! Processes on the metal: units of a host's systemd, by `systemctl` over the way into the host.
//!
//! ```text
//! lib      targets → resources
//! impact   what changing an attribute takes
//! text/    bodies ⇄ unit files; pure
//! look     what is there: one script, one round trip
//! act      what is done: one script for each step, which may be cut off anywhere and run again
//! around   the same of slices and mounts
//! switch   from the files that a unit runs from to others, and back where it does not run from these
//! daemon   the contract's effects
//! ```

mod act;
mod around;
mod daemon;
mod impact;
mod look;
mod switch;
mod text;

use infra_api::target::Unit;
use infra_api::{
    Daemon, Failure, HostName, Impact, Pending, Project, Provider, Resource, ResourceId, Target,
    What,
};
use infra_door::Door;
use serde_json::json;

use crate::daemon::Systemd as Opened;

/// The provider's name and its word for its objects.
pub(crate) const PROVIDER: &str = "systemd";
pub(crate) const UNIT: &str = "unit";
pub(crate) const SLICE: &str = "slice";
pub(crate) const MOUNT: &str = "mount";

/// The file of an object; which kind it is its ending says.
pub(crate) fn file(kind: &str, name: &str) -> String {
    match kind {
        UNIT => format!("{name}.service"),
        kind => format!("{name}.{kind}"),
    }
}

/// And the other way round.
pub(crate) fn object(file: &str) -> Option<(&'static str, &str)> {
    [(UNIT, ".service"), (SLICE, ".slice"), (MOUNT, ".mount")]
        .into_iter()
        .find_map(|(kind, end)| Some((kind, file.strip_suffix(end)?)))
}

/// The provider.
pub struct Systemd;

impl Provider for Systemd {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn resources(&self, _: &Project, target: &Target) -> Vec<Resource> {
        let none = Vec::new;
        let (kind, name, body, after) = match &target.what {
            What::Unit(unit, after) => (UNIT, &unit.name, json!(normal(unit)), after.clone()),
            What::Slice(slice) => (SLICE, &slice.name, json!(slice), none()),
            What::HostMount(mount) => (MOUNT, &mount.name, json!(mount), none()),
            _ => return Vec::new(),
        };
        vec![Resource {
            id: ResourceId::new(&target.host, PROVIDER, kind, name),
            address: target.address.clone(),
            body: body.into(),
            source: None,
            after,
        }]
    }

    fn impact(&self, kind: &str, path: &[String], removed: bool) -> Impact {
        impact::impact(kind, path, removed)
    }

    fn connect<'a>(
        &'a self,
        host: &'a HostName,
        endpoint: &'a str,
    ) -> Pending<'a, Result<Box<dyn Daemon>, Failure>> {
        Box::pin(async move {
            let door = Door::at(host, endpoint)?;
            Ok(Box::new(Opened::new(door)) as Box<dyn Daemon>)
        })
    }
}

/// What has no order, in one.
fn normal(unit: &Unit) -> Unit {
    let mut unit = unit.clone();
    let confinement = &mut unit.confinement;
    for list in [
        &mut confinement.writable,
        &mut confinement.capabilities,
        &mut confinement.devices,
    ] {
        list.sort();
        list.dedup();
    }
    unit
}
