//! One step: journal, look, act, look again, wait until it is ready, journal. It never acts on what it did not
//! find as planned, and never believes that what it asked for was done.

mod migrate;
mod ready;

use std::borrow::Cow;
use std::time::Duration;

use infra_api::{
    Action, Address, Change, Daemon, Failure, Impact, Mark, Observed, Progress, Readiness, Remedy,
    ResourceId,
};
use infra_plan::{Before, Record, Starts, Step, StepAction};
use infra_state::{Entry, fill};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::check::{as_before, is_on_the_way, is_reached, masked, shortfall};
use crate::ledger::Ledger;
use crate::{Event, Job};

/// An object as it is, and as it may be compared and shown.
pub(crate) struct Found {
    pub(crate) raw: Observed,
    pub(crate) masked: Observed,
}

/// What carries out one step.
pub(crate) struct Hands<'a> {
    ledger: &'a Ledger<'a>,
    job: Job<'a>,
    step: &'a Step,
}

impl<'a> Hands<'a> {
    pub(crate) fn new(ledger: &'a Ledger<'a>, step: &'a Step) -> Self {
        Self {
            ledger,
            job: ledger.job,
            step,
        }
    }

    /// The whole step, once the journal says that it has begun, up to the entry of its end.
    pub(crate) async fn carry_out(&self) -> Result<(), Failure> {
        let Step {
            number,
            resource,
            address,
            action,
            ..
        } = self.step;
        if self.ledger.is_behind(*number) {
            return Ok(());
        }
        self.tell(Event::Started {
            step: *number,
            resource: resource.clone(),
            address: address.clone(),
            action: *action,
        });
        match self.reach().await.map_err(|failure| self.scrubbed(failure)) {
            Ok(()) => self.ledger.enter(&Entry::Done {
                step: *number,
                resource: resource.clone(),
                address: address.clone(),
                kept: self.wanted()?.map(Cow::into_owned),
                from: self.origin().cloned(),
            }),
            Err(failure) => {
                // Where nobody can look any more the journal does not say how it ended: it is in doubt.
                if let Some(left) = self.left().await {
                    let gone = left.is_some() && self.has_left().await;
                    self.ledger.enter(&Entry::Failed {
                        step: *number,
                        resource: resource.clone(),
                        error: failure.to_string(),
                        left,
                        from: self.origin().filter(|_| gone).cloned(),
                    })?;
                }
                Err(failure)
            }
        }
    }

    /// What is there after a failure, with what it stands on: the next plan takes it for ours, not for drift, and
    /// removes it before what it uses. What it was to stand on and what it stood on before, for it may be either still.
    /// Nothing at all where that cannot be known.
    async fn left(&self) -> Option<Option<Record>> {
        let Ok(Some(wanted)) = self.wanted() else {
            return Some(None);
        };
        Some(match self.found().await.ok()?.masked {
            Observed::Present { address, body } if address == *self.marked(&wanted.address) => {
                let mut wanted = wanted.into_owned();
                let before = self.job.prior.resources.get(&self.step.resource);
                let before = before.map(|record| record.after.clone());
                wanted.after.extend(before.unwrap_or_default());
                wanted.after.sort();
                wanted.after.dedup();
                Some(Record {
                    body,
                    unready: self.step.until_ready,
                    ..wanted
                })
            }
            _ => None,
        })
    }

    /// The address that stands in the mark of what is declared at this one.
    fn marked<'b>(&'b self, address: &'b Address) -> &'b Address {
        self.job.plan.result.made_as.of(address)
    }

    async fn reach(&self) -> Result<(), Failure> {
        self.reopen(&self.step.resource).await?;
        if let Some(from) = self.origin() {
            self.reopen(from).await?;
        }
        for dependency in &self.step.waits_for {
            self.wait_ready(dependency).await?;
        }
        match self.step.action {
            StepAction::Migrate => self.migrate().await?,
            _ => self.change().await?,
        }
        if self.step.until_ready {
            self.wait_ready(&self.step.resource).await?;
        }
        Ok(())
    }

    /// Looks and acts until the object is as wanted. A call whose answer was lost may have had its effect, so
    /// each attempt begins by looking.
    async fn change(&self) -> Result<(), Failure> {
        let record = self.wanted()?;
        let wanted = record.as_ref().map(|record| &*record.body);
        let mut attempt = 1;
        loop {
            // What is not there is not looked for where the daemon itself refuses to make a second one.
            let anew = attempt == 1 && self.is_new()?;
            let found = match anew {
                true => Observed::Absent,
                false => {
                    let found = self.found().await?;
                    if is_reached(wanted, &found.masked) {
                        return Ok(());
                    }
                    self.may_act(wanted, &found.masked, attempt)?;
                    found.raw
                }
            };
            match self.act(wanted, found, anew).await {
                Ok(()) => return self.took(wanted).await,
                Err(failure)
                    if failure.remedy == Remedy::Retry && attempt < self.job.settings.attempts =>
                {
                    self.say(&format!("{failure}; trying again"));
                    self.pause(attempt).await;
                    self.reopen(&self.step.resource).await?;
                    attempt += 1;
                }
                Err(failure) if failure.remedy == Remedy::Retry => {
                    let reached = is_reached(wanted, &self.found().await?.masked);
                    return if reached { Ok(()) } else { Err(failure) };
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// The check before the first step of all: the error says what differs. What an earlier apply has done, or the
    /// daemon for it since, is done.
    pub(crate) async fn is_as_planned(
        &self,
        surveyed: Option<&Observed>,
    ) -> Result<Result<(), String>, Failure> {
        if self.step.action == StepAction::Migrate {
            return self.may_move().await;
        }
        let found = match surveyed {
            Some(observed) => self.understood(observed.clone())?.masked,
            None => self.found().await?.masked,
        };
        let record = self.wanted()?;
        let wanted = record.as_ref().map(|record| &*record.body);
        let goes_on = !self.job.earlier.is_new() || self.is_in_doubt();
        if goes_on && is_reached(wanted, &found) {
            return Ok(Ok(()));
        }
        Ok(self.may_begin(wanted, &found, 1))
    }

    /// After an attempt of ours, in this apply or in an earlier one, the object may be anywhere on its way.
    fn may_begin(
        &self,
        wanted: Option<&Value>,
        found: &Observed,
        attempt: u32,
    ) -> Result<(), String> {
        let begun = self.job.earlier.is_begun(self.step.number);
        let tried = attempt > 1 || begun || self.is_in_doubt();
        match as_before(&self.step.before, found) {
            Err(_) if tried && is_on_the_way(self.step, wanted, found) => Ok(()),
            other => other,
        }
    }

    /// Whether it can only have come into being by others' hands, of which the daemon tells.
    fn is_new(&self) -> Result<bool, Failure> {
        let new = self.step.before == Before::Absent && self.step.action == StepAction::Create;
        let known = self.job.earlier.is_new() && !self.is_in_doubt();
        Ok(new && known && self.daemon()?.refuses_taken(&self.step.resource.kind))
    }

    fn is_in_doubt(&self) -> bool {
        self.job.in_doubt.contains(&self.step.resource)
    }

    /// The check before the step's own effect.
    fn may_act(
        &self,
        wanted: Option<&Value>,
        found: &Observed,
        attempt: u32,
    ) -> Result<(), Failure> {
        self.may_begin(wanted, found, attempt).map_err(|differs| {
            Failure::new(
                Remedy::Replan,
                self.doing(),
                format!("the world changed meanwhile: {differs}"),
            )
            .hint("nothing was done to it; plan again")
        })
    }

    async fn act(
        &self,
        wanted: Option<&Value>,
        found: Observed,
        anew: bool,
    ) -> Result<(), Failure> {
        let action = self.action(wanted, found, anew)?;
        self.order(&self.step.resource, action).await
    }

    /// Has the daemon of an object do it.
    async fn order(&self, id: &ResourceId, action: Action) -> Result<(), Failure> {
        let change = Change {
            id: id.clone(),
            mark: Mark {
                project: self.job.plan.project.clone(),
                address: self.marked(&self.step.address).clone(),
            },
            imported: self.step.imported.clone(),
            action,
        };
        let deadline = match self.step.timeout_ms {
            Some(own) => Duration::from_millis(own),
            None => self.job.settings.change_deadline,
        };
        let call = timeout(deadline, self.daemon_of(id)?.apply(&change, self));
        call.await.unwrap_or_else(|_| {
            let cause = format!("no answer for {}", told(deadline));
            Err(Failure::new(Remedy::Replan, self.doing(), cause)
                .hint("it may still be going on: look at the daemon, then plan again"))
        })
    }

    fn action(
        &self,
        wanted: Option<&Value>,
        found: Observed,
        anew: bool,
    ) -> Result<Action, Failure> {
        let Some(wanted) = wanted else {
            return Ok(Action::Delete);
        };
        let wanted = match self.step.action {
            StepAction::Prepare => &*self.last()?.body,
            _ => wanted,
        };
        let body = self.filled(wanted)?;
        Ok(match (self.step.action, found) {
            (StepAction::Prepare, _) => Action::Prepare { after: body },
            (StepAction::Update, Observed::Present { body: before, .. }) => Action::Update {
                before: before.into_value(),
                after: body,
                impact: Impact::InPlace,
            },
            (StepAction::Restart, Observed::Present { body: before, .. }) => Action::Update {
                before: before.into_value(),
                after: body,
                impact: Impact::Restart,
            },
            (StepAction::Replace, _) => Action::Replace {
                body,
                early: self.step.starts == Some(Starts::First),
            },
            _ => Action::Create {
                body,
                source: self.step.source.clone(),
                anew,
            },
        })
    }

    /// With its secret values.
    fn filled(&self, body: &Value) -> Result<Value, Failure> {
        fill(body, self.job.vault).map_err(|missing| {
            let cause = format!("{} of its secret values are not at hand", missing.len());
            Failure::new(Remedy::Replan, self.doing(), cause).hint("plan again")
        })
    }

    /// Reads back what was just said to be done.
    async fn took(&self, wanted: Option<&Value>) -> Result<(), Failure> {
        let found = self.found().await?.masked;
        if is_reached(wanted, &found) {
            return Ok(());
        }
        let mut cause = format!(
            "the daemon said yes, but it did not take: {}",
            shortfall(wanted, &found)
        );
        // The daemon may know why: of a program that ended at once, how, and what it last said.
        let ready = self.daemon()?.ready(&self.step.resource);
        let mut hint = "see the daemon's log, then plan again";
        if let (Some(_), Ok(Readiness::Failed(why) | Readiness::Waiting(why))) =
            (wanted, self.answer(ready).await)
        {
            cause = format!("{cause}; {why}");
            hint = "see its own log and the daemon's, then plan again";
        }
        Err(Failure::new(Remedy::Operator, self.doing(), cause).hint(hint))
    }

    /// The object as it is; a daemon that may answer later is asked again.
    pub(crate) async fn found(&self) -> Result<Found, Failure> {
        self.found_at(&self.step.resource).await
    }

    async fn found_at(&self, id: &ResourceId) -> Result<Found, Failure> {
        let mut attempt = 1;
        let raw = loop {
            let read = self.daemon_of(id)?.read(&self.job.plan.project, id);
            match self.answer(read).await {
                Err(failure)
                    if failure.remedy == Remedy::Retry && attempt < self.job.settings.attempts =>
                {
                    self.pause(attempt).await;
                    self.reopen(&self.step.resource).await?;
                    attempt += 1;
                }
                other => break other.map_err(|failure| self.scrubbed(failure))?,
            }
        };
        self.understood(raw)
    }

    fn understood(&self, raw: Observed) -> Result<Found, Failure> {
        let raw = match &self.step.imported {
            Some(identity) => raw.imported(identity, self.marked(&self.step.address)),
            None => raw,
        };
        let record = self.wanted()?;
        let wanted = record.as_ref().map(|record| &*record.body);
        let like: Vec<&Value> = wanted.into_iter().chain(self.before()).collect();
        let masked = masked(raw.clone(), &like, self.job.key);
        Ok(Found { raw, masked })
    }

    async fn answer<T>(
        &self,
        question: infra_api::Pending<'_, Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let deadline = self.job.settings.read_deadline;
        timeout(deadline, question).await.unwrap_or_else(|_| {
            let doing = format!("asking about {}", self.step.resource);
            let cause = format!("no answer for {} s", deadline.as_secs());
            Err(Failure::new(Remedy::Operator, doing, cause).hint("see whether the daemon hangs"))
        })
    }

    /// What the step leads to; nothing where it removes.
    fn wanted(&self) -> Result<Option<Cow<'a, Record>>, Failure> {
        if self.step.action == StepAction::Delete {
            return Ok(None);
        }
        let record = self.last()?;
        Ok(Some(match &self.step.prepared {
            Some(body) => Cow::Owned(Record {
                body: body.clone().into(),
                ..record.clone()
            }),
            None => Cow::Borrowed(record),
        }))
    }

    /// What the object is when all of the plan is done.
    fn last(&self) -> Result<&'a Record, Failure> {
        let record = self.job.plan.result.resources.get(&self.step.resource);
        record.ok_or_else(|| {
            Failure::new(
                Remedy::Replan,
                self.doing(),
                "the plan does not say what it shall become",
            )
            .hint("plan again")
        })
    }

    fn before(&self) -> Option<&'a Value> {
        match &self.step.before {
            Before::Present { body } => Some(body),
            Before::Absent | Before::Partial | Before::Removed => None,
        }
    }

    fn daemon(&self) -> Result<&'a dyn Daemon, Failure> {
        self.daemon_of(&self.step.resource)
    }

    fn daemon_of(&self, id: &ResourceId) -> Result<&'a dyn Daemon, Failure> {
        self.job
            .world
            .daemon(&id.host, &id.provider)
            .ok_or_else(|| {
                let cause = format!("there is no {} on host `{}`", id.provider, id.host);
                Failure::new(Remedy::Operator, self.doing(), cause)
                    .hint("see `infra facts` of that host")
            })
    }

    /// The way to an object's host, where it has ended since.
    async fn reopen(&self, id: &ResourceId) -> Result<(), Failure> {
        self.job.world.reopen(&id.host).await
    }

    async fn pause(&self, attempt: u32) {
        sleep(self.job.settings.pause * 2_u32.saturating_pow(attempt - 1)).await;
    }

    fn doing(&self) -> String {
        let verb = match self.step.action {
            StepAction::Create => "creating",
            StepAction::Prepare => "preparing the next start of",
            StepAction::Update => "changing",
            StepAction::Restart => "restarting",
            StepAction::Replace => "replacing",
            StepAction::Delete => "removing",
            StepAction::Migrate => "moving to its new host",
        };
        format!("{verb} {}", self.step.resource)
    }

    /// Daemons quote what they were given.
    fn scrubbed(&self, failure: Failure) -> Failure {
        let Failure {
            remedy,
            doing,
            cause,
            hint,
        } = failure;
        let scrub = |text: String| self.job.vault.scrub(&text);
        Failure {
            remedy,
            doing: scrub(doing),
            cause: scrub(cause),
            hint: hint.map(scrub),
        }
    }

    fn tell(&self, event: Event) {
        self.job.sink.event(&event);
    }
}

impl Progress for Hands<'_> {
    fn say(&self, text: &str) {
        self.tell(Event::Progress {
            step: self.step.number,
            text: self.job.vault.scrub(text),
        });
    }
}

/// `90 s`, `0.5 s`.
fn told(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}
