//! Every script, carried out with an apt and a dpkg that keep their packages in a folder.

use std::path::Path;
use std::process::{Command, Output};

use infra_api::{Address, Project};

use super::*;

/// What stands in for the host's programs. `db/NAME` holds the version that is installed, `lists/NAME` those that are to be
/// had, `need/NAME` is there where others need it.
const PROGRAMS: [(&str, &str); 5] = [
    (
        "dpkg-query",
        "for it; do name=$it; done\n[ ! -f \"$AT/db/$name\" ] || echo \"installed $(cat \"$AT/db/$name\")\"",
    ),
    (
        "apt-cache",
        "for it; do name=$it; done\nfor it in $(cat \"$AT/lists/$name\" 2> /dev/null); do echo \" $name | $it | http://x stable\"; done",
    ),
    (
        "apt-get",
        "echo \"$*\" >> \"$AT/log\"; for it; do last=$it; done\n\
         case \" $* \" in\n\
         *' update '*) mv \"$AT\"/later/* \"$AT/lists/\" 2> /dev/null || true;;\n\
         *' -s remove '*) echo \"Remv $last\"; [ ! -e \"$AT/need/$last\" ] || echo 'Remv other';;\n\
         *' remove '*) rm \"$AT/db/$last\";;\n\
         *' install '*) echo \"${last#*=}\" > \"$AT/db/${last%%=*}\";;\n\
         esac",
    ),
    (
        "dpkg",
        "case $1 in -L) echo /lib/systemd/system/redis.service; echo /usr/bin/redis;; esac",
    ),
    (
        "systemctl",
        "echo \"systemctl $*\" >> \"$AT/log\"; [ \"$1\" != is-enabled ] || echo enabled",
    ),
];

struct Host(tempfile::TempDir);

impl Host {
    fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        for name in ["bin", "db", "lists", "later", "need"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        for (name, text) in PROGRAMS {
            let path = folder.path().join("bin").join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self(folder)
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, at: &str, text: &str) {
        std::fs::write(self.root().join(at), text).unwrap();
    }

    fn sh(&self, script: &str) -> Output {
        let root = self.root().to_str().unwrap();
        let path = std::env::var("PATH").unwrap();
        Command::new("sh")
            .arg("-c")
            .arg(script.replace("/var/lib/infra", root))
            .env("AT", root)
            .env("PATH", format!("{root}/bin:{path}"))
            .output()
            .unwrap()
    }

    fn set(&self, version: &str) -> Output {
        let package = Package {
            name: "redis".to_owned(),
            version: version.to_owned(),
        };
        self.sh(&set(&mark(), &package))
    }

    fn unset(&self) -> String {
        let output = self.sh(&unset(&mark(), "redis"));
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn installed(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.root().join("db/redis")).ok()?;
        Some(text.trim().to_owned())
    }

    fn marks(&self) -> usize {
        std::fs::read_dir(self.root().join("packages")).map_or(0, Iterator::count)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.root().join("log")).unwrap_or_default()
    }
}

fn mark() -> Mark {
    Mark {
        project: Project::new("demo"),
        address: Address::new("workload.cache"),
    }
}

#[test]
fn what_we_installed_goes_with_us() {
    let host = Host::new();
    host.put("lists/redis", "5:7.0-1 5:7.2-1");
    let made = host.set("5:7.0-1");
    assert!(made.status.success(), "{made:?}");
    assert_eq!(host.installed().as_deref(), Some("5:7.0-1"));
    let log = host.log();
    assert!(
        log.contains("--no-install-recommends") && log.contains("--no-remove"),
        "{log}"
    );
    assert!(log.contains("disable --now redis.service"), "{log}");
    assert!(!log.contains(" update"), "the lists had it: {log}");
    assert!(host.set("5:7.2-1").status.success());
    assert_eq!(host.installed().as_deref(), Some("5:7.2-1"));
    assert_eq!(host.unset(), "");
    assert_eq!((host.installed(), host.marks()), (None, 0));
}

#[test]
fn what_was_there_before_is_there_afterwards() {
    let host = Host::new();
    host.put("lists/redis", "5:7.0-1 5:7.2-1");
    host.put("db/redis", "5:7.0-1");
    assert!(host.set("5:7.0-1").status.success());
    assert!(!host.log().contains("install"), "it is there");
    host.unset();
    assert_eq!(host.installed().as_deref(), Some("5:7.0-1"));
    assert!(host.set("5:7.2-1").status.success());
    assert!(
        !host.log().contains("systemctl"),
        "its services are its owner's"
    );
    host.unset();
    assert_eq!(host.installed().as_deref(), Some("5:7.0-1"));
    // What was found is to be had no more.
    assert!(host.set("5:7.2-1").status.success());
    host.put("lists/redis", "5:7.2-1");
    assert_eq!(host.unset(), KEPT);
    assert_eq!(host.installed().as_deref(), Some("5:7.2-1"));
}

#[test]
fn what_others_need_stays() {
    let host = Host::new();
    host.put("lists/redis", "1");
    assert!(host.set("1").status.success());
    host.put("need/redis", "");
    assert_eq!(host.unset(), KEPT);
    assert_eq!(host.installed().as_deref(), Some("1"));
}

#[test]
fn lists_are_read_anew_before_a_version_is_none() {
    let host = Host::new();
    host.put("later/redis", "5:7.0-1 5:7.2-1");
    assert!(host.set("5:7.0-1").status.success());
    let host = Host::new();
    for (lists, why) in [
        ("", "apt knows no package redis"),
        ("2 3", "apt knows no version 1 of redis, only 2 3"),
    ] {
        host.put("lists/redis", lists);
        let refused = host.set("1");
        assert_eq!(refused.status.code(), Some(UNKNOWN), "{refused:?}");
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(said.trim(), why);
        assert_eq!((host.installed(), host.marks()), (None, 0));
    }
}
