//! Names and small things the tests speak of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use infra_api::{
    Address, CpuPolicy, HostName, Mark, Placement, Project, Resource, ResourceId, Runtime,
};
use infra_apply::{Event, Sink};
use serde_json::Value;

pub(crate) fn project() -> Project {
    Project::new("demo")
}

pub(crate) fn host() -> HostName {
    HostName::new("r1")
}

pub(crate) fn second_host() -> HostName {
    HostName::new("r2")
}

pub(crate) fn id(kind: &str, name: &str) -> ResourceId {
    ResourceId::new(&host(), "sim", kind, name)
}

pub(crate) fn address(name: &str) -> Address {
    Address::new(format!("workload.{name}"))
}

pub(crate) fn mark(name: &str) -> Mark {
    Mark {
        project: project(),
        address: address(name),
    }
}

pub(crate) fn thing(kind: &str, name: &str, body: Value, after: &[ResourceId]) -> Resource {
    Resource {
        id: id(kind, name),
        address: address(name),
        body: body.into(),
        source: None,
        after: after.to_vec(),
    }
}

pub(crate) fn placement() -> Placement {
    Placement {
        runtime: Runtime::Container,
        with: infra_api::Settings::NONE,
        needs: infra_api::Needs::default(),
        host: host(),
        policy: CpuPolicy::Shared,
        cells: vec![],
        helpers: BTreeMap::new(),
        devices: vec![],
        addresses: BTreeMap::new(),
        tiers: vec![],
    }
}

pub(crate) struct Deaf;

impl Sink for Deaf {
    fn event(&self, _: &Event) {}
}

/// Does something at an event.
pub(crate) struct At<F: Fn(&Event) + Send + Sync>(pub(crate) F);

impl<F: Fn(&Event) + Send + Sync> Sink for At<F> {
    fn event(&self, event: &Event) {
        (self.0)(event);
    }
}

/// All events of an apply.
#[derive(Clone, Default)]
pub(crate) struct Record(pub(crate) Arc<Mutex<Vec<Event>>>);

impl Sink for Record {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}
