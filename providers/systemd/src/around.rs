//! What is done with slices and mounts: one script for each step, as with units.

use std::fmt::Write;

use infra_api::Mark;
use infra_api::target::{HostMount, Slice};
use infra_door::{as_one, quoted};

use crate::act::{PUT, lay_aside, put};
use crate::look::{CONTROL, FOLDER};
use crate::text::{encode_mount, encode_slice, live_slice};

/// Everybody may read them.
const ROOT: (u32, u32, u32) = (0o644, 0, 0);

/// What is in it goes on running.
pub(crate) fn settle_slice(slice: &Slice, mark: &Mark) -> String {
    let file = format!("{}.slice", slice.name);
    let mut script = written(&file, &encode_slice(slice, mark));
    let live: Vec<String> = live_slice(slice).iter().map(|it| quoted(it)).collect();
    let (name, live) = (quoted(&file), live.join(" "));
    // Set for what runs, and taken away again: its own file says the same.
    let _ = writeln!(
        script,
        "if systemctl -q is-active {name}; then\n\
         systemctl --runtime set-property {name} {live}; rm -rf {}/{name}.d; systemctl daemon-reload\n\
         fi",
        CONTROL[1]
    );
    as_one(&script)
}

/// Who requires a mount that changes is stopped with it, and started again.
pub(crate) fn settle_mount(mount: &HostMount, mark: &Mark) -> String {
    let file = format!("{}.mount", mount.name);
    let mut script = written(&file, &encode_mount(mount, mark));
    let name = quoted(&file);
    let _ = writeln!(
        script,
        "systemctl -q enable {name}\n\
         systemctl reset-failed {name} 2> /dev/null || true\n\
         systemctl restart {name}"
    );
    as_one(&script)
}

fn written(file: &str, text: &str) -> String {
    let mut script = PUT.to_owned();
    put(
        &mut script,
        &format!("{FOLDER}/{file}"),
        text.as_bytes(),
        ROOT,
    );
    lay_aside(&mut script, file);
    script += "systemctl daemon-reload\n";
    script
}

/// Ends it and removes what is its own; what is on a file system stays. The mark goes last: until then it is found.
pub(crate) fn remove(file: &str) -> String {
    let name = quoted(file);
    let mut script = match file.ends_with(".mount") {
        true => format!("systemctl -q disable --now {name}\n"),
        false => format!("systemctl stop {name}\n"),
    };
    for folder in CONTROL {
        let _ = writeln!(script, "rm -rf {folder}/{name}.d");
    }
    let _ = writeln!(
        script,
        "rm -f {FOLDER}/{name}\nsystemctl daemon-reload\nsystemctl reset-failed {name} 2> /dev/null || true"
    );
    as_one(&script)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Output};

    use infra_api::target::UnitLimits;
    use infra_api::{Address, Project};

    use super::*;

    /// Carries a script out with a systemctl that writes down what it is told, and a folder for `/etc` and `/run`.
    fn run(at: &std::path::Path, script: &str) -> Output {
        use std::os::unix::fs::PermissionsExt;
        let at = at.to_str().unwrap();
        std::fs::create_dir_all(format!("{at}/bin")).unwrap();
        for (name, text) in [
            ("systemctl", "#!/bin/sh\necho \"$*\" >> \"$AT/log\"\n"),
            // Who tests need not be root.
            ("chown", "#!/bin/sh\n"),
        ] {
            let path = format!("{at}/bin/{name}");
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = std::env::var("PATH").unwrap();
        let script = script
            .replace("/etc/systemd", at)
            .replace("/run/systemd", &format!("{at}/run"));
        Command::new("sh")
            .arg("-c")
            .arg(script)
            .env("AT", at)
            .env("PATH", format!("{at}/bin:{path}"))
            .output()
            .unwrap()
    }

    fn mark() -> Mark {
        Mark {
            project: Project::new("my-lab"),
            address: Address::new("slice.desk"),
        }
    }

    /// What systemd was told by each script, and whether the file is there after it.
    fn told(file: &str, settle: &str) -> (Vec<String>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let log = || -> Vec<String> {
            let text = std::fs::read_to_string(at.join("log")).unwrap();
            std::fs::remove_file(at.join("log")).unwrap();
            text.lines().map(str::to_owned).collect()
        };
        let there = || at.join("system").join(file).exists();
        let output = run(at, settle);
        assert!(output.status.success(), "{output:?}");
        assert!(there());
        let settled = log();
        let output = run(at, &remove(file));
        assert!(output.status.success(), "{output:?}");
        assert!(!there());
        (settled, log())
    }

    #[test]
    fn a_slice_is_written_told_and_removed() {
        let slice = Slice {
            name: "infra-my\\x2dlab.desk".to_owned(),
            limits: UnitLimits {
                cpu_weight: Some(500),
                ..UnitLimits::default()
            },
            ..Slice::default()
        };
        let file = "infra-my\\x2dlab.desk.slice";
        let (settled, removed) = told(file, &settle_slice(&slice, &mark()));
        let set = format!(
            "--runtime set-property {file} MemoryMax=infinity MemoryLow=0 MemorySwapMax=infinity TasksMax=infinity CPUWeight=500 IOWeight=100"
        );
        let active = format!("-q is-active {file}");
        assert_eq!(settled, ["daemon-reload", &active, &set, "daemon-reload"]);
        let (stop, reset) = (format!("stop {file}"), format!("reset-failed {file}"));
        assert_eq!(removed, [&stop, "daemon-reload", &reset]);
    }

    #[test]
    fn a_mount_is_loaded_enabled_started_and_removed() {
        let mount = HostMount {
            name: "srv-data".to_owned(),
            path: "/srv/data".to_owned(),
            source: "/dev/vdb".to_owned(),
            ..HostMount::default()
        };
        let (settled, removed) = told("srv-data.mount", &settle_mount(&mount, &mark()));
        let expected = [
            "daemon-reload",
            "-q enable srv-data.mount",
            "reset-failed srv-data.mount",
            "restart srv-data.mount",
        ];
        assert_eq!(settled, expected);
        let expected = [
            "-q disable --now srv-data.mount",
            "daemon-reload",
            "reset-failed srv-data.mount",
        ];
        assert_eq!(removed, expected);
    }
}
