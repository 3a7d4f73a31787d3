//! PCI devices: what they are, where they lie, and what can be handed on of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::cpuset::IdSet;

/// A PCI device, bridges and virtual functions included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PciDevice {
    /// Domain, bus, device and function as the kernel writes them: `0000:3b:00.0`. A domain may
    /// have more than four digits.
    pub address: String,
    /// Vendor, four hexadecimal digits: `8086`.
    #[serde(default)]
    pub vendor: Option<String>,
    /// Device of that vendor, four hexadecimal digits: `1572`.
    #[serde(default)]
    pub device: Option<String>,
    /// Class, subclass and interface, six hexadecimal digits: `020000` is an Ethernet controller.
    #[serde(default)]
    pub class: Option<String>,
    /// The driver bound to it. Null where none is.
    #[serde(default)]
    pub driver: Option<String>,
    /// The NUMA node it is nearest to. Null where the firmware does not tell (the kernel's -1).
    #[serde(default)]
    pub numa_node: Option<u32>,
    /// The CPUs nearest to it as the kernel has them. May contradict `numa_node`: both are the
    /// firmware's word.
    #[serde(default)]
    pub local_cpus: Option<IdSet>,
    /// The host bridge it hangs under, as the kernel names its root bus: `pci0000:3a`.
    #[serde(default)]
    pub host_bridge: Option<String>,
    /// The bridge above it. Null for a device at the root.
    #[serde(default)]
    pub parent: Option<String>,
    /// Its IOMMU group, see `iommu_groups`: what of a machine's devices can only be handed on together.
    #[serde(default)]
    pub iommu_group: Option<u32>,
    /// For a virtual function, the physical function it belongs to.
    #[serde(default)]
    pub physfn: Option<String>,
    /// For a physical function, its virtual functions. Null where it cannot have any.
    #[serde(default)]
    pub sriov: Option<Sriov>,
    /// Network interfaces it drives in the reading network namespace, by name. Empty for a
    /// function that is bound to `vfio-pci` or given away.
    #[serde(default)]
    pub interfaces: Vec<NetInterface>,
}

/// The virtual functions of a physical function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sriov {
    /// How many it can have (`sriov_totalvfs`).
    #[serde(default)]
    pub total: Option<u32>,
    /// How many it has now (`sriov_numvfs`).
    #[serde(default)]
    pub configured: Option<u32>,
    /// Their addresses, in the order of their numbers: the first is VF 0.
    #[serde(default)]
    pub vfs: Vec<String>,
    /// How far the first is behind the physical function, in bus numbers times 256 plus devices times 8 plus functions
    /// (`sriov_offset`).
    #[serde(default)]
    pub offset: Option<u32>,
    /// And each next one behind the one before (`sriov_stride`).
    #[serde(default)]
    pub stride: Option<u32>,
    /// Their device, four hexadecimal digits (`sriov_vf_device`).
    #[serde(default)]
    pub vf_device: Option<String>,
}

/// A network device of the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// Its name: `eth0`.
    pub name: String,
    /// Whether it is a bridge. Null is unknown.
    #[serde(default)]
    pub bridge: Option<bool>,
    /// How many VFs it has; 0 where it can have none. Null is unknown.
    #[serde(default)]
    pub vfs: Option<u32>,
}

/// A network interface of a PCI device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NetInterface {
    /// Its name: `ens1f0`.
    pub name: String,
    /// Its hardware address.
    #[serde(default)]
    pub mac: Option<String>,
    /// Largest packet, in bytes.
    #[serde(default)]
    pub mtu: Option<u32>,
    /// Speed of its link in Mbit/s. Null where the link is down.
    #[serde(default)]
    pub speed_mbit: Option<u32>,
    /// Operational state as the kernel has it: `up`, `down`, `unknown` …
    #[serde(default)]
    pub state: Option<String>,
}

/// Devices the IOMMU cannot tell apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct IommuGroup {
    /// The kernel's number of the group.
    pub id: u32,
    /// PCI addresses of its devices, in order.
    pub devices: Vec<String>,
}

impl Facts {
    /// By the name of an interface it drives, or by its address.
    pub fn pci_named(&self, name: &str) -> Option<&PciDevice> {
        let drives = |device: &PciDevice| device.interfaces.iter().any(|i| i.name == name);
        self.pci
            .iter()
            .find(|device| device.address == name || drives(device))
    }

    /// The virtual functions of a physical one.
    pub fn functions<'a>(&'a self, address: &'a str) -> impl Iterator<Item = &'a PciDevice> {
        let own = move |device: &&PciDevice| device.physfn.as_deref() == Some(address);
        self.pci.iter().filter(own)
    }

    /// The bridges above a device, its root port first. Devices share a PCIe switch where they
    /// share one below the root port.
    pub fn bridges(&self, address: &str) -> Vec<&str> {
        let mut above = Vec::new();
        let mut here = self.pci(address);
        while let Some(parent) = here.and_then(|device| device.parent.as_deref()) {
            // A document may be wrong: nothing lies above itself.
            if parent == address || above.contains(&parent) {
                break;
            }
            above.push(parent);
            here = self.pci(parent);
        }
        above.reverse();
        above
    }

    /// The PCIe switches above a device, the nearest last, each by its upstream port. Empty where
    /// it hangs on a root port, or nothing is known above it.
    pub fn switches(&self, address: &str) -> Vec<&str> {
        // Under the root port an upstream port and a downstream port take turns.
        self.bridges(address)
            .into_iter()
            .skip(1)
            .step_by(2)
            .collect()
    }

    /// What can only be handed on together with a device, itself included, by address; itself
    /// alone where no group is known.
    pub fn handed_on_with<'a>(&'a self, device: &'a PciDevice) -> Vec<&'a str> {
        let group = device.iommu_group.and_then(|id| self.iommu_group(id));
        match group {
            Some(group) => group.devices.iter().map(String::as_str).collect(),
            None => vec![device.address.as_str()],
        }
    }

    pub fn iommu_group(&self, id: u32) -> Option<&IommuGroup> {
        self.iommu_groups.iter().find(|group| group.id == id)
    }

    /// The node a device is nearest to: its own word, else that of its physical function, else
    /// that of the nearest bridge above that has one, else the only node its local CPUs are of.
    pub fn near(&self, device: &PciDevice) -> Option<u32> {
        let function = device.physfn.as_deref();
        let above = self.bridges(&device.address).into_iter().rev();
        let told = function
            .into_iter()
            .chain(above)
            .filter_map(|a| self.pci(a));
        let mut told = [device].into_iter().chain(told);
        told.find_map(|device| device.numa_node.filter(|id| self.node(*id).is_some()))
            .or_else(|| self.near_by_cpus(device.local_cpus.as_ref()?))
    }

    fn near_by_cpus(&self, local: &IdSet) -> Option<u32> {
        let with_cpus = || self.nodes.iter().filter(|node| !node.cpus.is_empty());
        let mut near = with_cpus().filter(|node| !node.cpus.is_disjoint(local));
        match (near.next(), near.next()) {
            // Of several nodes; or of the only one there is, which says nothing wrong either.
            (Some(node), None) => Some(node.id),
            _ => None,
        }
    }
}
