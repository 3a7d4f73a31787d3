//! A connection, and what of its daemon need not be asked again for each object: what it runs, and where its pools are.
//!
//! The places of the pools are right because no decision stands on them alone. They turn the path of a kernel, or of what
//! a disk stands on, into a volume's name and back. They are read anew by every plan, by every check of a plan,
//! after a pool of ours came or went, and where a path lies in none of them or a pool is not among them.

use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use infra_api::Failure;
use virt::connect::Connect;

use crate::failure::Doing;
use crate::pool;
use crate::text::domain::Hypervisor;
use crate::text::pool::Pools;

pub(crate) struct Link {
    connection: Connect,
    known: Arc<Known>,
}

/// Of one daemon, over all connections to it.
#[derive(Default)]
pub(crate) struct Known {
    pools: Mutex<Option<Arc<Pools>>>,
    runs: OnceLock<Hypervisor>,
}

impl Known {
    /// Where the pools are, as was just read.
    fn learn(&self, pools: Option<Arc<Pools>>) {
        *self.pools.lock().unwrap_or_else(PoisonError::into_inner) = pools;
    }

    /// What is asked for next is read anew.
    pub(crate) fn forget(&self) {
        self.learn(None);
    }
}

impl Deref for Link {
    type Target = Connect;

    fn deref(&self) -> &Connect {
        &self.connection
    }
}

impl Link {
    pub(crate) fn new(connection: Connect, known: Arc<Known>) -> Self {
        Self { connection, known }
    }

    pub(crate) fn hypervisor(&self) -> Result<Hypervisor, Failure> {
        if let Some(runs) = self.known.runs.get() {
            return Ok(*runs);
        }
        let kind = self
            .driver_type()
            .doing(|| "asking libvirt what it runs".into())?;
        let runs = match kind.as_str() {
            "TEST" => Hypervisor::Test,
            _ => Hypervisor::Qemu,
        };
        Ok(*self.known.runs.get_or_init(|| runs))
    }

    /// Where the pools are now.
    pub(crate) fn pools_now(&self) -> Result<Arc<Pools>, Failure> {
        Ok(self.learn(pool::paths(self)?))
    }

    pub(crate) fn learn(&self, pools: Pools) -> Arc<Pools> {
        let pools = Arc::new(pools);
        self.known.learn(Some(pools.clone()));
        pools
    }

    /// One of ours came or went.
    pub(crate) fn forget_pools(&self) {
        self.known.forget();
    }

    fn known_pools(&self) -> Option<Arc<Pools>> {
        let known = self.known.pools.lock();
        known.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads or writes with the places of the pools as they are known; with those they have now, where what comes of it
    /// is not `whole`.
    pub(crate) fn with_pools<T>(
        &self,
        act: impl Fn(&Pools) -> Result<T, String>,
        whole: impl Fn(&T) -> bool,
    ) -> Result<Result<T, String>, Failure> {
        if let Some(pools) = self.known_pools() {
            let done = act(&pools);
            if done.as_ref().is_ok_and(whole) {
                return Ok(done);
            }
        }
        Ok(act(&*self.pools_now()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pools_are_looked_for_once_and_again_where_one_is_missed() {
        let connection = Connect::open(Some("test:///default")).unwrap();
        let link = Link::new(connection, Arc::default());
        let later = |pools: &Pools| Ok(pools.0.contains_key("infra-link-later"));
        let any = |_: &bool| true;
        assert_eq!(link.with_pools(later, any).unwrap(), Ok(false));
        let xml = "<pool type='dir'><name>infra-link-later</name><target><path>/later</path></target></pool>";
        let pool = link.define_storage_pool_xml(xml, 0).unwrap();
        assert_eq!(link.with_pools(later, any).unwrap(), Ok(false));
        assert_eq!(link.with_pools(later, |there| *there).unwrap(), Ok(true));
        pool.undefine().unwrap();
        assert_eq!(link.with_pools(later, any).unwrap(), Ok(true));
        link.forget_pools();
        assert_eq!(link.with_pools(later, any).unwrap(), Ok(false));
        let refused = link.with_pools(|_| Err::<(), _>("no".to_owned()), |()| true);
        assert_eq!(refused.unwrap(), Err("no".to_owned()));
    }
}
