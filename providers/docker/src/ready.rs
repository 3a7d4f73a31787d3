//! Whether what depends on an object may start: a container that is well, or runs and has no health
//! check; anything else once it is there. Reads only.

use bollard::query_parameters::LogsOptions;
use futures_util::StreamExt;
use infra_api::Readiness;

use crate::calls::look;
use crate::text::inspect::{Health, Inspect, State};
use crate::trouble::Answer;
use crate::wire::Wire;

/// As much of a program's words as is shown.
const LINES: usize = 5;
const WIDTH: usize = 200;

pub(crate) async fn container(wire: &Wire, name: &str) -> Answer<Readiness> {
    let Some(found) = look::find(wire, name).await? else {
        return Ok(Readiness::Failed("it is not there".to_owned()));
    };
    Ok(match judge(&found) {
        Readiness::Failed(why) if found.state.status == "exited" => {
            Readiness::Failed(with_logs(wire, &found, why).await)
        }
        Readiness::Waiting(what) if found.state.status == "restarting" => {
            Readiness::Waiting(with_logs(wire, &found, what).await)
        }
        other => other,
    })
}

fn judge(found: &Inspect) -> Readiness {
    let State {
        status,
        exit_code,
        error,
        health,
    } = &found.state;
    match (status.as_str(), health) {
        ("running", Some(health)) => well(found, health),
        ("running", None) => Readiness::Ready,
        ("created", _) if error.is_empty() => {
            Readiness::Waiting("it is not started yet".to_owned())
        }
        ("created", _) => Readiness::Failed(format!("it did not start: {error}")),
        // The engine tries again, and how long is its restart policy's matter.
        ("restarting", _) => Readiness::Waiting(format!("it restarts after exit code {exit_code}")),
        ("exited", _) => Readiness::Failed(format!("it exited with code {exit_code}")),
        (other, _) => Readiness::Failed(format!("it is {other}")),
    }
}

/// `unhealthy` is final: the engine says so after as many failed tries in a row as were planned.
fn well(found: &Inspect, health: &Health) -> Readiness {
    let last = health.log.iter().flatten().last();
    match health.status.as_str() {
        "healthy" | "none" => Readiness::Ready,
        "unhealthy" => Readiness::Failed(match last {
            Some(probe) => format!(
                "unhealthy: its check ended with {}: {}",
                probe.exit_code,
                excerpt(&probe.output)
            ),
            None => "unhealthy".to_owned(),
        }),
        _ => Readiness::Waiting(format!(
            "health check: starting, {} of {} tries",
            health.failing_streak,
            tries(found)
        )),
    }
}

/// The engine's default is three.
fn tries(found: &Inspect) -> u32 {
    let check = found.config.healthcheck.as_ref();
    check
        .map(|check| check.retries)
        .filter(|n| *n != 0)
        .unwrap_or(3)
}

async fn with_logs(wire: &Wire, found: &Inspect, why: String) -> String {
    let options = LogsOptions {
        stdout: true,
        stderr: true,
        tail: LINES.to_string(),
        ..LogsOptions::default()
    };
    let lines = wire.client().logs(&found.id, Some(options));
    // A log driver that cannot be read back is no reason to fail.
    let lines: Vec<String> = lines
        .filter_map(|line| async { line.ok().map(|l| l.to_string()) })
        .collect()
        .await;
    match excerpt(&lines.concat()) {
        said if said.is_empty() => why,
        said => format!("{why}; it last said: {said}"),
    }
}

/// The last lines, on one.
fn excerpt(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join(" | ");
    match last.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &last[..end]),
        None => last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn judged(state: Value) -> Readiness {
        let found = json!({
            "Id": "aa", "Created": "", "Name": "/x", "Image": "sha256:1", "State": state,
            "Config": {"Healthcheck": {"Test": ["CMD", "true"], "Retries": 4}}, "HostConfig": {},
            "NetworkSettings": {"Networks": {}},
        });
        judge(&serde_json::from_value(found).unwrap())
    }

    #[test]
    fn states() {
        let health = |status| {
            json!({"Status": "running", "Health": {
            "Status": status, "FailingStreak": 2, "Log": [{"ExitCode": 1, "Output": "no\nanswer\n"}]}})
        };
        assert_eq!(judged(json!({"Status": "running"})), Readiness::Ready);
        assert_eq!(judged(health("healthy")), Readiness::Ready);
        assert_eq!(
            judged(health("starting")),
            Readiness::Waiting("health check: starting, 2 of 4 tries".into())
        );
        assert_eq!(
            judged(health("unhealthy")),
            Readiness::Failed("unhealthy: its check ended with 1: no | answer".into())
        );
        assert_eq!(
            judged(json!({"Status": "exited", "ExitCode": 3})),
            Readiness::Failed("it exited with code 3".into())
        );
        assert!(matches!(
            judged(json!({"Status": "restarting", "ExitCode": 3})),
            Readiness::Waiting(_)
        ));
        assert!(matches!(
            judged(json!({"Status": "created", "Error": "no such file"})),
            Readiness::Failed(_)
        ));
    }

    #[test]
    fn excerpts_are_short() {
        assert_eq!(excerpt("1\n2\n3\n4\n5\n6\n\n"), "2 | 3 | 4 | 5 | 6");
        assert_eq!(excerpt(&"é".repeat(300)).chars().count(), WIDTH + 1);
    }
}
