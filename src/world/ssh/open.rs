//! One connection that is open, and is opened anew where it has ended: the network was away, or nobody used it for long.
//! Everything goes over sockets in the folder of the first one, so who uses them need not know.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use infra_api::{Failure, Remedy};
use infra_door::Way;
use openssh::{Error, ForwardType, Session};
use tokio::net::UnixStream;
use tokio::sync::Mutex;

use super::{Destination, enter};

/// Who could not be reached is not tried again so soon: each step that is left would wait as long as the first.
const AGAIN: Duration = Duration::from_secs(30);

/// A connection, and where it leads.
pub(super) struct Entered {
    pub(super) session: Session,
    /// Of the machine, since it was started: what tells one from another.
    pub(super) boot: String,
    /// Whether root comes in.
    pub(super) root: bool,
    /// Who had its lock last.
    pub(super) last: String,
}

/// The same, and how it is opened anew.
pub(in crate::world) struct Open {
    pub(in crate::world) boot: String,
    pub(in crate::world) root: bool,
    pub(in crate::world) last: String,
    /// Of the `ssh` that holds the connection.
    socket: PathBuf,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// The first one's folder holds all sockets; the last one is open.
    sessions: Vec<Session>,
    /// Sockets on this side, and what each leads to there.
    forwards: Vec<(PathBuf, PathBuf)>,
    /// When it could not be had again, and why.
    failed: Option<(Instant, Failure)>,
}

impl From<Entered> for Open {
    fn from(entered: Entered) -> Self {
        let Entered {
            session,
            boot,
            root,
            last,
        } = entered;
        Self {
            boot,
            root,
            last,
            socket: session.control_socket().to_owned(),
            held: Mutex::new(Held {
                sessions: vec![session],
                ..Held::default()
            }),
        }
    }
}

impl Open {
    pub(in crate::world) fn way(&self) -> Way {
        Way::Over(self.socket.to_string_lossy().into_owned())
    }

    /// A socket on this side that leads to one there.
    pub(super) async fn forward(&self, number: usize, far: &str) -> Result<PathBuf, Error> {
        let near = self.socket.with_file_name(format!("socket.{number}"));
        let mut held = self.held.lock().await;
        if let Some(session) = held.sessions.last() {
            forward(session, &near, Path::new(far)).await?;
        }
        held.forwards.push((near.clone(), far.into()));
        Ok(near)
    }

    /// Opens it anew where it has ended.
    pub(super) async fn again(&self, destination: &Destination) -> Result<(), Failure> {
        let mut held = self.held.lock().await;
        if UnixStream::connect(&self.socket).await.is_ok() {
            return Ok(());
        }
        if let Some((when, failure)) = &held.failed
            && when.elapsed() < AGAIN
        {
            return Err(failure.clone());
        }
        let opened = self.anew(destination, &held.forwards).await;
        match opened {
            Ok(session) => {
                held.sessions.push(session);
                held.failed = None;
                Ok(())
            }
            Err(failure) => {
                held.failed = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    async fn anew(
        &self,
        destination: &Destination,
        forwards: &[(PathBuf, PathBuf)],
    ) -> Result<Session, Failure> {
        let doing = || format!("connecting to {} by SSH once more", destination.login);
        let Entered {
            session,
            boot,
            root,
            last: _,
        } = enter(destination).await.map_err(|failure| Failure {
            doing: doing(),
            ..failure
        })?;
        if (&boot, root) != (&self.boot, self.root) {
            let why = "it was started anew meanwhile, or it is another machine";
            let failure = Failure::new(Remedy::Operator, doing(), why);
            return Err(failure.hint("plan again: what was planned was planned for how it was"));
        }
        for (near, far) in forwards {
            // What is left of the last one is nobody's, and would be in the way.
            let _none_is_left = std::fs::remove_file(near);
            let forwarded = forward(&session, near, far).await;
            forwarded.map_err(|error| super::failure(doing(), &error))?;
        }
        relink(session.control_socket(), &self.socket)
            .map_err(|error| Failure::new(Remedy::Retry, doing(), error))?;
        Ok(session)
    }
}

async fn forward(session: &Session, near: &Path, far: &Path) -> Result<(), Error> {
    let made = session.request_port_forward(ForwardType::Local, near, far);
    made.await
}

/// The known name leads to the new socket, from one moment to the next.
fn relink(new: &Path, known: &Path) -> std::io::Result<()> {
    let link = known.with_file_name("next");
    let _none_is_left = std::fs::remove_file(&link);
    symlink(new, &link)?;
    std::fs::rename(&link, known)
}
