//! What the state would say, read back from what is there: who stands on what, and where workloads run.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::target::{Container, Machine};
use infra_api::{Address, Cell, CpuPolicy, IdSet, Observed, Placement, ResourceId, Runtime, Vcpu};
use infra_lang::Evaluation;
use infra_plan::{Outcome, Record};
use serde_json::Value;

use crate::declared::{Declared, Workload};

/// Finds what each object stands on: every other object of its host that its body names.
pub fn edges(resources: &mut BTreeMap<ResourceId, Record>) {
    let ids: Vec<ResourceId> = resources.keys().cloned().collect();
    for (id, record) in resources.iter_mut() {
        record.after = stood_on(id, &[&record.body], ids.iter());
    }
}

/// What the state says, and of what it knows nothing what was found: an apply was cut off, or the state was lost. So
/// that everything is removed before what it stands on.
#[must_use]
pub fn completed(mut state: Outcome, observed: &BTreeMap<ResourceId, Observed>) -> Outcome {
    let mut found: BTreeMap<ResourceId, Record> = observed
        .iter()
        .filter_map(|(id, found)| Some((id.clone(), record(found)?)))
        .collect();
    edges(&mut found);
    for (id, record) in found {
        state.resources.entry(id).or_insert(record);
    }
    state
}

fn record(found: &Observed) -> Option<Record> {
    match found {
        Observed::Present { address, body } => Some(Record {
            address: address.clone(),
            body: body.clone(),
            after: Vec::new(),
            prevent_destroy: false,
        }),
        _ => None,
    }
}

/// Of `others` those that an object stands on which holds these parts of a body.
#[must_use]
pub fn stood_on<'a>(
    id: &ResourceId,
    parts: &[&Value],
    others: impl Iterator<Item = &'a ResourceId>,
) -> Vec<ResourceId> {
    let mut named = BTreeSet::new();
    parts.iter().for_each(|part| strings(part, &mut named));
    let stands_on = |other: &&ResourceId| {
        *other != id
            && other.host == id.host
            && below(&other.kind, &id.kind)
            && names(other, &named)
    };
    others.filter(stands_on).cloned().collect()
}

/// Whether objects of a kind can be stood on by those of another.
fn below(kind: &str, user: &str) -> bool {
    let rank = |kind: &str| match kind {
        "pool" | "image" => 0,
        "network" => 1,
        "volume" => 2,
        _ => 3,
    };
    rank(kind) < rank(user)
        || (kind == "volume" && user == "volume")
        || (kind == "network" && user == "network")
}

fn names(id: &ResourceId, named: &BTreeSet<&str>) -> bool {
    let short = if id.provider == "libvirt" {
        id.name.rsplit('/').next().unwrap_or(&id.name)
    } else {
        &id.name
    };
    named.contains(short)
}

fn strings<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::String(text) => {
            found.insert(text);
        }
        Value::Array(items) => items.iter().for_each(|v| strings(v, found)),
        Value::Object(members) => {
            for (key, value) in members {
                found.insert(key);
                strings(value, found);
            }
        }
        _ => {}
    }
}

/// Whether the declaration of an object says that it must not be destroyed.
#[must_use]
pub fn prevents_destroy(evaluation: &Evaluation, address: &Address) -> bool {
    let declared = address.as_str().parse().ok();
    let instance = declared.and_then(|address| evaluation.instance(&address));
    instance.is_some_and(|i| i.lifecycle.prevent_destroy)
}

/// Where workloads run, by the bodies of their main objects. Whether their CPUs are their own stands in no body: the
/// configuration says it.
#[must_use]
pub fn placements(
    resources: &BTreeMap<ResourceId, Record>,
    declared: &Declared,
) -> BTreeMap<Address, Placement> {
    let mut placements = BTreeMap::new();
    for (id, record) in resources {
        let workload = declared
            .workloads
            .iter()
            .find(|w| w.address == record.address);
        let placement = match (id.provider.as_str(), id.kind.as_str()) {
            ("docker", "container") => of_container(id, record, workload),
            ("libvirt", "domain") => of_machine(id, record, workload),
            _ => None,
        };
        placements.extend(placement.map(|p| (record.address.clone(), p)));
    }
    placements
}

fn policy(workload: Option<&Workload>) -> CpuPolicy {
    workload.map_or(CpuPolicy::Shared, |w| w.cpus.policy)
}

/// The labels of interfaces, by the planned addresses' order in the body.
fn labelled<A: Copy>(
    workload: Option<&Workload>,
    addresses: impl Iterator<Item = A>,
) -> BTreeMap<String, A> {
    let labels = workload
        .map(|w| {
            w.interfaces
                .iter()
                .map(|i| i.label.clone())
                .collect::<Vec<_>>()
        })
        .unwrap_or_default();
    labels.into_iter().zip(addresses).collect()
}

fn of_container(
    id: &ResourceId,
    record: &Record,
    workload: Option<&Workload>,
) -> Option<Placement> {
    let body: Container = serde_json::from_value(record.body.clone()).ok()?;
    let policy = policy(workload);
    let cpus = body.cpus.clone().unwrap_or_default();
    let count = workload.map_or(1, |w| w.cpus.count);
    let own = if policy == CpuPolicy::Dedicated {
        cpus.clone()
    } else {
        IdSet::new()
    };
    let mut own = own.iter();
    let first = Cell {
        node: body.memory_nodes.as_ref().and_then(IdSet::first),
        cpus,
        vcpus: (0..count)
            .map(|id| Vcpu {
                id,
                cpu: own.next(),
            })
            .collect(),
        memory_bytes: body.memory_bytes.unwrap_or(0),
        page_size_bytes: None,
    };
    // A container's networks are by name, its interfaces in the order they are written: only one is certain.
    let addresses = body.networks.values().map(|e| e.address);
    let addresses = if body.networks.len() == 1 {
        labelled(workload, addresses)
    } else {
        by_network(workload, &body)
    };
    Some(Placement {
        runtime: Runtime::Container,
        host: id.host.clone(),
        policy,
        cells: vec![first],
        helpers: BTreeMap::new(),
        devices: Vec::new(),
        addresses,
        tiers: Vec::new(),
    })
}

fn by_network(
    workload: Option<&Workload>,
    body: &Container,
) -> BTreeMap<String, std::net::Ipv4Addr> {
    let find = |i: &crate::declared::Interface| {
        let network = i
            .network
            .value
            .as_str()
            .rsplit('.')
            .next()
            .unwrap_or_default();
        let endpoint = body
            .networks
            .iter()
            .find(|(name, _)| name.rsplit('.').next() == Some(network));
        endpoint.map(|(_, e)| (i.label.clone(), e.address))
    };
    workload
        .into_iter()
        .flat_map(|w| &w.interfaces)
        .filter_map(find)
        .collect()
}

fn of_machine(id: &ResourceId, record: &Record, workload: Option<&Workload>) -> Option<Placement> {
    let body: Machine = serde_json::from_value(record.body.clone()).ok()?;
    let policy = policy(workload);
    let cpus = body
        .vcpu_pins
        .values()
        .fold(IdSet::new(), |all, pin| &all | pin);
    let one = |pin: &IdSet| {
        (policy == CpuPolicy::Dedicated && pin.len() == 1)
            .then(|| pin.first())
            .flatten()
    };
    let vcpus = (0..body.vcpus)
        .map(|id| Vcpu {
            id,
            cpu: body.vcpu_pins.get(&id).and_then(one),
        })
        .collect();
    let cell = Cell {
        node: body.memory_nodes.as_ref().and_then(IdSet::first),
        cpus,
        vcpus,
        memory_bytes: body.memory_bytes,
        page_size_bytes: body.page_size_bytes,
    };
    Some(Placement {
        runtime: Runtime::Kvm,
        host: id.host.clone(),
        policy,
        cells: vec![cell],
        helpers: body
            .emulator_pin
            .map(|pin| BTreeMap::from([("emulator".to_owned(), pin)]))
            .unwrap_or_default(),
        devices: Vec::new(),
        addresses: labelled(workload, body.interfaces.iter().map(|i| i.address)),
        tiers: Vec::new(),
    })
}
