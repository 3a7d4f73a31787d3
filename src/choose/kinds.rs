//! Hosts that no gate can tell apart, but by their names.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use infra_api::IdSet;
use infra_api::facts::{Devices, IommuGroup, Offer};
use infra_api::target::HostDevice;

use super::Hosts;
use crate::declared::Workload;
use crate::inventory::{HostInventory, Inventory};

/// All that gates look at of a host beside its name. A gate that looks at more must have it here: equal hosts are
/// judged once.
#[derive(Debug)]
struct Seen<'a> {
    labels: Vec<(&'a str, &'a str)>,
    container: &'a Option<Offer>,
    kvm: &'a Option<Offer>,
    docker: Option<Engine<'a>>,
    libvirt: Option<Machines<'a>>,
    libvirt_version: &'a Option<String>,
    /// Address, driver, class.
    pci: Vec<(&'a str, &'a Option<String>, &'a Option<String>)>,
    iommu_groups: &'a [IommuGroup],
}

#[derive(Debug)]
struct Engine<'a> {
    api_version: &'a Option<String>,
    runtimes: &'a Option<BTreeSet<String>>,
    security: &'a Option<BTreeSet<String>>,
    limits: &'a Option<BTreeSet<String>>,
    cgroup_version: Option<u8>,
}

#[derive(Debug)]
struct Machines<'a> {
    emulated: Option<bool>,
    machines: &'a [String],
    devices: &'a Devices,
}

/// What workloads ask about that is another on nearly every host.
#[derive(Default)]
struct Asked<'a> {
    labels: BTreeSet<&'a str>,
    devices: bool,
}

impl<'a> Asked<'a> {
    fn by(workloads: &'a [Workload]) -> Self {
        let mut asked = Self::default();
        for workload in workloads {
            asked
                .labels
                .extend(workload.host_labels.keys().map(String::as_str));
            let mut devices = workload.kvm.iter().flat_map(|k| &k.hardware.host_devices);
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
        let mut by: BTreeMap<String, IdSet> = BTreeMap::new();
        for (position, host) in (0u32..).zip(inventory.hosts.values()) {
            // Written out, different ones differ: texts are in quotes.
            let seen = format!("{:?}", asked.seen(host));
            by.entry(seen).or_default().insert(position);
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
