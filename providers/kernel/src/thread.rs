//! A thread, by `stat`, `status` and `schedstat` of its folder in `/proc`.

use infra_api::running::Thread;

/// The flag of the kernel's own threads (PF_KTHREAD).
const KERNELS_OWN: u64 = 0x0020_0000;

/// The kernel counts a program's time in hundredths of a second, on every architecture.
pub(crate) const TICK_NS: u64 = 10_000_000;

/// A thread, and what else is known by its `stat`.
pub(crate) struct Found {
    pub(crate) thread: Thread,
    pub(crate) kernels_own: bool,
    pub(crate) started: u64,
}

/// Nothing where the texts are of none, or of one that has ended.
pub(crate) fn parse(stat: &str, status: &str, schedstat: Option<&str>) -> Option<Found> {
    // Its name stands in brackets and may hold any.
    let (head, rest) = stat.lines().next()?.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    // From the third on, as proc(5) counts them.
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    // What has ended and waits for nobody to ask runs no more.
    if matches!(*fields.first()?, "Z" | "X" | "x") {
        return None;
    }
    let mut schedstat = schedstat.unwrap_or_default().split_whitespace();
    let mut nanoseconds = || schedstat.next()?.parse().ok();
    let (ran, waited) = (nanoseconds(), nanoseconds());
    let thread = Thread {
        name: name.to_owned(),
        cpus: field(status, "Cpus_allowed_list")?.parse().ok()?,
        nodes: field(status, "Mems_allowed_list")?.parse().ok()?,
        policy: policy(number(41)?),
        priority: u32::try_from(number(40)?).ok()?,
        nice: fields.get(19 - 3)?.parse().ok()?,
        last_cpu: u32::try_from(number(39)?).ok()?,
        ran_ns: ran.unwrap_or(
            number(14)?
                .saturating_add(number(15)?)
                .saturating_mul(TICK_NS),
        ),
        waited_ns: waited,
    };
    let found = Found {
        thread,
        kernels_own: number(9)? & KERNELS_OWN != 0,
        started: number(22)?,
    };
    Some(found)
}

/// As `sched.h` numbers them.
fn policy(number: u64) -> String {
    let known = match number {
        0 => "other",
        1 => "fifo",
        2 => "rr",
        3 => "batch",
        5 => "idle",
        6 => "deadline",
        _ => return number.to_string(),
    };
    known.to_owned()
}

/// `Name:\tvalue`.
pub(crate) fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix(':');
    status.lines().find_map(value).map(str::trim)
}
