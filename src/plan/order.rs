//! Which step waits for which. Three sources of edges and no others: *contained* (a volume before its container,
//! removed after it), *declared* (`depends_on`), *claimed* (who releases a CPU, an address or a port goes before
//! who takes it). A cycle through claims is broken deterministically; any other is refused.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::path::PathBuf;

use infra_api::{Address, IdSet, ResourceId};
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use serde_json::Value;

use crate::{Before, Delta, Reason, Step, StepAction};

/// What an object holds of its host, of which there is only so much.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// CPUs it is bound to.
    pub cpus: IdSet,
    /// Whether nobody else may use these.
    pub dedicated: bool,
    /// What two can never have at once, not for a moment: `ip 10.0.0.2`, `port tcp/80`, `vf 0000:3b:02.1`.
    pub exclusive: BTreeSet<String>,
}

/// Steps that wait for each other, each for the next and the last for the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle(pub Vec<ResourceId>);

/// A step that has no number yet.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) id: ResourceId,
    pub(crate) address: Address,
    pub(crate) action: StepAction,
    pub(crate) before: Before,
    pub(crate) after: Option<Value>,
    pub(crate) source: Option<PathBuf>,
    pub(crate) reason: Reason,
    pub(crate) deltas: Vec<Delta>,
}

/// Where edges come from.
pub(crate) struct Edges<'a> {
    /// What a wanted object stands on.
    pub(crate) after: &'a dyn Fn(&ResourceId) -> &'a [ResourceId],
    /// What it stood on when it was made.
    pub(crate) before: &'a dyn Fn(&ResourceId) -> Option<Vec<ResourceId>>,
    pub(crate) depends_on: &'a [(ResourceId, ResourceId)],
    pub(crate) claims: &'a dyn Fn(&ResourceId, &Address, &Value, bool) -> Claims,
}

/// Numbers the drafts in an order that satisfies every edge; among those that may come next the lowest
/// (address, id, action) comes first.
pub(crate) fn order(mut drafts: Vec<Draft>, edges: &Edges<'_>) -> Result<Vec<Step>, Cycle> {
    drafts.sort_by(|a, b| key(a).cmp(&key(b)));
    loop {
        let mut graph = Graph::new(&drafts, edges);
        graph.contained(edges);
        graph.declared(edges.depends_on);
        if let Some(cycle) = graph.cycle() {
            return Err(named(&drafts, &cycle));
        }
        graph.claimed(edges.claims);
        match graph.cycle() {
            None => return Ok(graph.numbered()),
            Some(cycle) if yield_one(&mut drafts, &cycle) => {}
            Some(cycle) => return Err(named(&drafts, &cycle)),
        }
    }
}

fn named(drafts: &[Draft], cycle: &[usize]) -> Cycle {
    Cycle(cycle.iter().map(|n| drafts[*n].id.clone()).collect())
}

fn key(draft: &Draft) -> (&Address, &ResourceId, u8) {
    (&draft.address, &draft.id, draft.action as u8)
}

/// Breaks a cycle that overlapping for a moment cannot: the lowest address among those that still run is stopped
/// first, which releases all it holds. False where none of them runs.
fn yield_one(drafts: &mut Vec<Draft>, cycle: &[usize]) -> bool {
    let runs = |n: &usize| matches!(drafts[*n].action, StepAction::Update | StepAction::Restart);
    let Some(lowest) = cycle.iter().copied().filter(runs).min() else {
        return false;
    };
    let other = cycle.iter().find(|n| **n != lowest);
    let reason = Reason::Yields {
        to: other.map_or_else(String::new, |n| drafts[*n].id.to_string()),
    };
    let step = drafts[lowest].clone();
    drafts[lowest] = Draft {
        action: StepAction::Delete,
        after: None,
        reason: reason.clone(),
        deltas: Vec::new(),
        ..step.clone()
    };
    drafts.push(Draft {
        action: StepAction::Create,
        before: Before::Removed,
        reason,
        ..step
    });
    drafts.sort_by(|a, b| key(a).cmp(&key(b)));
    true
}

/// Who stood on what, by the state; of what it knows nothing of, by what is wanted.
fn users<'a>(
    drafts: &'a [Draft],
    edges: &Edges<'_>,
) -> BTreeMap<ResourceId, BTreeSet<&'a ResourceId>> {
    let mut users: BTreeMap<ResourceId, BTreeSet<&ResourceId>> = BTreeMap::new();
    // What is not there stands on nothing yet.
    for draft in drafts.iter().filter(|d| d.before != Before::Absent) {
        let stood_on =
            (edges.before)(&draft.id).unwrap_or_else(|| (edges.after)(&draft.id).to_vec());
        for needed in stood_on {
            users.entry(needed).or_default().insert(&draft.id);
        }
    }
    users
}

struct Graph<'a> {
    drafts: &'a [Draft],
    graph: DiGraph<usize, ()>,
    nodes: Vec<NodeIndex>,
    /// By object: its step that makes or changes it, and the one that removes it.
    makes: BTreeMap<&'a ResourceId, usize>,
    removes: BTreeMap<&'a ResourceId, usize>,
    /// By object: those with a step that stood on it.
    users: BTreeMap<ResourceId, BTreeSet<&'a ResourceId>>,
    /// (step, object that must be ready before it starts) pairs.
    waits: BTreeSet<(usize, ResourceId)>,
    /// (taker, releaser) pairs that share CPUs for a moment.
    overlaps: BTreeSet<(usize, usize)>,
}

impl<'a> Graph<'a> {
    fn new(drafts: &'a [Draft], edges: &Edges<'_>) -> Self {
        let mut graph = DiGraph::new();
        // Nodes are added in the order of the drafts, so that the graph is the same whatever came first.
        let nodes = (0..drafts.len()).map(|n| graph.add_node(n)).collect();
        let removing = |d: &Draft| d.action == StepAction::Delete;
        let pick = |wanted: bool| {
            let of_kind = drafts
                .iter()
                .enumerate()
                .filter(|(_, d)| removing(d) == wanted);
            of_kind.map(|(n, d)| (&d.id, n)).collect()
        };
        Self {
            drafts,
            graph,
            nodes,
            makes: pick(false),
            removes: pick(true),
            users: users(drafts, edges),
            waits: BTreeSet::new(),
            overlaps: BTreeSet::new(),
        }
    }

    /// `later` waits for `earlier`.
    fn edge(&mut self, earlier: usize, later: usize) {
        if earlier != later {
            self.graph
                .update_edge(self.nodes[earlier], self.nodes[later], ());
        }
    }

    fn contained(&mut self, edges: &Edges<'_>) {
        for (n, draft) in self.drafts.iter().enumerate() {
            if draft.action == StepAction::Delete {
                self.freed_by_users(n, draft);
            } else {
                for needed in (edges.after)(&draft.id) {
                    if let Some(earlier) = self.makes.get(needed).copied() {
                        self.edge(earlier, n);
                    }
                }
                if let Some(own) = self.removes.get(&draft.id).copied() {
                    self.edge(own, n);
                }
            }
        }
    }

    /// What `draft` removes goes after the steps by which its users let go of it.
    fn freed_by_users(&mut self, n: usize, draft: &Draft) {
        for user in self.users.get(&draft.id).cloned().unwrap_or_default() {
            let letting_go = self.removes.get(user).or_else(|| self.makes.get(user));
            if let Some(earlier) = letting_go.copied() {
                self.edge(earlier, n);
            }
        }
    }

    fn declared(&mut self, depends_on: &[(ResourceId, ResourceId)]) {
        for (dependent, dependency) in depends_on {
            if let Some(later) = self.makes.get(dependent).copied() {
                if starts(&self.drafts[later]) {
                    self.waits.insert((later, dependency.clone()));
                }
                if let Some(earlier) = self.makes.get(dependency).copied() {
                    self.edge(earlier, later);
                }
            }
            if let (Some(later), Some(earlier)) = (
                self.removes.get(dependency).copied(),
                self.removes.get(dependent).copied(),
            ) {
                self.edge(earlier, later);
            }
        }
    }

    /// Who releases goes before who takes. A CPU may be shared for a moment where waiting would make a cycle and
    /// the step is live; the rest may not.
    fn claimed(&mut self, claims: &dyn Fn(&ResourceId, &Address, &Value, bool) -> Claims) {
        let held: Vec<(Claims, Claims)> = self.drafts.iter().map(|d| held(d, claims)).collect();
        let mut soft = Vec::new();
        for (releaser, taker, hard) in handovers(self.drafts, &held) {
            if hard {
                self.edge(releaser, taker);
            } else {
                soft.push((releaser, taker));
            }
        }
        for (releaser, taker) in soft {
            let live = self.drafts[taker].action == StepAction::Update;
            if live && self.reaches(taker, releaser) {
                self.overlaps.insert((taker, releaser));
            } else {
                self.edge(releaser, taker);
            }
        }
    }

    fn reaches(&self, from: usize, to: usize) -> bool {
        petgraph::algo::has_path_connecting(&self.graph, self.nodes[from], self.nodes[to], None)
    }

    /// The members of the first cycle, in its order.
    fn cycle(&self) -> Option<Vec<usize>> {
        let mut rings: Vec<Vec<usize>> = tarjan_scc(&self.graph)
            .into_iter()
            .filter(|ring| ring.len() > 1)
            .map(|ring| ring.into_iter().map(|n| self.graph[n]).collect())
            .collect();
        for ring in &mut rings {
            ring.sort_unstable();
        }
        rings.sort();
        rings.into_iter().next().map(|ring| self.walk(&ring))
    }

    /// A way through a strongly connected set back to where it began.
    fn walk(&self, ring: &[usize]) -> Vec<usize> {
        let mut way = vec![ring[0]];
        loop {
            let here = *way.last().expect("the way begins somewhere");
            let mut next: Vec<usize> = self
                .graph
                .neighbors(self.nodes[here])
                .map(|n| self.graph[n])
                .filter(|n| ring.contains(n))
                .collect();
            next.sort_unstable();
            let next = next[0];
            if let Some(start) = way.iter().position(|n| *n == next) {
                return way.split_off(start);
            }
            way.push(next);
        }
    }

    fn numbered(self) -> Vec<Step> {
        let mut waiting: Vec<usize> = self
            .nodes
            .iter()
            .map(|n| {
                self.graph
                    .neighbors_directed(*n, petgraph::Incoming)
                    .count()
            })
            .collect();
        let mut ready: BinaryHeap<Reverse<usize>> = (0..waiting.len())
            .filter(|n| waiting[*n] == 0)
            .map(Reverse)
            .collect();
        let mut numbers: BTreeMap<usize, u32> = BTreeMap::new();
        let mut steps = Vec::with_capacity(self.drafts.len());
        while let Some(Reverse(n)) = ready.pop() {
            let number = u32::try_from(steps.len() + 1).expect("fewer than 2^32 steps");
            numbers.insert(n, number);
            let mut needs: Vec<u32> = self
                .graph
                .neighbors_directed(self.nodes[n], petgraph::Incoming)
                .map(|m| numbers[&self.graph[m]])
                .collect();
            needs.sort_unstable();
            steps.push(self.step(n, number, needs));
            for next in self.graph.neighbors(self.nodes[n]) {
                let next = self.graph[next];
                waiting[next] -= 1;
                if waiting[next] == 0 {
                    ready.push(Reverse(next));
                }
            }
        }
        steps
    }

    fn step(&self, n: usize, number: u32, needs: Vec<u32>) -> Step {
        let draft = &self.drafts[n];
        let overlaps = self.overlaps.iter().filter(|(taker, _)| *taker == n);
        Step {
            number,
            resource: draft.id.clone(),
            address: draft.address.clone(),
            action: draft.action,
            before: draft.before.clone(),
            source: draft.source.clone(),
            reason: draft.reason.clone(),
            deltas: draft.deltas.clone(),
            needs,
            overlaps: overlaps
                .map(|(_, releaser)| self.drafts[*releaser].id.clone())
                .collect(),
            waits_for: self
                .waits
                .iter()
                .filter(|(waiter, _)| *waiter == n)
                .map(|(_, id)| id.clone())
                .collect(),
        }
    }
}

/// Whether a step brings its object to run that did not.
fn starts(draft: &Draft) -> bool {
    let is_started = |delta: &Delta| delta.path.first().is_some_and(|key| key == "state");
    match draft.action {
        StepAction::Create | StepAction::Restart => true,
        StepAction::Update => draft.deltas.iter().any(is_started),
        StepAction::Delete => false,
    }
}

/// What a step's object holds before it and after it.
fn held(
    draft: &Draft,
    claims: &dyn Fn(&ResourceId, &Address, &Value, bool) -> Claims,
) -> (Claims, Claims) {
    let found = match &draft.before {
        Before::Present { body } => claims(&draft.id, &draft.address, body, false),
        Before::Absent | Before::Partial | Before::Removed => Claims::default(),
    };
    let wanted = draft.after.as_ref().map_or_else(Claims::default, |b| {
        claims(&draft.id, &draft.address, b, true)
    });
    (found, wanted)
}

/// (who releases, who takes, whether they may never have it at once), without repetition, in order.
fn handovers(drafts: &[Draft], held: &[(Claims, Claims)]) -> BTreeSet<(usize, usize, bool)> {
    let mut releasers: BTreeMap<(&str, String), Vec<usize>> = BTreeMap::new();
    for (n, (found, wanted)) in held.iter().enumerate() {
        let host = drafts[n].id.host.as_str();
        for token in found.exclusive.difference(&wanted.exclusive) {
            releasers.entry((host, token.clone())).or_default().push(n);
        }
        for cpu in (&found.cpus - &wanted.cpus).iter() {
            releasers
                .entry((host, format!("cpu {cpu}")))
                .or_default()
                .push(n);
        }
    }
    let mut handovers = BTreeSet::new();
    for (taker, (found, wanted)) in held.iter().enumerate() {
        let host = drafts[taker].id.host.as_str();
        for token in wanted.exclusive.difference(&found.exclusive) {
            for releaser in releasers.get(&(host, token.clone())).into_iter().flatten() {
                handovers.insert((*releaser, taker, true));
            }
        }
        for cpu in (&wanted.cpus - &found.cpus).iter() {
            for releaser in releasers
                .get(&(host, format!("cpu {cpu}")))
                .into_iter()
                .flatten()
            {
                if wanted.dedicated || held[*releaser].0.dedicated {
                    handovers.insert((*releaser, taker, false));
                }
            }
        }
    }
    handovers.retain(|(releaser, taker, _)| releaser != taker);
    handovers
}
