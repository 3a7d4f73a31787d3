//! One host as it was found: plain data, published as JSON Schema.
//!
//! What is unknown is null, never 0 and never an empty guess. CPUs and nodes are named by the
//! kernel's ids, which have gaps: records carry their id and stand in its order, and nothing is
//! ever indexed by one. Sizes are in bytes, pages in pages. Nothing here reads a host or decides
//! anything.

mod block;
mod contradictions;
mod cpus;
mod daemons;
mod kernel;
mod memory;
mod pci;
mod used;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::block::BlockDevice;
pub use self::contradictions::Contradiction;
pub use self::cpus::{Cpu, CpuKind, Cpus, L3};
pub use self::daemons::{Devices, Docker, DockerNetwork, Libvirt, LibvirtNetwork, Pool};
pub use self::kernel::{Cgroup, CgroupVersion, Kernel, KernelParameter, Ksm, Thp};
pub use self::memory::{HugePages, HugetlbfsMount, MemoryKind, Node, NodeKind};
pub use self::pci::{IommuGroup, Link, NetInterface, PciDevice, Sriov};
pub use self::used::{HostPort, Protocol, Used, UsedPages};
use crate::cpuset::IdSet;

/// The version of this shape. A reader takes every version of its own major number.
pub const FORMAT_VERSION: &str = "1.4";

/// One host as it was found. Absent is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Facts {
    /// Version of this document's shape, `MAJOR.MINOR`. A larger minor number only adds fields.
    pub format_version: String,
    /// The host's own name for itself.
    #[serde(default)]
    pub hostname: Option<String>,
    /// The kernel that runs.
    #[serde(default)]
    pub kernel: Kernel,
    /// CPUs: which there are and how they hang together. A CPU is what the kernel schedules on,
    /// one hardware thread.
    pub cpus: Cpus,
    /// Groups of CPUs that share a last-level (L3) cache, in the order of their ids. Empty where
    /// the machine has none or does not tell.
    #[serde(default)]
    pub l3: Vec<L3>,
    /// NUMA nodes in the order of their ids. A machine without NUMA is one node.
    #[serde(default)]
    pub nodes: Vec<Node>,
    /// NUMA nodes whose memory may be used under the cgroup this was read in. Null is unknown.
    #[serde(default)]
    pub allowed_nodes: Option<IdSet>,
    /// Memory the kernel manages, in bytes (`MemTotal`). Memory in huge pages is part of it.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// Memory that could be had without swapping when this was read, in bytes (`MemAvailable`).
    #[serde(default)]
    pub memory_available_bytes: Option<u64>,
    /// Size of an ordinary page, in bytes.
    #[serde(default)]
    pub page_bytes: Option<u64>,
    /// Size of the huge page that is meant where none is named, in bytes.
    #[serde(default)]
    pub default_hugepage_bytes: Option<u64>,
    /// Huge-page pools of the whole host, one per size the kernel offers, smallest first. What a
    /// node holds of them is in `nodes`.
    #[serde(default)]
    pub hugepages: Vec<HugePages>,
    /// Where huge pages can be mapped as files, in the order they were mounted.
    #[serde(default)]
    pub hugetlbfs: Vec<HugetlbfsMount>,
    /// PCI devices in the order of their addresses.
    #[serde(default)]
    pub pci: Vec<PciDevice>,
    /// IOMMU groups in the order of their ids. Empty where no IOMMU is at work: no device can
    /// then be handed to a virtual machine.
    #[serde(default)]
    pub iommu_groups: Vec<IommuGroup>,
    /// Block devices of the host, by name: disks, their partitions, and what is made of such. Null is unknown.
    #[serde(default)]
    pub block_devices: Option<Vec<BlockDevice>>,
    /// Network devices of the host, by name: cards and what is on them, bridges, and what containers and virtual machines
    /// have plugged in. Null is unknown.
    #[serde(default)]
    pub links: Option<Vec<Link>>,
    /// The control groups this was read in. Null is unknown.
    #[serde(default)]
    pub cgroup: Option<Cgroup>,
    /// Transparent huge pages. Null where the kernel has none.
    #[serde(default)]
    pub thp: Option<Thp>,
    /// Kernel same-page merging. Null where the kernel has none.
    #[serde(default)]
    pub ksm: Option<Ksm>,
    /// Automatic NUMA balancing: 0 off, 1 on, 2 memory tiering, 3 both. Null where the kernel has none.
    #[serde(default)]
    pub numa_balancing: Option<u32>,
    /// The active tuned profile, or profiles with blanks between.
    #[serde(default)]
    pub tuned_profile: Option<String>,
    /// Versions of the programs `infra` works with. Null is not installed, or not known.
    #[serde(default)]
    pub versions: Versions,
    /// Which runtimes the host can offer, and why not the others.
    #[serde(default)]
    pub runtimes: Runtimes,
    /// The Docker engine. Null where there is none or nobody asked.
    #[serde(default)]
    pub docker: Option<Docker>,
    /// The libvirt daemon. Null where there is none or nobody asked.
    #[serde(default)]
    pub libvirt: Option<Libvirt>,
    /// What is already taken on the host, and by whom, in the order of the owners.
    #[serde(default)]
    pub used: Vec<Used>,
}

/// Versions as the programs state them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Versions {
    /// Docker Engine.
    #[serde(default)]
    pub docker: Option<String>,
    /// The libvirt daemon.
    #[serde(default)]
    pub libvirt: Option<String>,
    /// QEMU's system emulator for the host's architecture.
    #[serde(default)]
    pub qemu: Option<String>,
    /// systemd, whether it runs or is only installed.
    #[serde(default)]
    pub systemd: Option<String>,
    /// tuned.
    #[serde(default)]
    pub tuned: Option<String>,
}

/// Which runtimes the host can offer. Null is not looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Runtimes {
    /// Processes under the host's systemd.
    #[serde(default)]
    pub bare_metal: Option<Offer>,
    /// Containers of a Docker engine.
    #[serde(default)]
    pub container: Option<Offer>,
    /// Virtual machines with hardware acceleration. Emulated ones are another matter: see
    /// `libvirt.emulated`.
    #[serde(default)]
    pub kvm: Option<Offer>,
}

/// Whether the host can offer a runtime.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Offer {
    /// It was seen to work.
    pub offered: bool,
    /// Why it is not offered. Null where it is.
    #[serde(default)]
    pub why_not: Option<String>,
}

impl Offer {
    /// It works; or it does not, and why.
    pub fn new(works: Result<(), String>) -> Offer {
        Offer {
            offered: works.is_ok(),
            why_not: works.err(),
        }
    }
}

impl Default for Facts {
    /// A host of which nothing is known.
    fn default() -> Self {
        Facts {
            format_version: FORMAT_VERSION.to_owned(),
            hostname: None,
            kernel: Kernel::default(),
            cpus: Cpus::default(),
            l3: Vec::new(),
            nodes: Vec::new(),
            allowed_nodes: None,
            memory_bytes: None,
            memory_available_bytes: None,
            page_bytes: None,
            default_hugepage_bytes: None,
            hugepages: Vec::new(),
            hugetlbfs: Vec::new(),
            pci: Vec::new(),
            iommu_groups: Vec::new(),
            block_devices: None,
            links: None,
            cgroup: None,
            thp: None,
            ksm: None,
            numa_balancing: None,
            tuned_profile: None,
            versions: Versions::default(),
            runtimes: Runtimes::default(),
            docker: None,
            libvirt: None,
            used: Vec::new(),
        }
    }
}

impl Facts {
    /// Reads what `infra facts` printed. The version is looked at first, so that facts of a later
    /// format are told as such and not as a wrong field.
    pub fn from_json(text: &str) -> Result<Facts, FactsError> {
        #[derive(Deserialize)]
        struct Head {
            format_version: String,
        }
        let head: Head = serde_json::from_str(text).map_err(FactsError::Json)?;
        if major(&head.format_version) != major(FORMAT_VERSION) {
            return Err(FactsError::Version(head.format_version));
        }
        serde_json::from_str(text).map_err(FactsError::Json)
    }

    pub fn cpu(&self, id: u32) -> Option<&Cpu> {
        self.cpus.list.iter().find(|cpu| cpu.id == id)
    }

    pub fn node(&self, id: u32) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id)
    }

    pub fn pci(&self, address: &str) -> Option<&PciDevice> {
        self.pci.iter().find(|device| device.address == address)
    }

    /// CPUs something may be placed on: online, and allowed where that is known.
    pub fn usable_cpus(&self) -> IdSet {
        match &self.cpus.allowed {
            Some(allowed) => &self.cpus.online & allowed,
            None => self.cpus.online.clone(),
        }
    }
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or_default()
}

/// Why a document is not the facts of a host.
#[derive(Debug)]
pub enum FactsError {
    /// It is not JSON, or not of this shape.
    Json(serde_json::Error),
    /// It is of another major version, named here.
    Version(String),
}

impl fmt::Display for FactsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FactsError::Json(error) => write!(f, "these are not the facts of a host: {error}"),
            FactsError::Version(version) => write!(
                f,
                "these facts are of format {version}, and this infra reads {}.x",
                major(FORMAT_VERSION)
            ),
        }
    }
}

impl std::error::Error for FactsError {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn sample() -> Facts {
        Facts {
            hostname: Some("r1".into()),
            cpus: Cpus {
                online: IdSet::from([0, 1, 8]),
                allowed: Some(IdSet::from([0, 1, 2])),
                list: vec![Cpu {
                    id: 8,
                    kind: Some(CpuKind::Efficiency),
                    siblings: IdSet::from([8]),
                    ..Cpu::default()
                }],
                ..Cpus::default()
            },
            nodes: vec![Node {
                id: 250,
                kind: NodeKind::Device,
                cpus: IdSet::new(),
                memory_bytes: None,
                free_bytes: Some(u64::MAX),
                distances: BTreeMap::from([(0, 20), (250, 10)]),
                hugepages: vec![HugePages::default()],
                ..Node::default()
            }],
            docker: Some(Docker::default()),
            used: vec![Used {
                owner: "docker:redis".into(),
                host_ports: vec![HostPort {
                    address: None,
                    port: 6379,
                    protocol: Protocol::Tcp,
                }],
                ..Used::default()
            }],
            ..Facts::default()
        }
    }

    #[test]
    fn json_round_trip_is_exact() {
        for facts in [Facts::default(), sample()] {
            let json = serde_json::to_string_pretty(&facts).unwrap();
            assert_eq!(Facts::from_json(&json).unwrap(), facts);
        }
    }

    #[test]
    fn unknown_is_null_and_the_version_comes_first() {
        let json = serde_json::to_string(&sample()).unwrap();
        assert!(json.starts_with(r#"{"format_version":"1.4","#), "{json}");
        assert!(json.contains(r#""memory_bytes":null"#));
        assert!(json.contains(r#""distances":{"0":20,"250":10}"#));
    }

    #[test]
    fn missing_is_null_and_additions_are_ignored() {
        let facts = Facts::from_json(
            r#"{"format_version": "1.7", "cpus": {"online": "0-1"}, "colour": "red"}"#,
        )
        .unwrap();
        assert_eq!(facts.cpus.online, IdSet::from([0, 1]));
        assert_eq!((facts.memory_bytes, facts.cpus.allowed), (None, None));
    }

    #[test]
    fn what_is_needed_must_be_there() {
        let error = |text| Facts::from_json(text).unwrap_err().to_string();
        assert!(error("{}").contains("format_version"));
        assert!(error(r#"{"format_version": "1.0"}"#).contains("cpus"));
        assert!(error(r#"{"format_version": "1.0", "cpus": {"online": "x"}}"#).contains("`x`"));
        assert_eq!(
            error(r#"{"format_version": "2.0", "cpus": 7}"#),
            "these facts are of format 2.0, and this infra reads 1.x"
        );
    }

    #[test]
    fn usable_is_online_and_allowed() {
        assert_eq!(sample().usable_cpus(), IdSet::from([0, 1]));
    }

    #[test]
    fn every_published_field_is_documented() {
        let schema = schemars::schema_for!(Facts).to_value();
        let undocumented = undocumented(&schema);
        assert!(undocumented.is_empty(), "{undocumented:?}");
    }

    fn undocumented(schema: &serde_json::Value) -> Vec<String> {
        let definitions = schema["$defs"].as_object().into_iter().flatten();
        let named = definitions.map(|(name, s)| (name.as_str(), s));
        named
            .chain([("Facts", schema)])
            .flat_map(|(name, s)| {
                let fields = s["properties"].as_object().into_iter().flatten();
                fields
                    .filter(|(_, field)| field["description"].is_null())
                    .map(move |(field, _)| format!("{name}.{field}"))
            })
            .collect()
    }
}
