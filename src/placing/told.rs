//! What placing said, in the plan's words: once for all to whom it was said.

use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::{HostName, Variant};
use infra_place::{Assigned, Host, Reason};

use super::affinity::Scopes;
use super::refusal::{Constraint, HostRefusal, with_gates};
use crate::choose::Choice;
use crate::inventory::Inventory;

/// Hosts that were as good as the one that a workload got, or better, and refuse it.
#[derive(Clone, Debug)]
pub struct PassedOver {
    /// Equal workloads share them; hosts in the order of their names.
    all: Arc<[HostRefusal]>,
    /// So many of them are of variants that are no worse.
    count: usize,
    /// What it got: that this refuses another one is not told of it.
    variant: Variant,
    host: HostName,
}

impl PassedOver {
    /// Nothing where there are none.
    #[must_use]
    pub fn new(
        all: Arc<[HostRefusal]>,
        count: usize,
        (variant, host): (Variant, HostName),
    ) -> Option<Self> {
        let passed = Self {
            all,
            count,
            variant,
            host,
        };
        let any = passed.each().next().is_some();
        any.then_some(passed)
    }

    /// All; the host that it got is among those of its runtime where another one would not find room there.
    #[must_use]
    pub fn refusals(&self) -> &[HostRefusal] {
        &self.all[..self.count]
    }

    /// Each with how many hosts it is of and which, the one it got not among them.
    pub fn each(
        &self,
    ) -> impl Iterator<Item = (&HostRefusal, usize, impl Iterator<Item = &HostName>)> {
        let told = self.refusals().iter().map(move |refusal| {
            let own = move |host: &&HostName| self.is_own(refusal, host);
            let here =
                refusal.variant == self.variant && refusal.hosts.binary_search(&self.host).is_ok();
            let count = refusal.hosts.len() - usize::from(here);
            (
                refusal,
                count,
                refusal.hosts.iter().filter(move |h| !own(h)),
            )
        });
        told.filter(|(_, count, _)| *count > 0)
    }

    fn is_own(&self, refusal: &HostRefusal, host: &HostName) -> bool {
        refusal.variant == self.variant && *host == self.host
    }
}

/// Where there are more hosts than this, the first of them stand for all.
const ALL: usize = 12;
const FIRST: usize = 3;

/// Names of so many hosts; of many the first, and how many more there are.
pub fn names<'a>(count: usize, hosts: impl Iterator<Item = &'a HostName>) -> String {
    let told = if count > ALL { FIRST } else { count };
    let names: Vec<&str> = hosts.take(told).map(HostName::as_str).collect();
    match count - told {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// By what placing said, and as what it was said to.
type Known = BTreeMap<(usize, Vec<Variant>), Arc<[HostRefusal]>>;

pub(super) struct Told<'a> {
    hosts: &'a [Host],
    inventory: &'a Inventory,
    scopes: &'a Scopes,
    known: Known,
    /// The same together with what gates said.
    gated: BTreeMap<(usize, usize, Vec<Variant>), Arc<[HostRefusal]>>,
}

impl<'a> Told<'a> {
    pub(super) fn new(hosts: &'a [Host], inventory: &'a Inventory, scopes: &'a Scopes) -> Self {
        Self {
            hosts,
            inventory,
            scopes,
            known: Known::new(),
            gated: BTreeMap::new(),
        }
    }

    pub(super) fn passed_over(
        &mut self,
        reasons: &Arc<Vec<Reason>>,
        variants: &[Variant],
        got: &Assigned,
    ) -> Option<PassedOver> {
        let count = reasons.iter().take_while(|r| r.form <= got.form).count();
        let own = (variants[got.form], self.hosts[got.host].name.clone());
        PassedOver::new(self.all(reasons, variants), count, own)
    }

    /// `more` is told of this one alone.
    pub(super) fn refused(
        &mut self,
        reasons: &Arc<Vec<Reason>>,
        variants: &[Variant],
        choice: &Choice,
        more: Option<HostRefusal>,
    ) -> Arc<[HostRefusal]> {
        let all = self.all(reasons, variants);
        if more.is_some() {
            return with_gates(all.iter().cloned().chain(more).collect(), choice);
        }
        let gates = Arc::as_ptr(&choice.ruled_out).addr();
        let key = (Arc::as_ptr(reasons).addr(), gates, variants.to_vec());
        let with = || with_gates(all.to_vec(), choice);
        Arc::clone(self.gated.entry(key).or_insert_with(with))
    }

    fn all(&mut self, reasons: &Arc<Vec<Reason>>, variants: &[Variant]) -> Arc<[HostRefusal]> {
        let key = (Arc::as_ptr(reasons).addr(), variants.to_vec());
        if let Some(known) = self.known.get(&key) {
            return Arc::clone(known);
        }
        let told = reasons.iter().map(|reason| self.told(reason, variants));
        let told: Arc<[HostRefusal]> = told.collect();
        self.known.insert(key, Arc::clone(&told));
        told
    }

    fn told(&self, reason: &Reason, variants: &[Variant]) -> HostRefusal {
        let hosts = reason.hosts.iter();
        let refusal = HostRefusal {
            variant: variants[reason.form],
            hosts: hosts
                .map(|host| self.hosts[host as usize].name.clone())
                .collect(),
            constraint: Constraint::found(&reason.constraint, self.scopes),
        };
        let first = refusal.hosts.first();
        match first.and_then(|host| self.inventory.hosts.get(host)) {
            Some(host) => refusal.of_host(host),
            None => refusal,
        }
    }
}
