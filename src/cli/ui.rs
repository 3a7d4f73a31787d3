//! What is said to a person and what is the result: the only file of the shell that prints, with `progress` for a
//! running apply. stdout is the result, stderr the talk. A broken pipe is the reader's wish and no error.

use std::borrow::Cow;
use std::io::{BufRead, IsTerminal, Write};

use infra_api::Project;
use infra_diag::{Diagnostics, Sources, Style, render};
use infra_plan::Outcome;

use crate::decide::Decision;
use crate::inventory::Inventory;

/// How this program ends. The numbers are documented and do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    Error = 1,
    /// Changes or differences, where a command was asked to tell.
    Changes = 2,
    /// Nothing but drift.
    Drift = 3,
    /// Some steps are done and some are not, or the kernel does not do what was planned.
    Partly = 4,
    /// The plan is not of this world any more.
    Stale = 5,
    /// Somebody else holds the lock.
    Locked = 6,
}

/// Why a command stops before its end.
#[derive(Debug)]
pub enum Stop {
    /// What is wrong with what the person wrote.
    Diagnostics(Diagnostics, Box<Sources>),
    /// Workloads that have no place.
    Refused(Box<Refused>),
    /// What was being done, why it failed, what to do.
    Error {
        exit: Exit,
        doing: String,
        cause: String,
        hint: Option<String>,
    },
    /// Several reasons, all of which are said. The first decides how the program ends.
    Several(Vec<Stop>),
}

/// What was decided where some workload has no place: enough to show it.
#[derive(Debug)]
pub struct Refused {
    pub diagnostics: Diagnostics,
    pub sources: Sources,
    pub decision: Decision,
    pub inventory: Inventory,
    pub prior: Outcome,
    pub project: Project,
}

impl Stop {
    pub fn error(doing: impl Into<String>, cause: impl std::fmt::Display) -> Self {
        Self::Error {
            exit: Exit::Error,
            doing: doing.into(),
            cause: cause.to_string(),
            hint: None,
        }
    }

    /// Every one of these failures.
    #[must_use]
    pub fn all(failures: Vec<infra_api::Failure>) -> Self {
        Self::Several(failures.into_iter().map(Self::from).collect())
    }

    #[must_use]
    pub fn hint(self, text: impl Into<String>) -> Self {
        match self {
            Self::Error {
                exit, doing, cause, ..
            } => Self::Error {
                exit,
                doing,
                cause,
                hint: Some(text.into()),
            },
            other => other,
        }
    }
}

impl From<infra_state::Error> for Stop {
    fn from(error: infra_state::Error) -> Self {
        let exit = match error.kind {
            infra_state::Kind::Locked => Exit::Locked,
            infra_state::Kind::Stale => Exit::Stale,
            _ => Exit::Error,
        };
        Self::Error {
            exit,
            doing: error.doing,
            cause: error.cause,
            hint: error.hint,
        }
    }
}

impl From<infra_api::Failure> for Stop {
    fn from(failure: infra_api::Failure) -> Self {
        let exit = if failure.remedy == infra_api::Remedy::Replan {
            Exit::Stale
        } else {
            Exit::Error
        };
        Self::Error {
            exit,
            doing: failure.doing,
            cause: failure.cause,
            hint: failure.hint,
        }
    }
}

/// The door to the person.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ui {
    /// Results are JSON: the talk stays on stderr, and nothing else is on stdout.
    pub json: bool,
    /// Warnings are left out: they were said before.
    pub quiet: bool,
}

impl Ui {
    /// The result, on stdout.
    pub fn result(self, text: &str) {
        let out = std::io::stdout();
        let text = match anstream::AutoStream::choice(&out) {
            anstream::ColorChoice::Never => Cow::Owned(plain(text)),
            _ => Cow::Borrowed(text),
        };
        // In one go: to write line by line costs more than to make the lines.
        let mut out = out.lock();
        let _broken_pipe = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// A result that is JSON. Nothing in it can be a terminal's control: it goes out as it is made.
    pub fn json(self, document: &impl serde::Serialize) {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        let _broken_pipe = serde_json::to_writer_pretty(&mut out, document)
            .map_err(std::io::Error::from)
            .and_then(|()| out.write_all(b"\n"))
            .and_then(|()| out.flush());
    }

    /// The talk, on stderr.
    pub fn say(self, text: &str) {
        let mut out = anstream::stderr().lock();
        let _broken_pipe = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    pub fn diagnostics(self, diagnostics: &Diagnostics, sources: &Sources) {
        if !diagnostics.is_empty() && !self.quiet {
            self.say(&render(diagnostics, sources, Style::Colour));
        }
    }

    pub fn warning(self, text: &str) {
        if !self.quiet {
            self.say(&format!("warning: {text}\n"));
        }
    }

    /// Says why a command stopped, and returns how the program ends.
    pub fn stop(self, stop: &Stop) -> Exit {
        match stop {
            Stop::Diagnostics(diagnostics, sources) => {
                self.diagnostics(diagnostics, sources);
                Exit::Error
            }
            Stop::Refused(refused) => {
                self.diagnostics(&refused.diagnostics, &refused.sources);
                Exit::Error
            }
            Stop::Error {
                exit,
                doing,
                cause,
                hint,
            } => {
                self.say(&format!("error: {doing}: {cause}\n"));
                if let Some(hint) = hint {
                    self.say(&format!("\nhint: {hint}\n"));
                }
                *exit
            }
            Stop::Several(stops) => {
                let exits: Vec<Exit> = stops.iter().map(|stop| self.stop(stop)).collect();
                exits.first().copied().unwrap_or(Exit::Error)
            }
        }
    }

    /// Whether somebody sits there.
    #[must_use]
    pub fn is_interactive(self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Asks; only the whole word `yes` is taken for one.
    #[must_use]
    pub fn confirm(self, question: &str) -> bool {
        self.say(&format!("{question}\n  Only `yes` is taken for one: "));
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim() == "yes"
    }
}

/// Without styles. Most lines have none.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let is_styled = |b: u8| b.is_ascii_control() && b != b'\n';
        match line.bytes().any(is_styled) {
            true => plain.extend(anstream::adapter::strip_str(line)),
            false => plain.push_str(line),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_text_is_what_a_styled_one_says() {
        let text = "a\n\u{1b}[1mworkload.ä\u{1b}[0m\tb · c\n\r\u{7}\u{7f}\n\nend";
        assert_eq!(plain(text), anstream::adapter::strip_str(text).to_string());
        assert_eq!(plain("\u{1b}[31mred\u{1b}[0m\n"), "red\n");
    }
}
