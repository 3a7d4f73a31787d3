//! A workload as a virtual machine.

use std::collections::BTreeMap;

use infra_api::target::{
    Acceleration, DiskDevice, Format, GuestCell, Hardware, HostDevice, Ignition, IgnitionVolume,
    Machine, MachineDisk, MachineInterface, SeedVolume, VolumeRef, XmlPatch,
};
use infra_api::{IdSet, Placement, Text, What, names};
use infra_diag::{Diagnostic, Span};

use super::Lowering;
use super::boot::Booted;
use super::disks::Made;
use super::nics::functions;
use crate::declared::{Cdrom, Disk, Kvm, Source, Workload};

/// libvirt rounds a machine's memory to these.
const MIB: u64 = 1 << 20;
/// And a virtual disk to these.
pub(super) const SECTOR: u64 = 512;
/// What a serial number of a disk has at most.
const SERIAL_LENGTH: usize = 20;

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
        self.whole_mebibytes(workload);
        let (count, size) = (workload.cpus.count, memory.value);
        let memory_bytes = most_memory(workload, size);
        let most = workload.cpus.maximum.as_ref();
        let vcpus = most.map_or(count, |most| most.value.max(count));
        self.meaningless(workload, form, vcpus);
        let interfaces = self.interfaces(workload, placement);
        let Some(Booted { boot, disk }) = self.boot(workload, placement, form) else {
            return;
        };
        let seeded = is_seeded(form, disk.is_some());
        self.readiness(workload, form, seeded);
        let disks = self.disks(workload, placement, form, disk);
        let (seed, seed_digest) = seeded
            .then(|| self.seed(workload, placement, form, &interfaces))
            .unzip();
        let name = self.name(&workload.address);
        let nodes = placement.nodes();
        let cells = self.guest_cells(workload, placement);
        self.cells_fit(form, &workload.numa, &cells);
        let machine = Machine {
            console_log: console_log(form, &name),
            name,
            uuid: self.uuid(workload, form, placement),
            state: "running".to_owned(),
            next_start: None,
            acceleration: form.acceleration,
            vcpus,
            online_vcpus: (count < vcpus).then_some(count),
            vcpu_pins: pins(placement),
            iothreads: form.iothreads,
            iothread_pins: iothread_pins(form.iothreads, placement),
            emulator_pin: placement.helpers.get("emulator").cloned(),
            memory_bytes,
            balloon_bytes: (size < memory_bytes).then_some(size),
            memory_mode: workload.memory.mode.clone().filter(|_| !nodes.is_empty()),
            memory_nodes: (!nodes.is_empty()).then_some(nodes),
            page_size_bytes: page_size(placement).filter(|_| cells.is_empty()),
            cells,
            boot,
            boot_order: boot_kinds(form),
            disks,
            seed,
            seed_digest,
            ignition: self.ignition(workload, placement, form),
            interfaces,
            autostart: form.autostart,
            ready: form.ready.as_ref().map(|ready| ready.value.clone()),
            stop_timeout_s: form.stop_timeout_s,
            patches: patches(form),
            hardware: self.hardware(workload, form, placement),
        };
        self.push(
            &placement.host,
            &workload.address,
            What::Machine(Box::new(machine)),
        );
    }

    /// The one it boots from, the others, and the drives.
    fn disks(
        &mut self,
        workload: &Workload,
        placement: &Placement,
        form: &Kvm,
        boot: Option<MachineDisk>,
    ) -> Vec<MachineDisk> {
        let turned = |disk: MachineDisk, kind: &str, label: &str| MachineDisk {
            boot: turn(form, kind, label),
            ..disk
        };
        let boot = boot.into_iter().map(|disk| turned(disk, "image", ""));
        let mut disks: Vec<MachineDisk> = boot.collect();
        for disk in &workload.disks {
            let made = self.data_disk(workload, placement, disk);
            disks.extend(made.map(|made| turned(made, "disk", &disk.label)));
        }
        for cdrom in &form.cdroms {
            disks.push(turned(self.drive(placement, cdrom), "cdrom", &cdrom.label));
        }
        by_bus(&mut disks);
        disks
    }

    /// What huge and locked pages take away is no wish. Devices that were chosen come after those that are named.
    fn hardware(&self, workload: &Workload, form: &Kvm, placement: &Placement) -> Hardware {
        let functions = functions(workload, placement);
        let mut pages = placement.cells.iter().map(|cell| cell.page_size_bytes);
        let fixed = form.hardware.locked_memory || pages.any(|size| size.is_some());
        let named = form.hardware.host_devices.iter().cloned();
        let chosen = placement.devices.iter();
        // Those are its NICs.
        let chosen = chosen.filter(|address| !functions.contains(address));
        let chosen = chosen.map(|address| HostDevice::Pci {
            address: address.clone(),
        });
        let vcpus = || placement.cells.iter().flat_map(|cell| &cell.vcpus);
        let dedicated = vcpus().next().is_some() && vcpus().all(|vcpu| vcpu.cpu.is_some());
        let told = form.dedicated_hint.as_ref().is_none_or(|told| told.value);
        let switched = workload
            .interfaces
            .iter()
            .any(|nic| nic.vhost_user.is_some());
        Hardware {
            dedicated_hint: told && dedicated && form.acceleration == Acceleration::Kvm,
            realtime: form.realtime.as_ref().map(|priority| priority.value),
            shared_memory: form.hardware.shared_memory || switched,
            without_balloon: form.hardware.without_balloon && !fixed,
            host_devices: named.chain(chosen).collect(),
            ..form.hardware.clone()
        }
    }

    /// What the guest sees of cells that were asked for; of one, nothing. They are as far from each other as their nodes are.
    fn guest_cells(&self, workload: &Workload, placement: &Placement) -> Vec<GuestCell> {
        if workload.numa.count().is_none() || placement.cells.len() < 2 {
            return Vec::new();
        }
        let nodes: Option<Vec<u32>> = placement.cells.iter().map(|cell| cell.node).collect();
        let told = self.inputs.distances.get(&placement.host);
        let row = |cell: &infra_api::Cell| {
            let from = told?.get(&cell.node?)?;
            let far = |to: &u32| from.get(to).copied();
            nodes
                .as_ref()?
                .iter()
                .map(far)
                .collect::<Option<Vec<u32>>>()
        };
        let rows: Option<Vec<Vec<u32>>> = placement.cells.iter().map(row).collect();
        // Two cells of one node would be ten from each other, which is what each is from itself alone.
        let apart = |rows: &Vec<Vec<u32>>| {
            let own =
                |(at, row): (usize, &Vec<u32>)| row.iter().filter(|far| **far <= row[at]).count();
            rows.iter().enumerate().all(|row| own(row) == 1)
        };
        let rows = rows.filter(apart).unwrap_or_default();
        let cell = |(at, cell): (usize, &infra_api::Cell)| GuestCell {
            vcpus: cell.vcpus.iter().map(|vcpu| vcpu.id).collect(),
            memory_bytes: cell.memory_bytes,
            nodes: cell.node.map(|node| IdSet::from([node])),
            page_size_bytes: cell.page_size_bytes,
            distances: rows.get(at).cloned().unwrap_or_default(),
        };
        placement.cells.iter().enumerate().map(cell).collect()
    }

    fn whole_mebibytes(&mut self, workload: &Workload) {
        let memory = &workload.memory;
        let cells = workload.numa.cells.iter().map(|c| &c.memory_bytes);
        let sizes = [&memory.size_bytes, &memory.maximum_bytes];
        for size in cells.chain(sizes).flatten() {
            if !size.value.is_multiple_of(MIB) {
                let text = "a machine's memory is a whole number of MiB";
                self.error(size.span, "Uneven memory", text, "round it to whole MiB");
            }
        }
    }

    fn data_disk(
        &mut self,
        workload: &Workload,
        placement: &Placement,
        disk: &Disk,
    ) -> Option<MachineDisk> {
        if disk.path.is_some() || disk.remote.is_some() {
            let format = disk.storage.format.as_ref();
            let format = format.map_or(Format::Raw, |format| format.value);
            return Some(MachineDisk {
                path: disk.path.as_ref().map(|path| path.value.clone()),
                remote: disk.remote.as_ref().map(|remote| remote.value.clone()),
                format,
                ..as_declared(MachineDisk::drive(), disk)
            });
        }
        let host = &placement.host;
        let (volume, format) = match &disk.volume {
            Some(volume) => self.declared_volume(host, &volume.value, disk.span)?,
            None => {
                let part = format!("disk-{}", disk.label);
                let made = Made {
                    whole: false,
                    address: &workload.address,
                    name: self.part_name(&workload.address, &part),
                    storage: &disk.storage,
                    size: disk.size_bytes.as_ref(),
                    span: disk.span,
                };
                self.virtual_disk(host, made)?
            }
        };
        let plain = MachineDisk::new(volume, format, disk.read_only);
        Some(as_declared(plain, disk))
    }

    /// A CD-ROM drive and its medium.
    fn drive(&mut self, placement: &Placement, cdrom: &Cdrom) -> MachineDisk {
        let medium = cdrom.image.as_ref().and_then(|image| {
            let declared = self.inputs.declared.images.get(&image.value)?;
            let Source::Disk(path) = declared.source.clone() else {
                let wanted = "an image with `disk`";
                self.wrong_image(image.span, &image.value, "a drive", wanted);
                return None;
            };
            Some(self.file(&placement.host, &image.value, "disk", &path)?.0)
        });
        MachineDisk {
            volume: medium,
            path: cdrom.path.clone(),
            ..MachineDisk::drive()
        }
    }

    /// A NoCloud seed: the name, the planned addresses, and the person's own data; and what tells it from another.
    fn seed(
        &mut self,
        workload: &Workload,
        placement: &Placement,
        form: &Kvm,
        interfaces: &[MachineInterface],
    ) -> (VolumeRef, String) {
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
            vendor_data: form.vendor_data.clone(),
            network_config: Some(Text::Plain(self.network_config(workload, interfaces))),
        };
        let digest = names::digest(&[&serde_json::to_string(&what).unwrap_or_default()]);
        self.push(&placement.host, &workload.address, What::Seed(what));
        (volume, digest[..16].to_owned())
    }

    /// Ignition's configuration as a file of the pool.
    fn ignition(
        &mut self,
        workload: &Workload,
        placement: &Placement,
        form: &Kvm,
    ) -> Option<Ignition> {
        let config = form.ignition.as_ref()?.value.clone();
        let volume = VolumeRef {
            pool: self.pool(&placement.host),
            name: format!("{}.ign", self.part_name(&workload.address, "ignition")),
        };
        let what = IgnitionVolume {
            volume: volume.clone(),
            config,
        };
        let digest = names::digest(&[&serde_json::to_string(&what).unwrap_or_default()]);
        self.push(&placement.host, &workload.address, What::Ignition(what));
        Some(Ignition {
            volume,
            digest: digest[..16].to_owned(),
        })
    }

    /// Version 2 of cloud-init's network configuration: static addresses, or those that others give; the default route
    /// by the first network that leads outside.
    fn network_config(&self, workload: &Workload, interfaces: &[MachineInterface]) -> String {
        let mut text = "version: 2\nethernets:\n".to_owned();
        let mut routed = false;
        for (index, (declared, planned)) in workload.interfaces.iter().zip(interfaces).enumerate() {
            let Some(network) = self.inputs.declared.networks.get(&declared.network.value) else {
                continue;
            };
            let mac = &planned.mac;
            text += &format!(
                "  eth{index}:\n    match:\n      macaddress: \"{mac}\"\n    set-name: eth{index}\n"
            );
            let leads = !network.internal && !routed;
            routed |= leads;
            let (Some(range), Some(address)) = (&network.range, planned.address) else {
                text += "    dhcp4: true\n";
                if !leads {
                    text += "    dhcp4-overrides:\n      use-routes: false\n";
                }
                continue;
            };
            let (prefix, gateway) = (range.subnet.value.prefix_len(), range.gateway);
            text += &format!("    addresses:\n      - {address}/{prefix}\n");
            if leads {
                text += &format!("    routes:\n      - to: 0.0.0.0/0\n        via: {gateway}\n");
            }
            if network.dns.is_some() {
                let server = gateway;
                text += &format!("    nameservers:\n      addresses:\n        - {server}\n");
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

fn patches(form: &Kvm) -> Vec<XmlPatch> {
    let patches = form.patches.iter();
    patches.map(|patch| patch.value.clone()).collect()
}

fn console_log(form: &Kvm, name: &str) -> Option<String> {
    match &form.console_log {
        Some(written) if written.value == "none" => None,
        Some(written) => Some(written.value.clone()),
        None => Some(names::console_log(name)),
    }
}

/// The kinds that the firmware tries; none where devices are named.
fn boot_kinds(form: &Kvm) -> Vec<String> {
    let kinds = form.boot.value.iter().filter(|word| is_kind(word));
    kinds.cloned().collect()
}

pub(super) fn is_kind(word: &str) -> bool {
    matches!(word, "disk" | "cdrom" | "network")
}

/// A device's turn, from 1.
pub(super) fn turn(form: &Kvm, kind: &str, label: &str) -> Option<u32> {
    let named = |word: &String| match word.split_once('.') {
        Some((of, name)) => of == kind && name == label,
        None => word == kind && !is_kind(word),
    };
    let turn = form.boot.value.iter().position(named)?;
    u32::try_from(turn + 1).ok()
}

/// Whether it has a NoCloud seed. `image`: it boots a disk made from one.
fn is_seeded(form: &Kvm, image: bool) -> bool {
    let told = form.user_data.is_some() || form.vendor_data.is_some() || image;
    form.seed.unwrap_or(told && form.ignition.is_none())
}

/// A disk with all that is declared of it.
fn as_declared(plain: MachineDisk, disk: &Disk) -> MachineDisk {
    MachineDisk {
        device: DiskDevice::Disk,
        read_only: disk.read_only,
        bus: disk.bus.as_ref().map(|bus| bus.value.clone()),
        cache: disk.cache.clone(),
        io: disk.io.as_ref().map(|io| io.value.clone()),
        discard: disk.discard.clone().filter(|_| !disk.read_only),
        serial: disk.serial.clone().or_else(|| nvme_serial(disk)),
        queues: disk.queues.as_ref().map(|queues| queues.value),
        iothread: disk.iothread.as_ref().map(|thread| thread.value),
        throttle: disk.throttle,
        ..plain
    }
}

/// QEMU makes no NVMe controller without a serial number.
fn nvme_serial(disk: &Disk) -> Option<String> {
    let nvme = disk.bus.as_ref().is_some_and(|bus| bus.value == "nvme");
    nvme.then(|| disk.label.chars().take(SERIAL_LENGTH).collect())
}

/// libvirt keeps the disks of a bus together, in the order in which the buses first come up.
fn by_bus(disks: &mut [MachineDisk]) {
    let mut buses: Vec<String> = Vec::new();
    for disk in disks.iter() {
        if !buses.iter().any(|bus| bus == disk.bus()) {
            buses.push(disk.bus().to_owned());
        }
    }
    disks.sort_by_key(|disk| buses.iter().position(|bus| bus == disk.bus()));
}

/// Beside the emulator's own threads, and never on the vCPUs'.
fn iothread_pins(threads: u32, placement: &Placement) -> BTreeMap<u32, IdSet> {
    let cpus = placement.helpers.get("emulator");
    let pins = (1..=threads).filter_map(|thread| Some((thread, cpus?.clone())));
    pins.collect()
}

/// What it may be given while it runs.
fn most_memory(workload: &Workload, size: u64) -> u64 {
    let maximum = workload.memory.maximum_bytes.as_ref();
    maximum.map_or(size, |maximum| maximum.value.max(size))
}

fn page_size(placement: &Placement) -> Option<u64> {
    placement.cells.iter().find_map(|cell| cell.page_size_bytes)
}

/// Each vCPU on its own CPU, or all on the shared ones.
fn pins(placement: &Placement) -> BTreeMap<u32, IdSet> {
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
