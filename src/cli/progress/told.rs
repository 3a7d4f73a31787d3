//! Events in a person's words. Pure: what is drawn on and when is not known here.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use infra_apply::{Event, Problem};
use infra_plan::{Plan, Step, StepAction};

use crate::cli::show::names::{self, clean};

const RED: Style = AnsiColor::Red.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const DIM: Style = Style::new().dimmed();

/// Whom a step is about.
struct Subject {
    /// The declaration: `cache`.
    who: String,
    /// `container demo.cache`; with the host where there are several.
    object: String,
    action: StepAction,
}

/// What is known of an apply's steps.
pub(super) struct Told {
    subjects: BTreeMap<u32, Subject>,
}

impl Told {
    pub(super) fn new(plan: &Plan) -> Self {
        let hosts: BTreeSet<_> = plan.steps.iter().map(|s| &s.resource.host).collect();
        let subject = |step: &Step| Subject {
            who: names::short(&step.address).to_owned(),
            object: if hosts.len() > 1 {
                format!(
                    "{} on {}",
                    names::object(&step.resource),
                    step.resource.host
                )
            } else {
                names::object(&step.resource)
            },
            action: step.action,
        };
        let subjects = plan.steps.iter().map(|s| (s.number, subject(s)));
        Self {
            subjects: subjects.collect(),
        }
    }

    /// `cache: creating container demo.cache`.
    pub(super) fn doing(&self, step: u32) -> String {
        let Some(Subject {
            who,
            object,
            action,
        }) = self.subjects.get(&step)
        else {
            return format!("step {step}");
        };
        let verb = match action {
            StepAction::Create => "creating",
            StepAction::Prepare => "preparing the next start of",
            StepAction::Update => "changing",
            StepAction::Restart => "restarting",
            StepAction::Replace => "replacing",
            StepAction::Delete => "deleting",
            StepAction::Migrate => "moving",
        };
        format!("{who}: {verb} {object}")
    }

    /// `cache: container demo.cache: uploading 12 of 40 MiB`.
    pub(super) fn meanwhile(&self, step: u32, text: &str) -> String {
        format!("{}: {}", self.whom(step), one_line(text))
    }

    /// The lines that stay: what is over, and what concerns everything. `began` is how long ago all began.
    pub(super) fn lines(&self, event: &Event, began: Duration) -> Vec<String> {
        match event {
            Event::Version { .. }
            | Event::Started { .. }
            | Event::Progress { .. }
            | Event::Waiting { .. } => Vec::new(),
            Event::Stale { step, differs, .. } => {
                let differs = one_line(differs);
                vec![format!("{} is not as planned: {differs}", self.whom(*step))]
            }
            Event::Done { step, elapsed_ms } => vec![self.done(*step, *elapsed_ms)],
            Event::Failed {
                step,
                elapsed_ms,
                problem,
            } => self.failed(*step, *elapsed_ms, problem),
            Event::Skipped { step, because } => vec![format!(
                "{} was not started, because {} failed",
                self.whom(*step),
                self.object(*because),
            )],
            Event::Held { step } => vec![format!(
                "{} is pending: what runs may not be stopped now",
                self.whom(*step)
            )],
            Event::Stopping { running } => vec![stopping(running.len())],
            Event::Finished {
                done,
                failed,
                skipped,
                left,
                held,
            } => vec![
                String::new(),
                finished([*done, *failed, *skipped, *left, *held], began),
            ],
        }
    }

    fn done(&self, step: u32, elapsed_ms: u64) -> String {
        let verb = match self.subjects.get(&step).map(|s| s.action) {
            Some(StepAction::Create) => "created",
            Some(StepAction::Prepare) => "prepared for its next start",
            Some(StepAction::Update) => "changed",
            Some(StepAction::Restart) => "restarted",
            Some(StepAction::Replace) => "replaced",
            Some(StepAction::Delete) => "deleted",
            Some(StepAction::Migrate) => "moved while it runs",
            None => "done",
        };
        let elapsed = elapsed(Duration::from_millis(elapsed_ms));
        format!(
            "{} {GREEN}{verb}{GREEN:#} {DIM}in {elapsed}{DIM:#}",
            self.whom(step)
        )
    }

    /// What was being done, why it failed, what to do.
    fn failed(&self, step: u32, elapsed_ms: u64, problem: &Problem) -> Vec<String> {
        let elapsed = elapsed(Duration::from_millis(elapsed_ms));
        let Problem {
            remedy: _,
            doing,
            cause,
            hint,
        } = problem;
        let mut lines = vec![
            format!("{} {RED}failed{RED:#} after {elapsed}", self.whom(step)),
            format!("  {}", one_line(doing)),
        ];
        lines.extend(cause.lines().map(|line| format!("  {}", clean(line))));
        lines.extend(
            hint.iter()
                .map(|hint| format!("  hint: {}", one_line(hint))),
        );
        lines
    }

    fn whom(&self, step: u32) -> String {
        self.subjects.get(&step).map_or_else(
            || format!("step {step}"),
            |subject| format!("{}: {}", subject.who, subject.object),
        )
    }

    fn object(&self, step: u32) -> String {
        self.subjects
            .get(&step)
            .map_or_else(|| format!("step {step}"), |subject| subject.object.clone())
    }
}

fn stopping(running: usize) -> String {
    let ends = match running {
        0 => "no step is running".to_owned(),
        1 => "the running step ends".to_owned(),
        n => format!("the {n} running steps end"),
    };
    format!("Stopping: {ends}, no other starts. Once more stops at once.")
}

fn finished([done, failed, skipped, left, held]: [usize; 5], began: Duration) -> String {
    let words = [
        (failed, "failed"),
        (skipped, "skipped"),
        (left, "not started or not finished"),
        (held, "pending"),
    ];
    let steps = if done == 1 { "step" } else { "steps" };
    let mut text = format!("{done} {steps} done");
    for (n, what) in words.iter().filter(|(n, _)| *n > 0) {
        text += &format!(", {n} {what}");
    }
    format!("{text}, in {}.", elapsed(began))
}

/// `0.4 s`, `2 min 5 s`.
fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{}.{} s", seconds, time.subsec_millis() / 100)
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

/// What a daemon says, on one line and without control characters.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.lines().map(str::trim).collect();
    clean(words.join(" ").trim())
}

#[cfg(test)]
mod tests;
