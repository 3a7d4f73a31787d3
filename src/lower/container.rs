//! A workload as a container.

use infra_api::target::Container;
use infra_api::{CpuPolicy, IdSet, Placement, What, names};

use super::Lowering;

use crate::declared::{Limited, Workload};

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
        self.limits_fit(workload, placement, &form.limits);
        let mounts = self.mounts(workload, placement, form);
        self.files_fit(form, &mounts);
        let networks = self.endpoints(workload, placement);
        let some = |ids: IdSet| (!ids.is_empty()).then_some(ids);
        let mut ports: Vec<_> = form.ports.iter().map(|p| p.value.clone()).collect();
        ports.sort();
        let own_name = form.confinement.uts.is_none();
        let hostname = form.hostname.clone();
        let hostname =
            hostname.or_else(|| own_name.then(|| names::hostname(self.made_as(&workload.address))));
        let files = form.files.iter();
        let mut confinement = form.confinement.clone();
        let parent = self.inputs.parents.get(&workload.address);
        confinement.cgroup_parent = confinement
            .cgroup_parent
            .or_else(|| parent.map(|&group| group.to_owned()));
        let container = Container {
            name: self.name(&workload.address),
            image,
            state: "running".to_owned(),
            entrypoint: form.entrypoint.clone(),
            command: form.command.clone(),
            env: form.env.clone(),
            user: form.user.clone(),
            working_dir: form.working_dir.clone(),
            hostname: hostname.unwrap_or_default(),
            labels: form.labels.clone(),
            ports,
            mounts,
            files: files
                .map(|(path, file)| (path.clone(), file.value.clone()))
                .collect(),
            networks,
            naming: form.naming.clone(),
            restart: form.restart.clone(),
            health_check: form.health_check.clone(),
            process: form.process.clone(),
            log: form.log.clone(),
            security: form.security.clone(),
            confinement,
            devices: form.devices.clone(),
            ulimits: form.ulimits.clone(),
            cpus: some(placement.cpus()),
            memory_nodes: some(placement.nodes()),
            memory_bytes: workload.memory.size_bytes.as_ref().map(|s| s.value),
            pids: form.pids,
            limits: form.limits.limits.clone(),
        };
        self.push(
            &placement.host,
            &workload.address,
            What::Container(Box::new(container)),
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

    /// Limits that the workload's own CPUs and memory bear on.
    fn limits_fit(&mut self, workload: &Workload, placement: &Placement, limited: &Limited) {
        let Limited {
            limits,
            quota,
            reservation,
            swap,
        } = limited;
        if let (Some(span), CpuPolicy::Dedicated) = (quota, placement.policy) {
            self.error(
                *span,
                "Quota on dedicated CPUs",
                "it would be stopped on CPUs that nobody else may use",
                "leave `cpu_quota` out, or share the CPUs",
            );
        }
        let memory = workload.memory.size_bytes.as_ref().map(|size| size.value);
        if let (Some(span), None) = (swap, memory) {
            self.error(
                *span,
                "Swap without memory",
                "swap comes on top of a limit of memory, and there is none",
                "write `memory { size = … }`, or leave `swap` out",
            );
        }
        let reserved = limits.memory_reservation_bytes.unwrap_or(LEAST_MEMORY);
        let beyond = memory.is_some_and(|memory| reserved > memory);
        if let Some(span) = reservation.filter(|_| beyond || reserved < LEAST_MEMORY) {
            self.error(
                span,
                "Reservation out of bounds",
                "it is at least 6MiB, and at most the workload's memory",
                "write a size within them",
            );
        }
    }
}
