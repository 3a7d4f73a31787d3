//! For a job that found no place: a host where another one could leave, because that one has a place elsewhere, too; or
//! several could. Counted in steps, so that the same comes out everywhere.

use std::cmp::Reverse;
use std::sync::Arc;

use super::greedy::Placing;
use super::{Assigned, Effort, Job};
use crate::fit::fit;
use crate::stand::keep;

/// Tries to place who has no place, the important and large ones first.
pub(super) fn improve(placing: &mut Placing<'_>, effort: Effort) {
    let mut steps = effort.steps;
    let mut open: Vec<usize> = (0..placing.jobs.len())
        .filter(|job| placing.assigned[*job].is_none())
        .collect();
    let class = |job: &usize| placing.first(placing.class_of[*job]);
    open.sort_by_key(|job| (-placing.jobs[*job].priority, class(job), *job));
    let mut hopeless: Vec<usize> = Vec::new();
    for job in open {
        let class = placing.class_of[job];
        if hopeless.contains(&class) {
            continue;
        }
        // Room may have come from the moves for another.
        if let Some((_, assigned)) = placing.best(job, |_| true) {
            placing.assign(job, assigned);
            continue;
        }
        // One move, then those of one host, then one for the other.
        let placed = chain(placing, job, effort, &mut steps, 1, &mut Vec::new())
            || several(placing, job, effort, &mut steps)
            || chain(placing, job, effort, &mut steps, DEPTH, &mut Vec::new());
        if !placed {
            hopeless.push(class);
        }
        if steps == 0 {
            placing.complete = false;
            return;
        }
    }
}

/// Who makes room for one, and who for that one.
const DEPTH: u32 = 3;

/// Places a job by moving others; nothing is changed where that fails.
fn chain(
    placing: &mut Placing<'_>,
    job: usize,
    effort: Effort,
    steps: &mut u32,
    depth: u32,
    moving: &mut Vec<usize>,
) -> bool {
    if depth == 0 {
        return false;
    }
    let forms = Arc::clone(&placing.classes[placing.class_of[job]].forms);
    moving.push(job);
    for (position, form) in forms.iter().enumerate() {
        for host in form.hosts.iter().map(|h| h as usize) {
            if placing.hosts[host].drained || anchored_elsewhere(placing, job, (host, position)) {
                continue;
            }
            for other in candidates(placing, host, job, effort, moving) {
                if *steps == 0 {
                    moving.pop();
                    return false;
                }
                *steps -= 1;
                if exchange(
                    placing,
                    (job, position),
                    other,
                    host,
                    effort,
                    steps,
                    depth,
                    moving,
                ) {
                    moving.pop();
                    return true;
                }
            }
        }
    }
    moving.pop();
    false
}

fn anchored_elsewhere(placing: &Placing<'_>, job: usize, place: (usize, usize)) -> bool {
    let stood = placing.jobs[job].stands.as_ref();
    stood.is_some_and(|s| s.anchored && (s.host, s.form) != place)
}

/// Places a job on a host that several others leave, each for a place that is free elsewhere.
fn several(placing: &mut Placing<'_>, job: usize, effort: Effort, steps: &mut u32) -> bool {
    let forms = Arc::clone(&placing.classes[placing.class_of[job]].forms);
    for (position, form) in forms.iter().enumerate() {
        for host in form.hosts.iter().map(|h| h as usize) {
            if placing.hosts[host].drained || anchored_elsewhere(placing, job, (host, position)) {
                continue;
            }
            let others = candidates(placing, host, job, effort, &[]);
            let room = placing.room_without(host, &others);
            let possible = fit(&placing.hosts[host].topology, &room, &form.ask).is_ok();
            if possible && leave(placing, (job, position), others, host, steps) {
                return true;
            }
        }
    }
    false
}

/// One after the other leaves a host that can until a job has a place there; nothing is changed where it gets none.
fn leave(
    placing: &mut Placing<'_>,
    (job, form): (usize, usize),
    mut others: Vec<usize>,
    host: usize,
    steps: &mut u32,
) -> bool {
    // So the fewest leave: new ones before those who stand, and those whose CPUs are their own, the largest first.
    let size = |other: &usize| {
        let stays = placing.assigned[*other].as_ref().is_some_and(|a| a.stays);
        let cpus = placing.jobs[*other].forms.first().map(|f| f.ask.cpus.count);
        (stays, placing.shares(*other), Reverse(cpus), *other)
    };
    others.sort_by_key(size);
    let mut gone: Vec<(usize, Assigned)> = Vec::new();
    for other in others {
        if *steps == 0 {
            break;
        }
        *steps -= 1;
        let Some(had) = placing.unassign(other) else {
            continue;
        };
        let Some((_, elsewhere)) = placing.best(other, |to| to != host) else {
            placing.assign(other, had);
            continue;
        };
        placing.assign(other, elsewhere);
        gone.push((other, had));
        if let Some((_, fit)) = placing.price(placing.class_of[job], form, host, None) {
            let assigned = Assigned {
                host,
                form,
                fit,
                stays: false,
            };
            placing.assign(job, assigned);
            come_back(placing, gone, job);
            return true;
        }
    }
    for (other, had) in gone.into_iter().rev() {
        placing.unassign(other);
        placing.assign(other, had);
    }
    false
}

/// Who left a host for a job, and did not have to, has the place again that he had.
fn come_back(placing: &mut Placing<'_>, gone: Vec<(usize, Assigned)>, job: usize) {
    for (other, had) in gone {
        let Job {
            forms, affinity, ..
        } = &placing.jobs[other];
        let topology = &placing.hosts[had.host].topology;
        let room = &placing.rooms[had.host];
        let standing = had.fit.standing(topology);
        let kept = keep(topology, room, &forms[had.form].ask, &standing);
        let forbidden = placing.crowd.forbids(affinity, had.host, placing.hosts);
        if kept.is_some() && forbidden.is_none() {
            placing.unassign(other);
            placing.assign(other, had);
        } else {
            placing.made_room.insert(other, job);
        }
    }
}

/// Who could leave a host for a job: nobody who is more important, new ones before those who stand.
fn candidates(
    placing: &Placing<'_>,
    host: usize,
    job: usize,
    effort: Effort,
    moving: &[usize],
) -> Vec<usize> {
    let priority = placing.jobs[job].priority;
    let may = |other: &&usize| {
        let stays = placing.assigned[**other].as_ref().is_some_and(|a| a.stays);
        !moving.contains(other)
            && placing.jobs[**other].priority <= priority
            && (effort.moves || !stays)
    };
    let mut others: Vec<usize> = placing.on_host[host].iter().filter(may).copied().collect();
    let key = |other: &usize| {
        let stays = placing.assigned[*other].as_ref().is_some_and(|a| a.stays);
        (stays, placing.first(placing.class_of[*other]), *other)
    };
    others.sort_by_key(key);
    others
}

#[expect(clippy::too_many_arguments, reason = "the state of one recursion")]
fn exchange(
    placing: &mut Placing<'_>,
    (job, form): (usize, usize),
    other: usize,
    host: usize,
    effort: Effort,
    steps: &mut u32,
    depth: u32,
    moving: &mut Vec<usize>,
) -> bool {
    let room = placing.room_without(host, &[other]);
    let ask = &placing.classes[placing.class_of[job]].forms[form].ask;
    let Ok(found) = fit(&placing.hosts[host].topology, &room, ask) else {
        return false;
    };
    let Some(had) = placing.unassign(other) else {
        return false;
    };
    if placing
        .crowd
        .forbids(&placing.jobs[job].affinity, host, placing.hosts)
        .is_none()
    {
        placing.assign(
            job,
            Assigned {
                host,
                form,
                fit: Arc::new(found),
                stays: false,
            },
        );
        if let Some((_, assigned)) = placing.best(other, |_| true) {
            placing.assign(other, assigned);
            placing.made_room.insert(other, job);
            return true;
        }
        if chain(placing, other, effort, steps, depth - 1, moving) {
            placing.made_room.insert(other, job);
            return true;
        }
        placing.unassign(job);
    }
    placing.assign(other, had);
    false
}
