//! Where workloads run, read back from what is there.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use infra_api::target::{Container, GuestCell, HostDevice, Machine, Unit};
use infra_api::{
    Address, Cell, CpuPolicy, HostName, IdSet, Needs, Placement, ResourceId, Runtime, Setting,
    Settings, Vcpu,
};
use infra_plan::Record;
use serde::Deserialize;

use crate::declared::{Declared, Interface, Workload};

/// Where workloads run, by the bodies of their main objects. Whether their CPUs are their own stands in no body: the
/// configuration says it.
#[must_use]
pub fn placements(
    resources: &BTreeMap<ResourceId, Record>,
    declared: &Declared,
) -> BTreeMap<Address, Placement> {
    let workloads: BTreeMap<&Address, &Workload> =
        declared.workloads.iter().map(|w| (&w.address, w)).collect();
    let networks = Networks::new(resources);
    let mut placements = BTreeMap::new();
    for (id, record) in resources {
        let workload = workloads.get(&record.address).copied();
        let placement = match (id.provider.as_str(), id.kind.as_str()) {
            ("docker", "container") => of_container(id, record, workload, &networks),
            ("libvirt", "domain") => of_machine(id, record, workload),
            ("systemd", "unit") => of_unit(id, record, workload),
            _ => None,
        };
        placements.extend(placement.map(|p| (record.address.clone(), p)));
    }
    placements
}

/// What the engine of each host calls the declared networks: their marks say it, whatever their addresses look like.
struct Networks<'a>(BTreeMap<(&'a HostName, &'a Address), &'a str>);

impl<'a> Networks<'a> {
    fn new(resources: &'a BTreeMap<ResourceId, Record>) -> Self {
        let networks = resources
            .iter()
            .filter(|(id, _)| id.provider == "docker" && id.kind == "network");
        let names = networks.map(|(id, r)| ((&id.host, &r.address), id.name.as_str()));
        Self(names.collect())
    }
}

/// Where nothing is written and something is needed, its CPUs are its own if it has one for each. `each`: whether it
/// has.
fn policy(workload: Option<&Workload>, each: bool) -> CpuPolicy {
    let Some(workload) = workload else {
        return CpuPolicy::Shared;
    };
    let silent = !workload.cpus.says_whose && !workload.suits.needs.is_none();
    match silent && each {
        true => CpuPolicy::Dedicated,
        false => workload.cpus.policy,
    }
}

/// The settings that a body shows, of who needs something.
fn settings(
    workload: Option<&Workload>,
    policy: CpuPolicy,
    shown: impl IntoIterator<Item = (Setting, bool)>,
) -> (Settings, Needs) {
    let needs = workload.map_or_else(Needs::default, |w| w.suits.needs);
    if needs.is_none() {
        return (Settings::NONE, needs);
    }
    let pinned = (Setting::Pinned, policy == CpuPolicy::Dedicated);
    let shown = shown.into_iter().chain([pinned]);
    let shown = shown.filter(|(_, shows)| *shows);
    (shown.map(|(setting, _)| setting).collect(), needs)
}

/// The labels of interfaces, by the planned addresses' order in the body.
fn labelled<A: Copy>(
    workload: Option<&Workload>,
    addresses: impl Iterator<Item = Option<A>>,
) -> BTreeMap<String, A> {
    let labels = workload
        .map(|w| {
            w.interfaces
                .iter()
                .map(|i| i.label.clone())
                .collect::<Vec<_>>()
        })
        .unwrap_or_default();
    let both = labels.into_iter().zip(addresses);
    both.filter_map(|(label, address)| Some((label, address?)))
        .collect()
}

fn of_container(
    id: &ResourceId,
    record: &Record,
    workload: Option<&Workload>,
    networks: &Networks<'_>,
) -> Option<Placement> {
    let body = Container::deserialize(&*record.body).ok()?;
    let cpus = body.cpus.clone().unwrap_or_default();
    let count = workload.map_or(1, |w| w.cpus.count);
    let policy = policy(workload, cpus.len() == count as usize);
    let shown = [
        (
            Setting::HostNetwork,
            body.confinement.network.as_deref() == Some("host"),
        ),
        (Setting::Volume, !body.mounts.is_empty()),
    ];
    let (with, needs) = settings(workload, policy, shown);
    let first = whole(policy, count, cpus, body.memory_bytes);
    // A container's networks are by name, its interfaces in the order they are written: only one is certain.
    let addresses = body.networks.values().map(|e| e.address);
    let addresses = if body.networks.len() == 1 {
        labelled(workload, addresses)
    } else {
        by_network(&id.host, workload, &body, networks)
    };
    Some(Placement {
        runtime: Runtime::Container,
        with,
        needs,
        host: id.host.clone(),
        policy,
        cells: cells(first, body.memory_nodes.as_ref()),
        helpers: BTreeMap::new(),
        devices: Vec::new(),
        addresses,
        tiers: Vec::new(),
    })
}

fn of_unit(id: &ResourceId, record: &Record, workload: Option<&Workload>) -> Option<Placement> {
    let body = Unit::deserialize(&*record.body).ok()?;
    let cpus = body.place.cpus.unwrap_or_default();
    let count = workload.map_or(1, |w| w.cpus.count);
    let policy = policy(workload, cpus.len() == count as usize);
    let (with, needs) = settings(workload, policy, []);
    let first = whole(policy, count, cpus, body.limits.memory_bytes);
    let addresses = body.addresses.into_iter();
    let preferred = body
        .place
        .memory_policy
        .as_ref()
        .map(|policy| &policy.nodes);
    let nodes = body.place.memory_nodes.as_ref().or(preferred);
    Some(Placement {
        runtime: Runtime::BareMetal,
        with,
        needs,
        host: id.host.clone(),
        policy,
        cells: cells(first, nodes),
        helpers: BTreeMap::new(),
        devices: Vec::new(),
        addresses: addresses
            .map(|(label, own)| (label, own.address.addr()))
            .collect(),
        tiers: Vec::new(),
    })
}

/// All CPUs and memory of what runs in a control group, as if on one node. Each thread has its own where they are its own.
fn whole(policy: CpuPolicy, count: u32, cpus: IdSet, memory_bytes: Option<u64>) -> Cell {
    let own = match policy {
        CpuPolicy::Dedicated => cpus.clone(),
        CpuPolicy::Shared => IdSet::new(),
    };
    let mut own = own.iter();
    let vcpus = (0..count).map(|id| Vcpu {
        id,
        cpu: own.next(),
    });
    Cell {
        node: None,
        vcpus: vcpus.collect(),
        cpus,
        memory_bytes: memory_bytes.unwrap_or(0),
        page_size_bytes: None,
    }
}

fn by_network(
    host: &HostName,
    workload: Option<&Workload>,
    body: &Container,
    networks: &Networks<'_>,
) -> BTreeMap<String, Ipv4Addr> {
    let find = |i: &Interface| {
        let name = networks.0.get(&(host, &i.network.value))?;
        let endpoint = body.networks.get(*name)?;
        Some((i.label.clone(), endpoint.address?))
    };
    let interfaces = workload.into_iter().flat_map(|w| &w.interfaces);
    interfaces.filter_map(find).collect()
}

/// One for each node, as placing makes them: the first carries all, the others name their nodes.
fn cells(first: Cell, nodes: Option<&IdSet>) -> Vec<Cell> {
    let nodes = nodes.cloned().unwrap_or_default();
    let bare = |node| Cell {
        node: Some(node),
        cpus: first.cpus.clone(),
        vcpus: Vec::new(),
        memory_bytes: 0,
        page_size_bytes: None,
    };
    let others: Vec<Cell> = nodes.iter().skip(1).map(bare).collect();
    let first = Cell {
        node: nodes.first(),
        ..first
    };
    std::iter::once(first).chain(others).collect()
}

/// A part of a machine, which its guest sees as a node.
fn parted(cell: &GuestCell, whole: &Cell) -> Cell {
    let own = whole
        .vcpus
        .iter()
        .filter(|vcpu| cell.vcpus.contains(vcpu.id));
    let vcpus: Vec<Vcpu> = own.cloned().collect();
    let pinned: IdSet = vcpus.iter().filter_map(|vcpu| vcpu.cpu).collect();
    Cell {
        node: cell.nodes.as_ref().and_then(IdSet::first),
        cpus: if pinned.is_empty() {
            whole.cpus.clone()
        } else {
            pinned
        },
        vcpus,
        memory_bytes: cell.memory_bytes,
        page_size_bytes: cell.page_size_bytes,
    }
}

/// Devices that it has and does not name.
fn chosen(body: &Machine, workload: Option<&Workload>) -> Vec<String> {
    let form = workload.and_then(|w| w.kvm.as_ref());
    let named = form.map_or(&[][..], |form| &form.hardware.host_devices);
    let given = body.hardware.host_devices.iter();
    let chosen = given.filter(|device| !named.contains(device));
    let addresses = chosen.filter_map(|device| match device {
        HostDevice::Pci { address } => Some(address.clone()),
        HostDevice::Usb { .. } => None,
    });
    let functions = body
        .interfaces
        .iter()
        .filter_map(|nic| nic.function.clone());
    addresses.chain(functions).collect()
}

fn of_machine(id: &ResourceId, record: &Record, workload: Option<&Workload>) -> Option<Placement> {
    let body = Machine::deserialize(&*record.body).ok()?;
    let mut pins = body.vcpu_pins.values();
    let policy = policy(
        workload,
        !body.vcpu_pins.is_empty() && pins.all(|pin| pin.len() == 1),
    );
    let huge = body.cells.iter().any(|cell| cell.page_size_bytes.is_some());
    let functions = body.interfaces.iter().any(|nic| nic.function.is_some());
    let shown = [
        (Setting::HugePages, huge || body.page_size_bytes.is_some()),
        (Setting::Iothread, body.iothreads > 0),
        (Setting::Function, functions),
    ];
    let (with, needs) = settings(workload, policy, shown);
    let cpus = body
        .vcpu_pins
        .values()
        .fold(IdSet::new(), |all, pin| &all | pin);
    let one = |pin: &IdSet| {
        (policy == CpuPolicy::Dedicated && pin.len() == 1)
            .then(|| pin.first())
            .flatten()
    };
    let vcpus = (0..body.online_vcpus.unwrap_or(body.vcpus))
        .map(|id| Vcpu {
            id,
            cpu: body.vcpu_pins.get(&id).and_then(one),
        })
        .collect();
    let first = Cell {
        node: None,
        cpus,
        vcpus,
        memory_bytes: body.balloon_bytes.unwrap_or(body.memory_bytes),
        page_size_bytes: body.page_size_bytes,
    };
    Some(Placement {
        runtime: Runtime::Kvm,
        with,
        needs,
        host: id.host.clone(),
        policy,
        cells: match body.cells.as_slice() {
            [] => cells(first, body.memory_nodes.as_ref()),
            seen => seen.iter().map(|cell| parted(cell, &first)).collect(),
        },
        helpers: body
            .emulator_pin
            .clone()
            .map(|pin| BTreeMap::from([("emulator".to_owned(), pin)]))
            .unwrap_or_default(),
        devices: chosen(&body, workload),
        addresses: labelled(workload, body.interfaces.iter().map(|i| i.address)),
        tiers: Vec::new(),
    })
}
