//! A workload as a container.

use std::collections::BTreeMap;

use infra_api::target::{Container, ContainerVolume, Endpoint, Mount};
use infra_api::{IdSet, Placement, What, names};

use super::Lowering;

use crate::declared::{At, Disk, Workload};

/// No limit below it is taken by the engine.
const LEAST_MEMORY: u64 = 6 << 20;

impl Lowering<'_> {
    pub(super) fn container(&mut self, workload: &Workload, placement: &Placement) {
        let Some(form) = &workload.container else {
            return;
        };
        let Some(image) = self.container_image(&placement.host, &workload.address, &form.image)
        else {
            return;
        };
        self.enough_memory(workload);
        let mut mounts = form.mounts.clone();
        for disk in &workload.disks {
            let Some((target, mount)) = self.mounted(workload, placement, disk) else {
                continue;
            };
            if mounts.insert(target.value, mount).is_some() {
                self.error(
                    target.span,
                    "Path mounted twice",
                    "another disk or mount of the container is there already",
                    "mount it at another path",
                );
            }
        }
        let networks = self.endpoints(workload, placement);
        let some = |ids: IdSet| (!ids.is_empty()).then_some(ids);
        let mut ports: Vec<_> = form.ports.iter().map(|p| p.value.clone()).collect();
        ports.sort();
        let container = Container {
            name: self.name(&workload.address),
            image,
            state: "running".to_owned(),
            entrypoint: form.entrypoint.clone(),
            command: form.command.clone(),
            env: form.env.clone(),
            user: form.user.clone(),
            working_dir: form.working_dir.clone(),
            hostname: form
                .hostname
                .clone()
                .unwrap_or_else(|| names::hostname(self.made_as(&workload.address))),
            labels: form.labels.clone(),
            ports,
            mounts,
            networks,
            restart: form.restart.clone(),
            health_check: form.health_check.clone(),
            ulimits: form.ulimits.clone(),
            cpus: some(placement.cpus()),
            memory_nodes: some(placement.nodes()),
            memory_bytes: workload.memory.size_bytes.as_ref().map(|s| s.value),
            pids: form.pids,
        };
        self.push(
            &placement.host,
            &workload.address,
            What::Container(container),
        );
    }

    /// The engine's own bound, which it tells only after the container that is replaced is gone.
    fn enough_memory(&mut self, workload: &Workload) {
        let size = workload.memory.size_bytes.as_ref();
        if let Some(size) = size.filter(|size| size.value < LEAST_MEMORY) {
            self.error(
                size.span,
                "Too little memory",
                "the Docker Engine takes no limit below 6MiB",
                "write `6MiB` or more",
            );
        }
    }

    fn endpoints(
        &mut self,
        workload: &Workload,
        placement: &Placement,
    ) -> BTreeMap<String, Endpoint> {
        let mut endpoints = BTreeMap::new();
        for interface in &workload.interfaces {
            let Some(address) = placement.addresses.get(&interface.label) else {
                continue;
            };
            let endpoint = Endpoint {
                address: *address,
                aliases: vec![names::hostname(self.made_as(&workload.address))],
            };
            let network = self.name(&interface.network.value);
            if endpoints.insert(network, endpoint).is_some() {
                self.error(
                    interface.network.span,
                    "Network named twice",
                    "another interface is in this network, and a container has one endpoint in each",
                    "leave one of the two out",
                );
            }
        }
        endpoints
    }

    /// A disk is a volume of the engine, mounted where the person said.
    fn mounted(
        &mut self,
        workload: &Workload,
        placement: &Placement,
        disk: &Disk,
    ) -> Option<(At<String>, Mount)> {
        let Some(mount) = &disk.mount else {
            self.error(
                disk.span,
                "Disk without a mount",
                "a container needs to know where to find it",
                "write `mount = \"/path\"`",
            );
            return None;
        };
        let (address, name) = match &disk.volume {
            Some(volume) => (volume.value.clone(), self.name(&volume.value)),
            None => (
                workload.address.clone(),
                self.part_name(&workload.address, &format!("disk-{}", disk.label)),
            ),
        };
        if self.first(&placement.host, &format!("container volume {name}")) {
            self.push(
                &placement.host,
                &address,
                What::ContainerVolume(ContainerVolume { name: name.clone() }),
            );
        }
        Some((
            mount.clone(),
            Mount::Volume {
                source: name,
                read_only: disk.read_only,
            },
        ))
    }
}
