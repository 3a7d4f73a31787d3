//! `measure { … }`: the workload's own benchmark, for `infra measure`.

use std::fmt;

use infra_diag::Span;
use infra_lang::{Block, BlockKind, Meta, Shape};

use crate::declared::read::{At, Reader};
use crate::declared::words::{STRINGS, duration, whole, word};

/// How long a run may take where nothing is written.
const PATIENCE_MS: u64 = 60_000;

pub(super) static KIND: BlockKind = BlockKind {
    name: "measure",
    label: None,
    doc: "Its own benchmark: a command on this machine that asks the workload and prints a number. `infra measure` runs it \
          against each variant, and what it finds counts before the table's figures.",
    attributes: &[
        word(
            "command",
            STRINGS,
            "The program and its arguments. `{address}` stands for where the workload answers, `{container}` and `{machine}` for its \
             daemon's name; `INFRA_ADDRESS`, `INFRA_RUNTIME` and `INFRA_NAME` say the same in its environment.",
        )
        .required(),
        word(
            "metric",
            Shape::String,
            "A regular expression with one group, which is the number; the last match of its output counts. Without this and \
             `json`, the last line is the number.",
        ),
        word(
            "json",
            Shape::String,
            "Instead: the path of the number in its output as JSON, as `totals.rate`.",
        ),
        word(
            "better",
            Shape::OneOf(&["higher", "lower"]),
            "Whether more or less is better.",
        )
        .required(),
        word("unit", Shape::String, "What it counts, for people."),
        whole("warmup", 0, 1000, "So many runs before those that count.").default("1"),
        whole(
            "tries",
            1,
            1000,
            "How often the first run of each turn is tried, half a second apart: what has just been started may not answer yet.",
        )
        .default("20"),
        whole("runs", 3, 1000, "So many count.").default("5"),
        duration("timeout", "How long a run may take.").default("\"1m\""),
    ],
    blocks: &[],
    computed: &[],
    meta: Meta::NONE,
};

/// A benchmark as declared.
#[derive(Clone, Debug)]
pub struct Measure {
    pub command: Vec<String>,
    pub metric: Metric,
    pub higher_is_better: bool,
    pub unit: Option<String>,
    pub warmup: u32,
    pub runs: u32,
    /// Of the first run of each turn.
    pub tries: u32,
    pub timeout_ms: u64,
    pub span: Span,
}

/// Where the number stands in the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metric {
    /// On the last line alone.
    Line,
    /// What the group of this expression matches last.
    Regex(At<String>),
    /// At this path of a JSON document.
    Json(Vec<String>),
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line => f.write_str("a number on the last line"),
            Self::Regex(regex) => write!(f, "`{}`", regex.value),
            Self::Json(path) => write!(f, "`{}` in JSON", path.join(".")),
        }
    }
}

/// The number is what its one group matches.
fn groups(regex: &At<String>, reader: &mut Reader<'_>) {
    let hint = "put what is the number between brackets, as in `rate: ([0-9.]+)`";
    match regex_lite::Regex::new(&regex.value) {
        Err(why) => reader.error(
            "Not a regular expression",
            regex.span,
            why.to_string(),
            hint,
        ),
        Ok(parsed) if parsed.captures_len() != 2 => {
            let text = format!("it has {} groups", parsed.captures_len() - 1);
            reader.error("Which number", regex.span, text, hint);
        }
        Ok(_) => {}
    }
}

impl Measure {
    pub(super) fn read(block: &Block, reader: &mut Reader<'_>) -> Option<Self> {
        let (metric, json) = (reader.string(block, "metric"), reader.string(block, "json"));
        if let (Some(_), Some(json)) = (&metric, &json) {
            let hint = "leave `metric` or `json` out";
            reader.error(
                "Number told twice",
                json.span,
                "`metric` says where it is, too",
                hint,
            );
        }
        if let Some(regex) = &metric {
            groups(regex, reader);
        }
        let command = reader.strings(block, "command")?;
        if command.first().is_none_or(String::is_empty) {
            let span = block.get("command")?.span;
            let hint = "write the program and its arguments";
            reader.error(
                "Benchmark without a command",
                span,
                "nothing is named",
                hint,
            );
        }
        Some(Self {
            command,
            metric: match (metric, json) {
                (Some(regex), _) => Metric::Regex(regex),
                (None, Some(path)) => {
                    Metric::Json(path.value.split('.').map(str::to_owned).collect())
                }
                (None, None) => Metric::Line,
            },
            higher_is_better: reader.string(block, "better")?.value == "higher",
            unit: reader.string(block, "unit").map(|unit| unit.value),
            warmup: reader.whole(block, "warmup").map_or(1, |n| n.value),
            runs: reader.whole(block, "runs").map_or(5, |n| n.value),
            tries: reader.whole(block, "tries").map_or(20, |n| n.value),
            timeout_ms: reader
                .nanoseconds(block, "timeout")
                .map_or(PATIENCE_MS, |ns| ns / 1_000_000),
            span: block.span,
        })
    }
}
