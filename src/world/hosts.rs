//! Facts of hosts: read from the kernel and the daemons, or from what was recorded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures_util::future::join4;
use infra_api::facts::{Facts, Offer};
use infra_api::{Failure, HostName, Remedy};
use infra_diag::{Diagnostic, Diagnostics};
use infra_door::{Door, Order};
use infra_kernel::{Far, Problem, kvm};

use super::World;
use super::doors::Inside;
use crate::declared::Host;

/// Where the outcome of trying KVM is kept, so that it is tried once per boot and installed QEMU.
#[derive(Clone, Debug)]
pub struct KvmProbe {
    pub cache: PathBuf,
}

/// A host as it is now.
#[derive(Debug, Default)]
pub struct Found {
    pub facts: Facts,
    /// What could not be read of the kernel: those facts are null.
    pub problems: Vec<String>,
    /// Daemons that are there and could not be asked: what they hold is not known, so nothing may be planned on it.
    pub failures: Vec<Failure>,
}

impl World {
    /// One host as it is now: its kernel, and what its daemons know.
    pub async fn facts(&self, host: &HostName, probe: &KvmProbe) -> Found {
        let inside = match self.doors.get(host) {
            Some(Ok(inside)) => inside,
            Some(Err(failure)) => return Found::failed(failure.clone()),
            None => return Found::default(),
        };
        // All at once: each takes its time, and none needs what another tells.
        let (kernel, docker, libvirt, systemd) = join4(
            kernel(inside),
            self.told(host, "docker"),
            self.told(host, "libvirt"),
            self.told(host, "systemd"),
        )
        .await;
        let (facts, problems, machine) = match kernel {
            Ok(told) => told,
            Err(failure) => return Found::failed(failure),
        };
        let mut found = Found {
            facts,
            problems: problems.iter().map(ToString::to_string).collect(),
            failures: Vec::new(),
        };
        for (facts, failure) in [docker, libvirt, systemd] {
            add(&mut found.facts, facts);
            found.failures.extend(failure);
        }
        if let Some(libvirt) = &mut found.facts.libvirt {
            // A forwarded socket's name is this run's own.
            let said = self.endpoints.get(&(host.clone(), "libvirt".to_owned()));
            libvirt.uri = said.cloned().unwrap_or_default();
            found.facts.runtimes.kvm = Some(kvm(&found.facts, (inside, machine), probe).await);
        }
        found.facts.used.sort_by(|a, b| a.owner.cmp(&b.owner));
        found
    }

    /// The versions of programs that nobody has told yet: each is run for it, which a plan does not wait for.
    pub async fn programs(&self, host: &HostName, facts: &mut Facts) {
        match self.doors.get(host) {
            Some(Ok(inside)) if inside.near => infra_kernel::programs(facts),
            Some(Ok(inside)) => {
                let order = Order::new("asking tuned for its version", &["tuned", "--version"]);
                let said = inside.door.must(order).await.ok();
                facts.versions.tuned =
                    said.and_then(|said| said.text().split_whitespace().nth(1).map(str::to_owned));
            }
            Some(Err(_)) | None => {}
        }
    }

    /// What one daemon knows, and why it could not be asked.
    async fn told(&self, host: &HostName, provider: &str) -> (Facts, Option<Failure>) {
        let mut facts = Facts::default();
        let failure = match self.connection(host, provider) {
            Some(Ok(daemon)) => daemon.discover(&mut facts).await.err(),
            Some(Err(failure)) => {
                not_offered(&mut facts, provider, failure);
                None
            }
            None => None,
        };
        (facts, failure)
    }
}

impl Found {
    fn failed(failure: Failure) -> Self {
        Self {
            failures: vec![failure],
            ..Self::default()
        }
    }
}

/// What a host's kernel tells, what of it cannot be read, and what is tried of its KVM.
type Kernel = (Facts, Vec<Problem>, Option<kvm::Machine>);

async fn kernel(inside: &Inside) -> Result<Kernel, Failure> {
    if inside.near {
        let read = tokio::task::spawn_blocking(infra_kernel::live).await;
        let (facts, problems) = read.unwrap_or_default();
        return Ok((facts, problems, None));
    }
    let doing = "reading the kernel's facts";
    let script = infra_kernel::script();
    let told = inside.door.must(Order::script(doing, &script)).await?;
    let far = Far::parse(&told.stdout).map_err(|why| {
        let doing = format!("{doing} on host `{}`", inside.door.host());
        Failure::new(Remedy::Retry, doing, why)
    })?;
    let (facts, problems) = far.facts();
    Ok((facts, problems, Some(far.machine().clone())))
}

/// What daemons tell of their host stands beside what its kernel tells.
fn add(facts: &mut Facts, told: Facts) {
    let Facts {
        versions,
        runtimes,
        docker,
        libvirt,
        used,
        ..
    } = told;
    fn put<T>(place: &mut Option<T>, told: Option<T>) {
        if told.is_some() {
            *place = told;
        }
    }
    put(&mut facts.versions.docker, versions.docker);
    put(&mut facts.versions.libvirt, versions.libvirt);
    put(&mut facts.versions.qemu, versions.qemu);
    put(&mut facts.versions.systemd, versions.systemd);
    put(&mut facts.runtimes.container, runtimes.container);
    put(&mut facts.runtimes.kvm, runtimes.kvm);
    put(&mut facts.docker, docker);
    put(&mut facts.libvirt, libvirt);
    facts.used.extend(used);
}

fn not_offered(facts: &mut Facts, provider: &str, failure: &Failure) {
    let why = failure
        .hint
        .as_ref()
        .map_or_else(|| failure.to_string(), |hint| format!("{failure}; {hint}"));
    let offer = Some(Offer::new(Err(why)));
    match provider {
        "docker" => facts.runtimes.container = offer,
        "systemd" => facts.runtimes.bare_metal = offer,
        _ => facts.runtimes.kvm = offer,
    }
}

/// KVM is offered where libvirt knows it and a machine was seen to start with it.
async fn kvm(
    facts: &Facts,
    (inside, machine): (&Inside, Option<kvm::Machine>),
    probe: &KvmProbe,
) -> Offer {
    let libvirt = facts.libvirt.clone().unwrap_or_default();
    let arch = facts.kernel.arch.clone().unwrap_or_default();
    let none = || Offer::new(Err(format!("no QEMU for {arch} is installed")));
    let works = match machine {
        Some(machine) => match machine.emulator.is_empty() {
            true => return none(),
            false => tried_afar(&inside.door, &machine, probe).await,
        },
        None => {
            let emulator = libvirt.emulator.map(PathBuf::from);
            let Some(emulator) = emulator.or_else(|| infra_kernel::emulator(&arch)) else {
                return none();
            };
            let cache = probe.cache.clone();
            let tried = tokio::task::spawn_blocking(move || kvm::works_cached(&emulator, &cache));
            tried.await.unwrap_or_else(|e| Err(e.to_string()))
        }
    };
    match (works, libvirt.kvm) {
        (Ok(()), Some(false)) => {
            Offer::new(Err("libvirt cannot define machines with KVM".to_owned()))
        }
        (works, _) => Offer::new(works),
    }
}

/// Once for each start of that host and each QEMU of it, as here.
async fn tried_afar(door: &Door, machine: &kvm::Machine, probe: &KvmProbe) -> Result<(), String> {
    let cache = &probe.cache;
    if let Some(known) = machine.known(cache) {
        return known;
    }
    let words = machine.trial();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let order = Order::new("trying KVM", &words)
        .with(kvm::COMMANDS.as_bytes())
        .as_root();
    let said = door
        .run(order)
        .await
        .map_err(|failure| failure.to_string())?;
    let (stdout, stderr) = (
        said.text(),
        String::from_utf8_lossy(&said.stderr).into_owned(),
    );
    let works = kvm::judge_afar(said.code, &stdout, &stderr);
    machine.keep(cache, &works);
    works
}

/// Facts of `DIR/HOSTNAME.json` for each host, and what is wrong with them.
pub type Recorded = (BTreeMap<HostName, Facts>, Diagnostics);

/// Reads recorded facts: one file per declared host.
#[must_use]
pub fn recorded<'a>(directory: &Path, hosts: impl Iterator<Item = &'a Host>) -> Recorded {
    let mut facts = BTreeMap::new();
    let mut diagnostics = Diagnostics::new();
    for host in hosts {
        let path = directory.join(format!("{}.json", host.name));
        let read = std::fs::read_to_string(&path)
            .map_err(|e| match e.kind() {
                std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
                _ => e.to_string(),
            })
            .and_then(|text| Facts::from_json(&text).map_err(|e| e.to_string()));
        match read {
            Ok(found) => {
                facts.insert(host.name.clone(), found);
            }
            Err(why) => {
                let error = Diagnostic::error("Unusable facts")
                    .note(format!("{}: {why}", path.display()))
                    .hint(format!(
                        "record them with `infra facts {} > {}`",
                        host.name,
                        path.display()
                    ));
                let error = host.origin.map_or(error.clone(), |o| {
                    error.at(o, "facts of this host are needed")
                });
                diagnostics.push(error);
            }
        }
    }
    (facts, diagnostics)
}
