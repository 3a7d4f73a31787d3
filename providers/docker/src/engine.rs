//! One engine of one host as a [`Daemon`]: which call belongs to which kind and action, and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::try_join4;
use infra_api::{
    Action, Change, Daemon, Facts, Failure, ImageTag, Observed, Pending, Pinned, Progress, Project,
    Readiness, Remedy, ResourceId, Trace,
};
use serde_json::{Value, json};

use crate::calls::container::{self, Making};
use crate::calls::{Claim, REPORT, body, image, look, network, registry, replace, volume};
use crate::kind::{CONTAINER, IMAGE, NETWORK, PROVIDER, VOLUME};
use crate::seen::{Looks, Seen, Sight, Taken};
use crate::text::inspect::Inspect;
use crate::text::network::Network;
use crate::wire::{Wire, filters};
use crate::{discover, ready};

pub(crate) struct Engine {
    wire: Wire,
    /// For the list that comes next.
    seen: Seen<Sight>,
    /// For the survey that comes next.
    taken: Seen<Taken>,
    /// Of a step, for its act.
    containers: Looks<Inspect>,
    /// The same; a name that nobody has was looked at too.
    networks: Looks<Option<Network>>,
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

    fn traces<'a>(
        &'a self,
        objects: &'a [(&'a ResourceId, &'a Value)],
    ) -> Pending<'a, Result<BTreeMap<ResourceId, Trace>, Failure>> {
        Box::pin(async move {
            let query = filters(&json!({ "status": ["running"] }));
            let running = look::all(&self.wire, &query).await;
            let failed = |e: crate::trouble::Trouble| {
                e.failure(format!("listing the containers of {}", self.wire.host))
            };
            let running = running.map_err(failed)?;
            let traces = objects.iter().filter_map(|(id, _)| {
                let mut running = running.iter();
                let container = running
                    .find(|c| id.kind == CONTAINER && c.names().any(|name| name == id.name))?;
                Some(((*id).clone(), Trace::Group(container.id.clone())))
            });
            Ok(traces.collect())
        })
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
            taken: Seen::default(),
            containers: Looks::default(),
            networks: Looks::default(),
            made: Mutex::default(),
        }
    }

    fn lock_made(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn list_all(&self, project: &Project) -> Result<Vec<(ResourceId, Observed)>, Failure> {
        let wire = &self.wire;
        wire.remember(false);
        let seen = self.seen.take();
        let mut taken = seen.as_ref().map(Sight::taken);
        let (networks, containers) = match seen {
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
        if let Some(taken) = &mut taken {
            taken.images = images.iter().map(|(name, _)| name.clone()).collect();
        }
        self.taken.set(taken);
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

    /// What the list before it knew to be free needs no question. Of containers, and where there are several, one
    /// question tells which of the names are. What reads after it ask of images, they ask once.
    async fn survey_all(
        &self,
        project: &Project,
        ids: &[&ResourceId],
    ) -> Result<Vec<(ResourceId, Observed)>, Failure> {
        let wire = &self.wire;
        wire.remember(true);
        let taken = self.taken.take();
        let is_free = |id: &&&ResourceId| taken.as_ref().is_some_and(|t| t.lacks(project, id));
        let (free, rest): (Vec<&ResourceId>, Vec<&ResourceId>) = ids.iter().partition(is_free);
        let free = free.into_iter().map(|id| (id.clone(), Observed::Absent));
        let mut told: Vec<_> = free.collect();
        let containers = rest.iter().filter(|id| id.kind == CONTAINER);
        let names: Vec<&str> = containers.map(|id| id.name.as_str()).collect();
        if names.len() > 1 {
            let id = |name: &str| ResourceId::new(&wire.host, PROVIDER, CONTAINER, name);
            let found = look::survey(wire, project, &names).await?.into_iter();
            told.extend(found.map(|(name, observed)| (id(&name), observed)));
        }
        Ok(told)
    }

    async fn read_one(&self, project: &Project, id: &ResourceId) -> Result<Observed, Failure> {
        let (wire, name) = (&self.wire, id.name.as_str());
        match id.kind.as_str() {
            IMAGE => image::read(wire, project, name).await,
            NETWORK => {
                let (observed, found) = network::read(wire, project, name).await?;
                self.networks.keep(name, found);
                Ok(observed)
            }
            VOLUME => volume::read(wire, project, name).await,
            CONTAINER => {
                let made = |id: &str| self.lock_made().remove(id);
                let (observed, found) = look::read(wire, project, name, made).await?;
                match found {
                    Some(found) => self.containers.keep(name, found),
                    None => drop(self.containers.take(name)),
                }
                Ok(observed)
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
            Action::Migrate { .. } => Err(mistaken("moving", &change.id)),
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
            IMAGE => {
                let body = body(&doing, json)?;
                let made = image::create(wire, &body, source, mark, progress).await;
                wire.forget();
                made
            }
            NETWORK => {
                let looked = self.networks.take(&id.name);
                network::create(wire, &body(&doing, json)?, mark, looked).await
            }
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
                let looked = self.containers.take(&id.name);
                let found = container::update(&self.wire, &body, claim, looked, progress).await?;
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
            IMAGE => {
                let gone = image::delete(wire, &id.name, claim.mark).await;
                wire.forget();
                gone
            }
            NETWORK => {
                let looked = self.networks.take(&id.name);
                network::delete(wire, &id.name, claim, looked).await
            }
            VOLUME => volume::delete(wire, &id.name, claim).await,
            CONTAINER => {
                let looked = self.containers.take(&id.name);
                container::delete(wire, &id.name, claim, looked, progress).await
            }
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
