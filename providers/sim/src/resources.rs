//! Targets to resources, by the same words and in the same order as the real providers. Pure.

use infra_api::target::{Boot, Container, ImageSource, Machine, Mount, Original, VolumeRef};
use infra_api::{Resource, ResourceId, Target, What};
use serde::Serialize;
use serde_json::Value;

/// The resource of a target, where the provider called `name` makes it.
pub(crate) fn of(name: &str, target: &Target) -> Option<Resource> {
    const REAL: [&str; 5] = ["docker", "libvirt", "systemd", "kernel", "software"];
    let all = !REAL.contains(&name);
    let [containers, machines, units, settings, software] =
        REAL.map(|provider| all || name == provider);
    let maker = Maker {
        name,
        target,
        both: containers && machines,
    };
    match &target.what {
        What::Unit(unit, after) => units.then(|| Resource {
            after: after.clone(),
            ..maker.resource("unit", &unit.name, unit)
        }),
        What::Slice(slice) => units.then(|| maker.resource("slice", &slice.name, slice)),
        What::HostMount(mount) => units.then(|| maker.resource("mount", &mount.name, mount)),
        What::UnpackedFiles(files, archive) => software.then(|| Resource {
            source: Some(archive.clone()),
            ..maker.resource("files", &files.name, files)
        }),
        What::Package(package) => {
            software.then(|| maker.resource("package", &package.name, package))
        }
        What::KernelSetting(setting) => settings.then(|| {
            let file = setting.file.trim_start_matches('/');
            maker.resource("setting", file, setting)
        }),
        What::ContainerImage(..)
        | What::ContainerNetwork(_)
        | What::ContainerVolume(_)
        | What::Container(_) => containers.then(|| maker.container_part()).flatten(),
        What::Pool(_)
        | What::File(..)
        | What::Disk(..)
        | What::Seed(_)
        | What::Ignition(_)
        | What::MachineNetwork(_)
        | What::Machine(_) => machines.then(|| maker.machine_part()).flatten(),
    }
}

struct Maker<'a> {
    name: &'a str,
    target: &'a Target,
    /// Containers' and machines' networks and volumes are told apart by their kind.
    both: bool,
}

impl Maker<'_> {
    fn container_part(&self) -> Option<Resource> {
        Some(match &self.target.what {
            What::ContainerImage(image, source) => {
                let mut resource = self.resource("image", &image.reference, image);
                if let ImageSource::Archive(path) = source {
                    resource.source = Some(path.clone());
                }
                resource
            }
            What::ContainerNetwork(network) => self.resource("network", &network.name, network),
            What::ContainerVolume(volume) => self.resource("volume", &volume.name, volume),
            What::Container(container) => {
                let after = self.container_needs(container);
                Resource {
                    after,
                    ..self.resource("container", &container.name, container)
                }
            }
            _ => return None,
        })
    }

    fn machine_part(&self) -> Option<Resource> {
        Some(match &self.target.what {
            What::Pool(pool) => self.resource("pool", &pool.name, pool),
            What::File(file, source) => Resource {
                source: Some(source.clone()),
                ..self.volume(&file.volume, file, None)
            },
            What::Disk(disk, source) => {
                let original = match &disk.copy_of {
                    Some(Original::Volume(original)) => Some(original),
                    _ => disk.backing.as_ref(),
                };
                Resource {
                    source: source.clone(),
                    ..self.volume(&disk.volume, disk, original)
                }
            }
            What::Seed(seed) => self.volume(&seed.volume, seed, None),
            What::Ignition(ignition) => self.volume(&ignition.volume, ignition, None),
            What::MachineNetwork(network) => {
                self.resource(self.machine_kind("network"), &network.name, network)
            }
            What::Machine(machine) => {
                let after = self.machine_needs(machine);
                Resource {
                    after,
                    ..self.resource("domain", &machine.name, machine)
                }
            }
            _ => return None,
        })
    }

    fn resource(&self, kind: &str, name: &str, body: &impl Serialize) -> Resource {
        Resource {
            id: self.id(kind, name),
            address: self.target.address.clone(),
            // Plain structs with text for keys: there is none that cannot be JSON.
            body: serde_json::to_value(body).unwrap_or(Value::Null).into(),
            source: None,
            after: Vec::new(),
        }
    }

    fn volume(
        &self,
        volume: &VolumeRef,
        body: &impl Serialize,
        backing: Option<&VolumeRef>,
    ) -> Resource {
        let mut after = vec![self.id("pool", &volume.pool)];
        after.extend(backing.map(|backing| self.volume_id(backing)));
        Resource {
            after,
            ..self.resource(self.machine_kind("volume"), &path(volume), body)
        }
    }

    fn container_needs(&self, container: &Container) -> Vec<ResourceId> {
        let volumes = container.mounts.values().filter_map(|mount| match mount {
            Mount::Volume { source, .. } => Some(self.id("volume", source)),
            Mount::Bind { .. } | Mount::Tmpfs { .. } => None,
        });
        let networks = container
            .networks
            .keys()
            .map(|network| self.id("network", network));
        sorted(
            volumes
                .chain(networks)
                .chain([self.id("image", &container.image)]),
        )
    }

    fn machine_needs(&self, machine: &Machine) -> Vec<ResourceId> {
        let boot: Vec<&VolumeRef> = match &machine.boot {
            Boot::Disk => Vec::new(),
            Boot::Kernel {
                kernel, initramfs, ..
            } => std::iter::once(kernel).chain(initramfs).collect(),
        };
        let volumes = boot
            .into_iter()
            .chain(machine.disks.iter().filter_map(|disk| disk.volume.as_ref()))
            .chain(&machine.seed)
            .chain(machine.ignition.as_ref().map(|ignition| &ignition.volume));
        let networks = machine.interfaces.iter();
        let networks =
            networks.map(|interface| self.id(self.machine_kind("network"), &interface.network));
        sorted(volumes.map(|volume| self.volume_id(volume)).chain(networks))
    }

    fn id(&self, kind: &str, name: &str) -> ResourceId {
        ResourceId::new(&self.target.host, self.name, kind, name)
    }

    fn volume_id(&self, volume: &VolumeRef) -> ResourceId {
        self.id(self.machine_kind("volume"), &path(volume))
    }

    fn machine_kind(&self, kind: &'static str) -> &'static str {
        match kind {
            "network" if self.both => "machine_network",
            "volume" if self.both => "machine_volume",
            kind => kind,
        }
    }
}

fn path(volume: &VolumeRef) -> String {
    format!("{}/{}", volume.pool, volume.name)
}

fn sorted(ids: impl Iterator<Item = ResourceId>) -> Vec<ResourceId> {
    let mut ids: Vec<ResourceId> = ids.collect();
    ids.sort();
    ids.dedup();
    ids
}
