//! Declared + inventory → what is wanted on every daemon: the whole decision, pure.

mod before;
mod housekeeping;
mod ignore;

mod objections;
mod order;
mod rolling;

pub use ignore::container_words;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use infra_api::target::KernelSetting;
use infra_api::{
    Address, HostName, ImageTag, Pinned, Placement, Project, Provider, Resource, ResourceId,
    Target, What,
};
use infra_diag::Diagnostics;
use infra_lang::Evaluation;
use infra_plan::{Desired, MadeAs, Record, Rolling, Timeouts, When};
use infra_suitability::Table;

use self::ignore::Part;
use crate::addresses::Addresses;
use crate::check;
use crate::choose::{self, Choice, Chooser, Homes};
use crate::declared::{self, Declared, Stops, Workload};
use crate::inventory::{HostInventory, Inventory};
use crate::lower::{self, FileFacts, main_resource};
use crate::placing::{Arranged, Asked, Held, Placed, Refused};
use crate::refusals;

/// All a decision follows from.
pub struct Inputs<'a> {
    pub project: &'a Project,
    pub evaluation: &'a Evaluation,
    pub declared: &'a Declared,
    pub addresses: &'a Addresses,
    pub inventory: &'a Inventory,
    pub prior: &'a BTreeMap<Address, Placement>,
    pub made_as: &'a MadeAs,
    /// What others have made and is ours now, for which address each.
    pub taken: &'a BTreeMap<ResourceId, Address>,
    /// Bodies as they are recorded.
    pub recorded: &'a BTreeMap<ResourceId, Record>,
    /// What workloads have that are left as they are.
    pub held: &'a [Held],
    /// Where declared volumes are.
    pub homes: &'a Homes,
    pub files: &'a BTreeMap<String, FileFacts>,
    pub pinned: &'a BTreeMap<(HostName, ImageTag), Pinned>,
    pub providers: &'a [Box<dyn Provider>],
    /// So many workloads at most go to better places; none where it was not asked for.
    pub rebalance: Option<usize>,
    /// What these run as is chosen anew.
    pub rechoose: &'a BTreeSet<Address>,
}

/// What was decided, and why.
#[derive(Debug, Default)]
pub struct Decision {
    pub choices: BTreeMap<Address, Choice>,
    /// What they were made by.
    pub table: Arc<Table>,
    pub placed: Placed,
    pub desired: Vec<Desired>,
    /// Declared order between workloads' objects.
    pub depends_on: Vec<(ResourceId, ResourceId)>,
    /// Instances that change in batches.
    pub rolling: Vec<Rolling>,
    /// What tags of images stand for, by `HOST REFERENCE`.
    pub tags: BTreeMap<String, String>,
    pub diagnostics: Diagnostics,
}

/// Decides everything.
#[must_use]
pub fn decide(inputs: &Inputs<'_>) -> Decision {
    let declared = ignore::left(inputs);
    let inputs = &Inputs {
        declared: &declared,
        ..*inputs
    };
    let workloads = &inputs.declared.workloads;
    let choices = choices(workloads, inputs);
    let pairs: Vec<Asked<'_>> = workloads
        .iter()
        .map(|w| (w, &choices[&w.address]))
        .collect();
    let (inventory, prior) = (inputs.inventory, inputs.prior);
    let networks = &inputs.declared.networks;
    let arranged = Arranged::new(&pairs, &[], networks, inventory, prior, inputs.held);
    let mut placed = match inputs.rebalance {
        Some(most) => arranged.rebalanced(most).placed(),
        None => arranged.placed(),
    };
    for (workload, choice) in &pairs {
        if choice.possible.is_empty() {
            placed.refused.push(Refused::by_gates(choice));
        }
        if let Some(placement) = placed.placements.get_mut(&workload.address) {
            placement.addresses = inputs
                .addresses
                .get(&workload.address)
                .cloned()
                .unwrap_or_default();
        }
    }
    let mut decision = Decision {
        table: inputs.declared.table(),
        placed,
        choices,
        diagnostics: ignore::unknown(inputs.evaluation),
        ..Decision::default()
    };
    decision.refusals(workloads, inputs.held);
    let set = set(inputs.declared, &decision.placed.placements);
    decision.lower(&Inputs {
        declared: &set,
        ..*inputs
    });
    let found = check::declared(&check::View {
        project: inputs.project,
        declared: inputs.declared,
        inventory: inputs.inventory,
        placements: &decision.placed.placements,
        taken: inputs.taken,
    });
    decision.diagnostics.extend(found);
    let one_at_a_time = before::refused(inputs.evaluation, &decision.placed.placements);
    decision.diagnostics.extend(one_at_a_time);
    decision
}

/// The declarations with the settings that were added where each is placed.
fn set<'a>(declared: &'a Declared, placements: &BTreeMap<Address, Placement>) -> Cow<'a, Declared> {
    let mut set = Cow::Borrowed(declared);
    for (index, workload) in declared.workloads.iter().enumerate() {
        let placement = placements.get(&workload.address);
        if let Some(placement) = placement.filter(|p| !p.with.is_empty()) {
            let with = choose::with(workload, placement.runtime, placement.with);
            set.to_mut().workloads[index] = with;
        }
    }
    set
}

fn choices(workloads: &[Workload], inputs: &Inputs<'_>) -> BTreeMap<Address, Choice> {
    let mut chooser = Chooser::new(workloads, inputs.inventory, inputs.homes, inputs.declared);
    // A better one is taken where it is asked for, and where another is needed than the one it was chosen by.
    let anew = |w: &Workload| {
        let before = inputs.prior.get(&w.address);
        let another = before.is_some_and(|before| before.needs != w.suits.needs);
        another || inputs.rechoose.contains(&w.address)
    };
    let choice = |w: &Workload| {
        let choice = Choice {
            anew: anew(w),
            ..chooser.choose(w)
        };
        (w.address.clone(), choice)
    };
    workloads.iter().map(choice).collect()
}

/// Places everything as [`decide`] does, and looks at what led to it; `others` are workloads that are asked about and
/// not placed.
pub fn look<T>(
    inputs: &Inputs<'_>,
    others: &[Workload],
    look: impl FnOnce(&Arranged<'_>, &[Asked<'_>], &[Asked<'_>]) -> T,
) -> T {
    let declared = ignore::left(inputs);
    let (own, more) = (
        choices(&declared.workloads, inputs),
        choices(others, inputs),
    );
    let own: Vec<Asked<'_>> = (declared.workloads.iter())
        .map(|w| (w, &own[&w.address]))
        .collect();
    let more: Vec<Asked<'_>> = others.iter().map(|w| (w, &more[&w.address])).collect();
    let others: Vec<&Workload> = others.iter().collect();
    let (inventory, prior) = (inputs.inventory, inputs.prior);
    let networks = &declared.networks;
    let arranged = Arranged::new(&own, &others, networks, inventory, prior, inputs.held);
    look(&arranged, &own, &more)
}

impl Decision {
    /// What is made anew where a person asks for it by these addresses: of a workload what it runs as, with its
    /// seed. Its data stays, and so does an image that is only filed under its first user. Of anything else all.
    #[must_use]
    pub fn made_anew(
        &self,
        project: &Project,
        names: lower::Names<'_>,
        addresses: &BTreeSet<Address>,
    ) -> BTreeSet<ResourceId> {
        let goes = |resource: &&Resource| {
            let placement = self.placed.placements.get(&resource.address);
            let main = placement.map(|p| main_resource(project, &resource.address, names, p));
            main.is_none_or(|id| id == resource.id || Part::of(resource) == Some(Part::Seed))
        };
        let resources = self.desired.iter().map(|d| &d.resource);
        resources
            .filter(|r| addresses.contains(&r.address))
            .filter(goes)
            .map(|r| r.id.clone())
            .collect()
    }

    fn refusals(&mut self, workloads: &[Workload], held: &[Held]) {
        let held: Vec<&Address> = held.iter().map(|held| &held.address).collect();
        let workloads: BTreeMap<&Address, &Workload> =
            workloads.iter().map(|w| (&w.address, w)).collect();
        let refused = self.placed.refused.iter();
        let refused: Vec<(&Workload, &Refused)> = refused
            .filter_map(|refused| Some((*workloads.get(&refused.workload)?, refused)))
            .collect();
        self.diagnostics
            .extend(refusals::nowhere(&refused, &held, &self.placed.nearest));
    }

    fn lower(&mut self, inputs: &Inputs<'_>) {
        let settings = self.settings(inputs);
        let parents = parents(inputs.inventory, &self.placed.placements);
        let distances = distances(inputs.inventory);
        let (targets, found) = lower::lower(&lower::Inputs {
            project: inputs.project,
            declared: inputs.declared,
            placements: &self.placed.placements,
            made_as: inputs.made_as,
            files: inputs.files,
            pinned: inputs.pinned,
            libvirt: &with_libvirt(inputs.inventory),
            settings: &settings,
            distances: &distances,
            parents: &parents,
            logical: &logical(inputs.inventory),
            taken: inputs.taken,
        });
        self.diagnostics.extend(found);
        let workloads = inputs.declared.workloads.iter();
        let workloads: BTreeMap<&Address, &Workload> = workloads.map(|w| (&w.address, w)).collect();
        for target in &targets {
            let workload = workloads.get(&target.address);
            let against = workload.map(|w| objections::objections(inputs, target, w));
            self.diagnostics.extend(against.into_iter().flatten());
        }
        // Each target goes as its resources come: the two are large, and not needed at once.
        let lenders = lenders(&targets);
        let resources = targets.into_iter().flat_map(|target| {
            let providers = inputs.providers.iter();
            let of = providers.flat_map(|p| p.resources(inputs.project, &target));
            of.collect::<Vec<_>>()
        });
        self.desired = resources
            .map(|r| self.desired_of(on_bridge(r, &lenders), inputs, &workloads))
            .collect();
        self.desired.shrink_to_fit();
        self.on_prepared_hosts();
        for workload in &inputs.declared.workloads {
            self.depends_on(workload, inputs);
        }
        self.rolling = rolling::rolling(
            inputs.declared,
            &self.placed.placements,
            inputs.project,
            inputs.made_as,
        );
    }

    /// What the kernels of hosts are set to.
    fn settings(&mut self, inputs: &Inputs<'_>) -> BTreeMap<HostName, Vec<KernelSetting>> {
        let mut all = housekeeping::settings(
            inputs.inventory,
            &inputs.declared.workloads,
            &self.placed.placements,
            &mut self.diagnostics,
        );
        let order = order::settings(inputs.declared, inputs.inventory, &self.placed.placements);
        for (name, setting) in order {
            all.entry(name).or_default().push(setting);
        }
        for (name, host) in &inputs.inventory.hosts {
            if !host.settings.is_empty() {
                let settings = all.entry(name.clone()).or_default();
                settings.extend(host.settings.iter().cloned());
            }
        }
        all
    }

    /// What runs comes after what its host is prepared with, and goes before that.
    fn on_prepared_hosts(&mut self) {
        let mut settings: BTreeMap<HostName, Vec<ResourceId>> = BTreeMap::new();
        for Desired { resource, .. } in &self.desired {
            if resource.id.provider == "kernel" {
                let host = settings.entry(resource.id.host.clone()).or_default();
                host.push(resource.id.clone());
            }
        }
        // (a network may be one of virtual functions)
        let runs = |id: &ResourceId| {
            matches!(
                id.kind.as_str(),
                "container" | "domain" | "unit" | "network"
            )
        };
        for desired in self.desired.iter_mut().filter(|d| runs(&d.resource.id)) {
            let of = settings.get(&desired.resource.id.host);
            desired
                .resource
                .after
                .extend(of.into_iter().flatten().cloned());
        }
    }

    fn desired_of(
        &self,
        mut resource: Resource,
        inputs: &Inputs<'_>,
        workloads: &BTreeMap<&Address, &Workload>,
    ) -> Desired {
        let instance = resource
            .address
            .as_str()
            .parse()
            .ok()
            .and_then(|a| inputs.evaluation.instance(&a));
        let prevent_destroy = instance.is_some_and(|i| i.lifecycle.prevent_destroy);
        let create_before_destroy = instance.is_some_and(|i| i.lifecycle.create_before_destroy);
        // Mostly it is as it was recorded, and then there is one of the two.
        if let Some(recorded) = inputs.recorded.get(&resource.id) {
            resource.body.share(&recorded.body);
        }
        let workload = workloads.get(&resource.address);
        let ignore_changes = instance.map_or_else(Vec::new, |i| ignore::paths(i, &resource));
        Desired {
            // A body that says when its object is ready is waited for.
            until_ready: resource.body.get("ready").is_some(),
            resource,
            prevent_destroy,
            create_before_destroy,
            timeouts: workload.map(|w| timeouts(w)).unwrap_or_default(),
            stopped_when: workload.and_then(|w| stopped_when(w)),
            ignore_changes,
            migration: workload.and_then(|w| w.migration()),
        }
    }

    fn depends_on(&mut self, workload: &Workload, inputs: &Inputs<'_>) {
        let main = |address: &Address| {
            self.placed.placements.get(address).map(|p| {
                main_resource(
                    inputs.project,
                    address,
                    (&inputs.declared.names, inputs.made_as),
                    p,
                )
            })
        };
        let Some(own) = main(&workload.address) else {
            return;
        };
        let others: Vec<_> = workload
            .depends_on
            .iter()
            .filter_map(main)
            .map(|other| (own.clone(), other))
            .collect();
        self.depends_on.extend(others);
    }
}

fn with_libvirt(inventory: &Inventory) -> BTreeSet<HostName> {
    let hosts = inventory.hosts.iter();
    let with = hosts.filter(|(_, host)| host.facts.libvirt.is_some());
    with.map(|(name, _)| name.clone()).collect()
}

/// How far the nodes of each host are from each other.
fn distances(inventory: &Inventory) -> BTreeMap<HostName, BTreeMap<u32, BTreeMap<u32, u32>>> {
    let of = |host: &HostInventory| {
        let nodes = host.facts.nodes.iter();
        nodes
            .map(|node| (node.id, node.distances.clone()))
            .collect()
    };
    let hosts = inventory.hosts.iter();
    hosts.map(|(name, host)| (name.clone(), of(host))).collect()
}

/// Control groups of containers that are not in the engine's own.
fn parents<'a>(
    inventory: &Inventory,
    placements: &'a BTreeMap<Address, Placement>,
) -> BTreeMap<&'a Address, &'static str> {
    let parent = |(address, placement): (&'a Address, &'a Placement)| {
        let host = inventory.hosts.get(&placement.host)?;
        Some((address, housekeeping::parent(host, placement)?))
    };
    placements.iter().filter_map(parent).collect()
}

/// Pools that are there and whose volumes are logical volumes.
fn logical(inventory: &Inventory) -> BTreeSet<(HostName, String)> {
    let hosts = inventory.hosts.iter();
    let pools = hosts.flat_map(|(name, host)| {
        let pools = host.facts.libvirt.iter().flat_map(|l| &l.pools);
        pools.map(move |pool| (name, pool))
    });
    let logical = pools.filter(|(_, pool)| pool.kind.as_deref() == Some("logical"));
    logical
        .map(|(host, pool)| (host.clone(), pool.name.clone()))
        .collect()
}

fn stopped_when(workload: &Workload) -> Option<When> {
    match &workload.stops {
        Stops::Always => None,
        Stops::Never => Some(When::Never),
        Stops::Within(window) => Some(When::Window {
            window: window.clone(),
        }),
    }
}

fn timeouts(workload: &Workload) -> Timeouts {
    let declared::Timeouts {
        create_ms,
        update_ms,
        delete_ms,
        ready_ms,
    } = workload.timeouts;
    Timeouts {
        create_ms,
        update_ms,
        delete_ms,
        ready_ms,
    }
}

/// The networks of containers.
fn lenders(targets: &[Target]) -> BTreeSet<ResourceId> {
    let lenders = targets.iter().filter_map(|target| match &target.what {
        What::ContainerNetwork(network) => Some(ResourceId::new(
            &target.host,
            "docker",
            "network",
            &network.name,
        )),
        _ => None,
    });
    lenders.collect()
}

/// A network of machines on a bridge that containers' network makes comes after it.
fn on_bridge(mut resource: Resource, lenders: &BTreeSet<ResourceId>) -> Resource {
    let id = &resource.id;
    if (id.provider.as_str(), id.kind.as_str()) == ("libvirt", "network")
        && resource.body.get("own").is_none()
    {
        let lender = ResourceId::new(&id.host, "docker", "network", &id.name);
        resource.after.extend(lenders.get(&lender).cloned());
    }
    resource
}
