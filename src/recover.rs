//! What the state would say, read back from what is there: who stands on what, and where workloads run.

mod places;

use std::collections::{BTreeMap, BTreeSet};

use infra_api::target::VolumeRef;
use infra_api::{Address, HostName, Observed, ResourceId};
use infra_lang::Evaluation;
use infra_plan::{Outcome, Record};
use serde::Deserialize;
use serde_json::Value;

pub use places::placements;

/// Finds what each object stands on: of what is there on its host, what its id and body name.
pub fn edges(resources: &mut BTreeMap<ResourceId, Record>) {
    let ids: BTreeSet<ResourceId> = resources.keys().cloned().collect();
    let there = There::new(ids.iter());
    for (id, record) in resources.iter_mut() {
        record.after = there.under(id, &record.body);
    }
}

/// What the state says, and of what it knows nothing what was found: an apply was cut off, or the state was lost. So
/// that everything is removed before what it stands on.
#[must_use]
pub fn completed(mut state: Outcome, observed: &BTreeMap<ResourceId, Observed>) -> Outcome {
    let mut found: BTreeMap<ResourceId, Record> = observed
        .iter()
        .filter_map(|(id, found)| Some((id.clone(), record(found)?)))
        .collect();
    edges(&mut found);
    for (id, record) in found {
        state.resources.entry(id).or_insert(record);
    }
    state
}

fn record(found: &Observed) -> Option<Record> {
    match found {
        Observed::Present { address, body } => Some(Record {
            address: address.clone(),
            body: body.clone(),
            after: Vec::new(),
            prevent_destroy: false,
            imported: None,
            unready: false,
        }),
        _ => None,
    }
}

/// The pool a volume is in: its name is `POOL/NAME`. A container engine's volume is in none.
#[must_use]
pub fn pool_of(volume: &ResourceId) -> Option<ResourceId> {
    let (pool, _) = volume.name.split_once('/')?;
    Some(sibling(volume, "pool", pool))
}

/// The volume a disk began as a copy of.
fn backing(disk: &ResourceId, body: &Value) -> Option<ResourceId> {
    let backing = VolumeRef::deserialize(body.get("backing")?).ok()?;
    let name = format!("{}/{}", backing.pool, backing.name);
    Some(sibling(disk, "volume", &name))
}

/// The containers' network whose bridge a network of machines without one of its own is on.
fn lender(network: &ResourceId, body: &Value) -> Option<ResourceId> {
    let borrows = network.provider == "libvirt" && body.get("own").is_none();
    borrows.then(|| ResourceId::new(&network.host, "docker", "network", &network.name))
}

fn sibling(id: &ResourceId, kind: &str, name: &str) -> ResourceId {
    ResourceId::new(&id.host, &id.provider, kind, name)
}

/// What is there to stand on, by the daemon that has it and the name it has in bodies.
pub struct There<'a> {
    ids: BTreeSet<&'a ResourceId>,
    named: BTreeMap<(&'a HostName, &'a str, &'a str), Vec<&'a ResourceId>>,
}

impl<'a> There<'a> {
    pub fn new(ids: impl Iterator<Item = &'a ResourceId>) -> Self {
        let ids: BTreeSet<&ResourceId> = ids.filter(|id| !is_workload(id)).collect();
        let mut named: BTreeMap<_, Vec<&ResourceId>> = BTreeMap::new();
        for id in &ids {
            let key = (&id.host, named_by(id), name_in_bodies(id));
            named.entry(key).or_default().push(id);
        }
        Self { ids, named }
    }

    /// What an object with this body stands on, in order.
    #[must_use]
    pub fn under(&self, id: &ResourceId, body: &Value) -> Vec<ResourceId> {
        let under = match id.kind.as_str() {
            "pool" | "image" | "files" | "package" | "slice" | "mount" => Vec::new(),
            "network" => lender(id, body).into_iter().collect(),
            "volume" => pool_of(id).into_iter().chain(backing(id, body)).collect(),
            _ => return self.named(id, &[body]),
        };
        self.of_these(under)
    }

    /// What an object stands on for these parts of its body alone, in order.
    #[must_use]
    pub fn under_parts(&self, id: &ResourceId, parts: &[&Value]) -> Vec<ResourceId> {
        let has = |key: &str| parts.iter().any(|part| part.get(key).is_some());
        let whole = parts.iter().any(|part| part.as_str() == Some(&id.name));
        match id.kind.as_str() {
            // What makes it a borrower is what it lacks: that is seen only where all of it is there.
            "network" if whole && !has("subnet") => {
                self.of_these(lender(id, &Value::Null).into_iter().collect())
            }
            _ if is_workload(id) => self.named(id, parts),
            _ => Vec::new(),
        }
    }

    fn of_these(&self, mut ids: Vec<ResourceId>) -> Vec<ResourceId> {
        ids.retain(|id| self.ids.contains(id));
        ids
    }

    /// All that a workload's body names.
    fn named(&self, id: &ResourceId, parts: &[&Value]) -> Vec<ResourceId> {
        let mut words = BTreeSet::new();
        parts.iter().for_each(|part| strings(part, &mut words));
        let found = words
            .into_iter()
            .filter_map(|word| self.named.get(&(&id.host, id.provider.as_str(), word)))
            .flatten();
        let found: BTreeSet<&ResourceId> = found.copied().collect();
        found.into_iter().cloned().collect()
    }
}

fn is_workload(id: &ResourceId) -> bool {
    !matches!(
        id.kind.as_str(),
        "pool" | "image" | "network" | "volume" | "files" | "package" | "slice" | "mount"
    )
}

/// The daemon whose bodies name it: units run from software.
fn named_by(id: &ResourceId) -> &str {
    match id.provider.as_str() {
        "software" => "systemd",
        provider => provider,
    }
}

/// A volume in a pool is named without it; an image's reference holds slashes of its own.
fn name_in_bodies(id: &ResourceId) -> &str {
    let in_pool = (id.kind == "volume").then(|| id.name.split_once('/'));
    in_pool.flatten().map_or(&id.name, |(_, name)| name)
}

fn strings<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::String(text) => {
            found.insert(text);
        }
        Value::Array(items) => items.iter().for_each(|v| strings(v, found)),
        Value::Object(members) => {
            for (key, value) in members {
                found.insert(key);
                strings(value, found);
            }
        }
        _ => {}
    }
}

/// Whether the declaration of an object says that it must not be destroyed.
#[must_use]
pub fn prevents_destroy(evaluation: &Evaluation, address: &Address) -> bool {
    let declared = address.as_str().parse().ok();
    let instance = declared.and_then(|address| evaluation.instance(&address));
    instance.is_some_and(|i| i.lifecycle.prevent_destroy)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_unit_stands_on_what_it_runs_from() {
        let id = |provider, kind, name| ResourceId::new(&HostName::new("r1"), provider, kind, name);
        let under = [
            id("software", "files", "demo.feed/00ff"),
            id("software", "package", "redis"),
            id("systemd", "mount", "srv-data"),
            id("systemd", "slice", "infra-demo.desk"),
        ];
        let others = [
            id("software", "package", "nginx"),
            id("software", "files", "demo.feed/ffff"),
        ];
        let there = There::new(under.iter().chain(&others));
        let body = json!({
            "name": "demo.feed", "current": "demo.feed/00ff", "packages": { "redis": "1" },
            "slice": "infra-demo.desk", "mounts": { "/srv/data": "srv-data" },
        });
        let unit = id("systemd", "unit", "demo.feed");
        assert_eq!(there.under(&unit, &body), under);
        assert_eq!(there.under(&under[0], &json!({})), []);
    }

    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use infra_api::{Project, names};
    use infra_lang::{Files, GivenValues, Memory, Mode};
    use serde_json::json;

    use infra_api::IdSet;

    use crate::declared::Declared;

    use super::*;
    use crate::configuration::Source;

    fn record(address: &str, body: Value) -> Record {
        Record {
            address: Address::new(address),
            body: body.into(),
            after: Vec::new(),
            prevent_destroy: false,
            imported: None,
            unready: false,
        }
    }

    fn project(objects: &[(&str, Value)]) -> BTreeMap<ResourceId, Record> {
        let object =
            |(id, body): &(&str, Value)| (id.parse().unwrap(), record("x.y", body.clone()));
        objects.iter().map(object).collect()
    }

    fn after(resources: &BTreeMap<ResourceId, Record>, id: &str) -> Vec<String> {
        let record = &resources[&id.parse().unwrap()];
        record.after.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_a_borrowed_bridge_stands_on_its_lender() {
        let network = json!({"name": "demo.lan", "bridge": "br-1"});
        let own = json!({"name": "demo.own", "bridge": "br-2", "own": {"subnet": "10.0.0.0/24"}});
        let mut there = project(&[
            ("r1/docker/network/demo.lan", network.clone()),
            ("r1/docker/network/demo.own", network.clone()),
            ("r2/docker/network/demo.lan", network.clone()),
            ("r1/libvirt/network/demo.lan", network.clone()),
            ("r1/libvirt/network/demo.own", own),
            ("r1/libvirt/network/demo.alone", network),
        ]);
        edges(&mut there);
        assert_eq!(
            after(&there, "r1/libvirt/network/demo.lan"),
            ["r1/docker/network/demo.lan"]
        );
        let others = there.iter().filter(|(_, record)| !record.after.is_empty());
        assert_eq!(others.count(), 1);
    }

    #[test]
    fn a_disk_stands_on_its_pool_and_on_what_it_began_as() {
        let disk = |name: &str| json!({"volume": {"pool": "p", "name": name}});
        let mut copy = disk("copy");
        copy["backing"] = json!({"pool": "p", "name": "base"});
        let mut there = project(&[
            ("r1/libvirt/pool/p", json!({"name": "p", "path": "/p"})),
            (
                "r1/libvirt/pool/base",
                json!({"name": "base", "path": "/base"}),
            ),
            ("r1/libvirt/volume/p/base", disk("base")),
            ("r1/libvirt/volume/p/copy", copy),
            // Text that is another's name says nothing.
            ("r1/libvirt/volume/p/seed", json!({"user_data": "copy"})),
            ("r1/docker/volume/p", json!({"name": "p"})),
        ]);
        edges(&mut there);
        let pool = "r1/libvirt/pool/p";
        let base = "r1/libvirt/volume/p/base";
        assert_eq!(after(&there, base), [pool]);
        assert_eq!(after(&there, "r1/libvirt/volume/p/copy"), [pool, base]);
        assert_eq!(after(&there, "r1/libvirt/volume/p/seed"), [pool]);
        assert!(after(&there, "r1/docker/volume/p").is_empty());
    }

    #[test]
    fn a_workload_stands_on_what_its_daemon_has_of_what_it_names() {
        let machine = json!({
            "disks": [{"volume": {"pool": "p", "name": "data"}}],
            "interfaces": [{"network": "demo.lan"}],
        });
        let container = json!({"image": "a/b@sha256:1", "networks": {"demo.lan": {}}});
        let mut there = project(&[
            ("r1/docker/image/a/b@sha256:1", json!({})),
            ("r1/docker/network/demo.lan", json!({})),
            ("r1/libvirt/network/demo.lan", json!({})),
            ("r1/libvirt/volume/p/data", json!({})),
            ("r1/docker/container/demo.c", container),
            ("r1/libvirt/domain/demo.m", machine),
        ]);
        edges(&mut there);
        assert_eq!(
            after(&there, "r1/docker/container/demo.c"),
            ["r1/docker/image/a/b@sha256:1", "r1/docker/network/demo.lan"]
        );
        assert_eq!(
            after(&there, "r1/libvirt/domain/demo.m"),
            ["r1/libvirt/network/demo.lan", "r1/libvirt/volume/p/data"]
        );
    }

    #[test]
    fn twice_the_objects_take_twice_the_time() {
        let object = |n: usize| {
            let id = format!("r1/libvirt/volume/p/{n}.qcow2").parse().unwrap();
            let volume = json!({"volume": {"pool": "p", "name": format!("{n}.qcow2")}});
            (id, record("x.y", volume))
        };
        let mut many: BTreeMap<ResourceId, Record> = (0..10_000).map(object).collect();
        let begun = Instant::now();
        edges(&mut many);
        // Looking at all pairs takes 100 million looks.
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    fn declared(files: &[(&str, &str)]) -> Declared {
        let files = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).into()));
        let files: Arc<dyn Files> = Arc::new(Memory(files.collect()));
        let given = GivenValues::default();
        let found = Source::read(&files, "demo").evaluate(
            &given,
            Mode::Plan,
            &BTreeMap::new(),
            &mut str::to_owned,
        );
        assert!(!found.diagnostics.has_errors(), "{:?}", found.diagnostics);
        found.declared
    }

    #[test]
    fn addresses_are_found_in_counted_networks_and_those_of_modules() {
        let main = r#"
            module "m" { source = "./m" }
            network "n" {
              count  = 2
              subnet = "10.0.${count.index}.0/24"
            }
            workload "w" {
              interface "a" { network = network.n[0] }
              interface "b" { network = network.n[1] }
              interface "c" { network = module.m.lan }
              container { image = "registry.example/a:1" }
            }"#;
        let module = r#"
            network "lan" { subnet = "10.1.0.0/24" }
            output "lan" { value = network.lan }"#;
        let declared = declared(&[("main.infra.hcl", main), ("m/main.infra.hcl", module)]);
        let networks = ["network.n[0]", "network.n[1]", "module.m.network.lan"];
        let mut there = BTreeMap::new();
        let mut container = container(None);
        for (n, address) in networks.iter().enumerate() {
            let name = names::object(&Project::new("demo"), &Address::new(*address));
            container["networks"][&name] = json!({"address": format!("10.9.9.{n}")});
            let id = ResourceId::new(&HostName::new("r1"), "docker", "network", &name);
            there.insert(id, record(address, json!({})));
        }
        there.insert(
            "r1/docker/container/demo.w".parse().unwrap(),
            record("workload.w", container),
        );
        let found = &placements(&there, &declared)[&Address::new("workload.w")].addresses;
        let found: Vec<String> = found.iter().map(|(l, a)| format!("{l} {a}")).collect();
        assert_eq!(found, ["a 10.9.9.0", "b 10.9.9.1", "c 10.9.9.2"]);
    }

    fn container(memory_nodes: Option<&str>) -> Value {
        json!({
            "name": "demo.w", "image": "x", "state": "running", "hostname": "w",
            "networks": {}, "cpus": "4-5", "memory_bytes": 64, "memory_nodes": memory_nodes,
        })
    }

    fn machine(memory_nodes: Option<&str>) -> Value {
        json!({
            "name": "demo.w", "uuid": "x", "state": "running", "acceleration": "kvm", "vcpus": 2,
            "vcpu_pins": {"0": "4", "1": "5"}, "memory_bytes": 64, "memory_nodes": memory_nodes,
            "boot": {"type": "disk"}, "autostart": false,
        })
    }

    #[test]
    fn all_nodes_are_found_again() {
        for (id, body) in [
            ("r1/docker/container/demo.w", container as fn(_) -> _),
            ("r1/libvirt/domain/demo.w", machine),
        ] {
            let cells = |nodes| {
                let there = BTreeMap::from([(id.parse().unwrap(), record("x.w", body(nodes)))]);
                let found = placements(&there, &Declared::default());
                found[&Address::new("x.w")].clone()
            };
            let place = cells(Some("0-1,3"));
            assert_eq!(place.nodes(), IdSet::from([0, 1, 3]), "{id}");
            assert_eq!(place.cells.len(), 3);
            let memory: Vec<u64> = place.cells.iter().map(|c| c.memory_bytes).collect();
            assert_eq!(memory, [64, 0, 0]);
            assert!(place.cells.iter().all(|c| c.cpus == IdSet::from([4, 5])));
            assert_eq!(cells(None).cells.len(), 1);
            assert_eq!(cells(None).nodes(), IdSet::new());
        }
    }

    /// Else it would be placed anew, and moved.
    #[test]
    fn a_process_on_the_metal_is_found_where_it_runs() {
        let text = r#"workload "w" {
            cpus {
                count  = 2
                policy = "dedicated"
            }
            bare_metal { exec = ["/bin/true"] }
        }"#;
        let declared = declared(&[("main.infra.hcl", text)]);
        let body = json!({"name": "demo.w", "state": "running", "exec": ["/bin/true"], "limits": {},
            "place": {"cpus": "6-7", "memory_nodes": "1"},
            "addresses": {"lan": {"device": "br-x", "address": "10.0.0.7/24"}}});
        let id = "r1/systemd/unit/demo.w".parse().unwrap();
        let there = BTreeMap::from([(id, record("workload.w", body))]);
        let place = &placements(&there, &declared)[&Address::new("workload.w")];
        assert_eq!(place.runtime, infra_api::Runtime::BareMetal);
        assert_eq!(
            (place.cells[0].node, place.cpus()),
            (Some(1), IdSet::from([6, 7]))
        );
        assert_eq!(place.cells[0].vcpus[1].cpu, Some(7));
        assert_eq!(place.addresses["lan"].to_string(), "10.0.0.7");
    }

    /// What the guest sees is how it was placed: it stays as it is.
    #[test]
    fn a_machines_cells_are_found_again() {
        let mut body = machine(Some("0-1"));
        body["memory_bytes"] = json!(48 << 20);
        body["cells"] = json!([
            {"vcpus": "0", "memory_bytes": 16 << 20, "nodes": "0", "page_size_bytes": 2 << 20},
            {"vcpus": "1", "memory_bytes": 32 << 20, "nodes": "1"},
        ]);
        let id = "r1/libvirt/domain/demo.w".parse().unwrap();
        let text = r#"workload "w" {
            cpus { policy = "dedicated" }
            numa {
                cell {
                    cpus = 1
                    memory = "16MiB"
 }
                cell {
                    cpus = 1
                    memory = "32MiB"
 }
            }
            kvm {}
        }"#;
        let declared = declared(&[("main.infra.hcl", text)]);
        let there = BTreeMap::from([(id, record("workload.w", body))]);
        let place = &placements(&there, &declared)[&Address::new("workload.w")];
        let cell = |n: usize| {
            let cell = &place.cells[n];
            (
                cell.node,
                cell.cpus.clone(),
                cell.memory_bytes,
                cell.page_size_bytes,
            )
        };
        assert_eq!(
            cell(0),
            (Some(0), IdSet::from([4]), 16 << 20, Some(2 << 20))
        );
        assert_eq!(cell(1), (Some(1), IdSet::from([5]), 32 << 20, None));
        assert_eq!(place.cells[1].vcpus[0].id, 1);
    }
}
