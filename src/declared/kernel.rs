//! `host { hugepages "2MiB" { … }  kernel { … } }`: what a host's kernel is set to.

use std::collections::BTreeMap;

use infra_api::target::KernelSetting;
use infra_api::units::Bytes;
use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Shape};

use super::read::{At, Reader};
use super::words::{LINE, duration, whole, word};

pub(super) static HUGEPAGES: BlockKind = BlockKind {
    name: "hugepages",
    label: Some("size"),
    doc: "A pool of huge pages of this size (`\"2MiB\"`, `\"1GiB\"`) on the host's NUMA nodes: so many pages, used or not. It is made \
          before anything runs there, is there again after a start of the host, and is what was found once nobody wants it any \
          more. A node that cannot give all of them is an error, and so is a pool that is to have fewer than are in use. \
          Without this block pools are what they are found to be.",
    attributes: &[
        whole(
            "per_node",
            0,
            u32::MAX as i64,
            "So many pages on each node that has memory.",
        ),
        word(
            "nodes",
            Shape::Map(&Shape::Whole {
                min: 0,
                max: u32::MAX as i64,
            }),
            "Node → so many pages there, whatever `per_node` says; a node that neither speaks of is left as it is.",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) static KERNEL: BlockKind = BlockKind {
    name: "kernel",
    label: None,
    doc: "What the host's kernel is set to, now and after each start of the host. What was found is put back once nobody wants \
          it any more. A value that the kernel takes otherwise is an error.",
    attributes: &[
        word(
            "transparent_hugepages",
            Shape::OneOf(&["always", "madvise", "never"]),
            "Whether the kernel makes huge pages of ordinary memory by itself. Read back from \
             `/sys/kernel/mm/transparent_hugepage/enabled`.",
        ),
        word(
            "ksm",
            Shape::Bool,
            "Whether the kernel looks for pages that are the same and keeps one of them. Read back from `/sys/kernel/mm/ksm/run`.",
        ),
        word(
            "numa_balancing",
            Shape::Bool,
            "Whether the kernel moves memory after the threads that use it. Read back from `/proc/sys/kernel/numa_balancing`.",
        ),
        duration(
            "halt_polling",
            "So long KVM polls for a vCPU that has halted before its CPU may sleep; `0s`: not at all. Read back from \
             `/sys/module/kvm/parameters/halt_poll_ns`.",
        ),
        word(
            "sysctl",
            Shape::Map(&Shape::Text(&LINE)),
            "Any other, by its name for sysctl(8): `{ \"net.core.busy_poll\" = \"50\" }`. Read back from below `/proc/sys`.",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

pub(super) static TUNED: BlockKind = BlockKind {
    name: "tuned",
    label: None,
    doc: "The profile of tuned that is active on the host, now and after each start. tuned itself says whether the host is as the \
          profile has it (`tuned-adm verify`): what somebody changed is found and mended. What was active is so again once nobody \
          wants this any more. What of it another setting of this `host` has otherwise, tuned calls changed: write that into one of \
          the two.",
    attributes: &[
        word(
            "profile",
            Shape::Text(&LINE),
            "Its name for tuned-adm(8): `virtual-host`, `network-latency`, `cpu-partitioning` …",
        )
        .required(),
        word(
            "variables",
            Shape::Map(&Shape::Text(&LINE)),
            "Variables of the profile: `{ isolated_cores = \"2-3\" }`.",
        ),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// What a host's kernel is set to, as written.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    pub pools: Vec<HugePool>,
    pub settings: Vec<KernelSetting>,
}

/// A pool of huge pages.
#[derive(Clone, Debug)]
pub struct HugePool {
    pub page_bytes: u64,
    pub per_node: Option<u64>,
    pub nodes: BTreeMap<u32, u64>,
    pub span: Span,
}

impl Prepared {
    pub(super) fn read(host: &Block, reader: &mut Reader<'_>) -> Self {
        let pools = host
            .nested("hugepages")
            .filter_map(|block| pool(block, reader));
        let pools: Vec<HugePool> = pools.collect();
        let kernel = host.nested("kernel").next();
        let mut settings = kernel
            .map(|block| settings(block, reader))
            .unwrap_or_default();
        let tuned = host.nested("tuned").next();
        settings.extend(tuned.and_then(|block| tuned_profile(block, reader)));
        Self { pools, settings }
    }
}

fn pool(block: &Block, reader: &mut Reader<'_>) -> Option<HugePool> {
    let label: &At<_> = block.label.as_ref()?;
    let size = label.value.parse::<Bytes>().ok().filter(|size| size.0 > 0);
    let Some(Bytes(page_bytes)) = size else {
        let text = format!("`{}` is no size", label.value);
        reader.error(
            "Huge pages without a size",
            label.span,
            text,
            "write it as in `hugepages \"2MiB\"`",
        );
        return None;
    };
    let per_node = reader.whole(block, "per_node").map(|n: At<u64>| n.value);
    let written = reader.whole_map(block, "nodes");
    if per_node.is_none() && written.is_empty() {
        reader.error(
            "Huge pages of no number",
            block.span,
            "neither `per_node` nor `nodes` says how many",
            "write `per_node`, or leave the block out",
        );
    }
    let mut nodes = BTreeMap::new();
    for (node, count) in written {
        match node.parse() {
            Ok(node) => drop(nodes.insert(node, count)),
            Err(_) => {
                let text = format!("`{node}` is no number of a NUMA node");
                reader.error(
                    "No NUMA node",
                    block.span,
                    text,
                    "write it as in `nodes = { \"1\" = 64 }`",
                );
            }
        }
    }
    Some(HugePool {
        page_bytes,
        per_node,
        nodes,
        span: block.span,
    })
}

fn settings(block: &Block, reader: &mut Reader<'_>) -> Vec<KernelSetting> {
    let switch = |on: bool| if on { "1" } else { "0" }.to_owned();
    let named = [
        (
            "/sys/kernel/mm/transparent_hugepage/enabled",
            reader
                .string(block, "transparent_hugepages")
                .map(|word| word.value),
        ),
        (
            "/sys/kernel/mm/ksm/run",
            reader.bool(block, "ksm").map(switch),
        ),
        (
            "/sys/module/kvm/parameters/halt_poll_ns",
            reader
                .nanoseconds(block, "halt_polling")
                .map(|time| time.to_string()),
        ),
        (
            "/proc/sys/kernel/numa_balancing",
            reader.bool(block, "numa_balancing").map(switch),
        ),
    ];
    let named = named
        .into_iter()
        .filter_map(|(file, value)| Some(KernelSetting::new(file, value?)));
    let mut all: Vec<KernelSetting> = named.collect();
    for (name, value) in reader.string_map(block, "sysctl") {
        match sysctl(&name) {
            Some(file) if all.iter().any(|setting| setting.file == file) => {
                let text = format!("`{name}` is set twice");
                reader.error(
                    "A setting of two values",
                    block.span,
                    text,
                    "leave one of the two out",
                );
            }
            Some(file) if file.starts_with("/proc/sys/vm/nr_hugepages") => {
                let text = format!("`{name}` is of no node");
                let hint = "write a block `hugepages \"2MiB\" { … }`";
                reader.error("A pool of huge pages", block.span, text, hint);
            }
            Some(file) => all.push(KernelSetting::new(file, KernelSetting::said(&value))),
            None => {
                let text = format!("`{name}` is no name of a setting");
                reader.error(
                    "No setting of the kernel",
                    block.span,
                    text,
                    "write it as sysctl(8) does: `net.core.busy_poll`",
                );
            }
        }
    }
    all
}

/// A profile, and its variables by name.
fn tuned_profile(block: &Block, reader: &mut Reader<'_>) -> Option<KernelSetting> {
    let profile = reader.string(block, "profile")?;
    let mut words = vec![profile.value];
    let variables = reader.string_map(block, "variables");
    words.extend(
        variables
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    let plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '\'' | '"' | '\\' | '[' | ']' | '*' | '?');
    for word in &words {
        if word.is_empty() || !word.chars().all(plain) {
            let text = format!("`{word}` cannot be written into a profile");
            let hint = "a profile's name and a variable are one word each, without blanks, quotes and brackets";
            reader.error("No profile of tuned", block.span, text, hint);
        }
    }
    Some(KernelSetting::new(KernelSetting::TUNED, words.join(" ")))
}

/// Whichever of dot and slash comes first parts its steps; the other one is part of a name.
fn sysctl(name: &str) -> Option<String> {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '-' | '_' | ':' | '@');
    let path = match name.find(['.', '/']) {
        Some(at) if name[at..].starts_with('.') => {
            let swap = |c| match c {
                '.' => '/',
                '/' => '.',
                c => c,
            };
            name.chars().map(swap).collect()
        }
        _ => name.to_owned(),
    };
    let whole = path.split('/').all(|step| !matches!(step, "" | "." | ".."));
    (whole && name.chars().all(plain)).then(|| format!("/proc/sys/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_sysctl() {
        for (name, file) in [
            ("vm.swappiness", Some("/proc/sys/vm/swappiness")),
            (
                "net/ipv4/conf/eth0.100/rp_filter",
                Some("/proc/sys/net/ipv4/conf/eth0.100/rp_filter"),
            ),
            (
                "net.ipv4.conf.eth0/100.rp_filter",
                Some("/proc/sys/net/ipv4/conf/eth0.100/rp_filter"),
            ),
            ("../../etc/passwd", None),
            ("net..x", None),
            ("a b", None),
            ("", None),
        ] {
            assert_eq!(sysctl(name).as_deref(), file, "{name}");
        }
    }
}
