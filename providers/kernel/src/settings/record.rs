//! The file of a setting, below `/etc/tmpfiles.d`: systemd writes the value at each start of the host, and comments say whose
//! it is and what was found.

use infra_api::target::KernelSetting;
use infra_api::{Address, Mark, Project};

/// Where they are.
pub(super) const FOLDER: &str = "/etc/tmpfiles.d";

/// A setting that somebody's project has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) project: Project,
    pub(super) address: Address,
    pub(super) setting: KernelSetting,
    /// What the file said before: it is put back.
    pub(super) found: String,
}

/// Its path.
pub(super) fn path(project: &Project, file: &str) -> String {
    let file = file.trim_start_matches('/').replace('/', ":");
    format!("{FOLDER}/infra.{project}.{file}.conf")
}

/// The text before and behind what was found, which is a line by itself: that is read where it is written.
pub(super) fn text(mark: &Mark, setting: &KernelSetting) -> (String, String) {
    let KernelSetting { file, value } = setting;
    let head = format!(
        "# Written by infra, which puts back what was found when nobody wants this any more.\n\
         # project={}\n# address={}\n# file={file}\n# value={value}\n",
        mark.project, mark.address,
    );
    let rule = format!("w- {} - - - - {}\n", specifiers(file), specifiers(value));
    (head, rule)
}

/// What `%` means in such a file is not meant.
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
            setting: KernelSetting {
                file: field("file")?,
                value: field("value")?,
            },
            found: field("found")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let setting = KernelSetting {
            file: "/proc/sys/kernel/core_pattern".to_owned(),
            value: "core %p".to_owned(),
        };
        let mark = Mark {
            project: Project::new("lab"),
            address: Address::new("host.r1"),
        };
        let (head, rule) = text(&mark, &setting);
        let text = format!("{head}# found=core\n{rule}");
        assert!(
            text.ends_with("\nw- /proc/sys/kernel/core_pattern - - - - core %%p\n"),
            "{text}"
        );
        let record = Record::parse(&text).unwrap();
        assert_eq!((record.setting, record.found.as_str()), (setting, "core"));
        assert_eq!(
            (record.project, record.address),
            (mark.project, mark.address)
        );
        assert_eq!(Record::parse("w /sys/x - - - - 1\n"), None);
    }

    #[test]
    fn every_file_has_its_own() {
        let project = Project::new("lab");
        assert_eq!(
            path(&project, "/sys/a/b-c"),
            "/etc/tmpfiles.d/infra.lab.sys:a:b-c.conf"
        );
    }
}
