//! Where volumes lie: the project's own pool, declared ones, and those that are somebody else's.

use infra_api::target::Pool;
use infra_api::{Address, HostName, What};

use super::Lowering;
use crate::declared::{At, Place};

/// A pool to put a disk into.
pub(super) struct Home {
    pub(super) pool: String,
    /// Its volumes are logical volumes of LVM.
    pub(super) logical: bool,
}

impl Lowering<'_> {
    /// The project's pool on a host, once.
    pub(super) fn pool(&mut self, host: &HostName) -> String {
        let name = self.pool_name();
        let pool = Pool {
            name: name.clone(),
            path: self.pool_path(host),
            volume_group: None,
        };
        self.make_pool(host, &Address::new(format!("host.{host}")), pool);
        name
    }

    /// The one that is named, else the project's.
    pub(super) fn home(&mut self, host: &HostName, pool: Option<&At<Address>>) -> Option<Home> {
        let inputs = self.inputs;
        let Some(named) = pool else {
            let pool = self.pool(host);
            return Some(Home {
                pool,
                logical: false,
            });
        };
        let place = &inputs.declared.pools.get(&named.value)?.place;
        if let Place::Existing(name) = place {
            let key = (host.clone(), name.value.clone());
            return Some(Home {
                pool: name.value.clone(),
                logical: inputs.logical.contains(&key),
            });
        }
        let name = self.name(&named.value);
        let (path, volume_group) = match place {
            Place::VolumeGroup(group) => (format!("/dev/{}", group.value), Some(group)),
            Place::Existing(path) | Place::Path(path) => (path.value.clone(), None),
        };
        let logical = volume_group.is_some();
        let pool = Pool {
            name: name.clone(),
            path,
            volume_group: volume_group.map(|group| group.value.clone()),
        };
        self.make_pool(host, &named.value, pool);
        Some(Home {
            pool: name,
            logical,
        })
    }

    fn make_pool(&mut self, host: &HostName, address: &Address, pool: Pool) {
        if self.first(host, &format!("pool {}", pool.name)) {
            self.push(host, address, What::Pool(pool));
        }
    }
}
