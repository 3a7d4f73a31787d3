//! What an apply that was cut off had asked of a daemon may be going on still: a call that nobody waits for any more, a
//! program that was told to end. It is waited for: a plan would take for running what is about to end, and for absent
//! what is about to be there.

use std::collections::BTreeSet;
use std::time::Duration;

use infra_api::{Observed, ResourceId};

use super::Session;
use crate::cli::ui::Ui;
use crate::world::World;

/// How long after the last word of that apply a call is over, but for a long one.
const CALL: Duration = Duration::from_secs(2);
/// How long after it a program or a guest has ended: an engine gives ten seconds, and a guest that listens seldom takes
/// more.
const STOP: Duration = Duration::from_secs(12);

const LOOK_AGAIN: Duration = Duration::from_millis(300);

impl Session {
    pub async fn settle(&self, world: &World) {
        let Some(age) = self.age().filter(|_| !self.loaded.in_doubt.is_empty()) else {
            return;
        };
        tokio::time::sleep(CALL.saturating_sub(age)).await;
        let stopping: BTreeSet<ResourceId> = self.loaded.stopping.iter().cloned().collect();
        let mut told = false;
        while self.age().is_some_and(|age| age < STOP) && self.run(world, &stopping).await {
            if !std::mem::replace(&mut told, true) {
                let names: Vec<String> = stopping.iter().map(ResourceId::to_string).collect();
                Ui::default().say(&format!(
                    "An apply that was cut off may be stopping {}: waiting until that is over.\n",
                    names.join(", ")
                ));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Of the journal's last word.
    fn age(&self) -> Option<Duration> {
        let journal = std::fs::metadata(&self.store.paths().journal);
        journal
            .and_then(|file| file.modified())
            .ok()?
            .elapsed()
            .ok()
    }

    /// Whether any of them runs.
    async fn run(&self, world: &World, ids: &BTreeSet<ResourceId>) -> bool {
        if ids.is_empty() {
            return false;
        }
        let observation = world.observe(self.project(), ids).await;
        let runs = |observed: &Observed| match observed {
            Observed::Present { body, .. } => body["state"] == "running",
            Observed::Partial { .. } | Observed::Absent | Observed::Foreign { .. } => false,
        };
        ids.iter()
            .filter_map(|id| observation.found.get(id))
            .any(runs)
    }
}
