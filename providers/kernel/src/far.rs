//! A host that is reached by a shell alone: one script tells all that facts are made of, in one round trip, and what it
//! printed is a tree as any other.

use std::io;

use infra_api::Facts;

use crate::kvm::Machine;
use crate::printed::{ENTRIES_OF_WORDS, FILES_OF_WORDS, Printed, Words};
use crate::reader::Problem;

/// What facts need to know of that it is there, and where it leads if it is a link.
const ENTRIES: &[&str] = &[
    "dev/disk/*",
    "dev/disk/*/*",
    "proc/driver/nvidia/gpus/*",
    "run/systemd/system",
    "sys/block/*",
    "sys/block/*/*/partition",
    "sys/block/*/[hs]i[dz]*",
    "sys/block/*/slaves/*",
    "sys/bus/dax/devices/*",
    "sys/bus/dax/drivers/kmem/*",
    "sys/bus/pci/devices/*",
    "sys/bus/pci/devices/*/driver",
    "sys/bus/pci/devices/*/iommu_group",
    "sys/bus/pci/devices/*/net/*",
    "sys/bus/pci/devices/*/physfn",
    "sys/bus/pci/devices/*/virtfn*",
    "sys/bus/pci/devices/*/virtio*",
    "sys/bus/pci/devices/*/virtio*/net/*",
    "sys/class/net/*",
    "sys/class/net/*/bridge/bridge_id",
    "sys/class/net/*/device/sriov_numvfs",
    "sys/class/net/*/type",
    "sys/devices/system/cpu/*",
    "sys/devices/system/cpu/cpu*[0-9]/cache/*",
    "sys/devices/system/cpu/cpu*[0-9]/topology/*",
    "sys/devices/system/node/*",
    "sys/devices/system/node/node*/access*/initiators/*",
    "sys/devices/system/node/node*/hugepages/*",
    "sys/devices/virtual/memory_tiering/*",
    "sys/kernel/iommu_groups/*",
    "sys/kernel/iommu_groups/*/devices/*",
    "sys/kernel/mm/*",
    "sys/kernel/mm/hugepages/*",
];

/// The files of which they need the text.
const FILES: &[&str] = &[
    "etc/tuned/active_profile",
    "proc/1/comm",
    "proc/cmdline",
    "proc/driver/nvidia/gpus/*/numa_status",
    "proc/meminfo",
    "proc/mounts",
    "proc/sys/kernel/arch",
    "proc/sys/kernel/hostname",
    "proc/sys/kernel/numa_balancing",
    "proc/sys/kernel/osrelease",
    "proc/sys/kernel/random/boot_id",
    "proc/version",
    "sys/block/*/*/partition",
    "sys/block/*/dm/[nu]*",
    "sys/block/*/hidden",
    "sys/block/*/size",
    "sys/bus/dax/devices/*/target_node",
    "sys/bus/pci/devices/*/class",
    "sys/bus/pci/devices/*/device",
    "sys/bus/pci/devices/*/local_cpu*",
    "sys/bus/pci/devices/*/net/*/[amos]*",
    "sys/bus/pci/devices/*/numa_node",
    "sys/bus/pci/devices/*/sriov_[nostv]*",
    "sys/bus/pci/devices/*/vendor",
    "sys/bus/pci/devices/*/virtio*/net/*/[amos]*",
    "sys/class/net/*/device/sriov_numvfs",
    "sys/devices/cpu_*/cpus",
    "sys/devices/system/cpu/*",
    "sys/devices/system/cpu/cpu*[0-9]/cache/index*/[ils]*",
    "sys/devices/system/cpu/cpu*[0-9]/cpu_capacity",
    "sys/devices/system/cpu/cpu*[0-9]/cpufreq/cpuinfo_max_freq",
    "sys/devices/system/cpu/cpu*[0-9]/online",
    "sys/devices/system/cpu/cpu*[0-9]/topology/*",
    "sys/devices/system/cpu/smt/*",
    "sys/devices/system/node/*",
    "sys/devices/system/node/node*/[cdm]*",
    "sys/devices/system/node/node*/access*/initiators/*",
    "sys/devices/system/node/node*/hugepages/*/*",
    "sys/devices/virtual/memory_tiering/memory_tier*/nodelist",
    "sys/fs/cgroup/cgroup.controllers",
    "sys/kernel/mm/hugepages/*/*",
    "sys/kernel/mm/ksm/*",
    "sys/kernel/mm/transparent_hugepage/*",
];

/// What the script says before its parts, so that a greeting of the login shell is told from them.
const HEAD: &str = "infra-facts 1";

/// A script for `sh` that prints the tree: it runs `find`, `grep` and `xargs`, reads, and changes nothing. The shell of
/// whoever logs in need not be one: it comes by stdin.
#[must_use]
pub fn script() -> String {
    script_in("/")
}

/// The words of a glob are handed on through a pipe: there may be more than a command line takes.
fn script_in(root: &str) -> String {
    let (entries, files) = (ENTRIES.join(" "), FILES.join(" "));
    format!(
        "LC_ALL=C; export LC_ALL; cd '{root}' || exit\n\
         for it in find grep xargs getconf; do command -v $it > /dev/null || {{ echo \"$it is not installed\" >&2; exit 127; }}; done\n\
         arch=$(uname -m)\n\
         printf '%s\\0' '{HEAD}' \"$arch\" \"$(getconf PAGESIZE)\" \"$(cat proc/sys/kernel/random/boot_id 2> /dev/null)\"\n\
         printf '%s\\0' \"$(grep -m 1 -o -w -s -E 'vmx|svm' proc/cpuinfo | head -n 1)\" \"$(ls dev/kvm 2> /dev/null)\"\n\
         printf '%s\\0' \"$(stat -c '/%n %s %Y' usr/bin/qemu-system-$arch usr/local/bin/qemu-system-$arch usr/libexec/qemu-kvm 2> /dev/null | head -n 1)\"\n\
         printf '%s\\0' {entries} | {ENTRIES_OF_WORDS}\n\
         printf '\\0'\n\
         printf '%s\\0' {files} | {FILES_OF_WORDS}\n\
         printf '\\0'\n"
    )
}

/// What the script printed.
#[derive(Debug)]
pub struct Far {
    page_bytes: Option<u64>,
    machine: Machine,
    tree: Printed,
}

impl Far {
    /// # Errors
    /// Where that is not all that the script prints.
    pub fn parse(output: &[u8]) -> Result<Self, String> {
        let text = String::from_utf8_lossy(output);
        let mut words = Words::behind(HEAD, &text)?;
        let arch = words.until('\0')?;
        let page_bytes = words.until('\0')?.parse().ok();
        let machine = Machine {
            arch: arch.to_owned(),
            boot: words.until('\0')?.to_owned(),
            virtualises: words.until('\0')?.to_owned(),
            device: !words.until('\0')?.is_empty(),
            emulator: words.until('\0')?.to_owned(),
        };
        let mut tree = Printed::default();
        tree.entries(&mut words)?;
        tree.files(&mut words)?;
        Ok(Self {
            page_bytes,
            machine,
            tree,
        })
    }

    /// The facts it tells, as [`crate::live()`] tells those of this machine.
    #[must_use]
    pub fn facts(&self) -> (Facts, Vec<Problem>) {
        let (mut facts, problems) = crate::read(&self.tree);
        facts.page_bytes = self.page_bytes;
        facts.kernel.arch = Some(self.machine.arch.clone());
        (facts, problems)
    }

    /// What there is to try KVM with.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.machine
    }
}

/// What the script prints where another directory is the root.
///
/// # Errors
/// Where no shell runs.
#[doc(hidden)]
pub fn printed_in(root: &std::path::Path) -> io::Result<Vec<u8>> {
    let script = script_in(&root.to_string_lossy());
    let shell = std::process::Command::new("sh")
        .args(["-c", &script])
        .output()?;
    Ok(shell.stdout)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Without what is never the same twice, and what the reader's own control group leaves to it: that does not bind the
    /// host's daemons.
    fn still(mut facts: Facts) -> Facts {
        facts.cpus.allowed = None;
        facts.cpus.affinity = None;
        facts.allowed_nodes = None;
        facts.cgroup = None;
        facts.memory_available_bytes = None;
        for node in &mut facts.nodes {
            node.free_bytes = None;
            node.reclaimable_bytes = None;
        }
        facts
    }

    #[test]
    fn this_machine_is_the_same_from_afar() {
        // Others make and remove bridges meanwhile: it is looked at until it was the same before and after.
        for _ in 0..100 {
            let before = still(crate::live().0);
            let far = Far::parse(&printed_in(Path::new("/")).unwrap()).unwrap();
            let after = still(crate::live().0);
            if before == after {
                let (facts, problems) = far.facts();
                assert_eq!(problems, []);
                assert_eq!(still(facts), before);
                return;
            }
        }
        panic!("this machine was never still");
    }

    #[test]
    fn what_is_cut_off_is_no_host() {
        let whole = printed_in(Path::new("/")).unwrap();
        for length in [0, 10, 40, whole.len() / 2, whole.len() - 1] {
            assert!(Far::parse(&whole[..length]).is_err(), "{length}");
        }
        let greeted = [b"Welcome!\n", &whole[..]].concat();
        assert!(Far::parse(&greeted).is_ok());
    }
}
