//! One engine of one host as a [`Daemon`]: which call belongs to which kind and action, and no more.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::try_join4;
use infra_api::{
    Action, Change, Daemon, Facts, Failure, ImageTag, Observed, Pending, Pinned, Progress, Project,
    Readiness, Remedy, ResourceId,
};
use serde_json::Value;

use crate::calls::container::{self, Making};
use crate::calls::{Claim, REPORT, body, image, look, network, registry, replace, volume};
use crate::kind::{CONTAINER, IMAGE, NETWORK, PROVIDER, VOLUME};
use crate::seen::Seen;
use crate::wire::Wire;
use crate::{discover, ready};

pub(crate) struct Engine {
    wire: Wire,
    seen: Seen,
    /// Containers that were made or changed a moment ago and not read back yet, by their ids. What their image's name
    /// stands for is not asked once more then.
    made: Mutex<BTreeSet<String>>,
}

impl Daemon for Engine {
    fn discover<'a>(&'a self, facts: &'a mut Facts) -> Pending<'a, Result<(), Failure>> {
        Box::pin(discover::discover(&self.wire, &self.seen, facts))
    }

    fn list<'a>(
        &'a self,
        project: &'a Project,
    ) -> Pending<'a, Result<Vec<(ResourceId, Observed)>, Failure>> {
        Box::pin(self.list_all(project))
    }

    fn read<'a>(
        &'a self,
        project: &'a Project,
        id: &'a ResourceId,
    ) -> Pending<'a, Result<Observed, Failure>> {
        Box::pin(self.read_one(project, id))
    }

    fn survey<'a>(
        &'a self,
        project: &'a Project,
        ids: &'a [&'a ResourceId],
    ) -> Pending<'a, Result<Vec<(ResourceId, Observed)>, Failure>> {
        Box::pin(self.survey_all(project, ids))
    }

    /// Two containers cannot have one name.
    fn refuses_taken(&self, kind: &str) -> bool {
        kind == CONTAINER
    }

    fn apply<'a>(
        &'a self,
        change: &'a Change,
        progress: &'a dyn Progress,
    ) -> Pending<'a, Result<(), Failure>> {
        Box::pin(self.do_it(change, progress))
    }

    fn ready<'a>(&'a self, id: &'a ResourceId) -> Pending<'a, Result<Readiness, Failure>> {
        Box::pin(self.is_ready(id))
    }

    fn resolve_image<'a>(
        &'a self,
        tag: &'a ImageTag,
        known: Option<&'a str>,
    ) -> Pending<'a, Result<Pinned, Failure>> {
        Box::pin(registry::resolve(&self.wire, tag, known))
    }
}

impl Engine {
    pub(crate) fn new(wire: Wire) -> Self {
        Self {
            wire,
            seen: Seen::default(),
            made: Mutex::default(),
        }
    }

    fn lock_made(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn list_all(&self, project: &Project) -> Result<Vec<(ResourceId, Observed)>, Failure> {
        let wire = &self.wire;
        let (networks, containers) = match self.seen.take() {
            Some(seen) => (Some(seen.networks), Some(seen.containers)),
            None => (None, None),
        };
        let (images, networks, volumes, containers) = try_join4(
            image::list(wire, project),
            network::list(wire, project, networks),
            volume::list(wire, project),
            look::list(wire, project, containers),
        )
        .await?;
        let kinds = [
            (IMAGE, images),
            (NETWORK, networks),
            (VOLUME, volumes),
            (CONTAINER, containers),
        ];
        let named = kinds
            .into_iter()
            .flat_map(|(kind, found)| found.into_iter().map(move |one| (kind, one)));
        let id = |kind, name: &str| ResourceId::new(&wire.host, PROVIDER, kind, name);
        let mut all: Vec<_> = named
            .map(|(kind, (name, observed))| (id(kind, &name), observed))
            .collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(all)
    }

    /// Of containers, and where there are several: one question tells which of the names are free.
    async fn survey_all(
        &self,
        project: &Project,
        ids: &[&ResourceId],
    ) -> Result<Vec<(ResourceId, Observed)>, Failure> {
        let wire = &self.wire;
        let containers = ids.iter().filter(|id| id.kind == CONTAINER);
        let names: Vec<&str> = containers.map(|id| id.name.as_str()).collect();
        if names.len() < 2 {
            return Ok(Vec::new());
        }
        let told = look::survey(wire, project, &names).await?.into_iter();
        let id = |name: &str| ResourceId::new(&wire.host, PROVIDER, CONTAINER, name);
        Ok(told.map(|(name, observed)| (id(&name), observed)).collect())
    }

    async fn read_one(&self, project: &Project, id: &ResourceId) -> Result<Observed, Failure> {
        let (wire, name) = (&self.wire, id.name.as_str());
        match id.kind.as_str() {
            IMAGE => image::read(wire, project, name).await,
            NETWORK => network::read(wire, project, name).await,
            VOLUME => volume::read(wire, project, name).await,
            CONTAINER => {
                let made = |id: &str| self.lock_made().remove(id);
                look::read(wire, project, name, made).await
            }
            _ => Err(mistaken("reading", id)),
        }
    }

    async fn do_it(&self, change: &Change, progress: &dyn Progress) -> Result<(), Failure> {
        match &change.action {
            Action::Create { body, source, anew } => {
                let source = source.as_deref();
                self.create(change, body, source, *anew, progress).await
            }
            Action::Update {
                before: _,
                after,
                impact: _,
            } => self.update(change, after, progress).await,
            // A container has no next start of its own.
            Action::Prepare { .. } => Err(mistaken("preparing the next start of", &change.id)),
            Action::Replace { body, early } => self.replace(change, body, *early, progress).await,
            Action::Delete => self.delete(change, progress).await,
        }
    }

    async fn create(
        &self,
        change: &Change,
        json: &Value,
        source: Option<&std::path::Path>,
        anew: bool,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        let (wire, id, mark) = (&self.wire, &change.id, &change.mark);
        let doing = format!("creating {id}");
        match id.kind.as_str() {
            IMAGE => image::create(wire, &body(&doing, json)?, source, mark, progress).await,
            NETWORK => network::create(wire, &body(&doing, json)?, mark).await,
            VOLUME => volume::create(wire, &body(&doing, json)?, mark).await,
            CONTAINER => {
                let made = |id: &str| {
                    self.lock_made().insert(id.to_owned());
                };
                let making = Making {
                    mark,
                    anew,
                    made: &made,
                    progress,
                };
                container::create(wire, &body(&doing, json)?, &making).await
            }
            _ => Err(mistaken("creating", id)),
        }
    }

    /// Where it stands now is looked at by the call: it may have been half changed already.
    async fn update(
        &self,
        change: &Change,
        after: &Value,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        let id = &change.id;
        match id.kind.as_str() {
            CONTAINER => {
                let body = body(&format!("changing {id}"), after)?;
                let claim = Claim::of(change);
                let found = container::update(&self.wire, &body, claim, progress).await?;
                self.lock_made().insert(found);
                Ok(())
            }
            _ => Err(mistaken("changing", id)),
        }
    }

    async fn replace(
        &self,
        change: &Change,
        json: &Value,
        early: bool,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        let id = &change.id;
        match id.kind.as_str() {
            CONTAINER => {
                let body = body(&format!("replacing {id}"), json)?;
                replace::replace(&self.wire, &body, early, Claim::of(change), progress).await
            }
            _ => Err(mistaken("replacing", id)),
        }
    }

    async fn delete(&self, change: &Change, progress: &dyn Progress) -> Result<(), Failure> {
        let (wire, id, claim) = (&self.wire, &change.id, Claim::of(change));
        match id.kind.as_str() {
            IMAGE => image::delete(wire, &id.name, claim.mark).await,
            NETWORK => network::delete(wire, &id.name, claim).await,
            VOLUME => volume::delete(wire, &id.name, claim).await,
            CONTAINER => container::delete(wire, &id.name, claim, progress).await,
            _ => Err(mistaken("removing", id)),
        }
    }

    async fn is_ready(&self, id: &ResourceId) -> Result<Readiness, Failure> {
        let failed =
            |e: crate::trouble::Trouble| e.failure(format!("asking whether {id} is ready"));
        match id.kind.as_str() {
            CONTAINER => ready::container(&self.wire, &id.name).await.map_err(failed),
            // Nothing else runs: to be there is all it takes.
            _ => Ok(Readiness::Ready),
        }
    }
}

fn mistaken(verb: &str, id: &ResourceId) -> Failure {
    Failure::new(
        Remedy::Operator,
        format!("{verb} {id}"),
        "Docker knows no such kind of object, or it cannot be changed",
    )
    .hint(REPORT)
}
