//! Who may be near whom: groups of workloads, and the domains of hosts (the host itself, a rack, a room …).

use std::collections::{BTreeMap, BTreeSet};

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

impl Rule {
    /// Whether it must be with others.
    pub(super) fn binds(&self) -> bool {
        self.required && self.wants == Wants::Together
    }
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
    /// The same of those who must have none of the group there.
    averse: BTreeMap<(u32, Scope, u32), u32>,
    /// And of those who would rather have none.
    shy: BTreeMap<(u32, Scope, u32), u32>,
    /// And of those who want some.
    drawn: BTreeMap<(u32, Scope, u32), u32>,
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
        for rule in &affinity.rules {
            let of = match (rule.wants, rule.required) {
                (Wants::Apart, true) => &mut self.averse,
                (Wants::Apart, false) => &mut self.shy,
                (Wants::Together, _) => &mut self.drawn,
                // Who spreads is spread among his like: they want the same.
                (Wants::Spread, _) => continue,
            };
            if let Some(domain) = domain(host, rule.scope, hosts) {
                with(of.entry((rule.group, rule.scope, domain)).or_default());
            }
        }
    }

    /// What forbids it there, with those who are placed by now.
    pub(super) fn forbids(
        &self,
        affinity: &Affinity,
        host: usize,
        hosts: &[Host],
    ) -> Option<Constraint> {
        let known = |scope: Scope| domain(host, scope, hosts).is_some();
        if let Some(scope) = self.parts(affinity, host, hosts) {
            return Some(match known(scope) {
                true => Constraint::Apart { scope },
                false => Constraint::Nowhere { scope },
            });
        }
        let mut binding = affinity.rules.iter().filter(|r| r.binds());
        binding.find_map(|rule| {
            let there = domain(host, rule.scope, hosts).map(|domain| self.members(rule, domain));
            let elsewhere = there.is_none_or(|n| n == 0) && self.anywhere(rule.group);
            elsewhere.then_some(match known(rule.scope) {
                true => Constraint::Elsewhere { scope: rule.scope },
                false => Constraint::Nowhere { scope: rule.scope },
            })
        })
    }

    /// The scope in which somebody is there whom it must be apart from, or who must be apart from it: nobody who comes
    /// later changes that.
    pub(super) fn parts(&self, affinity: &Affinity, host: usize, hosts: &[Host]) -> Option<Scope> {
        let averse = |group: &u32| {
            let there = domains(host, hosts).find(|(scope, domain)| {
                let known = self.averse.get(&(*group, *scope, *domain));
                known.is_some_and(|n| *n > 0)
            });
            there.map(|(scope, _)| scope)
        };
        let apart = |rule: &&Rule| {
            let there = domain(host, rule.scope, hosts).map(|domain| self.members(rule, domain));
            // A domain nobody knows may be the same.
            rule.required && rule.wants == Wants::Apart && there.is_none_or(|n| n > 0)
        };
        let averse = affinity.groups.iter().find_map(averse);
        averse.or_else(|| affinity.rules.iter().find(apart).map(|rule| rule.scope))
    }

    /// Whether those it must be with are in its domain, where there are any: another that came or went since may have
    /// changed that.
    pub(super) fn is_kept(&self, affinity: &Affinity, host: usize, hosts: &[Host]) -> bool {
        affinity.rules.iter().filter(|r| r.binds()).all(|rule| {
            let there = domain(host, rule.scope, hosts).map(|domain| self.members(rule, domain));
            let all = self.all.get(&rule.group).copied().unwrap_or(0);
            let own = u32::from(affinity.groups.contains(&rule.group));
            all <= own || there.is_some_and(|n| n > own)
        })
    }

    /// How much it is against its wishes there, and those of the others.
    pub(super) fn price(&self, affinity: &Affinity, host: usize, hosts: &[Host]) -> u32 {
        let missed = affinity
            .groups
            .iter()
            .filter(|group| self.is_missed_elsewhere(**group, host, hosts));
        let missed = u32::try_from(missed.count()).unwrap_or(u32::MAX);
        missed + self.scoped_price(affinity, host, hosts, |_| true)
    }

    /// What of it is the same for all hosts of equal domains in [`Self::scopes`].
    pub(super) fn wide_price(&self, affinity: &Affinity, host: usize, hosts: &[Host]) -> u32 {
        self.scoped_price(affinity, host, hosts, |scope| scope > 0)
    }

    fn scoped_price(
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
        let others = affinity.groups.iter().map(|group| {
            let there = domains(host, hosts).filter(|(scope, _)| of(*scope));
            let shy = there.map(|(scope, domain)| {
                let known = self.shy.get(&(*group, scope, domain));
                known.copied().unwrap_or(0)
            });
            shy.sum::<u32>()
        });
        price.sum::<u32>() + others.sum::<u32>()
    }

    /// The kinds of domains wider than a host that its own wishes, or those of the others who are placed, are about.
    pub(super) fn scopes(&self, affinity: &Affinity) -> BTreeSet<Scope> {
        let own = affinity.rules.iter().map(|rule| rule.scope);
        let others = affinity.groups.iter().flat_map(|group| {
            let of_group = (*group, 0, 0)..=(*group, Scope::MAX, u32::MAX);
            self.shy
                .range(of_group)
                .filter(|(_, count)| **count > 0)
                .map(|((_, scope, _), _)| *scope)
        });
        own.chain(others).filter(|scope| *scope > 0).collect()
    }

    /// Whether any of those who are placed want to be with the group.
    pub(super) fn draws(&self, group: u32) -> bool {
        let mut drawn = self
            .drawn
            .range((group, 0, 0)..=(group, Scope::MAX, u32::MAX));
        drawn.any(|(_, count)| *count > 0)
    }

    /// Whether some want to be with the group, have none of it, and would have none of it either were it here.
    fn is_missed_elsewhere(&self, group: u32, host: usize, hosts: &[Host]) -> bool {
        let mut missing = self
            .drawn
            .range((group, 0, 0)..=(group, Scope::MAX, u32::MAX))
            .filter(|(place, count)| {
                **count > 0 && self.members.get(place).is_none_or(|there| *there == 0)
            })
            .peekable();
        let here =
            |(place, _): (&(u32, Scope, u32), &u32)| domain(host, place.1, hosts) == Some(place.2);
        missing.peek().is_some() && !missing.any(here)
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
