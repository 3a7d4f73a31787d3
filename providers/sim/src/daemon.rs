//! One simulated daemon: the contract's effects on the shared world, and the faults among them.

use infra_api::{
    Change, Daemon, Facts, Failure, HostName, ImageTag, Observed, Pending, Pinned, Progress,
    Project, Provider, Readiness, Remedy, ResourceId, names,
};

use crate::Sim;
use crate::world::{Fault, refused};

/// All objects of one host that are one provider's.
pub struct SimDaemon {
    sim: Sim,
    host: HostName,
}

impl SimDaemon {
    pub(crate) fn new(sim: Sim, host: HostName) -> Self {
        Self { sim, host }
    }

    fn reach(&self) -> Result<(), Failure> {
        if self.sim.world().unreachable.contains(&self.host) {
            let doing = format!("asking host `{}`", self.host);
            return Err(Failure::new(Remedy::Retry, doing, "it does not answer"));
        }
        Ok(())
    }

    fn holds(&self, id: &ResourceId) -> bool {
        id.host == self.host && id.provider == self.sim.name()
    }

    async fn change(&self, change: &Change, progress: &dyn Progress) -> Result<(), Failure> {
        self.reach()?;
        let fault = self.sim.world().called(change);
        match fault {
            Some(Fault::Before(remedy)) => {
                return Err(refused(change, remedy, "failed before its effect"));
            }
            Some(Fault::Lie) => return Ok(()),
            Some(Fault::Hang) => return std::future::pending().await,
            Some(Fault::CrashBefore) => return self.sim.crash().await,
            _ => {}
        }
        self.sim.world().first_half(change)?;
        progress.say("half done");
        tokio::task::yield_now().await;
        match fault {
            Some(Fault::Half(remedy)) => {
                return Err(refused(change, remedy, "failed amid its effect"));
            }
            Some(Fault::CrashHalf) => return self.sim.crash().await,
            _ => {}
        }
        self.sim.world().late(change);
        self.sim.world().look_for_twins(&change.id);
        match fault {
            Some(Fault::Late(remedy)) => {
                return Err(refused(change, remedy, "failed late in its effect"));
            }
            Some(Fault::CrashLate) => return self.sim.crash().await,
            _ => {}
        }
        self.sim.world().second_half(change);
        self.sim.world().look_for_twins(&change.id);
        match fault {
            Some(Fault::After(remedy)) => Err(refused(change, remedy, "failed after its effect")),
            Some(Fault::CrashAfter) => self.sim.crash().await,
            Some(Fault::LieWith(body)) => {
                self.sim.world().lie(change, body);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Daemon for SimDaemon {
    fn discover<'a>(&'a self, facts: &'a mut Facts) -> Pending<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.reach()?;
            self.sim.discover(&self.host, facts);
            Ok(())
        })
    }

    fn list<'a>(
        &'a self,
        project: &'a Project,
    ) -> Pending<'a, Result<Vec<(ResourceId, Observed)>, Failure>> {
        Box::pin(async move {
            self.reach()?;
            let world = self.sim.world();
            let mine = world.objects.iter().filter(|(id, _)| self.holds(id));
            let all = mine.map(|(id, object)| (id.clone(), object.observed(project, id)));
            Ok(all
                .filter(|(_, observed)| !matches!(observed, Observed::Foreign { .. }))
                .collect())
        })
    }

    fn read<'a>(
        &'a self,
        project: &'a Project,
        id: &'a ResourceId,
    ) -> Pending<'a, Result<Observed, Failure>> {
        Box::pin(async move {
            self.reach()?;
            Ok(self.sim.world().observe(project, id))
        })
    }

    fn survey<'a>(
        &'a self,
        project: &'a Project,
        ids: &'a [&'a ResourceId],
    ) -> Pending<'a, Result<Vec<(ResourceId, Observed)>, Failure>> {
        Box::pin(async move {
            self.reach()?;
            let world = self.sim.world();
            let told = ids
                .iter()
                .map(|id| ((*id).clone(), world.observe(project, id)));
            Ok(told.collect())
        })
    }

    fn refuses_taken(&self, kind: &str) -> bool {
        kind == "container"
    }

    fn apply<'a>(
        &'a self,
        change: &'a Change,
        progress: &'a dyn Progress,
    ) -> Pending<'a, Result<(), Failure>> {
        Box::pin(self.change(change, progress))
    }

    fn ready<'a>(&'a self, id: &'a ResourceId) -> Pending<'a, Result<Readiness, Failure>> {
        Box::pin(async move {
            self.reach()?;
            Ok(self.sim.world().readiness(id))
        })
    }

    fn resolve_image<'a>(
        &'a self,
        tag: &'a ImageTag,
        _: Option<&'a str>,
    ) -> Pending<'a, Result<Pinned, Failure>> {
        let reference = tag.reference.as_str();
        let repository = reference.split(['@', ':']).next().unwrap_or_default();
        let pinned = format!("{repository}@sha256:{}", names::digest(&[reference]));
        Box::pin(async move { Ok(Pinned::new(pinned)) })
    }
}

#[cfg(test)]
mod tests;
