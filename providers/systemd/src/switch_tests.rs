//! The script of a switch, carried out with a systemd that is a program of ours: it runs what its unit's file says once.

use std::path::Path;
use std::process::{Command, Output};

use infra_api::target::UnitLife;
use infra_api::{Address, Mark, Project};

use super::*;
use crate::act::settle;
use crate::text::{decode, encode};

/// `active` where the program of the unit's file ended well when it was last started.
const SYSTEMCTL: &str = "#!/bin/sh\n\
    unit=$AT/system/demo.feed.service\n\
    case $1 in\n\
    restart) sh -c \"$(sed -n \"s|/var/lib/infra|$AT|; s/^ExecStart=//p\" \"$unit\")\" > \"$AT/ran\" 2>&1 && echo active > \"$AT/state\" || { echo failed > \"$AT/state\"; exit 1; };;\n\
    -q) [ $2 != is-active ] || grep -q active \"$AT/state\";;\n\
    show) case $3 in NRestarts) cat \"$AT/restarts\" 2> /dev/null || echo 0;; *) echo exit-code;; esac;;\n\
    esac\n";

struct Host(tempfile::TempDir);

impl Host {
    /// With the folders `old` and `new`, of which each has a program.
    fn new(new: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let host = Self(folder);
        for (path, text) in [
            ("bin/systemctl", SYSTEMCTL),
            // Who tests need not be root.
            ("bin/chown", "#!/bin/sh\n"),
            ("files/old/feed", "#!/bin/sh\necho old\n"),
            ("files/new/feed", new),
        ] {
            let path = host.root().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        host
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn here(&self, text: &str) -> String {
        let root = self.root().to_str().unwrap();
        text.replace("/var/lib/infra", root)
            .replace("/etc/systemd", root)
    }

    fn run(&self, script: &str) -> Output {
        let root = self.root().to_str().unwrap();
        let path = std::env::var("PATH").unwrap();
        // Nobody waits here.
        let script = self.here(script).replace("sleep 1;", "");
        Command::new("sh")
            .arg("-c")
            .arg(script)
            .env("AT", root)
            .env("PATH", format!("{root}/bin:{path}"))
            .output()
            .unwrap()
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root().join(path)).unwrap_or_default()
    }
}

fn mark() -> Mark {
    Mark {
        project: Project::new("demo"),
        address: Address::new("workload.feed"),
    }
}

fn unit(version: &str, health: &[&str]) -> Unit {
    Unit {
        name: "demo.feed".to_owned(),
        exec: vec![format!("{}/feed", Unit::current_path("demo.feed"))],
        current: Some(version.to_owned()),
        env: [("VERSION".to_owned(), version.into())].into(),
        life: UnitLife {
            health_check: health.iter().map(|&word| word.to_owned()).collect(),
            ..UnitLife::default()
        },
        ..Unit::default()
    }
}

/// What is there once the old one was made and the new one took its place.
fn switched(host: &Host, health: &[&str]) -> Output {
    let old = unit("old", health);
    let made = host.run(&settle(&old, &mark(), None, None).unwrap());
    assert!(made.status.success(), "{made:?}");
    assert_eq!(host.read("ran"), "old\n");
    let there = decode("demo.feed", &[encode(&old, &mark())]).unwrap();
    let new = unit("new", health);
    let restart = Some(Impact::Restart);
    host.run(&settle(&new, &mark(), Some(&there), restart).unwrap())
}

fn stands(host: &Host) -> (String, String, String) {
    let link = std::fs::read_link(host.root().join("units/demo.feed/current")).unwrap();
    let leads_to = link.file_name().unwrap().to_str().unwrap().to_owned();
    (leads_to, host.read("ran"), host.read("units/demo.feed.env"))
}

fn all(version: &str) -> (String, String, String) {
    let env = format!("VERSION=\"{version}\"\n");
    (version.to_owned(), format!("{version}\n"), env)
}

#[test]
fn a_unit_runs_from_the_new_files() {
    for health in [&[][..], &["/bin/true"]] {
        let host = Host::new("#!/bin/sh\necho new\n");
        let output = switched(&host, health);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(stands(&host), all("new"));
        assert!(!host.root().join("units/demo.feed/before").exists());
    }
}

#[test]
fn where_it_does_not_it_runs_from_the_former_ones_again() {
    for (new, health) in [
        ("#!/bin/sh\nexit 1\n", &[][..]),
        ("#!/bin/sh\necho new\n", &["/bin/false"]),
        // It ended a moment later, or was started again by then.
        ("#!/bin/sh\nrm $AT/state; ln -s /dev/null $AT/state\n", &[]),
        ("#!/bin/sh\necho 1 > $AT/restarts\n", &[]),
    ] {
        let host = Host::new(new);
        let output = switched(&host, health);
        assert_eq!(output.status.code(), Some(BACK), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("runs from the former ones again"), "{said}");
        assert_eq!(stands(&host), all("old"));
        let file = host.read("system/demo.feed.service");
        assert!(file.contains("Current=old\n"), "{file}");
        assert!(!host.root().join("units/demo.feed/before").exists());
    }
}

#[test]
fn the_link_goes_with_the_unit() {
    let host = Host::new("");
    let output = switched(&host, &[]);
    assert!(
        output.status.success(),
        "an empty script ends well: {output:?}"
    );
    let gone = host.run(&crate::act::remove_all("demo.feed", None));
    assert!(gone.status.success(), "{gone:?}");
    assert!(!host.root().join("units/demo.feed").exists());
    assert!(
        host.root().join("files/new").exists(),
        "they are another object"
    );
}
