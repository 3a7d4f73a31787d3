//! What workloads ask, as what they could run: equal ones share it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use infra_api::{IdSet, Variant};
use infra_place::{Ask, Form};

use super::ask;
use super::served::Served;
use crate::choose::Choice;
use crate::declared::Workload;

/// Those that were made, by numbers that equal ones have in common.
pub(super) struct Forms<'a> {
    served: &'a Served,
    known: BTreeMap<u64, Vec<Arc<[Form]>>>,
}

impl<'a> Forms<'a> {
    pub(super) fn new(served: &'a Served) -> Self {
        Self {
            served,
            known: BTreeMap::new(),
        }
    }

    pub(super) fn of(
        &mut self,
        workload: &Workload,
        choice: &Choice,
        variants: &[Variant],
    ) -> Arc<[Form]> {
        let asked: Vec<(Ask, &Arc<IdSet>)> = (variants.iter())
            .filter_map(|variant| {
                let possible = choice.possible.iter().find(|p| p.variant == *variant)?;
                Some((
                    ask::as_one(workload, *variant, self.served),
                    possible.hosts.positions(),
                ))
            })
            .collect();
        let mut hasher = DefaultHasher::new();
        for (ask, hosts) in &asked {
            (ask, Arc::as_ptr(hosts) as usize).hash(&mut hasher);
        }
        let alike = self.known.entry(hasher.finish()).or_default();
        let same = |forms: &&Arc<[Form]>| {
            let mut pairs = forms.iter().zip(&asked);
            forms.len() == asked.len()
                && pairs
                    .all(|(form, (ask, hosts))| form.ask == *ask && Arc::ptr_eq(&form.hosts, hosts))
        };
        if let Some(known) = alike.iter().find(same) {
            return Arc::clone(known);
        }
        let forms: Arc<[Form]> = (asked.into_iter())
            .map(|(ask, hosts)| Form {
                ask,
                hosts: Arc::clone(hosts),
            })
            .collect();
        alike.push(Arc::clone(&forms));
        forms
    }
}
