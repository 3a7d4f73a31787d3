//! Why each step is there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a step is in the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "because", deny_unknown_fields)]
pub enum Reason {
    /// It is declared and not there, and never was.
    New,
    /// It was made by us and is gone.
    Vanished,
    /// An apply was cut off while making or removing it.
    HalfMade { why: String },
    /// Its declaration (or what was decided from it) changed.
    Changed,
    /// It was changed behind our back.
    Drift,
    /// Both.
    ChangedAndDrift,
    /// It is made anew because these attributes cannot be changed.
    Replaced { attributes: Vec<String> },
    /// It is made anew because what it stands on is.
    ReplacedWith { resource: String },
    /// It is restarted because what it stands on changes.
    RestartedWith { resource: String },
    /// It is as declared, and an apply has waited in vain for it to become ready.
    NotReady,
    /// It is declared no longer.
    Undeclared,
    /// It carries this project's mark, stands in no state and is declared nowhere.
    Stray,
    /// Everything is being destroyed.
    Destroy,
    /// It runs on another host, and is to run on this one.
    Moves { from: String },
    /// The same, and it cannot move while it runs: it is started anew here, and removed there.
    CannotMove { from: String, why: Vec<String> },
    /// It is stopped for a moment to break a cycle: each waits for what the other has.
    Yields { to: String },
}
