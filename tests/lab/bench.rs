//! A configuration of one's own for a host of the lab, and what the host itself says.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

pub(crate) struct Bench {
    folder: tempfile::TempDir,
    /// A connection of the test's own: each one anew takes an emulated host seconds.
    way: Child,
    pub(crate) project: &'static str,
    pub(crate) host: String,
}

impl Bench {
    /// Nothing where there is no lab. In the configuration PROJECT and HOST are replaced.
    pub(crate) fn new(project: &'static str, configuration: &str) -> Option<Self> {
        let Some(host) = std::env::var("INFRA_LAB")
            .ok()
            .filter(|host| !host.is_empty())
        else {
            eprintln!("SKIPPED: INFRA_LAB is not set, so nothing was tried on a whole host");
            return None;
        };
        assert!(
            std::env::var_os("INFRA_SSH_CONFIG").is_some(),
            "INFRA_SSH_CONFIG is set, too"
        );
        let folder = tempfile::tempdir().expect("a folder can be made");
        let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/quickstart/build");
        std::os::unix::fs::symlink(images, folder.path().join("build"))
            .expect("a link can be made");
        let way = Command::new("ssh")
            .args(ssh(&folder, &["-M", "-N"]))
            .arg(&host)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        let bench = Self {
            folder,
            way: way.expect("ssh runs"),
            project,
            host,
        };
        bench.write(configuration);
        Some(bench)
    }

    pub(crate) fn write(&self, configuration: &str) {
        let text = configuration
            .replace("PROJECT", self.project)
            .replace("HOST", &self.host);
        std::fs::write(self.path("main.infra.hcl"), text).expect("a file can be written");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn infra(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_infra"));
        command
            .arg("-C")
            .arg(self.folder.path())
            .args(args)
            .env("NO_COLOR", "1");
        command.output().expect("infra runs")
    }

    /// Runs it, and says everything it said where it ends otherwise.
    pub(crate) fn run(&self, code: i32, args: &[&str]) -> String {
        let output = self.infra(args);
        assert_eq!(
            output.status.code(),
            Some(code),
            "infra {args:?}\n{}",
            said(&output)
        );
        said(&output)
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let output = self.infra(args);
        assert!(output.status.success(), "infra {args:?}\n{}", said(&output));
        serde_json::from_slice(&output.stdout).expect("it is JSON")
    }

    /// What root's shell says there.
    pub(crate) fn shell(&self, script: &str) -> String {
        let output = Command::new("ssh")
            .args(ssh(&self.folder, &[]))
            .args([&self.host, script])
            .output();
        let output = output.expect("ssh runs");
        assert!(output.status.success(), "{script}\n{}", said(&output));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// What is there of the project, as the host's daemons themselves say.
    fn left(&self) -> String {
        let project = self.project;
        self.shell(&format!(
            "ls /etc/systemd/system /var/lib/infra/units 2> /dev/null | grep '^{project}[.]'; \
             docker ps -aq --filter label=infra.project={project}; \
             virsh -q list --all --name | grep '^{project}[.]'; \
             virsh -q net-list --all --name | grep '^{project}[.]'; \
             virsh -q pool-list --all --name | grep 'infra-{project}$'; true"
        ))
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let output = self.infra(&["destroy", "--auto-approve"]);
        if !std::thread::panicking() {
            assert!(output.status.success(), "destroying\n{}", said(&output));
            assert_eq!(self.left(), "", "left behind");
        }
        let _ = self.way.kill();
        let _ = self.way.wait();
    }
}

/// Where the connection is not there yet, or not any more, there is one for the command alone.
fn ssh(folder: &tempfile::TempDir, more: &[&str]) -> Vec<String> {
    let config = std::env::var("INFRA_SSH_CONFIG").expect("it is set");
    let way = format!("ControlPath={}", folder.path().join("way").display());
    let own = ["-F", &config, "-o", &way].map(str::to_owned);
    own.into_iter()
        .chain(more.iter().map(|&more| more.to_owned()))
        .collect()
}

pub(crate) fn said(output: &Output) -> String {
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    format!("{out}{err}")
}
