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
        for class in 0..self.classes.len() {
            let jobs = self.classes[class].jobs.clone();
            let new = |job: &usize| self.assigned[*job].as_ref().is_none_or(|a| !a.stays);
            let new: Vec<usize> = jobs.into_iter().filter(new).collect();
            if new.is_empty() {
                continue;
            }
            let all = self.reasons(class);
            let why = Arc::new(all.clone());
            let mut by_place: BTreeMap<(usize, usize), Arc<Vec<Reason>>> = BTreeMap::new();
            let mut refused = Vec::new();
            for job in new {
                let Some(assigned) = &self.assigned[job] else {
                    refused.push(job);
                    continue;
                };
                let place = (assigned.form, assigned.host);
                let passed = by_place
                    .entry(place)
                    .or_insert_with(|| Arc::new(others(&all, place)));
                if !passed.is_empty() {
                    outcome.passed_over.insert(job, Arc::clone(passed));
                }
            }
            if !refused.is_empty() {
                outcome.refused.push(Refusal { jobs: refused, why });
            }
        }
        (outcome.assigned, outcome.rooms) = (self.assigned, self.rooms);
        outcome
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

/// Reasons of preferred forms, and of this one on other hosts.
fn others(reasons: &[Reason], (form, host): (usize, usize)) -> Vec<Reason> {
    let host = u32::try_from(host).unwrap_or(u32::MAX);
    let mut others: Vec<Reason> = reasons.iter().filter(|r| r.form <= form).cloned().collect();
    for reason in others.iter_mut().filter(|r| r.form == form) {
        reason.hosts.remove(host);
    }
    others.retain(|r| !r.hosts.is_empty());
    others
}
