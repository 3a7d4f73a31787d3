//! Which steps may start now. A pure state machine: events in, step numbers out; what a step does and how
//! long it takes is not known here.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::HostName;
use infra_plan::Step;

use crate::Limits;

/// One daemon of one host.
type Lane = (HostName, String);

#[derive(Debug)]
struct Queue {
    limit: usize,
    running: usize,
    waiting: BTreeSet<u32>,
}

#[derive(Debug)]
struct Node {
    lane: Lane,
    dependents: Vec<u32>,
    status: Status,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// For so many steps.
    Waits(usize),
    Queued,
    Running,
    Done,
    Failed,
    Skipped {
        because: u32,
    },
    Held,
}

/// A step that was not started because another failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    pub step: u32,
    /// The step that failed.
    pub because: u32,
}

/// What became of the steps, each list in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub done: Vec<u32>,
    pub failed: Vec<u32>,
    pub skipped: Vec<Skipped>,
    pub running: Vec<u32>,
    /// Those that may not be done now, and all that need them.
    pub held: Vec<u32>,
    /// Neither started nor skipped.
    pub left: Vec<u32>,
}

/// The steps of a plan on their way.
#[derive(Debug)]
pub struct Ready {
    nodes: BTreeMap<u32, Node>,
    lanes: BTreeMap<Lane, Queue>,
    /// So many run on each host.
    hosts: BTreeMap<HostName, usize>,
    limits: Limits,
    stopped: bool,
}

impl Ready {
    /// The error says what is wrong with the plan. Steps need only steps before them, so there is no cycle.
    pub fn new(steps: &[Step], limits: &Limits) -> Result<Self, String> {
        let mut ready = Self {
            nodes: BTreeMap::new(),
            lanes: BTreeMap::new(),
            hosts: BTreeMap::new(),
            limits: limits.clone(),
            stopped: false,
        };
        for step in steps {
            ready.add(step)?;
        }
        Ok(ready)
    }

    fn add(&mut self, step: &Step) -> Result<(), String> {
        let number = step.number;
        if self
            .nodes
            .last_key_value()
            .is_some_and(|(last, _)| *last >= number)
        {
            return Err(format!("step {number} is out of order"));
        }
        let needs: BTreeSet<u32> = step.needs.iter().copied().collect();
        for need in &needs {
            let needed = self.nodes.get_mut(need);
            needed
                .ok_or_else(|| format!("step {number} needs step {need}, which is not before it"))?
                .dependents
                .push(number);
        }
        let lane = (step.resource.host.clone(), step.resource.provider.clone());
        let limit = self.limits.of(&lane.0, &lane.1);
        self.lanes.entry(lane.clone()).or_insert(Queue {
            limit,
            running: 0,
            waiting: BTreeSet::new(),
        });
        self.nodes.insert(
            number,
            Node {
                lane,
                dependents: Vec::new(),
                status: Status::Waits(needs.len()),
            },
        );
        if needs.is_empty() {
            self.queue(number);
        }
        Ok(())
    }

    /// These and all that need them are not done by this apply. Before the first one starts.
    pub fn hold(&mut self, steps: &BTreeSet<u32>) {
        let mut next: Vec<u32> = steps.iter().copied().collect();
        while let Some(number) = next.pop() {
            let Some(node) = self.nodes.get_mut(&number) else {
                continue;
            };
            if std::mem::replace(&mut node.status, Status::Held) != Status::Held {
                next.extend(&node.dependents);
                if let Some(queue) = self.lanes.get_mut(&node.lane) {
                    queue.waiting.remove(&number);
                }
            }
        }
    }

    #[must_use]
    pub fn is_held(&self, number: u32) -> bool {
        self.status(number) == Some(Status::Held)
    }

    /// The steps that start now, lowest number first; they count as running.
    pub fn start(&mut self) -> Vec<u32> {
        if self.stopped {
            return Vec::new();
        }
        let mut starting = Vec::new();
        while let Some(number) = self.next() {
            self.set(number, Status::Running);
            starting.push(number);
        }
        starting
    }

    /// The lowest step that may start, taken out of its queue.
    fn next(&mut self) -> Option<u32> {
        let running: usize = self.hosts.values().sum();
        if running >= self.limits.all() {
            return None;
        }
        let free = |(host, _): &Lane, queue: &Queue| {
            let on_host = self.hosts.get(host).copied().unwrap_or(0);
            queue.running < queue.limit && on_host < self.limits.of_host(host)
        };
        let (_, lane) = self
            .lanes
            .iter()
            .filter(|(lane, queue)| free(lane, queue))
            .filter_map(|(lane, queue)| Some((*queue.waiting.first()?, lane.clone())))
            .min()?;
        let queue = self.lanes.get_mut(&lane)?;
        queue.running += 1;
        *self.hosts.entry(lane.0).or_default() += 1;
        queue.waiting.pop_first()
    }

    pub fn done(&mut self, number: u32) {
        if !self.end(number, Status::Done) {
            return;
        }
        for dependent in self.dependents(number) {
            if let Some(Status::Waits(needs)) = self.status(dependent) {
                self.set(dependent, Status::Waits(needs - 1));
                if needs == 1 {
                    self.queue(dependent);
                }
            }
        }
    }

    /// Everything that needs it, directly or not, is skipped; those are returned.
    pub fn failed(&mut self, number: u32) -> Vec<Skipped> {
        let mut skipped = Vec::new();
        if !self.end(number, Status::Failed) {
            return skipped;
        }
        let mut next = self.dependents(number);
        while let Some(step) = next.pop() {
            if let Some(Status::Waits(_)) = self.status(step) {
                self.set(step, Status::Skipped { because: number });
                skipped.push(Skipped {
                    step,
                    because: number,
                });
                next.extend(self.dependents(step));
            }
        }
        skipped.sort_unstable();
        skipped
    }

    /// From now on nothing starts.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Nothing runs and nothing will.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        let idle = |queue: &Queue| queue.running == 0 && (self.stopped || queue.waiting.is_empty());
        self.lanes.values().all(idle)
    }

    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for (number, node) in &self.nodes {
            match node.status {
                Status::Done => summary.done.push(*number),
                Status::Failed => summary.failed.push(*number),
                Status::Skipped { because } => summary.skipped.push(Skipped {
                    step: *number,
                    because,
                }),
                Status::Held => summary.held.push(*number),
                Status::Running => summary.running.push(*number),
                Status::Waits(_) | Status::Queued => summary.left.push(*number),
            }
        }
        summary
    }

    fn status(&self, number: u32) -> Option<Status> {
        self.nodes.get(&number).map(|node| node.status)
    }

    fn set(&mut self, number: u32, status: Status) {
        if let Some(node) = self.nodes.get_mut(&number) {
            node.status = status;
        }
    }

    fn dependents(&self, number: u32) -> Vec<u32> {
        self.nodes
            .get(&number)
            .map(|node| node.dependents.clone())
            .unwrap_or_default()
    }

    fn queue(&mut self, number: u32) {
        let Some(node) = self.nodes.get_mut(&number) else {
            return;
        };
        node.status = Status::Queued;
        if let Some(queue) = self.lanes.get_mut(&node.lane) {
            queue.waiting.insert(number);
        }
    }

    /// False where it was not running.
    fn end(&mut self, number: u32, status: Status) -> bool {
        let Some(node) = self
            .nodes
            .get_mut(&number)
            .filter(|node| node.status == Status::Running)
        else {
            return false;
        };
        node.status = status;
        if let Some(queue) = self.lanes.get_mut(&node.lane) {
            queue.running -= 1;
        }
        if let Some(running) = self.hosts.get_mut(&node.lane.0) {
            *running -= 1;
        }
        true
    }
}

#[cfg(test)]
mod tests;
