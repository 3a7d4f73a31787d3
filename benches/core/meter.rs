//! What a program takes: processor time, wall time and peak memory, as the kernel counts them for a child.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// One run, or what is best of several.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    /// In user and kernel mode, by all threads.
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
    pub(crate) peak_bytes: u64,
}

/// Runs it once with its output thrown away.
#[allow(clippy::zombie_processes, reason = "`wait` below waits for it")]
///
/// # Panics
/// Where it cannot be run or fails: a figure of a failure is none.
pub(crate) fn once(command: &mut Command) -> Taken {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    let began = Instant::now();
    let child = command
        .spawn()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let (status, usage) = wait(child.id());
    let wall = began.elapsed();
    assert_eq!(status, 0, "{command:?}");
    Taken {
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        wall,
        peak_bytes: u64::try_from(usage.ru_maxrss).unwrap_or_default() * 1024,
    }
}

/// The least of several runs: what others do on the machine only adds.
pub(crate) fn best(runs: usize, mut run: impl FnMut() -> Taken) -> Taken {
    let all: Vec<Taken> = (0..runs).map(|_| run()).collect();
    let least = |of: fn(&Taken) -> Duration| all.iter().map(of).min().unwrap_or_default();
    Taken {
        cpu: least(|t| t.cpu),
        wall: least(|t| t.wall),
        peak_bytes: all.iter().map(|t| t.peak_bytes).max().unwrap_or_default(),
    }
}

/// Waits for a child; the standard library does not tell what it took.
fn wait(child: u32) -> (i32, libc::rusage) {
    let pid = libc::pid_t::try_from(child).expect("a process id");
    let mut status = 0;
    // SAFETY: all bytes zero are a valid `rusage`: it is made of integers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live values of the right types, and nobody else waits for this child.
    let waited = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
    assert_eq!(waited, pid, "{}", std::io::Error::last_os_error());
    (status, usage)
}

fn time(of: libc::timeval) -> Duration {
    let micros = of.tv_sec * 1_000_000 + of.tv_usec;
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}
