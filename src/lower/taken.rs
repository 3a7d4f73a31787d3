//! What others have made and is ours now: it is wanted though no workload uses it.

use infra_api::{Address, HostName};

use super::Lowering;
use crate::declared::At;

impl Lowering<'_> {
    /// Volumes and pools; networks are asked by [`Self::is_taken`].
    pub(super) fn taken(&mut self) {
        let inputs = self.inputs;
        for (id, address) in inputs.taken {
            let (declared, host) = (inputs.declared, &id.host);
            match (id.provider.as_str(), id.kind.as_str()) {
                ("docker", "volume") if declared.volumes.contains_key(address) => {
                    let name = self.name(address);
                    self.container_volume(host, address, &name);
                }
                ("libvirt", "volume") => {
                    if let Some(volume) = declared.volumes.get(address) {
                        self.declared_volume(host, address, volume.origin);
                    }
                }
                ("libvirt", "pool") => {
                    if let Some(pool) = declared.pools.get(address) {
                        let pool = At {
                            value: address.clone(),
                            span: pool.origin,
                        };
                        self.home(host, Some(&pool));
                    }
                }
                _ => {}
            }
        }
    }

    pub(super) fn is_taken(&self, host: &HostName, provider: &str, network: &Address) -> bool {
        let mut taken = self.inputs.taken.iter();
        taken.any(|(id, address)| {
            let kind = (id.provider.as_str(), id.kind.as_str());
            id.host == *host && address == network && kind == (provider, "network")
        })
    }
}
