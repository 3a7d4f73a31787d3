//! What a libvirt daemon knows of its host. It says what libvirt offers; whether KVM works is found elsewhere.

use infra_api::Failure;
use infra_api::facts::{Facts, Libvirt, Pool, Used, UsedPages};
use roxmltree::Node;
use virt::connect::Connect;
use virt::storage_pool::StoragePool;

use crate::failure::{Doing, each};
use crate::text::domain_read::Found;
use crate::text::xml::{all, parse, text};
use crate::{domain, pool};

/// What this daemon adds to the facts of its host.
pub(crate) struct Discovered {
    libvirt: Libvirt,
    libvirt_version: String,
    qemu_version: Option<String>,
    used: Vec<Used>,
}

impl Discovered {
    pub(crate) fn add_to(self, facts: &mut Facts) {
        facts.versions.libvirt = Some(self.libvirt_version);
        facts.versions.qemu = self.qemu_version;
        facts.libvirt = Some(self.libvirt);
        facts.used.extend(self.used);
        facts.used.sort_by(|a, b| a.owner.cmp(&b.owner));
    }
}

/// Capabilities are asked for once: a daemon that cannot cache them takes 10 s and more for each answer.
pub(crate) fn discover(connection: &Connect, uri: &str) -> Result<Discovered, Failure> {
    let doing = || format!("asking libvirt at {uri} what it has");
    let capabilities = connection.capabilities().doing(doing)?;
    let offers = parse(&capabilities, |root| Some(offers(root))).doing(doing)?;
    let pools = each(pool::all(connection)?, |pool| facts_of(pool).map(Some))?;
    Ok(Discovered {
        libvirt: Libvirt {
            uri: uri.to_owned(),
            pools,
            ..offers
        },
        libvirt_version: version(connection.lib_version().doing(doing)?),
        // A daemon without QEMU still answers for the rest.
        qemu_version: connection.hyp_version().ok().map(version),
        used: used(connection)?,
    })
}

/// libvirt writes 9.0.0 as 9000000.
fn version(number: u32) -> String {
    format!(
        "{}.{}.{}",
        number / 1_000_000,
        number / 1000 % 1000,
        number % 1000
    )
}

/// Of the host's own architecture alone.
fn offers(root: Node) -> Libvirt {
    let native = text(root, "host/cpu/arch");
    let arch = all(root, "guest")
        .filter_map(|guest| all(guest, "arch").next())
        .find(|arch| arch.attribute("name").map(str::to_owned) == native);
    let Some(arch) = arch else {
        return Libvirt::default();
    };
    let domain =
        |kind| Some(all(arch, "domain").any(|domain| domain.attribute("type") == Some(kind)));
    let mut machines: Vec<String> = all(arch, "machine")
        .filter_map(|m| m.text().map(str::to_owned))
        .collect();
    machines.sort();
    machines.dedup();
    Libvirt {
        kvm: domain("kvm"),
        emulated: domain("qemu"),
        emulator: text(arch, "emulator"),
        machines,
        ..Libvirt::default()
    }
}

fn facts_of(pool: &StoragePool) -> Result<Pool, Failure> {
    let found = pool::describe(pool)?;
    let doing = || format!("reading the storage pool `{}`", found.pool.name);
    let active = pool.is_active().doing(doing)?;
    let info = if active {
        Some(pool.info().doing(doing)?)
    } else {
        None
    };
    Ok(Pool {
        name: found.pool.name.clone(),
        kind: found.kind.clone(),
        active: Some(active),
        path: Some(found.pool.path.clone()).filter(|path| !path.is_empty()),
        capacity_bytes: info.as_ref().map(|info| info.capacity),
        free_bytes: info.as_ref().map(|info| info.available),
    })
}

/// Machines that run, or will when the host starts.
fn used(connection: &Connect) -> Result<Vec<Used>, Failure> {
    let (pools, domains) = (pool::paths(connection)?, connection.list_all_domains(0));
    let doing = || "listing the domains".to_owned();
    each(domains.doing(doing)?, |domain| {
        let holds = domain.is_active().doing(doing)? || domain.autostart().doing(doing)?;
        // A definition beyond understanding takes nothing that could be named.
        Ok(holds
            .then(|| domain::live(domain, &pools).ok())
            .flatten()
            .map(use_of))
    })
}

/// libvirt does not tell whether a pinned CPU is meant for one machine alone, so all are given as shared.
fn use_of(found: Found) -> Used {
    let Found {
        stamp,
        machine,
        host_devices,
    } = found;
    let (owner, project) = match stamp {
        Some(stamp) => (
            stamp.mark.address.to_string(),
            Some(stamp.mark.project.to_string()),
        ),
        None => (format!("libvirt:{}", machine.name), None),
    };
    let pins = machine.vcpu_pins.values().chain(&machine.emulator_pin);
    let shared_cpus = pins.fold(Default::default(), |all, cpus| &all | cpus);
    let node = machine
        .memory_nodes
        .as_ref()
        .filter(|nodes| nodes.len() == 1)
        .and_then(|nodes| nodes.first());
    let pages = machine.page_size_bytes.filter(|size| *size > 0);
    Used {
        owner,
        project,
        shared_cpus,
        memory_bytes: pages.is_none().then_some(machine.memory_bytes),
        memory_nodes: machine.memory_nodes.clone(),
        hugepages: pages
            .map(|size_bytes| UsedPages {
                node,
                size_bytes,
                count: machine.memory_bytes.div_ceil(size_bytes),
            })
            .into_iter()
            .collect(),
        vfs: host_devices,
        ..Used::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(version(9_000_000), "9.0.0");
        assert_eq!(version(7_002_022), "7.2.22");
    }

    #[test]
    fn only_the_hosts_own_architecture_counts() {
        let xml = "<capabilities><host><cpu><arch>x86_64</arch></cpu></host>
            <guest><arch name='i686'><emulator>/no</emulator><domain type='kvm'/></arch></guest>
            <guest><arch name='x86_64'><emulator>/usr/bin/qemu-system-x86_64</emulator>
              <machine>q35</machine><machine>pc</machine><machine>q35</machine><domain type='qemu'/></arch></guest>
            </capabilities>";
        let libvirt = parse(xml, |root| Some(offers(root))).unwrap();
        assert_eq!((libvirt.kvm, libvirt.emulated), (Some(false), Some(true)));
        assert_eq!(
            libvirt.emulator.as_deref(),
            Some("/usr/bin/qemu-system-x86_64")
        );
        assert_eq!(libvirt.machines, ["pc", "q35"]);
    }
}
