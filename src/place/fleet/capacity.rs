//! How many more of a shape a fleet takes, beside all that is placed.

use infra_api::IdSet;

use super::affinity::Crowd;
use super::{Affinity, Form, Host, Job, Outcome, Rule, Wants};
use crate::ask::Ask;
use crate::capacity::{Capacity, capacity};
use crate::refusal::Constraint;

/// What a fleet takes of one shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetCapacity {
    /// In all; none: without end.
    pub count: Option<u64>,
    /// Hosts that take as many in the same way, together; in the order of their first ones.
    pub hosts: Vec<(IdSet, Capacity)>,
}

/// How many more of these forms fit, the preferred ones first, where all are as they were placed. What one of them is
/// to others holds for those that are counted, too.
#[must_use]
pub fn fleet_capacity(
    hosts: &[Host],
    jobs: &[Job],
    outcome: &Outcome,
    (forms, affinity): (&[Form], &Affinity),
) -> FleetCapacity {
    let mut crowd = Crowd::default();
    for (job, assigned) in jobs.iter().zip(&outcome.assigned) {
        if let Some(assigned) = assigned {
            crowd.add(&job.affinity, assigned.host, hosts);
        }
    }
    let mut fleet = FleetCapacity {
        count: Some(0),
        hosts: Vec::new(),
    };
    // Equal rooms take the same: each is filled once.
    let mut known: Vec<(usize, Vec<usize>, Capacity)> = Vec::new();
    for (at, host) in hosts.iter().enumerate() {
        let position = u32::try_from(at).unwrap_or(u32::MAX);
        let here: Vec<usize> = (0..forms.len())
            .filter(|form| forms[*form].hosts.contains(position))
            .collect();
        if here.is_empty() {
            continue;
        }
        let none = |why: Constraint| Capacity {
            count: Some(0),
            on_nodes: Vec::new(),
            short: here.iter().map(|form| (*form, why.clone())).collect(),
            left: Vec::new(),
        };
        let found = if host.drained {
            none(Constraint::Drained)
        } else if let Some(why) = crowd.forbids(affinity, at, hosts) {
            none(why)
        } else {
            let same = known.iter().find(|(other, forms, _)| {
                let alike = std::sync::Arc::ptr_eq(&hosts[*other].topology, &host.topology);
                *forms == here && alike && outcome.rooms[*other] == outcome.rooms[at]
            });
            match same {
                Some((_, _, found)) => found.clone(),
                None => {
                    let found = of_host(host, &outcome.rooms[at], forms, &here);
                    known.push((at, here.clone(), found.clone()));
                    found
                }
            }
        };
        let found = alone(affinity, found);
        fleet.count = counted(&mut crowd, affinity, at, hosts, &found, fleet.count);
        match fleet.hosts.iter_mut().find(|(_, other)| *other == found) {
            Some((class, _)) => {
                class.insert(position);
            }
            None => fleet.hosts.push(([position].into(), found)),
        }
    }
    fleet
}

fn of_host(host: &Host, room: &crate::room::Room, forms: &[Form], here: &[usize]) -> Capacity {
    let asks: Vec<&Ask> = here.iter().map(|form| &forms[*form].ask).collect();
    let mut found = capacity(&host.topology, room, &asks);
    for (form, _) in &mut found.short {
        *form = here[*form];
    }
    found
}

/// Rules of one of them that are about its own group.
fn own(affinity: &Affinity) -> impl Iterator<Item = &Rule> {
    let of = |rule: &&Rule| affinity.groups.contains(&rule.group) && rule.required;
    affinity.rules.iter().filter(of)
}

/// Where no two of them may be on one host, one is all.
fn alone(affinity: &Affinity, found: Capacity) -> Capacity {
    let apart = own(affinity).find(|rule| rule.wants == Wants::Apart);
    let Some(rule) = apart.filter(|_| found.count != Some(0)) else {
        return found;
    };
    if found.count == Some(1) {
        return found;
    }
    let first = found.on_nodes.first().map(|(nodes, _)| (nodes.clone(), 1));
    Capacity {
        count: Some(1),
        on_nodes: first.into_iter().collect(),
        short: vec![(0, Constraint::Apart { scope: rule.scope })],
        left: Vec::new(),
    }
}

/// With those of a host that others of the fleet leave room for.
fn counted(
    crowd: &mut Crowd,
    affinity: &Affinity,
    host: usize,
    hosts: &[Host],
    found: &Capacity,
    before: Option<u64>,
) -> Option<u64> {
    let (before, here) = (before?, found.count?);
    if own(affinity).next().is_none() {
        return Some(before.saturating_add(here));
    }
    let mut more = 0;
    while more < here && crowd.forbids(affinity, host, hosts).is_none() {
        crowd.add(affinity, host, hosts);
        more += 1;
    }
    Some(before + more)
}
