//! A proxy before a daemon's socket that counts what is asked. Its protocol says where a call begins.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Counts the calls in what a client sends, piece by piece.
pub(crate) type Count = Box<dyn FnMut(&[u8]) -> u64 + Send>;

pub(crate) struct Proxy {
    pub(crate) socket: PathBuf,
    calls: Arc<AtomicU64>,
}

impl Proxy {
    /// It listens until the program ends.
    pub(crate) fn before(daemon: &Path, counter: fn() -> Count) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let socket = std::env::temp_dir().join(format!("infra-bench-{process}-{number}.sock"));
        let listener = UnixListener::bind(&socket).expect("a socket can be made");
        let calls = Arc::new(AtomicU64::new(0));
        let (daemon, counted) = (daemon.to_owned(), Arc::clone(&calls));
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let far = UnixStream::connect(&daemon).expect("the daemon listens");
                let counted = Arc::clone(&counted);
                let (mut up, mut down) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                thread::spawn(move || {
                    let mut count = counter();
                    pump(&mut up, &far, |piece| {
                        counted.fetch_add(count(piece), Ordering::Relaxed);
                    });
                });
                thread::spawn(move || pump(&mut down, &near, |_| ()));
            }
        });
        Self { socket, calls }
    }

    /// So many since the last time.
    pub(crate) fn counted(&self) -> u64 {
        self.calls.swap(0, Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

fn pump(from: &mut UnixStream, mut to: &UnixStream, mut seen: impl FnMut(&[u8])) {
    let mut buffer = [0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        seen(&buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
