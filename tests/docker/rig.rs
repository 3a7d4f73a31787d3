//! What the live tests of the Docker provider stand on: the engine, a project of each test's own,
//! and a sweep before and after. No test.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;

use bollard::Docker as Raw;
use bollard::query_parameters::{
    ListImagesOptions, ListNetworksOptions, ListVolumesOptions, RemoveContainerOptions,
    RemoveImageOptions, RemoveVolumeOptions,
};
use infra_api::target::{Container, ContainerImage, ContainerNetwork, Endpoint, ImageSource};
use infra_api::{
    Action, Address, Change, Daemon, Failure, HostName, Mark, Observed, Project, Provider,
    Readiness, Resource, ResourceId, Silent, Target, What, names,
};
use infra_docker::Docker;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::things::sleep;

pub(crate) struct Rig {
    pub(crate) daemon: Box<dyn Daemon>,
    /// For what somebody else does behind our back.
    pub(crate) raw: Raw,
    pub(crate) host: HostName,
    pub(crate) project: Project,
    pub(crate) dir: tempfile::TempDir,
    /// The third number of this test's subnet.
    net: u8,
}

/// Runs a test against the real engine, or says loudly that it does not.
pub(crate) fn live<F>(name: &str, net: u8, test: impl FnOnce(Arc<Rig>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    if std::env::var("INFRA_LIVE").as_deref() != Ok("1") {
        let why = "it needs a Docker Engine; set INFRA_LIVE=1 and INFRA_DOCKER_ENDPOINT";
        // Not `eprintln!`, which a test that passes swallows.
        let _ = writeln!(std::io::stderr(), "SKIPPED {name}: {why}");
        return;
    }
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let rig = Arc::new(Rig::open(name, net).await);
        rig.sweep().await;
        let outcome = tokio::spawn(test(Arc::clone(&rig))).await;
        rig.sweep().await;
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic.into_panic());
        }
    });
}

impl Rig {
    async fn open(name: &str, net: u8) -> Self {
        let endpoint = std::env::var("INFRA_DOCKER_ENDPOINT")
            .unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
        let host = HostName::new("r1");
        let daemon = Docker.connect(&host, &endpoint).await;
        let path = endpoint.strip_prefix("unix://").unwrap();
        let raw = Raw::connect_with_unix(path, 60, bollard::API_DEFAULT_VERSION).unwrap();
        Self {
            daemon: daemon.unwrap_or_else(|e| panic!("{e}: {:?}", e.hint)),
            raw: raw.negotiate_version().await.unwrap(),
            host,
            project: Project::new(format!("infra-test-docker-{name}")),
            dir: tempfile::tempdir().unwrap(),
            net,
        }
    }

    /// A name of an object of this test.
    pub(crate) fn name(&self, word: &str) -> String {
        format!("{}.{word}", self.project)
    }

    pub(crate) fn mark(&self, address: &str) -> Mark {
        Mark {
            project: self.project.clone(),
            address: Address::new(address),
        }
    }

    pub(crate) fn stranger(&self, address: &str) -> Mark {
        Mark {
            project: Project::new(format!("{}-other", self.project)),
            address: Address::new(address),
        }
    }

    pub(crate) fn ip(&self, last: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 231, self.net, last)
    }

    // ── what is wanted ────────────────────────────────────────────────────────────────────────────

    pub(crate) fn resource(&self, address: &str, what: What) -> Resource {
        let target = Target {
            host: self.host.clone(),
            address: Address::new(address),
            what,
        };
        Docker.resources(&self.project, &target).remove(0)
    }

    /// The network of this test; `second` is its other half.
    pub(crate) fn network(&self, word: &str, second: bool) -> Resource {
        let base = if second { 128 } else { 0 };
        let what = ContainerNetwork {
            name: self.name(word),
            bridge: Some(names::bridge(
                &self.project,
                &Address::new(format!("network.{word}")),
            )),
            driver: None,
            subnet: format!("{}/25", self.ip(base)).parse().ok(),
            gateway: Some(self.ip(base + 1)),
            ipv6: None,
            internal: false,
            options: BTreeMap::new(),
            labels: BTreeMap::new(),
        };
        self.resource(&format!("network.{word}"), What::ContainerNetwork(what))
    }

    /// An image from an archive with these bytes.
    pub(crate) fn image(&self, word: &str, archive: &[u8]) -> Resource {
        let path = self.dir.path().join(format!("{word}.tar"));
        std::fs::write(&path, archive).unwrap();
        let sha256 = names::hex(&Sha256::digest(archive));
        let address = Address::new(format!("image.{word}"));
        let what = ContainerImage {
            reference: names::image(&self.project, &address, &sha256),
            sha256: Some(sha256),
            platform: None,
        };
        self.resource(
            address.as_str(),
            What::ContainerImage(what, ImageSource::Archive(path)),
        )
    }

    /// A container that sleeps, on the network `lan`.
    pub(crate) fn container(&self, word: &str, image: &Resource) -> Container {
        Container {
            name: self.name(word),
            image: image.id.name.clone(),
            state: "running".into(),
            command: Some(sleep()),
            hostname: word.into(),
            networks: BTreeMap::from([(self.name("lan"), self.endpoint(word.as_bytes()[0]))]),
            ..Container::default()
        }
    }

    pub(crate) fn endpoint(&self, last: u8) -> Endpoint {
        Endpoint {
            address: Some(self.ip(last)),
            address6: None,
            aliases: vec![format!("at-{last}")],
            mac: None,
        }
    }

    pub(crate) fn workload(&self, body: &Container) -> Resource {
        self.resource("workload.a", What::Container(Box::new(body.clone())))
    }

    // ── the contract ──────────────────────────────────────────────────────────────────────────────

    pub(crate) async fn apply(
        &self,
        id: &ResourceId,
        mark: Mark,
        action: Action,
    ) -> Result<(), Failure> {
        let change = Change {
            id: id.clone(),
            mark,
            imported: None,
            action,
        };
        self.daemon.apply(&change, &Silent).await
    }

    pub(crate) async fn try_create(&self, wanted: &Resource) -> Result<(), Failure> {
        let action = Action::Create {
            body: wanted.body.clone().into_value(),
            source: wanted.source.clone(),
            anew: false,
        };
        self.apply(&wanted.id, self.mark(wanted.address.as_str()), action)
            .await
    }

    pub(crate) async fn create(&self, wanted: &Resource) {
        self.try_create(wanted)
            .await
            .unwrap_or_else(|e| panic!("{e}: {:?}", e.hint));
    }

    /// What a container needs: an image, and the network `lan`.
    pub(crate) async fn stand(&self, image: &Resource) {
        self.create(image).await;
        self.create(&self.network("lan", false)).await;
    }

    pub(crate) async fn try_update(
        &self,
        before: &Container,
        after: &Container,
    ) -> Result<(), Failure> {
        let after = self.workload(after);
        let action = Action::Update {
            before: json!(before),
            after: after.body.into_value(),
            impact: infra_api::Impact::InPlace,
        };
        self.apply(&after.id, self.mark("workload.a"), action).await
    }

    pub(crate) async fn delete(&self, id: &ResourceId) -> Result<(), Failure> {
        self.apply(id, self.mark("workload.a"), Action::Delete)
            .await
    }

    pub(crate) async fn read(&self, id: &ResourceId) -> Observed {
        self.daemon.read(&self.project, id).await.unwrap()
    }

    /// The body as it is read back.
    pub(crate) async fn body(&self, id: &ResourceId) -> Value {
        match self.read(id).await {
            Observed::Present { body, .. } => body.into_value(),
            other => panic!("{id}: {other:?}"),
        }
    }

    pub(crate) async fn expect(&self, wanted: &Resource) {
        let whole = Observed::Present {
            address: wanted.address.clone(),
            body: wanted.body.clone(),
        };
        assert_eq!(self.read(&wanted.id).await, whole);
    }

    pub(crate) async fn foreign(&self, id: &ResourceId) -> String {
        match self.read(id).await {
            Observed::Foreign { what, .. } => what,
            other => panic!("{id}: {other:?}"),
        }
    }

    pub(crate) async fn ready(&self, id: &ResourceId) -> Readiness {
        for _ in 0..100 {
            match self.daemon.ready(id).await.unwrap() {
                Readiness::Waiting(_) => {
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await
                }
                judged => return judged,
            }
        }
        panic!("{id} stays waiting");
    }

    // ── behind its back ───────────────────────────────────────────────────────────────────────────

    /// Id and process id.
    pub(crate) async fn process(&self, name: &str) -> (String, i64) {
        let found = self.raw.inspect_container(name, None).await.unwrap();
        (found.id.unwrap(), found.state.unwrap().pid.unwrap())
    }

    async fn sweep(&self) {
        let ours = |name: &str| {
            name.trim_start_matches('/')
                .starts_with(self.project.as_str())
        };
        let all = bollard::query_parameters::ListContainersOptions {
            all: true,
            ..Default::default()
        };
        for one in self.raw.list_containers(Some(all)).await.unwrap() {
            if one.names.iter().flatten().any(|name| ours(name)) {
                let force = RemoveContainerOptions {
                    force: true,
                    v: true,
                    ..Default::default()
                };
                let _ = self
                    .raw
                    .remove_container(&one.id.unwrap(), Some(force))
                    .await;
            }
        }
        for one in self
            .raw
            .list_networks(None::<ListNetworksOptions>)
            .await
            .unwrap()
        {
            if one.name.as_deref().is_some_and(ours) {
                let _ = self.raw.remove_network(&one.id.unwrap()).await;
            }
        }
        let volumes = self
            .raw
            .list_volumes(None::<ListVolumesOptions>)
            .await
            .unwrap();
        for one in volumes
            .volumes
            .into_iter()
            .flatten()
            .filter(|one| ours(&one.name))
        {
            let _ = self
                .raw
                .remove_volume(&one.name, None::<RemoveVolumeOptions>)
                .await;
        }
        for one in self
            .raw
            .list_images(None::<ListImagesOptions>)
            .await
            .unwrap()
        {
            for tag in one
                .repo_tags
                .iter()
                .filter(|tag| ours(tag.trim_start_matches("infra/")))
            {
                let force = RemoveImageOptions {
                    force: true,
                    ..Default::default()
                };
                let _ = self.raw.remove_image(tag, Some(force), None).await;
            }
        }
    }
}
