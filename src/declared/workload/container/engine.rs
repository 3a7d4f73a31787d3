//! What the Docker Engine refuses in a container, or takes for something else: said while planning. It would say it
//! only after the container that is to be replaced is gone.

use infra_diag::Span;
use infra_lang::Block;

use crate::declared::labels;
use crate::declared::read::Reader;

const MILLISECOND: u64 = 1_000_000;

const ULIMITS: &[&str] = &[
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

pub(super) fn check(block: &Block, reader: &mut Reader<'_>) {
    names(block, "env", reader);
    labels::check(block, reader);
    for ulimit in block.nested("ulimit") {
        limit(ulimit, reader);
    }
    for check in block.nested("health_check") {
        health(check, reader);
    }
}

/// They stand before an equals sign, and in a list of our own with commas between. A name is not shown: the whole map
/// may be secret.
fn names(block: &Block, attribute: &str, reader: &mut Reader<'_>) {
    let Some(written) = block.get(attribute) else {
        return;
    };
    let names = || {
        written
            .value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
    };
    if names().any(|name| name.is_empty() || name.contains(['=', ','])) {
        let text = format!("a name in `{attribute}` is empty, or has an equals sign or a comma");
        reader.error("Invalid name", written.span, text, "give it another name");
    }
}

fn limit(block: &Block, reader: &mut Reader<'_>) {
    if let Some(label) = block
        .label
        .as_ref()
        .filter(|l| !ULIMITS.contains(&&*l.value))
    {
        let hint = format!("it is one of {}", ULIMITS.join(", "));
        reader.error("Unknown limit", label.span, "Linux has no such limit", hint);
    }
    let (soft, hard) = (
        reader.whole::<i64>(block, "soft"),
        reader.whole::<i64>(block, "hard"),
    );
    // -1 is none: larger than any other.
    let above = |soft: i64, hard: i64| hard != -1 && (soft == -1 || soft > hard);
    if let (Some(soft), Some(hard)) = (soft, hard)
        && above(soft.value, hard.value)
    {
        let hint = "raise `hard`, or leave it out";
        reader.error(
            "Soft limit above the hard one",
            soft.span,
            "more than `hard`",
            hint,
        );
    }
}

fn health(block: &Block, reader: &mut Reader<'_>) {
    if let Some(command) = block
        .get("command")
        .filter(|c| c.value.as_list().is_some_and(|l| l.is_empty()))
    {
        let hint = "write the command, or leave the health check out";
        reader.error(
            "Empty command",
            command.span,
            "there is nothing to run",
            hint,
        );
    }
    for name in ["interval", "timeout", "start_period", "start_interval"] {
        if reader
            .nanoseconds(block, name)
            .is_some_and(|ns| ns < MILLISECOND)
        {
            let span = block.get(name).map_or(block.span, |written| written.span);
            too_short(name, span, reader);
        }
    }
}

fn too_short(name: &str, span: Span, reader: &mut Reader<'_>) {
    let text = format!("`{name}` is less than a millisecond");
    reader.error(
        "Time too short",
        span,
        text,
        "write `1ms` or more, or leave it out",
    );
}
