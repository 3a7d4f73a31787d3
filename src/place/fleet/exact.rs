//! A few workloads that stand in each other's way: every place of every one of them, until all have one. What it does
//! not find is not there.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::affinity::{Crowd, Rule};
use super::greedy::Placing;
use super::{Assigned, Effort, Form};
use crate::fit::Search;
use crate::room::Room;
use crate::stand::keep;

/// Workloads and hosts that are looked at together at most, and places of one workload on one host.
const MOST_JOBS: usize = 12;
const MOST_HOSTS: usize = 8;
const MOST_PLACES: usize = 400;

/// A group that may find places together.
struct Group<'p, 'a> {
    placing: &'p Placing<'a>,
    jobs: Vec<usize>,
    hosts: Vec<usize>,
    rooms: Vec<Room>,
    chosen: Vec<Assigned>,
    steps: u32,
    /// Every place was looked at.
    complete: bool,
}

/// Tries every way for those who are left; false where not everything could be looked at.
pub(super) fn solve(placing: &mut Placing<'_>, effort: Effort) -> bool {
    let mut complete = true;
    let open: Vec<usize> = (0..placing.jobs.len())
        .filter(|job| placing.assigned[*job].is_none())
        .collect();
    let mut steps = effort.steps / 10;
    for job in open {
        if placing.assigned[job].is_some() {
            continue;
        }
        // Those who wait for its company first come with it.
        let waiting = waiting(placing, job);
        let together = waiting.len() > 1 && all_ways(placing, &waiting, effort, &mut steps).0;
        if !together {
            complete &= all_ways(placing, &[job], effort, &mut steps).1;
        }
    }
    complete
}

/// All without a place whom rules tie to this one, and itself.
fn waiting(placing: &Placing<'_>, job: usize) -> Vec<usize> {
    let affinity = |job: usize| &placing.jobs[job].affinity;
    let about = |one: usize, other: usize| {
        let mut rules = affinity(one).rules.iter();
        rules.any(|rule| rule.binds() && affinity(other).groups.contains(&rule.group))
    };
    if affinity(job).groups.is_empty() && affinity(job).rules.is_empty() {
        return vec![job];
    }
    let mut tied = vec![job];
    let mut next = vec![job];
    while let Some(one) = next.pop() {
        for other in 0..placing.jobs.len() {
            let open = placing.assigned[other].is_none() && !tied.contains(&other);
            if open && (about(one, other) || about(other, one)) {
                tied.push(other);
                next.push(other);
            }
        }
        if tied.len() > MOST_JOBS {
            return vec![job];
        }
    }
    tied
}

/// Tries every way for these, and for those in their way: whether one was found, and else whether all were looked at.
fn all_ways(
    placing: &mut Placing<'_>,
    open: &[usize],
    effort: Effort,
    steps: &mut u32,
) -> (bool, bool) {
    let Some((jobs, hosts)) = around(placing, open, effort) else {
        return (false, false);
    };
    let rooms = hosts
        .iter()
        .map(|host| placing.room_without(*host, &jobs))
        .collect();
    let mut group = Group {
        placing,
        jobs,
        hosts,
        rooms,
        chosen: Vec::new(),
        steps: *steps,
        complete: true,
    };
    let solved = group.descend();
    let Group {
        jobs,
        chosen,
        complete,
        steps: left,
        ..
    } = group;
    *steps = left;
    if solved {
        for other in &jobs {
            placing.unassign(*other);
        }
        for (job, assigned) in jobs.into_iter().zip(chosen) {
            if !open.contains(&job) {
                placing
                    .made_room
                    .extend(open.first().map(|for_whom| (job, *for_whom)));
            }
            placing.assign(job, assigned);
        }
    }
    (solved, complete || solved)
}

/// Who could make room for these, with the hosts of all of them: all that is reached from one to the other.
fn around(
    placing: &Placing<'_>,
    open: &[usize],
    effort: Effort,
) -> Option<(Vec<usize>, Vec<usize>)> {
    let mut jobs: BTreeSet<usize> = open.iter().copied().collect();
    let mut hosts: BTreeSet<usize> = BTreeSet::new();
    let mut next = open.to_vec();
    while let Some(job) = next.pop() {
        for host in placing.jobs[job]
            .forms
            .iter()
            .flat_map(|form| form.hosts.iter())
            .map(|h| h as usize)
        {
            if placing.hosts[host].drained || !hosts.insert(host) {
                continue;
            }
            if hosts.len() > MOST_HOSTS {
                return None;
            }
            for other in &placing.on_host[host] {
                let stays = placing.assigned[*other].as_ref().is_some_and(|a| a.stays);
                let lower = placing.jobs[*other].priority <= placing.jobs[job].priority;
                if (!stays || effort.moves) && lower && jobs.insert(*other) {
                    next.push(*other);
                }
            }
            if jobs.len() > MOST_JOBS {
                return None;
            }
        }
    }
    Some((
        placing.hardest_first(jobs.into_iter().collect()),
        hosts.into_iter().collect(),
    ))
}

impl Group<'_, '_> {
    /// Whether the jobs from here on all find places.
    fn descend(&mut self) -> bool {
        let Some(job) = self.jobs.get(self.chosen.len()).copied() else {
            return self.keeps_company();
        };
        let forms = Arc::clone(&self.placing.jobs[job].forms);
        if self.where_it_is(job, &forms) {
            return true;
        }
        let stood = self.placing.jobs[job].stands.as_ref();
        for (position, form) in forms.iter().enumerate() {
            for at in 0..self.hosts.len() {
                let host = self.hosts[at];
                let may = form.hosts.contains(u32::try_from(host).unwrap_or(u32::MAX));
                if !may
                    || stood.is_some_and(|s| s.anchored && (s.host, s.form) != (host, position))
                    || !self.agrees(job, host)
                {
                    continue;
                }
                let topology = Arc::clone(&self.placing.hosts[host].topology);
                let before = self.rooms[at].clone();
                let (places, all) = Search::new(&topology, &before, &form.ask).all(MOST_PLACES);
                self.complete &= all;
                for fit in places {
                    if self.steps == 0 {
                        self.complete = false;
                        return false;
                    }
                    self.steps -= 1;
                    self.rooms[at].take(&topology, &fit);
                    self.chosen.push(Assigned {
                        host,
                        form: position,
                        fit: Arc::new(fit),
                        stays: false,
                    });
                    if self.descend() {
                        return true;
                    }
                    self.chosen.pop();
                    self.rooms[at] = before.clone();
                }
            }
        }
        false
    }

    /// The same with this one where it is now: who need not move does not.
    fn where_it_is(&mut self, job: usize, forms: &[Form]) -> bool {
        let Some(now) = self.placing.assigned[job].clone() else {
            return false;
        };
        let Some(at) = self.hosts.iter().position(|host| *host == now.host) else {
            return false;
        };
        let topology = Arc::clone(&self.placing.hosts[now.host].topology);
        let standing = now.fit.standing(&topology);
        let before = self.rooms[at].clone();
        let kept = keep(&topology, &before, &forms[now.form].ask, &standing);
        if self.steps == 0 || kept.is_none() || !self.agrees(job, now.host) {
            return false;
        }
        self.steps -= 1;
        self.rooms[at].take(&topology, &now.fit);
        self.chosen.push(now);
        if self.descend() {
            return true;
        }
        self.chosen.pop();
        self.rooms[at] = before;
        false
    }

    /// Whether it is apart from whom it must be, beside those who are chosen already. Its company may come later.
    fn agrees(&self, job: usize, host: usize) -> bool {
        let Placing { jobs, hosts, .. } = self.placing;
        let parts = self.crowd().parts(&jobs[job].affinity, host, hosts);
        parts.is_none()
    }

    /// Whether nobody is left behind by those he must be with, in the group or outside.
    fn keeps_company(&self) -> bool {
        let Placing { jobs, hosts, .. } = self.placing;
        let crowd = self.crowd();
        let chosen = self.jobs.iter().zip(&self.chosen);
        let chosen = chosen.map(|(job, assigned)| (*job, assigned));
        let assigned = self.placing.assigned.iter().enumerate();
        let outside = assigned.filter(|(job, _)| !self.jobs.contains(job));
        let outside = outside.filter_map(|(job, assigned)| Some((job, assigned.as_ref()?)));
        chosen
            .chain(outside)
            .filter(|(job, _)| jobs[*job].affinity.rules.iter().any(Rule::binds))
            .all(|(job, assigned)| crowd.is_kept(&jobs[job].affinity, assigned.host, hosts))
    }

    /// Who is where, were it as it is chosen so far.
    fn crowd(&self) -> Crowd {
        let Placing {
            jobs,
            hosts,
            assigned,
            ..
        } = self.placing;
        let mut crowd = self.placing.crowd.clone();
        for other in &self.jobs {
            if let Some(assigned) = &assigned[*other] {
                crowd.remove(&jobs[*other].affinity, assigned.host, hosts);
            }
        }
        for (other, assigned) in self.jobs.iter().zip(&self.chosen) {
            crowd.add(&jobs[*other].affinity, assigned.host, hosts);
        }
        crowd
    }
}
