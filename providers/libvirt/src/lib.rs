//! Virtual machines, volumes, pools and networks on libvirt: what their bodies are, and what changing them
//! takes. The effects are in [`daemon`]; this file touches nothing.

mod console;
mod daemon;
mod discover;
mod domain;
mod failure;
mod fill;
#[doc(hidden)]
pub mod fuzzing;
mod grow;
mod guard;
mod link;
mod load;
mod migrate;
mod network;
mod plug;
mod pool;
mod raw;
mod ready;
mod seen;
mod settle;
mod side;
mod spot;
mod stays;
mod survey;
mod text;
mod transfer;
mod volume;
mod way;
mod wire;

use std::path::PathBuf;
use std::time::Duration;

use infra_api::target::{Boot, Machine, Original, VolumeRef};
use infra_api::{
    Daemon, Edit, Failure, HostName, Impact, Mark, Objection, Pending, Project, Provider, Resource,
    ResourceId, Target, What,
};
use serde::Serialize;
use serde_json::Value;

pub(crate) const NAME: &str = "libvirt";

/// The daemon of this machine.
pub(crate) const USUAL: &str = "qemu:///system";

/// The provider.
#[derive(Debug, Clone, Copy)]
pub struct Libvirt {
    /// How long a guest that was asked to shut down is waited for, before its power is taken.
    pub patience: Duration,
}

impl Default for Libvirt {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(30),
        }
    }
}

impl Provider for Libvirt {
    fn name(&self) -> &'static str {
        NAME
    }

    /// Why it cannot be loaded is said by whoever needs it.
    fn warm_up(&self, endpoint: Option<&str>) {
        if wire::is_anybody_there(endpoint.unwrap_or(USUAL)) {
            std::thread::spawn(|| load::load().is_ok());
        }
    }

    fn resources(&self, _: &Project, target: &Target) -> Vec<Resource> {
        let Target {
            host,
            address: _,
            what,
        } = target;
        let one = |kind, name: &str, body| vec![resource(target, kind, name, body)];
        let volume =
            |volume: &VolumeRef, body, needs: Option<&VolumeRef>, source: Option<&PathBuf>| {
                let mut resource = resource(target, "volume", &path(volume), body);
                resource
                    .after
                    .push(ResourceId::new(host, NAME, "pool", &volume.pool));
                resource.after.extend(
                    needs.map(|volume| ResourceId::new(host, NAME, "volume", &path(volume))),
                );
                resource.source = source.cloned();
                vec![resource]
            };
        match what {
            What::Pool(pool) => one("pool", &pool.name, json(pool)),
            What::File(file, source) => volume(&file.volume, json(file), None, Some(source)),
            What::Disk(disk, source) => {
                let original = match &disk.copy_of {
                    Some(Original::Volume(original)) => Some(original),
                    _ => disk.backing.as_ref(),
                };
                volume(&disk.volume, json(disk), original, source.as_ref())
            }
            What::Seed(seed) => volume(&seed.volume, json(seed), None, None),
            What::Ignition(ignition) => volume(&ignition.volume, json(ignition), None, None),
            What::MachineNetwork(network) => one("network", &network.name, json(network)),
            What::Machine(machine) => {
                let after = needs(host, machine);
                vec![Resource {
                    after,
                    ..resource(target, "domain", &machine.name, json(machine))
                }]
            }
            _ => Vec::new(),
        }
    }

    fn objections(&self, project: &Project, target: &Target) -> Vec<Objection> {
        let What::Machine(machine) = &target.what else {
            return Vec::new();
        };
        if machine.patches.is_empty() {
            return Vec::new();
        }
        let mark = Mark {
            project: project.clone(),
            address: target.address.clone(),
        };
        let against = text::domain::patched::objections(machine, &mark).into_iter();
        let against = against.map(|(place, why)| Objection {
            path: vec!["patches".to_owned(), place.to_string()],
            why,
        });
        against.collect()
    }

    /// As measured on libvirt 9.0 with QEMU 7.2. A network's subnet, pool's path or volume's content cannot
    /// change under what uses it. A firmware's variables belong to it: with another one a machine begins anew.
    fn impact(&self, kind: &str, path: &[String], _: bool) -> Impact {
        match (kind, path.first().map(String::as_str)) {
            ("domain", Some("state" | "autostart" | "next_start")) => Impact::InPlace,
            ("domain", Some("name" | "uuid")) => Impact::Replace,
            ("domain", _) => Impact::Restart,
            ("network", Some("own")) => match path.get(1).map(String::as_str) {
                Some("dhcp") => Impact::InPlace,
                Some("dns") if path.len() > 2 => Impact::InPlace,
                Some("dns" | "internal" | "routed") => Impact::Restart,
                _ => Impact::Replace,
            },
            ("volume", Some("capacity_bytes")) => Impact::InPlace,
            // What is read when a machine starts: that is planned by itself.
            (
                "volume",
                Some("meta_data" | "user_data" | "vendor_data" | "network_config" | "config"),
            ) => Impact::InPlace,
            _ => Impact::Replace,
        }
    }

    fn impact_of(&self, kind: &str, edit: &Edit<'_>) -> Impact {
        if kind == "network" {
            return network::change::impact(edit.path, edit.before, edit.after);
        }
        match self.impact(kind, edit.path, edit.removed) {
            Impact::Restart if firmware(edit) => Impact::Replace,
            Impact::Restart => way::impact(edit.path, edit.before, edit.after),
            certain => certain,
        }
    }

    /// A pool would go with its definition, a volume with its data: neither was ever ours to lose.
    fn keeps_imported(&self, kind: &str) -> bool {
        matches!(kind, "pool" | "volume")
    }

    /// A domain has two definitions while it runs.
    fn prepared(&self, kind: &str, before: &Value, after: &Value) -> Option<Value> {
        let machine = serde_json::from_value::<Machine>(after.clone())
            .ok()
            .filter(|_| kind == "domain")?;
        let mut prepared = before.clone();
        let next = text::domain::fingerprint(&machine);
        prepared
            .as_object_mut()?
            .insert("next_start".to_owned(), next.into());
        Some(prepared)
    }

    fn stays_because(&self, kind: &str, before: &Value, after: &Value) -> Vec<String> {
        match kind {
            "domain" => stays::because(before, after),
            _ => vec!["it does not run".to_owned()],
        }
    }

    fn connect<'a>(
        &'a self,
        host: &'a HostName,
        endpoint: &'a str,
    ) -> Pending<'a, Result<Box<dyn Daemon>, Failure>> {
        Box::pin(async move {
            let daemon = daemon::Libvirtd::connect(host, endpoint, self.patience).await?;
            Ok(Box::new(daemon) as Box<dyn Daemon>)
        })
    }
}

/// Whether it is another firmware, alone or with all the hardware.
fn firmware(edit: &Edit<'_>) -> bool {
    let covers = match edit.path {
        [all] => all == "hardware",
        [all, part, ..] => all == "hardware" && part == "firmware",
        [] => false,
    };
    let of = |body: &Value| body["hardware"]["firmware"].clone();
    covers && of(edit.before) != of(edit.after)
}

fn resource(target: &Target, kind: &str, name: &str, body: Value) -> Resource {
    Resource {
        id: ResourceId::new(&target.host, NAME, kind, name),
        address: target.address.clone(),
        body: body.into(),
        source: None,
        after: Vec::new(),
    }
}

/// The bodies are plain structs with text for keys: there is none that cannot be JSON.
fn json(body: &impl Serialize) -> Value {
    serde_json::to_value(body).unwrap_or_default()
}

/// A volume's name in an id.
fn path(volume: &VolumeRef) -> String {
    format!("{}/{}", volume.pool, volume.name)
}

/// What must be there before a machine: its volumes, its seed, its networks. Each once, in order.
fn needs(host: &HostName, machine: &Machine) -> Vec<ResourceId> {
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
    let networks = machine
        .interfaces
        .iter()
        .map(|interface| &interface.network);
    let mut needs: Vec<ResourceId> = volumes
        .map(|volume| ResourceId::new(host, NAME, "volume", &path(volume)))
        .chain(networks.map(|network| ResourceId::new(host, NAME, "network", network)))
        .collect();
    needs.sort();
    needs.dedup();
    needs
}

#[cfg(test)]
mod tests {
    use super::*;
    use infra_api::Address;
    use infra_api::target::{Allocation, DiskVolume, Format, Pool};
    use serde_json::json;

    fn target(what: What) -> Target {
        Target {
            host: HostName::new("r1"),
            address: Address::new("workload.a"),
            what,
        }
    }

    fn volume(name: &str) -> VolumeRef {
        VolumeRef {
            pool: "demo".into(),
            name: name.into(),
        }
    }

    fn ids(ids: &[ResourceId]) -> Vec<String> {
        ids.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_volume_comes_after_its_pool_and_its_backing() {
        let (backing, backing_format) = (Some(volume("base")), Some(Format::Qcow2));
        let (format, capacity_bytes) = (Format::Qcow2, 1 << 30);
        let disk = DiskVolume {
            volume: volume("data"),
            format,
            capacity_bytes,
            backing,
            backing_format,
            allocation: Allocation::Sparse,
            copy_of: None,
        };
        let project = Project::new("demo");
        let [made] =
            &Libvirt::default().resources(&project, &target(What::Disk(disk.clone(), None)))[..]
        else {
            panic!("one resource");
        };
        assert_eq!(made.id.to_string(), "r1/libvirt/volume/demo/data");
        assert_eq!(
            ids(&made.after),
            ["r1/libvirt/pool/demo", "r1/libvirt/volume/demo/base"]
        );
        let copy = DiskVolume {
            backing: None,
            backing_format: None,
            copy_of: Some(Original::Volume(volume("first"))),
            ..disk
        };
        let made = Libvirt::default().resources(&project, &target(What::Disk(copy, None)));
        assert_eq!(
            ids(&made[0].after),
            ["r1/libvirt/pool/demo", "r1/libvirt/volume/demo/first"]
        );
    }

    #[test]
    fn what_is_anothers_is_ignored() {
        let volume = infra_api::target::ContainerVolume {
            name: "x".into(),
            ..Default::default()
        };
        let what = target(What::ContainerVolume(volume));
        assert_eq!(
            Libvirt::default().resources(&Project::new("demo"), &what),
            []
        );
        let pool = What::Pool(Pool {
            name: "demo".into(),
            path: "/x".into(),
            volume_group: None,
        });
        assert_eq!(
            Libvirt::default()
                .resources(&Project::new("demo"), &target(pool))
                .len(),
            1
        );
    }

    #[test]
    fn impacts() {
        let impact = |kind, path: &str, removed| {
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            Libvirt::default().impact(kind, &path, removed)
        };
        assert_eq!(impact("domain", "autostart", false), Impact::InPlace);
        assert_eq!(impact("domain", "memory_bytes", false), Impact::Restart);
        assert_eq!(impact("domain", "uuid", false), Impact::Replace);
        let (before, after) = (
            json!({"hardware": {"title": "a"}}),
            json!({"hardware": {"title": "b", "firmware": {"secure_boot": true}}}),
        );
        let weigh = |path: &[&str]| {
            let path: Vec<String> = path.iter().map(|&key| key.to_owned()).collect();
            let edit = Edit {
                path: &path,
                removed: false,
                before: &before,
                after: &after,
            };
            Libvirt::default().impact_of("domain", &edit)
        };
        assert_eq!(weigh(&["hardware"]), Impact::Replace);
        assert_eq!(weigh(&["hardware", "firmware"]), Impact::Replace);
        assert_eq!(weigh(&["hardware", "title"]), Impact::Restart);
        assert_eq!(impact("volume", "capacity_bytes", false), Impact::InPlace);
        assert_eq!(impact("volume", "user_data", false), Impact::InPlace);
        assert_eq!(impact("volume", "sha256", false), Impact::Replace);
        assert_eq!(impact("network", "own.subnet", false), Impact::Replace);
        assert_eq!(impact("network", "own.dhcp", true), Impact::InPlace);
        assert_eq!(impact("network", "own.dns", false), Impact::Restart);
        assert_eq!(impact("network", "own.dns.txt.a", true), Impact::InPlace);
        assert_eq!(impact("network", "own", true), Impact::Replace);
    }
}
