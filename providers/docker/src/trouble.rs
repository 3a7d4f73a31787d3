//! Why the engine did not do what it was asked, and what to do about it. Pure.

use std::fmt;

use bollard::errors::Error;
use infra_api::{Failure, Remedy};
use serde::Deserialize;

use crate::door::Broken;

/// Why there is no answer, or what kind of no it is.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The engine said no.
    Refused { status: u16, message: String },
    /// No answer came: whether it was done is unknown.
    Lost(String),
    /// An answer came, and not one that can be read.
    Garbled(String),
}

pub(crate) type Answer<T> = Result<T, Trouble>;

pub(crate) fn lost(error: impl fmt::Display) -> Trouble {
    Trouble::Lost(error.to_string())
}

pub(crate) fn refusal(status: u16, body: &[u8]) -> Trouble {
    #[derive(Deserialize)]
    struct Message {
        message: String,
    }
    let message = match serde_json::from_slice::<Message>(body) {
        Ok(said) => said.message,
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    };
    Trouble::Refused { status, message }
}

impl From<Broken> for Trouble {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Stream(error) => Self::Lost(chain(&error)),
            Broken::Http(error) => Self::Lost(chain(&error)),
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::DockerResponseServerError {
                status_code,
                message,
            } => Self::Refused {
                status: status_code,
                message,
            },
            // Comes in the middle of an answer that began with 200.
            Error::DockerStreamError { error } => Self::Refused {
                status: 500,
                message: error,
            },
            Error::RequestTimeoutError => Self::Lost("no answer in time".to_owned()),
            Error::JsonDataError { message, .. } => Self::Garbled(message),
            other => Self::Lost(chain(&other)),
        }
    }
}

/// An error and what caused it: hyper's own text is `client error (Connect)`.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

impl Trouble {
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Lost(_) | Self::Garbled(_) => None,
        }
    }

    pub(crate) fn failure(self, doing: impl Into<String>) -> Failure {
        let doing = doing.into();
        match self {
            Self::Refused { status, message } => {
                // 503: the engine is going down or coming up.
                let remedy = if status == 503 {
                    Remedy::Retry
                } else {
                    Remedy::Operator
                };
                let failure = Failure::new(remedy, doing, &message);
                match hint(&message) {
                    Some(text) => failure.hint(text),
                    None => failure,
                }
            }
            // Not the same as failed: a frozen engine carries the call out when it thaws.
            Self::Lost(why) => Failure::new(Remedy::Retry, doing, why)
                .hint("whether it was done is unknown: what is there is looked at again"),
            Self::Garbled(why) => Failure::new(Remedy::Operator, doing, why)
                .hint("the engine's answer has an unknown shape; `docker version` tells which engine it is"),
        }
    }
}

/// What to do about an engine's message, by a part of it. Messages as of 20.10 and 28.
const HINTS: &[(&str, &str)] = &[
    (
        "port is already allocated",
        "another container has that port of the host; `docker ps` shows which",
    ),
    (
        "address already in use",
        "that address or port is taken on the host; `ss -ltnup` shows by whom",
    ),
    (
        "Address already in use",
        "another container of the network has that address",
    ),
    (
        "Requested CPUs are not available",
        "the host has changed or its facts are old: plan again",
    ),
    (
        "Requested memory nodes are not available",
        "the host has changed or its facts are old: plan again",
    ),
    (
        "unable to set memory limit",
        "it uses more than that now: stop it first or plan a larger limit",
    ),
    (
        "no such file or directory: unknown",
        "the image holds no such program: check `command` and `entrypoint`",
    ),
    (
        "executable file not found",
        "the image holds no such program: check `command` and `entrypoint`",
    ),
    (
        "No command specified",
        "the image names no program: write `command` or `entrypoint`",
    ),
    (
        "unable to find user",
        "the image's /etc/passwd has no such user: write another, or a number",
    ),
    (
        "error setting rlimit",
        "the engine itself may not raise that limit so far: write a smaller one",
    ),
    (
        "no space left on device",
        "the disk of Docker's root directory is full: `docker system df`",
    ),
    (
        "bind source path does not exist",
        "make the directory on the host first",
    ),
    (
        "could not find bridge",
        "the network's bridge was removed behind Docker's back: remove the network and apply, or restart the engine",
    ),
    (
        "Pool overlaps",
        "another network of the host has that subnet: choose another one",
    ),
];

fn hint(message: &str) -> Option<&'static str> {
    HINTS
        .iter()
        .find(|(part, _)| message.contains(part))
        .map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_hold_the_engines_words() {
        let said = refusal(409, br#"{"message":"it is in use"}"#).failure("removing volume `v`");
        assert_eq!(
            (said.remedy, said.cause.as_str()),
            (Remedy::Operator, "it is in use")
        );
        let bare = refusal(500, b"oops\n").failure("x");
        assert_eq!(bare.cause, "oops");
        assert_eq!(lost("gone").failure("x").remedy, Remedy::Retry);
    }

    #[test]
    fn what_a_person_wrote_wrong_has_a_hint() {
        for (said, hint) in [
            ("No command specified", "`command`"),
            (
                "unable to find user nouser: no matching entries in passwd file",
                "/etc/passwd",
            ),
            (
                "OCI runtime create failed: error setting rlimit type 8: operation not permitted: unknown",
                "limit",
            ),
        ] {
            let failure = refusal(400, said.as_bytes()).failure("x");
            assert!(
                failure.hint.is_some_and(|text| text.contains(hint)),
                "{said}"
            );
        }
    }
}
