//! Which step waits for which. Three sources of edges and no others: *contained* (a volume before its container,
//! removed after it), *declared* (`depends_on`, and `update`: instances in batches), *claimed* (who releases a CPU, an
//! address or a port goes before who takes it). A cycle in which somebody only has to let go is broken deterministically; any other is refused.

mod migrate;
mod rolling;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::path::PathBuf;

use infra_api::{Address, ResourceId, names};
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use serde_json::Value;

use crate::claims::{Claims, handovers, held};
use crate::{Before, Delta, Migration, Reason, Starts, Step, StepAction, Timeouts, When};

pub use rolling::Rolling;

/// Steps that wait for each other, each for the next and the last for the first; they begin with the lowest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle(pub Vec<ResourceId>);

/// A step that has no number yet.
#[derive(Clone, Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) id: ResourceId,
    pub(crate) address: Address,
    pub(crate) action: StepAction,
    pub(crate) before: Before,
    /// What its daemon knows it by, where it carries no mark.
    pub(crate) imported: Option<String>,
    pub(crate) after: Option<&'a Value>,
    pub(crate) source: Option<PathBuf>,
    pub(crate) reason: Reason,
    pub(crate) deltas: Vec<Delta>,
    pub(crate) starts: Option<Starts>,
    pub(crate) timeouts: Timeouts,
    /// Whether its object is waited for once it runs.
    pub(crate) until_ready: bool,
    /// Whether that was done before, in vain.
    pub(crate) unready: bool,
    /// When its object may be stopped.
    pub(crate) when: Option<When>,
    /// It is another object until then.
    pub(crate) migration: Option<Migration>,
}

impl Draft<'_> {
    /// What it is before its step.
    pub(crate) fn origin(&self) -> &ResourceId {
        self.migration.as_ref().map_or(&self.id, |m| &m.from)
    }
}

/// Where edges come from.
pub(crate) struct Edges<'a> {
    /// What a wanted object stands on.
    pub(crate) after: &'a dyn Fn(&ResourceId) -> &'a [ResourceId],
    /// What it stood on when it was made.
    pub(crate) before: &'a dyn Fn(&ResourceId) -> Option<Vec<ResourceId>>,
    pub(crate) depends_on: &'a [(ResourceId, ResourceId)],
    pub(crate) rolling: &'a [Rolling],
    pub(crate) claims: &'a dyn Fn(&ResourceId, &Address, &Value, bool) -> Claims,
    /// Whether an object may not be removed for a moment: it is protected, or others stand on it.
    pub(crate) stays: &'a dyn Fn(&ResourceId) -> bool,
}

/// Numbers the drafts in an order that satisfies every edge; among those that may come next the lowest
/// (address, id, action) comes first.
pub(crate) fn order(mut drafts: Vec<Draft<'_>>, edges: &Edges<'_>) -> Result<Vec<Step>, Cycle> {
    drafts.sort_by(|a, b| key(a).cmp(&key(b)));
    loop {
        let mut graph = Graph::new(&drafts, edges);
        graph.contained(edges);
        graph.left_by_moves();
        graph.declared(edges.depends_on);
        graph.claimed(edges.claims);
        let cycles = graph.cycles();
        if cycles.is_empty() {
            graph.rolling(edges.rolling);
            return Ok(graph.numbered());
        }
        let yields: Result<Vec<_>, _> = cycles
            .iter()
            .map(|c| {
                graph
                    .yields(c, edges.stays)
                    .ok_or_else(|| named(&drafts, c))
            })
            .collect();
        let yields = yields?;
        yield_all(&mut drafts, &yields);
    }
}

/// A cycle runs from who goes first to who waits; it is told the other way round.
fn named(drafts: &[Draft<'_>], cycle: &[usize]) -> Cycle {
    let (first, rest) = cycle.split_first().expect("a cycle has members");
    let told = std::iter::once(first).chain(rest.iter().rev());
    let mut ids: Vec<ResourceId> = told.map(|n| drafts[*n].id.clone()).collect();
    ids.dedup();
    Cycle(ids)
}

fn key<'a>(draft: &'a Draft<'_>) -> (&'a Address, &'a ResourceId, u8) {
    (&draft.address, &draft.id, draft.action as u8)
}

/// Each first of a pair is stopped before its change, which releases all it holds, so that the second can take it.
fn yield_all(drafts: &mut Vec<Draft<'_>>, yields: &[(usize, usize)]) {
    for (yielding, taker) in yields {
        let step = Draft {
            starts: None,
            ..drafts[*yielding].clone()
        };
        // What is made anew anyway is so in two steps then, for its own reason.
        let reason = match step.action {
            StepAction::Replace => step.reason.clone(),
            _ => Reason::Yields {
                to: drafts[*taker].id.to_string(),
            },
        };
        drafts[*yielding] = Draft {
            action: StepAction::Delete,
            after: None,
            reason: reason.clone(),
            deltas: Vec::new(),
            ..step.clone()
        };
        drafts.push(Draft {
            action: StepAction::Create,
            before: Before::Removed,
            imported: None,
            reason,
            ..step
        });
    }
    drafts.sort_by(|a, b| key(a).cmp(&key(b)));
}

/// Who stood on what, by the state; of what it knows nothing of, by what is wanted.
fn users<'a>(
    drafts: &'a [Draft<'a>],
    edges: &Edges<'_>,
) -> BTreeMap<ResourceId, BTreeSet<&'a ResourceId>> {
    let mut users: BTreeMap<ResourceId, BTreeSet<&ResourceId>> = BTreeMap::new();
    // What is not there stands on nothing yet.
    for draft in drafts.iter().filter(|d| d.before != Before::Absent) {
        let was = draft.origin();
        let stood_on = (edges.before)(was).unwrap_or_else(|| (edges.after)(was).to_vec());
        for needed in stood_on {
            users.entry(needed).or_default().insert(&draft.id);
        }
    }
    users
}

/// Why one step waits for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Because {
    /// It stands on the other, or was declared to come after it.
    Order,
    /// The other lets go of what it takes or removes: stopping the other would do as well.
    Release,
}

struct Graph<'a> {
    drafts: &'a [Draft<'a>],
    /// Between two steps there may be several edges.
    graph: DiGraph<usize, Because>,
    nodes: Vec<NodeIndex>,
    /// By object: its step that makes or changes it, and the one that removes it.
    makes: BTreeMap<&'a ResourceId, usize>,
    removes: BTreeMap<&'a ResourceId, usize>,
    /// By object: those with a step that stood on it.
    users: BTreeMap<ResourceId, BTreeSet<&'a ResourceId>>,
    /// By step: objects that must be ready before it starts.
    waits: BTreeMap<usize, BTreeSet<ResourceId>>,
    /// (taker, releaser) pairs that share CPUs for a moment.
    overlaps: BTreeSet<(usize, usize)>,
}

impl<'a> Graph<'a> {
    fn new(drafts: &'a [Draft<'a>], edges: &Edges<'_>) -> Self {
        let mut graph = DiGraph::new();
        // Nodes are added in the order of the drafts, so that the graph is the same whatever came first.
        let nodes = (0..drafts.len()).map(|n| graph.add_node(n)).collect();
        let removing = |d: &Draft<'_>| d.action == StepAction::Delete;
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
            waits: BTreeMap::new(),
            overlaps: BTreeSet::new(),
        }
    }

    /// `later` waits for `earlier`.
    fn edge(&mut self, earlier: usize, later: usize, because: Because) {
        if earlier != later {
            self.graph
                .add_edge(self.nodes[earlier], self.nodes[later], because);
        }
    }

    fn contained(&mut self, edges: &Edges<'_>) {
        for (n, draft) in self.drafts.iter().enumerate() {
            if draft.action == StepAction::Delete {
                self.freed_by_users(n, draft);
            } else {
                for needed in (edges.after)(&draft.id) {
                    if let Some(earlier) = self.makes.get(needed).copied() {
                        self.edge(earlier, n, Because::Order);
                    }
                }
                if let Some(own) = self.removes.get(&draft.id).copied() {
                    self.edge(own, n, Because::Order);
                }
                if !self.removes.is_empty()
                    && let Some(leftover) = self.removes.get(&next_of(&draft.id)).copied()
                {
                    self.edge(leftover, n, Because::Order);
                }
            }
        }
    }

    /// What `draft` removes goes after the steps by which its users let go of it.
    fn freed_by_users(&mut self, n: usize, draft: &Draft<'_>) {
        for user in self.users.get(&draft.id).cloned().unwrap_or_default() {
            if let Some(removed) = self.removes.get(user).copied() {
                self.edge(removed, n, Because::Order);
            } else if let Some(changed) = self.makes.get(user).copied() {
                self.edge(changed, n, Because::Release);
            }
        }
    }

    fn declared(&mut self, depends_on: &[(ResourceId, ResourceId)]) {
        for (dependent, dependency) in depends_on {
            if let Some(later) = self.makes.get(dependent).copied() {
                if starts(&self.drafts[later]) {
                    let waits = self.waits.entry(later).or_default();
                    waits.insert(dependency.clone());
                }
                if let Some(earlier) = self.makes.get(dependency).copied() {
                    self.edge(earlier, later, Because::Order);
                }
            }
            if let (Some(later), Some(earlier)) = (
                self.removes.get(dependency).copied(),
                self.removes.get(dependent).copied(),
            ) {
                self.edge(earlier, later, Because::Order);
            }
        }
    }

    /// Who releases goes before who takes. A CPU may be shared for a moment where waiting would make a cycle and
    /// the step is live; the rest may not.
    fn claimed(&mut self, claims: &dyn Fn(&ResourceId, &Address, &Value, bool) -> Claims) {
        // Only what is there can let go of something.
        let is_there = |draft: &Draft<'_>| matches!(draft.before, Before::Present { .. });
        if !self.drafts.iter().any(is_there) {
            return;
        }
        let held: Vec<(Claims, Claims)> = self.drafts.iter().map(|d| held(d, claims)).collect();
        let waits = |(_, taker, exclusive): &(usize, usize, bool)| {
            *exclusive || self.drafts[*taker].action != StepAction::Update
        };
        let (hard, soft): (Vec<_>, Vec<_>) =
            handovers(self.drafts, &held).into_iter().partition(waits);
        for (releaser, taker, _) in hard {
            self.edge(releaser, taker, Because::Release);
        }
        let rings = self.rings_with(&soft);
        for (releaser, taker, _) in soft {
            // Outside of every ring the question needs no search.
            let in_ring = rings[releaser] == rings[taker];
            if in_ring && self.reaches(taker, releaser) {
                self.overlaps.insert((taker, releaser));
            } else {
                self.edge(releaser, taker, Because::Release);
            }
        }
    }

    /// Of each step the number of the strongly connected set it would be in with these handovers too.
    fn rings_with(&self, handovers: &[(usize, usize, bool)]) -> Vec<usize> {
        let mut graph = self.graph.clone();
        for (releaser, taker, _) in handovers {
            graph.add_edge(self.nodes[*releaser], self.nodes[*taker], Because::Release);
        }
        let mut rings = vec![0; self.drafts.len()];
        for (number, ring) in tarjan_scc(&graph).into_iter().enumerate() {
            for node in ring {
                rings[graph[node]] = number;
            }
        }
        rings
    }

    fn reaches(&self, from: usize, to: usize) -> bool {
        petgraph::algo::has_path_connecting(&self.graph, self.nodes[from], self.nodes[to], None)
    }

    /// A cycle of each strongly connected set, in order: each step goes before the next one, the last before the
    /// first, which is the lowest.
    fn cycles(&self) -> Vec<Vec<usize>> {
        let mut cycles: Vec<Vec<usize>> = tarjan_scc(&self.graph)
            .into_iter()
            .filter(|ring| ring.len() > 1)
            .map(|ring| self.walk(&ring.into_iter().map(|n| self.graph[n]).collect()))
            .collect();
        cycles.sort();
        cycles
    }

    /// A way through a strongly connected set back to where it began.
    fn walk(&self, ring: &BTreeSet<usize>) -> Vec<usize> {
        let mut way: Vec<usize> = ring.first().copied().into_iter().collect();
        let mut places: BTreeMap<usize, usize> = way.iter().map(|n| (*n, 0)).collect();
        loop {
            let here = *way.last().expect("a set of more than one has a first");
            let next = self
                .graph
                .neighbors(self.nodes[here])
                .map(|n| self.graph[n])
                .filter(|n| ring.contains(n))
                .min()
                .expect("in a strongly connected set everyone has a successor");
            if let Some(start) = places.get(&next) {
                let mut cycle = way.split_off(*start);
                let lowest = (0..cycle.len()).min_by_key(|n| cycle[*n]).unwrap_or(0);
                cycle.rotate_left(lowest);
                return cycle;
            }
            places.insert(next, way.len());
            way.push(next);
        }
    }

    /// Who yields to whom to break a cycle that overlapping cannot: the lowest address among those that are there
    /// and hold what the next one takes. Nothing where none may.
    fn yields(
        &self,
        cycle: &[usize],
        stays: &dyn Fn(&ResourceId) -> bool,
    ) -> Option<(usize, usize)> {
        let next = cycle.iter().cycle().skip(1);
        let may = |(one, next): &(usize, usize)| {
            let draft = &self.drafts[*one];
            let is_there = matches!(draft.before, Before::Present { .. } | Before::Partial)
                && !matches!(draft.action, StepAction::Delete | StepAction::Migrate);
            let mut edges = self
                .graph
                .edges_connecting(self.nodes[*one], self.nodes[*next]);
            is_there && !stays(&draft.id) && edges.all(|e| *e.weight() == Because::Release)
        };
        let pairs = cycle.iter().copied().zip(next.copied());
        // Who is made anew is stopped anyway.
        let stays_up = |one: usize| self.drafts[one].action != StepAction::Replace;
        pairs
            .filter(may)
            .min_by_key(|(one, next)| (stays_up(*one), *one, *next))
    }

    /// The drafts in an order in which each comes after what it waits for; of those that may come next the lowest is
    /// first. Those of a cycle are left out.
    fn in_turn(&self) -> Vec<usize> {
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
        let mut order = Vec::with_capacity(waiting.len());
        while let Some(Reverse(n)) = ready.pop() {
            order.push(n);
            for next in self.graph.neighbors(self.nodes[n]) {
                let next = self.graph[next];
                waiting[next] -= 1;
                if waiting[next] == 0 {
                    ready.push(Reverse(next));
                }
            }
        }
        order
    }

    fn numbered(self) -> Vec<Step> {
        let mut numbers: BTreeMap<usize, u32> = BTreeMap::new();
        let mut steps = Vec::with_capacity(self.drafts.len());
        for n in self.in_turn() {
            let number = u32::try_from(steps.len() + 1).expect("fewer than 2^32 steps");
            numbers.insert(n, number);
            let mut needs: Vec<u32> = self
                .graph
                .neighbors_directed(self.nodes[n], petgraph::Incoming)
                .map(|m| numbers[&self.graph[m]])
                .collect();
            needs.sort_unstable();
            needs.dedup();
            steps.push(self.step(n, number, needs));
        }
        steps
    }

    fn step(&self, n: usize, number: u32, needs: Vec<u32>) -> Step {
        let draft = &self.drafts[n];
        let overlaps = self.overlaps.range((n, 0)..(n + 1, 0));
        Step {
            number,
            resource: draft.id.clone(),
            address: draft.address.clone(),
            action: draft.action,
            before: draft.before.clone(),
            imported: draft.imported.clone(),
            source: draft
                .source
                .clone()
                .filter(|_| draft.action == StepAction::Create),
            reason: draft.reason.clone(),
            deltas: draft.deltas.clone(),
            prepared: None,
            needs,
            overlaps: overlaps
                .map(|(_, releaser)| self.drafts[*releaser].id.clone())
                .collect(),
            waits_for: self.waits.get(&n).into_iter().flatten().cloned().collect(),
            until_ready: draft.until_ready && (starts(draft) || draft.unready && is_there(draft)),
            ready_ms: BTreeMap::new(),
            starts: draft.starts.clone(),
            timeout_ms: draft.timeouts.of(draft.action),
            when: draft.when.clone().filter(|_| stops(draft)),
            migration: draft.migration.clone(),
        }
    }
}

fn stops(draft: &Draft) -> bool {
    match draft.action {
        StepAction::Restart | StepAction::Replace | StepAction::Delete => true,
        StepAction::Create | StepAction::Update | StepAction::Prepare | StepAction::Migrate => {
            false
        }
    }
}

/// Whether there is an object when it is done.
fn is_there(draft: &Draft<'_>) -> bool {
    draft.action != StepAction::Delete
}

/// What an apply that was cut off may have left of the object's replacement.
fn next_of(id: &ResourceId) -> ResourceId {
    ResourceId {
        name: names::next(&id.name),
        ..id.clone()
    }
}

/// Whether a step brings its object to run that did not.
fn starts(draft: &Draft<'_>) -> bool {
    let is_started = |delta: &Delta| delta.path.first().is_some_and(|key| key == "state");
    match draft.action {
        StepAction::Create | StepAction::Restart | StepAction::Replace => true,
        StepAction::Update => draft.deltas.iter().any(is_started),
        StepAction::Prepare | StepAction::Delete | StepAction::Migrate => false,
    }
}
