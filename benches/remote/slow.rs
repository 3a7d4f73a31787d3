//! A daemon farther away than it is: what it answers comes a while later. How long a command takes longer then, in shares of
//! that while, is how often it waits for an answer before it goes on.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) struct Slow {
    pub(crate) socket: PathBuf,
}

impl Slow {
    /// It listens until the program ends.
    pub(crate) fn before(daemon: &Path, name: &str, by: Duration) -> Self {
        let process = std::process::id();
        let socket = std::env::temp_dir().join(format!("infra-bench-{process}-{name}.sock"));
        let listener = UnixListener::bind(&socket).expect("a socket can be made");
        let daemon = daemon.to_owned();
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let far = UnixStream::connect(&daemon).expect("the daemon listens");
                let (up, down) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                thread::spawn(move || pass(up, far, Duration::ZERO));
                thread::spawn(move || pass(down, near, by));
            }
        });
        Self { socket }
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// However much comes at once, each piece comes so much later.
fn pass(mut from: UnixStream, to: UnixStream, later: Duration) {
    let (send, pieces) = channel();
    let writer = thread::spawn(move || write(to, &pieces));
    let mut buffer = [0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if send
            .send((Instant::now() + later, buffer[..read].to_vec()))
            .is_err()
        {
            break;
        }
    }
    drop(send);
    let _ = writer.join();
}

fn write(mut to: UnixStream, pieces: &Receiver<(Instant, Vec<u8>)>) {
    for (when, piece) in pieces {
        thread::sleep(when.saturating_duration_since(Instant::now()));
        if to.write_all(&piece).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
