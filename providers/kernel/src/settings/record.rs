//! The file of a setting, by which systemd makes it so at each start of the host (systemd-sysctl, which does so again for a
//! network device that comes later; systemd-udevd for a card's functions, once it has its driver; a drop-in for the CPUs of a
//! unit; else systemd-tmpfiles). Comments say whose it is and what was found.

use infra_api::target::KernelSetting;
use infra_api::{Address, Mark, Project};

/// Where they are and how their names end: what sysctl(8) has names for, the functions of cards, the CPUs of systemd's own
/// units, and all else.
pub(super) const FOLDERS: [(&str, &str); 4] = [
    ("/etc/sysctl.d", "conf"),
    ("/etc/udev/rules.d", "rules"),
    ("/etc/systemd/system/*.d", "conf"),
    ("/etc/tmpfiles.d", "conf"),
];

const SYSCTL: &str = "/proc/sys/";

/// A setting that somebody's project has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) project: Project,
    pub(super) address: Address,
    pub(super) file: String,
    /// What it is set to when the host starts; nothing where the kernel has not taken any value yet.
    pub(super) value: Option<String>,
    /// What the file said before: it is put back.
    pub(super) found: String,
}

/// Its path.
pub(super) fn path(project: &Project, file: &str) -> String {
    let [sysctl, udev, units, other] = FOLDERS;
    let (folder, end) = match file {
        file if file.starts_with(SYSCTL) => sysctl,
        file if KernelSetting::is_functions(file) => udev,
        file if KernelSetting::unit_of_cpus(file).is_some() => units,
        _ => other,
    };
    let folder = folder.replace('*', KernelSetting::unit_of_cpus(file).unwrap_or_default());
    let file = file.trim_start_matches('/').replace('/', ":");
    format!("{folder}/infra.{project}.{file}.{end}")
}

/// The lines before what was found, which is a line by itself: that is read where it is written.
pub(super) fn head(mark: &Mark, file: &str) -> String {
    format!(
        "# Written by infra, which puts back what was found when nobody wants this any more.\n\
         # project={}\n# address={}\n# file={file}\n",
        mark.project, mark.address,
    )
}

/// The lines behind it, once the kernel has taken the value.
pub(super) fn rule(setting: &KernelSetting) -> String {
    let KernelSetting { file, value, .. } = setting;
    let rule = match file.strip_prefix(SYSCTL) {
        Some(name) => format!("{name} = {value}"),
        None if KernelSetting::is_functions(file) => functions(file, value),
        None => match KernelSetting::unit_of_cpus(file) {
            Some(unit) if unit.ends_with(".scope") => format!("[Scope]\nAllowedCPUs={value}"),
            Some(_) => format!("[Slice]\nAllowedCPUs={value}"),
            None => format!("w- {} - - - - {}", specifiers(file), specifiers(value)),
        },
    };
    format!("# value={value}\n{rule}\n")
}

/// udev hears of a card once it is found, and of its driver once it has one: of the two whichever is later counts. The links of
/// a card's functions are not its own.
fn functions(file: &str, value: &str) -> String {
    let card = file.rsplit('/').nth(1).unwrap_or_default();
    format!(
        "ACTION==\"add|bind\", SUBSYSTEM==\"pci\", KERNEL==\"{card}\", ATTR{{sriov_numvfs}}=\"{value}\"\n\
         ACTION==\"add\", SUBSYSTEM==\"net\", KERNELS==\"{card}\", RUN+=\"/bin/sh -c 'PATH=/usr/sbin:/usr/bin:/sbin:/bin; ip link set dev $name up'\""
    )
}

/// What `%` means to systemd-tmpfiles is not meant.
fn specifiers(text: &str) -> String {
    text.replace('%', "%%")
}

impl Record {
    /// Nothing where it is none of ours, or cut off.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let field = |name: &str| {
            let value = |line: &str| {
                Some(
                    line.strip_prefix("# ")?
                        .strip_prefix(name)?
                        .strip_prefix('=')?
                        .to_owned(),
                )
            };
            text.lines().find_map(value)
        };
        Some(Self {
            project: Project::new(field("project")?),
            address: Address::new(field("address")?),
            file: field("file")?,
            value: field("value"),
            found: field("found")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mark = Mark {
            project: Project::new("lab"),
            address: Address::new("host.r1"),
        };
        let written = |file: &str, value: &str| {
            let setting = KernelSetting::new(file, value);
            format!("{}# found=core\n{}", head(&mark, file), rule(&setting))
        };
        let (file, value) = ("/proc/sys/kernel/core_pattern", "core %p");
        let text = written(file, value);
        assert!(
            text.ends_with("\nkernel/core_pattern = core %p\n"),
            "{text}"
        );
        let record = Record::parse(&text).unwrap();
        assert_eq!(
            (
                record.file.as_str(),
                record.value.as_deref(),
                record.found.as_str()
            ),
            (file, Some(value), "core")
        );
        assert_eq!(
            (record.project, record.address),
            (mark.project.clone(), mark.address.clone())
        );
        assert!(written("/sys/x%y", "1").ends_with("\nw- /sys/x%%y - - - - 1\n"));
        let begun = format!("{}# found=core\n", head(&mark, file));
        assert_eq!(Record::parse(&begun).unwrap().value, None);
        assert_eq!(Record::parse("w /sys/x - - - - 1\n"), None);
    }

    #[test]
    fn every_file_has_its_own() {
        let project = Project::new("lab");
        assert_eq!(
            path(&project, "/sys/a/b-c"),
            "/etc/tmpfiles.d/infra.lab.sys:a:b-c.conf"
        );
        assert_eq!(
            path(&project, "/proc/sys/vm/x"),
            "/etc/sysctl.d/infra.lab.proc:sys:vm:x.conf"
        );
        assert_eq!(
            path(&project, "/sys/fs/cgroup/user.slice/cpuset.cpus"),
            "/etc/systemd/system/user.slice.d/infra.lab.sys:fs:cgroup:user.slice:cpuset.cpus.conf"
        );
        assert_eq!(
            path(&project, "/sys/bus/pci/devices/0000:81:00.0/sriov_numvfs"),
            "/etc/udev/rules.d/infra.lab.sys:bus:pci:devices:0000:81:00.0:sriov_numvfs.rules"
        );
    }
}
