//! `plan --generate-config-out`: declarations for what `import` blocks name and nothing declares.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::target::{
    Allocation, Container, ContainerNetwork, ContainerVolume, DiskVolume, Machine, MachineNetwork,
    Mount, Pool,
};
use infra_api::{Address, HostName, Observed, ResourceId};
use infra_diag::Diagnostics;
use serde::de::DeserializeOwned;

use super::Session;
use super::import::{Asked, Imports};
use crate::cli::ui::Stop;
use crate::declared::{self, Place};
use crate::generate::{self, Block, Declarations, label};
use crate::lower::{called, pool_name};
use crate::world::World;

/// What a file begins with: what stands in it was read from a running object.
const HEAD: &str = "# Written by `infra plan --generate-config-out` from what is there. Read it, then make it yours. \
                    Values of `env` may be\n# secrets: move them into sensitive variables before this is kept \
                    anywhere.\n\n";

/// Blocks as they come to be, and what is declared with them.
struct Writing {
    blocks: Vec<Block>,
    declared: Declarations,
}

impl Session {
    /// Nothing where all is declared.
    ///
    /// # Errors
    /// What is not there, or cannot be declared.
    pub async fn generated(&self, world: &World) -> Result<Option<String>, Stop> {
        let asked = self.undeclared()?;
        if asked.is_empty() {
            return Ok(None);
        }
        let hosts: Vec<&HostName> = self.configuration.declared.hosts.keys().collect();
        let candidates = asked.iter().flat_map(|asked| {
            let ids = asked.candidates(&hosts).into_iter();
            ids.map(|id| (id, asked.clone()))
        });
        let imports: Imports = candidates.collect();
        let found = self.look(world, imports.keys().cloned().collect()).await?;
        let importable = self.importable(&imports, &found)?;
        let mut writing = Writing {
            blocks: Vec::new(),
            declared: self.declarations(),
        };
        let machines = importable
            .keys()
            .filter_map(|id| body::<Machine>(&found, id));
        let nics = machines.flat_map(|machine| machine.interfaces);
        writing.declared.nics = nics.map(|nic| nic.mac).collect();
        // What others stand on is known first.
        let mut ids: Vec<&ResourceId> = importable.keys().collect();
        ids.sort_by_key(|id| match id.kind.as_str() {
            "container" | "domain" => (2, *id),
            "pool" => (0, *id),
            _ => (1, *id),
        });
        for id in ids {
            let to = &imports[id].to;
            let name = to.as_str().rsplit('.').next().unwrap_or_default();
            self.write(world, id, &found, name, &mut writing).await?;
        }
        let blocks: Vec<String> = writing.blocks.iter().map(ToString::to_string).collect();
        Ok(Some(format!(
            "{HEAD}{}",
            infra_lang::format(&blocks.join("\n"))
        )))
    }

    fn undeclared(&self) -> Result<Vec<Asked>, Stop> {
        let (mut asked, mut found) = (Vec::new(), Diagnostics::new());
        for import in &self.configuration.imports {
            if self.configuration.evaluation.instance(&import.to).is_some() {
                continue;
            }
            let one = Asked::written(import);
            if import.to.module.0.is_empty() && import.to.key.is_none() {
                asked.push(one);
                continue;
            }
            let why = format!("`{}` is one of several, or in a module", import.to);
            let hint = "declare it by hand: only whole blocks of the root module are written";
            found.push(one.error("Nothing to write", false, why).hint(hint));
        }
        match found.has_errors() {
            true => Err(self.said(found)),
            false => Ok(asked),
        }
    }

    async fn look(
        &self,
        world: &World,
        ids: BTreeSet<ResourceId>,
    ) -> Result<BTreeMap<ResourceId, Observed>, Stop> {
        let observation = world.observe(self.project(), &ids).await;
        match observation.failures.is_empty() {
            true => Ok(observation.found),
            false => Err(Stop::all(observation.failures)),
        }
    }

    /// What the configuration has of networks and volumes already, by their daemons' names.
    fn declarations(&self) -> Declarations {
        let declared = &self.configuration.declared;
        let called = |address: &Address| {
            let names = (&declared.names, &self.prior().made_as);
            (called(self.project(), address, names), address.to_string())
        };
        // Of a module nothing is seen from the root.
        let root = |address: &&Address| !address.as_str().starts_with("module.");
        Declarations {
            networks: declared.networks.keys().filter(root).map(called).collect(),
            volumes: declared.volumes.keys().filter(root).map(called).collect(),
            pools: self.pools(),
            ..Declarations::default()
        }
    }

    async fn write(
        &self,
        world: &World,
        id: &ResourceId,
        found: &BTreeMap<ResourceId, Observed>,
        name: &str,
        writing: &mut Writing,
    ) -> Result<(), Stop> {
        let block = match (id.provider.as_str(), id.kind.as_str()) {
            ("docker", "network") => {
                let body: Option<ContainerNetwork> = body(found, id);
                let to = format!("network.{name}");
                writing.declared.networks.insert(id.name.clone(), to);
                body.map(|body| generate::network(name, &body))
            }
            ("docker", "volume") => {
                let body: Option<ContainerVolume> = body(found, id);
                let to = format!("volume.{name}");
                writing.declared.volumes.insert(id.name.clone(), to);
                body.map(|body| generate::volume(name, &body))
            }
            ("docker", "container") => {
                let Some(body) = body::<Container>(found, id) else {
                    return Ok(());
                };
                self.write_beneath(world, id, &body, writing).await?;
                Some(generate::container(name, &body, &writing.declared))
            }
            ("libvirt", "network") => {
                let Some(body) = body::<MachineNetwork>(found, id) else {
                    return Ok(());
                };
                let to = format!("network.{name}");
                writing.declared.networks.insert(id.name.clone(), to);
                let own = body.own.iter().flat_map(|own| &own.dhcp);
                let leases = own.map(|(mac, lease)| (mac.clone(), lease.address));
                writing.declared.leases.extend(leases);
                Some(generate::machine_network(name, &body, &writing.declared))
            }
            ("libvirt", "pool") => body(found, id).map(|body: Pool| {
                let to = format!("pool.{name}");
                writing.declared.pools.insert(id.name.clone(), to);
                generate::pool(name, &body)
            }),
            ("libvirt", "volume") => {
                body(found, id).map(|body: DiskVolume| self.disk(name, &body, writing))
            }
            ("libvirt", "domain") => {
                let Some(body) = body::<Machine>(found, id) else {
                    return Ok(());
                };
                let nics = body.interfaces.iter();
                let networks = nics.map(|nic| network(id, &nic.network)).collect();
                self.write_those(world, networks, writing).await?;
                Some(generate::machine(name, &body, &writing.declared))
            }
            _ => return Err(by_hand(id, "of its kind no declaration is written")),
        };
        writing.blocks.extend(block);
        Ok(())
    }

    /// Pools of the root module, by libvirt's names.
    fn pools(&self) -> BTreeMap<String, String> {
        let declared = &self.configuration.declared;
        let names = (&declared.names, &self.prior().made_as);
        let pools = declared.pools.values();
        let root = pools.filter(|pool| !pool.address.as_str().starts_with("module."));
        let name = |pool: &declared::Pool| match &pool.place {
            Place::Existing(name) => name.value.clone(),
            Place::Path(_) | Place::VolumeGroup(_) => called(self.project(), &pool.address, names),
        };
        root.map(|pool| (name(pool), pool.address.to_string()))
            .collect()
    }

    /// A disk, and its pool where nothing declares that: it stays whose it is.
    fn disk(&self, name: &str, body: &DiskVolume, writing: &mut Writing) -> Block {
        let pool = &body.volume.pool;
        let own = *pool == pool_name(self.project());
        if !own && !writing.declared.pools.contains_key(pool) {
            let label = label(pool);
            let to = format!("pool.{label}");
            writing.declared.pools.insert(pool.clone(), to);
            writing.blocks.push(generate::existing_pool(&label, pool));
        }
        let to = writing.declared.pools.get(pool).map(String::as_str);
        let logical = body.allocation == Allocation::Full;
        generate::disk_volume(name, body, to, logical)
    }

    /// Networks and volumes that a container stands on and nothing declares: each with its own `import`.
    async fn write_beneath(
        &self,
        world: &World,
        container: &ResourceId,
        body: &Container,
        writing: &mut Writing,
    ) -> Result<(), Stop> {
        let volumes = body.mounts.values().filter_map(|mount| match mount {
            Mount::Volume { source, .. } => Some(source),
            Mount::Bind { .. } | Mount::Tmpfs { .. } => None,
        });
        let id = |kind, name: &String| ResourceId::new(&container.host, "docker", kind, name);
        let volumes = volumes.map(|name| id("volume", name));
        let networks = body.networks.keys().map(|name| id("network", name));
        self.write_those(world, volumes.chain(networks).collect(), writing)
            .await
    }

    /// Those that nothing declares.
    async fn write_those(
        &self,
        world: &World,
        mut ids: BTreeSet<ResourceId>,
        writing: &mut Writing,
    ) -> Result<(), Stop> {
        ids.retain(|id| match id.kind.as_str() {
            "volume" => !writing.declared.volumes.contains_key(&id.name),
            _ => !writing.declared.networks.contains_key(&id.name),
        });
        let found = self.look(world, ids.clone()).await?;
        for id in &ids {
            let name = label(&id.name);
            let to = format!("{}.{name}", id.kind);
            let before = writing.blocks.len();
            Box::pin(self.write(world, id, &found, &name, writing)).await?;
            if writing.blocks.len() > before {
                writing.blocks.push(generate::import(&to, &id.name));
            }
        }
        Ok(())
    }
}

/// A machine's network.
fn network(machine: &ResourceId, name: &str) -> ResourceId {
    ResourceId::new(&machine.host, "libvirt", "network", name)
}

fn by_hand(id: &ResourceId, why: &str) -> Stop {
    Stop::error(format!("writing a declaration of {id}"), why)
        .hint("declare it by hand, then import it")
}

/// What an object without a mark is.
fn body<T: DeserializeOwned>(found: &BTreeMap<ResourceId, Observed>, id: &ResourceId) -> Option<T> {
    match found.get(id) {
        Some(Observed::Foreign {
            unmarked: Some(found),
            ..
        }) => serde_json::from_value(found.body.clone().ok()?).ok(),
        _ => None,
    }
}
