//! What processes on the metal run from: archives that are unpacked on their host, and packages of its distribution
//! (Debian's), by `tar`, `dpkg` and `apt-get` over the way into the host.
//!
//! ```text
//! lib       targets → resources
//! archive   whether a file is an archive that can be unpacked; before anything is planned
//! mark      the file beside each that says whose it is; pure
//! look      what is there: one script, one round trip
//! files     what is done with archives: uploaded, unpacked beside the former one, and kept or removed
//! packages  what is done with packages
//! daemon    the contract's effects
//! ```

mod archive;
mod daemon;
mod files;
mod look;
mod mark;
mod packages;

use infra_api::{
    Daemon, Failure, HostName, Impact, Pending, Project, Provider, Resource, ResourceId, Target,
    What,
};
use infra_door::Door;
use serde_json::json;

pub use archive::{UNPACKS, check_archive};

/// The provider's name and its words for its objects.
const PROVIDER: &str = "software";
const FILES: &str = "files";
const PACKAGE: &str = "package";

/// The provider.
pub struct Software;

impl Provider for Software {
    fn name(&self) -> &'static str {
        PROVIDER
    }

    fn resources(&self, _: &Project, target: &Target) -> Vec<Resource> {
        let (kind, name, body, source) = match &target.what {
            What::UnpackedFiles(files, archive) => {
                (FILES, &files.name, json!(files), Some(archive.clone()))
            }
            What::Package(package) => (PACKAGE, &package.name, json!(package), None),
            _ => return Vec::new(),
        };
        vec![Resource {
            id: ResourceId::new(&target.host, PROVIDER, kind, name),
            address: target.address.clone(),
            body: body.into(),
            source,
            after: Vec::new(),
        }]
    }

    /// Who runs from it is another object, and is started anew as its own change.
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
            Ok(Box::new(daemon::Software::new(door)) as Box<dyn Daemon>)
        })
    }
}
