//! `host "r1" { … }`: a machine, how its daemons are reached, and what it keeps for itself.

use std::collections::BTreeMap;

use infra_api::{HostName, IdSet, Login};
use infra_diag::Span;
use infra_lang::{Attribute, Block, BlockKind, Instance, Meta, Nested, Shape};

use super::fabric::Fabric;
use super::kernel::{HUGEPAGES, KERNEL, Prepared, TUNED};
use super::read::{At, Reader};
use super::words::{
    ADDRESS, DOCKER as DOCKER_WORD, LIBVIRT as LIBVIRT_WORD, STRING_MAP, ids, size, whole, word,
};

/// The endpoint of a Docker Engine where none is written.
pub const DOCKER_ENDPOINT: &str = "unix:///var/run/docker.sock";
/// The URI of a libvirt daemon where none is written.
pub const LIBVIRT_URI: &str = "qemu:///system";
/// Where a project's pool of volumes is made where nothing else is written; the project's name follows.
pub const POOL_PATH: &str = "/var/lib/libvirt/images/infra";

static DOCKER: BlockKind = BlockKind {
    name: "docker",
    label: None,
    doc: "The host's Docker Engine.",
    attributes: &[
        word(
            "endpoint",
            Shape::Text(&DOCKER_WORD),
            "Where it listens: `unix:///PATH`; `ssh://[USER@]HOST[:PORT][/PATH]`, the socket's; or \
             `tcp://HOST[:PORT][?certificates=/DIR]`, by TLS with `ca.pem`, `cert.pem` and `key.pem` of that folder, of \
             `~/.docker` where none is written.",
        )
        .default("\"unix:///var/run/docker.sock\""),
        whole(
            "parallelism",
            1,
            1000,
            "How many steps of an apply run on it at once.",
        )
        .default("10"),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

static LIBVIRT: BlockKind = BlockKind {
    name: "libvirt",
    label: None,
    doc: "The host's libvirt daemon.",
    attributes: &[
        word(
            "uri",
            Shape::Text(&LIBVIRT_WORD),
            "Its connection URI: `qemu:///system`, `qemu+ssh://[USER@]HOST[:PORT]/system` or `qemu+tls://HOST/system`; \
             the last with certificates where libvirt's own clients have them.",
        )
        .default("\"qemu:///system\""),
        word(
            "pool_path",
            Shape::String,
            "Directory on the host in which the project's storage pool is made.",
        ),
        whole(
            "parallelism",
            1,
            1000,
            "How many steps of an apply run on it at once.",
        )
        .default("5"),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

static RESERVE: BlockKind = BlockKind {
    name: "reserve",
    label: None,
    doc: "What the host keeps for itself: no workload gets it. Without this block: nothing on a host of two CPUs or \
          fewer, else the first core.",
    attributes: &[
        ids("cpus", "These CPUs."),
        whole(
            "cpus_per_node",
            0,
            1024,
            "The first so many CPUs of every NUMA node.",
        ),
        size("memory", "So much memory of the host."),
        size("memory_per_node", "So much memory of every NUMA node."),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

static OVERCOMMIT: BlockKind = BlockKind {
    name: "overcommit",
    label: None,
    doc: "How much more may be promised than there is. Dedicated CPUs, huge pages and devices are never promised twice.",
    attributes: &[
        whole(
            "cpus",
            1,
            1000,
            "So many shared CPUs on each that nobody has to himself. Without it as many as are asked for.",
        ),
        whole(
            "memory_percent",
            100,
            1000,
            "So much ordinary memory in all, in percent of what workloads can have of it (and of each node's): with 150, half \
             as much again. No workload gets more than there is.",
        )
        .default("100"),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

const ATTRIBUTES: &[Attribute] = &[
    word(
        "address",
        Shape::Text(&ADDRESS),
        "How it is reached: `local` is this machine, any other is who comes into which host by SSH, `[USER@]HOST[:PORT]`. \
         That is done by this machine's `ssh`: its configuration, agent, jump hosts and known hosts hold, and a host whose \
         key is not known is refused. Who is not root there needs `sudo` without a password. The daemons are reached over the \
         same connection.",
    )
    .default("\"local\""),
    word(
        "migration_address",
        Shape::Text(&ADDRESS),
        "How the other hosts reach it where a machine moves here while it runs: `[USER@]HOST[:PORT]`, by their root's `ssh`; its \
         `address` where none is written. The guest's memory goes straight to HOST, to a TCP port of 49152 to 49215.",
    ),
    word("labels", STRING_MAP, "Words to find it by."),
    word(
        "drain",
        Shape::Bool,
        "Whether it is to be emptied: nothing new comes here, and what is here goes where it can; what can go nowhere is an error.",
    )
    .default("false"),
    word(
        "housekeeping",
        Shape::Bool,
        "Whether all else that runs on it (systemd's `system.slice`, `user.slice` and `init.scope`, the kernel's unbound workers, interrupts) is kept off the CPUs that \
         workloads have to themselves, now and after each start of the host. Without it the host's own programs may run there, \
         too.",
    )
    .default("false"),
    whole(
        "parallelism",
        1,
        1000,
        "How many steps of an apply run on it at once, on all its daemons together.",
    ),
];

pub(super) const KIND: BlockKind = BlockKind {
    name: "host",
    label: Some("name"),
    doc: "A machine that workloads run on.",
    attributes: ATTRIBUTES,
    blocks: &[
        Nested::one(&DOCKER),
        Nested::one(&LIBVIRT),
        Nested::one(&RESERVE),
        Nested::one(&OVERCOMMIT),
        Nested::many(&super::fabric::KIND),
        Nested::many(&HUGEPAGES),
        Nested::one(&KERNEL),
        Nested::one(&TUNED),
    ],
    computed: &[],
    meta: Meta::NONE,
};

/// A host as declared.
#[derive(Clone, Debug)]
pub struct Host {
    pub name: HostName,
    /// Absent: it is this machine.
    pub login: Option<Login>,
    /// Who the other hosts come into it as; absent: they cannot.
    pub migration_login: Option<Login>,
    pub docker_endpoint: String,
    pub libvirt_uri: String,
    pub pool_path: Option<String>,
    /// Absent: the default applies.
    pub reserve: Option<Reserve>,
    pub labels: BTreeMap<String, String>,
    /// It is to be emptied.
    pub drain: bool,
    /// All else is kept off dedicated CPUs; where that is written.
    pub housekeeping: Option<Span>,
    /// Shared CPUs on each that is free; absent: as many as are asked for.
    pub shared_per_cpu: Option<u32>,
    /// Ordinary memory that is promised in all, in percent of what there is.
    pub memory_percent: Option<u32>,
    /// By name.
    pub fabrics: BTreeMap<String, Fabric>,
    /// What its kernel is set to.
    pub prepared: Prepared,
    /// How many steps run on it at once; absent: as many as its daemons take.
    pub parallelism: Option<u32>,
    /// The same of one daemon, by its provider.
    pub daemons_parallelism: BTreeMap<&'static str, u32>,
    /// Absent: nobody wrote a `host` block, and this machine is the one.
    pub origin: Option<Span>,
}

/// What it keeps for itself, as written.
#[derive(Clone, Debug, Default)]
pub struct Reserve {
    pub cpus: Option<At<IdSet>>,
    pub cpus_per_node: u32,
    pub memory_bytes: u64,
    pub memory_per_node_bytes: u64,
    pub span: Option<Span>,
}

impl Host {
    /// This machine with all defaults: the host of a configuration that declares none.
    #[must_use]
    pub fn local() -> Self {
        Self {
            name: HostName::new("local"),
            login: None,
            migration_login: None,
            docker_endpoint: DOCKER_ENDPOINT.to_owned(),
            libvirt_uri: LIBVIRT_URI.to_owned(),
            pool_path: None,
            reserve: None,
            labels: BTreeMap::new(),
            drain: false,
            housekeeping: None,
            shared_per_cpu: None,
            memory_percent: None,
            fabrics: BTreeMap::new(),
            prepared: Prepared::default(),
            parallelism: None,
            daemons_parallelism: BTreeMap::new(),
            origin: None,
        }
    }

    pub(super) fn read(instance: &Instance, reader: &mut Reader<'_>) -> Self {
        let block = &instance.block;
        let docker = block.nested("docker").next();
        let libvirt = block.nested("libvirt").next();
        let overcommit = block.nested("overcommit").next();
        let login = login(block, "address", reader);
        let mut at = |block: Option<&Block>, word: &str, usual: &str| {
            let written = block.and_then(|b| reader.string(b, word));
            over(
                login.as_ref(),
                written.map_or_else(|| usual.to_owned(), |s| s.value),
            )
        };
        Self {
            name: HostName::new(instance.address.name.as_ref()),
            docker_endpoint: at(docker, "endpoint", DOCKER_ENDPOINT),
            libvirt_uri: at(libvirt, "uri", LIBVIRT_URI),
            migration_login: self::login(block, "migration_address", reader)
                .or_else(|| login.clone()),
            login,
            pool_path: libvirt
                .and_then(|b| reader.string(b, "pool_path"))
                .map(|s| s.value),
            reserve: block.nested("reserve").next().map(|b| Reserve {
                cpus: reader.ids(b, "cpus"),
                cpus_per_node: reader.whole(b, "cpus_per_node").map_or(0, |n| n.value),
                memory_bytes: reader.bytes(b, "memory").map_or(0, |n| n.value),
                memory_per_node_bytes: reader.bytes(b, "memory_per_node").map_or(0, |n| n.value),
                span: Some(b.span),
            }),
            labels: reader.string_map(block, "labels"),
            drain: reader.bool(block, "drain").unwrap_or(false),
            housekeeping: (reader.bool(block, "housekeeping") == Some(true))
                .then(|| block.get("housekeeping").map(|word| word.span))
                .flatten(),
            shared_per_cpu: overcommit
                .and_then(|b| reader.whole(b, "cpus"))
                .map(|n| n.value),
            memory_percent: overcommit
                .and_then(|b| reader.whole(b, "memory_percent"))
                .map(|n| n.value),
            fabrics: block
                .nested("fabric")
                .filter_map(|b| Fabric::read(b, reader))
                .collect(),
            prepared: Prepared::read(block, reader),
            parallelism: reader.whole(block, "parallelism").map(|n| n.value),
            daemons_parallelism: [("docker", docker), ("libvirt", libvirt)]
                .into_iter()
                .filter_map(|(name, block)| {
                    Some((name, reader.whole(block?, "parallelism")?.value))
                })
                .collect(),
            origin: Some(instance.origin),
        }
    }
}

fn login(block: &Block, attribute: &str, reader: &mut Reader<'_>) -> Option<Login> {
    let address = reader.string(block, attribute)?.value;
    (address != "local").then(|| Login::parse(&address).ok())?
}

/// A socket is its host's: where that is another one, it is reached over the way into it.
fn over(login: Option<&Login>, endpoint: String) -> String {
    let Some(login) = login else {
        return endpoint;
    };
    let socket = endpoint.strip_prefix("unix://");
    let system = endpoint.strip_prefix("qemu:///");
    match (socket, system) {
        (Some(path), _) => format!("ssh://{login}{path}"),
        (_, Some(path)) => format!("qemu+ssh://{login}/{path}"),
        _ => endpoint,
    }
}
