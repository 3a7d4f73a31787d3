//! A provider whose hosts are a map and whose faults are chosen by the test. It keeps the contract's laws as
//! the real ones do: marks, half-made objects, foreign ones; it runs nothing.

mod daemon;
mod resources;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use infra_api::{
    Daemon, Facts, Failure, HostName, Impact, Pending, Project, Provider, Resource, Target,
};
use serde_json::Value;
use tokio::sync::Notify;

pub use daemon::SimDaemon;
pub use world::{Call, Fault, Object, Verb, When, Witness, World};

/// The provider; clones share one world.
#[derive(Clone)]
pub struct Sim {
    name: &'static str,
    shared: Arc<Shared>,
}

struct Shared {
    world: Mutex<World>,
    crashed: Notify,
}

impl Default for Sim {
    fn default() -> Self {
        Self::new("sim")
    }
}

impl Sim {
    /// `docker` takes containers and what they need, `libvirt` machines, `systemd` units, any other name all.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        let shared = Shared {
            world: Mutex::new(World::default()),
            crashed: Notify::new(),
        };
        Self {
            name,
            shared: Arc::new(shared),
        }
    }

    /// Another provider in the same world.
    #[must_use]
    pub fn named(&self, name: &'static str) -> Self {
        Self {
            name,
            shared: self.shared.clone(),
        }
    }

    /// To look at it or to change it behind everybody's back.
    pub fn world(&self) -> MutexGuard<'_, World> {
        // A test that panicked in here has failed already; the others may look.
        self.shared
            .world
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// One host's daemon.
    #[must_use]
    pub fn daemon(&self, host: &HostName) -> SimDaemon {
        SimDaemon::new(self.clone(), host.clone())
    }

    /// Ends when a fault says that the process is killed. Whoever waits then drops the apply on the spot.
    pub async fn crashed(&self) {
        self.shared.crashed.notified().await;
    }

    /// The process is killed here: nothing of it goes on.
    pub(crate) async fn crash<T>(&self) -> T {
        self.shared.crashed.notify_one();
        std::future::pending().await
    }

    pub(crate) fn discover(&self, host: &HostName, facts: &mut Facts) {
        if let Some(known) = self.world().facts.get(host) {
            *facts = known.clone();
        }
    }
}

impl Provider for Sim {
    fn name(&self) -> &'static str {
        self.name
    }

    fn resources(&self, _: &Project, target: &Target) -> Vec<Resource> {
        resources::of(self.name, target).into_iter().collect()
    }

    /// Like the real ones, roughly: resources of the machine in place, a domain's devices by a restart, the
    /// rest anew.
    fn impact(&self, kind: &str, path: &[String], removed: bool) -> Impact {
        let attribute = path.first().map_or("", String::as_str);
        match (kind, attribute) {
            (_, "state" | world::NEXT_START) => Impact::InPlace,
            (
                "container",
                "cpus" | "memory_nodes" | "memory_bytes" | "pids" | "restart" | "limits",
            ) if !removed => Impact::InPlace,
            ("container", "files") if path.len() > 2 => Impact::Restart,
            ("domain", "vcpu_pins" | "emulator_pin") if !removed => Impact::InPlace,
            ("domain", "autostart") => Impact::InPlace,
            ("domain", attribute) if attribute != "name" && attribute != "uuid" => Impact::Restart,
            _ => Impact::Replace,
        }
    }

    fn swaps(&self, kind: &str) -> bool {
        kind == "container"
    }

    fn prepared(&self, kind: &str, before: &Value, after: &Value) -> Option<Value> {
        let mut prepared = before.clone();
        prepared[world::NEXT_START] = world::next_start(after).into();
        (kind == "domain").then_some(prepared)
    }

    /// A machine's pins alone may change on its way.
    fn stays_because(&self, kind: &str, before: &Value, after: &Value) -> Vec<String> {
        let rest = |body: &Value| {
            let mut rest = body.clone();
            if let Some(rest) = rest.as_object_mut() {
                rest.retain(|name, _| name != "vcpu_pins" && name != "emulator_pin");
            }
            rest
        };
        match kind {
            "domain" if rest(before) == rest(after) => Vec::new(),
            "domain" => vec!["it is changed otherwise, too".to_owned()],
            _ => vec!["it does not run by itself".to_owned()],
        }
    }

    fn connect<'a>(
        &'a self,
        host: &'a HostName,
        _: &'a str,
    ) -> Pending<'a, Result<Box<dyn Daemon>, Failure>> {
        Box::pin(async move { Ok(Box::new(self.daemon(host)) as Box<dyn Daemon>) })
    }
}
