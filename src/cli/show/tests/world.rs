//! A small made-up world to plan on: what is wanted, what is there, what is recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use infra_api::{
    Address, Cell, CpuPolicy, Facts, HostName, Impact, Observed, Placement, Project, Resource,
    ResourceId, Runtime, Tier, Vcpu,
};
use infra_plan::{Basis, Desired, Inputs, Outcome, Output, Plan, Record, assemble};
use serde_json::{Value, json};

use super::{ids, on, refusal, ruled_out};
use crate::choose::{Choice, Hosts, Possible, RuledOut};
use crate::cli::show::PlanView;
use crate::decide::Decision;
use crate::declared::Host;
use crate::inventory::Inventory;
use crate::placing::{Constraint, PassedOver, Refused};

pub(super) struct World {
    pub(super) project: Project,
    desired: Vec<Desired>,
    observed: BTreeMap<ResourceId, Observed>,
    state: Outcome,
    result: Outcome,
    pub(super) decision: Decision,
    pub(super) inventory: Inventory,
    destroy: bool,
}

/// `docker/container/demo.cache` on r1.
pub(super) fn id(text: &str) -> ResourceId {
    format!("r1/{text}").parse().unwrap()
}

pub(super) fn container(name: &str, cpus: &str) -> Value {
    let mut body = json!({
        "name": name, "image": "infra/demo/cache:0123456789abcdef", "state": "running", "hostname": "cache",
        "security": {"drop": ["MKNOD", "NET_RAW"], "no_new_privileges": true},
        "command": ["memcached", "-u", "memcache", "-m", "48"],
        "env": {"MODE": "fast and safe", "TOKEN": {"$secret": "hmac-sha256:1"}},
        "ports": [{"host": 11211, "container": 11211, "protocol": "tcp"}],
        "mounts": {"/data": {"type": "volume", "source": "demo.cache.data", "read_only": false}},
        "networks": {"demo.lan": {"address": "10.77.0.10"}},
        "memory_bytes": 64 << 20,
    });
    if !cpus.is_empty() {
        body["cpus"] = json!(cpus);
    }
    body
}

pub(super) fn machine(cpus: &str) -> Value {
    let volume = |name: &str| json!({"pool": "infra-demo", "name": name});
    json!({
        "name": "demo.web", "uuid": "u", "state": "running", "acceleration": "emulated", "vcpus": 1,
        "vcpu_pins": {"0": cpus}, "emulator_pin": "0", "memory_bytes": 256 << 20,
        "boot": {"type": "kernel", "kernel": volume("image.web.kernel")},
        "seed": volume("demo.web.seed.iso"),
        "interfaces": [{"mac": "52:54:00:00:00:01", "network": "demo.lan", "address": "10.77.0.20"}],
        "autostart": false,
    })
}

pub(super) fn seed(user_data: &str) -> Value {
    json!({
        "volume": {"pool": "infra-demo", "name": "demo.web.seed.iso"},
        "meta_data": "instance-id: u\n", "user_data": user_data,
    })
}

pub(super) fn placement(
    runtime: Runtime,
    host: &str,
    dedicated: bool,
    cpus: &str,
    mebibytes: u64,
    address: &str,
) -> Placement {
    let cpus = ids(cpus);
    let vcpu = |(id, cpu)| Vcpu {
        id,
        cpu: dedicated.then_some(cpu),
    };
    Placement {
        runtime,
        with: infra_api::Settings::NONE,
        needs: infra_api::Needs::default(),
        host: HostName::new(host),
        policy: if dedicated {
            CpuPolicy::Dedicated
        } else {
            CpuPolicy::Shared
        },
        cells: vec![Cell {
            node: None,
            vcpus: (0..).zip(cpus.iter()).map(vcpu).collect(),
            cpus,
            memory_bytes: mebibytes << 20,
            page_size_bytes: None,
        }],
        helpers: BTreeMap::new(),
        devices: Vec::new(),
        addresses: BTreeMap::from([("lan".to_owned(), address.parse().unwrap())]),
        tiers: vec![Tier {
            name: "moves".to_owned(),
            cost: 0,
        }],
    }
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            project: Project::new("demo"),
            desired: Vec::new(),
            observed: BTreeMap::new(),
            state: Outcome::default(),
            result: Outcome::default(),
            decision: Decision::default(),
            inventory: Inventory::default(),
            destroy: false,
        }
    }

    pub(super) fn want(&mut self, address: &str, name: &str, body: Value) {
        let resource = Resource {
            id: id(name),
            address: Address::new(address),
            body: body.into(),
            source: None,
            after: Vec::new(),
        };
        self.desired.push(Desired {
            resource,
            prevent_destroy: false,
            create_before_destroy: false,
            timeouts: infra_plan::Timeouts::default(),
            until_ready: false,
            stopped_when: None,
            ignore_changes: Vec::new(),
            migration: None,
        });
    }

    fn last(&mut self) -> &mut Resource {
        &mut self.desired.last_mut().unwrap().resource
    }

    pub(super) fn source(&mut self, path: &str) {
        self.last().source = Some(PathBuf::from(path));
    }

    pub(super) fn after(&mut self, needed: &[ResourceId]) {
        self.last().after = needed.to_vec();
    }

    pub(super) fn on_host(&mut self, host: &str) {
        let last = self.last();
        last.id = on(host, &last.id);
    }

    /// Where a workload will run; `forms` are the runtimes it is given for.
    pub(super) fn run(&mut self, address: &str, placement: Placement, forms: &[Runtime]) {
        let address = Address::new(address);
        let host = placement.host.clone();
        let mut choice = Choice {
            workload: address.clone(),
            possible: [possible(placement.runtime, &host)].into(),
            ruled_out: [].into(),
            named: false,
            anew: false,
            suited: None,
        };
        for runtime in Runtime::ALL.into_iter().filter(|r| !forms.contains(r)) {
            let why = format!(
                "it is not given as one: it has no `{}` block",
                runtime.word()
            );
            let out = ruled_out(runtime, host.as_str(), "form", &why);
            also(&mut choice, out);
        }
        self.decision.choices.insert(address.clone(), choice);
        self.decision
            .placed
            .placements
            .insert(address.clone(), placement.clone());
        self.result.workloads.insert(address, placement);
    }

    fn choice(&mut self, address: &str) -> &mut Choice {
        let choices = &mut self.decision.choices;
        choices.get_mut(&Address::new(address)).unwrap()
    }

    pub(super) fn named(&mut self, address: &str) {
        self.choice(address).named = true;
    }

    pub(super) fn prefer_not(&mut self, address: &str, runtime: Runtime, why: &str) {
        let host = self.choice(address).candidates().next().unwrap().host;
        let out = ruled_out(runtime, host.as_str(), "offered", why);
        also(self.choice(address), out);
    }

    pub(super) fn pass_over(
        &mut self,
        address: &str,
        runtime: Runtime,
        host: &str,
        constraint: Constraint,
    ) {
        let host = HostName::new(host);
        let choice = self.choice(address);
        let own = choice.candidates().last().unwrap();
        let before = std::iter::once(possible(runtime, &host));
        choice.possible = before.chain(choice.possible.iter().cloned()).collect();
        let passed_over = &mut self.decision.placed.passed_over;
        let address = Address::new(address);
        let known = passed_over.get(&address).map(PassedOver::refusals);
        let mut all = known.unwrap_or_default().to_vec();
        all.push(refusal(runtime, host.as_str(), constraint));
        let count = all.len();
        let passed = PassedOver::new(all.into(), count, (own.variant, own.host));
        passed_over.extend(passed.map(|passed| (address, passed)));
    }

    /// The last candidate has no room either.
    pub(super) fn refuse(&mut self, address: &str) {
        let address = Address::new(address);
        let placed = &mut self.decision.placed;
        let placement = placed.placements.remove(&address).unwrap();
        self.result.workloads.remove(&address);
        let passed_over = placed.passed_over.remove(&address);
        let passed_over = passed_over.as_ref().map(PassedOver::refusals);
        let mut refused = passed_over.unwrap_or_default().to_vec();
        let full = Constraint::Memory {
            need: 4 << 30,
            have: 1 << 30,
            nodes: None,
        };
        refused.push(refusal(placement.runtime, placement.host.as_str(), full));
        placed.refused.push(Refused {
            workload: address,
            refused: refused.into(),
        });
    }

    pub(super) fn ran(&mut self, address: &str, placement: Placement) {
        self.state
            .workloads
            .insert(Address::new(address), placement);
    }

    pub(super) fn pin(&mut self, address: &str, cpus: &str) {
        let placement = self.result.workloads.get_mut(&Address::new(address));
        placement.unwrap().cells[0].cpus = ids(cpus);
    }

    pub(super) fn output(&mut self, name: &str, value: Value) {
        let output = Output {
            value: Some(value),
            digest: None,
        };
        self.result.outputs.insert(name.to_owned(), output);
    }

    pub(super) fn secret_output(&mut self, name: &str, digest: &str) {
        let output = Output {
            value: None,
            digest: Some(digest.to_owned()),
        };
        self.result.outputs.insert(name.to_owned(), output);
    }

    pub(super) fn host(&mut self, name: &str, cpus: u32) {
        let host = Host {
            name: HostName::new(name),
            ..Host::local()
        };
        let ids: infra_api::IdSet = (0..cpus).collect();
        let facts: Facts = serde_json::from_value(json!({
            "format_version": "1.0",
            "cpus": {"online": ids, "present": ids, "possible": ids, "offline": "", "list": []},
        }))
        .unwrap();
        let hosts = BTreeMap::from([(host.name.clone(), host.clone())]);
        let facts = BTreeMap::from([(host.name, facts)]);
        let (inventory, _) = Inventory::new(&hosts, facts, &self.project);
        self.inventory.hosts.extend(inventory.hosts);
    }

    /// As it is after an apply.
    pub(super) fn applied(mut self) -> Self {
        self.state = self.plan().result;
        for wanted in &self.desired {
            let found = Observed::Present {
                address: wanted.resource.address.clone(),
                body: wanted.resource.body.clone(),
            };
            self.observed.insert(wanted.resource.id.clone(), found);
        }
        self
    }

    /// The declaration changes.
    pub(super) fn change(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        let wanted = self.desired.iter_mut().find(|d| d.resource.id == id(name));
        change(&mut wanted.unwrap().resource.body);
    }

    /// It is there and recorded, differently.
    pub(super) fn settle(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        let wanted = self.desired.iter().find(|d| d.resource.id == id(name));
        let Resource {
            address, mut body, ..
        } = wanted.unwrap().resource.clone();
        change(&mut body);
        let record = Record {
            address: address.clone(),
            body: body.clone(),
            after: Vec::new(),
            prevent_destroy: false,
            imported: None,
            unready: false,
        };
        self.state.resources.insert(id(name), record);
        self.observed
            .insert(id(name), Observed::Present { address, body });
    }

    /// Somebody changes the world.
    pub(super) fn meddle(&mut self, name: &str, change: impl FnOnce(&mut Value)) {
        if let Some(Observed::Present { body, .. }) = self.observed.get_mut(&id(name)) {
            change(body);
        }
    }

    pub(super) fn lose(&mut self, name: &str) {
        self.observed.remove(&id(name));
    }

    pub(super) fn half_make(&mut self, name: &str, why: &str) {
        let address = self.state.resources[&id(name)].address.clone();
        let why = why.to_owned();
        self.observed
            .insert(id(name), Observed::Partial { address, why });
    }

    pub(super) fn stray(&mut self, address: &str, name: &str) {
        let found = Observed::Present {
            address: Address::new(address),
            body: container("demo.old", "").into(),
        };
        self.observed.insert(id(name), found);
    }

    pub(super) fn forget(&mut self, address: &str) {
        let address = Address::new(address);
        self.desired.retain(|d| d.resource.address != address);
        self.result.workloads.remove(&address);
    }

    pub(super) fn destroy(&mut self) {
        self.destroy = true;
        self.desired.clear();
        self.result = Outcome::default();
    }

    pub(super) fn plan(&self) -> Plan {
        assemble(Inputs {
            project: &self.project,
            basis: Basis::default(),
            state: &self.state,
            desired: self.desired.clone(),
            observed: &self.observed,
            depends_on: &[],
            rolling: &[],
            impact: &impact,
            claims: &|id, address, body, wanted| {
                let side = if wanted { &self.result } else { &self.state };
                crate::lower::claims(id, body, side.workloads.get(address))
            },
            swaps: &|id| id.kind == "container",
            prepared: &|_, _, _| None,
            migrates: &|_, _| Err(Vec::new()),
            replace: &BTreeSet::new(),
            result: self.result.clone(),
            secrets: Vec::new(),
            destroy: self.destroy,
            left: &BTreeSet::new(),
            imported: &BTreeMap::new(),
            in_doubt: &BTreeSet::new(),
        })
        .unwrap()
    }

    pub(super) fn view<'a>(&'a self, plan: &'a Plan) -> PlanView<'a> {
        PlanView {
            project: &self.project,
            plan,
            prior: &self.state,
            decision: (!self.destroy).then_some(&self.decision),
            inventory: Some(&self.inventory),
            concise: false,
        }
    }
}

/// As the real providers have it, in short.
fn impact(id: &ResourceId, edit: &infra_api::Edit<'_>) -> Impact {
    match (id.kind.as_str(), edit.path[0].as_str()) {
        ("container", "cpus" | "memory_bytes" | "networks") | ("domain", "vcpu_pins") => {
            Impact::InPlace
        }
        ("domain", _) => Impact::Restart,
        _ => Impact::Replace,
    }
}

fn possible(runtime: Runtime, host: &HostName) -> Possible {
    Possible {
        variant: runtime.into(),
        added: infra_api::Settings::NONE,
        hosts: Hosts::new([host.clone()]),
    }
}

fn also(choice: &mut Choice, out: RuledOut) {
    let own = choice.ruled_out.iter().cloned();
    choice.ruled_out = own.chain([out]).collect();
}
