//! A workload as a container.

use std::collections::BTreeMap;

use infra_api::target::{Container, ContainerVolume, Endpoint, Mount};
use infra_api::{IdSet, Placement, What, names};

use super::Lowering;
use crate::declared::{Disk, Workload};

impl Lowering<'_> {
    pub(super) fn container(&mut self, workload: &Workload, placement: &Placement) {
        let Some(form) = &workload.container else {
            return;
        };
        let Some(image) = self.container_image(&placement.host, &workload.address, &form.image)
        else {
            return;
        };
        let mut mounts = form.mounts.clone();
        for disk in &workload.disks {
            mounts.extend(self.mounted(workload, placement, disk));
        }
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
                .unwrap_or_else(|| names::hostname(&workload.address)),
            labels: form.labels.clone(),
            ports,
            mounts,
            networks: self.endpoints(workload, placement),
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

    fn endpoints(&self, workload: &Workload, placement: &Placement) -> BTreeMap<String, Endpoint> {
        let endpoint = |interface: &crate::declared::Interface| {
            let address = *placement.addresses.get(&interface.label)?;
            let aliases = vec![names::hostname(&workload.address)];
            Some((
                self.name(&interface.network.value),
                Endpoint { address, aliases },
            ))
        };
        workload.interfaces.iter().filter_map(endpoint).collect()
    }

    /// A disk is a volume of the engine, mounted where the person said.
    fn mounted(
        &mut self,
        workload: &Workload,
        placement: &Placement,
        disk: &Disk,
    ) -> Option<(String, Mount)> {
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
                self.part_name(&workload.address, &disk.label),
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
            mount.value.clone(),
            Mount::Volume {
                source: name,
                read_only: disk.read_only,
            },
        ))
    }
}
