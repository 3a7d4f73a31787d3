//! Nothing planned takes what belongs to something that is left out: it would be refused by the daemon, or both would
//! have it.

use std::collections::BTreeMap;

use infra_api::{Address, HostName, ResourceId};
use infra_diag::{Diagnostic, Diagnostics};
use infra_lang::Evaluation;
use infra_plan::{Plan, Record};

use crate::lower;

/// Looks at what a plan's objects will hold of their hosts.
#[must_use]
pub fn left(plan: &Plan, evaluation: &Evaluation) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    if plan.left_out.is_empty() {
        return diagnostics;
    }
    let is_left = |record: &Record| plan.left_out.contains(&record.address);
    let mut holders: BTreeMap<(&HostName, String), &Address> = BTreeMap::new();
    for (id, record) in plan.result.resources.iter().filter(|(_, r)| is_left(r)) {
        let words = exclusive(id, record).map(|word| ((&id.host, word), &record.address));
        holders.extend(words);
    }
    for (id, record) in plan.result.resources.iter().filter(|(_, r)| !is_left(r)) {
        for word in exclusive(id, record) {
            let text = format!("{id} would have {word}");
            if let Some(holder) = holders.get(&(&id.host, word)) {
                diagnostics.push(held(&record.address, holder, text, evaluation));
            }
        }
    }
    diagnostics
}

/// As in `port 80/tcp`. Huge pages are many: those of a node are not one machine's.
fn exclusive(id: &ResourceId, record: &Record) -> impl Iterator<Item = String> + use<> {
    let claims = lower::claims(id, &record.body, None);
    let words = claims.exclusive.into_iter();
    words.filter(|word| !word.starts_with("pages "))
}

fn held(taker: &Address, holder: &Address, text: String, evaluation: &Evaluation) -> Diagnostic {
    let error = Diagnostic::error("Held by what is left out")
        .note(format!("`{holder}` has it, and is left as it is"))
        .hint(format!("plan `{holder}` with it"));
    let address = taker.as_str().parse().ok();
    match address.and_then(|a| evaluation.instance(&a)) {
        Some(instance) => error.at(instance.origin, text),
        None => error.note(text),
    }
}
