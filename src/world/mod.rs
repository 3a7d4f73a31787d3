//! Everything outside: daemons, the kernel, files. Reads, and locks hosts; what changes them is the apply.

mod digests;
mod doors;
mod evidence;
mod files;
mod folder;
mod hosts;
mod kernel;
mod locks;
mod providers;
mod ssh;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use infra_api::{
    Daemon, Failure, HostName, ImageTag, Observed, Pending, Pinned, Project, Provider, ResourceId,
    Trace,
};

use crate::declared::Host;

use doors::{Doors, Inside};
use locks::Locks;
use ssh::{Destination, Remote, Ways};

pub use evidence::{EVIDENCE, evidence};
pub use files::{ImageFiles, read as read_files};
pub use folder::Folder;
pub use hosts::{Found, KvmProbe, Recorded, recorded};
pub use providers::{Endpoints, providers};

/// One daemon: open, or why not.
type Connection = Result<Box<dyn Daemon>, Failure>;

/// The daemons of all hosts.
pub struct World {
    connections: BTreeMap<(HostName, String), Connection>,
    /// Where each daemon is, as it was said.
    endpoints: BTreeMap<(HostName, String), String>,
    /// The way into each host.
    doors: Doors,
    /// What some of all that goes over.
    ways: Ways,
    /// Over which of these each host is reached.
    over: BTreeMap<HostName, BTreeSet<Destination>>,
    /// Where nobody else of us changes anything meanwhile.
    locks: tokio::sync::Mutex<Locks>,
}

/// What was found, and which daemons did not answer.
#[derive(Debug, Default)]
pub struct Observation {
    pub found: BTreeMap<ResourceId, Observed>,
    pub failures: Vec<Failure>,
}

impl World {
    /// Opens every provider's daemon on every host, all at once. What does not open is remembered and is an error
    /// only where it is needed.
    pub async fn connect(
        hosts: &BTreeMap<HostName, Host>,
        providers: &[Box<dyn Provider>],
        endpoints: &Endpoints,
    ) -> Self {
        let all: Vec<(&Host, &dyn Provider, String)> = hosts
            .values()
            .flat_map(|host| providers.iter().map(move |p| (host, p.as_ref())))
            .map(|(host, provider)| (host, provider, endpoints.of(host, provider.name())))
            .collect();
        let over = over(&all);
        let ways = Ways::open(over.values().flatten().cloned().collect()).await;
        let doors = doors::open(hosts, &ways);
        let opened = all
            .iter()
            .enumerate()
            .map(|(number, (host, provider, endpoint))| {
                let (ways, doors) = (&ways, &doors);
                async move {
                    let near = match doors.get(&host.name) {
                        Some(Ok(inside)) => near(inside, ways, endpoint, number, *provider).await,
                        Some(Err(failure)) => Err(failure.clone()),
                        None => unreachable!("there is a way into every host"),
                    };
                    let connection = match near {
                        Ok(near) => provider.connect(&host.name, &near).await,
                        Err(failure) => Err(failure),
                    };
                    ((host.name.clone(), provider.name().to_owned()), connection)
                }
            });
        let connections = join_all(opened).await.into_iter().collect();
        let said = all.into_iter().map(|(host, provider, endpoint)| {
            ((host.name.clone(), provider.name().to_owned()), endpoint)
        });
        Self {
            connections,
            endpoints: said.collect(),
            doors,
            ways,
            over,
            locks: tokio::sync::Mutex::default(),
        }
    }

    /// A world without daemons: for planning on recorded facts.
    #[must_use]
    pub fn nowhere() -> Self {
        Self {
            connections: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            doors: Doors::new(),
            ways: Ways::default(),
            over: BTreeMap::new(),
            locks: tokio::sync::Mutex::default(),
        }
    }

    /// Daemons that did not open, and why.
    pub fn unreachable(&self) -> impl Iterator<Item = (&HostName, &str, &Failure)> {
        self.connections
            .iter()
            .filter_map(|((host, provider), connection)| {
                let failure = connection.as_ref().err()?;
                Some((host, provider.as_str(), failure))
            })
    }

    /// Hosts that there is no way into, and why.
    pub fn closed(&self) -> impl Iterator<Item = (&HostName, &Failure)> {
        let doors = self.doors.iter();
        doors.filter_map(|(host, door)| Some((host, door.as_ref().err()?)))
    }

    /// Pairs of hosts that are one machine.
    #[must_use]
    pub fn twins(&self) -> Vec<(&HostName, &HostName)> {
        doors::twins(&self.doors)
    }

    /// How many daemons did.
    #[must_use]
    pub fn answering(&self) -> usize {
        self.connections.values().filter(|c| c.is_ok()).count()
    }

    fn connection(&self, host: &HostName, provider: &str) -> Option<&Connection> {
        self.connections.get(&(host.clone(), provider.to_owned()))
    }

    /// Reads everything that carries the project's mark, and each of `ids` whatever it carries.
    pub async fn observe(&self, project: &Project, ids: &BTreeSet<ResourceId>) -> Observation {
        let mut observation = Observation::default();
        let listed = self
            .connections
            .values()
            .filter_map(|c| c.as_ref().ok())
            .map(|d| d.list(project));
        for list in join_all(listed).await {
            match list {
                Ok(objects) => observation.found.extend(objects),
                Err(failure) => observation.failures.push(failure),
            }
        }
        let rest: Vec<&ResourceId> = ids
            .iter()
            .filter(|id| !observation.found.contains_key(*id))
            .collect();
        // Where a host that is declared no longer has got another label, its objects are found, or wanted, under that.
        let renamed = |id: &ResourceId| {
            let at = |host: &HostName| ResourceId::new(host, &id.provider, &id.kind, &id.name);
            let known = |id| ids.contains(&id) || observation.found.contains_key(&id);
            !self.doors.contains_key(&id.host) && self.doors.keys().any(|host| known(at(host)))
        };
        let (gone, mut rest): (Vec<&ResourceId>, Vec<&ResourceId>) =
            rest.into_iter().partition(|id| renamed(id));
        let gone = gone.into_iter().map(|id| (id.clone(), Observed::Absent));
        observation.found.extend(gone.collect::<Vec<_>>());
        let surveyed = self.survey(project, &rest).await;
        rest.retain(|id| !surveyed.contains_key(id));
        observation.found.extend(surveyed);
        for (id, read) in join_all(
            rest.into_iter()
                .map(|id| async move { (id, self.read(project, id).await) }),
        )
        .await
        {
            match read {
                Ok(observed) => {
                    observation.found.insert(id.clone(), observed);
                }
                Err(failure) if observation.failures.contains(&failure) => {}
                Err(failure) => observation.failures.push(failure),
            }
        }
        observation
    }

    /// What the daemons tell of many objects at once; what one does not tell is read.
    async fn survey(
        &self,
        project: &Project,
        ids: &[&ResourceId],
    ) -> BTreeMap<ResourceId, Observed> {
        let of = |(host, provider): &(HostName, String)| -> Vec<&ResourceId> {
            let own = |id: &&&ResourceId| id.host == *host && id.provider == *provider;
            ids.iter().filter(own).copied().collect()
        };
        let asked = self.connections.iter().map(|(daemon, connection)| {
            let ids = of(daemon);
            async move { connection.as_ref().ok()?.survey(project, &ids).await.ok() }
        });
        let told = join_all(asked).await;
        told.into_iter().flatten().flatten().collect()
    }

    /// Opens the connections of a host anew that have ended since.
    ///
    /// # Errors
    /// When one cannot be had again.
    pub async fn reopened(&self, host: &HostName) -> Result<(), Failure> {
        for destination in self.over.get(host).into_iter().flatten() {
            let reopened = self.ways.reopen(destination).await;
            reopened.map_err(|failure| Failure {
                doing: format!("{} for host `{host}`", failure.doing),
                ..failure
            })?;
        }
        Ok(())
    }

    /// One object as it is.
    ///
    /// # Errors
    /// When its daemon does not tell.
    pub async fn read(&self, project: &Project, id: &ResourceId) -> Result<Observed, Failure> {
        match self.connection(&id.host, &id.provider) {
            Some(Ok(daemon)) => daemon.read(project, id).await,
            Some(Err(failure)) => Err(failure.clone()),
            None => Err(Failure::new(
                infra_api::Remedy::Operator,
                format!("reading {id}"),
                format!(
                    "no host `{}` is declared that has a {} daemon",
                    id.host, id.provider
                ),
            )
            .hint("declare the host again until its objects are gone")),
        }
    }

    /// By what objects of one daemon are known among its host's processes.
    ///
    /// # Errors
    /// When it does not tell.
    pub async fn traces(
        &self,
        (host, provider): (&HostName, &str),
        objects: &[(&ResourceId, &serde_json::Value)],
    ) -> Result<BTreeMap<ResourceId, Trace>, Failure> {
        self.reopened(host).await?;
        match self.connection(host, provider) {
            Some(Ok(daemon)) => daemon.traces(objects).await,
            Some(Err(failure)) => Err(failure.clone()),
            None => Ok(BTreeMap::new()),
        }
    }

    /// The volume groups of a host; nothing where that is not known.
    ///
    /// # Errors
    /// When its daemon does not answer.
    pub async fn volume_groups(
        &self,
        host: &HostName,
        provider: &str,
    ) -> Result<Option<Vec<String>>, Failure> {
        match self.connection(host, provider) {
            Some(Ok(daemon)) => daemon.volume_groups().await,
            Some(Err(failure)) => Err(failure.clone()),
            None => Ok(None),
        }
    }

    /// Pins registry references to their digests, each on the host that will pull it; with what each stood for last.
    pub async fn pin(
        &self,
        wanted: BTreeMap<(HostName, ImageTag), Option<String>>,
    ) -> BTreeMap<(HostName, ImageTag), Result<Pinned, Failure>> {
        let pin = |((host, tag), known): ((HostName, ImageTag), Option<String>)| async move {
            let pinned = match self.connection(&host, "docker") {
                Some(Ok(daemon)) => daemon.resolve_image(&tag, known.as_deref()).await,
                Some(Err(failure)) => Err(failure.clone()),
                None => Ok(Pinned {
                    platform: tag.platform.clone(),
                    ..Pinned::new(known.as_ref().unwrap_or(&tag.reference))
                }),
            };
            ((host, tag), pinned)
        };
        join_all(wanted.into_iter().map(pin))
            .await
            .into_iter()
            .collect()
    }
}

/// Over which connections each host is reached: its own, and those its daemons' addresses name.
fn over(all: &[(&Host, &dyn Provider, String)]) -> BTreeMap<HostName, BTreeSet<Destination>> {
    let mut over: BTreeMap<HostName, BTreeSet<Destination>> = BTreeMap::new();
    for (host, _, endpoint) in all {
        let ways = over.entry(host.name.clone()).or_default();
        ways.extend(host.login.as_ref().map(Destination::from));
        let remote = Remote::of(endpoint).and_then(Result::ok);
        ways.extend(remote.map(|remote| remote.destination));
    }
    over
}

/// What a provider is told: where its daemon is, from here.
async fn near(
    inside: &Inside,
    ways: &Ways,
    endpoint: &str,
    number: usize,
    provider: &dyn Provider,
) -> Result<String, Failure> {
    if providers::by_door(provider.name()) {
        return Ok(inside.endpoint.clone());
    }
    match Remote::of(endpoint) {
        None => Ok(endpoint.to_owned()),
        Some(Err(why)) => Err(misspelt(provider.name(), endpoint, &why)),
        Some(Ok(remote)) => ways.forward(&remote, number, inside.boot.as_deref()).await,
    }
}

fn misspelt(provider: &str, endpoint: &str, why: &str) -> Failure {
    let doing = format!("looking for the {provider} daemon at {endpoint}");
    Failure::new(infra_api::Remedy::Operator, doing, why)
}

impl infra_apply::World for World {
    fn daemon(&self, host: &HostName, provider: &str) -> Option<&dyn Daemon> {
        self.connection(host, provider)?
            .as_ref()
            .ok()
            .map(AsRef::as_ref)
    }

    fn reopen<'a>(&'a self, host: &'a HostName) -> Pending<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.reopened(host).await?;
            self.relock(host).await
        })
    }
}
