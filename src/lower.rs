//! Workload + placement → targets: complete, daemon-neutral, nothing left to decide. Also what an object with a
//! certain body holds of its host.

mod around;
mod boot;
mod container;
mod disks;
mod endpoints;
mod identity;
mod images;
mod machine;
mod mounts;
mod networks;
mod nics;
mod pools;
mod sense;
mod software;
mod taken;
mod unit;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use infra_api::target::{
    Container, ContainerNetwork, Format, HostDevice, HostMount, KernelSetting, Machine,
    MachineNetwork, Unit, VolumeRef,
};
use infra_api::{
    Address, CpuPolicy, HostName, IdSet, ImageTag, Pinned, Placement, Project, ResourceId, Runtime,
    Target, What, names,
};
use infra_diag::{Diagnostic, Diagnostics};
use infra_plan::{Claims, MadeAs};
use serde::Deserialize;
use serde_json::Value;

use crate::declared::{Declared, POOL_PATH, Workload};

/// A file of the person's, read once: what the plan needs to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// Where it is, for whoever uploads it.
    pub path: PathBuf,
    /// In hexadecimal digits.
    pub sha256: String,
    pub size_bytes: u64,
    pub format: Format,
    /// What a guest sees of a disk image; the file's size for anything else.
    pub virtual_bytes: u64,
}

/// All that lowering follows from.
pub struct Inputs<'a> {
    pub project: &'a Project,
    pub declared: &'a Declared,
    pub placements: &'a BTreeMap<Address, Placement>,
    pub made_as: &'a MadeAs,
    /// By the path as written.
    pub files: &'a BTreeMap<String, FileFacts>,
    /// Registry references by (host, reference as written): pinned to their digests.
    pub pinned: &'a BTreeMap<(HostName, ImageTag), Pinned>,
    /// Hosts with a libvirt daemon.
    pub libvirt: &'a BTreeSet<HostName>,
    /// What the kernels of hosts are set to.
    pub settings: &'a BTreeMap<HostName, Vec<KernelSetting>>,
    /// How far the nodes of hosts are from each other.
    pub distances: &'a BTreeMap<HostName, BTreeMap<u32, BTreeMap<u32, u32>>>,
    /// Control groups of containers that are not in the engine's own.
    pub parents: &'a BTreeMap<&'a Address, &'static str>,
    /// Pools that are there and whose volumes are logical volumes.
    pub logical: &'a BTreeSet<(HostName, String)>,
    /// Networks, volumes and pools that others have made and that are ours now, for which address each: they are wanted
    /// though nobody uses them.
    pub taken: &'a BTreeMap<ResourceId, Address>,
}

/// Every target of a configuration, and what is wrong with the combination of form and place.
#[must_use]
pub fn lower(inputs: &Inputs<'_>) -> (Vec<Target>, Diagnostics) {
    let mut lowering = Lowering {
        inputs,
        targets: Vec::new(),
        diagnostics: Diagnostics::new(),
        shared: BTreeSet::new(),
        macs: BTreeSet::new(),
        disks: BTreeMap::new(),
        packages: BTreeMap::new(),
        mounts: BTreeMap::new(),
    };
    lowering.written_macs();
    lowering.settings();
    for workload in &inputs.declared.workloads {
        if let Some(placement) = inputs.placements.get(&workload.address) {
            lowering.workload(workload, placement);
        }
    }
    lowering.taken();
    // Whom a network tells an address is known when its machines are.
    lowering.networks();
    (lowering.targets, lowering.diagnostics)
}

struct Lowering<'a> {
    inputs: &'a Inputs<'a>,
    targets: Vec<Target>,
    diagnostics: Diagnostics,
    /// What several workloads of a host use is made once: (host, what).
    shared: BTreeSet<(HostName, String)>,
    /// Those that are written, and those given so far.
    macs: BTreeSet<String>,
    /// The virtual disks of hosts, and how large their guests see them.
    disks: BTreeMap<(HostName, VolumeRef), u64>,
    /// The packages of hosts, in which version, and who was the first to ask for each.
    packages: BTreeMap<(HostName, String), (String, Address)>,
    /// What is mounted at paths of hosts, and who was the first to ask for each.
    mounts: BTreeMap<(HostName, String), (HostMount, Address)>,
}

impl Lowering<'_> {
    fn workload(&mut self, workload: &Workload, placement: &Placement) {
        match placement.runtime {
            Runtime::Container => self.container(workload, placement),
            Runtime::Kvm => self.machine(workload, placement),
            Runtime::BareMetal => self.unit(workload, placement),
        }
    }

    fn push(&mut self, host: &HostName, address: &Address, what: What) {
        self.targets.push(Target {
            host: host.clone(),
            address: address.clone(),
            what,
        });
    }

    /// Hosts as they are to be prepared.
    fn settings(&mut self) {
        for (host, settings) in self.inputs.settings {
            let address = Address::new(format!("host.{host}"));
            for setting in settings {
                self.push(host, &address, What::KernelSetting(setting.clone()));
            }
        }
    }

    /// Whether this is the first to ask for what the host's workloads share.
    fn first(&mut self, host: &HostName, what: &str) -> bool {
        self.shared.insert((host.clone(), what.to_owned()))
    }

    fn name(&self, address: &Address) -> String {
        let Inputs {
            project,
            declared,
            made_as,
            ..
        } = self.inputs;
        called(project, address, (&declared.names, made_as))
    }

    fn derived_name(&self, address: &Address) -> String {
        names::object(self.inputs.project, self.made_as(address))
    }

    /// The address that names and marks are derived from.
    fn made_as<'b>(&'b self, address: &'b Address) -> &'b Address {
        self.inputs.made_as.of(address)
    }

    /// The name of something that belongs to a workload and goes with it. `part` is no number and no digest (`boot`,
    /// `seed`, `disk-LABEL`), so that no address's own name can be the same.
    fn part_name(&self, workload: &Address, part: &str) -> String {
        format!("{}.{part}", self.derived_name(workload))
    }

    fn pool_name(&self) -> String {
        pool_name(self.inputs.project)
    }

    fn pool_path(&self, host: &HostName) -> String {
        let written = self
            .inputs
            .declared
            .hosts
            .get(host)
            .and_then(|h| h.pool_path.clone());
        written.unwrap_or_else(|| format!("{POOL_PATH}/{}", self.inputs.project))
    }
}

/// What libvirt calls a project's own pool.
#[must_use]
pub fn pool_name(project: &Project) -> String {
    format!("infra-{project}")
}

/// What daemons call those that are not named after their address, and which address the others are named after.
pub type Names<'a> = (&'a BTreeMap<Address, String>, &'a MadeAs);

/// A daemon's name for what is declared at an address.
#[must_use]
pub fn called(project: &Project, address: &Address, (given, made_as): Names<'_>) -> String {
    let derived = || names::object(project, made_as.of(address));
    given.get(address).cloned().unwrap_or_else(derived)
}

/// The id of the object that *is* the workload: its container or its machine.
#[must_use]
pub fn main_resource(
    project: &Project,
    address: &Address,
    names: Names<'_>,
    placement: &Placement,
) -> ResourceId {
    let (provider, kind) = match placement.runtime {
        Runtime::Container => ("docker", "container"),
        Runtime::Kvm => ("libvirt", "domain"),
        Runtime::BareMetal => ("systemd", "unit"),
    };
    let name = called(project, address, names);
    ResourceId::new(&placement.host, provider, kind, &name)
}

/// What an object with this body holds of its host.
#[must_use]
pub fn claims(id: &ResourceId, body: &Value, placement: Option<&Placement>) -> Claims {
    // Without a record of its policy it is taken to be dedicated: waiting for it is safe.
    let dedicated = placement.is_none_or(|p| p.policy == CpuPolicy::Dedicated);
    match (id.provider.as_str(), id.kind.as_str()) {
        ("docker", "container") => Container::deserialize(body)
            .map_or_else(|_| Claims::default(), |c| of_container(&c, dedicated)),
        ("libvirt", "domain") => Machine::deserialize(body)
            .map_or_else(|_| Claims::default(), |m| of_machine(&m, dedicated)),
        ("systemd", "unit") => Unit::deserialize(body).map_or_else(
            |_| Claims::default(),
            |unit| Claims {
                cpus: unit.place.cpus.unwrap_or_default(),
                dedicated,
                exclusive: unit
                    .addresses
                    .values()
                    .map(|own| format!("ip {}", own.address.addr()))
                    .collect(),
            },
        ),
        (_, "network") => of_network(id, body),
        _ => Claims::default(),
    }
}

/// Two daemons may make one bridge, one after the other: who has it lets go first, or the second is left on one that
/// is gone. The same holds of a subnet under another name.
fn of_network(id: &ResourceId, body: &Value) -> Claims {
    let made = match id.provider.as_str() {
        "docker" => ContainerNetwork::deserialize(body)
            .ok()
            .map(|n| (n.bridge, n.subnet)),
        _ => MachineNetwork::deserialize(body)
            .ok()
            .and_then(|n| Some((n.bridge, Some(n.own?.subnet)))),
    };
    let exclusive = made.into_iter().flat_map(|(bridge, subnet)| {
        let bridge = bridge.map(|bridge| format!("bridge {bridge}"));
        let subnet = subnet.map(|subnet| format!("subnet {subnet}"));
        bridge.into_iter().chain(subnet)
    });
    Claims {
        exclusive: exclusive.collect(),
        ..Claims::default()
    }
}

fn of_container(container: &Container, dedicated: bool) -> Claims {
    // Without the host's address: a listener on every address meets one on any.
    let ports = container
        .ports
        .iter()
        .map(|p| format!("port {}/{}", p.host, p.protocol));
    let addresses = container
        .networks
        .values()
        .filter_map(|e| Some(format!("ip {}", e.address?)));
    Claims {
        cpus: container.cpus.clone().unwrap_or_default(),
        dedicated,
        exclusive: ports.chain(addresses).collect(),
    }
}

fn of_machine(machine: &Machine, dedicated: bool) -> Claims {
    let cpus = machine
        .vcpu_pins
        .values()
        .fold(IdSet::new(), |all, pin| &all | pin);
    let addresses = machine
        .interfaces
        .iter()
        .filter_map(|i| Some(format!("ip {}", i.address?)));
    // Who leaves a node's huge pages makes room for who comes.
    let pages = machine.huge_pages().into_iter();
    let pages = pages.flat_map(|(nodes, size, _)| {
        let nodes = nodes.into_iter().flatten();
        nodes.map(move |node| format!("pages {node} {size}"))
    });
    let devices = machine.interfaces.iter().filter_map(|nic| {
        let driver = nic.driver.as_ref()?;
        (driver.mode == "passthru").then(|| format!("device {}", driver.parent))
    });
    let given = machine.hardware.host_devices.iter();
    let given = given.filter_map(|device| match device {
        HostDevice::Pci { address } => Some(format!("device {address}")),
        HostDevice::Usb { .. } => None,
    });
    let devices = devices.chain(given);
    Claims {
        cpus,
        dedicated,
        exclusive: addresses.chain(pages).chain(devices).collect(),
    }
}

/// Objects that two declarations would make: the second would silently be the first.
#[must_use]
pub fn doubles(desired: &[infra_plan::Desired]) -> Diagnostics {
    let mut resources: Vec<_> = desired.iter().map(|wanted| &wanted.resource).collect();
    resources.sort_by(|a, b| a.id.cmp(&b.id));
    let mut diagnostics = Diagnostics::new();
    for pair in resources.windows(2) {
        let (other, resource) = (&pair[0].address, pair[1]);
        if pair[0].id == resource.id {
            diagnostics.push(
                Diagnostic::error("Two declarations of one object")
                    .note(format!(
                        "`{other}` and `{}` would both be {}",
                        resource.address, resource.id
                    ))
                    .hint("rename one of them"),
            );
        }
    }
    diagnostics
}

/// The digests of all secrets in bodies, in order.
#[must_use]
pub fn secrets(desired: &[infra_plan::Desired]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for wanted in desired {
        find_secrets(&wanted.resource.body, &mut found);
    }
    found.into_iter().collect()
}

fn find_secrets(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(digest)) = members.get(infra_api::SECRET) {
                found.insert(digest.clone());
            }
            members.values().for_each(|v| find_secrets(v, found));
        }
        Value::Array(items) => items.iter().for_each(|v| find_secrets(v, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_of_two_declarations_is_an_error() {
        let wanted = |address: &str, name: &str| infra_plan::Desired {
            resource: infra_api::Resource {
                id: ResourceId::new(&HostName::new("r1"), "docker", "volume", name),
                address: Address::new(address),
                body: Value::Null.into(),
                source: None,
                after: Vec::new(),
            },
            prevent_destroy: false,
            create_before_destroy: false,
            timeouts: infra_plan::Timeouts::default(),
            until_ready: false,
            stopped_when: None,
            ignore_changes: Vec::new(),
            migration: None,
        };
        let (one, other) = (wanted("volume.a", "demo.a"), wanted("volume.b", "demo.b"));
        assert!(!doubles(&[one.clone(), other]).has_errors());
        assert!(doubles(&[one, wanted("workload.a", "demo.a")]).has_errors());
    }
}
