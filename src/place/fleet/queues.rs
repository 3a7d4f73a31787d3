//! New jobs of one class: hosts stand in the order of their price, and only the one that was taken changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Assigned;
use super::affinity::Wants;
use super::greedy::{Placing, Price};
use crate::fit::Fit;

impl Placing<'_> {
    /// Places them, as many as can be. What the class wants of wider domains than a host is the same for all hosts of
    /// one, and looked at for the first only.
    pub(super) fn place_class(&mut self, class: usize, jobs: &[usize]) {
        let mut jobs = jobs.iter().copied().peekable();
        let forms = Arc::clone(&self.classes[class].forms);
        let affinity = Arc::clone(&self.classes[class].affinity);
        // Beside company the price falls, too, and not only where one was placed.
        let drawn = affinity.rules.iter().any(|r| r.wants == Wants::Together)
            || affinity.groups.iter().any(|group| self.crowd.draws(*group));
        for position in 0..forms.len() {
            if jobs.peek().is_none() {
                return;
            }
            let mut queues = self.queues(class, position);
            while let (Some(_), Some(queue)) = (jobs.peek(), self.cheapest(class, &queues)) {
                let Some(price) = queues[queue].pop_first() else {
                    break;
                };
                let now = self.own_price(class, position, price.host);
                let Some((now, fit)) = now else { continue };
                // Where others matter, the price may have risen since.
                if now > price {
                    queues[queue].insert(now);
                    continue;
                }
                let job = jobs.next().unwrap_or_default();
                self.assign(
                    job,
                    Assigned {
                        host: price.host,
                        form: position,
                        fit,
                        stays: false,
                    },
                );
                if drawn {
                    queues = self.queues(class, position);
                } else {
                    let again = self.own_price(class, position, price.host);
                    queues[queue].extend(again.map(|(price, _)| price));
                }
            }
        }
    }

    /// All hosts that can take one of a class, apart by their domains.
    fn queues(&mut self, class: usize, form: usize) -> Vec<BTreeSet<Price>> {
        let scopes = self.crowd.scopes(&self.classes[class].affinity);
        let hosts = Arc::clone(&self.classes[class].forms[form].hosts);
        let mut queues: BTreeMap<Vec<Option<u32>>, BTreeSet<Price>> = BTreeMap::new();
        for host in hosts.iter().map(|host| host as usize) {
            if let Some((price, _)) = self.own_price(class, form, host) {
                let domains = &self.hosts[host].domains;
                let of = |scope: &usize| domains.get(*scope).copied().flatten();
                let domains = scopes.iter().map(of).collect();
                queues.entry(domains).or_default().insert(price);
            }
        }
        queues.into_values().collect()
    }

    /// As [`Self::price`], without what is the same for all of its domains.
    fn own_price(&mut self, class: usize, form: usize, host: usize) -> Option<(Price, Arc<Fit>)> {
        let (price, fit) = self.price(class, form, host, None)?;
        let affinity = price.affinity - self.wide(class, host);
        Some((Price { affinity, ..price }, fit))
    }

    /// Of the price of a host what is that of its domains.
    fn wide(&self, class: usize, host: usize) -> u32 {
        let affinity = &self.classes[class].affinity;
        self.crowd.wide_price(affinity, host, self.hosts)
    }

    /// Of queues of hosts the one with the cheapest.
    fn cheapest(&self, class: usize, queues: &[BTreeSet<Price>]) -> Option<usize> {
        if let [queue] = queues {
            return (!queue.is_empty()).then_some(0);
        }
        let first = |(position, queue): (usize, &BTreeSet<Price>)| {
            let price = *queue.first()?;
            let affinity = price.affinity + self.wide(class, price.host);
            Some((Price { affinity, ..price }, position))
        };
        let first = queues.iter().enumerate().filter_map(first).min();
        first.map(|(_, position)| position)
    }
}
