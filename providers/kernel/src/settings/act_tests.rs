//! The scripts are run here, on files of a folder: what was found is never lost, and no start of the host gets a value that
//! the kernel did not take.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use infra_api::{Address, Project};

use super::super::record::Record;
use super::*;

struct Host {
    folder: tempfile::TempDir,
    knob: PathBuf,
    mark: Mark,
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let knob = folder.path().join("knob");
        fs::write(&knob, "always [madvise] never\n").unwrap();
        let mark = Mark {
            project: Project::new("lab"),
            address: Address::new("host.r1"),
        };
        Self { folder, knob, mark }
    }

    fn file(&self) -> &str {
        self.knob.to_str().unwrap()
    }

    /// Where the folder is the host's root.
    fn run(&self, script: &str) -> (Option<i32>, String) {
        let etc = format!("{}/etc/", self.folder.path().display());
        let script = script.replace("/etc/", &etc);
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.code(), said)
    }

    fn set(&self, value: &str) -> Option<i32> {
        self.run(&set(&self.mark, &KernelSetting::new(self.file(), value)))
            .0
    }

    fn says(&self) -> String {
        KernelSetting::said(&fs::read_to_string(&self.knob).unwrap())
    }

    fn record(&self) -> Option<Record> {
        let path = path(&self.mark.project, self.file());
        let path = self.folder.path().join(path.trim_start_matches('/'));
        Record::parse(&fs::read_to_string(path).ok()?)
    }
}

#[test]
fn what_was_found_is_kept_and_put_back() {
    let host = Host::new();
    assert_eq!(host.set("a b"), Some(0));
    // Somebody changes it, and it is set once more: that was not found.
    fs::write(&host.knob, "theirs\n").unwrap();
    assert_eq!(host.set("c"), Some(0));
    let record = host.record().unwrap();
    assert_eq!(
        (record.found.as_str(), record.value.as_deref()),
        ("madvise", Some("c"))
    );
    assert_eq!(host.says(), "c");
    let unset = unset(&host.mark, host.file());
    assert_eq!(host.run(&unset), (Some(0), String::new()));
    assert_eq!((host.says().as_str(), host.record()), ("madvise", None));
    assert_eq!(host.run(&unset), (Some(0), String::new()), "twice is once");
}

#[test]
fn what_the_kernel_does_not_take_is_no_start_s() {
    let mut host = Host::new();
    fs::remove_file(&host.knob).unwrap();
    assert_eq!(
        (host.set("1"), host.record()),
        (Some(3), None),
        "there is no such file"
    );
    // It takes everything and says nothing of it.
    host.knob = "/dev/null".into();
    assert_eq!(host.set("1"), Some(3));
    assert_eq!(host.record().unwrap().value, None);
    // It does not take back what was found.
    let begun = format!("{}# found=60\n", head(&host.mark, "/dev/null"));
    let null = path(&host.mark.project, "/dev/null");
    fs::write(host.folder.path().join(&null[1..]), begun).unwrap();
    assert_eq!(
        host.run(&unset(&host.mark, "/dev/null")),
        (Some(0), KEPT.to_owned())
    );
}
