//! A configuration of one's own for a host of the lab, and what the host itself says.

use std::cell::Cell;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

pub(crate) struct Bench {
    folder: tempfile::TempDir,
    /// Of the configuration, within the other.
    home: PathBuf,
    /// Of its variables.
    values: Vec<(String, String)>,
    /// A connection of the test's own: each one anew takes an emulated host seconds.
    way: Child,
    pub(crate) project: &'static str,
    pub(crate) host: String,
    /// It was destroyed, and nothing was run since: to do that once more would only cost a connection.
    gone: Cell<bool>,
    /// Nobody else has the host until this is dropped.
    _turn: Option<File>,
}

impl Bench {
    /// Nothing where there is no lab. In the configuration PROJECT and HOST are replaced.
    pub(crate) fn new(project: &'static str, configuration: &str) -> Option<Self> {
        let hosts = hosts();
        if hosts.is_empty() {
            eprintln!("SKIPPED: INFRA_LAB is not set, so nothing was tried on a whole host");
            return None;
        }
        let (host, turn) = first_free(&hosts);
        Some(Self::on(host, Some(turn), project, configuration))
    }

    /// Another project on the same host.
    pub(crate) fn beside(&self, project: &'static str, configuration: &str) -> Self {
        Self::on(self.host.clone(), None, project, configuration)
    }

    /// One of `examples`, with values for its variables, in which HOST is replaced. The project has its name.
    pub(crate) fn example(name: &'static str, values: &[(&str, &str)]) -> Option<Self> {
        let mut bench = Self::new(name, "")?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let home = bench.folder.path().join("examples").join(name);
        std::fs::create_dir_all(&home).expect("a folder can be made");
        modules(root, &bench.folder.path().join("modules")).expect("they can be copied");
        let file = "main.infra.hcl";
        let from = root.join("examples").join(name).join(file);
        std::fs::copy(from, home.join(file)).expect("there is such an example");
        let value = |(name, value): &(&str, &str)| {
            let name = format!("INFRA_VAR_{name}");
            (name, value.replace("HOST", &bench.host))
        };
        bench.values = values.iter().map(value).collect();
        bench.home = home;
        Some(bench)
    }

    /// On two of them, of which the configuration's HOST is the first and SECOND the other.
    pub(crate) fn on_two(project: &'static str, configuration: &str) -> Option<(Self, Second)> {
        let [one, two] = hosts().try_into().ok().or_else(|| {
            eprintln!("SKIPPED: INFRA_LAB does not name two hosts, so nothing was tried on two");
            None
        })?;
        let turns = [&one, &two].map(|host| {
            let turn = turn(host);
            turn.lock().expect("a file can be locked");
            turn
        });
        let [turn, second] = turns;
        let second = Second {
            host: two,
            _turn: second,
        };
        let configuration = configuration.replace("SECOND", &second.host);
        Some((Self::on(one, Some(turn), project, &configuration), second))
    }

    fn on(host: String, turn: Option<File>, project: &'static str, configuration: &str) -> Self {
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
            home: folder.path().to_owned(),
            values: Vec::new(),
            folder,
            way: way.expect("ssh runs"),
            project,
            host,
            gone: Cell::new(false),
            _turn: turn,
        };
        bench.write(configuration);
        bench
    }

    pub(crate) fn write(&self, configuration: &str) {
        let text = configuration
            .replace("PROJECT", self.project)
            .replace("HOST", &self.host);
        std::fs::write(self.path("main.infra.hcl"), text).expect("a file can be written");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.gone.set(false);
        let mut command = Command::new(env!("CARGO_BIN_EXE_infra"));
        command.arg("-C").arg(&self.home).args(args);
        command.env("NO_COLOR", "1").envs(self.values.clone());
        command
    }

    pub(crate) fn infra(&self, args: &[&str]) -> Output {
        let output = self.command(args).output().expect("infra runs");
        self.gone
            .set(output.status.success() && args.first() == Some(&"destroy"));
        output
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
        let output = self.ssh(script);
        assert!(output.status.success(), "{script}\n{}", said(&output));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The same where it may not answer.
    pub(crate) fn tries(&self, script: &str) -> Option<String> {
        let output = self.ssh(script);
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(said)
    }

    /// A program of the host's own.
    pub(crate) fn put(&self, path: &str, text: &str) {
        self.shell(&format!(
            "cat > {path} << 'END OF IT'\n{text}\nEND OF IT\nchmod 755 {path}"
        ));
    }

    fn ssh(&self, script: &str) -> Output {
        let mut command = Command::new("ssh");
        let command = command.args(ssh(&self.folder, &[]));
        command
            .args([&self.host, script])
            .output()
            .expect("ssh runs")
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
        if !self.gone.get() {
            self.destroy();
        }
        if !std::thread::panicking() {
            assert_eq!(self.left(), "", "left behind");
        }
        let _ = self.way.kill();
        let _ = self.way.wait();
    }
}

impl Bench {
    fn destroy(&self) {
        let output = self.infra(&["destroy", "--auto-approve"]);
        if !std::thread::panicking() {
            assert!(output.status.success(), "destroying\n{}", said(&output));
        }
    }
}

/// The modules as they are, but that they ask less often whether all is well, once it is: each question takes an emulated host
/// seconds of a CPU, and it has two to ask and to answer.
fn modules(root: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    let from = root.join("modules");
    std::os::unix::fs::symlink(from.join("build"), to.join("build"))?;
    for module in std::fs::read_dir(from)? {
        let module = module?;
        let text = module.path().join("main.infra.hcl");
        if !text.exists() {
            continue;
        }
        let folder = to.join(module.file_name());
        std::fs::create_dir(&folder)?;
        for file in std::fs::read_dir(module.path())? {
            let file = file?;
            if file.file_type()?.is_file() {
                std::fs::copy(file.path(), folder.join(file.file_name()))?;
            }
        }
        let text = std::fs::read_to_string(text)?;
        std::fs::write(folder.join("main.infra.hcl"), seldom(&text))?;
    }
    Ok(())
}

fn seldom(text: &str) -> String {
    let period = match text.contains("start_period") {
        true => "",
        false => "start_period = \"2m\"\n",
    };
    let lines = text.lines().map(|line| match line.trim_start() {
        it if it.starts_with("interval ") => {
            format!("interval = \"2m\"\nstart_interval = \"3s\"\n{period}")
        }
        _ => format!("{line}\n"),
    });
    lines.collect()
}

/// The other host of a test that takes two.
pub(crate) struct Second {
    pub(crate) host: String,
    _turn: File,
}

/// Those that are up.
fn hosts() -> Vec<String> {
    let named = std::env::var("INFRA_LAB").unwrap_or_default();
    named.split_whitespace().map(str::to_owned).collect()
}

/// What a test changes on a host is another's to stumble over: a host is one test's at a time.
fn turn(host: &str) -> File {
    let config = std::env::var("INFRA_SSH_CONFIG").expect("INFRA_SSH_CONFIG is set, too");
    File::create(format!("{config}.{host}.turn")).expect("a file can be made beside it")
}

fn first_free(hosts: &[String]) -> (String, File) {
    let turns: Vec<File> = hosts.iter().map(|host| turn(host)).collect();
    loop {
        if let Some(at) = turns.iter().position(|turn| turn.try_lock().is_ok()) {
            let turn = turns.into_iter().nth(at).expect("it is one of them");
            return (hosts[at].clone(), turn);
        }
        std::thread::sleep(Duration::from_millis(200));
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
