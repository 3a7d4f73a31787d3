//! One host as it was found: plain data, published as JSON Schema.
//!
//! What is unknown is null, never 0 and never an empty guess. CPUs and nodes are named by the
//! kernel's ids, which have gaps: records carry their id and stand in its order, and nothing is
//! ever indexed by one. Sizes are in bytes, pages in pages. Nothing here reads a host or decides
//! anything.

mod daemons;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::daemons::{Devices, Docker, DockerNetwork, Libvirt, LibvirtNetwork, Pool};
use crate::cpuset::IdSet;

/// The version of this shape. A reader takes every version of its own major number.
pub const FORMAT_VERSION: &str = "1.0";

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

/// The kernel that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kernel {
    /// Its release, as `uname -r` prints it.
    #[serde(default)]
    pub release: Option<String>,
    /// The machine's architecture, as `uname -m` prints it.
    #[serde(default)]
    pub arch: Option<String>,
    /// The command line it was booted with, unchanged.
    #[serde(default)]
    pub cmdline: Option<String>,
    /// Those parameters of the command line that concern CPUs, memory, huge pages, interrupts and
    /// the IOMMU, in their order. One may stand there more than once.
    #[serde(default)]
    pub parameters: Vec<KernelParameter>,
}

/// One parameter of the kernel's command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KernelParameter {
    /// Its name, such as `isolcpus`.
    pub name: String,
    /// What follows the equals sign. Null where there is none.
    #[serde(default)]
    pub value: Option<String>,
}

/// Which CPUs there are and how they hang together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cpus {
    /// CPUs the kernel schedules on.
    pub online: IdSet,
    /// CPUs that are present and not online.
    #[serde(default)]
    pub offline: Option<IdSet>,
    /// CPUs that could ever appear, empty sockets included.
    #[serde(default)]
    pub possible: Option<IdSet>,
    /// CPUs that are plugged in, online or not.
    #[serde(default)]
    pub present: Option<IdSet>,
    /// CPUs kept out of load balancing (`isolcpus=` or an isolated cpuset partition). Nothing runs
    /// there that was not put there.
    #[serde(default)]
    pub isolated: Option<IdSet>,
    /// CPUs without a periodic tick while one task runs there (`nohz_full=`).
    #[serde(default)]
    pub nohz_full: Option<IdSet>,
    /// Online CPUs that may be used under the cgroup this was read in: all online ones where it
    /// sets no limit. Null is unknown.
    #[serde(default)]
    pub allowed: Option<IdSet>,
    /// CPUs the reading process was bound to. No limit: a task may ask for others. The kernel and
    /// systemd leave isolated CPUs out of it.
    #[serde(default)]
    pub affinity: Option<IdSet>,
    /// One record for each online CPU, in the order of their ids.
    #[serde(default)]
    pub list: Vec<Cpu>,
}

/// One online CPU (hardware thread).
///
/// `core`, `die`, `package` and `l3` are unique in the machine: the kernel's numbers where these
/// are, else counted from 0 in the order of the CPUs (the kernel's core numbers begin again in
/// every package, and some machines give every package the same number or none).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cpu {
    /// The kernel's number of the CPU.
    pub id: u32,
    /// The core it is a thread of.
    #[serde(default)]
    pub core: Option<u32>,
    /// The die the core is on.
    #[serde(default)]
    pub die: Option<u32>,
    /// The package (socket) the core is in.
    #[serde(default)]
    pub package: Option<u32>,
    /// The L3 group it belongs to, see `l3`.
    #[serde(default)]
    pub l3: Option<u32>,
    /// The NUMA node it belongs to, see `nodes`.
    #[serde(default)]
    pub node: Option<u32>,
    /// The online CPUs of its core, itself included. Itself alone where `core` is null.
    pub siblings: IdSet,
    /// The highest frequency it reaches, in kHz.
    #[serde(default)]
    pub max_frequency_khz: Option<u64>,
    /// How much it computes beside the largest CPU of the machine, which has 1024 (arm64).
    #[serde(default)]
    pub capacity: Option<u32>,
    /// Which kind of core it is on a hybrid processor. Null on others.
    #[serde(default)]
    pub kind: Option<CpuKind>,
}

/// A kind of core of a hybrid processor.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CpuKind {
    /// Built for speed (Intel's `cpu_core`).
    Performance,
    /// Built for little power (Intel's `cpu_atom`).
    Efficiency,
}

/// CPUs that share an L3 cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct L3 {
    /// Its number, unique in the machine.
    pub id: u32,
    /// The online CPUs that share it.
    pub cpus: IdSet,
    /// Its size in bytes.
    #[serde(default)]
    pub size_bytes: Option<u64>,
}

/// A NUMA node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Node {
    /// The kernel's number of the node.
    pub id: u32,
    /// What it consists of.
    pub kind: NodeKind,
    /// Its online CPUs.
    pub cpus: IdSet,
    /// Its memory in bytes, huge pages included.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// Memory nobody used when this was read, in bytes; free huge pages are not part of it.
    #[serde(default)]
    pub free_bytes: Option<u64>,
    /// Relative cost of reaching the memory of each node from here, by node: 10 is local, 20
    /// twice as far. Not always symmetric. Empty where the machine does not tell.
    #[serde(default)]
    pub distances: BTreeMap<u32, u32>,
    /// Its huge-page pools, smallest pages first.
    #[serde(default)]
    pub hugepages: Vec<HugePages>,
}

/// What a NUMA node consists of.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// CPUs, and memory (or memory of unknown size).
    #[default]
    Normal,
    /// Memory without CPUs: a slower or faster tier, or a node whose CPUs are all offline.
    MemoryOnly,
    /// CPUs without memory.
    CpuOnly,
    /// Memory of a device such as a GPU. Nothing of the host's own may be placed there.
    Device,
    /// Neither CPUs nor memory at present.
    Empty,
}

/// A pool of huge pages of one size, of a node or of the whole host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HugePages {
    /// Size of a page, in bytes.
    pub size_bytes: u64,
    /// Pages in the pool, used or not (`nr_hugepages`).
    #[serde(default)]
    pub total: Option<u64>,
    /// Pages nobody has mapped (`free_hugepages`).
    #[serde(default)]
    pub free: Option<u64>,
    /// Free pages already promised to a mapping (`resv_hugepages`). Always null for a node: the
    /// kernel counts promises for the whole host.
    #[serde(default)]
    pub reserved: Option<u64>,
    /// Pages beyond the pool's configured size, given back once they are free (`surplus_hugepages`).
    #[serde(default)]
    pub surplus: Option<u64>,
}

/// A mounted hugetlbfs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HugetlbfsMount {
    /// Where it is mounted.
    pub path: String,
    /// Size of its pages, in bytes.
    #[serde(default)]
    pub size_bytes: Option<u64>,
}

/// A PCI device, bridges and virtual functions included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PciDevice {
    /// Domain, bus, device and function as the kernel writes them: `0000:3b:00.0`. A domain may
    /// have more than four digits.
    pub address: String,
    /// Vendor, four hexadecimal digits: `8086`.
    #[serde(default)]
    pub vendor: Option<String>,
    /// Device of that vendor, four hexadecimal digits: `1572`.
    #[serde(default)]
    pub device: Option<String>,
    /// Class, subclass and interface, six hexadecimal digits: `020000` is an Ethernet controller.
    #[serde(default)]
    pub class: Option<String>,
    /// The driver bound to it. Null where none is.
    #[serde(default)]
    pub driver: Option<String>,
    /// The NUMA node it is nearest to. Null where the firmware does not tell (the kernel's -1).
    #[serde(default)]
    pub numa_node: Option<u32>,
    /// The CPUs nearest to it as the kernel has them. May contradict `numa_node`: both are the
    /// firmware's word.
    #[serde(default)]
    pub local_cpus: Option<IdSet>,
    /// The bridge above it. Null for a device at the root.
    #[serde(default)]
    pub parent: Option<String>,
    /// Its IOMMU group, see `iommu_groups`: what of a machine's devices can only be handed on together.
    #[serde(default)]
    pub iommu_group: Option<u32>,
    /// For a virtual function, the physical function it belongs to.
    #[serde(default)]
    pub physfn: Option<String>,
    /// For a physical function, its virtual functions. Null where it cannot have any.
    #[serde(default)]
    pub sriov: Option<Sriov>,
    /// Network interfaces it drives in the reading network namespace, by name. Empty for a
    /// function that is bound to `vfio-pci` or given away.
    #[serde(default)]
    pub interfaces: Vec<NetInterface>,
}

/// The virtual functions of a physical function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sriov {
    /// How many it can have (`sriov_totalvfs`).
    #[serde(default)]
    pub total: Option<u32>,
    /// How many it has now (`sriov_numvfs`).
    #[serde(default)]
    pub configured: Option<u32>,
    /// Their addresses, in the order of their numbers: the first is VF 0.
    #[serde(default)]
    pub vfs: Vec<String>,
}

/// A network interface of a PCI device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NetInterface {
    /// Its name: `ens1f0`.
    pub name: String,
    /// Its hardware address.
    #[serde(default)]
    pub mac: Option<String>,
    /// Largest packet, in bytes.
    #[serde(default)]
    pub mtu: Option<u32>,
    /// Speed of its link in Mbit/s. Null where the link is down.
    #[serde(default)]
    pub speed_mbit: Option<u32>,
    /// Operational state as the kernel has it: `up`, `down`, `unknown` …
    #[serde(default)]
    pub state: Option<String>,
}

/// Devices the IOMMU cannot tell apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IommuGroup {
    /// The kernel's number of the group.
    pub id: u32,
    /// PCI addresses of its devices, in order.
    pub devices: Vec<String>,
}

/// The control groups of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cgroup {
    /// Which hierarchy is at work.
    pub version: CgroupVersion,
    /// The group this was read in, seen from its own root: `/` in a container or at the top.
    #[serde(default)]
    pub path: Option<String>,
    /// Controllers that can be used, by name.
    #[serde(default)]
    pub controllers: Vec<String>,
}

/// A kind of control-group hierarchy.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CgroupVersion {
    /// One hierarchy for each controller.
    V1,
    /// The unified hierarchy.
    V2,
    /// Controllers on version 1, processes tracked on version 2.
    Hybrid,
}

impl fmt::Display for CgroupVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            CgroupVersion::V1 => "v1",
            CgroupVersion::V2 => "v2",
            CgroupVersion::Hybrid => "hybrid",
        })
    }
}

/// Transparent huge pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Thp {
    /// Who gets them: `always`, `madvise` or `never`.
    #[serde(default)]
    pub enabled: Option<String>,
    /// How hard the kernel tries when it has none free: `always`, `defer`, `defer+madvise`,
    /// `madvise` or `never`.
    #[serde(default)]
    pub defrag: Option<String>,
}

/// Kernel same-page merging.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ksm {
    /// 0 stopped, 1 running, 2 stopped and unmerged.
    #[serde(default)]
    pub run: Option<u32>,
    /// Whether pages of different NUMA nodes are merged.
    #[serde(default)]
    pub merge_across_nodes: Option<bool>,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// What one owner has taken of the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Used {
    /// Who has it: the address of a workload of `project`, else a name to show to a person
    /// (`docker:redis`, `libvirt:build1`).
    pub owner: String,
    /// The project of `infra` it belongs to. Null where `infra` did not make it.
    #[serde(default)]
    pub project: Option<String>,
    /// CPUs nobody else may use.
    #[serde(default)]
    pub exclusive_cpus: IdSet,
    /// CPUs it is bound to and shares. Empty where it may run on any.
    #[serde(default)]
    pub shared_cpus: IdSet,
    /// Ordinary memory it may use at most, in bytes; huge pages are counted apart. Null where it
    /// has no limit or none is known.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// Nodes its memory is bound to. Null where it is not bound.
    #[serde(default)]
    pub memory_nodes: Option<IdSet>,
    /// Huge pages it holds or will hold.
    #[serde(default)]
    pub hugepages: Vec<UsedPages>,
    /// PCI addresses of the virtual functions and devices it holds.
    #[serde(default)]
    pub vfs: Vec<String>,
    /// Ports of the host that lead to it.
    #[serde(default)]
    pub host_ports: Vec<HostPort>,
}

/// Huge pages of one size on one node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct UsedPages {
    /// The node they are on. Null where they may be on any.
    #[serde(default)]
    pub node: Option<u32>,
    /// Size of a page, in bytes.
    pub size_bytes: u64,
    /// How many.
    pub count: u64,
}

/// A port of the host that is taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct HostPort {
    /// The address it listens on. Null is every address.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// The port's number.
    pub port: u16,
    /// Its protocol.
    #[serde(default)]
    pub protocol: Protocol,
}

/// A transport protocol.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    #[default]
    Tcp,
    Udp,
    Sctp,
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
        assert!(json.starts_with(r#"{"format_version":"1.0","#), "{json}");
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
