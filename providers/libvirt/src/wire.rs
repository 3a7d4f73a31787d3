//! The way to one daemon: blocking calls on threads of their own, few at a time, none for ever.
//!
//! Knows no objects. What runs over it is a closure that is handed the connection: the first one, and the second one
//! while that has all the calls it can take.

use std::path::Path;
use std::sync::{Arc, Mutex, Once, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use infra_api::{Failure, Progress, Remedy, Silent};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use virt::connect::Connect;
use virt::{error, event};

use crate::USUAL;
use crate::failure::{Doing, hinted};
use crate::link::{Known, Link};
use crate::load::load;

/// Calls at a time on one connection. With a fifth the daemon stops reading from it (`max_client_requests` is
/// 5), our keep-alive stays unanswered and the connection is closed under calls that were only slow.
pub(crate) const AT_A_TIME: usize = 4;

/// Connections to one daemon. The second one is there for steps that take long: five machines start at once.
const LINES: usize = 2;

/// A daemon that answers no keep-alive this often, this many seconds apart, is taken for dead.
const KEEP_ALIVE: (i32, u32) = (5, 6);

const INSTALL: &str =
    "install it on this machine: `libvirt0` of Debian and Ubuntu, `libvirt-libs` of Fedora";

/// How long the opening of a connection may take; over SSH it is under a second.
const OPENING: Duration = Duration::from_secs(30);

/// How long a call may say nothing. Not shorter: a first definition took 295 s where libvirt could not cache
/// what QEMU can do. The keep-alive finds frozen daemons sooner.
const SILENCE: Duration = Duration::from_secs(600);

/// One daemon. Clones share the connections.
#[derive(Clone)]
pub(crate) struct Wire(Arc<Inner>);

struct Inner {
    uri: String,
    known: Arc<Known>,
    lines: [Line; LINES],
}

/// A connection, opened when it is needed.
struct Line {
    link: Mutex<Option<Arc<Link>>>,
    slots: Arc<Semaphore>,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            link: Mutex::default(),
            slots: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }
}

/// Calls of a closure: some of a line's, for as long as it runs.
struct Slot {
    line: usize,
    _calls: OwnedSemaphorePermit,
}

/// How a blocking call tells what it is doing.
pub(crate) struct Say(UnboundedSender<String>);

impl Say {
    pub(crate) fn say(&self, text: impl Into<String>) {
        // Nobody listens any more when the caller gave up; the call itself goes on.
        let _ = self.0.send(text.into());
    }
}

impl Wire {
    /// Nothing is opened before the first call.
    pub(crate) fn new(uri: &str) -> Self {
        Self(Arc::new(Inner {
            uri: uri.to_owned(),
            known: Arc::default(),
            lines: Default::default(),
        }))
    }

    pub(crate) fn uri(&self) -> &str {
        &self.0.uri
    }

    /// Reads. If the connection was lost it is done again on a new one, once.
    pub(crate) async fn ask<T, F>(&self, question: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Fn(&Link) -> Result<T, Failure> + Send + Sync + 'static,
    {
        self.ask_by(1, question).await
    }

    /// Reads much, by up to [`AT_A_TIME`] calls at once.
    pub(crate) async fn ask_widely<T, F>(&self, question: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Fn(&Link) -> Result<T, Failure> + Send + Sync + 'static,
    {
        self.ask_by(AT_A_TIME, question).await
    }

    async fn ask_by<T, F>(&self, calls: usize, question: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: Fn(&Link) -> Result<T, Failure> + Send + Sync + 'static,
    {
        let question = Arc::new(question);
        let once = || {
            let question = Arc::clone(&question);
            self.act_by(calls, &Silent, move |link, _| question(link))
        };
        match once().await {
            Err(failure) if failure.remedy == Remedy::Retry => once().await,
            answer => answer,
        }
    }

    /// Does something. If the connection is lost meanwhile, nobody knows whether it was done.
    pub(crate) async fn act<T, F>(&self, progress: &dyn Progress, action: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Link, &Say) -> Result<T, Failure> + Send + 'static,
    {
        self.act_by(1, progress, action).await
    }

    async fn act_by<T, F>(
        &self,
        calls: usize,
        progress: &dyn Progress,
        action: F,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Link, &Say) -> Result<T, Failure> + Send + 'static,
    {
        let slot = self.slot(calls).await?;
        let inner = Arc::clone(&self.0);
        let (sender, mut said) = unbounded_channel();
        let mut call = tokio::task::spawn_blocking(move || {
            let result = inner.call(slot.line, |link| action(link, &Say(sender)));
            drop(slot);
            result
        });
        loop {
            tokio::select! {
                biased;
                Some(text) = said.recv() => progress.say(&text),
                done = &mut call => return done.unwrap_or_else(|panic| Err(self.broken(panic))),
                () = sleep(SILENCE) => return Err(self.broken("it has not answered for 10 minutes")),
            }
        }
    }

    /// On the first line that has so many calls free.
    async fn slot(&self, calls: usize) -> Result<Slot, Failure> {
        let calls = u32::try_from(calls).unwrap_or(u32::MAX);
        let free = |line: usize| Arc::clone(&self.0.lines[line].slots).acquire_many_owned(calls);
        let (line, calls) = tokio::select! {
            biased;
            calls = free(0) => (0, calls),
            calls = free(1) => (1, calls),
        };
        let calls = calls.map_err(|closed| self.broken(closed))?;
        Ok(Slot {
            line,
            _calls: calls,
        })
    }

    fn broken(&self, why: impl std::fmt::Display) -> Failure {
        Failure::new(
            Remedy::Retry,
            format!("calling libvirt at {}", self.0.uri),
            why,
        )
    }
}

impl Inner {
    fn call<T>(
        &self,
        line: usize,
        action: impl FnOnce(&Link) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let line = &self.lines[line];
        let link = self.link(line)?;
        let result = action(&link).map_err(|failure| lost(failure, &link));
        // A lost connection never comes back by itself; after mere business a new one costs a millisecond.
        if result
            .as_ref()
            .is_err_and(|failure| failure.remedy == Remedy::Retry)
        {
            self.known.forget();
            line.forget(&link);
        }
        result
    }

    fn link(&self, line: &Line) -> Result<Arc<Link>, Failure> {
        let mut kept = line.link.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(link) = kept.as_ref().filter(|c| c.is_alive().unwrap_or(false)) {
            return Ok(Arc::clone(link));
        }
        let opened = Link::new(open_in_time(&self.uri)?, Arc::clone(&self.known));
        Ok(Arc::clone(kept.insert(Arc::new(opened))))
    }
}

impl Line {
    fn forget(&self, lost: &Arc<Link>) {
        let mut kept = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        kept.take_if(|link| Arc::ptr_eq(link, lost));
    }
}

/// When a connection is lost under several calls, libvirt gives its reason to one of them; the others get "the cause is
/// unknown". None of them was refused.
fn lost(failure: Failure, connection: &Connect) -> Failure {
    match connection.is_alive() {
        Ok(true) => failure,
        _ => Failure {
            remedy: Remedy::Retry,
            cause: format!("the connection was lost: {}", failure.cause),
            ..failure
        },
    }
}

/// Where the daemons of a machine listen: the one for everything, and the one for QEMU alone.
const SOCKETS: [&str; 2] = [
    "/var/run/libvirt/libvirt-sock",
    "/var/run/libvirt/virtqemud-sock",
];

/// Whether it may be that a daemon listens there: else the library, whose loading takes longer than a plan, is not needed to
/// tell so.
pub(crate) fn is_anybody_there(uri: &str) -> bool {
    nobody(uri).is_none()
}

/// The socket of this machine that is not there.
fn nobody(uri: &str) -> Option<&str> {
    let sockets = match uri.strip_prefix("qemu+unix:///system?socket=") {
        Some(socket) if !socket.contains(['&', '%']) => vec![socket],
        None if uri == USUAL => SOCKETS.to_vec(),
        Some(_) | None => return None,
    };
    let there = sockets.iter().any(|socket| Path::new(socket).exists());
    sockets.first().copied().filter(|_| !there)
}

/// A daemon that is frozen accepts a connection and never speaks, and the keep-alive begins only after the first
/// words: so another thread waits, for ever if need be.
fn open_in_time(uri: &str) -> Result<Connect, Failure> {
    let (uri, doing) = (uri.to_owned(), format!("connecting to libvirt at {uri}"));
    let (sender, opened) = mpsc::channel();
    thread::spawn(move || sender.send(open(&uri)));
    opened.recv_timeout(OPENING).unwrap_or_else(|_| {
        Err(Failure::new(Remedy::Retry, doing, "it did not answer").hint("is the daemon frozen?"))
    })
}

fn open(uri: &str) -> Result<Connect, Failure> {
    let doing = || format!("connecting to libvirt at {uri}");
    // `Connect::open` panics on a zero byte.
    if uri.contains('\0') {
        return Err(Failure::new(
            Remedy::Operator,
            doing(),
            "the endpoint holds a zero byte",
        ));
    }
    if let Some(socket) = nobody(uri) {
        let cause = format!("Failed to connect socket to '{socket}': No such file or directory");
        return Err(hinted(Failure::new(Remedy::Retry, doing(), cause)));
    }
    let loading = || "loading libvirt's client library".to_owned();
    let loaded = load().doing(loading);
    loaded.map_err(|failure| failure.hint(INSTALL))?;
    start_events();
    let connection = Connect::open(Some(uri)).doing(doing)?;
    // The mock driver has no keep-alive and says so by an error.
    let (interval, count) = KEEP_ALIVE;
    let _ = connection.set_keep_alive(interval, count);
    Ok(connection)
}

/// How long nobody runs the event loop. Each call wakes it several times, which takes as long as the call; and before the
/// first keep-alive is due there is nothing for it to do.
const EVENTS_AFTER: Duration = Duration::from_secs(1);

/// Keep-alive, and noticing that a daemon has gone, need libvirt's event loop. It must be registered before
/// the first connection is opened, and then runs as long as the process.
fn start_events() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        // Without this libvirt prints each error on stderr, also those that are answers.
        error::clear_error_callback();
        if event::event_register_default_impl().is_ok() {
            let _ = thread::Builder::new()
                .name("libvirt-events".into())
                .spawn(run_events);
        }
    });
}

fn run_events() {
    thread::sleep(EVENTS_AFTER);
    loop {
        if event::event_run_default_impl().is_err() {
            thread::sleep(Duration::from_secs(1));
        }
    }
}
