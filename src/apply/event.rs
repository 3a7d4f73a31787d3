//! What is told while an apply runs: the lines of `apply --json`. How it looks to a person is the CLI's.

use infra_api::{Address, Failure, Remedy, ResourceId};
use infra_plan::StepAction;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `MAJOR.MINOR` of the events.
pub const EVENTS_VERSION: &str = "1.0";

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "type", deny_unknown_fields)]
pub enum Event {
    /// The first one.
    Version {
        format_version: String,
    },
    /// The world is not as planned at this step's object; no step is started.
    Stale {
        step: u32,
        resource: ResourceId,
        address: Address,
        differs: String,
    },
    Started {
        step: u32,
        resource: ResourceId,
        address: Address,
        action: StepAction,
    },
    /// What it is doing.
    Progress {
        step: u32,
        text: String,
    },
    /// What it waits for.
    Waiting {
        step: u32,
        text: String,
    },
    Done {
        step: u32,
        elapsed_ms: u64,
    },
    Failed {
        step: u32,
        elapsed_ms: u64,
        problem: Problem,
    },
    /// Not started, because a step it needs failed.
    Skipped {
        step: u32,
        because: u32,
    },
    /// Not started: what it stops (or what one that it needs stops) may not be stopped now.
    Held {
        step: u32,
    },
    /// Asked to stop: running steps end, none starts.
    Stopping {
        running: Vec<u32>,
    },
    /// The last one: how many steps ended how.
    Finished {
        done: usize,
        failed: usize,
        skipped: usize,
        left: usize,
        held: usize,
    },
}

/// A [`Failure`], to be written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// `retry`, `replan` or `operator`: what helps.
    pub remedy: String,
    /// What was being done to what.
    pub doing: String,
    pub cause: String,
    /// What to do, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl From<&Failure> for Problem {
    fn from(failure: &Failure) -> Self {
        let Failure {
            remedy,
            doing,
            cause,
            hint,
        } = failure.clone();
        let remedy = match remedy {
            Remedy::Retry => "retry",
            Remedy::Replan => "replan",
            Remedy::Operator => "operator",
        };
        Self {
            remedy: remedy.to_owned(),
            doing,
            cause,
            hint,
        }
    }
}

/// Is told everything as it happens.
pub trait Sink: Send + Sync {
    fn event(&self, event: &Event);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_its_type() {
        let line = |event: &Event| serde_json::to_string(event).unwrap();
        let version = Event::Version {
            format_version: EVENTS_VERSION.to_owned(),
        };
        assert_eq!(
            line(&version),
            r#"{"type":"version","format_version":"1.0"}"#
        );
        let problem = Problem::from(&Failure::new(Remedy::Replan, "making `a`", "no room"));
        assert_eq!(
            line(&Event::Failed {
                step: 3,
                elapsed_ms: 5,
                problem
            }),
            r#"{"type":"failed","step":3,"elapsed_ms":5,"problem":{"remedy":"replan","doing":"making `a`","cause":"no room"}}"#
        );
    }
}
