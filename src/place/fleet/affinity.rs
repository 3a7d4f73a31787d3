//! Who may be near whom: groups of workloads, and the domains of hosts (the host itself, a rack, a room …).

use std::collections::BTreeMap;

use super::{Affinity, Host};
use crate::refusal::Constraint;

/// A number of a kind of domain; the first is the host itself.
pub type Scope = usize;

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// Whom it is about.
    pub group: u32,
    pub scope: Scope,
    pub wants: Wants,
    /// Whether it must be so, or only where it can.
    pub required: bool,
}

/// What is wanted of one domain and a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wants {
    /// None of the group in its domain.
    Apart,
    /// Some of the group in its domain, where there are any.
    Together,
    /// As few of the group in its domain as in any.
    Spread,
}

/// Who is where.
#[derive(Clone, Debug, Default)]
pub(super) struct Crowd {
    /// (group, scope, domain) → members there.
    members: BTreeMap<(u32, Scope, u32), u32>,
    /// The same of those who want none of the group there.
    averse: BTreeMap<(u32, Scope, u32), u32>,
    /// Members in all.
    all: BTreeMap<u32, u32>,
}

impl Crowd {
    pub(super) fn add(&mut self, affinity: &Affinity, host: usize, hosts: &[Host]) {
        self.change(affinity, host, hosts, |count| *count += 1);
    }

    pub(super) fn remove(&mut self, affinity: &Affinity, host: usize, hosts: &[Host]) {
        self.change(affinity, host, hosts, |count| {
            *count = count.saturating_sub(1)
        });
    }

    fn change(&mut self, affinity: &Affinity, host: usize, hosts: &[Host], with: fn(&mut u32)) {
        for group in &affinity.groups {
            for (scope, domain) in domains(host, hosts) {
                with(self.members.entry((*group, scope, domain)).or_default());
            }
            with(self.all.entry(*group).or_default());
        }
        for rule in affinity
            .rules
            .iter()
            .filter(|r| r.wants == Wants::Apart && r.required)
        {
            if let Some(domain) = domain(host, rule.scope, hosts) {
                with(
                    self.averse
                        .entry((rule.group, rule.scope, domain))
                        .or_default(),
                );
            }
        }
    }

    /// What forbids it there.
    pub(super) fn forbids(
        &self,
        affinity: &Affinity,
        host: usize,
        hosts: &[Host],
    ) -> Option<Constraint> {
        let averse = |group: &u32| {
            let there = domains(host, hosts).find(|(scope, domain)| {
                let known = self.averse.get(&(*group, *scope, *domain));
                known.is_some_and(|n| *n > 0)
            });
            there.map(|(scope, _)| scope)
        };
        if let Some(scope) = affinity.groups.iter().find_map(averse) {
            return Some(Constraint::Apart { scope });
        }
        let mut required = affinity.rules.iter().filter(|r| r.required);
        required.find_map(|rule| {
            let there = domain(host, rule.scope, hosts).map(|domain| self.members(rule, domain));
            match rule.wants {
                // A domain nobody knows may be the same.
                Wants::Apart if there.is_none_or(|n| n > 0) => {
                    Some(Constraint::Apart { scope: rule.scope })
                }
                Wants::Together if there.is_none_or(|n| n == 0) && self.anywhere(rule.group) => {
                    Some(Constraint::Together {
                        why: "those it is to be with are elsewhere".to_owned(),
                    })
                }
                _ => None,
            }
        })
    }

    /// How much it is against its wishes there.
    pub(super) fn price(&self, affinity: &Affinity, host: usize, hosts: &[Host]) -> u32 {
        self.prices(affinity, host, hosts, |_| true)
    }

    /// The same, of domains wider than the host alone.
    pub(super) fn wide_price(&self, affinity: &Affinity, host: usize, hosts: &[Host]) -> u32 {
        self.prices(affinity, host, hosts, |scope| scope > 0)
    }

    fn prices(
        &self,
        affinity: &Affinity,
        host: usize,
        hosts: &[Host],
        of: fn(Scope) -> bool,
    ) -> u32 {
        let price = affinity.rules.iter().filter(|r| of(r.scope)).map(|rule| {
            let there =
                domain(host, rule.scope, hosts).map_or(0, |domain| self.members(rule, domain));
            match rule.wants {
                Wants::Apart | Wants::Spread => there,
                Wants::Together => u32::from(there == 0 && self.anywhere(rule.group)),
            }
        });
        price.sum()
    }

    fn members(&self, rule: &Rule, domain: u32) -> u32 {
        self.members
            .get(&(rule.group, rule.scope, domain))
            .copied()
            .unwrap_or(0)
    }

    fn anywhere(&self, group: u32) -> bool {
        self.all.get(&group).is_some_and(|n| *n > 0)
    }
}

fn domain(host: usize, scope: Scope, hosts: &[Host]) -> Option<u32> {
    match scope {
        0 => u32::try_from(host).ok(),
        _ => hosts[host].domains.get(scope).copied().flatten(),
    }
}

fn domains(host: usize, hosts: &[Host]) -> impl Iterator<Item = (Scope, u32)> {
    let own = u32::try_from(host).ok().map(|host| (0, host));
    let others = hosts[host].domains.iter().enumerate().skip(1);
    own.into_iter()
        .chain(others.filter_map(|(scope, domain)| Some((scope, (*domain)?))))
}
