//! How a process on the metal starts and ends.

use infra_api::target::UnitLife;
use infra_lang::{Block, Text};

use super::software::program;
use crate::declared::read::Reader;

/// What the host's systemd makes of it, it says when the unit is made; here is kept out what would be another line.
pub(super) static TIMES: Text = Text {
    name: "times, as systemd writes them",
    example: "Mon *-*-* 02:00",
    check: |text| {
        let plain = |c: char| c.is_ascii_alphanumeric() || " *-:/,.~".contains(c);
        match text {
            "" => Err("it is empty".to_owned()),
            text if !text.chars().all(plain) => {
                Err("it has characters that no time of systemd's has".to_owned())
            }
            _ => Ok(()),
        }
    },
};

pub(super) static SIGNAL: Text = Text {
    name: "a signal",
    example: "SIGINT",
    check: |text| {
        let rest = text.strip_prefix("SIG").unwrap_or_default();
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '+' || c == '-';
        match !rest.is_empty() && rest.chars().all(plain) {
            true => Ok(()),
            false => Err("it is no name of a signal".to_owned()),
        }
    },
};

const SECOND: u64 = 1_000_000_000;

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> UnitLife {
    let seconds = |name: &str, reader: &mut Reader<'_>| seconds(block, name, reader);
    let task = reader.bool(block, "task").unwrap_or(false);
    let restart = reader.string(block, "restart").map(|word| word.value);
    let health_check = reader.strings(block, "health_check").unwrap_or_default();
    if block
        .get("health_check")
        .is_some_and(|w| !w.value.is_null())
    {
        program(&health_check, "health_check", block, reader);
    }
    let life = UnitLife {
        task,
        times: reader.string(block, "times").map(|word| word.value),
        notifies: reader.bool(block, "notifies").unwrap_or(false),
        watchdog_s: seconds("watchdog", reader),
        restart: restart.filter(|word| word != "never" && !task),
        restart_delay_s: seconds("restart_delay", reader),
        stop_signal: reader
            .string(block, "stop_signal")
            .map(|word| word.value)
            .filter(|word| word != "SIGTERM"),
        stop_timeout_s: seconds("stop_timeout", reader),
        health_check,
    };
    conflicts(&life, block, reader);
    life
}

fn seconds(block: &Block, name: &str, reader: &mut Reader<'_>) -> Option<u32> {
    let time = reader.nanoseconds(block, name)?;
    let seconds = u32::try_from(time / SECOND)
        .ok()
        .filter(|s| time % SECOND == 0 && *s > 0);
    if seconds.is_none() {
        let span = block.get(name)?.span;
        reader.error(
            "Not whole seconds",
            span,
            "it is one second at least, and whole ones",
            "write `5s`",
        );
    }
    seconds
}

fn conflicts(life: &UnitLife, block: &Block, reader: &mut Reader<'_>) {
    let written = |name: &str| {
        let given = block.get(name).filter(|given| !given.value.is_null())?;
        Some(given.span)
    };
    if let Some(span) = written("times").filter(|_| !life.task) {
        let text = "a process that is to run for ever has no times";
        reader.error(
            "Times of no task",
            span,
            text,
            "write `task = true`, or leave it out",
        );
    }
    if let Some(span) = written("notifies").filter(|_| life.task && life.notifies) {
        let text = "a task is ready when it has ended";
        reader.error(
            "Readiness of a task",
            span,
            text,
            "leave one of the two out",
        );
    }
    if let Some(span) = written("watchdog").filter(|_| !life.notifies) {
        let text = "what tells systemd that it is alive tells it that it is ready, too";
        reader.error(
            "Watchdog of a silent process",
            span,
            text,
            "write `notifies = true`, or leave it out",
        );
    }
}
