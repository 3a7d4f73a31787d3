//! Better places for those who have one, where somebody asked for that: each move is worth it. Counted in steps, so that
//! the same comes out everywhere.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::greedy::{Placing, Price};
use super::{Assigned, Effort, Host, Job, Outcome};
use crate::cost::LOCALITY;
use crate::fit::{Fit, fit};
use crate::price::price;

/// Moves that gain something together, and that no one of them gains alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Improvement {
    pub moves: Vec<Move>,
    /// Criteria that differ, the weightiest first: that one is better.
    pub gains: Vec<Gain>,
}

/// Another place for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    pub job: usize,
    /// Positions of its hosts; equal ones where it has other CPUs or nodes of its host.
    pub from: usize,
    pub to: usize,
}

/// What a criterion comes to for those who move, in sum. Of `hosts` it is how many are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gain {
    pub tier: &'static str,
    pub before: u64,
    pub after: u64,
}

/// The criteria that are worth a move, the weightiest first. The others only say which of equal places is taken: to move
/// for those would never end.
fn criteria() -> impl Iterator<Item = &'static str> {
    std::iter::once("spread").chain(LOCALITY)
}

/// What a place comes to by them.
type Worth = [u64; 1 + LOCALITY.len()];

/// What each criterion gets less by.
type Less = [i128; 1 + LOCALITY.len()];

fn worth(price: &Price) -> Worth {
    let locality = price.cost.locality();
    std::array::from_fn(|tier| match tier.checked_sub(1) {
        None => price.affinity.into(),
        Some(tier) => locality[tier],
    })
}

/// A place that is better than the one it has.
struct Better {
    before: Worth,
    after: Worth,
    /// Its host.
    from: usize,
    to: Assigned,
}

impl Better {
    fn less(&self) -> Less {
        let (before, after) = (&self.before, &self.after);
        std::array::from_fn(|tier| i128::from(before[tier]) - i128::from(after[tier]))
    }
}

fn sum(a: &Worth, b: &Worth) -> Worth {
    std::array::from_fn(|tier| a[tier] + b[tier])
}

/// Moves at most so many of those who have a place to better ones, the most that is gained first; who has none may find
/// one then. Nobody is moved twice, and nobody to another host who is anchored.
pub fn rebalance(
    hosts: &[Host],
    jobs: &[Job],
    outcome: Outcome,
    most: usize,
    effort: Effort,
) -> (Outcome, Vec<Improvement>) {
    let mut placing = Placing::with(hosts, jobs, &outcome, |_| true);
    placing.made_room = outcome.made_room;
    let rules = jobs.iter().flat_map(|job| &job.affinity.rules);
    let company = rules.filter(|rule| rule.binds()).map(|rule| rule.group);
    let mut rebalancing = Rebalancing {
        company: company.collect(),
        placing,
        steps: effort.steps,
        left: most,
        moved: BTreeSet::new(),
        improvements: Vec::new(),
    };
    rebalancing.nearer();
    rebalancing.fewer_hosts();
    let improvements = rebalancing.improvements;
    let (mut placing, steps) = (rebalancing.placing, rebalancing.steps);
    placing.complete = outcome.complete && steps > 0;
    if placing.has_refused() && !improvements.is_empty() {
        placing.place_all();
        placing.settle();
    }
    (placing.finish(), improvements)
}

struct Rebalancing<'a> {
    placing: Placing<'a>,
    steps: u32,
    /// So many may still move.
    left: usize,
    moved: BTreeSet<usize>,
    /// Groups that others must be with.
    company: BTreeSet<u32>,
    improvements: Vec<Improvement>,
}

impl Rebalancing<'_> {
    /// Who is not as near to what it needs as can be, alone or by a place that another can leave.
    fn nearer(&mut self) {
        while self.left > 0 && self.steps > 0 && (self.one_by_one() || self.in_pairs()) {}
    }

    /// Whether any moved. Who gains most comes first; what another gains may have changed by then.
    fn one_by_one(&mut self) -> bool {
        let mut queue: BTreeSet<(Reverse<Less>, usize)> = BTreeSet::new();
        for job in self.wanting() {
            let better = self.better(job);
            queue.extend(better.map(|better| (Reverse(better.less()), job)));
        }
        let before = self.improvements.len();
        while let (Some((Reverse(known), job)), true) = (queue.pop_first(), self.left > 0) {
            let Some(now) = self.better(job) else {
                continue;
            };
            let less = now.less();
            if less < known && queue.first().is_some_and(|(next, _)| *next < Reverse(less)) {
                queue.insert((Reverse(less), job));
                continue;
            }
            let moves = [(job, now.from, now.to.host)];
            self.placing.unassign(job);
            self.placing.assign(job, now.to);
            self.note(&moves, gains(&now.before, &now.after));
        }
        self.improvements.len() > before
    }

    /// Those whose places are worth less than the best there are.
    fn wanting(&mut self) -> Vec<usize> {
        let mut jobs: Vec<(Reverse<Worth>, usize)> = Vec::new();
        for job in 0..self.placing.jobs.len() {
            if !self.may_move(job) {
                continue;
            }
            let Some(was) = self.placing.unassign(job) else {
                continue;
            };
            let worth = self.worth_of(job, &was);
            self.placing.assign(job, was);
            if worth.iter().any(|cost| *cost > 0) {
                jobs.push((Reverse(worth), job));
            }
        }
        jobs.sort_unstable();
        jobs.into_iter().map(|(_, job)| job).collect()
    }

    /// A better place, the best there is.
    fn better(&mut self, job: usize) -> Option<Better> {
        self.steps = self.steps.checked_sub(1)?;
        let was = self.placing.unassign(job)?;
        let (before, from) = (self.worth_of(job, &was), was.host);
        let best = self.best(job, &was, |_, _| true);
        self.placing.assign(job, was);
        let (after, to) = best?;
        (after < before).then_some(Better {
            before,
            after,
            from,
            to,
        })
    }

    /// The best place for one that was there: as what it runs, and on its host rather than elsewhere if that is as good.
    fn best(
        &mut self,
        job: usize,
        was: &Assigned,
        may: impl Fn(&Placing<'_>, usize) -> bool,
    ) -> Option<(Worth, Assigned)> {
        let class = self.placing.class_of[job];
        let hosts = Arc::clone(&self.placing.classes[class].forms[was.form].hosts);
        let anchored = (self.placing.jobs[job].stands.as_ref()).is_some_and(|s| s.anchored);
        let mut best: Option<((Worth, bool, Price), Arc<Fit>)> = None;
        for host in hosts.iter().map(|host| host as usize) {
            let elsewhere = host != was.host;
            if (anchored && elsewhere) || !may(&self.placing, host) {
                continue;
            }
            let Some((price, fit)) = self.placing.price(class, was.form, host, None) else {
                continue;
            };
            let key = (worth(&price), elsewhere, price);
            if best.as_ref().is_none_or(|(known, _)| key < *known) {
                best = Some((key, fit));
            }
        }
        let ((worth, _, price), fit) = best?;
        let to = Assigned {
            host: price.host,
            form: was.form,
            fit,
            stays: false,
        };
        Some((worth, to))
    }

    /// Whether any two moved: one to a better place, which another can leave for one that is as good as its own.
    fn in_pairs(&mut self) -> bool {
        if self.left < 2 {
            return false;
        }
        self.wanting().into_iter().any(|job| self.pair(job))
    }

    fn pair(&mut self, job: usize) -> bool {
        let Some(was) = self.placing.unassign(job) else {
            return false;
        };
        let before = self.worth_of(job, &was);
        let class = self.placing.class_of[job];
        let hosts = Arc::clone(&self.placing.classes[class].forms[was.form].hosts);
        let anchored = (self.placing.jobs[job].stands.as_ref()).is_some_and(|s| s.anchored);
        for host in hosts.iter().map(|host| host as usize) {
            if self.placing.hosts[host].drained || (anchored && host != was.host) {
                continue;
            }
            for other in self.others(host) {
                if self.exchange((job, &was, &before), other, host) {
                    return true;
                }
                if self.steps == 0 {
                    self.placing.assign(job, was);
                    return false;
                }
            }
        }
        self.placing.assign(job, was);
        false
    }

    /// Who could leave a host: one of each class.
    fn others(&self, host: usize) -> Vec<usize> {
        let on_host = self.placing.on_host[host].iter();
        let mut classes = BTreeSet::new();
        on_host
            .filter(|other| self.may_move(**other))
            .filter(|other| classes.insert(self.placing.class_of[**other]))
            .copied()
            .collect()
    }

    /// One that has no place for now goes where another is, if that is better and the other finds a place as good as
    /// its own; else all is as before.
    fn exchange(
        &mut self,
        (job, was, before): (usize, &Assigned, &Worth),
        other: usize,
        host: usize,
    ) -> bool {
        let Some(steps) = self.steps.checked_sub(1) else {
            return false;
        };
        self.steps = steps;
        let Some(had) = self.placing.unassign(other) else {
            return false;
        };
        let others_before = self.worth_of(other, &had);
        let found = self.there(job, was.form, host);
        if let Some((after, there)) = found.filter(|(after, _)| after < before) {
            self.placing.assign(job, there);
            if let Some((others_after, to)) = self.best(other, &had, |_, _| true) {
                let (all_before, all_after) =
                    (sum(before, &others_before), sum(&after, &others_after));
                if others_after <= others_before && all_after < all_before {
                    let moves = [(job, was.host, host), (other, had.host, to.host)];
                    self.placing.assign(other, to);
                    self.note(&moves, gains(&all_before, &all_after));
                    return true;
                }
            }
            self.placing.unassign(job);
        }
        self.placing.assign(other, had);
        false
    }

    /// What a host offers.
    fn there(&mut self, job: usize, form: usize, host: usize) -> Option<(Worth, Assigned)> {
        let class = self.placing.class_of[job];
        let forms = Arc::clone(&self.placing.classes[class].forms);
        let affinity = Arc::clone(&self.placing.classes[class].affinity);
        let placing = &self.placing;
        let forbidden = placing.crowd.forbids(&affinity, host, placing.hosts);
        forbidden.is_none().then_some(())?;
        let topology = &placing.hosts[host].topology;
        let fit = Arc::new(fit(topology, &placing.rooms[host], &forms[form].ask).ok()?);
        let worth = worth(&placing.priced(job, host, None, fit.cost));
        let to = Assigned {
            host,
            form,
            fit,
            stays: false,
        };
        Some((worth, to))
    }

    /// Empties hosts that others can take the load of, the least used first.
    fn fewer_hosts(&mut self) {
        let used = |placing: &Placing<'_>, host: usize| placing.on_host[host].len();
        let mut hosts: Vec<usize> = (0..self.placing.hosts.len())
            .filter(|host| used(&self.placing, *host) > 0)
            .collect();
        hosts.sort_by_key(|host| (used(&self.placing, *host), *host));
        for host in hosts {
            self.empty(host);
        }
    }

    fn empty(&mut self, host: usize) {
        let jobs = self.placing.on_host[host].clone();
        if jobs.len() > self.left || !jobs.iter().all(|job| self.may_move(*job)) {
            return;
        }
        let in_use = |placing: &Placing<'_>| {
            let on_host = placing.on_host.iter();
            on_host.filter(|jobs| !jobs.is_empty()).count() as u64
        };
        let hosts_before = in_use(&self.placing);
        let mut done: Vec<(usize, Assigned)> = Vec::new();
        let (mut before, mut after) = (Worth::default(), Worth::default());
        let mut moves = Vec::new();
        for job in self.placing.hardest_first(jobs) {
            let found = self.elsewhere(job);
            let Some((was, own, (worth, to))) = found else {
                self.undo(done);
                return;
            };
            (before, after) = (sum(&before, &own), sum(&after, &worth));
            moves.push((job, was.host, to.host));
            self.placing.assign(job, to);
            done.push((job, was));
        }
        let mut gains = gains(&before, &after);
        gains.push(Gain {
            tier: "hosts",
            before: hosts_before,
            after: in_use(&self.placing),
        });
        self.note(&moves, gains);
    }

    /// Takes one away that has as good a place on another host that is in use; else it is where it was.
    fn elsewhere(&mut self, job: usize) -> Option<(Assigned, Worth, (Worth, Assigned))> {
        self.steps = self.steps.checked_sub(1)?;
        let was = self.placing.unassign(job)?;
        let before = self.worth_of(job, &was);
        let home = was.host;
        let may =
            |placing: &Placing<'_>, host: usize| host != home && !placing.on_host[host].is_empty();
        match self.best(job, &was, may) {
            Some((after, to)) if after <= before => Some((was, before, (after, to))),
            _ => {
                self.placing.assign(job, was);
                None
            }
        }
    }

    fn undo(&mut self, done: Vec<(usize, Assigned)>) {
        for (job, _) in &done {
            self.placing.unassign(*job);
        }
        for (job, was) in done {
            self.placing.assign(job, was);
        }
    }

    /// Whether it was not moved by now, and nobody must be with it: they would be left behind.
    fn may_move(&self, job: usize) -> bool {
        let of = &self.placing.jobs[job].affinity.groups;
        !self.moved.contains(&job) && !of.iter().any(|group| self.company.contains(group))
    }

    /// What a place is worth to one that is not there.
    fn worth_of(&self, job: usize, at: &Assigned) -> Worth {
        let ask = &self.placing.jobs[job].forms[at.form].ask;
        let topology = &self.placing.hosts[at.host].topology;
        let cost = price(topology, &self.placing.rooms[at.host], ask, &at.fit);
        worth(&self.placing.priced(job, at.host, None, cost))
    }

    fn note(&mut self, moves: &[(usize, usize, usize)], gains: Vec<Gain>) {
        self.left -= moves.len();
        self.moved.extend(moves.iter().map(|(job, _, _)| *job));
        let moves = moves
            .iter()
            .map(|(job, from, to)| Move {
                job: *job,
                from: *from,
                to: *to,
            })
            .collect();
        self.improvements.push(Improvement { moves, gains });
    }
}

fn gains(before: &Worth, after: &Worth) -> Vec<Gain> {
    let tiers = criteria().zip(before.iter().zip(after));
    let gains = tiers.map(|(tier, (before, after))| Gain {
        tier,
        before: *before,
        after: *after,
    });
    gains.filter(|gain| gain.before != gain.after).collect()
}
