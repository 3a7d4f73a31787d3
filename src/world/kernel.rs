//! What a host's kernel says of the processes there.

use std::time::Duration;

use infra_api::{Failure, HostName, Remedy, Running};
use infra_door::Order;
use infra_kernel::{Search, looked, looking};

use super::World;

/// Where the memory of large machines is in small pages, the kernel takes a while to tell.
const LOOK: Duration = Duration::from_secs(600);

impl World {
    /// As it is now.
    ///
    /// # Errors
    /// When nobody can look: there is no way in, or not with root's rights.
    pub async fn look(&self, host: &HostName, search: &Search) -> Result<Running, Failure> {
        let doing = "reading what the kernel says of processes";
        let inside = match self.doors.get(host) {
            Some(Ok(inside)) => inside,
            Some(Err(failure)) => return Err(failure.clone()),
            None => {
                let doing = format!("{doing} on host `{host}`");
                return Err(Failure::new(
                    Remedy::Operator,
                    doing,
                    "no `host` block has this label",
                ));
            }
        };
        self.reopened(host).await?;
        let script = looking(search);
        let order = Order::script(doing, &script).as_root().within(LOOK);
        let said = inside.door.must(order).await?;
        looked(&said.stdout).map_err(|why| {
            let doing = format!("{doing} on host `{host}`");
            Failure::new(Remedy::Retry, doing, why)
        })
    }
}
