//! The kernel that runs: release, command line, and the switches it was left with.

use infra_api::facts::{Kernel, KernelParameter, Ksm, Thp};

use crate::reader::Reader;

/// Parameters that concern CPUs, memory, huge pages, interrupts, the IOMMU and KVM.
const RELEVANT: [&str; 31] = [
    "amd_iommu",
    "amd_pstate",
    "cgroup_disable",
    "cgroup_no_v1",
    "default_hugepagesz",
    "hugepages",
    "hugepagesz",
    "hugetlb_cma",
    "idle",
    "intel_idle.max_cstate",
    "intel_iommu",
    "intel_pstate",
    "iommu",
    "iommu.passthrough",
    "irqaffinity",
    "isolcpus",
    "maxcpus",
    "mem",
    "mitigations",
    "nohz",
    "nohz_full",
    "nosmt",
    "numa",
    "numa_balancing",
    "processor.max_cstate",
    "rcu_nocbs",
    "skew_tick",
    "systemd.unified_cgroup_hierarchy",
    "transparent_hugepage",
    "tsc",
    "vfio-pci.ids",
];

pub(crate) fn read(reader: &Reader<'_>) -> Kernel {
    let cmdline = reader.text("proc/cmdline");
    Kernel {
        release: release(reader),
        arch: reader.line("proc/sys/kernel/arch"),
        parameters: parameters(cmdline.as_deref().unwrap_or_default()),
        cmdline,
    }
}

/// `Linux version RELEASE (…` where the file with nothing else is not there.
fn release(reader: &Reader<'_>) -> Option<String> {
    reader.line("proc/sys/kernel/osrelease").or_else(|| {
        let version = reader.text("proc/version")?;
        let release = version.strip_prefix("Linux version ")?.split(' ').next()?;
        Some(release.to_owned())
    })
}

fn parameters(cmdline: &str) -> Vec<KernelParameter> {
    let all = words(cmdline)
        .into_iter()
        .map(|word| match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        });
    // Everything after `--` is for the init process.
    let ours = all.take_while(|(name, _)| name != "--");
    ours.filter(|(name, _)| relevant(name))
        .map(|(name, value)| KernelParameter { name, value })
        .collect()
}

fn relevant(name: &str) -> bool {
    RELEVANT.contains(&name) || name.starts_with("kvm")
}

/// Words between blanks; double quotes keep blanks together and are dropped.
fn words(text: &str) -> Vec<String> {
    let mut quoted = false;
    let mut words = vec![String::new()];
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(String::new()),
            c => words.last_mut().into_iter().for_each(|word| word.push(c)),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

pub(crate) fn thp(reader: &Reader<'_>) -> Option<Thp> {
    let directory = "sys/kernel/mm/transparent_hugepage";
    let choice = |name: &str| chosen(reader, &format!("{directory}/{name}"));
    reader.exists(directory).then(|| Thp {
        enabled: choice("enabled"),
        defrag: choice("defrag"),
    })
}

/// The word in brackets: `always [madvise] never`.
fn chosen(reader: &Reader<'_>, path: &str) -> Option<String> {
    let text = reader.text(path)?;
    let word = text
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    if word.is_none() {
        reader.problem(path, format_args!("none of `{text}` is in brackets"));
    }
    word.map(|(word, _)| word.to_owned())
}

pub(crate) fn ksm(reader: &Reader<'_>) -> Option<Ksm> {
    let directory = "sys/kernel/mm/ksm";
    reader.exists(directory).then(|| Ksm {
        run: reader.number(&format!("{directory}/run")),
        merge_across_nodes: reader
            .number::<u32>(&format!("{directory}/merge_across_nodes"))
            .map(|number| number != 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_in_order_and_more_than_once() {
        let text = "BOOT_IMAGE=/vmlinuz ro quiet hugepagesz=1G hugepages=4 hugepagesz=2M \
                    isolcpus=managed_irq,domain,2-3 nosmt kvm_intel.ple_gap=0 x=\"a nosmt\" -- iommu=pt";
        let shown: Vec<String> = parameters(text)
            .into_iter()
            .map(|p| format!("{}={}", p.name, p.value.unwrap_or("-".into())))
            .collect();
        assert_eq!(
            shown,
            [
                "hugepagesz=1G",
                "hugepages=4",
                "hugepagesz=2M",
                "isolcpus=managed_irq,domain,2-3",
                "nosmt=-",
                "kvm_intel.ple_gap=0"
            ]
        );
    }
}
