//! What placing came to, with the reasons of those who found no place.

use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::IdSet;

use super::greedy::Placing;
use super::{Outcome, Reason, Refusal};
use crate::refusal::Constraint;

impl Placing<'_> {
    /// All that was found, with the reasons of those who found nothing.
    pub(super) fn finish(mut self) -> Outcome {
        let mut outcome = Outcome {
            complete: self.complete,
            ..Outcome::default()
        };
        (outcome.refused, outcome.passed_over) = self.told();
        let stays = |job: &usize| self.assigned[*job].as_ref().is_none_or(|a| a.stays);
        self.made_room
            .retain(|job, _| self.jobs[*job].stands.is_some() && !stays(job));
        outcome.made_room = std::mem::take(&mut self.made_room);
        (outcome.assigned, outcome.rooms) = (self.assigned, self.rooms);
        outcome
    }

    /// The reasons of those who found nothing, and those that others found who are placed anew.
    pub(super) fn told(&mut self) -> (Vec<Refusal>, BTreeMap<usize, Arc<Vec<Reason>>>) {
        let (mut refusals, mut passed_over) = (Vec::new(), BTreeMap::new());
        let mut order: Vec<usize> = (0..self.classes.len()).collect();
        order.sort_by_key(|class| self.first(*class));
        for class in order {
            let new = |job: &&usize| self.assigned[**job].as_ref().is_none_or(|a| !a.stays);
            let jobs = self.classes[class].jobs.iter();
            let new: Vec<usize> = jobs.filter(new).copied().collect();
            if new.is_empty() {
                continue;
            }
            let why = Arc::new(self.reasons(class));
            let mut jobs = Vec::new();
            for job in new {
                if self.assigned[job].is_none() {
                    jobs.push(job);
                } else if !why.is_empty() {
                    passed_over.insert(job, Arc::clone(&why));
                }
            }
            if !jobs.is_empty() {
                refusals.push(Refusal { jobs, why });
            }
        }
        (refusals, passed_over)
    }

    /// Why a class has no place, host by host, equal reasons together.
    fn reasons(&mut self, class: usize) -> Vec<Reason> {
        let forms = Arc::clone(&self.classes[class].forms);
        let affinity = Arc::clone(&self.classes[class].affinity);
        let mut reasons = Vec::new();
        for (position, form) in forms.iter().enumerate() {
            let mut of: BTreeMap<Constraint, IdSet> = BTreeMap::new();
            for host in &*form.hosts {
                let at = host as usize;
                let constraint = if self.hosts[at].drained {
                    Constraint::Drained
                } else if let Some(forbidden) = self.crowd.forbids(&affinity, at, self.hosts) {
                    forbidden
                } else {
                    match self.found(class, position, at) {
                        Ok(_) => continue,
                        Err(constraint) => (*constraint).clone(),
                    }
                };
                of.entry(constraint).or_default().insert(host);
            }
            reasons.extend(of.into_iter().map(|(constraint, hosts)| Reason {
                form: position,
                hosts,
                constraint,
            }));
        }
        reasons
    }
}
