//! The way into a host: commands run there, on this machine or over an SSH connection that somebody has opened. What a
//! command says is told; what it means is its caller's to know.

mod lock;
mod quote;

use std::fmt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use infra_api::{Failure, HostName, Remedy};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::Semaphore;

pub use lock::{FILE as LOCK, HostLock};
pub use quote::quoted;

/// A script of which nothing is done before all of it has come, and that ends where something of it fails: a shell does what
/// it has read of one that is cut off.
#[must_use]
pub fn as_one(script: &str) -> String {
    format!("main() {{\nset -eu\n{script}}}\nmain\n")
}

/// What a script prints, at its end, where it would have to be root to read on.
pub const NOT_ROOT: &str = "not root";

/// An SSH server takes ten sessions on one connection unless it is told otherwise, and three providers come through a door
/// of their own.
const AT_ONCE: usize = 3;

/// How a host is reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// It is this machine.
    Here,
    /// By the socket of an `ssh` that holds the connection.
    Over(String),
}

/// An open door.
pub struct Door {
    host: HostName,
    way: Way,
    /// Who came in is not root.
    sudo: bool,
    at_once: Semaphore,
}

/// What a command said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Nothing where a signal ended it.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Said {
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The last line that it said of what went wrong.
    #[must_use]
    pub fn why(&self) -> String {
        let said = String::from_utf8_lossy(&self.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        match (last, self.code) {
            (Some(line), _) => line.trim().to_owned(),
            (None, Some(code)) => format!("it ended with status {code} and said nothing"),
            (None, None) => "a signal ended it".to_owned(),
        }
    }
}

/// What is to be run.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// As in "loading units", for who reads of its failure.
    pub doing: &'a str,
    pub words: &'a [&'a str],
    /// On its stdin.
    pub input: &'a [u8],
    /// On its stdin instead: what is in this file.
    pub file: Option<&'a Path>,
    pub limit: Duration,
    /// What only root may do.
    pub root: bool,
    /// What changes the host: see [`Order::as_change`].
    pub changes: bool,
}

/// Where nothing else is said.
pub const PATIENCE: Duration = Duration::from_secs(60);

impl<'a> Order<'a> {
    #[must_use]
    pub fn new(doing: &'a str, words: &'a [&'a str]) -> Self {
        Self {
            doing,
            words,
            input: b"",
            file: None,
            limit: PATIENCE,
            root: false,
            changes: false,
        }
    }

    /// A script for the shell there.
    #[must_use]
    pub fn script(doing: &'a str, script: &'a str) -> Self {
        Self::new(doing, &["sh"]).with(script.as_bytes())
    }

    #[must_use]
    pub fn as_root(self) -> Self {
        Self { root: true, ..self }
    }

    /// What changes the host, which only root may. Whoever [locks](Door::lock) the host after us waits until it has ended, also where
    /// we are gone by then.
    #[must_use]
    pub fn as_change(self) -> Self {
        Self {
            root: true,
            changes: true,
            ..self
        }
    }

    #[must_use]
    pub fn with(self, input: &'a [u8]) -> Self {
        Self { input, ..self }
    }

    #[must_use]
    pub fn with_file(self, file: &'a Path) -> Self {
        Self {
            file: Some(file),
            ..self
        }
    }

    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here => write!(f, "here"),
            Self::Over(socket) => write!(f, "over:{socket}"),
        }
    }
}

impl Door {
    /// `sudo`: who comes in is not root, and asks for it where it is needed.
    #[must_use]
    pub fn new(host: HostName, way: Way, sudo: bool) -> Self {
        Self {
            host,
            way,
            sudo,
            at_once: Semaphore::new(AT_ONCE),
        }
    }

    /// By what [`Door::endpoint`] wrote.
    ///
    /// # Errors
    /// When it is no way.
    pub fn at(host: &HostName, endpoint: &str) -> Result<Self, Failure> {
        let (way, sudo) = match endpoint.strip_suffix("+sudo") {
            Some(way) => (way, true),
            None => (endpoint, false),
        };
        let way = match way.strip_prefix("over:") {
            Some(socket) => Way::Over(socket.to_owned()),
            None if way == "here" => Way::Here,
            None => {
                let doing = format!("opening the way to host `{host}`");
                let why = format!("`{endpoint}` is no way");
                return Err(Failure::new(Remedy::Operator, doing, why));
            }
        };
        Ok(Self::new(host.clone(), way, sudo))
    }

    /// What a provider is told.
    #[must_use]
    pub fn endpoint(way: &Way, sudo: bool) -> String {
        format!("{way}{}", if sudo { "+sudo" } else { "" })
    }

    #[must_use]
    pub fn host(&self) -> &HostName {
        &self.host
    }

    /// Runs a command, and tells what it said, whatever that is.
    ///
    /// # Errors
    /// When it could not be run, took too long, or the connection is gone: then nobody knows what it did.
    pub async fn run(&self, order: Order<'_>) -> Result<Said, Failure> {
        let doing = || format!("{} on host `{}`", order.doing, self.host);
        let retry = |why: String| Failure::new(Remedy::Retry, doing(), why);
        let program = order.words.first().copied().unwrap_or_default();
        let _turn = self.at_once.acquire().await;
        let stdin = match order.file {
            None => Stdio::piped(),
            Some(file) => {
                let opened = std::fs::File::open(file);
                let why = |error| format!("{}: {error}", file.display());
                let hint = "the file must be readable where infra runs";
                let failure = |why| Failure::new(Remedy::Operator, doing(), why).hint(hint);
                opened.map_err(why).map_err(failure)?.into()
            }
        };
        let child = self
            .command(order)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child =
            child.map_err(|error| retry(format!("`{program}` does not run: {error}")))?;
        let stdin = child.stdin.take();
        let talk = async {
            let speak = async {
                if let Some(mut stdin) = stdin {
                    // Who has ended already does not listen; its status tells the rest.
                    let _ = stdin.write_all(order.input).await;
                }
            };
            tokio::join!(speak, child.wait_with_output()).1
        };
        let output = match tokio::time::timeout(order.limit, talk).await {
            Ok(output) => output.map_err(|error| retry(error.to_string()))?,
            Err(_) => {
                let limit = order.limit.as_secs();
                return Err(retry(format!("`{program}` did not end within {limit} s")));
            }
        };
        let said = Said {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: output.stderr,
        };
        match self.no_answer(&said, order) {
            Some((remedy, why, hint)) => Err(Failure::new(remedy, doing(), why).hint(hint)),
            None => Ok(said),
        }
    }

    /// The same of a command that is to end well.
    ///
    /// # Errors
    /// When it did not, with the last line that it said.
    pub async fn must(&self, order: Order<'_>) -> Result<Said, Failure> {
        let said = self.run(order).await?;
        if said.code == Some(0) {
            return Ok(said);
        }
        let doing = format!("{} on host `{}`", order.doing, self.host);
        Err(Failure::new(Remedy::Operator, doing, said.why()))
    }

    /// The same of one that mostly reads what anybody may: it is run once more with root's rights where it says
    /// [`NOT_ROOT`]. Who has none of them is refused only where they are needed.
    ///
    /// # Errors
    /// As of [`Self::must`].
    pub async fn reads(&self, order: Order<'_>) -> Result<Said, Failure> {
        let said = self.must(order).await?;
        match said.stdout.ends_with(NOT_ROOT.as_bytes()) {
            true => self.must(order.as_root()).await,
            false => Ok(said),
        }
    }

    fn command(&self, order: Order<'_>) -> Command {
        let sudo: &[&str] = match order.root && self.sudo {
            true => &["sudo", "-n", "--"],
            false => &[],
        };
        let marked: &[&str] = match order.changes {
            true => &["flock", "-s", "-o", lock::STEPS],
            false => &[],
        };
        let words = sudo.iter().chain(marked).chain(order.words).copied();
        match &self.way {
            Way::Here => {
                let mut words = words;
                let mut command = Command::new(words.next().unwrap_or_default());
                command.args(words);
                command
            }
            Way::Over(socket) => {
                let mut command = Command::new("ssh");
                // The connection is there; the name of the host is of no meaning to it.
                command.args([
                    "-F",
                    "none",
                    "-T",
                    "-o",
                    "BatchMode=yes",
                    "-o",
                    "ControlMaster=no",
                ]);
                command.args(["-S", socket, "none", "--"]);
                command.arg(words.map(quoted).collect::<Vec<_>>().join(" "));
                command
            }
        }
    }

    /// Where ssh or sudo answers in the command's stead: what is to be done about it, and why.
    fn no_answer(&self, said: &Said, order: Order<'_>) -> Option<(Remedy, String, &'static str)> {
        let why = said.why();
        if matches!(self.way, Way::Over(_)) && said.code == Some(255) {
            let why = format!("the SSH connection is lost: {why}");
            return Some((
                Remedy::Retry,
                why,
                "what was done is found out by the next plan",
            ));
        }
        let refused = order.root && self.sudo && said.code == Some(1) && why.starts_with("sudo:");
        refused.then_some((
            Remedy::Operator,
            why,
            "who comes in is not root: allow him `sudo` without a password, or let root in by a key",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Door {
        Door::new(HostName::new("r1"), Way::Here, false)
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn endpoints_are_read_as_written() {
        let host = HostName::new("r1");
        for (way, sudo) in [
            (Way::Here, false),
            (Way::Here, true),
            (Way::Over("/x y+z".into()), true),
        ] {
            let door = Door::at(&host, &Door::endpoint(&way, sudo)).ok().unwrap();
            assert_eq!((door.way, door.sudo), (way, sudo));
        }
        assert!(Door::at(&host, "ssh://r1").is_err());
    }

    #[test]
    fn a_command_says_what_it_says() {
        let script = ["sh", "-c", "cat; echo no >&2; exit 3"];
        let said = block_on(here().run(Order::new("trying", &script).with(b"yes"))).unwrap();
        assert_eq!(
            (said.code, said.text().as_str(), said.why().as_str()),
            (Some(3), "yes", "no")
        );
        let failure = block_on(here().must(Order::new("trying", &script))).unwrap_err();
        assert_eq!(failure.to_string(), "trying on host `r1`: no");
        assert_eq!(failure.remedy, Remedy::Operator);
    }

    #[test]
    fn what_does_not_end_is_ended() {
        let order = Order::new("waiting", &["sleep", "60"]).within(Duration::from_millis(50));
        let failure = block_on(here().run(order)).unwrap_err();
        assert!(failure.cause.contains("did not end"), "{failure}");
        let none = Order::new("trying", &["/nonexistent/program"]);
        assert!(
            block_on(here().run(none))
                .unwrap_err()
                .cause
                .contains("does not run")
        );
    }
}
