//! Which host, and exactly which CPUs, nodes and pages of it: configuration and facts in the words of [`infra_place`],
//! and what it found in those of the plan.

mod affinity;
mod ask;
mod capacity;
mod devices;
mod explain;
mod fleet;
mod forms;
mod rebalance;
mod refusal;
mod served;
mod stand;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::{
    Address, CpuPolicy, HostName, IdSet, Placement, Runtime, Setting, Settings, Variant,
};
use infra_place::{Affinity, Assigned, Effort, Form, Host, Job, Outcome, Stood};

use self::affinity::Scopes;
use self::devices::Wanted;
use self::forms::Forms;
use self::served::Served;
use self::told::Told;
use crate::choose::{self, Choice, Possible};
use crate::declared::{Network, Workload};
use crate::inventory::Inventory;

pub use ask::Held;
pub use capacity::{Capacity, HostCapacity, Left, OnNodes, Pages, Short};
pub(crate) use devices::kind as device_kind;
pub use explain::{Explained, Rival};
pub use infra_place::{Gain, LOCALITY, TIERS};
pub use rebalance::{Improvement, Move};
pub use refusal::{Constraint, HostRefusal, Refused};
pub use told::{PassedOver, names};

/// QEMU's own threads.
const EMULATOR: &str = "emulator";

/// What placing came to.
#[derive(Debug, Default)]
pub struct Placed {
    pub placements: BTreeMap<Address, Placement>,
    /// Candidates that were preferred and did not fit, by workload.
    pub passed_over: BTreeMap<Address, PassedOver>,
    pub refused: Vec<Refused>,
    /// Workloads that ran and go elsewhere so that another has a place, and that other.
    pub made_room: BTreeMap<Address, Address>,
    /// Settings that nobody was given who had none before, so that others have a place.
    pub withdrawn: Settings,
    /// Moves to better places, where that was asked for.
    pub improvements: Vec<Improvement>,
    /// What would make those fit, at most two ways for each; every one was tried.
    pub nearest: BTreeMap<Address, Vec<String>>,
}

/// Places every workload that has a candidate left. `prior` is where they run now: everything that can stays where it
/// is, and moves only where that gets somebody a place who had none. What is `held` is nobody's to get.
#[must_use]
pub fn place(
    workloads: &[(&Workload, &Choice)],
    networks: &BTreeMap<Address, Network>,
    inventory: &Inventory,
    prior: &BTreeMap<Address, Placement>,
    held: &[Held],
) -> Placed {
    Arranged::new(workloads, &[], networks, inventory, prior, held).placed()
}

/// Everything placed, with all that led to it: what may be asked further is asked of this.
pub struct Arranged<'a> {
    fleet: Fleet,
    asked: Vec<Asked<'a>>,
    variants: Vec<Vec<Variant>>,
    jobs: Vec<Job>,
    outcome: Outcome,
    /// Settings that nobody was given who had none before.
    withdrawn: Settings,
    improvements: Vec<infra_place::Improvement>,
    inventory: &'a Inventory,
}

/// What is withdrawn from all, step by step, where somebody has no place: CPUs of one's own, then all that takes of a host.
fn withdrawn() -> [Settings; 2] {
    [[Setting::Pinned].into_iter().collect(), choose::claims()]
}

/// A placement of all without some settings.
struct Tried {
    variants: Vec<Vec<Variant>>,
    jobs: Vec<Job>,
    outcome: Outcome,
    without: Settings,
}

impl Tried {
    /// How many have no place.
    fn refused(&self) -> usize {
        self.outcome.refused.iter().map(|r| r.jobs.len()).sum()
    }
}

impl<'a> Arranged<'a> {
    /// As [`place`] does. `others` are not placed, but may be asked about.
    #[must_use]
    pub fn new(
        workloads: &[Asked<'a>],
        others: &[&Workload],
        networks: &BTreeMap<Address, Network>,
        inventory: &'a Inventory,
        prior: &BTreeMap<Address, Placement>,
        held: &[Held],
    ) -> Self {
        let mut asked: Vec<Asked<'a>> = workloads
            .iter()
            .filter(|(_, c)| !c.possible.is_empty())
            .copied()
            .collect();
        asked.sort_by(|a, b| a.0.address.cmp(&b.0.address));
        let mut declared: Vec<&Workload> = asked.iter().map(|(w, _)| *w).collect();
        declared.extend(others);
        let scopes = Scopes::new(&declared, inventory);
        let wanted = Wanted::new(&declared, prior, held);
        let served = Served::new(&declared, networks, inventory);
        let mut hosts = fleet::hosts(inventory, &scopes, (&wanted, &served));
        hold(&mut hosts, held);
        let fleet = Fleet::new(hosts, scopes, served);
        let mut best = fleet.try_out(&asked, prior, Settings::NONE);
        // What is added for one may be what another has no place without.
        for without in withdrawn() {
            if best.outcome.refused.is_empty() {
                break;
            }
            let tried = fleet.try_out(&asked, prior, without);
            if tried.variants != best.variants && tried.refused() < best.refused() {
                best = tried;
            }
        }
        let Tried {
            variants,
            jobs,
            outcome,
            without,
        } = best;
        Self {
            fleet,
            asked,
            variants,
            jobs,
            outcome,
            withdrawn: without,
            improvements: Vec::new(),
            inventory,
        }
    }

    /// Moves at most so many of those who have a place to better ones.
    #[must_use]
    pub fn rebalanced(mut self, most: usize) -> Self {
        let outcome = std::mem::take(&mut self.outcome);
        let (hosts, effort) = (&self.fleet.hosts, Effort::default());
        (self.outcome, self.improvements) =
            infra_place::rebalance(hosts, &self.jobs, outcome, most, effort);
        self
    }

    /// Where everything goes, and why the rest goes nowhere.
    #[must_use]
    pub fn placed(&self) -> Placed {
        let jobs = (self.jobs.as_slice(), self.variants.as_slice());
        let (asked, outcome) = (&self.asked, &self.outcome);
        let placed = self.fleet.placed(asked, jobs, outcome, self.inventory);
        Placed {
            nearest: self.nearest(),
            withdrawn: self.withdrawn,
            made_room: self.made_room(),
            improvements: self.improvements(),
            ..placed
        }
    }
}

fn hold(hosts: &mut [Host], held: &[Held]) {
    for Held {
        address: _,
        ask,
        placement,
    } in held
    {
        let host = hosts.binary_search_by(|host| host.name.cmp(&placement.host));
        if let Ok(position) = host {
            let host = &mut hosts[position];
            let standing = stand::standing(placement, host, (ask.helpers > 0, usize::MAX));
            infra_place::hold(&host.topology, &mut host.room, ask, &standing);
        }
    }
}

/// As what it could run, the preferred first; as what it runs now before, unless that is chosen anew. `without`: settings
/// that are not added.
fn variants(choice: &Choice, before: Option<&Placement>, without: Settings) -> Vec<Variant> {
    let possible = || choice.possible.iter();
    // Of who runs already nothing is taken, and where nothing else is left of it, it has what was added.
    let plain = |p: &&Possible| p.added.common(without).is_empty();
    let less = before.is_none() && possible().any(|p| plain(&p));
    let kept = possible().filter(|p| !less || plain(p));
    let mut variants: Vec<Variant> = kept.map(|p| p.variant).collect();
    if let Some(before) = before.filter(|_| !choice.anew) {
        let own = before.variant();
        variants.sort_by_key(|v| (*v != own, v.runtime != own.runtime));
    }
    variants
}

/// As which of its variants it stands where it is: as the one it was placed as where that is possible still, else as the
/// first of its runtime; as none where it is to become something else.
fn stands_as(choice: &Choice, variants: &[Variant], before: &Placement) -> Option<usize> {
    let own = before.variant();
    if choice.anew {
        return (variants.first()?.runtime == own.runtime).then_some(0);
    }
    let exact = variants.iter().position(|variant| *variant == own);
    exact.or_else(|| variants.iter().position(|v| v.runtime == own.runtime))
}

/// Whether it has disks where it is. They go with it only where its `host` names another. A machine that moves while it
/// runs and has none of its own is held by nothing.
fn anchored(workload: &Workload, before: &Placement) -> bool {
    let disks = before.runtime == Runtime::Kvm || !workload.disks.is_empty();
    let held = disks && !workload.leaves_nothing_behind();
    held && workload.host.is_none()
}

struct Fleet {
    hosts: Vec<Host>,
    scopes: Scopes,
    served: Served,
    positions: BTreeMap<HostName, u32>,
}

/// A workload, and what it could run as.
pub type Asked<'a> = (&'a Workload, &'a Choice);

impl Fleet {
    fn new(hosts: Vec<Host>, scopes: Scopes, served: Served) -> Self {
        let positions = hosts
            .iter()
            .map(|host| host.name.clone())
            .zip(0..)
            .collect();
        Self {
            hosts,
            scopes,
            served,
            positions,
        }
    }

    fn try_out(
        &self,
        asked: &[Asked<'_>],
        prior: &BTreeMap<Address, Placement>,
        without: Settings,
    ) -> Tried {
        let of = |(w, choice): &Asked<'_>| variants(choice, prior.get(&w.address), without);
        let variants: Vec<Vec<Variant>> = asked.iter().map(of).collect();
        let jobs = self.jobs(asked, &variants, prior);
        let outcome = infra_place::place(&self.hosts, &jobs, Effort::default());
        Tried {
            variants,
            jobs,
            outcome,
            without,
        }
    }

    fn jobs(
        &self,
        asked: &[Asked<'_>],
        variants: &[Vec<Variant>],
        prior: &BTreeMap<Address, Placement>,
    ) -> Vec<Job> {
        let none = Arc::new(Affinity::default());
        let affinity = |workload: &Workload| match self.scopes.of(workload) {
            all if all == *none => Arc::clone(&none),
            some => Arc::new(some),
        };
        let mut known = Forms::new(&self.served);
        let mut job = |((workload, choice), variants): (&Asked<'_>, &Vec<Variant>)| {
            let forms = known.of(workload, choice, variants);
            Job {
                name: workload.address.clone(),
                priority: workload.priority,
                affinity: affinity(workload),
                stands: prior
                    .get(&workload.address)
                    .and_then(|before| self.stood((workload, choice), before, variants, &forms)),
                forms,
            }
        };
        asked.iter().zip(variants).map(&mut job).collect()
    }

    fn stood(
        &self,
        (workload, choice): Asked<'_>,
        before: &Placement,
        variants: &[Variant],
        forms: &[Form],
    ) -> Option<Stood> {
        let host = *self.positions.get(&before.host)? as usize;
        let form = stands_as(choice, variants, before)?;
        let ask = &forms[form].ask;
        let devices: u32 = ask.devices.iter().map(|asked| asked.count).sum();
        let own = (ask.helpers > 0, devices as usize);
        Some(Stood {
            host,
            form,
            standing: Arc::new(stand::standing(before, &self.hosts[host], own)),
            anchored: anchored(workload, before),
        })
    }

    fn placed(
        &self,
        asked: &[Asked<'_>],
        (jobs, variants): (&[Job], &[Vec<Variant>]),
        outcome: &Outcome,
        inventory: &Inventory,
    ) -> Placed {
        let mut told = Told::new(&self.hosts, inventory, &self.scopes);
        let mut placed = Placed::default();
        for (position, (workload, _)) in asked.iter().enumerate() {
            let Some(assigned) = &outcome.assigned[position] else {
                continue;
            };
            let mut placement =
                self.placement(workload, variants[position][assigned.form], assigned);
            self.share(&mut placement, assigned.host, outcome);
            placed
                .placements
                .insert(workload.address.clone(), placement);
            if let Some(reasons) = outcome.passed_over.get(&position) {
                let passed = told.passed_over(reasons, &variants[position], assigned);
                placed
                    .passed_over
                    .extend(passed.map(|passed| (workload.address.clone(), passed)));
            }
        }
        for refusal in &outcome.refused {
            for job in &refusal.jobs {
                let (workload, choice) = asked[*job];
                let disks = self.disks(&jobs[*job], &variants[*job]);
                let why = told.refused(&refusal.why, &variants[*job], choice, disks);
                placed.refused.push(Refused {
                    workload: workload.address.clone(),
                    refused: why,
                });
            }
        }
        placed.refused.sort_by(|a, b| a.workload.cmp(&b.workload));
        placed
    }

    /// Why a workload with disks goes to no other host.
    fn disks(&self, job: &Job, variants: &[Variant]) -> Option<HostRefusal> {
        let stood = job.stands.as_ref().filter(|stood| stood.anchored)?;
        let others = self
            .hosts
            .iter()
            .enumerate()
            .filter(|(position, _)| *position != stood.host);
        let hosts: Vec<HostName> = others.map(|(_, host)| host.name.clone()).collect();
        let home = &self.hosts[stood.host].name;
        (!hosts.is_empty()).then(|| HostRefusal {
            variant: variants[stood.form],
            hosts,
            constraint: Constraint::Gate {
                gate: "disks".to_owned(),
                why: format!("its disks are on {home}; they are left there, and new ones made, only where its `host` names another"),
            },
        })
    }

    fn placement(&self, workload: &Workload, variant: Variant, assigned: &Assigned) -> Placement {
        let bound = workload.memory.nodes.is_some() || workload.numa.count().is_some();
        let placement = stand::placement(assigned, variant, &self.hosts[assigned.host], bound);
        Placement {
            needs: workload.suits.needs,
            ..placement
        }
    }

    /// Gives a shared workload the CPUs that are left, and a machine's own threads theirs: known when all are placed.
    fn share(&self, placement: &mut Placement, host: usize, outcome: &Outcome) {
        let (topology, room) = (&self.hosts[host].topology, &outcome.rooms[host]);
        let free = || room.free(topology);
        if placement.policy == CpuPolicy::Shared && placement.cpus().is_empty() {
            let all = placement.nodes();
            // Who asked for cells has the CPUs of each apart.
            let parted = placement.cells.iter().all(|cell| !cell.vcpus.is_empty());
            for cell in &mut placement.cells {
                let nodes = match cell.node.filter(|_| parted) {
                    Some(node) => IdSet::from([node]),
                    None => all.clone(),
                };
                let near = room.free_on_nodes(topology, &nodes);
                cell.cpus = if near.is_empty() { free() } else { near };
            }
        }
        if placement.runtime == Runtime::Kvm && !placement.helpers.contains_key(EMULATOR) {
            let left = Some(free()).filter(|cpus| !cpus.is_empty());
            let cpus = left.unwrap_or_else(|| placement.cpus());
            placement.helpers.insert(EMULATOR.to_owned(), cpus);
        }
    }
}
