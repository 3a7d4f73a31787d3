//! How full a fleet gets: the same workloads come to the same machines, each order of placing gives them places until it
//! refuses one, and a bound says when any must. Every place is checked by rules of its own (`fill/rules.rs`).

#[path = "fill/arrivals.rs"]
pub(crate) mod arrivals;
#[path = "fill/best.rs"]
pub(crate) mod best;
#[path = "fill/bound.rs"]
pub(crate) mod bound;
#[path = "fill/first.rs"]
pub(crate) mod first;
#[path = "fill/hand.rs"]
mod hand;
#[path = "fill/infra.rs"]
pub(crate) mod infra;
#[path = "fill/kinds.rs"]
pub(crate) mod kinds;
#[path = "fill/kubernetes.rs"]
pub(crate) mod kubernetes;
#[path = "fill/nova.rs"]
pub(crate) mod nova;
#[path = "fill/rules.rs"]
pub(crate) mod rules;
#[path = "fill/simplex.rs"]
mod simplex;

use std::collections::BTreeMap;
use std::sync::Arc;

use infra_place::{Ask, Effort, View};

use arrivals::{Event, Sort};
use bound::Bound;
use kinds::{KINDS, Machine};
use rules::{Free, threads};

/// A place for one; another one than before where it had one.
pub(crate) struct Put {
    pub(crate) number: usize,
    pub(crate) host: usize,
    pub(crate) view: View,
}

/// A way of placing.
pub(crate) trait Order {
    fn name(&self) -> &'static str;

    /// Whether it has words for such an ask.
    fn can_be_asked(&self, _: &Ask) -> bool {
        true
    }

    /// Places for a new one and those who move for it; nothing where it is refused.
    fn place(&mut self, hosts: &[Free], number: usize, ask: &Ask) -> Vec<Put>;

    fn goes(&mut self, _: usize) {}
}

/// A fleet and what comes to it.
pub(crate) struct Case {
    pub(crate) machines: Vec<Arc<Machine>>,
    /// By host, the kind of its machine.
    pub(crate) hosts: Vec<usize>,
    pub(crate) sorts: Vec<Sort>,
    pub(crate) events: Vec<Event>,
}

/// How far an order came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reached {
    pub(crate) order: &'static str,
    /// Arrivals that were looked at, and what became of them.
    pub(crate) arrived: usize,
    pub(crate) refused: usize,
    pub(crate) not_asked: usize,
    /// Of what is there at the end, in shares of all.
    pub(crate) cpus: f64,
    pub(crate) memory: f64,
    pub(crate) vfs: f64,
    /// CPUs, as the bound counts them.
    pub(crate) load: f64,
    /// Places given that are on several nodes though one was asked for, or whose memory is elsewhere.
    pub(crate) spread: usize,
    pub(crate) moves: usize,
}

impl Case {
    /// So many hosts of each kind, one after the other.
    pub(crate) fn new(kinds: &[(usize, usize)], sorts: Vec<Sort>, events: Vec<Event>) -> Self {
        let machines = kinds
            .iter()
            .map(|(kind, _)| Arc::new(KINDS[*kind].machine()))
            .collect();
        let most = kinds.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let turn = |turn: usize| {
            let kinds = kinds.iter().enumerate();
            kinds
                .filter(move |(_, (_, count))| turn < *count)
                .map(|(at, _)| at)
        };
        Self {
            machines,
            hosts: (0..most).flat_map(turn).collect(),
            sorts,
            events,
        }
    }

    pub(crate) fn empty(&self) -> Vec<Free> {
        let hosts = self.hosts.iter();
        hosts.map(|kind| Free::new(&self.machines[*kind])).collect()
    }

    pub(crate) fn bound(&self) -> Bound {
        let count = |kind: usize| self.hosts.iter().filter(|k| **k == kind).count();
        let kinds = self.machines.iter().enumerate();
        let fleet: Vec<(&Machine, usize)> = kinds.map(|(k, m)| (&**m, count(k))).collect();
        Bound::new(&fleet, &self.sorts)
    }

    /// Who is there after so many arrivals, were all placed; of each sort how many.
    fn there(&self, arrivals: usize) -> BTreeMap<usize, usize> {
        let mut there = BTreeMap::new();
        let mut number = 0;
        for event in &self.events {
            match event {
                Event::Comes(_) if number == arrivals => break,
                Event::Comes(sort) => {
                    there.insert(number, *sort);
                    number += 1;
                }
                // The fullest moment: nobody has gone yet since the last one came.
                Event::Goes(_) if number == arrivals => break,
                Event::Goes(number) => {
                    there.remove(number);
                }
            }
        }
        there
    }

    pub(crate) fn counts(&self, arrivals: usize) -> Vec<usize> {
        let mut counts = vec![0; self.sorts.len()];
        self.there(arrivals)
            .values()
            .for_each(|sort| counts[*sort] += 1);
        counts
    }

    /// How many may come before some must be refused, as far as the bound tells; looked for in strides.
    fn allowed(&self) -> usize {
        const STRIDE: usize = 16;
        let (bound, all) = (self.bound(), self.arrivals());
        let allows = |arrivals: &usize| bound.allows(&self.counts(*arrivals));
        let strides = (0..=all).step_by(STRIDE).take_while(allows);
        let last = strides.last().unwrap_or(0);
        let steps = (last..=all.min(last + STRIDE)).take_while(allows);
        steps.last().unwrap_or(0)
    }

    /// The same, ending one in so many beyond what the bound allows.
    pub(crate) fn beyond(&self, one_in: usize) -> Self {
        let allowed = self.allowed();
        let mut open = allowed + allowed / one_in + 1;
        let within = |event: &&Event| {
            open = open.saturating_sub(usize::from(matches!(event, Event::Comes(_))));
            open > 0
        };
        Self {
            machines: self.machines.clone(),
            hosts: self.hosts.clone(),
            sorts: self.sorts.clone(),
            events: self.events.iter().take_while(within).copied().collect(),
        }
    }

    pub(crate) fn arrivals(&self) -> usize {
        let comes = |event: &&Event| matches!(event, Event::Comes(_));
        self.events.iter().filter(comes).count()
    }
}

/// What is where while an order works.
struct Standing<'a> {
    case: &'a Case,
    hosts: Vec<Free>,
    places: BTreeMap<usize, (usize, View)>,
    sorts: Vec<usize>,
    reached: Reached,
}

impl Standing<'_> {
    fn new<'a>(case: &'a Case, order: &'static str) -> Standing<'a> {
        Standing {
            case,
            hosts: case.empty(),
            places: BTreeMap::new(),
            sorts: Vec::new(),
            reached: Reached {
                order,
                ..Reached::default()
            },
        }
    }

    fn goes(&mut self, number: usize) {
        if let Some((host, view)) = self.places.remove(&number) {
            self.hosts[host].give(&view);
        }
    }

    /// Takes what is given, once it was checked.
    fn put(&mut self, puts: Vec<Put>) -> Result<(), String> {
        let old = |put: &&Put| self.places.contains_key(&put.number);
        self.reached.moves += puts.iter().filter(old).count();
        puts.iter().for_each(|put| self.goes(put.number));
        for Put { number, host, view } in puts {
            let ask = &self.case.sorts[self.sorts[number]].ask;
            let checked = self.hosts[host].check(ask, &view);
            checked.map_err(|why| {
                let order = self.reached.order;
                let tree = self.hosts[host].machine.tree;
                format!("{order}: not {why}: {ask:?} as {view:?} on host {host}, {tree}")
            })?;
            self.hosts[host].take(&view);
            self.places.insert(number, (host, view));
        }
        Ok(())
    }

    fn finish(mut self) -> Reached {
        let empty = self.case.empty();
        let sum = |of: fn(&Free) -> u64| {
            let all: u64 = empty.iter().map(of).sum();
            let left: u64 = self.hosts.iter().map(of).sum();
            (all - left) as f64 / all.max(1) as f64
        };
        let shared: u64 = self.hosts.iter().map(|h| h.shared).sum();
        let usable: u64 = empty.iter().map(Free::cpus).sum();
        let load = sum(Free::cpus) + shared as f64 / kinds::RATIO as f64 / usable as f64;
        let memory =
            |free: &Free| (free.bytes + free.pages.iter().sum::<u64>() * kinds::PAGE) >> 20;
        let vfs = |free: &Free| free.vfs.iter().filter(|vf| **vf).count() as u64;
        (self.reached.cpus, self.reached.load) = (sum(Free::cpus), load);
        (self.reached.memory, self.reached.vfs) = (sum(memory), sum(vfs));
        let far = |(number, (host, view)): (&usize, &(usize, View))| {
            let ask = &self.case.sorts[self.sorts[*number]].ask;
            let several = rules::cells(ask).is_empty() && view.cells.len() > 1;
            threads(ask).is_some() && (several || !self.hosts[*host].is_near(view))
        };
        self.reached.spread = self.places.iter().filter(|p| far(*p)).count();
        self.reached
    }
}

/// Until so many are refused, or nobody comes any more.
pub(crate) fn run(case: &Case, order: &mut dyn Order, refusals: usize) -> Result<Reached, String> {
    let mut standing = Standing::new(case, order.name());
    for event in &case.events {
        match event {
            Event::Goes(number) => {
                order.goes(*number);
                standing.goes(*number);
            }
            Event::Comes(sort) => {
                let number = standing.sorts.len();
                standing.sorts.push(*sort);
                let ask = &case.sorts[*sort].ask;
                if !order.can_be_asked(ask) {
                    standing.reached.not_asked += 1;
                    standing.reached.arrived += 1;
                    continue;
                }
                let puts = order.place(&standing.hosts, number, ask);
                if puts.is_empty() {
                    standing.reached.refused += 1;
                    if standing.reached.refused == refusals {
                        break;
                    }
                }
                standing.put(puts)?;
                standing.reached.arrived += 1;
            }
        }
    }
    Ok(standing.finish())
}

/// Everything at once that is there after so many arrivals; `None` where one is refused.
fn at_once(case: &Case, arrivals: usize, all: bool) -> Result<Option<Reached>, String> {
    let mut standing = Standing::new(case, "infra, all at once");
    let there = case.there(arrivals);
    let asks: Vec<(usize, &Ask)> = (there.iter())
        .map(|(number, sort)| (*number, &case.sorts[*sort].ask))
        .collect();
    standing.sorts = (case.events.iter())
        .filter_map(|event| match event {
            Event::Comes(sort) => Some(*sort),
            Event::Goes(_) => None,
        })
        .collect();
    let puts = infra::at_once(&standing.hosts, &asks);
    standing.reached.refused = asks.len() - puts.len();
    standing.reached.arrived = arrivals;
    standing.put(puts)?;
    let whole = standing.reached.refused == 0 || all;
    Ok(whole.then(|| standing.finish()))
}

/// What is compared, one by one.
pub(crate) fn orders(case: &Case, effort: Effort) -> Vec<Box<dyn Order>> {
    let hosts = case.empty();
    let still = Effort {
        moves: false,
        ..effort
    };
    vec![
        Box::new(infra::Infra::new("infra, one by one", &hosts, effort)),
        Box::new(infra::Infra::new("infra, moving nothing", &hosts, still)),
        Box::new(best::BestFit),
        Box::new(first::FirstFit),
        Box::new(kubernetes::Kubernetes(kubernetes::Topology::BestEffort)),
        Box::new(kubernetes::Kubernetes(kubernetes::Topology::SingleNumaNode)),
        Box::new(nova::Nova),
    ]
}

/// Until the first refusal, and how many might have come: the bound last.
pub(crate) fn until_refused(case: &Case, effort: Effort) -> Result<Vec<Reached>, String> {
    let mut rows = Vec::new();
    for mut order in orders(case, effort) {
        rows.push(run(case, &mut *order, 1)?);
    }
    let from = rows
        .iter()
        .filter(|r| r.not_asked == 0)
        .map(|r| r.arrived)
        .max();
    let from = from.unwrap_or(0);
    let allowed = case.allowed();
    let mut at = from.max(1);
    let mut whole = None;
    while at <= allowed {
        let Some(found) = at_once(case, at, false)? else {
            break;
        };
        whole = Some(found);
        at += 1;
    }
    while whole.is_none() && at > 1 {
        at -= 1;
        whole = at_once(case, at, false)?;
    }
    rows.insert(0, whole.unwrap_or_default());
    let limit = Reached {
        order: "the bound",
        arrived: allowed,
        ..Reached::default()
    };
    rows.push(limit);
    Ok(rows)
}

/// Until nobody comes any more, or so many were refused.
pub(crate) fn until_end(
    case: &Case,
    refusals: usize,
    effort: Effort,
) -> Result<Vec<Reached>, String> {
    let mut rows = Vec::new();
    for mut order in orders(case, effort) {
        rows.push(run(case, &mut *order, refusals)?);
    }
    let all = case.arrivals();
    rows.insert(0, at_once(case, all, true)?.unwrap_or_default());
    let usable: u64 = case.empty().iter().map(Free::cpus).sum();
    rows.push(Reached {
        order: "the bound",
        arrived: all,
        load: case.bound().cpus(&case.counts(all)) / usable as f64,
        ..Reached::default()
    });
    Ok(rows)
}
