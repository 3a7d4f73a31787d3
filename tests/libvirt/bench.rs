//! A daemon to test against, a project of one's own, and the laws that every kind must keep.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;
use std::time::Duration;

use infra_api::target::*;
use infra_api::*;
use infra_libvirt::Libvirt;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use virt::connect::Connect;
use virt::domain::Domain;

pub(crate) const MOCK: &str = "test:///default";
pub(crate) const MIB: u64 = 1 << 20;

pub(crate) struct Bench {
    pub(crate) uri: String,
    pub(crate) daemon: Box<dyn Daemon>,
    pub(crate) host: HostName,
    pub(crate) project: Project,
}

pub(crate) type Test = for<'a> fn(&'a Bench) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

pub(crate) fn on_mock(name: &str, test: Test) {
    run(MOCK, name, test);
}

pub(crate) fn live(name: &str, test: Test) {
    if std::env::var("INFRA_LIVE").as_deref() != Ok("1") {
        eprintln!(
            "SKIPPED {name}: set INFRA_LIVE=1 and INFRA_LIBVIRT_URI to test against a real libvirtd"
        );
        return;
    }
    let uri = std::env::var("INFRA_LIBVIRT_URI").unwrap_or_else(|_| "qemu:///system".into());
    without_strays();
    run(&uri, name, test);
}

fn run(uri: &str, name: &str, test: Test) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let bench = runtime.block_on(Bench::open(
        uri,
        &format!("infra-test-libvirt-{name}-{}", std::process::id()),
    ));
    let bench: &'static Bench = Box::leak(Box::new(bench));
    let outcome = runtime.block_on(async { tokio::spawn(test(bench)).await });
    runtime.block_on(bench.clean());
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic.into_panic());
    }
}

impl Bench {
    pub(crate) async fn open(uri: &str, project: &str) -> Self {
        let host = HostName::new("here");
        // Most guests here listen to no power button.
        let provider = Libvirt {
            patience: Duration::from_secs(4),
        };
        let daemon = provider.connect(&host, uri).await.unwrap();
        Self {
            uri: uri.into(),
            daemon,
            host,
            project: Project::new(project),
        }
    }

    /// A connection of a stranger's.
    pub(crate) fn by_hand(&self) -> Connect {
        Connect::open(Some(&self.uri)).unwrap()
    }

    pub(crate) fn domain_by_hand(&self, machine: &Machine) -> Domain {
        self.by_hand().lookup_domain_by_name(&machine.name).unwrap()
    }

    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}.{name}", self.project)
    }

    pub(crate) fn id(&self, kind: &str, name: &str) -> ResourceId {
        ResourceId::new(&self.host, "libvirt", kind, name)
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            project: self.project.clone(),
            address: Address::new("workload.it"),
        }
    }

    pub(crate) async fn apply(&self, id: &ResourceId, action: Action) -> Result<(), Failure> {
        self.apply_to(id, None, action).await
    }

    /// To the very one that was imported.
    pub(crate) async fn apply_to(
        &self,
        id: &ResourceId,
        imported: Option<&str>,
        action: Action,
    ) -> Result<(), Failure> {
        let change = Change {
            id: id.clone(),
            mark: self.mark(),
            imported: imported.map(str::to_owned),
            action,
        };
        self.daemon.apply(&change, &Silent).await
    }

    pub(crate) async fn create(
        &self,
        id: &ResourceId,
        body: &impl Serialize,
        source: Option<&Path>,
    ) -> Result<(), Failure> {
        self.apply(
            id,
            Action::Create {
                body: json!(body),
                source: source.map(PathBuf::from),
                anew: false,
            },
        )
        .await
    }

    pub(crate) async fn update(
        &self,
        id: &ResourceId,
        before: &impl Serialize,
        after: &impl Serialize,
        impact: Impact,
    ) -> Result<(), Failure> {
        self.apply(
            id,
            Action::Update {
                before: json!(before),
                after: json!(after),
                impact,
            },
        )
        .await
    }

    pub(crate) async fn delete(&self, id: &ResourceId) -> Result<(), Failure> {
        self.apply(id, Action::Delete).await
    }

    pub(crate) async fn read(&self, id: &ResourceId) -> Observed {
        self.daemon.read(&self.project, id).await.unwrap()
    }

    /// The body, of what must be there and whole.
    pub(crate) async fn body(&self, id: &ResourceId) -> Value {
        match self.read(id).await {
            Observed::Present { address, body } if address == self.mark().address => {
                body.into_value()
            }
            other => panic!("{id}: {other:?}"),
        }
    }

    pub(crate) async fn machine(&self, id: &ResourceId) -> Machine {
        serde_json::from_value(self.body(id).await).unwrap()
    }

    pub(crate) async fn ours(&self) -> Vec<ResourceId> {
        self.daemon
            .list(&self.project)
            .await
            .unwrap()
            .into_iter()
            .map(|(id, _)| id)
            .collect()
    }

    /// Laws 2 to 5, on a kind that can be made from nothing.
    pub(crate) async fn laws(&self, id: &ResourceId, body: &impl Serialize, source: Option<&Path>) {
        assert_eq!(self.read(id).await, Observed::Absent, "law 4");
        for _ in 0..2 {
            self.create(id, body, source).await.unwrap();
            assert_eq!(self.body(id).await, json!(body), "laws 2 and 3");
        }
        assert!(self.ours().await.contains(id), "law 5");
        for _ in 0..2 {
            self.delete(id).await.unwrap();
            assert_eq!(self.read(id).await, Observed::Absent);
        }
    }

    /// Law 6: what a stranger made under our name stays as it is.
    pub(crate) async fn refused(
        &self,
        id: &ResourceId,
        body: &impl Serialize,
        source: Option<&Path>,
    ) {
        assert!(
            matches!(self.read(id).await, Observed::Foreign { .. }),
            "{:?}",
            self.read(id).await
        );
        assert_eq!(
            self.create(id, body, source).await.unwrap_err().remedy,
            Remedy::Replan
        );
        assert_eq!(self.delete(id).await.unwrap_err().remedy, Remedy::Replan);
        assert!(matches!(self.read(id).await, Observed::Foreign { .. }));
        assert!(!self.ours().await.contains(id));
    }

    pub(crate) fn pool(&self) -> Pool {
        Pool {
            name: self.project.to_string(),
            path: format!("/var/tmp/{}", self.project),
            volume_group: None,
        }
    }

    pub(crate) async fn with_pool(&self) -> Pool {
        let pool = self.pool();
        self.create(&self.id("pool", &pool.name), &pool, None)
            .await
            .unwrap();
        pool
    }

    pub(crate) fn volume(&self, name: &str) -> VolumeRef {
        VolumeRef {
            pool: self.pool().name,
            name: name.into(),
        }
    }

    pub(crate) fn volume_id(&self, volume: &VolumeRef) -> ResourceId {
        self.id("volume", &format!("{}/{}", volume.pool, volume.name))
    }

    /// A file of ours and the volume it is to become.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> (FileVolume, PathBuf) {
        let path = std::env::temp_dir().join(format!("{}-{name}", self.project));
        std::fs::write(&path, content).unwrap();
        let sha256 = names::hex(&Sha256::digest(content));
        let size_bytes = content.len() as u64;
        (
            FileVolume {
                volume: self.volume(name),
                format: Format::Raw,
                sha256,
                size_bytes,
            },
            path,
        )
    }

    pub(crate) fn disk(&self, name: &str) -> DiskVolume {
        let volume = self.volume(name);
        DiskVolume {
            volume,
            format: Format::Qcow2,
            capacity_bytes: 8 * MIB,
            backing: None,
            backing_format: None,
            allocation: Allocation::Sparse,
            copy_of: None,
        }
    }

    pub(crate) fn seed(&self, name: &str) -> SeedVolume {
        SeedVolume {
            volume: self.volume(name),
            meta_data: "instance-id: a\n".into(),
            user_data: "#cloud-config\n# ü\n".into(),
            vendor_data: None,
            network_config: Some("version: 2\n".into()),
        }
    }

    /// With a bridge of its own, on `A.B.C.0/24`, from which nothing outside is reached. All of them are of `SUBNETS`.
    pub(crate) fn network(&self, subnet: &str) -> MachineNetwork {
        let address = self.mark().address;
        let own = OwnBridge {
            subnet: format!("{subnet}.0/24").parse().unwrap(),
            gateway: format!("{subnet}.1").parse().unwrap(),
            internal: true,
            routed: false,
            dhcp: BTreeMap::new(),
            dns: None,
        };
        MachineNetwork {
            name: self.name("lan"),
            uuid: names::uuid(&self.project, &address),
            bridge: Some(names::bridge(&self.project, &address)),
            driver: None,
            own: Some(own),
        }
    }

    /// A machine that boots from its first disk, and has none unless it is given one.
    pub(crate) fn plain(&self) -> Machine {
        let name = self.name("vm");
        let uuid = names::uuid(&self.project, &self.mark().address);
        Machine {
            name,
            uuid,
            state: "running".into(),
            next_start: None,
            acceleration: Acceleration::Emulated,
            vcpus: 1,
            online_vcpus: None,
            vcpu_pins: BTreeMap::new(),
            emulator_pin: None,
            iothreads: 0,
            iothread_pins: BTreeMap::new(),
            memory_bytes: 64 * MIB,
            balloon_bytes: None,
            memory_nodes: None,
            memory_mode: None,
            page_size_bytes: None,
            cells: Vec::new(),
            boot: Boot::Disk,
            boot_order: Vec::new(),
            disks: Vec::new(),
            seed: None,
            seed_digest: None,
            interfaces: Vec::new(),
            console_log: None,
            autostart: false,
            ready: None,
            stop_timeout_s: None,
            ignition: None,
            patches: Vec::new(),
            hardware: Hardware::default(),
        }
    }

    pub(crate) fn pinned(&self, cpu: u32) -> Machine {
        let cpus = IdSet::from([cpu]);
        Machine {
            vcpu_pins: BTreeMap::from([(0, cpus.clone())]),
            emulator_pin: Some(cpus),
            ..self.plain()
        }
    }

    /// Machines first, pools last. What is not ours a test removes itself.
    async fn clean(&self) {
        let mut ours = self.ours().await;
        ours.sort_by_key(|id| {
            ["domain", "network", "volume", "pool"]
                .iter()
                .position(|kind| *kind == id.kind)
        });
        for id in ours {
            self.delete(&id).await.unwrap();
        }
        assert!(self.ours().await.is_empty());
        let _ = std::fs::remove_dir_all(self.pool().path);
    }
}

/// Of these tests' networks, and nobody else's.
const SUBNETS: &str = "10.213.0.0/16";

/// A run that was killed with its daemon has left its bridges in the kernel. These tests run one at a time.
fn without_strays() {
    let asked = Command::new("ip")
        .args(["-o", "-4", "addr", "show", "to", SUBNETS])
        .output();
    let Ok(asked) = asked else {
        return; // the mock has no bridges
    };
    let said = String::from_utf8_lossy(&asked.stdout).into_owned();
    let bridges = said
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1));
    for bridge in bridges.filter(|name| name.starts_with("br-")) {
        let _ = Command::new("ip").args(["link", "delete", bridge]).status();
    }
}
