//! Why a job is where it is: what its place costs, by what others lose, why the rest refuses it, and what would make it
//! fit there.

use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::IdSet;

use super::greedy::{Placing, Price};
use super::{Assigned, Host, Job, Outcome};
use crate::ask::{Numa, Policy};
use crate::cost::Cost;
use crate::fit::fit;
use crate::misses::{Miss, misses};
use crate::price::price;
use crate::refusal::Constraint;

/// All that is to be said of a job's place.
#[derive(Clone, Debug, Default)]
pub struct Explained {
    /// What its place costs, beside all others.
    pub cost: Option<Cost>,
    /// Hosts that have room for it, too, the next best first; equal ones together.
    pub rivals: Vec<Rival>,
    /// Nodes of its host that it is not on, by their ids.
    pub nodes: Vec<(u32, Result<Verdict, Constraint>)>,
    /// What would make it fit where it is refused, the nearest first. Each was tried.
    pub nearest: Vec<Nearest>,
}

/// Hosts that lose in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rival {
    pub form: usize,
    /// Positions.
    pub hosts: IdSet,
    pub verdict: Verdict,
}

/// The first criterion in which a place differs from the one that was chosen, and by how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Loses {
        tier: &'static str,
        by: u64,
    },
    /// It is better; what stands stays.
    Better {
        tier: &'static str,
        by: u64,
    },
    /// All is the same but the name.
    Equal,
}

/// What would make it fit on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    pub form: usize,
    /// Position.
    pub host: usize,
    pub way: Way,
}

/// How.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    Miss(Miss),
    /// Another job has a place elsewhere: on this host, on these nodes (ids).
    Moves {
        job: usize,
        host: usize,
        nodes: IdSet,
    },
}

/// Hosts of which it is looked what would make it fit there, and others that are tried to be moved, at most.
const MOST_HOSTS: usize = 8;
const MOST_MOVERS: usize = 64;

/// Tells why a job is where it is, or nowhere.
#[must_use]
pub fn explain(hosts: &[Host], jobs: &[Job], outcome: &Outcome, job: usize) -> Explained {
    let placing = Placing::with(hosts, jobs, outcome, |other| other != job);
    let mut explaining = Explaining { placing, job };
    match &outcome.assigned[job] {
        Some(assigned) => explaining.placed(assigned),
        None => Explained {
            nearest: explaining.nearest(),
            ..Explained::default()
        },
    }
}

/// What would make each of these refused jobs fit, the nearest first.
#[must_use]
pub fn nearest(
    hosts: &[Host],
    jobs: &[Job],
    outcome: &Outcome,
    refused: &[usize],
) -> Vec<Vec<Nearest>> {
    let mut placing = Placing::with(hosts, jobs, outcome, |_| true);
    let mut told = Vec::new();
    for job in refused {
        let mut explaining = Explaining { placing, job: *job };
        told.push(explaining.nearest());
        placing = explaining.placing;
    }
    told
}

struct Explaining<'a> {
    placing: Placing<'a>,
    job: usize,
}

impl Explaining<'_> {
    fn placed(&mut self, assigned: &Assigned) -> Explained {
        let own = self.price_of(assigned);
        let mut rivals: Vec<(usize, Price)> = Vec::new();
        let class = self.placing.class_of[self.job];
        let forms = Arc::clone(&self.placing.classes[class].forms);
        let home = self.placing.jobs[self.job].stands.as_ref().map(|s| s.host);
        for (position, form) in forms.iter().enumerate() {
            for host in form.hosts.iter().map(|h| h as usize) {
                if (position, host) == (assigned.form, assigned.host) {
                    continue;
                }
                let found = self.placing.price(class, position, host, home);
                rivals.extend(found.map(|(price, _)| (position, price)));
            }
        }
        rivals.sort();
        let mut told: Vec<Rival> = Vec::new();
        for (form, price) in rivals {
            let verdict = verdict((assigned.form, &own), (form, &price));
            let host = u32::try_from(price.host).unwrap_or(u32::MAX);
            let same = told
                .iter_mut()
                .find(|r| (r.form, r.verdict) == (form, verdict));
            match same {
                Some(rival) => {
                    rival.hosts.insert(host);
                }
                None => told.push(Rival {
                    form,
                    hosts: [host].into(),
                    verdict,
                }),
            }
        }
        Explained {
            cost: Some(own.cost),
            rivals: told,
            nodes: self.nodes(assigned, &own),
            nearest: self.nearest(),
        }
    }

    /// What the place it has costs there.
    fn price_of(&mut self, assigned: &Assigned) -> Price {
        let host = assigned.host;
        let ask = &self.placing.jobs[self.job].forms[assigned.form].ask;
        let topology = &self.placing.hosts[host].topology;
        let cost = price(topology, &self.placing.rooms[host], ask, &assigned.fit);
        let home = self.placing.jobs[self.job].stands.as_ref().map(|s| s.host);
        self.placing.priced(self.job, host, home, cost)
    }

    /// The other nodes of its host, where one node is what it has.
    fn nodes(&self, assigned: &Assigned, own: &Price) -> Vec<(u32, Result<Verdict, Constraint>)> {
        let ask = &self.placing.jobs[self.job].forms[assigned.form].ask;
        let host = &self.placing.hosts[assigned.host];
        let free = ask.cpus.set.is_none() && ask.memory.nodes.is_none() && ask.numa == Numa::Auto;
        if !free || ask.cpus.policy == Policy::Shared {
            return Vec::new();
        }
        let on = assigned.fit.nodes(&host.topology);
        let room = &self.placing.rooms[assigned.host];
        let others = host.topology.whole_nodes();
        let others = others.map(|node| host.topology.nodes[node].id);
        let of = |id: u32| {
            let mut ask = ask.clone();
            (ask.memory.nodes, ask.numa) = (Some([id].into()), Numa::Nodes(1));
            let found = fit(&host.topology, room, &ask);
            let verdict = found.map(|found| {
                let cost = found.cost;
                let there = Price { cost, ..*own };
                verdict((0, own), (0, &there))
            });
            (id, verdict)
        };
        others.filter(|id| !on.contains(*id)).map(of).collect()
    }

    /// For the hosts that refuse it, one of each kind of refusal.
    fn nearest(&mut self) -> Vec<Nearest> {
        let class = self.placing.class_of[self.job];
        let forms = Arc::clone(&self.placing.classes[class].forms);
        let affinity = Arc::clone(&self.placing.classes[class].affinity);
        let mut seen: BTreeMap<(usize, Constraint), ()> = BTreeMap::new();
        let mut all: Vec<Nearest> = Vec::new();
        for (form, of) in forms.iter().enumerate() {
            for host in of.hosts.iter().map(|h| h as usize) {
                let placing = &mut self.placing;
                let forbidden = placing.crowd.forbids(&affinity, host, placing.hosts);
                if placing.hosts[host].drained || forbidden.is_some() || seen.len() >= MOST_HOSTS {
                    continue;
                }
                let Err(constraint) = placing.found(class, form, host) else {
                    continue;
                };
                if seen.insert((form, (*constraint).clone()), ()).is_some() {
                    continue;
                }
                let topology = Arc::clone(&placing.hosts[host].topology);
                let told = misses(&topology, &placing.rooms[host], &of.ask);
                let told = told.into_iter().map(Way::Miss);
                let moves = self.moves(form, host);
                let ways = told.chain(moves);
                all.extend(ways.map(|way| Nearest { form, host, way }));
            }
        }
        all.sort_by_key(|nearest| rank(&nearest.way));
        all
    }

    /// Another one on the host who could be elsewhere, so that this one fits.
    fn moves(&mut self, form: usize, host: usize) -> Option<Way> {
        let forms = Arc::clone(&self.placing.jobs[self.job].forms);
        let ask = &forms[form].ask;
        let topology = Arc::clone(&self.placing.hosts[host].topology);
        let others = self.placing.on_host[host].iter().copied();
        let others: Vec<usize> = others.take(MOST_MOVERS).collect();
        for other in others {
            let without = self.placing.room_without(host, &[other]);
            let Ok(found) = fit(&topology, &without, ask) else {
                continue;
            };
            let had = self.placing.unassign(other)?;
            let assigned = Assigned {
                host,
                form,
                fit: Arc::new(found),
                stays: false,
            };
            self.placing.assign(self.job, assigned);
            let elsewhere = self.placing.best(other, |_| true);
            self.placing.unassign(self.job);
            self.placing.assign(other, had);
            if let Some((_, there)) = elsewhere {
                let topology = &self.placing.hosts[there.host].topology;
                return Some(Way::Moves {
                    job: other,
                    host: there.host,
                    nodes: there.fit.nodes(topology),
                });
            }
        }
        None
    }
}

/// What is missing, then who could move, then what could be asked for otherwise; the least of each first.
fn rank(way: &Way) -> (u32, u64) {
    match way {
        Way::Miss(Miss::MorePages { more, size, .. }) => (0, more.saturating_mul(*size)),
        Way::Miss(Miss::MoreMemory { more, .. }) => (0, *more),
        Way::Moves { .. } => (1, 0),
        Way::Miss(Miss::FewerCpus(less)) => (3, u64::from(*less)),
        Way::Miss(Miss::LessMemory(less)) => (4, *less),
        Way::Miss(Miss::SharedCpus) => (5, 0),
        Way::Miss(_) => (2, 0),
    }
}

fn verdict((own_form, own): (usize, &Price), (form, other): (usize, &Price)) -> Verdict {
    let all = |form: usize, price: &Price| {
        let mut tiers = vec![("runtime", form as u64)];
        tiers.extend(price.tiers());
        tiers
    };
    let (own, other) = (all(own_form, own), all(form, other));
    let first = own
        .iter()
        .zip(&other)
        .find(|((_, own), (_, other))| own != other);
    match first {
        Some(((tier, own), (_, other))) if other > own => Verdict::Loses {
            tier,
            by: other - own,
        },
        Some(((tier, own), (_, other))) => Verdict::Better {
            tier,
            by: own - other,
        },
        None => Verdict::Equal,
    }
}
