//! Memory that is still free on one host: ordinary memory of the host and of each node, and huge pages.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{IdSet, Placement};

use super::ask::Ask;
use super::refusal::Constraint;
use crate::inventory::HostInventory;

/// Memory while a host fills. What is bound to no node counts against the host alone.
pub(super) struct Memory<'a> {
    host: &'a HostInventory,
    total: Option<u64>,
    /// By the nodes it is bound to, what was given. Where within them it comes to lie is not decided here.
    bound: BTreeMap<IdSet, u64>,
    /// (node, page size) → pages.
    pages: BTreeMap<(u32, u64), u64>,
}

impl<'a> Memory<'a> {
    pub(super) fn new(host: &'a HostInventory) -> Self {
        Self {
            host,
            total: host.memory_bytes,
            bound: BTreeMap::new(),
            pages: host.pages.clone(),
        }
    }

    /// The nodes its memory is bound to, none where it is not: those that were named; `near`, the node of its CPUs,
    /// where it may be that one and the host has several. Huge pages always come from one node, with all the machine
    /// takes beside.
    pub(super) fn bind(&self, ask: &Ask, near: Option<u32>) -> Result<IdSet, Constraint> {
        let need = ask.ordinary_bytes();
        short(need, self.total, None)?;
        let eligible = self.eligible(ask)?;
        let near = near.filter(|node| eligible.contains(*node));
        if let Some((size, count)) = ask.pages() {
            let nodes = near.map_or(eligible, |node| IdSet::from([node]));
            return self.paged(size, count, need, &nodes);
        }
        let several = self.host.nodes().len() > 1;
        let nodes = match (&ask.nodes, near) {
            (Some(_), Some(node)) => IdSet::from([node]),
            (None, Some(node)) if several => IdSet::from([node]),
            (Some(nodes), None) => nodes.clone(),
            (None, _) => return Ok(IdSet::new()),
        };
        self.has(&nodes, need).map(|()| nodes)
    }

    /// The binding it has, where it may keep it.
    pub(super) fn keep(&self, ask: &Ask, before: &Placement) -> Option<IdSet> {
        let bound = before.nodes();
        let near = bound.first().filter(|_| bound.len() == 1);
        let free = bound.is_empty() && ask.nodes.is_none() && ask.pages().is_none();
        let binding = self.bind(ask, near).ok()?;
        (free || binding == bound).then_some(bound)
    }

    /// Nodes it may be bound to.
    fn eligible(&self, ask: &Ask) -> Result<IdSet, Constraint> {
        let have = &self.host.memory_nodes;
        match &ask.nodes {
            Some(need) if !need.is_subset(have) => Err(Constraint::NamedNodes {
                need: need.clone(),
                have: have.clone(),
            }),
            Some(need) => Ok(need.clone()),
            None => Ok(have.clone()),
        }
    }

    /// The tightest fit keeps room for what is large.
    fn paged(
        &self,
        size: u64,
        count: u64,
        beside: u64,
        nodes: &IdSet,
    ) -> Result<IdSet, Constraint> {
        let on = |node: u32| self.pages.get(&(node, size)).copied().unwrap_or(0);
        let fits = |node: u32| self.has(&IdSet::from([node]), beside);
        let enough = nodes.iter().filter(|n| on(*n) >= count);
        let best = enough.min_by_key(|n| (fits(*n).is_err(), on(*n), *n));
        let best = best.ok_or_else(|| Constraint::HugePages {
            need: count,
            have: nodes.iter().map(on).max().unwrap_or(0),
            page_size_bytes: size,
            node: nodes.first().filter(|_| nodes.len() == 1),
        })?;
        fits(best).map(|()| IdSet::from([best]))
    }

    /// Whether nodes have so much left: they, and they with all that may have to make room for it. A node that does
    /// not tell its size has what is asked.
    fn has(&self, nodes: &IdSet, need: u64) -> Result<(), Constraint> {
        let have = self.wider(nodes).iter().filter_map(|n| self.left(n)).min();
        short(need, have, Some(nodes.clone()))
    }

    /// These nodes, and their unions with those that something is bound to together.
    fn wider(&self, nodes: &IdSet) -> BTreeSet<IdSet> {
        let mut all = BTreeSet::from([nodes.clone()]);
        for several in self.bound.keys().filter(|n| n.len() > 1) {
            let more: Vec<IdSet> = all.iter().map(|n| n | several).collect();
            all.extend(more);
        }
        all
    }

    /// What nodes have, less what is bound within them.
    fn left(&self, nodes: &IdSet) -> Option<u64> {
        let sizes = &self.host.node_memory_bytes;
        let size: u64 = nodes
            .iter()
            .map(|n| sizes.get(&n).copied())
            .sum::<Option<u64>>()?;
        let within = self.bound.iter().filter(|(n, _)| n.is_subset(nodes));
        let given: u64 = within.map(|(_, bytes)| bytes).sum();
        Some(size.saturating_sub(given))
    }

    pub(super) fn take(&mut self, ask: &Ask, nodes: &IdSet) {
        let need = ask.ordinary_bytes();
        self.total = self.total.map(|have| have.saturating_sub(need));
        if !nodes.is_empty() {
            let given = self.bound.entry(nodes.clone()).or_default();
            *given = given.saturating_add(need);
        }
        if let (Some((size, count)), Some(node)) = (ask.pages(), nodes.first())
            && let Some(have) = self.pages.get_mut(&(node, size))
        {
            *have = have.saturating_sub(count);
        }
    }
}

/// Errs where there is too little; what is unknown suffices.
fn short(need: u64, have: Option<u64>, nodes: Option<IdSet>) -> Result<(), Constraint> {
    match have {
        Some(have) if need > have => Err(Constraint::Memory { need, have, nodes }),
        _ => Ok(()),
    }
}
