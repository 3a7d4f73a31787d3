//! Settings of a host's kernel as a provider: files below `/sys` and `/proc/sys` that are to say something.
//!
//! ```text
//! record     the file that makes it so at each start of the host, and says whose it is and what was there before
//! look       what is there: one script, one round trip
//! said       what a file says, in a shell's words
//! act        what is done: one script a step
//! functions  its part for the virtual functions of a card
//! unit_cpus  its part for the CPUs of one of systemd's own units
//! daemon     the contract's effects
//! ```

mod act;
mod daemon;
mod functions;
mod look;
mod record;
mod said;
mod unit_cpus;

pub(crate) use said::SAID;

use infra_api::{
    Daemon, Failure, HostName, Impact, Observed, Pending, Project, Provider, Resource, ResourceId,
    Target, What,
};
use infra_door::Door;
use serde_json::json;

/// The provider's name and its word for its objects.
const PROVIDER: &str = "kernel";
const SETTING: &str = "setting";

/// The provider.
pub struct Kernel;

impl Provider for Kernel {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn resources(&self, _: &Project, target: &Target) -> Vec<Resource> {
        let What::KernelSetting(setting) = &target.what else {
            return Vec::new();
        };
        vec![Resource {
            id: id(&target.host, &setting.file),
            address: target.address.clone(),
            body: json!(setting).into(),
            source: None,
            after: Vec::new(),
        }]
    }

    /// Nothing runs that would have to be stopped.
    fn impact(&self, _: &str, _: &[String], _: bool) -> Impact {
        Impact::InPlace
    }

    fn connect<'a>(
        &'a self,
        host: &'a HostName,
        endpoint: &'a str,
    ) -> Pending<'a, Result<Box<dyn Daemon>, Failure>> {
        Box::pin(async move {
            let door = Door::at(host, endpoint)?;
            Ok(Box::new(daemon::Settings::new(door)) as Box<dyn Daemon>)
        })
    }
}

/// What a script printed, of one file.
pub(crate) fn observed_of(printed: &[u8], project: &Project, file: &str) -> Option<Observed> {
    Some(look::observed(&look::parse(printed)?, project, file))
}

/// A setting is called by its file.
fn id(host: &HostName, file: &str) -> ResourceId {
    ResourceId::new(host, PROVIDER, SETTING, file.trim_start_matches('/'))
}

/// And the other way round.
fn file(id: &ResourceId) -> String {
    format!("/{}", id.name)
}
