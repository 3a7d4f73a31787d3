//! `health_check { … }`: what tells whether the container is well.

use infra_api::target::{HealthCheck, Probe};
use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::read::Reader;
use crate::declared::words::{STRINGS, duration, whole, word};

pub(super) static KIND: BlockKind = BlockKind {
    name: "health_check",
    label: None,
    doc: "What tells whether it is well; what depends on the workload waits for it. Exactly one of `command`, `shell` and \
          `disabled` is written.",
    attributes: &[
        word(
            "command",
            STRINGS,
            "Run in the container, without a shell; exit status 0 is well.",
        ),
        word("shell", Shape::String, "A line for the container's shell."),
        word(
            "disabled",
            Shape::Bool,
            "True: none, though the image has one.",
        ),
        duration("interval", "Between two runs."),
        duration("timeout", "How long one may take."),
        duration("start_period", "Failures within it do not count."),
        duration(
            "start_interval",
            "Between two runs within the start period. Needs Docker 25 (API 1.44).",
        ),
        whole("retries", 1, 1000, "So many failures in a row are unwell."),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

const TIMES: [&str; 5] = [
    "interval",
    "timeout",
    "start_period",
    "start_interval",
    "retries",
];

pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Option<HealthCheck> {
    let probe = probe(block, reader)?;
    if probe == Probe::None {
        for written in TIMES.iter().filter_map(|name| block.get(name)) {
            if !written.value.is_null() {
                let text = "there is no check that it could be of";
                reader.error("Numbers of no check", written.span, text, "leave it out");
            }
        }
    }
    Some(HealthCheck {
        probe,
        interval_ns: reader.nanoseconds(block, "interval"),
        timeout_ns: reader.nanoseconds(block, "timeout"),
        start_period_ns: reader.nanoseconds(block, "start_period"),
        start_interval_ns: reader.nanoseconds(block, "start_interval"),
        retries: reader.whole(block, "retries").map(|n| n.value),
    })
}

fn probe(block: &Block, reader: &mut Reader<'_>) -> Option<Probe> {
    let mut probes: Vec<Probe> = Vec::new();
    probes.extend(reader.strings(block, "command").map(Probe::Command));
    probes.extend(
        reader
            .string(block, "shell")
            .map(|line| Probe::Shell(line.value)),
    );
    probes.extend((reader.bool(block, "disabled") == Some(true)).then_some(Probe::None));
    if probes.len() != 1 {
        let found = if probes.is_empty() {
            "none"
        } else {
            "more than one"
        };
        reader.error(
            "Health check without one probe",
            block.span,
            format!("{found} of `command`, `shell` and `disabled` is written here"),
            "write exactly one of them",
        );
        return None;
    }
    probes.pop()
}
