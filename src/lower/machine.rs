//! A workload as a virtual machine.

use infra_api::target::{
    DiskVolume, Format, Machine, MachineDisk, MachineInterface, SeedVolume, VolumeRef,
};
use infra_api::{IdSet, Placement, Text, What, names};
use infra_diag::{Diagnostic, Span};

use super::Lowering;
use super::boot::Booted;
use crate::declared::{Disk, Kvm, Workload};

/// libvirt rounds a machine's memory to these.
const MIB: u64 = 1 << 20;
/// And a virtual disk to these.
const SECTOR: u64 = 512;
/// Where a machine's serial console is written on the daemon's host; its name follows.
const CONSOLE_LOGS: &str = "/var/log/libvirt/qemu";

impl Lowering<'_> {
    pub(super) fn machine(&mut self, workload: &Workload, placement: &Placement) {
        let Some(form) = &workload.kvm else { return };
        let Some(memory) = &workload.memory.size_bytes else {
            self.error(
                form.span,
                "Machine without memory",
                "a virtual machine needs to be told its memory",
                "write `memory { size = \"…\" }`",
            );
            return;
        };
        let memory_bytes = memory.value;
        if !memory_bytes.is_multiple_of(MIB) {
            let text = "a machine's memory is a whole number of MiB";
            self.error(memory.span, "Uneven memory", text, "round it to whole MiB");
        }
        let interfaces = self.interfaces(workload, placement);
        let Some(Booted { boot, disk }) = self.boot(workload, placement, form) else {
            return;
        };
        let wants_seed = form
            .seed
            .unwrap_or(form.user_data.is_some() || disk.is_some());
        let mut disks: Vec<MachineDisk> = disk.into_iter().collect();
        disks.extend(
            workload
                .disks
                .iter()
                .filter_map(|disk| self.data_disk(workload, placement, disk)),
        );
        let seed = wants_seed.then(|| self.seed(workload, placement, form, &interfaces));
        let name = self.name(&workload.address);
        let nodes = placement.nodes();
        let machine = Machine {
            console_log: Some(format!("{CONSOLE_LOGS}/{name}.console.log")),
            name,
            uuid: names::uuid(self.inputs.project, self.made_as(&workload.address)),
            state: "running".to_owned(),
            acceleration: form.acceleration,
            vcpus: workload.cpus.count,
            vcpu_pins: pins(placement),
            emulator_pin: placement.helpers.get("emulator").cloned(),
            memory_bytes,
            memory_nodes: (!nodes.is_empty()).then_some(nodes),
            page_size_bytes: placement.cells.iter().find_map(|c| c.page_size_bytes),
            boot,
            disks,
            seed,
            interfaces,
            autostart: form.autostart,
        };
        self.push(
            &placement.host,
            &workload.address,
            What::Machine(Box::new(machine)),
        );
    }

    fn data_disk(
        &mut self,
        workload: &Workload,
        placement: &Placement,
        disk: &Disk,
    ) -> Option<MachineDisk> {
        let (address, name, size) = match &disk.volume {
            Some(volume) => {
                let declared = self.inputs.declared.volumes.get(&volume.value)?;
                (
                    volume.value.clone(),
                    self.name(&volume.value),
                    declared.size_bytes.clone(),
                )
            }
            None => (
                workload.address.clone(),
                self.part_name(&workload.address, &format!("disk-{}", disk.label)),
                disk.size_bytes.clone(),
            ),
        };
        let Some(size) = size else {
            self.error(
                disk.span,
                "Disk without a size",
                "a virtual disk needs to be told its size",
                "write `size = \"…\"`",
            );
            return None;
        };
        self.whole_sectors(&size);
        let volume = VolumeRef {
            pool: self.pool(&placement.host),
            name: format!("{name}.qcow2"),
        };
        if self.first(&placement.host, &format!("volume {}", volume.name)) {
            let what = DiskVolume {
                volume: volume.clone(),
                format: Format::Qcow2,
                capacity_bytes: size.value,
                backing: None,
                backing_format: None,
            };
            self.push(&placement.host, &address, What::Disk(what));
        }
        Some(MachineDisk {
            volume,
            format: Format::Qcow2,
            read_only: disk.read_only,
        })
    }

    fn interfaces(&mut self, workload: &Workload, placement: &Placement) -> Vec<MachineInterface> {
        let mut interfaces = Vec::new();
        for declared in &workload.interfaces {
            let Some(address) = placement.addresses.get(&declared.label).copied() else {
                continue;
            };
            interfaces.push(MachineInterface {
                mac: self.mac(&workload.address, &declared.label),
                network: self.name(&declared.network.value),
                address,
            });
        }
        interfaces
    }

    /// A MAC that no other interface of the project has: 24 bits of a digest meet once in a few thousand machines.
    fn mac(&mut self, workload: &infra_api::Address, label: &str) -> String {
        let project = self.inputs.project;
        let made_as = self.inputs.made_as.of(workload);
        let mut macs = (0..).map(|attempt| names::mac(project, made_as, label, attempt));
        macs.find(|mac| self.macs.insert(mac.clone()))
            .expect("there are more MACs than a project has interfaces")
    }

    /// A NoCloud seed: the name, the planned addresses, and the person's user data.
    fn seed(
        &mut self,
        workload: &Workload,
        placement: &Placement,
        form: &Kvm,
        interfaces: &[MachineInterface],
    ) -> VolumeRef {
        let volume = VolumeRef {
            pool: self.pool(&placement.host),
            name: format!("{}.iso", self.part_name(&workload.address, "seed")),
        };
        let made_as = self.made_as(&workload.address);
        let id = names::uuid(self.inputs.project, made_as);
        let meta_data = format!(
            "instance-id: {id}\nlocal-hostname: {}\n",
            names::hostname(made_as)
        );
        let what = SeedVolume {
            volume: volume.clone(),
            meta_data: Text::Plain(meta_data),
            user_data: form
                .user_data
                .clone()
                .unwrap_or_else(|| Text::from("#cloud-config\n")),
            network_config: Some(Text::Plain(self.network_config(workload, interfaces))),
        };
        self.push(&placement.host, &workload.address, What::Seed(what));
        volume
    }

    /// Version 2 of cloud-init's network configuration: static addresses, the default route by the first network that
    /// leads outside.
    fn network_config(&self, workload: &Workload, interfaces: &[MachineInterface]) -> String {
        let mut text = "version: 2\nethernets:\n".to_owned();
        let mut routed = false;
        for (index, (declared, planned)) in workload.interfaces.iter().zip(interfaces).enumerate() {
            let Some(network) = self.inputs.declared.networks.get(&declared.network.value) else {
                continue;
            };
            let (mac, address, prefix) = (
                &planned.mac,
                planned.address,
                network.subnet.value.prefix_len(),
            );
            text += &format!(
                "  eth{index}:\n    match:\n      macaddress: \"{mac}\"\n    set-name: eth{index}\n"
            );
            text += &format!("    addresses:\n      - {address}/{prefix}\n");
            if !network.internal && !routed {
                text += &format!(
                    "    routes:\n      - to: 0.0.0.0/0\n        via: {}\n",
                    network.gateway
                );
                routed = true;
            }
        }
        text
    }

    pub(super) fn whole_sectors(&mut self, size: &crate::declared::At<u64>) {
        if !size.value.is_multiple_of(SECTOR) {
            let text = "a virtual disk is a whole number of 512-byte sectors";
            self.error(size.span, "Uneven disk", text, "round it to whole MiB");
        }
    }

    pub(super) fn error(&mut self, span: Span, summary: &str, text: &str, hint: &str) {
        self.diagnostics
            .push(Diagnostic::error(summary).at(span, text).hint(hint));
    }
}

/// Each vCPU on its own CPU, or all on the shared ones.
fn pins(placement: &Placement) -> std::collections::BTreeMap<u32, IdSet> {
    let of_cell = |cell: &infra_api::Cell| {
        let shared = cell.cpus.clone();
        let pin = move |v: &infra_api::Vcpu| {
            (
                v.id,
                v.cpu
                    .map_or_else(|| shared.clone(), |cpu| IdSet::from([cpu])),
            )
        };
        cell.vcpus.iter().map(pin).collect::<Vec<_>>()
    };
    placement
        .cells
        .iter()
        .flat_map(of_cell)
        .filter(|(_, pin)| !pin.is_empty())
        .collect()
}
