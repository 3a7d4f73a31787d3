//! Running a program for a bounded time and reading what it says.

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(5);

/// What a program said. Its status is None where its time ran out and it was killed.
pub(crate) struct Ran {
    pub(crate) status: Option<ExitStatus>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a program with `input` on its stdin, which stays open until it ends.
pub(crate) fn run(command: &mut Command, input: &str, limit: Duration) -> io::Result<Ran> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let mut stdin = child.stdin.take();
    if let Some(pipe) = &mut stdin {
        // A program that has ended already does not listen; its status tells the rest.
        let _ = pipe.write_all(input.as_bytes());
    }
    let status = wait(&mut child, limit);
    drop(stdin);
    Ok(Ran {
        status: status?,
        stdout: said(&stdout),
        stderr: said(&stderr),
    })
}

fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

/// Reads a pipe on a thread of its own: two pipes read in turn can wait for each other.
fn collect(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = send.send(bytes);
    });
    receive
}

/// What was read; nothing where a child of the program still holds the pipe open.
fn said(pipe: &Receiver<Vec<u8>>) -> String {
    let bytes = pipe
        .recv_timeout(Duration::from_secs(1))
        .unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Ran {
        run(Command::new("sh").args(["-c", script]), "in\n", limit).unwrap()
    }

    #[test]
    fn says_what_it_said() {
        let ran = shell(
            "read x; echo $x; echo err >&2; exit 3",
            Duration::from_secs(10),
        );
        assert_eq!(
            (ran.stdout.as_str(), ran.stderr.as_str()),
            ("in\n", "err\n")
        );
        assert_eq!(ran.status.and_then(|s| s.code()), Some(3));
    }

    #[test]
    fn ends_when_its_time_does() {
        let ran = shell("echo begun; exec sleep 60", Duration::from_millis(200));
        assert!(ran.status.is_none());
        assert_eq!(ran.stdout, "begun\n");
    }
}
