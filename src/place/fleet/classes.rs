//! Equal workloads and equal hosts: what is found for one holds for all of its class.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::{Affinity, Form, Host, Job};
use crate::ask::Ask;
use crate::fit::{Fit, fit};
use crate::refusal::Constraint;
use crate::room::Room;

/// Jobs that are equal to placing.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) forms: Arc<[Form]>,
    pub(super) affinity: Arc<Affinity>,
    pub(super) priority: i32,
    /// Positions.
    pub(super) jobs: Vec<usize>,
}

impl Class {
    pub(super) fn of(job: &Job) -> Self {
        Self {
            forms: Arc::clone(&job.forms),
            affinity: Arc::clone(&job.affinity),
            priority: job.priority,
            jobs: Vec::new(),
        }
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        (self.priority, &self.forms, &self.affinity)
            == (other.priority, &other.forms, &other.affinity)
    }
}

fn number(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The classes of jobs, in the order of their first jobs, and the class of each.
pub(super) fn classes(jobs: &[Job]) -> (Vec<Class>, Vec<usize>) {
    let mut known: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    let mut shared: BTreeMap<(usize, usize, i32), usize> = BTreeMap::new();
    let mut classes: Vec<Class> = Vec::new();
    let mut of = Vec::with_capacity(jobs.len());
    for (position, job) in jobs.iter().enumerate() {
        // Most equal ones share what they are: no need to look into them.
        let pointers = (
            job.forms.as_ptr() as usize,
            Arc::as_ptr(&job.affinity) as usize,
            job.priority,
        );
        let class = *shared.entry(pointers).or_insert_with(|| {
            let alike = known
                .entry(number(&(&job.forms, &job.affinity, job.priority)))
                .or_default();
            let class = Class::of(job);
            let same = alike
                .iter()
                .copied()
                .find(|other| classes[*other].same(&class));
            same.unwrap_or_else(|| {
                classes.push(class);
                alike.push(classes.len() - 1);
                classes.len() - 1
            })
        });
        classes[class].jobs.push(position);
        of.push(class);
    }
    (classes, of)
}

/// A number for a room on its topology; equal rooms have equal ones.
pub(super) fn fingerprint(host: &Host, room: &Room) -> u64 {
    number(&(Arc::as_ptr(&host.topology) as usize, room))
}

/// What was found before, for equal rooms. It is only ever asked for what is in it, never walked through.
#[derive(Debug, Default)]
pub(super) struct Memo {
    known: BTreeMap<(u64, usize, usize), Vec<Known>>,
    size: usize,
}

#[derive(Debug)]
struct Known {
    topology: usize,
    room: Arc<Room>,
    found: Found,
}

pub(super) type Found = Result<Arc<Fit>, Arc<Constraint>>;

/// Rooms that are remembered at most: beyond, all is forgotten and found again.
const MOST: usize = 40_000;

impl Memo {
    /// Fits a form of a class into a host, whose room has this fingerprint; with a room that is equal to it.
    pub(super) fn fit(
        &mut self,
        key: (u64, usize, usize),
        host: &Host,
        room: &Arc<Room>,
        ask: &Ask,
    ) -> (Found, Arc<Room>) {
        let topology = Arc::as_ptr(&host.topology) as usize;
        let same =
            |k: &&Known| k.topology == topology && (Arc::ptr_eq(&k.room, room) || k.room == *room);
        if let Some(known) = self
            .known
            .get(&key)
            .and_then(|known| known.iter().find(same))
        {
            return (known.found.clone(), Arc::clone(&known.room));
        }
        let found = fit(&host.topology, room, ask)
            .map(Arc::new)
            .map_err(Arc::new);
        if self.size >= MOST {
            self.known.clear();
            self.size = 0;
        }
        self.size += 1;
        self.known.entry(key).or_default().push(Known {
            topology,
            room: Arc::clone(room),
            found: found.clone(),
        });
        (found, Arc::clone(room))
    }
}
