//! Locks of hosts: while something is changed there, nobody else of us does. Who was at work there in between has changed
//! what a plan was made from.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use infra_api::{Failure, HostName, Remedy};
use infra_door::{HostLock, LOCK};

use super::World;
use super::doors::Inside;

/// Those that are held.
#[derive(Default)]
pub(super) struct Locks {
    who: String,
    wait: Duration,
    held: BTreeMap<HostName, HostLock>,
}

impl World {
    /// Locks these hosts until this world is dropped, as `who`: a line by which others know who is at work. Tells who else had
    /// them since this world was opened.
    ///
    /// # Errors
    /// Who has it for longer than `wait`, of each host that cannot be had.
    pub async fn lock(
        &self,
        hosts: &BTreeSet<HostName>,
        who: &str,
        wait: Duration,
    ) -> Result<BTreeMap<HostName, String>, Vec<Failure>> {
        // What has no way in is an error where it is needed.
        let inside = hosts.iter().filter_map(|host| {
            let inside = self.doors.get(host)?.as_ref().ok()?;
            Some((host, inside))
        });
        let taken = inside.map(|(host, Inside { door, last, .. })| async move {
            (host, last, door.lock(who, wait).await)
        });
        let (mut held, mut others, mut failures) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for (host, last, taken) in join_all(taken).await {
            match taken {
                Ok(lock) => {
                    if lock.before() != last {
                        others.insert(host.clone(), lock.before().to_owned());
                    }
                    held.insert(host.clone(), lock);
                }
                Err(failure) => failures.push(failure),
            }
        }
        if !failures.is_empty() {
            return Err(failures);
        }
        *self.locks.lock().await = Locks {
            who: who.to_owned(),
            wait,
            held,
        };
        Ok(others)
    }

    /// Locks a host anew whose lock went with the connection; nobody else may have had it meanwhile.
    pub(super) async fn relock(&self, host: &HostName) -> Result<(), Failure> {
        let mut locks = self.locks.lock().await;
        let lost = locks.held.get_mut(host).is_some_and(HostLock::is_lost);
        let Some(Ok(Inside { door, .. })) = self.doors.get(host).filter(|_| lost) else {
            return Ok(());
        };
        let lock = door.lock(&locks.who, locks.wait).await?;
        if !lock.was_of(&locks.who) {
            let doing = format!("going on with host `{host}`");
            let why = format!(
                "while the connection was away others were at work there: {}",
                lock.before()
            );
            return Err(Failure::new(Remedy::Operator, doing, why).hint("plan again"));
        }
        locks.held.insert(host.clone(), lock);
        Ok(())
    }
}

/// Who had this machine last.
pub(super) fn last() -> String {
    let text = std::fs::read_to_string(LOCK).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}
