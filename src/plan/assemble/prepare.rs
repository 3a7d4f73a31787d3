//! A restart that may have to wait comes in two steps where its daemon can have both: the next start is made as wanted at
//! once, and what runs is restarted when it may be. Whoever stops it before that starts it as wanted.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Before, Step, StepAction};

/// Puts the first step before each such restart. What is prepared already is not prepared again.
pub(super) fn prepare(steps: Vec<Step>, prepared: &dyn Fn(&Step) -> Option<Value>) -> Vec<Step> {
    let mut all = Vec::with_capacity(steps.len());
    let mut numbers = BTreeMap::new();
    let mut next = 1;
    for mut step in steps {
        for need in &mut step.needs {
            *need = numbers[need];
        }
        let body = waits(&step).then(|| prepared(&step)).flatten();
        let is_new =
            |body: &Value| !matches!(&step.before, Before::Present { body: is } if is == body);
        if let Some(body) = body.filter(is_new) {
            let first = first(&step, next, body.clone());
            step.before = Before::Present { body: body.into() };
            step.needs.push(next);
            all.push(first);
            next += 1;
        }
        numbers.insert(step.number, next);
        step.number = next;
        next += 1;
        all.push(step);
    }
    all
}

fn waits(step: &Step) -> bool {
    step.action == StepAction::Restart && step.when.is_some()
}

/// It needs all that the restart needs: from here on anybody may start it as wanted.
fn first(restart: &Step, number: u32, prepared: Value) -> Step {
    Step {
        number,
        action: StepAction::Prepare,
        deltas: Vec::new(),
        prepared: Some(prepared),
        overlaps: Vec::new(),
        until_ready: false,
        when: None,
        ..restart.clone()
    }
}
