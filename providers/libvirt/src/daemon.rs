//! One libvirt daemon: each call is led to its kind.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use infra_api::target::{Machine, MachineNetwork, Pool};
use infra_api::{
    Action, Change, Daemon, Facts, Failure, HostName, Impact, Observed, Pending, Progress, Project,
    Readiness, Remedy, ResourceId, Silent, Trace,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::discover::discover;
use crate::failure::Doing;
use crate::guard::Claim;
use crate::link::Link;
use crate::migrate::{self, Way};
use crate::seen::{Seen, Sight};
use crate::text::volume::Body;
use crate::wire::Wire;
use crate::{NAME, domain, network, pool, ready, settle, survey, volume};

pub(crate) struct Libvirtd {
    host: HostName,
    wire: Wire,
    patience: Duration,
    seen: Arc<Seen>,
}

impl Libvirtd {
    pub(crate) async fn connect(
        host: &HostName,
        endpoint: &str,
        patience: Duration,
    ) -> Result<Self, Failure> {
        let wire = Wire::new(endpoint);
        wire.act(&Silent, |_, _| Ok(())).await?;
        Ok(Self {
            host: host.clone(),
            wire,
            patience,
            seen: Arc::default(),
        })
    }

    async fn list_all(&self, project: &Project) -> Result<Vec<(ResourceId, Observed)>, Failure> {
        let (seen, owned) = (Arc::clone(&self.seen), project.clone());
        let all = self.wire.ask_widely(move |link| {
            let sight = seen.take().map_or_else(|| Sight::look(link), Ok)?;
            let mut all = sight.of(&owned)?;
            let volumes = volume::list(link, &owned, &sight.pools)?.into_iter();
            all.extend(volumes.map(|(name, there)| ("volume", name, there)));
            Ok(all)
        });
        let all = all.await?.into_iter();
        let mut all: Vec<_> = all
            .map(|(kind, name, there)| (ResourceId::new(&self.host, NAME, kind, &name), there))
            .collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(all)
    }

    async fn survey_all(
        &self,
        project: &Project,
        ids: &[&ResourceId],
    ) -> Result<Vec<(ResourceId, Observed)>, Failure> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let project = project.clone();
        let ids: Vec<ResourceId> = ids.iter().map(|id| (*id).clone()).collect();
        self.wire
            .ask_widely(move |link| survey::survey(link, &project, &ids))
            .await
    }

    async fn read_one(&self, project: &Project, id: &ResourceId) -> Result<Observed, Failure> {
        let (project, id) = (project.clone(), id.clone());
        self.wire
            .ask(move |link| match id.kind.as_str() {
                "pool" => pool::read(link, &project, &id.name),
                "volume" => volume::read(link, &project, &volume::place(&id.name)?),
                "network" => network::read(link, &project, &id.name),
                "domain" => domain::read(link, &project, &id.name),
                _ => Err(unknown(&id)),
            })
            .await
    }

    async fn change(&self, change: &Change, progress: &dyn Progress) -> Result<(), Failure> {
        let Change {
            id,
            mark,
            imported,
            action,
        } = change;
        let claim = &Claim {
            mark: mark.clone(),
            imported: imported.clone(),
        };
        match action {
            Action::Create { body, source, anew } => {
                self.create(id, claim, (body, *anew), source.clone(), progress)
                    .await
            }
            Action::Update {
                before,
                after,
                impact,
            } => {
                self.update(id, claim, (before, after), *impact, progress)
                    .await
            }
            Action::Prepare { after } => self.prepare(id, claim, after, progress).await,
            // Of what libvirt has, nothing can be there twice.
            Action::Replace { .. } => Err(unknown(id)),
            Action::Migrate {
                to: _,
                uri,
                options,
                after,
            } if id.kind == "domain" => {
                let way = Way {
                    uri: uri.clone(),
                    options: *options,
                };
                migrate::migrate(&self.wire, claim, way, decode(id, after)?, progress).await
            }
            Action::Migrate { .. } => Err(unknown(id)),
            Action::Delete => self.delete(id, claim, progress).await,
        }
    }

    async fn create(
        &self,
        id: &ResourceId,
        claim: &Claim,
        (body, anew): (&Value, bool),
        source: Option<PathBuf>,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        let (claim, mark) = (claim.clone(), claim.mark.clone());
        match id.kind.as_str() {
            "pool" => {
                let wanted: Pool = decode(id, body)?;
                self.wire
                    .act(progress, move |link, _| {
                        let made = pool::create(link, &claim, &wanted, anew);
                        link.forget_pools();
                        made
                    })
                    .await
            }
            "volume" => {
                let wanted: Body = decode(id, body)?;
                volume::check_name(wanted.volume())?;
                let create = move |link: &_, say: &_| {
                    let wanted = (&wanted, anew);
                    volume::create(link, &mark, wanted, source.as_deref(), say)
                };
                self.wire.act(progress, create).await
            }
            "network" => {
                let wanted: MachineNetwork = decode(id, body)?;
                self.wire
                    .act(progress, move |connection, _| {
                        network::create(connection, &claim, &wanted, anew)
                    })
                    .await
            }
            "domain" => {
                // Finishing what is half made never stops a machine that runs.
                let wanted: Machine = decode(id, body)?;
                settle::settle(
                    &self.wire,
                    &claim,
                    (&wanted, anew),
                    Impact::InPlace,
                    self.patience,
                    progress,
                )
                .await
            }
            _ => Err(unknown(id)),
        }
    }

    async fn prepare(
        &self,
        id: &ResourceId,
        claim: &Claim,
        after: &Value,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        if id.kind != "domain" {
            return Err(unknown(id));
        }
        let (claim, wanted): (_, Machine) = (claim.clone(), decode(id, after)?);
        let prepare = move |link: &_, _: &_| settle::prepare(link, &claim, &wanted);
        self.wire.act(progress, prepare).await
    }

    async fn update(
        &self,
        id: &ResourceId,
        claim: &Claim,
        (before, after): (&Value, &Value),
        impact: Impact,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        match (id.kind.as_str(), impact) {
            ("domain", Impact::InPlace | Impact::Restart) => {
                let wanted: Machine = decode(id, after)?;
                let wanted = (&wanted, false);
                settle::settle(&self.wire, claim, wanted, impact, self.patience, progress).await
            }
            ("volume", Impact::InPlace) => {
                let (claim, before, after): (_, Body, Body) =
                    (claim.clone(), decode(id, before)?, decode(id, after)?);
                self.wire
                    .act(progress, move |link, say| {
                        volume::update(link, &claim, &before, &after, say)
                    })
                    .await
            }
            ("network", Impact::InPlace | Impact::Restart) => {
                let (claim, wanted): (_, MachineNetwork) = (claim.clone(), decode(id, after)?);
                self.wire
                    .act(progress, move |link, _| {
                        network::update(link, &claim, &wanted, impact)
                    })
                    .await
            }
            _ => Err(Failure::new(
                Remedy::Replan,
                format!("changing {id}"),
                "it must be removed and made anew",
            )),
        }
    }

    async fn delete(
        &self,
        id: &ResourceId,
        claim: &Claim,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        if id.kind == "domain" {
            return settle::delete(&self.wire, claim, &id.name, self.patience, progress).await;
        }
        let (id, claim) = (id.clone(), claim.clone());
        self.wire
            .act(progress, move |link, _| match id.kind.as_str() {
                "pool" => {
                    let gone = pool::delete(link, &claim.mark, &id.name);
                    link.forget_pools();
                    gone
                }
                "volume" => volume::delete(link, &claim.mark, &volume::place(&id.name)?),
                "network" => network::delete(link, &claim, &id.name),
                _ => Err(unknown(&id)),
            })
            .await
    }

    async fn is_ready(&self, id: &ResourceId) -> Result<Readiness, Failure> {
        match id.kind.as_str() {
            "domain" => {
                let name = id.name.clone();
                self.wire.ask(move |link| ready::ready(link, &name)).await
            }
            // The others are ready when they are there, and they are when `apply` has returned.
            "pool" | "volume" | "network" => Ok(Readiness::Ready),
            _ => Err(unknown(id)),
        }
    }
}

fn decode<T: DeserializeOwned>(id: &ResourceId, body: &Value) -> Result<T, Failure> {
    T::deserialize(body)
        .map_err(|e| e.to_string())
        .doing(|| format!("reading the plan of {id}"))
}

fn unknown(id: &ResourceId) -> Failure {
    Failure::new(
        Remedy::Operator,
        format!("looking at {id}"),
        format!("libvirt has no kind `{}` here", id.kind),
    )
}

impl Daemon for Libvirtd {
    fn discover<'a>(&'a self, facts: &'a mut Facts) -> Pending<'a, Result<(), Failure>> {
        Box::pin(async move {
            let uri = self.wire.uri().to_owned();
            let found = self.wire.ask_widely(move |link| discover(link, &uri));
            let (found, seen) = found.await?;
            found.add_to(facts);
            self.seen.keep(seen);
            Ok(())
        })
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

    /// libvirt refuses a second object of a name, but for one of the very UUID, which ours have: that is looked for by what
    /// makes it, right before.
    fn refuses_taken(&self, _: &str) -> bool {
        true
    }

    /// QEMU is told the machine's UUID.
    fn traces<'a>(
        &'a self,
        objects: &'a [(&'a ResourceId, &'a Value)],
    ) -> Pending<'a, Result<BTreeMap<ResourceId, Trace>, Failure>> {
        let trace = |(id, body): &(&ResourceId, &Value)| {
            let uuid = body.get("uuid").filter(|_| id.kind == "domain")?;
            let trace = Trace::Argument("-uuid".to_owned(), uuid.as_str()?.to_owned());
            Some(((*id).clone(), trace))
        };
        let traces = objects.iter().filter_map(trace).collect();
        Box::pin(async { Ok(traces) })
    }

    fn apply<'a>(
        &'a self,
        change: &'a Change,
        progress: &'a dyn Progress,
    ) -> Pending<'a, Result<(), Failure>> {
        Box::pin(self.change(change, progress))
    }

    fn ready<'a>(&'a self, id: &'a ResourceId) -> Pending<'a, Result<Readiness, Failure>> {
        Box::pin(self.is_ready(id))
    }

    fn volume_groups(&self) -> Pending<'_, Result<Option<Vec<String>>, Failure>> {
        Box::pin(self.wire.ask(|link| pool::groups(link)))
    }

    fn last_words<'a>(
        &'a self,
        id: &'a ResourceId,
    ) -> Pending<'a, Result<Option<String>, Failure>> {
        Box::pin(async move {
            if id.kind != "domain" {
                return Ok(None);
            }
            let name = id.name.clone();
            let ask = move |link: &Link| ready::last_words(link, &name);
            self.wire.ask(ask).await
        })
    }
}
