//! Does what a plan says, checks that it was so, and decides nothing. Why anything is wanted is not known here.

mod check;
mod event;
mod ledger;
mod limits;
mod ready;
mod report;
mod run;
mod step;

pub use event::{EVENTS_VERSION, Event, Problem, Sink};
pub use limits::Limits;
pub use ready::{Ready, Skipped, Summary};
pub use report::{Report, Stale};
pub use run::{Job, Settings, Stop, World, run};
