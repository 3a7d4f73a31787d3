//! `lifecycle { ignore_changes = […] }`: the configuration's words, where each stands in the bodies of what an address
//! makes.

mod container;
mod left;

use std::collections::BTreeSet;

use infra_api::Resource;
use infra_diag::{Diagnostic, Diagnostics};
use infra_lang::{Evaluation, Ignore, Instance};

pub(super) use left::left;

/// Which of the objects at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Container,
    Machine,
    /// What a machine's first start reads.
    Seed,
    /// The disk made from a machine's image.
    BootDisk,
    Disk,
    Network,
    /// A network of machines.
    MachineNetwork,
}

impl Part {
    /// None of what is not a person's to ignore: an image's name is its content.
    pub(super) fn of(resource: &Resource) -> Option<Self> {
        let has = |key: &str| resource.body.get(key).is_some();
        Some(match resource.id.kind.as_str() {
            "container" => Self::Container,
            "domain" => Self::Machine,
            "volume" if has("user_data") || has("config") => Self::Seed,
            "volume" if has("backing") => Self::BootDisk,
            "volume" => Self::Disk,
            "network" if resource.id.provider == "docker" => Self::Network,
            "network" => Self::MachineNetwork,
            _ => return None,
        })
    }
}

use Part::{BootDisk, Container, Disk, Machine, MachineNetwork, Network, Seed};

/// A word, and what it means in the bodies: dotted paths.
struct Word {
    name: &'static str,
    paths: &'static [(Part, &'static str)],
    /// One of its entries may be named: `container.env.NAME`.
    entries: bool,
}

const fn word(name: &'static str, paths: &'static [(Part, &'static str)]) -> Word {
    Word {
        name,
        paths,
        entries: false,
    }
}

const fn map(name: &'static str, paths: &'static [(Part, &'static str)]) -> Word {
    Word {
        name,
        paths,
        entries: true,
    }
}

const WORKLOAD: &[Word] = &[
    // What its memory is bound to follows its CPUs.
    word(
        CPUS,
        &[
            (Container, "cpus"),
            (Container, "memory_nodes"),
            (Machine, "vcpu_pins"),
            (Machine, "emulator_pin"),
            (Machine, "vcpus"),
            (Machine, "online_vcpus"),
            (Machine, "iothread_pins"),
            (Machine, "cells"),
        ],
    ),
    word(DEVICE, &[(Machine, "hardware.host_devices")]),
    word(
        "disk",
        &[
            (Container, "mounts"),
            (Machine, "disks"),
            (Disk, "capacity_bytes"),
        ],
    ),
    word(
        "interface",
        &[
            (Container, "networks"),
            (Machine, "interfaces"),
            (Machine, "seed_digest"),
            (Seed, "network_config"),
        ],
    ),
    word(
        "kvm",
        &[
            (Machine, "acceleration"),
            (Machine, "autostart"),
            (Machine, "boot"),
            (Machine, "boot_order"),
            (Machine, "hardware"),
            (Machine, "iothreads"),
            (Machine, "ignition"),
            (Machine, "ready"),
            (Machine, "stop_timeout_s"),
            (Machine, "patches"),
            (Machine, "seed"),
            (Machine, "seed_digest"),
            (BootDisk, "backing"),
            (BootDisk, "backing_format"),
            (BootDisk, "capacity_bytes"),
            (Seed, "user_data"),
            (Seed, "vendor_data"),
            (Seed, "config"),
        ],
    ),
    word("kvm.acceleration", &[(Machine, "acceleration")]),
    word("kvm.autostart", &[(Machine, "autostart")]),
    word("kvm.boot", &[(Machine, "boot_order")]),
    word("kvm.clock", &[(Machine, "hardware.clock")]),
    word("kvm.cpu", &[(Machine, "hardware.cpu")]),
    word("kvm.description", &[(Machine, "hardware.description")]),
    word("kvm.title", &[(Machine, "hardware.title")]),
    word("kvm.cmdline", &[(Machine, "boot.cmdline")]),
    word(
        "kvm.image",
        &[
            (Machine, "boot.kernel"),
            (Machine, "boot.initramfs"),
            (BootDisk, "backing"),
            (BootDisk, "backing_format"),
        ],
    ),
    word("kvm.ignition", &[(Seed, "config"), (Machine, "ignition")]),
    word("kvm.ready", &[(Machine, "ready")]),
    word("kvm.stop_timeout", &[(Machine, "stop_timeout_s")]),
    word("kvm.xml", &[(Machine, "patches")]),
    word("kvm.root_size", &[(BootDisk, "capacity_bytes")]),
    // Without user data there may be no seed at all.
    word(
        "kvm.user_data",
        &[
            (Seed, "user_data"),
            (Machine, "seed"),
            (Machine, "seed_digest"),
        ],
    ),
    word(
        "kvm.vendor_data",
        &[(Seed, "vendor_data"), (Machine, "seed_digest")],
    ),
    word(
        MEMORY,
        &[
            (Container, "memory_bytes"),
            (Container, "memory_nodes"),
            (Machine, "balloon_bytes"),
            (Machine, "memory_bytes"),
            (Machine, "memory_mode"),
            (Machine, "memory_nodes"),
            (Machine, "page_size_bytes"),
            (Machine, "cells"),
        ],
    ),
    word(
        MEMORY_NODES,
        &[
            (Container, "memory_nodes"),
            (Machine, "memory_nodes"),
            (Machine, "cells"),
        ],
    ),
    word(
        PAGE_SIZE,
        &[(Machine, "page_size_bytes"), (Machine, "cells")],
    ),
    word(
        MEMORY_SIZE,
        &[
            (Container, "memory_bytes"),
            (Machine, "balloon_bytes"),
            (Machine, "memory_bytes"),
            (Machine, "cells"),
        ],
    ),
    word(
        NUMA,
        &[
            (Container, "memory_nodes"),
            (Machine, "memory_nodes"),
            (Machine, "cells"),
        ],
    ),
];

const CPUS: &str = "cpus";
const DEVICE: &str = "device";
const MEMORY: &str = "memory";
const MEMORY_NODES: &str = "memory.nodes";
const MEMORY_SIZE: &str = "memory.size";
const PAGE_SIZE: &str = "memory.page_size";
const NUMA: &str = "numa";
/// What its cells are made of.
const OF_CELLS: &[&str] = &[CPUS, MEMORY, MEMORY_NODES, MEMORY_SIZE, PAGE_SIZE, NUMA];

const NETWORK: &[Word] = &[
    word("dhcp", &[(MachineNetwork, "own.dhcp")]),
    word("dns", &[(MachineNetwork, "own.dns")]),
    word("driver", &[(Network, "driver"), (MachineNetwork, "driver")]),
    word(
        "gateway",
        &[(Network, "gateway"), (MachineNetwork, "own.gateway")],
    ),
    word("gateway6", &[(Network, "ipv6.gateway")]),
    word(
        "internal",
        &[(Network, "internal"), (MachineNetwork, "own.internal")],
    ),
    map("labels", &[(Network, "labels")]),
    word(
        "mode",
        &[(Network, "driver.mode"), (MachineNetwork, "driver.mode")],
    ),
    map("options", &[(Network, "options")]),
    word(
        "parent",
        &[
            (Network, "driver.parent"),
            (MachineNetwork, "driver.parent"),
        ],
    ),
    word(
        "subnet",
        &[(Network, "subnet"), (MachineNetwork, "own.subnet")],
    ),
    word("subnet6", &[(Network, "ipv6.subnet")]),
];

const VOLUME: &[Word] = &[
    word("driver", &[(Disk, "driver")]),
    map("labels", &[(Disk, "labels")]),
    map("options", &[(Disk, "options")]),
    word("size", &[(Disk, "capacity_bytes")]),
];

/// The words of a kind of block.
fn words(kind: &str) -> impl Iterator<Item = &'static Word> {
    let (own, form): (&[Word], &[Word]) = match kind {
        "workload" => (WORKLOAD, container::WORDS),
        "network" => (NETWORK, &[]),
        "volume" => (VOLUME, &[]),
        _ => (&[], &[]),
    };
    form.iter().chain(own)
}

/// The words of a container's form, and where each stands in its body.
pub fn container_words() -> impl Iterator<Item = (&'static str, Vec<Vec<String>>)> {
    container::WORDS.iter().map(|word| {
        let keys = |path: &str| path.split('.').map(str::to_owned).collect();
        let paths = word.paths.iter().map(|(_, path)| keys(path));
        (word.name, paths.collect())
    })
}

/// The word that is written, and the entry that is named of it.
fn find<'a>(kind: &str, written: &'a str) -> Option<(&'static Word, Option<&'a str>)> {
    let entry = |word: &'static Word| match written.strip_prefix(word.name)? {
        "" => Some((word, None)),
        entry if word.entries => Some((word, Some(entry.strip_prefix('.')?))),
        _ => None,
    };
    words(kind).find_map(entry)
}

/// Where an object's body is left as it is found: everywhere is the empty path.
pub(super) fn paths(instance: &Instance, resource: &Resource) -> Vec<Vec<String>> {
    let Some(part) = Part::of(resource) else {
        return Vec::new();
    };
    match &instance.lifecycle.ignore_changes {
        Ignore::All => vec![Vec::new()],
        Ignore::These(written) => {
            let found = written.iter().filter_map(|w| find(instance.kind, w));
            found
                .chain(implied(instance, written))
                .flat_map(|(word, entry)| of_part(word, entry, part))
                .collect()
        }
    }
}

/// A boot disk whose size nobody wrote has its image's.
fn implied<'a>(
    instance: &Instance,
    written: &BTreeSet<String>,
) -> Option<(&'static Word, Option<&'a str>)> {
    let mut forms = instance.block.nested("kvm");
    let sized = forms.any(|form| form.get("root_size").is_some());
    let ignored = written.contains("kvm.image") && !sized;
    ignored.then(|| find(instance.kind, "kvm.root_size"))?
}

fn of_part<'a>(
    word: &'static Word,
    entry: Option<&'a str>,
    part: Part,
) -> impl Iterator<Item = Vec<String>> + use<'a> {
    let own = word.paths.iter().filter(move |(of, _)| *of == part);
    own.map(move |(_, path)| {
        let keys = path.split('.').chain(entry);
        keys.map(str::to_owned).collect()
    })
}

/// Words that mean nothing, said once at each declaration.
pub(super) fn unknown(evaluation: &Evaluation) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let mut said = BTreeSet::new();
    for instance in &evaluation.instances {
        let Ignore::These(written) = &instance.lifecycle.ignore_changes else {
            continue;
        };
        let nothing = |word: &&String| find(instance.kind, word).is_none();
        let unknown: Vec<&String> = written.iter().filter(nothing).collect();
        let mut declaration = instance.address.clone();
        declaration.key = None;
        if !unknown.is_empty() && said.insert(declaration) {
            diagnostics.push(means_nothing(instance, &unknown));
        }
    }
    diagnostics
}

fn means_nothing(instance: &Instance, unknown: &[&String]) -> Diagnostic {
    let quoted: Vec<String> = unknown.iter().map(|word| format!("`{word}`")).collect();
    let text = format!("{} cannot be ignored here", quoted.join(", "));
    let error = Diagnostic::error("Invalid ignore_changes").at(instance.origin, text);
    let hints: BTreeSet<String> = unknown.iter().map(|word| instead(instance, word)).collect();
    hints.into_iter().fold(error, Diagnostic::hint)
}

/// What may have been meant: of the block that the word begins with, where there is one.
fn instead(instance: &Instance, word: &str) -> String {
    let known = words(instance.kind).map(|word| word.name).chain(["all"]);
    let of_block = word.split_once('.').map(|(block, _)| format!("{block}."));
    let near: Vec<&str> = match &of_block {
        Some(block) => known
            .filter(|name| name.starts_with(block.as_str()))
            .collect(),
        None => known.filter(|name| !name.contains('.')).collect(),
    };
    let suggested = infra_lang::suggest(word, near.iter().copied(), "known");
    suggested.unwrap_or_else(|| {
        let block = word.split('.').next().unwrap_or_default();
        format!("write `{block}` for all of it, or one of its attributes and blocks, as in `container.env`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declared::SCHEMA;

    #[test]
    fn every_word_of_a_container_can_be_ignored() {
        let workload = SCHEMA.kind("workload").unwrap();
        let form = workload.block("container").unwrap().kind;
        let attributes = form.attributes.iter().map(|attribute| attribute.name);
        let blocks = form.blocks.iter().map(|nested| nested.kind.name);
        let limits = form.block("limits").unwrap().kind.attributes.iter();
        let limits = limits.map(|attribute| format!("limits.{}", attribute.name));
        for name in attributes.chain(blocks).map(str::to_owned).chain(limits) {
            let word = format!("container.{name}");
            let (found, entry) = find("workload", &word).expect(&word);
            assert_eq!((found.name, entry), (word.as_str(), None));
        }
    }
}
