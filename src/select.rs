//! What a plan is about where not all is asked for: `--target` and `--exclude`. A target brings what it needs, an
//! exclusion leaves out what needs it. Of what is removed it is the other way round: its users go with it, and what is
//! left out keeps what it stands on.

mod away;
mod pattern;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Address, HostName, Observed, Placement, ResourceId};
use infra_lang::Evaluation;
use infra_plan::Outcome;

pub use away::Away;
pub use pattern::Pattern;

use crate::declared::{Declared, ImageRef, Workload};

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// None: everything.
    pub targets: Vec<Pattern>,
    pub excludes: Vec<Pattern>,
}

/// All a selection follows from.
pub struct Ground<'a> {
    pub evaluation: &'a Evaluation,
    pub declared: &'a Declared,
    pub state: &'a Outcome,
    /// Where workloads would run if all were planned.
    pub decided: &'a BTreeMap<Address, Placement>,
    /// Everything goes.
    pub destroy: bool,
    /// Hosts of which nothing is planned.
    pub away: &'a Away,
}

/// What is left out of a plan.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    asked: Asked,
    left: BTreeSet<Address>,
    known: BTreeSet<Address>,
    /// Hosts that are left as they are.
    away: BTreeSet<HostName>,
}

/// A word that names nothing: its option, the word, what may have been meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamesNothing {
    pub option: &'static str,
    pub word: String,
    pub hint: Option<String>,
}

impl Asked {
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.targets.is_empty() && self.excludes.is_empty()
    }

    /// Whether it asks by hosts: then it must be known where workloads would run.
    #[must_use]
    pub fn names_hosts(&self, hosts: &BTreeSet<&HostName>) -> bool {
        let all = || self.targets.iter().chain(&self.excludes);
        hosts
            .iter()
            .any(|host| all().any(|p| p.matches(&address_of(host))))
    }

    fn wants(&self, address: &Address) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|p| p.matches(address));
        (self.targets.is_empty() || any(&self.targets)) && !any(&self.excludes)
    }
}

fn address_of(host: &HostName) -> Address {
    Address::new(format!("host.{host}"))
}

/// Selects, or says which words name nothing.
///
/// # Errors
/// Every such word.
pub fn select(asked: &Asked, ground: &Ground<'_>) -> Result<Selection, Vec<NamesNothing>> {
    let map = Map::new(ground);
    let nothing = map.names_nothing(asked);
    if !nothing.is_empty() {
        return Err(nothing);
    }
    let mut wanted = map.known.clone();
    if !asked.targets.is_empty() {
        let named = map.with_users(map.matched(&asked.targets));
        wanted = map.reach(named, |map, a| map.brought_by(a));
    }
    let away = map.away();
    let mut excluded = map.matched(&asked.excludes);
    excluded.extend(away.iter().cloned());
    let excluded = map.reach(excluded, |map, a| map.left_with(a));
    let left = map
        .known
        .iter()
        .filter(|a| !wanted.contains(*a) || excluded.contains(*a));
    // What is away stands on objects of its own host, which stay for that; there may be others at their addresses.
    let here = left.filter(|a| !away.contains(*a)).cloned().collect();
    let mut left = map.reach(here, |map, a| map.kept_for(a));
    left.extend(away);
    Ok(Selection {
        left,
        asked: asked.clone(),
        known: map.known,
        away: ground.away.hosts.clone(),
    })
}

impl Selection {
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.asked.is_everything() && self.away.is_empty()
    }

    /// Every address that is left out.
    #[must_use]
    pub fn left(&self) -> &BTreeSet<Address> {
        &self.left
    }

    /// Whether what is at an address is left out; of what nobody knew of before, what was asked for says it.
    #[must_use]
    pub fn leaves_out(&self, address: &Address) -> bool {
        if self.known.contains(address) {
            self.left.contains(address)
        } else {
            !self.asked.wants(address)
        }
    }

    /// A configuration without what is left out.
    #[must_use]
    pub fn of<'a>(&self, declared: &'a Declared) -> Cow<'a, Declared> {
        if self.is_everything() {
            return Cow::Borrowed(declared);
        }
        let mut declared = declared.clone();
        declared.networks.retain(|a, _| !self.leaves_out(a));
        declared.pools.retain(|a, _| !self.leaves_out(a));
        declared.volumes.retain(|a, _| !self.leaves_out(a));
        declared.slices.retain(|a, _| !self.leaves_out(a));
        declared.images.retain(|a, _| !self.leaves_out(a));
        declared.workloads.retain(|w| !self.leaves_out(&w.address));
        Cow::Owned(declared)
    }

    /// Objects of the state that are left as they are: those at addresses that are left out and on hosts that are, and
    /// what they stand on; less what is planned all the same because others use it too.
    #[must_use]
    pub fn kept(&self, state: &Outcome, desired: &BTreeSet<&ResourceId>) -> BTreeSet<ResourceId> {
        if self.is_everything() {
            return BTreeSet::new();
        }
        let left = state.resources.iter();
        let left = left.filter(|(id, record)| {
            self.away.contains(&id.host) || self.leaves_out(&record.address)
        });
        let mut queue: Vec<&ResourceId> = left.map(|(id, _)| id).collect();
        let mut kept = BTreeSet::new();
        while let Some(id) = queue.pop() {
            let Some((id, record)) = state.resources.get_key_value(id) else {
                continue;
            };
            if !desired.contains(id) && kept.insert(id.clone()) {
                queue.extend(&record.after);
            }
        }
        kept
    }

    /// What carries our mark, stands in no state and is not asked for either.
    #[must_use]
    pub fn strangers(
        &self,
        observed: &BTreeMap<ResourceId, Observed>,
        state: &Outcome,
    ) -> BTreeSet<ResourceId> {
        let left = |(id, found): &(&ResourceId, &Observed)| match found {
            Observed::Present { address, .. } | Observed::Partial { address, .. } => {
                !state.resources.contains_key(*id) && self.leaves_out(address)
            }
            Observed::Absent | Observed::Foreign { .. } => false,
        };
        let left = observed.iter().filter(left);
        left.map(|(id, _)| id.clone()).collect()
    }
}

/// Who is there, and who needs whom.
struct Map<'a> {
    ground: &'a Ground<'a>,
    known: BTreeSet<Address>,
    /// Of what is declared: what it needs, and who needs it.
    needs: BTreeMap<Address, BTreeSet<Address>>,
    needed_by: BTreeMap<Address, BTreeSet<Address>>,
    /// Of what is recorded: whose objects stand on its.
    users: BTreeMap<&'a Address, BTreeSet<&'a Address>>,
    /// The same the other way round.
    below: BTreeMap<&'a Address, BTreeSet<&'a Address>>,
    /// The hosts it is on or would be.
    on: BTreeMap<Address, BTreeSet<&'a HostName>>,
}

impl<'a> Map<'a> {
    fn new(ground: &'a Ground<'a>) -> Self {
        let mut map = Self {
            ground,
            known: BTreeSet::new(),
            needs: BTreeMap::new(),
            needed_by: BTreeMap::new(),
            users: BTreeMap::new(),
            below: BTreeMap::new(),
            on: BTreeMap::new(),
        };
        map.declared();
        map.recorded();
        for (user, below) in standing(ground.state) {
            map.users.entry(below).or_default().insert(user);
            map.below.entry(user).or_default().insert(below);
        }
        for (of, needed) in &map.needs {
            for address in needed {
                map.needed_by
                    .entry(address.clone())
                    .or_default()
                    .insert(of.clone());
            }
        }
        map
    }

    fn declared(&mut self) {
        let address = |a: &infra_lang::Address| Address::new(a.to_string());
        if self.ground.destroy {
            return;
        }
        let instances = self.ground.evaluation.instances.iter();
        self.known.extend(instances.map(|i| address(&i.address)));
        for edge in self.ground.evaluation.edges() {
            self.needs
                .entry(address(&edge.from))
                .or_default()
                .insert(address(&edge.to));
        }
        for workload in &self.ground.declared.workloads {
            let needs = self.needs.entry(workload.address.clone()).or_default();
            needs.extend(named(workload));
        }
    }

    fn recorded(&mut self) {
        let (state, decided) = (self.ground.state, self.ground.decided);
        for (id, record) in &state.resources {
            self.known.insert(record.address.clone());
            self.on
                .entry(record.address.clone())
                .or_default()
                .insert(&id.host);
        }
        for (address, placement) in state.workloads.iter().chain(decided) {
            self.known.insert(address.clone());
            self.on
                .entry(address.clone())
                .or_default()
                .insert(&placement.host);
        }
    }

    /// What words name: a host stands for all that is on it.
    fn matched(&self, patterns: &[Pattern]) -> BTreeSet<Address> {
        let meant = |address: &&Address| patterns.iter().any(|p| self.means(p, address));
        self.known.iter().filter(meant).cloned().collect()
    }

    fn means(&self, pattern: &Pattern, address: &Address) -> bool {
        // A network or an image is on every host that uses it, and is no host's.
        let single = is_workload(address) || !self.is_declared(address);
        let hosts = self.on.get(address).into_iter().flatten();
        pattern.matches(address)
            || single
                && hosts
                    .into_iter()
                    .any(|host| pattern.matches(&address_of(host)))
    }

    /// A network, a volume or an image is only made for who uses it: named, it stands for them too.
    fn with_users(&self, named: BTreeSet<Address>) -> BTreeSet<Address> {
        let made_for_others = |a: &&Address| !is_workload(a) && self.is_declared(a);
        let alone = named.iter().filter(made_for_others);
        let users = alone.flat_map(|a| self.left_with(a)).cloned();
        let users: Vec<Address> = users.filter(is_workload).collect();
        named.into_iter().chain(users).collect()
    }

    fn is_declared(&self, address: &Address) -> bool {
        let declared = address.as_str().parse().ok();
        !self.ground.destroy
            && declared.is_some_and(|a| self.ground.evaluation.instance(&a).is_some())
    }

    /// Everything that follows from these, and what follows from that.
    fn reach<'m, I: IntoIterator<Item = &'m Address>>(
        &'m self,
        from: BTreeSet<Address>,
        next: impl Fn(&'m Self, &Address) -> I,
    ) -> BTreeSet<Address> {
        let mut queue: Vec<Address> = from.iter().cloned().collect();
        let mut all = from;
        while let Some(address) = queue.pop() {
            for other in next(self, &address) {
                if all.insert(other.clone()) {
                    queue.push(other.clone());
                }
            }
        }
        all
    }

    fn brought_by(&self, address: &Address) -> Vec<&Address> {
        if self.is_declared(address) {
            self.needs.get(address).into_iter().flatten().collect()
        } else {
            let users = self.users.get(address).into_iter().flatten();
            users.copied().collect()
        }
    }

    /// What is declared no longer stays while somebody stands on it who does.
    fn kept_for(&self, address: &Address) -> Vec<&Address> {
        let below = self.below.get(address).into_iter().flatten();
        below.copied().filter(|a| !self.is_declared(a)).collect()
    }

    /// What is removed leaves nobody out: it only stays.
    fn left_with(&self, address: &Address) -> Vec<&Address> {
        self.needed_by.get(address).into_iter().flatten().collect()
    }

    fn names_nothing(&self, asked: &Asked) -> Vec<NamesNothing> {
        let hosts = self.on.values().flatten().map(|host| address_of(host));
        let hosts: BTreeSet<Address> = hosts.collect();
        let all: BTreeSet<&Address> = self.known.iter().chain(&hosts).collect();
        let nothing = |option, patterns: &[Pattern]| {
            let unknown = patterns
                .iter()
                .filter(|p| !all.iter().any(|a| p.matches(a)));
            let said = |pattern: &Pattern| NamesNothing {
                option,
                word: pattern.as_str().to_owned(),
                hint: infra_lang::suggest(
                    pattern.as_str(),
                    all.iter().map(|a| a.as_str()),
                    "there are",
                ),
            };
            unknown.map(said).collect::<Vec<_>>()
        };
        let mut found = nothing("--target", &asked.targets);
        found.extend(nothing("--exclude", &asked.excludes));
        found
    }
}

/// Whose objects stand on whose. What several workloads use and only one has in its name (an image of a registry) ties
/// nobody to that one.
fn standing(state: &Outcome) -> BTreeSet<(&Address, &Address)> {
    let mut standing = BTreeSet::new();
    for record in state.resources.values() {
        for id in &record.after {
            let Some(other) = state.resources.get(id) else {
                continue;
            };
            let own = matches!(id.kind.as_str(), "container" | "domain" | "unit");
            let shared = is_workload(&other.address) && !own;
            if other.address != record.address && !shared {
                standing.insert((&record.address, &other.address));
            }
        }
    }
    standing
}

fn is_workload(address: &Address) -> bool {
    let parsed = address.as_str().parse::<infra_lang::Address>();
    parsed.is_ok_and(|a| &*a.kind == "workload")
}

/// What a workload names of what is declared, in whichever way it is written.
fn named(workload: &Workload) -> BTreeSet<Address> {
    let mut named: BTreeSet<Address> = workload.depends_on.clone();
    named.extend(workload.interfaces.iter().map(|i| i.network.value.clone()));
    let volumes = workload.disks.iter().filter_map(|d| d.volume.as_ref());
    named.extend(volumes.map(|v| v.value.clone()));
    if let Some(ImageRef::Declared(address)) = workload.container.as_ref().map(|c| &c.image.value) {
        named.insert(address.clone());
    }
    let form = workload.kvm.as_ref();
    let drives = form.iter().flat_map(|f| &f.cdroms);
    let images = drives
        .map(|c| c.image.as_ref())
        .chain(form.map(|f| f.image.as_ref()));
    named.extend(images.flatten().map(|image| image.value.clone()));
    named
}
