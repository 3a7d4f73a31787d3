//! How well what gates left open suits a workload that needs something: which settings each runtime could have there, and
//! the order that comes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::{IdSet, Needs, Runtime, Setting, Settings, Variant};
use infra_suitability::{Evidence, Ranking, Table, Turn, excluded, rank, turns};

use super::hosts::Hosts;
use super::kinds::Kinds;
use super::settings::{self, Networks};
use super::{Possible, RuledOut, Witness};
use crate::declared::Workload;

/// How candidates suit, with all that led to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suited {
    pub needs: Needs,
    /// The best first, all hosts together.
    pub ranking: Ranking,
    /// What a need excludes, and why.
    pub excluded: Vec<(Variant, String)>,
    /// Settings that a need asks for, and hosts that have not what they take.
    pub lacking: Vec<Lacking>,
    /// What would turn the choice, the nearest first.
    pub turns: Vec<Turn>,
    /// The best of those that only the person's `runtime` closes to, where it is better than the best that is left.
    pub better: Option<Better>,
    /// Files that speak of it.
    pub witnesses: Vec<Witness>,
}

/// A setting that hosts have not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    pub runtime: Runtime,
    pub setting: Setting,
    pub hosts: Hosts,
    pub why: String,
}

/// A variant that suits better than what was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Better {
    pub variant: Variant,
    /// Its score, and that of the best with the named runtime, as they are shown.
    pub score: String,
    pub named: String,
}

/// What a workload could be, and which hosts have not what more it would take.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Could {
    pub(super) variants: BTreeMap<Variant, Where>,
    lacking: BTreeMap<(Runtime, Setting, String), IdSet>,
}

/// Where a variant is possible.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Where {
    /// Of its settings those that are not declared.
    added: Settings,
    hosts: IdSet,
}

impl Could {
    /// Adds what a runtime could have on some hosts.
    pub(super) fn extend(
        &mut self,
        (workload, runtime): (&Workload, Runtime),
        hosts: &IdSet,
        (kinds, named): (&Kinds<'_>, &IdSet),
        (table, networks): (&Table, &Networks),
    ) {
        let given = settings::given(workload, runtime, networks);
        let wanted = table.wanted(runtime, &workload.suits.needs).minus(given);
        let open = settings::open(workload, runtime, wanted);
        for (host, part) in kinds.without(named) {
            let part = &*part & hosts;
            if part.is_empty() {
                continue;
            }
            let mut offered = Settings::NONE;
            for setting in open.iter() {
                match settings::lacks(setting, workload, runtime, host) {
                    None => offered = offered.and(setting),
                    Some(why) => {
                        let known = self.lacking.entry((runtime, setting, why)).or_default();
                        *known = &*known | &part;
                    }
                }
            }
            let claims = offered.common(settings::claims());
            for some in subsets(claims) {
                let added = offered.minus(claims).both(some);
                let with = given.both(added);
                let known = self.variants.entry(Variant { runtime, with }).or_default();
                known.added = added;
                known.hosts = &known.hosts | &part;
            }
        }
    }

    fn told(&self, all: &Hosts) -> Vec<Lacking> {
        let told = self
            .lacking
            .iter()
            .map(|((runtime, setting, why), hosts)| Lacking {
                runtime: *runtime,
                setting: *setting,
                hosts: all.part(hosts.clone()),
                why: why.clone(),
            });
        told.collect()
    }
}

/// All of them, and every part of them.
fn subsets(settings: Settings) -> Vec<Settings> {
    let each = settings.iter();
    each.fold(vec![Settings::NONE], |subsets, setting| {
        let with = subsets.iter().map(|some| some.and(setting));
        let with: Vec<Settings> = with.collect();
        subsets.into_iter().chain(with).collect()
    })
}

/// Orders what is possible; what a need excludes is ruled out, runtime by runtime where nothing else is left of it.
pub(super) fn suited(
    workload: &Workload,
    (could, evidence): (&Could, &BTreeMap<Variant, Evidence>),
    kinds: &Kinds<'_>,
    table: &Table,
) -> (Vec<Possible>, Vec<RuledOut>, Suited) {
    let (needs, trusted) = (workload.suits.needs, workload.suits.trusted);
    let why = |variant: &Variant| {
        let exclusion = excluded(table, &needs, trusted, *variant)?;
        let (need, level) = (exclusion.need, needs.get(exclusion.need));
        Some(format!("`{need}` is {level}, and {}", exclusion.why))
    };
    let (mut open, mut out) = (Vec::new(), Vec::new());
    for (variant, place) in &could.variants {
        match why(variant) {
            None => open.push((*variant, place)),
            Some(why) => out.push((*variant, &place.hosts, why)),
        }
    }
    let own = |v: &Variant| (*v, evidence.get(v).copied());
    let all: Vec<(Variant, Option<Evidence>)> = could.variants.keys().map(own).collect();
    let left: Vec<(Variant, Option<Evidence>)> = open.iter().map(|(v, _)| own(v)).collect();
    let ranking = rank(table, &needs, &left);
    let possible = ranking.ranked.iter().filter_map(|ranked| {
        let variant = ranked.score.variant;
        let (_, place) = open.iter().find(|(open, _)| *open == variant)?;
        Some(Possible {
            variant,
            added: place.added,
            hosts: kinds.all().part(place.hosts.clone()),
        })
    });
    let suited = Suited {
        needs,
        turns: turns(table, &needs, trusted, &all),
        excluded: out.iter().map(|(v, _, why)| (*v, why.clone())).collect(),
        lacking: could.told(kinds.all()),
        better: None,
        witnesses: Vec::new(),
        ranking: ranking.clone(),
    };
    (possible.collect(), ruled_out(&open, &out, kinds), suited)
}

/// Hosts on which nothing is left of a runtime, by what excludes it there first.
fn ruled_out(
    open: &[(Variant, &Where)],
    out: &[(Variant, &IdSet, String)],
    kinds: &Kinds<'_>,
) -> Vec<RuledOut> {
    let mut by: BTreeMap<(Runtime, &str), IdSet> = BTreeMap::new();
    for (variant, hosts, why) in out {
        let runtime = variant.runtime;
        let of_runtime = open.iter().filter(|(v, _)| v.runtime == runtime);
        let left = of_runtime.fold((*hosts).clone(), |left, (_, place)| &left - &place.hosts);
        if !left.is_empty() {
            let known = by.entry((runtime, why)).or_default();
            *known = &*known | &left;
        }
    }
    let told = by.into_iter().map(|((runtime, why), hosts)| RuledOut {
        runtime,
        hosts: kinds.all().part(hosts),
        gate: "needs",
        why: why.to_owned(),
    });
    told.collect()
}

/// What came of it, shared by equal workloads.
pub(super) type Kept = (Arc<[Possible]>, Arc<[RuledOut]>, Option<Arc<Suited>>);
