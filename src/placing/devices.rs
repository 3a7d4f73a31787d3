//! PCI devices: what they can be asked for as, and which of a host's could be had.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::facts::{Facts, PciDevice};
use infra_api::target::HostDevice;
use infra_api::{Address, HostName, Placement};
use infra_place::Near;

use super::Held;
use crate::declared::{DeviceKind, DeviceNear, Workload};
use crate::inventory::HostInventory;

/// Drivers that have a device only to hand it over.
const HARMLESS: [&str; 2] = ["vfio-pci", "pci-stub"];
/// Classes: what only leads to others, and disks.
const BRIDGE: &str = "06";
const STORAGE: &str = "01";

/// What is asked of the hosts' devices, by all together.
#[derive(Default)]
pub(super) struct Wanted {
    kinds: BTreeSet<String>,
    /// Addresses that a machine names for itself, wherever it runs.
    named: BTreeSet<String>,
    /// What workloads have by their records: it is asked for again, or let go.
    recorded: BTreeSet<(HostName, String)>,
}

impl Wanted {
    pub(super) fn new(
        workloads: &[&Workload],
        prior: &BTreeMap<Address, Placement>,
        held: &[Held],
    ) -> Self {
        let asked = workloads.iter().flat_map(|w| &w.devices);
        let interfaces = workloads.iter().flat_map(|w| &w.interfaces);
        let near = interfaces.filter_map(|interface| interface.fabric.as_ref());
        let forms = workloads.iter().filter_map(|w| w.kvm.as_ref());
        let given = forms.flat_map(|form| &form.hardware.host_devices);
        let named = given.filter_map(|device| match device {
            HostDevice::Pci { address } => Some(address.clone()),
            HostDevice::Usb { .. } => None,
        });
        let had = prior
            .values()
            .chain(held.iter().map(|held| &held.placement));
        let had = had.flat_map(|p| p.devices.iter().map(|d| (p.host.clone(), d.clone())));
        Self {
            kinds: asked
                .map(|device| kind(&device.kind))
                .chain(near.map(|fabric| kind(&DeviceKind::Fabric(fabric.value.clone()))))
                .collect(),
            named: named.collect(),
            recorded: had.collect(),
        }
    }

    /// Devices of a host; none where nobody asks for any. Those that could be had are told too.
    pub(super) fn of(&self, host: &HostInventory) -> (Vec<infra_place::Device>, Vec<String>) {
        if self.kinds.is_empty() && self.recorded.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let facts = &host.facts;
        let positions: BTreeMap<u32, usize> = facts.nodes.iter().map(|n| n.id).zip(0..).collect();
        let bridges: BTreeMap<&str, u32> = facts
            .pci
            .iter()
            .map(|d| d.address.as_str())
            .zip(0..)
            .collect();
        let fabrics = fabrics(host);
        let device = |device: &PciDevice| infra_place::Device {
            address: device.address.clone(),
            kinds: self.kinds_of(device, (host, &fabrics)),
            node: facts
                .near(device)
                .and_then(|id| positions.get(&id).copied()),
            bridges: (facts.bridges(&device.address).into_iter().rev())
                .filter_map(|bridge| bridges.get(bridge).copied())
                .collect(),
            group: device.iommu_group,
        };
        let ends = || facts.pci.iter().filter(|device| !is_of(device, BRIDGE));
        let free = ends().filter(|device| self.can_be_had(device, host));
        let free = free.map(|device| device.address.clone()).collect();
        (ends().map(device).collect(), free)
    }

    /// In words that somebody asks for. What the host may be using is given only to who names it.
    fn kinds_of(
        &self,
        device: &PciDevice,
        (host, fabrics): (&HostInventory, &Fabrics<'_>),
    ) -> Vec<String> {
        let spare = is_set_aside(device) && !is_used(device, &host.facts);
        let mut kinds = match spare || self.is_recorded(device, host) {
            true => all_kinds(device, fabrics),
            false => vec![device.address.clone()],
        };
        kinds.retain(|kind| self.kinds.contains(kind));
        kinds
    }

    fn is_recorded(&self, device: &PciDevice, host: &HostInventory) -> bool {
        let own = (host.declared.name.clone(), device.address.clone());
        self.recorded.contains(&own)
    }

    /// Nobody has it, and it can be handed over. What the host uses goes only to who names it.
    fn can_be_had(&self, device: &PciDevice, host: &HostInventory) -> bool {
        let address = &device.address;
        if self.is_recorded(device, host) {
            return true;
        }
        let mut had = host.facts.used.iter().flat_map(|used| &used.vfs);
        let asked = self
            .kinds
            .contains(&kind(&DeviceKind::Pci(address.clone())));
        device.iommu_group.is_some()
            && !self.named.contains(address)
            && !had.any(|other| other == address)
            && (asked || !is_used(device, &host.facts))
    }
}

/// All it is.
fn all_kinds(device: &PciDevice, fabrics: &Fabrics<'_>) -> Vec<String> {
    let mut kinds = vec![device.address.clone()];
    let id = device.vendor.as_ref().zip(device.device.as_ref());
    kinds.extend(id.map(|(vendor, product)| format!("{vendor}:{product}")));
    let class = device.class.as_deref().unwrap_or_default();
    let prefixes = [2, 4, 6]
        .into_iter()
        .filter_map(|digits| class.get(..digits));
    kinds.extend(prefixes.map(|class| kind(&DeviceKind::Class(class.to_owned()))));
    let own = fabrics.iter().filter(|(_, cards)| {
        let card = device.physfn.as_deref();
        card.is_some_and(|card| cards.contains(card))
    });
    kinds.extend(own.map(|(name, _)| kind(&DeviceKind::Fabric((*name).to_owned()))));
    kinds
}

/// How many of a kind a host has, whoever uses them.
pub(super) fn there(host: &HostInventory, kind: &str) -> usize {
    let fabrics = fabrics(host);
    let ends = host
        .facts
        .pci
        .iter()
        .filter(|device| !is_of(device, BRIDGE));
    let is = |device: &&PciDevice| all_kinds(device, &fabrics).iter().any(|own| own == kind);
    ends.filter(is).count()
}

/// Addresses of the cards of each fabric.
type Fabrics<'a> = Vec<(&'a str, BTreeSet<&'a str>)>;

fn fabrics(host: &HostInventory) -> Fabrics<'_> {
    let fabrics = host.declared.fabrics.iter();
    let cards = |parents: &[String]| {
        let cards = parents
            .iter()
            .filter_map(|parent| host.facts.pci_named(parent));
        cards.map(|card| card.address.as_str()).collect()
    };
    fabrics
        .map(|(name, fabric)| (name.as_str(), cards(&fabric.parents.value)))
        .collect()
}

fn is_of(device: &PciDevice, class: &str) -> bool {
    device
        .class
        .as_deref()
        .is_some_and(|own| own.starts_with(class))
}

fn has_driver(device: &PciDevice) -> bool {
    let driver = device.driver.as_deref();
    driver.is_some_and(|driver| !HARMLESS.contains(&driver))
}

/// Whether it is there to be handed over: a virtual function, or what no driver of the host's has.
fn is_set_aside(device: &PciDevice) -> bool {
    device.physfn.is_some() || !has_driver(device)
}

/// Whether the host would lose what it works with: a network it is in, its disks, a card whose functions others have.
fn is_used(device: &PciDevice, facts: &Facts) -> bool {
    let up = |i: &infra_api::facts::NetInterface| i.state.as_deref() == Some("up");
    device.interfaces.iter().any(up)
        || facts.functions(&device.address).next().is_some()
        || is_of(device, STORAGE) && has_driver(device)
}

/// Its kind in words that hosts and asks agree on.
pub(crate) fn kind(kind: &DeviceKind) -> String {
    match kind {
        DeviceKind::Fabric(name) => format!("fabric {name}"),
        DeviceKind::Class(class) => format!("class {class}"),
        DeviceKind::Id(word) | DeviceKind::Pci(word) => word.clone(),
    }
}

/// What a workload asks for.
pub(super) fn asked(workload: &Workload) -> Vec<infra_place::Devices> {
    let asked = |device: &crate::declared::Device| infra_place::Devices {
        kind: kind(&device.kind),
        count: device.count,
        near: match device.near {
            DeviceNear::Node => Near::Node,
            DeviceNear::Socket => Near::Socket,
            DeviceNear::Switch => Near::Switch,
            DeviceNear::Anywhere => Near::Host,
        },
        strict: device.required,
    };
    workload.devices.iter().map(asked).collect()
}
