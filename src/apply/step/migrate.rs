//! A move to another host of what goes on running: there are two places to look at, and it is never in none and never
//! runs in both.

use infra_api::{Action, Failure, Observed, Progress, Remedy, ResourceId};
use infra_plan::Migration;

use super::Hands;
use crate::check::{as_before, is_reached, shortfall};

/// Where it stands between its two hosts.
#[derive(PartialEq, Eq)]
enum Stand {
    /// It runs here as wanted, and nothing of it is there.
    Arrived,
    /// It runs here, not all as wanted, and nothing of it is there.
    Came,
    /// It runs here, and what stands still there is to be removed.
    Left,
    /// It is there as planned. Here may be what an attempt that was cut off has begun.
    There { begun: bool },
    /// None of these, and why.
    Lost(String),
}

impl Hands<'_> {
    /// What it was until it moved.
    pub(super) fn origin(&self) -> Option<&ResourceId> {
        self.step.migration.as_ref().map(|m| &m.from)
    }

    /// Whether nothing of it is where it was.
    pub(super) async fn has_left(&self) -> bool {
        let Some(from) = self.origin() else {
            return false;
        };
        let found = self.found_at(from).await;
        found.is_ok_and(|found| found.masked == Observed::Absent)
    }

    fn migration(&self) -> Result<&Migration, Failure> {
        self.step.migration.as_ref().ok_or_else(|| {
            let cause = "the plan does not say from where";
            Failure::new(Remedy::Replan, self.doing(), cause).hint("plan again")
        })
    }

    async fn stand(&self) -> Result<Stand, Failure> {
        let migration = self.migration()?;
        let here = self.found().await?.masked;
        let there = self.found_at(&migration.from).await?.masked;
        let wanted = self.wanted()?;
        let reached = is_reached(wanted.as_ref().map(|record| &*record.body), &here);
        let own = self.marked(&self.step.address);
        let from = &migration.from;
        Ok(match (&here, &there) {
            (Observed::Present { .. }, Observed::Absent) if reached => Stand::Arrived,
            (Observed::Present { address, .. }, Observed::Absent) if address == own => Stand::Came,
            (Observed::Present { address, .. }, there) if address == own && is_still(there) => {
                Stand::Left
            }
            (Observed::Absent | Observed::Partial { .. }, there) => {
                match as_before(&self.step.before, there) {
                    Ok(()) => Stand::There {
                        begun: here != Observed::Absent,
                    },
                    Err(differs) => Stand::Lost(format!("{from}: {differs}")),
                }
            }
            _ => Stand::Lost(format!(
                "{}: {}; {from}: {}",
                self.step.resource,
                shortfall(None, &here),
                shortfall(None, &there)
            )),
        })
    }

    /// The check before the first step of all.
    pub(super) async fn may_move(&self) -> Result<Result<(), String>, Failure> {
        let goes_on = !self.job.earlier.is_new() || self.is_in_doubt();
        Ok(match self.stand().await? {
            Stand::There { .. } => Ok(()),
            Stand::Arrived | Stand::Came | Stand::Left if goes_on => Ok(()),
            Stand::Arrived | Stand::Came | Stand::Left => Err("it is there already".to_owned()),
            Stand::Lost(why) => Err(why),
        })
    }

    /// Looks and acts until it runs here as wanted and nowhere else.
    pub(super) async fn migrate(&self) -> Result<(), Failure> {
        let (mut attempt, mut acted) = (1, None);
        loop {
            let stand = self.stand().await?;
            if acted.as_ref() == Some(&stand) {
                return Err(self.not_moved(&stand));
            }
            let done = match &stand {
                Stand::Arrived => return Ok(()),
                Stand::Came => self.finish().await,
                Stand::Left => self.order(&self.migration()?.from, Action::Delete).await,
                Stand::There { begun } => self.go(*begun).await,
                Stand::Lost(why) => {
                    let cause = format!("the world changed meanwhile: {why}");
                    let hint = "nothing was done to it; plan again";
                    return Err(Failure::new(Remedy::Replan, self.doing(), cause).hint(hint));
                }
            };
            acted = match done {
                Ok(()) => Some(stand),
                Err(failure) if failure.remedy != Remedy::Retry => return Err(failure),
                Err(failure) if attempt < self.job.settings.attempts => {
                    self.say(&format!("{failure}; trying again"));
                    self.pause(attempt).await;
                    attempt += 1;
                    None
                }
                Err(failure) => {
                    let arrived = self.stand().await? == Stand::Arrived;
                    return if arrived { Ok(()) } else { Err(failure) };
                }
            };
        }
    }

    /// `begun`: an attempt that nobody waits for any more is ended first, by which it stays there.
    async fn go(&self, begun: bool) -> Result<(), Failure> {
        if begun {
            self.order(&self.step.resource, Action::Delete).await?;
        }
        let Migration { from, uri, options } = self.migration()?;
        let action = Action::Migrate {
            to: self.step.resource.clone(),
            uri: uri.clone(),
            options: *options,
            after: self.filled(&self.last()?.body)?,
        };
        self.order(from, action).await
    }

    /// What does not come with it: that it is started with its host.
    async fn finish(&self) -> Result<(), Failure> {
        let action = Action::Create {
            body: self.filled(&self.last()?.body)?,
            source: None,
            anew: false,
        };
        self.order(&self.step.resource, action).await
    }

    fn not_moved(&self, stand: &Stand) -> Failure {
        let why = match stand {
            Stand::Left => "something of it is left where it was",
            Stand::There { .. } => "it is where it was",
            Stand::Came => "it is not as it was wanted",
            Stand::Arrived | Stand::Lost(_) => "nobody knows where it is",
        };
        let cause = format!("the daemon said yes, but it did not take: {why}");
        let hint = "see the daemons' logs on both hosts, then plan again";
        Failure::new(Remedy::Operator, self.doing(), cause).hint(hint)
    }
}

/// What is there does not run any more.
fn is_still(there: &Observed) -> bool {
    match there {
        Observed::Present { body, .. } => body["state"] != "running",
        Observed::Partial { .. } => true,
        Observed::Absent | Observed::Foreign { .. } => false,
    }
}
