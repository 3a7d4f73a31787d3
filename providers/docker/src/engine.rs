//! One engine of one host as a [`Daemon`]: which call belongs to which kind and action, and no more.

use futures_util::future::try_join4;
use infra_api::{
    Action, Change, Daemon, Facts, Failure, ImageTag, Observed, Pending, Pinned, Progress, Project,
    Readiness, Remedy, ResourceId,
};
use serde_json::Value;

use crate::calls::{Claim, REPORT, body, container, image, network, registry, replace, volume};
use crate::kind::{CONTAINER, IMAGE, NETWORK, PROVIDER, VOLUME};
use crate::seen::Seen;
use crate::wire::Wire;
use crate::{discover, ready};

pub(crate) struct Engine {
    pub(crate) wire: Wire,
    pub(crate) seen: Seen,
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
    async fn list_all(&self, project: &Project) -> Result<Vec<(ResourceId, Observed)>, Failure> {
        let wire = &self.wire;
        let (images, networks, volumes, containers) = try_join4(
            image::list(wire, project),
            network::list(wire, project),
            volume::list(wire, project),
            container::list(wire, project, self.seen.take()),
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

    async fn read_one(&self, project: &Project, id: &ResourceId) -> Result<Observed, Failure> {
        let (wire, name) = (&self.wire, id.name.as_str());
        match id.kind.as_str() {
            IMAGE => image::read(wire, project, name).await,
            NETWORK => network::read(wire, project, name).await,
            VOLUME => volume::read(wire, project, name).await,
            CONTAINER => container::read(wire, project, name).await,
            _ => Err(mistaken("reading", id)),
        }
    }

    async fn do_it(&self, change: &Change, progress: &dyn Progress) -> Result<(), Failure> {
        match &change.action {
            Action::Create { body, source } => {
                self.create(change, body, source.as_deref(), progress).await
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
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        let (wire, id, mark) = (&self.wire, &change.id, &change.mark);
        let doing = format!("creating {id}");
        match id.kind.as_str() {
            IMAGE => image::create(wire, &body(&doing, json)?, source, mark, progress).await,
            NETWORK => network::create(wire, &body(&doing, json)?, mark).await,
            VOLUME => volume::create(wire, &body(&doing, json)?, mark).await,
            CONTAINER => container::create(wire, &body(&doing, json)?, mark, progress).await,
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
                container::update(&self.wire, &body, Claim::of(change), progress).await
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
