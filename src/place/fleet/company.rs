//! Who must be with others follows them: company is placed first, and whom it left behind gets another place or none.

use std::sync::Arc;

use super::affinity::Rule;
use super::greedy::Placing;

impl Placing<'_> {
    /// Takes their places from those of a class whose company is elsewhere; whether there were any.
    pub(super) fn loosen(&mut self, class: usize) -> bool {
        let affinity = Arc::clone(&self.classes[class].affinity);
        let mut loosened = false;
        for job in self.classes[class].jobs.clone() {
            let host = self.assigned[job].as_ref().map(|assigned| assigned.host);
            if host.is_some_and(|host| !self.crowd.is_kept(&affinity, host, self.hosts)) {
                self.unassign(job);
                loosened = true;
            }
        }
        loosened
    }

    /// Company that moved, or found a place at last, may have left some behind: they follow, or have no place. No other
    /// moves for that.
    pub(super) fn settle(&mut self) {
        let binds = |class: &usize| self.classes[*class].affinity.rules.iter().any(Rule::binds);
        let bound: Vec<usize> = self.in_order().into_iter().filter(binds).collect();
        for class in &bound {
            self.loosen(*class);
            for job in self.classes[*class].jobs.clone() {
                if self.assigned[job].is_none() {
                    self.replace(job);
                }
            }
        }
        // Who followed may have left others behind; they lose their places at most.
        while bound.iter().any(|class| self.loosen(*class)) {}
    }

    /// How many must be placed before a class, one after the other, because it must be with them. In a circle, which has
    /// no first, all are equal.
    pub(super) fn ranks(&self) -> Vec<usize> {
        let mut ranks = vec![0; self.classes.len()];
        let binding: Vec<usize> = (0..self.classes.len())
            .filter(|class| self.classes[*class].affinity.rules.iter().any(Rule::binds))
            .collect();
        // One round for each that may stand before another; a circle ends with the last.
        for _ in 0..binding.len() {
            for class in &binding {
                let rules = self.classes[*class].affinity.rules.iter();
                let groups: Vec<u32> = rules.filter(|r| r.binds()).map(|r| r.group).collect();
                let company = (0..self.classes.len()).filter(|other| {
                    let of = &self.classes[*other].affinity.groups;
                    other != class && groups.iter().any(|group| of.contains(group))
                });
                let after = company.map(|other| ranks[other] + 1).max().unwrap_or(0);
                ranks[*class] = after.min(binding.len());
            }
        }
        ranks
    }
}
