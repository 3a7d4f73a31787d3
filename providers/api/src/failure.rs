//! The world refused: what was being done to what, why, and what to do.

use std::error::Error;
use std::fmt;

/// What to do about a failure; sorted by that and not by the library it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The same call may go through later: the executor tries again.
    Retry,
    /// The world is not as planned: plan again.
    Replan,
    /// Only a person can help.
    Operator,
}

/// A call that did not do what was asked. After a lost connection the outcome is unknown: read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub remedy: Remedy,
    /// What was being done to what, as in "starting container `demo.cache`".
    pub doing: String,
    /// Why it failed, in the daemon's own words where it has any.
    pub cause: String,
    /// What to do, where that is known.
    pub hint: Option<String>,
}

impl Failure {
    #[must_use]
    pub fn new(remedy: Remedy, doing: impl Into<String>, cause: impl fmt::Display) -> Self {
        Self {
            remedy,
            doing: doing.into(),
            cause: cause.to_string(),
            hint: None,
        }
    }

    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hint = Some(text.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.cause)
    }
}

impl Error for Failure {}
