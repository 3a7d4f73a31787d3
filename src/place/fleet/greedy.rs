//! First what stands stays; then class by class, hardest first, each job on the host where it is cheapest.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::IdSet;

use super::affinity::Crowd;
use super::classes::{Class, Found, Memo, classes, fingerprint};
use super::{Assigned, Host, Job, Outcome};
use crate::ask::{Numa, Policy};
use crate::cost::Cost;
use crate::fit::{Fit, fit};
use crate::room::Room;
use crate::stand::keep;

/// A fleet while it fills.
pub(super) struct Placing<'a> {
    pub(super) hosts: &'a [Host],
    pub(super) jobs: Cow<'a, [Job]>,
    pub(super) classes: Vec<Class>,
    /// The class of each job.
    pub(super) class_of: Vec<usize>,
    pub(super) rooms: Vec<Arc<Room>>,
    fingerprints: Vec<u64>,
    /// Whether anything is placed there.
    pub(super) used: Vec<u32>,
    pub(super) crowd: Crowd,
    memo: Memo,
    pub(super) assigned: Vec<Option<Assigned>>,
    /// Ascending.
    pub(super) on_host: Vec<Vec<usize>>,
    /// Who went elsewhere for whom.
    pub(super) made_room: BTreeMap<usize, usize>,
    pub(super) complete: bool,
}

/// How good a host is for a job; lower is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Price {
    /// It would go to another host than the one it stands on.
    pub(super) moved: bool,
    pub(super) affinity: u32,
    pub(super) cost: Cost,
    /// The host has nothing yet.
    pub(super) fresh: bool,
    /// For who shares: free CPUs of the host for each TiB of its free memory. He takes little of the CPUs and as much
    /// memory as anybody: where there is least memory to the CPUs he would leave CPUs that nobody can use.
    pub(super) cpus_per_tib: u64,
    /// What is left of the host's memory: the fullest first.
    pub(super) bytes_left: u64,
    pub(super) host: usize,
}

impl Price {
    /// Each criterion but the name, the weightiest first.
    pub(super) fn tiers(&self) -> Vec<(&'static str, u64)> {
        let mut tiers = vec![
            ("moves", u64::from(self.moved)),
            ("spread", u64::from(self.affinity)),
        ];
        tiers.extend(self.cost.tiers());
        tiers.extend([
            ("idle_host", u64::from(self.fresh)),
            ("cpus_per_tib", self.cpus_per_tib),
            ("memory_left", self.bytes_left),
        ]);
        tiers
    }
}

impl<'a> Placing<'a> {
    pub(super) fn new(hosts: &'a [Host], jobs: Cow<'a, [Job]>) -> Self {
        let (classes, class_of) = classes(&jobs);
        let mut seen: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        let mut rooms: Vec<Arc<Room>> = Vec::with_capacity(hosts.len());
        let mut fingerprints = Vec::with_capacity(hosts.len());
        for (position, host) in hosts.iter().enumerate() {
            let print = fingerprint(host, &host.room);
            let alike = seen.entry(print).or_default();
            let same = alike
                .iter()
                .find(|other| hosts[**other].room == host.room)
                .copied();
            rooms.push(same.map_or_else(
                || Arc::new(host.room.clone()),
                |other| Arc::clone(&rooms[other]),
            ));
            if same.is_none() {
                alike.push(position);
            }
            fingerprints.push(print);
        }
        Self {
            hosts,
            classes,
            class_of,
            rooms,
            fingerprints,
            used: vec![0; hosts.len()],
            crowd: Crowd::default(),
            memo: Memo::default(),
            assigned: vec![None; jobs.len()],
            on_host: vec![Vec::new(); hosts.len()],
            jobs,
            made_room: BTreeMap::new(),
            complete: true,
        }
    }

    /// With everything that these have where it was assigned.
    pub(super) fn with(
        hosts: &'a [Host],
        jobs: &'a [Job],
        outcome: &Outcome,
        these: impl Fn(usize) -> bool,
    ) -> Self {
        let mut placing = Self::new(hosts, Cow::Borrowed(jobs));
        let assigned = outcome.assigned.iter().enumerate();
        for (job, assigned) in assigned.filter(|(job, _)| these(*job)) {
            if let Some(assigned) = assigned {
                placing.assign(job, assigned.clone());
            }
        }
        placing
    }

    /// Leaves every job where it stands, if it may stay there.
    pub(super) fn stay(&mut self) {
        self.stay_of(|jobs| 0..jobs);
    }

    /// The same of some. In the order of the jobs, those with CPUs of their own first: who shares gives way.
    pub(super) fn stay_of<I: IntoIterator<Item = usize>>(&mut self, jobs: impl Fn(usize) -> I) {
        for dedicated in [true, false] {
            for job in jobs(self.jobs.len()) {
                if let Some(assigned) = self.stays(job, dedicated) {
                    self.assign(job, assigned);
                }
            }
        }
    }

    /// Where it stands, if it may stay there.
    fn stays(&self, job: usize, dedicated: bool) -> Option<Assigned> {
        let job = &self.jobs[job];
        let stood = job.stands.as_ref()?;
        let form = job.forms.get(stood.form)?;
        let own = matches!(form.ask.cpus.policy, Policy::Dedicated(_));
        let host = u32::try_from(stood.host).unwrap_or(u32::MAX);
        let barred = self.hosts[stood.host].drained || !form.hosts.contains(host);
        if own != dedicated || barred {
            return None;
        }
        let forbidden = self.crowd.forbids(&job.affinity, stood.host, self.hosts);
        forbidden.is_none().then_some(())?;
        let topology = &self.hosts[stood.host].topology;
        let room = &self.rooms[stood.host];
        let fit = keep(topology, room, &form.ask, &stood.standing)?;
        Some(Assigned {
            host: stood.host,
            form: stood.form,
            fit: Arc::new(fit),
            stays: true,
        })
    }

    /// Gives a job a place.
    pub(super) fn assign(&mut self, job: usize, assigned: Assigned) {
        let host = assigned.host;
        let topology = Arc::clone(&self.hosts[host].topology);
        Arc::make_mut(&mut self.rooms[host]).take(&topology, &assigned.fit);
        self.changed(host);
        self.used[host] += 1;
        self.crowd.add(&self.jobs[job].affinity, host, self.hosts);
        if let Err(at) = self.on_host[host].binary_search(&job) {
            self.on_host[host].insert(at, job);
        }
        self.assigned[job] = Some(assigned);
    }

    /// Takes a job's place away.
    pub(super) fn unassign(&mut self, job: usize) -> Option<Assigned> {
        let assigned = self.assigned[job].take()?;
        let host = assigned.host;
        self.on_host[host].retain(|other| *other != job);
        self.rooms[host] = Arc::new(self.room_without(host, &[]));
        self.changed(host);
        self.used[host] -= 1;
        self.crowd
            .remove(&self.jobs[job].affinity, host, self.hosts);
        Some(assigned)
    }

    /// What would be free of a host without some of its jobs.
    pub(super) fn room_without(&self, host: usize, gone: &[usize]) -> Room {
        let mut room = self.hosts[host].room.clone();
        for job in self.on_host[host].iter().filter(|job| !gone.contains(job)) {
            if let Some(assigned) = &self.assigned[*job] {
                room.take(&self.hosts[host].topology, &assigned.fit);
            }
        }
        room
    }

    /// Takes all that are on a host away; who they were.
    pub(super) fn clear(&mut self, host: usize) -> Vec<usize> {
        let jobs = std::mem::take(&mut self.on_host[host]);
        for job in &jobs {
            self.assigned[*job] = None;
            self.crowd
                .remove(&self.jobs[*job].affinity, host, self.hosts);
        }
        self.rooms[host] = Arc::new(self.hosts[host].room.clone());
        self.used[host] = 0;
        self.changed(host);
        jobs
    }

    fn changed(&mut self, host: usize) {
        self.fingerprints[host] = fingerprint(&self.hosts[host], &self.rooms[host]);
    }

    /// Places all that have none.
    pub(super) fn place_all(&mut self) {
        for class in self.in_order() {
            self.loosen(class);
            let open: Vec<usize> = self.classes[class]
                .jobs
                .iter()
                .copied()
                .filter(|j| self.assigned[*j].is_none())
                .collect();
            let (stood, new): (Vec<usize>, Vec<usize>) = open
                .into_iter()
                .partition(|j| self.jobs[*j].stands.is_some());
            for job in stood {
                self.replace(job);
            }
            self.place_class(class, &new);
        }
    }

    /// One that stood and cannot stay: with its memory where it is if that can be, on its host if that can be, else
    /// elsewhere.
    pub(super) fn replace(&mut self, job: usize) {
        let best = self
            .on_its_nodes(job)
            .or_else(|| Some(self.best(job, |_| true)?.1));
        if let Some(assigned) = best {
            self.assign(job, assigned);
        }
    }

    /// Other CPUs, and its memory stays where it is.
    fn on_its_nodes(&self, job: usize) -> Option<Assigned> {
        let Job {
            forms,
            stands,
            affinity,
            ..
        } = &self.jobs[job];
        let stood = stands.as_ref()?;
        let form = forms.get(stood.form)?;
        let host = &self.hosts[stood.host];
        let nodes: IdSet = stood
            .standing
            .cells
            .iter()
            .filter_map(|cell| cell.node)
            .collect();
        let possible = form
            .hosts
            .contains(u32::try_from(stood.host).unwrap_or(u32::MAX))
            && !host.drained;
        let whole = nodes.iter().all(|id| {
            host.topology
                .node(id)
                .is_some_and(|n| host.topology.whole_nodes().any(|w| w == n))
        });
        if nodes.is_empty() || !possible || !whole || form.ask.memory.nodes.is_some() {
            return None;
        }
        self.crowd
            .forbids(affinity, stood.host, self.hosts)
            .is_none()
            .then_some(())?;
        let mut ask = form.ask.clone();
        ask.memory.nodes = Some(nodes);
        let fit = fit(&host.topology, &self.rooms[stood.host], &ask).ok()?;
        let near = fit.cost.remote_memory == 0;
        near.then(|| Assigned {
            host: stood.host,
            form: stood.form,
            fit: Arc::new(fit),
            stays: false,
        })
    }

    /// The best place for one job on the hosts in question.
    pub(super) fn best(
        &mut self,
        job: usize,
        may: impl Fn(usize) -> bool,
    ) -> Option<(Price, Assigned)> {
        let class = self.class_of[job];
        let forms = Arc::clone(&self.classes[class].forms);
        let stood = self.jobs[job].stands.as_ref();
        let (home, anchored) = (stood.map(|s| s.host), stood.is_some_and(|s| s.anchored));
        let stood = stood.map(|s| s.form);
        for (position, form) in forms.iter().enumerate() {
            if anchored && stood != Some(position) {
                continue;
            }
            let mut best: Option<(Price, Assigned)> = None;
            for host in form.hosts.iter().map(|h| h as usize).filter(|h| may(*h)) {
                if anchored && home != Some(host) {
                    continue;
                }
                let Some((price, fit)) = self.price(class, position, host, home) else {
                    continue;
                };
                if best.as_ref().is_none_or(|(known, _)| price < *known) {
                    best = Some((
                        price,
                        Assigned {
                            host,
                            form: position,
                            fit,
                            stays: false,
                        },
                    ));
                }
            }
            if best.is_some() {
                return best;
            }
        }
        None
    }

    pub(super) fn price(
        &mut self,
        class: usize,
        form: usize,
        host: usize,
        home: Option<usize>,
    ) -> Option<(Price, Arc<Fit>)> {
        if self.hosts[host].drained {
            return None;
        }
        let affinity = Arc::clone(&self.classes[class].affinity);
        if self.crowd.forbids(&affinity, host, self.hosts).is_some() {
            return None;
        }
        let fit = self.found(class, form, host).ok()?;
        let job = self.classes[class].jobs.first().copied()?;
        Some((self.priced(job, host, home, fit.cost), fit))
    }

    /// How good a host is for a job whose place there costs so much.
    pub(super) fn priced(&self, job: usize, host: usize, home: Option<usize>, cost: Cost) -> Price {
        Price {
            moved: home.is_some_and(|home| home != host),
            affinity: self.crowd.price(&self.jobs[job].affinity, host, self.hosts),
            cost,
            fresh: self.used[host] == 0,
            cpus_per_tib: if self.shares(job) {
                self.rooms[host].cpus_per_tib()
            } else {
                0
            },
            bytes_left: self.rooms[host].bytes.unwrap_or(0),
            host,
        }
    }

    /// Whether its CPUs are others', too.
    pub(super) fn shares(&self, job: usize) -> bool {
        let mut forms = self.jobs[job].forms.iter();
        forms.any(|form| form.ask.cpus.policy == Policy::Shared)
    }

    pub(super) fn found(&mut self, class: usize, form: usize, host: usize) -> Found {
        let ask = &self.classes[class].forms[form].ask;
        let key = (self.fingerprints[host], class, form);
        let (found, room) = self
            .memo
            .fit(key, &self.hosts[host], &self.rooms[host], ask);
        // Equal rooms become one: then they need not be compared again.
        self.rooms[host] = room;
        found
    }

    /// Company before those who must be with it. Of these hardest first: who is bound to few hosts or named things has
    /// the least choice; then dedicated ones, those with many cells, with devices, large before small; equal ones by
    /// their first job.
    pub(super) fn in_order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.classes.len()).collect();
        let hardness = |class: &usize| {
            let class = &self.classes[*class];
            let Some(form) = class.forms.first() else {
                return (0, false, false, 0, 0, 0, 0, 0);
            };
            let ask = &form.ask;
            let dedicated = matches!(ask.cpus.policy, Policy::Dedicated(_));
            let cells = match &ask.numa {
                Numa::Auto => 0,
                Numa::Nodes(count) => *count as usize,
                Numa::Cells(cells) => cells.len(),
            };
            let devices: u32 = ask.devices.iter().map(|d| d.count).sum();
            let hosts = form.hosts.len();
            let named = ask.cpus.set.is_some() || ask.memory.nodes.is_some();
            let strict = match ask.cpus.policy {
                Policy::Dedicated(threads) => threads as u32 + u32::from(ask.cpus.l3.undivided()),
                Policy::Shared => 0,
            };
            (
                -class.priority,
                !named,
                !dedicated,
                hosts,
                usize::MAX - cells,
                u32::MAX - devices,
                u32::MAX - ask.cpus.count,
                u32::MAX - strict,
            )
        };
        let ranks = self.ranks();
        order.sort_by_cached_key(|class| {
            (
                ranks[*class],
                hardness(class),
                std::cmp::Reverse(self.bytes(*class)),
                self.first(*class),
            )
        });
        order
    }

    /// Jobs in the order of their classes.
    pub(super) fn hardest_first(&self, mut jobs: Vec<usize>) -> Vec<usize> {
        let order = self.in_order();
        let rank = |job: &usize| order.iter().position(|class| *class == self.class_of[*job]);
        jobs.sort_by_key(|job| (rank(job), *job));
        jobs
    }

    /// The first job of a class: classes are in the order of these.
    pub(super) fn first(&self, class: usize) -> usize {
        self.classes[class]
            .jobs
            .first()
            .copied()
            .unwrap_or(usize::MAX)
    }

    fn bytes(&self, class: usize) -> u64 {
        self.classes[class]
            .forms
            .first()
            .map_or(0, |form| form.ask.memory.bytes)
    }

    pub(super) fn has_refused(&self) -> bool {
        self.assigned.iter().any(Option::is_none)
    }
}
