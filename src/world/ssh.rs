//! The way to daemons over SSH: one connection for each destination, and on it a forward for each daemon's socket. The
//! person's own ssh does it, with his configuration, agent, jump hosts and known hosts; an unknown key is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::join_all;
use infra_api::{Failure, Remedy, host_and_port};
use openssh::{ControlPersist, Error, ForwardType, KnownHosts, Session, SessionBuilder};

/// How long a server may take to answer.
const OPENING: Duration = Duration::from_secs(20);

/// A server that says nothing for three times as long is gone.
const ALIVE: Duration = Duration::from_secs(10);

/// The connection ends with us; where we are killed, so long after the last use of it.
const IDLE: NonZeroUsize = NonZeroUsize::new(600).expect("600 is not 0");

/// A daemon behind an SSH server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remote {
    destination: Destination,
    /// Of the daemon, on its host.
    socket: String,
    /// What a provider is told, before the path of the socket on this side.
    spelling: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Destination {
    user: Option<String>,
    host: String,
    port: Option<u16>,
    key: Option<String>,
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

/// What begins with a dash would be an option of ssh; what is odd, a surprise.
fn parts(rest: &str) -> Result<Parts<'_>, String> {
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, place) = match place.rsplit_once('@') {
        Some((user, place)) => (Some(user), place),
        None => (None, place),
    };
    let (host, port) = host_and_port(place)?;
    for word in user.into_iter().chain([host]) {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-:%".contains(c);
        if word.is_empty() || word.starts_with('-') || !word.chars().all(plain) {
            return Err(format!("`{word}` is no name of a user or host"));
        }
    }
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    Ok(Parts {
        destination: Destination {
            user: user.map(str::to_owned),
            host: host.to_owned(),
            port,
            key: None,
        },
        path,
        query: pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .collect(),
    })
}

impl Destination {
    fn name(&self) -> String {
        let user = self
            .user
            .as_ref()
            .map_or_else(String::new, |user| format!("{user}@"));
        let port = self
            .port
            .map_or_else(String::new, |port| format!(":{port}"));
        format!("{user}{}{port}", self.host)
    }
}

/// The open connections. They end with it.
#[derive(Default)]
pub(super) struct Ways {
    sessions: BTreeMap<Destination, Result<Session, Failure>>,
}

impl Ways {
    /// Opens one connection for each destination, all at once.
    pub(super) async fn open(remotes: &[Remote]) -> Self {
        let destinations: BTreeSet<&Destination> = remotes.iter().map(|r| &r.destination).collect();
        let opened = destinations
            .into_iter()
            .map(|destination| async move { (destination.clone(), open(destination).await) });
        Self {
            sessions: join_all(opened).await.into_iter().collect(),
        }
    }

    /// What a provider is to open instead.
    pub(super) async fn forward(&self, remote: &Remote, number: usize) -> Result<String, Failure> {
        let session = match self.sessions.get(&remote.destination) {
            Some(Ok(session)) => session,
            Some(Err(failure)) => return Err(failure.clone()),
            None => unreachable!("a connection is opened for every remote"),
        };
        let near = session
            .control_socket()
            .with_file_name(format!("socket.{number}"));
        let far = PathBuf::from(&remote.socket);
        let doing = || {
            format!(
                "forwarding {} of {}",
                remote.socket,
                remote.destination.name()
            )
        };
        session
            .request_port_forward(ForwardType::Local, near.as_path(), far)
            .await
            .map_err(|error| failure(doing(), &error))?;
        Ok(remote.spelt(&near.to_string_lossy()))
    }
}

async fn open(destination: &Destination) -> Result<Session, Failure> {
    let doing = || format!("connecting to {} by SSH", destination.name());
    let Destination {
        user,
        host,
        port,
        key,
    } = destination;
    let mut builder = SessionBuilder::default();
    builder
        .known_hosts_check(KnownHosts::Strict)
        .connect_timeout(OPENING)
        .server_alive_interval(ALIVE)
        .control_persist(ControlPersist::IdleFor(IDLE));
    user.clone().map(|user| builder.user(user));
    port.map(|port| builder.port(port));
    key.as_ref().map(|key| builder.keyfile(key));
    if let Some(file) = std::env::var_os("INFRA_SSH_CONFIG").filter(|file| !file.is_empty()) {
        builder.config_file(file);
    }
    let session = builder
        .connect(host)
        .await
        .map_err(|e| failure(doing(), &e))?;
    same_machine(&session, doing).await.map(|()| session)
}

/// What is planned from this machine's CPUs and memory would be carried out on others.
async fn same_machine(session: &Session, doing: impl Fn() -> String) -> Result<(), Failure> {
    const BOOT: &str = "/proc/sys/kernel/random/boot_id";
    let there = session.command("cat").arg(BOOT).output().await;
    let there = there.map_err(|e| failure(doing(), &e))?.stdout;
    match std::fs::read(BOOT) {
        Ok(here) if here == there => Ok(()),
        _ => Err(
            Failure::new(Remedy::Operator, doing(), "it is another machine")
                .hint("this version of infra manages the machine it runs on: run it there"),
        ),
    }
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
    let failure = Failure::new(remedy, doing, cause.trim());
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
        assert_eq!(plain.destination.name(), "r1");
        assert_eq!(plain.socket, "/var/run/docker.sock");
        assert_eq!(plain.spelt("/x"), "unix:///x");
        let full = remote("ssh://me@r1:2222/run/user/1000/docker.sock");
        assert_eq!(full.destination.name(), "me@r1:2222");
        assert_eq!(full.socket, "/run/user/1000/docker.sock");
        let libvirt = remote("qemu+ssh://root@[fe80::1%eth0]:22/system?keyfile=/k&socket=/s");
        assert_eq!(libvirt.destination.host, "fe80::1%eth0");
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
