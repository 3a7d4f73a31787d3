//! Until an object is ready.

use std::time::Duration;

use infra_api::{Failure, Readiness, Remedy, ResourceId};
use tokio::time::{Instant, sleep};

use super::{Hands, told};
use crate::Event;

/// How often readiness is asked for, at most and at least.
const ASK_AGAIN: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

impl Hands<'_> {
    /// Until it is ready, or the time is over that its declaration gives it.
    pub(super) async fn wait_ready(&self, id: &ResourceId) -> Result<(), Failure> {
        let (mut pause, longest) = ASK_AGAIN;
        let declared = self.step.ready_ms.get(id).copied();
        let limit = declared.map_or(self.job.settings.ready_deadline, Duration::from_millis);
        let deadline = Instant::now() + limit;
        loop {
            let waits_for = match self.answer(self.daemon_of(id)?.ready(id)).await {
                Ok(Readiness::Ready) => return Ok(()),
                Ok(Readiness::Failed(why)) => return Err(self.not_ready(id, why).await),
                Ok(Readiness::Waiting(what)) => what,
                Err(failure) if failure.remedy == Remedy::Retry => failure.to_string(),
                Err(failure) => return Err(failure),
            };
            if Instant::now() >= deadline {
                let why = format!("still waiting after {}: {waits_for}", told(limit));
                return Err(self.not_ready(id, why).await);
            }
            self.tell(Event::Waiting {
                step: self.step.number,
                text: self.job.vault.scrub(&format!("{}: {waits_for}", id.name)),
            });
            sleep(pause).await;
            pause = longest.min(pause * 2);
        }
    }

    /// With what it said last, where the daemon knows.
    async fn not_ready(&self, id: &ResourceId, why: String) -> Failure {
        let doing = format!("waiting until {id} is ready");
        let said = match self.daemon_of(id) {
            Ok(daemon) => self.answer(daemon.last_words(id)).await.ok().flatten(),
            Err(_) => None,
        };
        let why = said.map_or_else(|| why.clone(), |said| format!("{why}; {said}"));
        let hint = match *id == self.step.resource {
            true => {
                "it stays as it is, and the next apply waits again; `timeouts { ready = \"…\" }` gives it longer"
            }
            false => "what depends on it was not started; see its log",
        };
        Failure::new(Remedy::Operator, doing, why).hint(hint)
    }
}
