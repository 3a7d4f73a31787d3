//! Hosts that no gate can tell apart, but by their names.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use infra_api::IdSet;
use infra_api::facts::{Devices, IommuGroup, Offer};
use infra_api::target::HostDevice;

use super::Hosts;
use crate::declared::{DeviceKind, Workload};
use crate::inventory::{HostInventory, Inventory};

/// All that gates look at of a host beside its name. A gate that looks at more must have it here: equal hosts are
/// judged once.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Seen<'a> {
    labels: Vec<(&'a str, &'a str)>,
    bare_metal: &'a Option<Offer>,
    container: &'a Option<Offer>,
    kvm: &'a Option<Offer>,
    docker: Option<Engine<'a>>,
    libvirt: Option<Machines<'a>>,
    libvirt_version: &'a Option<String>,
    /// Address, driver, class.
    pci: Vec<(&'a str, &'a Option<String>, &'a Option<String>)>,
    iommu_groups: &'a [IommuGroup],
    /// Whether it tells of devices, and of a way to hand one over.
    hands_over: (bool, bool),
    fabrics: Vec<&'a str>,
    /// Sizes of huge pages that it has any of.
    pages: BTreeSet<u64>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Engine<'a> {
    api_version: &'a Option<String>,
    runtimes: &'a Option<BTreeSet<String>>,
    security: &'a Option<BTreeSet<String>>,
    limits: &'a Option<BTreeSet<String>>,
    cgroup_version: Option<u8>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Machines<'a> {
    emulated: Option<bool>,
    machines: &'a [String],
    devices: &'a Devices,
}

/// What workloads ask about that is another on nearly every host.
#[derive(Default)]
struct Asked<'a> {
    labels: BTreeSet<&'a str>,
    /// By address, in `kvm`.
    devices: bool,
    /// That placing chooses.
    chosen: bool,
    /// Of those.
    fabrics: BTreeSet<&'a str>,
    /// Huge pages, where a need may ask for them.
    pages: bool,
}

impl<'a> Asked<'a> {
    fn by(workloads: &'a [Workload]) -> Self {
        let mut asked = Self::default();
        for workload in workloads {
            asked
                .labels
                .extend(workload.host_labels.keys().map(String::as_str));
            let mut devices = workload.kvm.iter().flat_map(|k| &k.hardware.host_devices);
            let fabrics = workload.devices.iter().filter_map(|d| match &d.kind {
                DeviceKind::Fabric(name) => Some(name.as_str()),
                _ => None,
            });
            let interfaces = workload.interfaces.iter();
            let near = interfaces.filter_map(|i| Some(i.fabric.as_ref()?.value.as_str()));
            let needs = !workload.suits.needs.is_none();
            let near: Vec<&str> = near.filter(|_| needs).collect();
            asked.chosen |= !workload.devices.is_empty() || !near.is_empty();
            asked.fabrics.extend(fabrics.chain(near));
            asked.pages |= needs && workload.kvm.is_some();
            asked.devices |= devices.any(|device| matches!(device, HostDevice::Pci { .. }));
        }
        asked
    }

    fn seen<'h>(&self, host: &'h HostInventory) -> Seen<'h> {
        let facts = &host.facts;
        let labels = host.declared.labels.iter();
        let pci = facts.pci.iter().filter(|_| self.devices);
        Seen {
            labels: labels
                .map(|(label, value)| (label.as_str(), value.as_str()))
                .filter(|(label, _)| self.labels.contains(label))
                .collect(),
            bare_metal: &facts.runtimes.bare_metal,
            container: &facts.runtimes.container,
            kvm: &facts.runtimes.kvm,
            docker: facts.docker.as_ref().map(|docker| Engine {
                api_version: &docker.api_version,
                runtimes: &docker.runtimes,
                security: &docker.security,
                limits: &docker.limits,
                cgroup_version: docker.cgroup_version,
            }),
            libvirt: facts.libvirt.as_ref().map(|libvirt| Machines {
                emulated: libvirt.emulated,
                machines: &libvirt.machines,
                devices: &libvirt.devices,
            }),
            libvirt_version: &facts.versions.libvirt,
            pci: pci
                .map(|d| (d.address.as_str(), &d.driver, &d.class))
                .collect(),
            iommu_groups: if self.devices {
                &facts.iommu_groups
            } else {
                &[]
            },
            hands_over: (
                self.chosen && !facts.pci.is_empty(),
                self.chosen && !facts.iommu_groups.is_empty(),
            ),
            fabrics: (host.declared.fabrics.keys())
                .map(String::as_str)
                .filter(|name| self.fabrics.contains(name))
                .collect(),
            pages: (host.pages.iter())
                .filter(|(_, count)| self.pages && **count > 0)
                .map(|((_, size), _)| *size)
                .collect(),
        }
    }
}

/// All hosts, by kinds.
pub(super) struct Kinds<'a> {
    all: Hosts,
    /// By position.
    hosts: Vec<&'a HostInventory>,
    kinds: Vec<IdSet>,
}

impl<'a> Kinds<'a> {
    pub(super) fn new(workloads: &[Workload], inventory: &'a Inventory) -> Self {
        let asked = Asked::by(workloads);
        let mut by: BTreeMap<Seen<'_>, IdSet> = BTreeMap::new();
        for (position, host) in (0u32..).zip(inventory.hosts.values()) {
            by.entry(asked.seen(host)).or_default().insert(position);
        }
        let mut kinds: Vec<IdSet> = by.into_values().collect();
        kinds.sort_by_key(IdSet::first);
        Self {
            all: Hosts::new(inventory.hosts.keys().cloned()),
            hosts: inventory.hosts.values().collect(),
            kinds,
        }
    }

    pub(super) fn all(&self) -> &Hosts {
        &self.all
    }

    /// Each kind without some hosts, and these hosts one by one; with a host of each that stands for it.
    pub(super) fn without(&self, named: &IdSet) -> Vec<(&'a HostInventory, Cow<'_, IdSet>)> {
        let kinds = self.kinds.iter().map(|kind| match named.is_empty() {
            true => Cow::Borrowed(kind),
            false => Cow::Owned(kind - named),
        });
        let one = named.iter().map(|host| Cow::Owned(IdSet::from([host])));
        kinds
            .chain(one)
            .filter_map(|hosts| Some((self.hosts[hosts.first()? as usize], hosts)))
            .collect()
    }
}
