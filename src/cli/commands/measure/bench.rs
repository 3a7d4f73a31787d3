//! One run of a benchmark: a command of this machine, what it prints, and the number in that.

use std::process::Stdio;
use std::time::Duration;

use infra_api::Variant;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::sync::watch;

use crate::declared::{Measure, Metric};

/// Of what a benchmark prints so much is kept: the end of it.
const KEPT: usize = 1 << 20;

/// What is measured.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Where it answers.
    pub(super) address: String,
    /// The daemon's name for it.
    pub(super) name: String,
    pub(super) variant: Variant,
}

/// Runs it once and returns what it printed.
///
/// Words of the command stand for what is measured, in the arguments and in the environment alike; no shell reads them.
pub(super) async fn once(
    measure: &Measure,
    target: &Target,
    stop: &mut watch::Receiver<bool>,
) -> Result<String, String> {
    let filled = |word: &String| {
        word.replace("{address}", &target.address)
            .replace("{container}", &target.name)
            .replace("{machine}", &target.name)
    };
    let words: Vec<String> = measure.command.iter().map(filled).collect();
    let (program, arguments) = words.split_first().ok_or("there is no command")?;
    let mut child = Command::new(program)
        .args(arguments)
        .env("INFRA_ADDRESS", &target.address)
        .env("INFRA_NAME", &target.name)
        .env("INFRA_RUNTIME", target.variant.runtime.word())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Of its own, so that all it started ends with it.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| format!("`{program}` cannot be started: {e}"))?;
    let group = child.id();
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let ended = async {
        let (out, err) = tokio::join!(read(&mut out), read(&mut err));
        (out, err, child.wait().await)
    };
    let patience = Duration::from_millis(measure.timeout_ms);
    let ended = tokio::select! {
        ended = tokio::time::timeout(patience, ended) => ended.map_err(|_| {
            format!("the benchmark did not end within {} s; `timeout` gives it more", patience.as_secs())
        }),
        _ = stop.wait_for(|stop| *stop) => Err("interrupted".to_owned()),
    };
    if ended.is_err() {
        kill(group);
    }
    let (out, err, status) = ended?;
    let status = status.map_err(|e| format!("waiting for the benchmark: {e}"))?;
    if !status.success() {
        let last = [&err, &out].into_iter().find_map(|text| last_line(text));
        let last = last.map_or_else(String::new, |line| format!(": {line}"));
        return Err(format!("the benchmark ended with {status}{last}"));
    }
    Ok(out)
}

/// The number in it, or why there is none.
pub(super) fn value(measure: &Measure, output: &str) -> Result<f64, String> {
    number(&measure.metric, output).ok_or_else(|| {
        let last = last_line(output).unwrap_or("nothing");
        format!("the benchmark printed no number where it should: looked for {}; its last line is `{last}`", measure.metric)
    })
}

async fn read(pipe: &mut Option<impl AsyncReadExt + Unpin>) -> String {
    let mut kept = Vec::new();
    if let Some(pipe) = pipe {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(n @ 1..) = pipe.read(&mut buffer).await {
            kept.extend_from_slice(&buffer[..n]);
            if kept.len() > 2 * KEPT {
                kept.drain(..kept.len() - KEPT);
            }
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

fn kill(group: Option<u32>) {
    let group = group.and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(group) = group {
        let _gone = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

fn last_line(text: &str) -> Option<&str> {
    text.lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
}

/// The number that an output holds.
fn number(metric: &Metric, output: &str) -> Option<f64> {
    let value = match metric {
        Metric::Line => last_line(output)?.parse().ok()?,
        Metric::Regex(regex) => {
            let regex = regex_lite::Regex::new(&regex.value).ok()?;
            let last = regex.captures_iter(output).last()?;
            last.get(1)?.as_str().replace(',', "").parse().ok()?
        }
        Metric::Json(path) => {
            let document: serde_json::Value = serde_json::from_str(output.trim()).ok()?;
            let step = |value: &serde_json::Value, step: &String| match value {
                serde_json::Value::Array(items) => items.get(step.parse::<usize>().ok()?).cloned(),
                value => value.get(step).cloned(),
            };
            path.iter()
                .try_fold(document, |value, name| step(&value, name))?
                .as_f64()?
        }
    };
    // A rate or a time of nothing is none.
    let usable = |value: &f64| value.is_finite() && *value > 0.0;
    Some(value).filter(usable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declared::At;

    fn regex(text: &str) -> Metric {
        let mut sources = infra_diag::Sources::new();
        let source = sources.add("x", text.to_owned());
        Metric::Regex(At {
            value: text.to_owned(),
            span: infra_diag::Span::new(source, 0..1),
        })
    }

    #[test]
    fn numbers_are_found_where_they_are_said_to_be() {
        let rate = regex(r"([0-9.,]+) requests per second");
        let output = "GET: 1000.5 requests per second\nSET: 2,000.25 requests per second\n";
        assert_eq!(number(&rate, output), Some(2000.25));
        assert_eq!(number(&rate, "none"), None);
        assert_eq!(number(&Metric::Line, "a\n12.5\n\n"), Some(12.5));
        assert_eq!(number(&Metric::Line, "12.5 ms\n"), None);
        let json = Metric::Json(vec!["totals".into(), "0".into(), "rate".into()]);
        assert_eq!(
            number(&json, r#"{"totals": [{"rate": 3e3}]}"#),
            Some(3000.0)
        );
        assert_eq!(number(&json, r#"{"totals": []}"#), None);
        assert_eq!(number(&Metric::Line, "0"), None);
        assert_eq!(number(&Metric::Line, "inf"), None);
    }
}
