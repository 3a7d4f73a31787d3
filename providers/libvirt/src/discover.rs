//! What a libvirt daemon knows of its host. It says what libvirt offers; whether KVM works is found elsewhere.

use std::net::IpAddr;
use std::thread::scope;

use infra_api::facts::{Devices, Facts, Libvirt, LibvirtNetwork, Pool, Used, UsedPages};
use infra_api::{Failure, IdSet, Remedy};
use ipnet::IpNet;
use roxmltree::Node;
use virt::connect::Connect;

use crate::failure::Doing;
use crate::link::Link;
use crate::seen::Sight;
use crate::side::joined;
use crate::text::domain::board::FAMILY;
use crate::text::domain_read::Found;
use crate::text::xml::{all, attr, find, parse, text};
use crate::text::{self, mark};
use crate::{network, pool};

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

/// What it can do, and beside that what it has.
pub(crate) fn discover(link: &Link, uri: &str) -> Result<(Discovered, Sight), Failure> {
    if uri.contains("+tls://") {
        let doing = || asking(uri);
        here(&link.hostname().doing(doing)?, doing)?;
    }
    scope(|scope| {
        let can = scope.spawn(|| Can::ask(link, uri));
        let has = Sight::look(link)?;
        let Can {
            offers,
            devices,
            libvirt_version,
            qemu_version,
        } = joined(can)?;
        let libvirt = Libvirt {
            uri: uri.to_owned(),
            devices,
            pools: has.pools.iter().map(facts_of).collect(),
            networks: networks(&has.networks)?,
            ..offers
        };
        let held = has.domains.iter().filter_map(|(_, domain)| domain.holds());
        let discovered = Discovered {
            libvirt,
            libvirt_version,
            qemu_version,
            used: held.map(use_of).collect(),
        };
        Ok((discovered, has))
    })
}

fn asking(uri: &str) -> String {
    format!("asking libvirt at {uri} what it has")
}

/// What a daemon can do.
struct Can {
    offers: Libvirt,
    devices: Devices,
    libvirt_version: String,
    qemu_version: Option<String>,
}

impl Can {
    /// Capabilities are asked for once: a daemon that cannot cache them takes 10 s and more for each answer.
    fn ask(connection: &Connect, uri: &str) -> Result<Self, Failure> {
        let doing = || asking(uri);
        let capabilities = connection.capabilities().doing(doing)?;
        Ok(Self {
            offers: parse(&capabilities, |root| Some(offers(root))).doing(doing)?,
            devices: devices(connection),
            libvirt_version: version(connection.lib_version().doing(doing)?),
            // A daemon without QEMU still answers for the rest.
            qemu_version: connection.hyp_version().ok().map(version),
        })
    }
}

/// What is planned from this machine's CPUs and memory would be carried out on another's.
fn here(name: &str, doing: impl Fn() -> String) -> Result<(), Failure> {
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let short = |name: &str| name.trim().split('.').next().map(str::to_owned);
    match short(name) == short(&own) {
        true => Ok(()),
        false => Err(Failure::new(
            Remedy::Operator,
            doing(),
            format!("it runs on another machine, `{name}`"),
        )
        .hint("this version of infra manages the machine it runs on: run it there")),
    }
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
        cpu: find(root, "host/cpu").and_then(cpu),
        ..Libvirt::default()
    }
}

/// The nearest model that libvirt knows, and what the host has beside it.
fn cpu(node: Node) -> Option<String> {
    let model = text(node, "model")?;
    let mut features: Vec<&str> = all(node, "feature")
        .filter_map(|feature| feature.attribute("name"))
        .collect();
    features.sort_unstable();
    let features = features.iter().map(|name| format!("+{name}"));
    Some(format!("{model}{}", features.collect::<String>()))
}

/// What machines can be built of; nothing where the daemon does not tell (its mock does not).
fn devices(connection: &Connect) -> Devices {
    let told = connection.domain_capabilities(None, None, Some(FAMILY), None, 0);
    let told = told
        .ok()
        .and_then(|xml| parse(&xml, |root| Some(devices_of(root))).ok());
    told.unwrap_or_default()
}

fn devices_of(root: Node) -> Devices {
    // An element that is there and empty says that there is none; one that is not says nothing.
    let words = |place: &str, name: &str| {
        let node = find(root, place)?;
        if node.attribute("supported") == Some("no") {
            return Some(Vec::new());
        }
        let list = all(node, "enum").find(|e| e.attribute("name") == Some(name))?;
        let words = all(list, "value").filter_map(|v| v.text().map(str::to_owned));
        Some(words.collect::<Vec<String>>())
    };
    let secure = words("os/loader", "secure");
    Devices {
        firmware: words("os", "firmware"),
        secure_boot: secure.map(|words| words.iter().any(|word| word == "yes")),
        tpm: words("devices/tpm", "backendModel"),
        graphics: words("devices/graphics", "type"),
        video: words("devices/video", "modelType"),
        filesystems: words("devices/filesystem", "driverType"),
    }
}

/// The room in a pool that is not started is not known.
fn facts_of(seen: &pool::Seen) -> Pool {
    let text::pool::Found {
        pool, kind, room, ..
    } = &seen.found;
    let room = room.filter(|_| seen.active);
    Pool {
        name: pool.name.clone(),
        kind: kind.clone(),
        active: Some(seen.active),
        path: Some(pool.path.clone()).filter(|path| !path.is_empty()),
        capacity_bytes: room.map(|room| room.capacity_bytes),
        free_bytes: room.map(|room| room.free_bytes),
    }
}

/// Networks with subnets. One that is not started may be at any time.
fn networks(seen: &[(String, network::Seen)]) -> Result<Vec<LibvirtNetwork>, Failure> {
    let described = seen.iter().map(|(_, seen)| parse(&seen.live, network_of));
    let described: Result<Vec<_>, _> = described.collect();
    let mut networks = described.doing(|| "reading the networks".into())?;
    networks.retain(|network| !network.subnets.is_empty());
    networks.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(networks)
}

fn network_of(root: Node) -> Option<LibvirtNetwork> {
    Some(LibvirtNetwork {
        name: text(root, "name")?,
        project: mark::read(root).map(|stamp| stamp.mark.project.to_string()),
        bridge: attr(root, "bridge", "name"),
        subnets: all(root, "ip").filter_map(subnet).collect(),
    })
}

/// Of an `<ip>`, which has a prefix or a netmask; with neither libvirt takes the class of the address, as ever.
fn subnet(ip: Node) -> Option<String> {
    let address: IpAddr = ip.attribute("address")?.parse().ok()?;
    let prefix = match (ip.attribute("prefix"), ip.attribute("netmask")) {
        (Some(prefix), _) => prefix.parse().ok()?,
        (None, Some(mask)) => ipnet::ip_mask_to_prefix(mask.parse().ok()?).ok()?,
        (None, None) => class(address),
    };
    Some(IpNet::new(address, prefix).ok()?.trunc().to_string())
}

/// The prefix an address had before there were any.
fn class(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(v4) if v4.octets()[0] < 128 => 8,
        IpAddr::V4(v4) if v4.octets()[0] < 192 => 16,
        IpAddr::V4(_) => 24,
        IpAddr::V6(_) => 64,
    }
}

/// libvirt does not tell whether a pinned CPU is meant for one machine alone, so all are given as shared.
fn use_of(found: &Found) -> Used {
    let Found {
        stamp,
        machine,
        host_devices,
        ports: _,
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
    let one = |nodes: &IdSet| nodes.first().filter(|_| nodes.len() == 1);
    let held = machine.balloon_bytes.unwrap_or(machine.memory_bytes);
    let pages = machine.huge_pages().into_iter();
    let pages = pages.filter(|(_, size, _)| *size > 0);
    let hugepages: Vec<UsedPages> = pages
        .map(|(nodes, size_bytes, bytes)| UsedPages {
            node: nodes.and_then(one),
            size_bytes,
            count: bytes.div_ceil(size_bytes),
        })
        .collect();
    let in_pages = hugepages
        .iter()
        .map(|p| p.count.saturating_mul(p.size_bytes));
    let ordinary = held.saturating_sub(in_pages.fold(0, u64::saturating_add));
    // Only a strict binding is one.
    let bound = machine.memory_mode.is_none();
    Used {
        owner,
        project,
        shared_cpus,
        memory_bytes: (hugepages.is_empty() || ordinary > 0).then_some(ordinary),
        memory_nodes: machine.memory_nodes.clone().filter(|_| bound),
        hugepages,
        vfs: host_devices.clone(),
        ..Used::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_is_not_this_one() {
        let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let doing = || "asking".to_owned();
        assert!(here(own.trim(), doing).is_ok());
        assert!(here(&format!("{}.example", own.trim()), doing).is_ok());
        let failure = here("another-machine", doing).unwrap_err();
        assert!(failure.cause.contains("another-machine"));
    }

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

    #[test]
    fn a_networks_subnets() {
        let xml = "<network><name>demo.lan</name>
            <metadata><m:mark xmlns:m='urn:infra:mark:1' project='demo' address='network.lan'/></metadata>
            <bridge name='br-1' stp='on'/>
            <ip address='192.168.122.1' netmask='255.255.255.0'><dhcp/></ip>
            <ip address='10.1.2.3' prefix='20'/>
            <ip address='10.0.0.1'/>
            <ip family='ipv6' address='fd00::1' prefix='64'/></network>";
        let found = parse(xml, network_of).unwrap();
        assert_eq!(
            (found.project.as_deref(), found.bridge.as_deref()),
            (Some("demo"), Some("br-1"))
        );
        assert_eq!(
            found.subnets,
            ["192.168.122.0/24", "10.1.0.0/20", "10.0.0.0/8", "fd00::/64"]
        );
    }

    #[test]
    fn the_mocks_network_is_found() {
        let connection = Connect::open(Some("test:///default")).unwrap();
        let (seen, _) = network::look(&connection).unwrap();
        let found = networks(&seen).unwrap();
        let default = LibvirtNetwork {
            name: "default".into(),
            project: None,
            bridge: Some("virbr0".into()),
            subnets: vec!["192.168.122.0/24".into()],
        };
        assert_eq!(found, [default]);
    }
}
