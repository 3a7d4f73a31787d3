//! The ways into other hosts over SSH: one connection for each destination, on it commands and a forward for each daemon's
//! socket. The person's own ssh does it, with his configuration, agent, jump hosts and known hosts; an unknown key is
//! refused.

mod open;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::Duration;

use futures_util::future::join_all;
use infra_api::{Failure, Login, Remedy};
use infra_door::LOCK;
use openssh::{ControlPersist, Error, KnownHosts, SessionBuilder};

use open::{Entered, Open};

/// How long a server may take to answer.
const OPENING: Duration = Duration::from_secs(20);

/// A server that says nothing for three times as long is gone.
const ALIVE: Duration = Duration::from_secs(10);

/// The connection ends with us; where we are killed, so long after the last use of it.
const IDLE: NonZeroUsize = NonZeroUsize::new(600).expect("600 is not 0");

/// A daemon behind an SSH server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remote {
    pub(super) destination: Destination,
    /// Of the daemon, on its host.
    socket: String,
    /// What a provider is told, before the path of the socket on this side.
    spelling: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Destination {
    login: Login,
    key: Option<String>,
}

impl From<&Login> for Destination {
    fn from(login: &Login) -> Self {
        let login = login.clone();
        Self { login, key: None }
    }
}

/// What is left of `SCHEME://[USER@]HOST[:PORT]PATH[?QUERY]` behind the scheme.
struct Parts<'a> {
    destination: Destination,
    path: &'a str,
    query: BTreeMap<&'a str, &'a str>,
}

impl Remote {
    /// Nothing, of an endpoint that is reached without SSH.
    pub(super) fn of(endpoint: &str) -> Option<Result<Self, String>> {
        if let Some(rest) = endpoint.strip_prefix("ssh://") {
            return Some(Self::docker(rest));
        }
        let rest = endpoint.strip_prefix("qemu+ssh://")?;
        Some(Self::libvirt(rest))
    }

    fn docker(rest: &str) -> Result<Self, String> {
        let Parts {
            destination,
            path,
            query,
        } = parts(rest)?;
        if let Some(key) = query.keys().next() {
            return Err(unknown(key));
        }
        let socket = match path {
            "" | "/" => "/var/run/docker.sock",
            path => path,
        };
        Ok(Self {
            destination,
            socket: socket.to_owned(),
            spelling: "unix://",
        })
    }

    fn libvirt(rest: &str) -> Result<Self, String> {
        let Parts {
            mut destination,
            path,
            mut query,
        } = parts(rest)?;
        if path != "/system" {
            return Err(format!(
                "`{path}` is not `/system`, the daemon that is there for the whole host"
            ));
        }
        let socket = query
            .remove("socket")
            .unwrap_or("/var/run/libvirt/libvirt-sock");
        destination.key = query.remove("keyfile").map(str::to_owned);
        match query.keys().next() {
            Some(key) => Err(unknown(key)),
            None => Ok(Self {
                destination,
                socket: socket.to_owned(),
                spelling: "qemu+unix:///system?socket=",
            }),
        }
    }

    fn spelt(&self, near: &str) -> String {
        format!("{}{near}", self.spelling)
    }
}

fn unknown(key: &str) -> String {
    format!("`?{key}=…` is not known here: what ssh needs to know stands in its own configuration")
}

fn parts(rest: &str) -> Result<Parts<'_>, String> {
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let login = Login::parse(place)?;
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    Ok(Parts {
        destination: Destination { login, key: None },
        path,
        query: pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .collect(),
    })
}

/// The open connections. They end with it.
#[derive(Default)]
pub(super) struct Ways {
    open: BTreeMap<Destination, Result<Open, Failure>>,
}

impl Ways {
    /// Opens one connection for each destination, all at once.
    pub(super) async fn open(destinations: BTreeSet<Destination>) -> Self {
        let opened = destinations.into_iter().map(|destination| async {
            let opened = enter(&destination).await.map(Open::from);
            (destination, opened)
        });
        Self {
            open: join_all(opened).await.into_iter().collect(),
        }
    }

    pub(super) fn to(&self, destination: &Destination) -> Result<&Open, &Failure> {
        match self.open.get(destination) {
            Some(opened) => opened.as_ref(),
            None => unreachable!("a connection is opened for every destination"),
        }
    }

    /// What a provider is to open instead. `boot`: of the machine whose daemon it is; what is planned from its CPUs and
    /// memory would be carried out on another one.
    pub(super) async fn forward(
        &self,
        remote: &Remote,
        number: usize,
        boot: Option<&str>,
    ) -> Result<String, Failure> {
        let open = self.to(&remote.destination).map_err(Failure::clone)?;
        let name = &remote.destination.login;
        if boot.is_some_and(|boot| boot != open.boot) {
            let doing = format!("connecting to {name} by SSH");
            let failure = Failure::new(Remedy::Operator, doing, "it is another machine");
            return Err(failure.hint(
                "a daemon is that of its `host`: write who comes in there as its `address`",
            ));
        }
        let near = open.forward(number, &remote.socket).await;
        let near = near
            .map_err(|error| failure(format!("forwarding {} of {name}", remote.socket), &error))?;
        Ok(remote.spelt(&near.to_string_lossy()))
    }

    /// Opens a connection anew that has ended since; whether there was one to open.
    pub(super) async fn reopen(&self, destination: &Destination) -> Result<(), Failure> {
        match self.open.get(destination) {
            Some(Ok(open)) => open.again(destination).await,
            // What was never open stays closed: whoever needs it was told why.
            Some(Err(_)) | None => Ok(()),
        }
    }
}

/// Comes in, and looks where that leads.
async fn enter(destination: &Destination) -> Result<Entered, Failure> {
    let Destination { login, key } = destination;
    let doing = || format!("connecting to {login} by SSH");
    let mut builder = SessionBuilder::default();
    builder
        .known_hosts_check(KnownHosts::Strict)
        .connect_timeout(OPENING)
        .server_alive_interval(ALIVE)
        .control_persist(ControlPersist::IdleFor(IDLE));
    login.user.clone().map(|user| builder.user(user));
    login.port.map(|port| builder.port(port));
    key.as_ref().map(|key| builder.keyfile(key));
    if let Some(file) = std::env::var_os("INFRA_SSH_CONFIG").filter(|file| !file.is_empty()) {
        builder.config_file(file);
    }
    let session = builder.connect(&login.host).await;
    let session = session.map_err(|e| failure(doing(), &e))?;
    let mut shell = session.command("sh");
    let script = format!("head -n 1 {LOCK} 2> /dev/null || echo; id -u && cat {BOOT}");
    shell.args(["-c", &script]);
    let told = tokio::time::timeout(OPENING, shell.output()).await;
    let told = told.map_err(|_| {
        let limit = OPENING.as_secs();
        let why = format!("it lets in, but no shell answers there within {limit} s");
        Failure::new(Remedy::Retry, doing(), why)
    })?;
    let told = told.map_err(|e| failure(doing(), &e))?.stdout;
    let told = String::from_utf8_lossy(&told).into_owned();
    // A login may greet before.
    let mut last = told.lines().rev();
    match (last.next(), last.next(), last.next()) {
        (Some(boot), Some(user), lock) => Ok(Entered {
            boot: boot.to_owned(),
            root: user == "0",
            last: lock.unwrap_or_default().to_owned(),
            session,
        }),
        _ => {
            let failure = Failure::new(
                Remedy::Operator,
                doing(),
                "no shell of a Linux answers there",
            );
            Err(failure.hint("`ssh` by hand shows what does"))
        }
    }
}

const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// Of this machine.
pub(super) fn boot() -> Option<String> {
    Some(std::fs::read_to_string(BOOT).ok()?.trim().to_owned())
}

/// What ssh says to a failed connection, and what can be done about it.
const HINTS: [(&str, &str); 5] = [
    (
        "Host key verification failed",
        "its key is unknown or another one: check it, then connect once with `ssh` to take it over",
    ),
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its key is another one than before: find out why, then `ssh-keygen -R HOST`",
    ),
    (
        "Permission denied",
        "no key of this user is let in: try `ssh` by hand; nobody is asked for a password here",
    ),
    ("Could not resolve", "is the name right?"),
    (
        "Connection refused",
        "is an SSH server running there, on that port?",
    ),
];

fn failure(doing: String, error: &Error) -> Failure {
    let cause = match error {
        Error::Master(why) | Error::Connect(why) | Error::Ssh(why) | Error::Remote(why) => {
            why.to_string()
        }
        other => other.to_string(),
    };
    let known = HINTS.iter().find(|(said, _)| cause.contains(said));
    let remedy = match (error, known) {
        (Error::Ssh(_), _) | (_, Some(_)) => Remedy::Operator,
        _ => Remedy::Retry,
    };
    // In two lines, sometimes.
    let lines = cause.lines().map(str::trim).filter(|line| !line.is_empty());
    let cause = lines.collect::<Vec<_>>().join("; ");
    let failure = Failure::new(remedy, doing, cause);
    match (error, known) {
        (Error::Ssh(_), _) => failure.hint("is `ssh` installed (package openssh-client)?"),
        (_, Some((_, hint))) => failure.hint(*hint),
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(endpoint: &str) -> Remote {
        Remote::of(endpoint).unwrap().unwrap()
    }

    fn refused(endpoint: &str) -> String {
        Remote::of(endpoint).unwrap().unwrap_err()
    }

    #[test]
    fn endpoints() {
        assert_eq!(Remote::of("unix:///run/d.sock"), None);
        assert_eq!(Remote::of("qemu:///system"), None);
        let plain = remote("ssh://r1");
        assert_eq!(plain.destination.login.to_string(), "r1");
        assert_eq!(plain.socket, "/var/run/docker.sock");
        assert_eq!(plain.spelt("/x"), "unix:///x");
        let full = remote("ssh://me@r1:2222/run/user/1000/docker.sock");
        assert_eq!(full.destination.login.to_string(), "me@r1:2222");
        assert_eq!(full.socket, "/run/user/1000/docker.sock");
        let libvirt = remote("qemu+ssh://root@[fe80::1%eth0]:22/system?keyfile=/k&socket=/s");
        assert_eq!(libvirt.destination.login.host, "fe80::1%eth0");
        assert_eq!(libvirt.destination.key.as_deref(), Some("/k"));
        assert_eq!(libvirt.socket, "/s");
        assert_eq!(libvirt.spelt("/x"), "qemu+unix:///system?socket=/x");
    }

    #[test]
    fn one_destination_is_one_connection() {
        let (docker, libvirt) = (remote("ssh://root@r1"), remote("qemu+ssh://root@r1/system"));
        assert_eq!(docker.destination, libvirt.destination);
    }

    #[test]
    fn nothing_becomes_an_option_of_ssh() {
        for endpoint in [
            "ssh://-oProxyCommand=x",
            "ssh://-l@r1",
            "ssh://a b",
            "ssh://r1;x",
        ] {
            assert!(
                refused(endpoint).contains("no name of a user or host"),
                "{endpoint}"
            );
        }
        assert!(refused("ssh://r1:0x1").contains("no port"));
        assert!(refused("qemu+ssh://r1/session").contains("`/system`"));
        assert!(refused("qemu+ssh://r1/system?no_verify=1").contains("`?no_verify=…`"));
    }
}
