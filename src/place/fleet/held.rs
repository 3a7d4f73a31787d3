//! A fleet that is held between changes: what a change does not concern is not looked at again. What comes of it is what
//! [`place`](super::place) would find, given everything that stands.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use infra_api::Address;

use super::affinity::Rule;
use super::classes::Class;
use super::greedy::Placing;
use super::{Affinity, Assigned, Effort, Host, Job, Outcome, Reason, Stood, open};

/// So many that change at once are placed like a new fleet.
const MOST: usize = 64;

/// Hosts, and all that is placed on them.
pub struct Fleet<'a> {
    placing: Placing<'a>,
    effort: Effort,
    /// Whether a job that runs as one of its forms may become nothing else and go nowhere else.
    anchored: fn(&Job, usize) -> bool,
    /// Jobs that were placed anew last time.
    new: Vec<usize>,
    /// Hosts that are looked at again next time: something came or went.
    touched: BTreeSet<usize>,
}

/// What a change came to. All others are where they were.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    /// Those who have a place that they had not before.
    pub assigned: BTreeMap<Address, Assigned>,
    /// Those who have none, and why, equal ones together.
    pub refused: Vec<(Vec<Address>, Arc<Vec<Reason>>)>,
    /// Of those who have a place now, what refuses another one like them.
    pub passed_over: BTreeMap<Address, Arc<Vec<Reason>>>,
    /// All that could be tried was tried.
    pub complete: bool,
}

impl<'a> Fleet<'a> {
    /// Places everything. Jobs are in the order of their names, each name once.
    #[must_use]
    pub fn new(
        hosts: &'a [Host],
        jobs: Vec<Job>,
        effort: Effort,
        anchored: fn(&Job, usize) -> bool,
    ) -> Self {
        let mut placing = Placing::new(hosts, Cow::Owned(jobs));
        placing.stay();
        open(&mut placing, effort);
        let mut fleet = Self {
            placing,
            effort,
            anchored,
            new: Vec::new(),
            touched: BTreeSet::new(),
        };
        fleet.note();
        fleet
    }

    /// Everything, in the order of the names.
    #[must_use]
    pub fn jobs(&self) -> &[Job] {
        &self.placing.jobs
    }

    /// Where everything is.
    #[must_use]
    pub fn assigned(&self) -> &[Option<Assigned>] {
        &self.placing.assigned
    }

    /// All that was found, as [`place`](super::place) says it.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        self.placing.finish()
    }

    /// Some are there no longer, others are new or ask for something else; all else stands.
    pub fn change(&mut self, gone: &[Address], come: Vec<Job>) -> Changed {
        self.settle();
        let standing = come.iter().any(|job| job.stands.is_some());
        let social = |job: &Job| *job.affinity != Affinity::default();
        let together = come.iter().any(|job| job.stands.is_some() && social(job));
        for name in gone.iter().chain(come.iter().map(|job| &job.name)) {
            if let Ok(job) = self.position(name) {
                self.remove(job);
            }
        }
        let many = gone.len() + come.len() > MOST;
        for job in come {
            self.insert(job);
        }
        self.placing.complete = true;
        if many || (standing && together) || self.binds() {
            // Who has to give way to whom, or has lost his company, may be another matter on hosts that nobody touched.
            self.anew();
        } else {
            self.again();
        }
        open(&mut self.placing, self.effort);
        self.note();
        self.told()
    }

    /// Whether any must be with others.
    fn binds(&self) -> bool {
        let mut rules = (self.placing.classes.iter()).flat_map(|class| &class.affinity.rules);
        rules.any(Rule::binds)
    }

    fn position(&self, name: &Address) -> Result<usize, usize> {
        self.placing.jobs.binary_search_by(|job| job.name.cmp(name))
    }

    /// What was placed stands.
    fn settle(&mut self) {
        for job in std::mem::take(&mut self.new) {
            let Some(assigned) = &self.placing.assigned[job] else {
                continue;
            };
            let (host, form) = (assigned.host, assigned.form);
            let standing = assigned.fit.standing(&self.placing.hosts[host].topology);
            let anchored = (self.anchored)(&self.placing.jobs[job], form);
            self.placing.jobs.to_mut()[job].stands = Some(Stood {
                host,
                form,
                standing: Arc::new(standing),
                anchored,
            });
        }
    }

    /// Keeps in mind what was placed anew.
    fn note(&mut self) {
        let assigned = self.placing.assigned.iter().enumerate();
        let new = assigned.filter(|(_, a)| a.as_ref().is_some_and(|a| !a.stays));
        self.new = new.map(|(job, _)| job).collect();
        for job in &self.new {
            self.touched
                .extend(self.placing.assigned[*job].as_ref().map(|a| a.host));
        }
    }

    /// Everything stays that may.
    fn anew(&mut self) {
        let jobs = std::mem::take(self.placing.jobs.to_mut());
        self.placing = Placing::new(self.placing.hosts, Cow::Owned(jobs));
        self.placing.stay();
        self.touched.clear();
    }

    /// Everything stays that may, on the hosts that were touched and of those without a place: elsewhere nothing is
    /// another than when it was found that all may stay.
    fn again(&mut self) {
        let open = (0..self.placing.jobs.len()).filter(|job| self.placing.assigned[*job].is_none());
        let open: Vec<usize> = open.collect();
        let stood = open
            .iter()
            .filter_map(|job| self.placing.jobs[*job].stands.as_ref());
        self.touched.extend(stood.map(|stood| stood.host));
        let mut jobs: BTreeSet<usize> = open.into_iter().collect();
        for host in std::mem::take(&mut self.touched) {
            jobs.extend(self.placing.clear(host));
        }
        let jobs: Vec<usize> = jobs.into_iter().collect();
        self.placing.stay_of(|_| jobs.iter().copied());
    }

    fn remove(&mut self, job: usize) {
        if let Some(assigned) = &self.placing.assigned[job] {
            let host = assigned.host;
            self.touched.insert(host);
            self.placing.on_host[host].retain(|other| *other != job);
            let affinity = &self.placing.jobs[job].affinity;
            self.placing
                .crowd
                .remove(affinity, host, self.placing.hosts);
        }
        let placing = &mut self.placing;
        let class = placing.class_of.remove(job);
        placing.classes[class].jobs.retain(|other| *other != job);
        placing.jobs.to_mut().remove(job);
        placing.assigned.remove(job);
        self.renumber(|other| if other > job { other - 1 } else { other });
    }

    fn insert(&mut self, job: Job) {
        let (Ok(at) | Err(at)) = self.position(&job.name);
        self.renumber(|other| if other >= at { other + 1 } else { other });
        let placing = &mut self.placing;
        let class = Class::of(&job);
        let known = placing.classes.iter().position(|known| known.same(&class));
        let number = known.unwrap_or_else(|| {
            placing.classes.push(class);
            placing.classes.len() - 1
        });
        let jobs = &mut placing.classes[number].jobs;
        let (Ok(place) | Err(place)) = jobs.binary_search(&at);
        jobs.insert(place, at);
        placing.class_of.insert(at, number);
        placing.assigned.insert(at, None);
        placing.jobs.to_mut().insert(at, job);
    }

    fn renumber(&mut self, number: impl Fn(usize) -> usize) {
        let classes = self.placing.classes.iter_mut().map(|class| &mut class.jobs);
        for jobs in self.placing.on_host.iter_mut().chain(classes) {
            jobs.iter_mut().for_each(|job| *job = number(*job));
        }
        self.new.iter_mut().for_each(|job| *job = number(*job));
    }

    fn told(&mut self) -> Changed {
        let (refused, passed_over) = self.placing.told();
        let name = |job: usize| self.placing.jobs[job].name.clone();
        let assigned = |job: &usize| {
            let assigned = self.placing.assigned[*job].clone()?;
            Some((name(*job), assigned))
        };
        Changed {
            assigned: self.new.iter().filter_map(assigned).collect(),
            refused: (refused.into_iter())
                .map(|r| (r.jobs.into_iter().map(name).collect(), r.why))
                .collect(),
            passed_over: (passed_over.into_iter())
                .map(|(job, why)| (name(job), why))
                .collect(),
            complete: self.placing.complete,
        }
    }
}
