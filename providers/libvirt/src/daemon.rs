//! One libvirt daemon: each call is led to its kind.

use std::path::PathBuf;
use std::time::Duration;

use infra_api::target::{Machine, MachineNetwork, Pool};
use infra_api::{
    Action, Change, Daemon, Facts, Failure, HostName, Impact, Observed, Pending, Progress, Project,
    Readiness, Remedy, ResourceId, Silent,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::Doing;
use crate::guard::Claim;
use crate::text::volume::Body;
use crate::wire::Wire;
use crate::{NAME, discover, domain, network, pool, ready, settle, volume};

pub(crate) struct Libvirtd {
    host: HostName,
    wire: Wire,
    patience: Duration,
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
        })
    }

    async fn list_all(&self, project: &Project) -> Result<Vec<(ResourceId, Observed)>, Failure> {
        let owned = || project.clone();
        let (for_pools, for_volumes, for_networks) = (owned(), owned(), owned());
        let (pools, volumes, networks, domains) = tokio::try_join!(
            self.wire
                .ask(move |connection| pool::list(connection, &for_pools)),
            self.wire
                .ask(move |connection| volume::list(connection, &for_volumes)),
            self.wire
                .ask(move |connection| network::list(connection, &for_networks)),
            domain::list(&self.wire, project),
        )?;
        let kinds = [
            ("pool", pools),
            ("volume", volumes),
            ("network", networks),
            ("domain", domains),
        ];
        let mut all: Vec<_> = kinds
            .into_iter()
            .flat_map(|(kind, found)| {
                found
                    .into_iter()
                    .map(move |(name, there)| (kind, name, there))
            })
            .map(|(kind, name, there)| (ResourceId::new(&self.host, NAME, kind, &name), there))
            .collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(all)
    }

    async fn read_one(&self, project: &Project, id: &ResourceId) -> Result<Observed, Failure> {
        let (project, id) = (project.clone(), id.clone());
        self.wire
            .ask(move |connection| match id.kind.as_str() {
                "pool" => pool::read(connection, &project, &id.name),
                "volume" => volume::read(connection, &project, &volume::place(&id.name)?),
                "network" => network::read(connection, &project, &id.name),
                "domain" => domain::read(connection, &project, &id.name),
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
            Action::Create {
                body,
                source,
                anew: _,
            } => self.create(id, claim, body, source.clone(), progress).await,
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
            Action::Delete => self.delete(id, claim, progress).await,
        }
    }

    async fn create(
        &self,
        id: &ResourceId,
        claim: &Claim,
        body: &Value,
        source: Option<PathBuf>,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        let (claim, mark) = (claim.clone(), claim.mark.clone());
        match id.kind.as_str() {
            "pool" => {
                let wanted: Pool = decode(id, body)?;
                self.wire
                    .act(progress, move |connection, _| {
                        pool::create(connection, &mark, &wanted)
                    })
                    .await
            }
            "volume" => {
                let wanted: Body = decode(id, body)?;
                volume::check_name(wanted.volume())?;
                let create = move |connection: &_, say: &_| {
                    volume::create(connection, &mark, &wanted, source.as_deref(), say)
                };
                self.wire.act(progress, create).await
            }
            "network" => {
                let wanted: MachineNetwork = decode(id, body)?;
                self.wire
                    .act(progress, move |connection, _| {
                        network::create(connection, &claim, &wanted)
                    })
                    .await
            }
            "domain" => {
                // Finishing what is half made never stops a machine that runs.
                let wanted: Machine = decode(id, body)?;
                settle::settle(
                    &self.wire,
                    &claim,
                    &wanted,
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
        let prepare = move |connection: &_, _: &_| settle::prepare(connection, &claim, &wanted);
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
                settle::settle(&self.wire, claim, &wanted, impact, self.patience, progress).await
            }
            ("volume", Impact::InPlace) => {
                let (mark, before, after): (_, Body, Body) =
                    (claim.mark.clone(), decode(id, before)?, decode(id, after)?);
                self.wire
                    .act(progress, move |connection, say| {
                        volume::update(connection, &mark, &before, &after, say)
                    })
                    .await
            }
            ("network", Impact::InPlace | Impact::Restart) => {
                let (claim, wanted): (_, MachineNetwork) = (claim.clone(), decode(id, after)?);
                self.wire
                    .act(progress, move |connection, _| {
                        network::update(connection, &claim, &wanted, impact)
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
            .act(progress, move |connection, _| match id.kind.as_str() {
                "pool" => pool::delete(connection, &claim.mark, &id.name),
                "volume" => volume::delete(connection, &claim.mark, &volume::place(&id.name)?),
                "network" => network::delete(connection, &claim, &id.name),
                _ => Err(unknown(&id)),
            })
            .await
    }

    async fn is_ready(&self, id: &ResourceId) -> Result<Readiness, Failure> {
        match id.kind.as_str() {
            "domain" => {
                let name = id.name.clone();
                self.wire
                    .ask(move |connection| ready::ready(connection, &name))
                    .await
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
            let found = self
                .wire
                .ask(move |connection| discover::discover(connection, &uri))
                .await?;
            found.add_to(facts);
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

    fn last_words<'a>(
        &'a self,
        id: &'a ResourceId,
    ) -> Pending<'a, Result<Option<String>, Failure>> {
        Box::pin(async move {
            if id.kind != "domain" {
                return Ok(None);
            }
            let name = id.name.clone();
            let ask = move |connection: &_| ready::last_words(connection, &name);
            self.wire.ask(ask).await
        })
    }
}
