//! What the kernel is to show of a workload, whatever it runs as: what was made, in the kernel's terms.

use std::collections::BTreeMap;

use infra_api::target::{
    Acceleration, Container, HostDevice, KernelSetting, Machine, MemoryPolicy, Scheduling, Ulimit,
    Unit, UnitAddress,
};
use infra_api::{CpuPolicy, IdSet, Placement, ResourceId};
use serde::Deserialize;
use serde_json::Value;

/// Absent is: nothing was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Whether there are to be processes.
    pub runs: Runs,
    /// What its host's kernel is set to.
    pub settings: Vec<KernelSetting>,
    /// Where threads may run, by what they are there for.
    pub threads: BTreeMap<Role, IdSet>,
    /// Nodes that all its memory comes from.
    pub nodes: Option<IdSet>,
    /// How its memory is taken of nodes, where it asks for no other way.
    pub memory_policy: Option<MemoryPolicy>,
    /// Nodes that parts of it are bound to, and how much of it is in huge pages there; then `nodes` may be wider.
    pub parts: BTreeMap<IdSet, u64>,
    /// Size of huge pages → bytes in them, all taken when it starts.
    pub huge_pages: BTreeMap<u64, u64>,
    /// So much never leaves the host's memory.
    pub locked_bytes: Option<u64>,
    pub memory_bytes: Option<u64>,
    pub pids: Option<u64>,
    /// Of systemd, without `.slice`: it shares limits with others there.
    pub slice: Option<String>,
    pub scheduling: Scheduling,
    /// The real-time priority of its vCPUs' threads (class FIFO).
    pub realtime: Option<u32>,
    pub ulimits: BTreeMap<String, Ulimit>,
    /// PCI addresses of what it has to itself through VFIO.
    pub functions: Vec<String>,
    pub addresses: Vec<UnitAddress>,
    /// CPUs that nobody else is to run on.
    pub alone: IdSet,
}

/// Whether processes are to be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Runs {
    /// At any time.
    #[default]
    On,
    /// It ends by itself: that nothing of it runs is no harm.
    ToAnEnd,
    /// It is none that runs.
    Nothing,
}

/// What a thread is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Vcpu(u32),
    Iothread(u32),
    /// QEMU's others, and those of the kernel that serve its network cards.
    Emulator,
    /// Any of a container or unit.
    Any,
}

impl Wanted {
    /// Of an object that was made; nothing of what runs no process.
    #[must_use]
    pub fn of(id: &ResourceId, body: &Value, placement: Option<&Placement>) -> Option<Self> {
        let wanted = match (id.provider.as_str(), id.kind.as_str()) {
            ("libvirt", "domain") => machine(&Machine::deserialize(body).ok()?),
            ("docker", "container") => container(Container::deserialize(body).ok()?),
            ("kernel", "setting") => setting(KernelSetting::deserialize(body).ok()?),
            ("systemd", "unit") => unit(Unit::deserialize(body).ok()?),
            _ => return None,
        };
        let alone = placement.filter(|p| p.policy == CpuPolicy::Dedicated);
        Some(Self {
            alone: alone.map(Placement::cpus).unwrap_or_default(),
            ..wanted
        })
    }
}

fn setting(setting: KernelSetting) -> Wanted {
    Wanted {
        runs: Runs::Nothing,
        settings: vec![setting],
        ..Wanted::default()
    }
}

fn machine(machine: &Machine) -> Wanted {
    let mut threads = BTreeMap::new();
    let vcpus = machine.vcpu_pins.iter();
    threads.extend(vcpus.map(|(vcpu, cpus)| (Role::Vcpu(*vcpu), cpus.clone())));
    let iothreads = machine.iothread_pins.iter();
    threads.extend(iothreads.map(|(number, cpus)| (Role::Iothread(*number), cpus.clone())));
    threads.extend(
        machine
            .emulator_pin
            .iter()
            .map(|cpus| (Role::Emulator, cpus.clone())),
    );
    // Other modes only prefer them.
    let strict = matches!(machine.memory_mode.as_deref(), None | Some("restrictive"));
    let mut huge_pages = BTreeMap::new();
    for (_, size, bytes) in machine.huge_pages() {
        *huge_pages.entry(size).or_default() += bytes;
    }
    let functions = machine.interfaces.iter().filter_map(|i| i.function.clone());
    let devices = machine
        .hardware
        .host_devices
        .iter()
        .filter_map(|device| match device {
            HostDevice::Pci { address } => Some(address.clone()),
            HostDevice::Usb { .. } => None,
        });
    let mut parts = BTreeMap::new();
    // Only a strict one is bound by QEMU itself.
    let strictly = machine.memory_mode.is_none();
    for cell in machine.cells.iter().filter(|_| strictly) {
        if let Some(nodes) = &cell.nodes {
            let huge = cell.page_size_bytes.map_or(0, |_| cell.memory_bytes);
            *parts.entry(nodes.clone()).or_default() += huge;
        }
    }
    let locked = match machine.hardware.locked_memory && machine.acceleration == Acceleration::Kvm {
        true => machine
            .memory_bytes
            .saturating_sub(huge_pages.values().sum()),
        false => 0,
    };
    Wanted {
        threads,
        nodes: machine.memory_nodes.clone().filter(|_| strict),
        parts,
        // Huge pages are never anywhere else, and are not counted.
        locked_bytes: (locked > 0).then_some(locked),
        huge_pages,
        functions: functions.chain(devices).collect(),
        realtime: machine.hardware.realtime,
        ..Wanted::default()
    }
}

fn container(container: Container) -> Wanted {
    Wanted {
        // Docker itself says whether it is to go on running.
        runs: match container.state.as_str() {
            "running" => Runs::On,
            _ => Runs::ToAnEnd,
        },
        threads: container
            .cpus
            .into_iter()
            .map(|cpus| (Role::Any, cpus))
            .collect(),
        nodes: container.memory_nodes,
        memory_bytes: container.memory_bytes,
        pids: container.pids,
        ulimits: container.ulimits,
        ..Wanted::default()
    }
}

fn unit(unit: Unit) -> Wanted {
    Wanted {
        runs: match unit.life.task {
            true => Runs::ToAnEnd,
            false => Runs::On,
        },
        threads: unit
            .place
            .cpus
            .into_iter()
            .map(|cpus| (Role::Any, cpus))
            .collect(),
        nodes: unit.place.memory_nodes,
        memory_policy: unit.place.memory_policy,
        memory_bytes: unit.limits.memory_bytes,
        pids: unit.limits.pids,
        slice: unit.slice,
        scheduling: unit.scheduling,
        ulimits: unit.ulimits,
        addresses: unit.addresses.into_values().collect(),
        ..Wanted::default()
    }
}
