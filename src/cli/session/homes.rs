//! Where declared volumes are, which their workloads go to.

use infra_api::{HostName, Runtime};

use super::Session;
use crate::choose::{Home, Homes};

impl Session {
    /// Where declared volumes are: as written, else as recorded.
    pub(super) fn homes(&self) -> Homes {
        let mut homes = Homes::new();
        for (id, record) in self
            .prior()
            .resources
            .iter()
            .filter(|(id, _)| id.kind == "volume")
        {
            let runtime = if id.provider == "docker" {
                Runtime::Container
            } else {
                Runtime::Kvm
            };
            homes.insert(
                record.address.clone(),
                Home {
                    host: self.label_now(id.host.clone()),
                    runtime: Some(runtime),
                },
            );
        }
        for volume in self.configuration.declared.volumes.values() {
            if let Some(host) = &volume.host {
                homes.entry(volume.address.clone()).or_insert_with(|| Home {
                    host: host.value.clone(),
                    runtime: None,
                });
            }
        }
        homes
    }

    /// A host that is declared no longer has got another label where there is only one: every host is this machine.
    fn label_now(&self, host: HostName) -> HostName {
        let hosts = &self.configuration.declared.hosts;
        match hosts.keys().next() {
            Some(only) if hosts.len() == 1 && !hosts.contains_key(&host) => only.clone(),
            _ => host,
        }
    }
}
