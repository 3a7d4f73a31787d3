//! Carries a plan out on paper, in the order it is written and in others that its `needs` allow, and complains
//! about every step that the world would not have let happen. Shares no code with the order.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::ResourceId;
use infra_plan::{Before, Plan, Step, StepAction};
use serde_json::Value;

use crate::world::{Found, Thing, World, claims};

/// What is there at a moment: nothing in it where it is half made.
struct There {
    body: Option<Value>,
    on: BTreeSet<usize>,
}

struct Paper<'a> {
    world: &'a World,
    plan: &'a Plan,
    there: BTreeMap<usize, There>,
    done: BTreeSet<u32>,
}

/// Every way to carry it out that is tried ends well: as written, backwards where it may, and by turns.
pub(crate) fn check(world: &World, plan: &Plan) -> Result<(), String> {
    for (index, step) in plan.steps.iter().enumerate() {
        if step.number as usize != index + 1 || step.needs.iter().any(|n| *n >= step.number) {
            return Err(format!("step {} needs a later one", step.number));
        }
    }
    let first = |ready: &[u32], _: usize| ready[0];
    let last = |ready: &[u32], _: usize| ready[ready.len() - 1];
    let turns = |ready: &[u32], done: usize| ready[done * 7 % ready.len()];
    for choose in [first, last, turns] as [fn(&[u32], usize) -> u32; 3] {
        carry_out(world, plan, choose)?;
    }
    Ok(())
}

fn carry_out(world: &World, plan: &Plan, choose: fn(&[u32], usize) -> u32) -> Result<(), String> {
    let mut paper = Paper {
        world,
        plan,
        there: world
            .things
            .iter()
            .filter(|t| t.is_there())
            .map(|t| (t.number, begin(world, plan, t)))
            .collect(),
        done: BTreeSet::new(),
    };
    while paper.done.len() < plan.steps.len() {
        let may = |s: &&Step| {
            !paper.done.contains(&s.number) && s.needs.iter().all(|n| paper.done.contains(n))
        };
        let ready: Vec<u32> = plan.steps.iter().filter(may).map(|s| s.number).collect();
        if ready.is_empty() {
            return Err("steps wait for each other".to_owned());
        }
        let number = choose(&ready, paper.done.len());
        let step = &plan.steps[number as usize - 1];
        paper
            .rolls(step)
            .and_then(|()| paper.step(step))
            .map_err(|why| format!("step {number} ({:?} {}): {why}", step.action, step.resource))?;
        paper.done.insert(number);
    }
    paper.end()
}

fn begin(world: &World, plan: &Plan, thing: &Thing) -> There {
    let has_step = plan
        .steps
        .iter()
        .any(|s| world.thing(&s.resource).number == thing.number);
    // What has no step lets go of nothing.
    let on = match (has_step, thing.recorded) {
        (true, true) => &thing.stood_on,
        (true, false) if !thing.wanted || world.destroy => &BTreeSet::new(),
        _ => &thing.stands_on,
    };
    There {
        body: (thing.found == Found::Whole).then(|| thing.body_found()),
        on: on.clone(),
    }
}

impl Paper<'_> {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        let thing = self.world.thing(&step.resource);
        self.before(step, thing)?;
        self.depends(step, thing)?;
        if step.action == StepAction::Delete {
            let users = |(n, t): (&usize, &There)| t.on.contains(&thing.number).then_some(*n);
            if let Some(user) = self.there.iter().find_map(users) {
                return Err(format!("t{user} stands on it"));
            }
            self.there.remove(&thing.number);
            return Ok(());
        }
        if let Some(missing) = thing.stands_on.iter().find(|n| !self.is_made(**n)) {
            return Err(format!("t{missing} is not there"));
        }
        let body = self.plan.result.resources[&step.resource].body.clone();
        self.takes(step, thing, &body)?;
        let on = thing.stands_on.clone();
        let body = Some(body.into_value());
        self.there.insert(thing.number, There { body, on });
        Ok(())
    }

    fn before(&self, step: &Step, thing: &Thing) -> Result<(), String> {
        let there = self.there.get(&thing.number).map(|t| &t.body);
        let as_said = match (&step.before, there) {
            (Before::Absent | Before::Removed, None) | (Before::Partial, Some(None)) => true,
            (Before::Present { body }, Some(Some(there))) => body == there,
            _ => false,
        };
        let changes_what_is = step.action == StepAction::Create
            || matches!(step.before, Before::Present { .. } | Before::Partial);
        let makes_what_is_not =
            step.action != StepAction::Create || !matches!(step.before, Before::Present { .. });
        if as_said && changes_what_is && makes_what_is_not {
            Ok(())
        } else {
            Err(format!("it was to be {:?}", step.before))
        }
    }

    /// What others wait for comes before them and goes after them.
    fn depends(&self, step: &Step, thing: &Thing) -> Result<(), String> {
        let gone = step.action == StepAction::Delete;
        let starts = matches!(
            step.action,
            StepAction::Create | StepAction::Restart | StepAction::Replace
        );
        for (dependent, dependency) in self.world.depends_on() {
            let of = |id: &ResourceId| self.world.thing(id).number;
            let deletes = |s: &&Step| s.resource == dependent && s.action == StepAction::Delete;
            let removal = self.plan.steps.iter().find(deletes);
            if gone
                && of(&dependency) == thing.number
                && removal.is_some_and(|s| !self.done.contains(&s.number))
            {
                return Err(format!("{dependent} still waits for it"));
            }
            if !gone && of(&dependent) == thing.number && self.is_pending(&dependency) {
                return Err(format!("{dependency} is not ready"));
            }
            if starts && of(&dependent) == thing.number && !step.waits_for.contains(&dependency) {
                return Err(format!("it does not wait for {dependency}"));
            }
        }
        Ok(())
    }

    /// Whether one of them must be removed before another can change: then no order keeps them apart.
    fn is_entangled(&self, changing: &[usize]) -> bool {
        let steps = &self.plan.steps;
        let own = |n: usize| {
            steps
                .iter()
                .filter(move |s| self.world.thing(&s.resource).number == n)
        };
        changing.iter().any(|n| {
            let mut before = BTreeSet::new();
            let mut queue: Vec<u32> = own(*n).flat_map(|s| s.needs.clone()).collect();
            while let Some(number) = queue.pop() {
                if before.insert(number) {
                    queue.extend(&steps[number as usize - 1].needs);
                }
            }
            let others = changing.iter().filter(|other| *other != n);
            others.copied().any(|other| {
                let done = own(other).filter(|s| before.contains(&s.number)).count();
                0 < done && done < own(other).count()
            })
        })
    }

    /// Of a block no more instances are on their way than may be, and no new batch is before the one before it is done
    /// and ready.
    fn rolls(&self, step: &Step) -> Result<(), String> {
        let number = |id: &ResourceId| self.world.thing(id).number;
        let own = number(&step.resource);
        let blocks = &self.world.rolling;
        let Some((block, most)) = blocks.iter().find(|(block, _)| block.contains(&own)) else {
            return Ok(());
        };
        let of = |n: usize| {
            self.plan
                .steps
                .iter()
                .filter(move |s| number(&s.resource) == n)
        };
        let changes = |n: &usize| {
            of(*n).any(|s| s.action != StepAction::Delete && s.before != Before::Absent)
        };
        let on_the_way = |n: &usize| {
            let done = of(*n).filter(|s| self.done.contains(&s.number)).count();
            0 < done && done < of(*n).count()
        };
        let changing: Vec<usize> = block.iter().copied().filter(changes).collect();
        if !changing.contains(&own) || self.is_entangled(&changing) {
            return Ok(());
        }
        let others = changing.iter().filter(|n| **n != own && on_the_way(n));
        if others.count() >= *most {
            return Err(format!("more than {most} of its block change"));
        }
        let first = of(own).next().is_some_and(|s| s.number == step.number);
        let before = changing
            .iter()
            .filter(|n| of(**n).all(|s| self.done.contains(&s.number)));
        // Whoever starts when a whole batch is done waits for some of them.
        let begun = before.count() + changing.iter().filter(|n| on_the_way(n)).count();
        let waits = step
            .waits_for
            .iter()
            .any(|id| changing.contains(&number(id)));
        if first && begun >= *most && !waits {
            return Err("it waits for none of the batch before".to_owned());
        }
        Ok(())
    }

    fn is_pending(&self, id: &ResourceId) -> bool {
        let makes = |s: &&Step| s.resource == *id && s.action != StepAction::Delete && s.number > 0;
        let step = self.plan.steps.iter().find(makes);
        step.is_some_and(|s| !self.done.contains(&s.number))
    }

    fn is_made(&self, number: usize) -> bool {
        let body = self.there.get(&number).map(|t| t.body.is_some());
        let pending = self.is_pending(&crate::world::id(number));
        // Something that is changed in place is there all the time; its users still come after it.
        body == Some(true) && !pending
    }

    /// What it takes nobody has, but for CPUs where the step says so.
    fn takes(&self, step: &Step, thing: &Thing, body: &Value) -> Result<(), String> {
        let of = |body| claims(&step.resource, &step.address, body, true);
        let own = of(body);
        for (number, other) in self.there.iter().filter(|(n, _)| **n != thing.number) {
            let Some(body) = &other.body else { continue };
            let theirs = of(body);
            if !own.exclusive.is_disjoint(&theirs.exclusive) {
                return Err(format!("t{number} has {:?}", theirs.exclusive));
            }
            let stated = step.overlaps.contains(&crate::world::id(*number));
            if !own.cpus.is_disjoint(&theirs.cpus) && !stated {
                return Err(format!("t{number} has CPU {}", theirs.cpus));
            }
            if stated && step.action != StepAction::Update {
                return Err("only what is live may overlap".to_owned());
            }
        }
        Ok(())
    }

    /// In the end there is what is wanted and nothing else.
    fn end(&self) -> Result<(), String> {
        let wanted = |t: &&Thing| t.wanted && !self.world.destroy;
        let wanted: BTreeMap<usize, Option<Value>> = self
            .world
            .things
            .iter()
            .filter(wanted)
            .map(|t| {
                let record = &self.plan.result.resources[&crate::world::id(t.number)];
                (t.number, Some(record.body.clone().into_value()))
            })
            .collect();
        let there: BTreeMap<usize, Option<Value>> = self
            .there
            .iter()
            .map(|(n, t)| (*n, t.body.clone()))
            .collect();
        if there == wanted {
            Ok(())
        } else {
            Err(format!("there is {there:?} in the end"))
        }
    }
}
