//! How the container's first process is started and stopped.

use infra_api::target::Process;
use infra_lang::{Block, Text};

use crate::declared::read::Reader;

const SECOND: u64 = 1_000_000_000;

/// Of Linux, beside the real-time ones.
const SIGNALS: &[&str] = &[
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL",
    "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP",
    "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ",
];

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Process {
    Process {
        groups: groups(block, reader),
        init: reader.bool(block, "init"),
        tty: reader.bool(block, "tty").unwrap_or(false),
        stdin: reader.bool(block, "stdin").unwrap_or(false),
        stop_signal: signal(block, reader),
        stop_timeout_s: stop_timeout(block, reader),
    }
}

fn signal(block: &Block, reader: &mut Reader<'_>) -> Option<String> {
    let written = reader.string(block, "stop_signal")?;
    let name = written.value.strip_prefix("SIG").unwrap_or(&written.value);
    let number = written
        .value
        .parse::<u8>()
        .is_ok_and(|n| (1..=64).contains(&n));
    let realtime = name.starts_with("RTMIN") || name.starts_with("RTMAX");
    if !number && !realtime && !SIGNALS.contains(&name) {
        let hint = "write its number, or its name as `SIGINT`";
        reader.error(
            "Unknown signal",
            written.span,
            "Linux has no such signal",
            hint,
        );
    }
    Some(written.value)
}

/// `stop_timeout`, of containers and of machines: engines count in seconds.
pub(in crate::declared::workload) fn stop_timeout(
    block: &Block,
    reader: &mut Reader<'_>,
) -> Option<u32> {
    let ns = reader.nanoseconds(block, "stop_timeout")?;
    let seconds = u32::try_from(ns / SECOND).ok();
    if seconds.is_none() || ns % SECOND != 0 {
        let span = block
            .get("stop_timeout")
            .map_or(block.span, |written| written.span);
        let text = "whole seconds are waited";
        reader.error("Time out of bounds", span, text, "write it as `30s`");
    }
    seconds
}

/// Those of a container's processes beside its user's own.
fn groups(block: &Block, reader: &mut Reader<'_>) -> Vec<String> {
    let groups = super::sorted(reader.strings(block, "groups"));
    let odd = groups.iter().find_map(|group| {
        let why = plain_account(group).err()?;
        Some(format!("`{group}` is no group: {why}"))
    });
    if let (Some(text), Some(written)) = (odd, block.get("groups")) {
        let hint = "write names or numbers, each in quotes of its own, as in `[\"adm\", \"1000\"]`";
        reader.error("Not a group", written.span, text, hint);
    }
    groups
}

/// What a container is started as.
pub(super) static USER: Text = Text {
    name: "a user",
    example: "1000:1000",
    check: |text| {
        let (user, group) = text.split_once(':').unwrap_or((text, "0"));
        if group.contains(':') {
            return Err("it has more than one colon".to_owned());
        }
        plain_account(user)?;
        plain_account(group)
    },
};

/// By name as it may stand in `/etc/passwd`, or by number.
fn plain_account(name: &str) -> Result<(), String> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ':' | ',');
    match name.chars().find(|c| odd(*c)) {
        _ if name.is_empty() => Err("a name is empty".to_owned()),
        Some(c) => Err(format!("no name has a `{}`", c.escape_default())),
        None if name.bytes().all(|b| b.is_ascii_digit()) && name.parse::<i32>().is_err() => {
            Err(format!("{name} is above 2147483647"))
        }
        None => Ok(()),
    }
}
