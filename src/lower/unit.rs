//! A workload as a process on the metal.

use std::collections::BTreeMap;

use infra_api::target::{
    MemoryPolicy, Unit, UnitAddress, UnitConfinement, UnitFolder, UnitLife, UnitLimits, UnitPlace,
};
use infra_api::{IdSet, Placement, ResourceId, What};
use ipnet::Ipv4Net;

use super::software::RunsFrom;
use super::{Lowering, around};

use crate::declared::{BareMetal, Workload};

/// Where the data of processes on the metal are.
const FOLDERS: &str = "/var/lib/infra/disks";

impl Lowering<'_> {
    pub(super) fn unit(&mut self, workload: &Workload, placement: &Placement) {
        let Some(form) = &workload.bare_metal else {
            return;
        };
        let state = match (form.life.task, &form.life.times) {
            (false, _) => "running",
            (true, None) => "started",
            (true, Some(_)) => "waiting",
        };
        let files = form.files.iter();
        let name = self.name(&workload.address);
        let (addresses, mut after) = self.unit_addresses(workload, placement);
        let Some(RunsFrom { current, ids }) = self.runs_from(workload, placement, form) else {
            return;
        };
        let slice = self.slice(&placement.host, form);
        let mounts = self.host_mounts(workload, placement, form);
        after.extend(ids);
        after.extend(around::ids(&placement.host, slice.as_ref(), &mounts));
        let here = |path: &String| match &current {
            Some(_) if !path.starts_with('/') => format!("{}/{path}", Unit::current_path(&name)),
            _ => path.clone(),
        };
        let program = |words: &[String]| {
            let (first, rest) = words.split_at(words.len().min(1));
            first.iter().map(here).chain(rest.iter().cloned()).collect()
        };
        let place = self.unit_place(workload, placement);
        let folder = form.working_dir.as_ref().map(here);
        let folders = self.unit_folders(workload);
        let unit = Unit {
            name: name.clone(),
            state: state.to_owned(),
            exec: program(&form.exec),
            env: form.env.clone(),
            user: form.user.clone(),
            group: form.group.clone(),
            working_dir: folder.or_else(|| current.as_ref().map(|_| Unit::current_path(&name))),
            packages: form.software.packages.clone(),
            files: files
                .map(|(path, file)| (path.clone(), file.value.clone()))
                .collect(),
            folders,
            mounts,
            slice,
            addresses,
            life: UnitLife {
                health_check: program(&form.life.health_check),
                ..form.life.clone()
            },
            current,
            ulimits: form.ulimits.clone(),
            confinement: confinement(form),
            place,
            limits: UnitLimits {
                memory_bytes: workload.memory.size_bytes.as_ref().map(|size| size.value),
                ..form.limits.clone()
            },
            scheduling: form.scheduling.clone(),
            others: BTreeMap::new(),
        };
        self.push(
            &placement.host,
            &workload.address,
            What::Unit(Box::new(unit), after),
        );
    }

    /// Where only some of its memory has to come from its node, it may come from any.
    fn unit_place(&mut self, workload: &Workload, placement: &Placement) -> UnitPlace {
        let some = |ids: IdSet| (!ids.is_empty()).then_some(ids);
        let (cpus, nodes) = (some(placement.cpus()), some(placement.nodes()));
        let mode = workload.memory.mode.as_deref().unwrap_or_default();
        let memory_policy = match (mode, &nodes) {
            ("preferred" | "interleave", Some(nodes)) => Some(MemoryPolicy {
                mode: mode.to_owned(),
                nodes: nodes.clone(),
            }),
            _ => None,
        };
        let prefers = memory_policy.as_ref().filter(|_| mode == "preferred");
        if let Some(several) = prefers.filter(|policy| policy.nodes.len() > 1) {
            self.error(
                workload.memory.span.unwrap_or(workload.origin),
                "Several nodes preferred",
                &format!("it lies on the nodes {}, and a kernel prefers one", several.nodes),
                "write `mode = \"interleave\"` or leave it out, or ask for one node: `numa { nodes = 1 }`",
            );
        }
        UnitPlace {
            cpus,
            memory_nodes: nodes.filter(|_| mode != "preferred"),
            memory_policy,
        }
    }

    /// The host has a unit's planned addresses, on the devices of its networks.
    fn unit_addresses(
        &mut self,
        workload: &Workload,
        placement: &Placement,
    ) -> (BTreeMap<String, UnitAddress>, Vec<ResourceId>) {
        let (mut addresses, mut after) = (BTreeMap::new(), Vec::new());
        for interface in &workload.interfaces {
            let network = self.inputs.declared.networks.get(&interface.network.value);
            let Some(network) = network else { continue };
            // Where others give the addresses it has the host's.
            let planned = placement.addresses.get(&interface.label);
            let (Some(range), Some(planned)) = (&network.range, planned) else {
                continue;
            };
            let parent = network
                .driver
                .as_ref()
                .map(|driver| driver.value.parent.clone());
            let Some(device) = self.bridge(network).or(parent) else {
                continue;
            };
            let address = Ipv4Net::new(*planned, range.subnet.value.prefix_len());
            let Ok(address) = address else { continue };
            addresses.insert(interface.label.clone(), UnitAddress { device, address });
            let made = self.maker(network, &placement.host);
            let name = self.name(&network.address);
            after.extend(
                made.map(|provider| ResourceId::new(&placement.host, provider, "network", &name)),
            );
        }
        (addresses, after)
    }

    /// A disk is a folder of the host.
    fn unit_folders(&mut self, workload: &Workload) -> BTreeMap<String, UnitFolder> {
        let mut folders = BTreeMap::new();
        for disk in &workload.disks {
            let Some(mount) = &disk.mount else {
                self.error(
                    disk.span,
                    "Disk without a mount",
                    "a process on the metal needs to know where to find it",
                    "write `mount = \"/path\"`",
                );
                continue;
            };
            let folder = UnitFolder {
                path: format!(
                    "{FOLDERS}/{}",
                    self.part_name(&workload.address, &format!("disk-{}", disk.label))
                ),
                read_only: disk.read_only,
            };
            folders.insert(mount.value.clone(), folder);
        }
        folders
    }
}

/// What is mounted for it is its to write to.
fn confinement(form: &BareMetal) -> UnitConfinement {
    let mut confinement = form.confinement.clone();
    if !confinement.open {
        let written = form
            .mounts
            .iter()
            .filter(|(_, mount)| !mount.value.read_only);
        confinement
            .writable
            .extend(written.map(|(path, _)| path.clone()));
        confinement.writable.sort();
        confinement.writable.dedup();
    }
    confinement
}
