//! What is asked of the engine, one file a kind of object. Each call looks at what is there first and
//! does what is missing, so that one that was cut off anywhere can be made again; each looks at the
//! mark before it touches anything.

pub(crate) mod container;
pub(crate) mod files;
pub(crate) mod image;
pub(crate) mod load;
pub(crate) mod look;
pub(crate) mod network;
pub(crate) mod registry;
pub(crate) mod replace;
pub(crate) mod settle;
pub(crate) mod volume;

use std::time::Duration;

use infra_api::{Change, Failure, Mark, Observed, Project, Remedy, Unmarked};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::mark::{self, Labels, Owner};
use crate::trouble::{Answer, Trouble};
use crate::wire::{Wire, filters};

/// A body as its struct. The parser's own words may hold a value, and a value may be a secret.
pub(crate) fn body<T: DeserializeOwned>(doing: &str, body: &Value) -> Result<T, Failure> {
    T::deserialize(body).map_err(|_| {
        Failure::new(
            Remedy::Operator,
            doing,
            "the body is not of this kind of object",
        )
        .hint(REPORT)
    })
}

pub(crate) const REPORT: &str = "this is a mistake in infra: please report it";

/// What a change may touch: what carries the mark, and the one object without any that was imported.
#[derive(Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub(crate) mark: &'a Mark,
    pub(crate) imported: Option<&'a str>,
}

impl<'a> Claim<'a> {
    pub(crate) fn of(change: &'a Change) -> Self {
        Self {
            mark: &change.mark,
            imported: change.imported.as_deref(),
        }
    }

    /// Of what is made: nobody imports what is not there.
    pub(crate) fn by(mark: &'a Mark) -> Self {
        Self {
            mark,
            imported: None,
        }
    }
}

/// An object of the engine, as it is told to a person and as the engine knows it.
pub(crate) struct Thing<'a> {
    pub(crate) told: String,
    /// Another one's never, also of the same name.
    pub(crate) identity: &'a str,
    pub(crate) labels: &'a Labels,
}

/// Refuses to touch what is not ours.
pub(crate) fn must_be_ours(
    doing: &str,
    thing: &Thing<'_>,
    claim: Claim<'_>,
) -> Result<(), Failure> {
    match mark::owner(thing.labels, &claim.mark.project) {
        Owner::Ours(_) => Ok(()),
        Owner::Nobody if claim.imported == Some(thing.identity) => Ok(()),
        other => Err(Failure::new(Remedy::Replan, doing, mark::foreign(&thing.told, &other))
            .hint("remove it or rename it, or choose another name; infra touches only what carries its mark")),
    }
}

/// What is found under a name: its body where it is ours.
pub(crate) fn observed<T: Serialize>(
    thing: &Thing<'_>,
    project: &Project,
    body: Result<T, String>,
) -> Observed {
    let owner = mark::owner(thing.labels, project);
    let body = body.and_then(|b| serde_json::to_value(b).map_err(|e| e.to_string()));
    let what = mark::foreign(&thing.told, &owner);
    match (owner, body) {
        (Owner::Ours(address), Ok(body)) => Observed::Present {
            address,
            body: body.into(),
        },
        (Owner::Ours(address), Err(why)) => Observed::Partial { address, why },
        (Owner::Project(..), _) => Observed::Foreign {
            what,
            unmarked: None,
        },
        (Owner::Nobody, body) => Observed::Foreign {
            what,
            unmarked: Some(Box::new(Unmarked {
                identity: thing.identity.to_owned(),
                body,
            })),
        },
    }
}

/// The filter of a list call for what carries a project's mark.
pub(crate) fn marked(project: &Project) -> String {
    filters(&json!({"label": [format!("{}={project}", mark::PROJECT)]}))
}

/// A removal that finds nothing has nothing to do.
pub(crate) fn gone(answer: Answer<()>) -> Answer<()> {
    match answer {
        Err(Trouble::Refused { status: 404, .. }) => Ok(()),
        other => other,
    }
}

/// What an engine says of a name or subnet that is taken by something which is not there to be seen: it is
/// still being made or removed, on a call that was cut off (seen on 20.10).
const BUSY: [&str; 3] = [TAKEN, "Pool overlaps with other one", "network with name"];

/// What an engine says of a container's name that another one has.
pub(crate) const TAKEN: &str = "is already in use by container";

/// Makes an attempt again while the engine is [`BUSY`]; what it says after five seconds holds.
pub(crate) async fn patiently<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    for _ in 0..25 {
        match attempt().await {
            Err(failure) if BUSY.iter().any(|words| failure.cause.contains(words)) => {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            outcome => return outcome,
        }
    }
    attempt().await
}

/// "creating network `demo.lan` on r1".
pub(crate) fn doing(wire: &Wire, verb: &str, kind: &str, name: &str) -> String {
    format!("{verb} {kind} `{name}` on {}", wire.host)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use infra_api::Address;

    use super::*;

    /// Without a mark only the very object that was imported may be touched, and with another's mark none.
    #[test]
    fn what_is_imported_is_known_by_its_identity() {
        let mark = |project: &str| Mark {
            project: Project::new(project),
            address: Address::new("workload.a"),
        };
        let (ours, theirs) = (mark("demo"), Some(mark::labels(&mark("other"))));
        let marked = Some(mark::labels(&ours));
        let may = |labels: &Labels, imported: Option<&str>| {
            let thing = Thing {
                told: "container `a`".to_owned(),
                identity: "1",
                labels,
            };
            let mark = &ours;
            must_be_ours("removing it", &thing, Claim { mark, imported }).is_ok()
        };
        for unmarked in [None, Some(BTreeMap::new())] {
            assert!(may(&unmarked, Some("1")));
            assert!(!may(&unmarked, Some("2")) && !may(&unmarked, None));
        }
        assert!(!may(&theirs, Some("1")));
        assert!(may(&marked, None));
    }
}
