//! What the state says once `moved` and `removed` are obeyed: records have the addresses their objects are declared at
//! now, and what is let go of is no longer ours to change. Nothing outside is touched by it: names and marks stay as
//! they were made.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Address, ResourceId};
use infra_diag::{Diagnostic, Diagnostics};
use infra_lang::Moves;
use infra_plan::Outcome;

/// What changed by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Addresses now, and what they were.
    pub addresses: BTreeMap<Address, Address>,
    pub let_go: BTreeSet<ResourceId>,
    /// Addresses that would have the objects of two.
    pub taken: Vec<(Address, Address)>,
}

impl Moved {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.let_go.is_empty()
    }

    /// One error for each address that two would have.
    #[must_use]
    pub fn diagnostics(&self) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        for (from, to) in &self.taken {
            diagnostics.push(
                Diagnostic::error("Moved onto another")
                    .note(format!(
                        "`{from}` is `{to}` now, but there are objects of `{to}` already"
                    ))
                    .hint(format!(
                        "remove what `{to}` has (`infra destroy --target {to}`), or move it first"
                    )),
            );
        }
        diagnostics
    }
}

/// Obeys them.
#[must_use]
pub fn obey(mut state: Outcome, moves: &Moves) -> (Outcome, Moved) {
    let mut moved = Moved::default();
    if is_settled(&state, moves) {
        return (state, moved);
    }
    let known: BTreeSet<Address> = known(&state).cloned().collect();
    for from in &known {
        let parsed: Option<infra_lang::Address> = from.as_str().parse().ok();
        let to = parsed.as_ref().and_then(|address| moves.now(address));
        if let Some(to) = to.map(|to| Address::new(to.to_string())) {
            if known.contains(&to) {
                moved.taken.push((from.clone(), to));
            } else {
                moved.addresses.insert(to, from.clone());
            }
        } else if let Some(to) = parsed
            .as_ref()
            .and_then(|address| moves.implied(address))
            .map(|to| Address::new(to.to_string()))
            .filter(|to| !known.contains(to))
        {
            moved.addresses.insert(to, from.clone());
        } else if parsed.is_some_and(|address| moves.lets_go(&address)) {
            let_go(&mut state, from, &mut moved.let_go);
        }
    }
    rename(&mut state, &moved.addresses);
    (state, moved)
}

/// Whether nothing is said of any address that the state has: then there is nothing to obey.
#[must_use]
pub fn is_settled(state: &Outcome, moves: &Moves) -> bool {
    !known(state).any(|address| moves.concerns(address.as_str()))
}

fn known(state: &Outcome) -> impl Iterator<Item = &Address> {
    let recorded = state.resources.values().map(|record| &record.address);
    recorded.chain(state.workloads.keys())
}

/// What stood at the second address of each pair stands at the first.
pub fn rename(state: &mut Outcome, addresses: &BTreeMap<Address, Address>) {
    let to: BTreeMap<&Address, &Address> = addresses.iter().map(|(to, from)| (from, to)).collect();
    for record in state.resources.values_mut() {
        if let Some(to) = to.get(&record.address) {
            record.address = (*to).clone();
        }
    }
    let workloads = std::mem::take(&mut state.workloads).into_iter();
    state.workloads = workloads
        .map(|(address, place)| (to.get(&address).map_or(address, |to| (*to).clone()), place))
        .collect();
    for (to, from) in addresses {
        state.made_as.moved(from, to);
    }
}

/// All objects of an address are no longer ours to change.
pub fn let_go(state: &mut Outcome, address: &Address, gone: &mut BTreeSet<ResourceId>) {
    let own = state.resources.iter();
    let own = own.filter(|(_, record)| record.address == *address);
    let ids: Vec<ResourceId> = own.map(|(id, _)| id.clone()).collect();
    for id in ids {
        state.resources.remove(&id);
        state.released.insert(id.clone());
        gone.insert(id);
    }
    state.workloads.remove(address);
}

/// Those whose marks nobody could read without the state: no `moved` leads from the mark to where it is declared.
#[must_use]
pub fn untraced(state: &Outcome, moves: &Moves) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let leads = |made: &Address, now: &Address| {
        let made = made.as_str().parse().ok();
        let to = made.and_then(|made| moves.now(&made).or_else(|| moves.implied(&made)));
        to.is_some_and(|to| to.to_string() == now.as_str())
    };
    for (now, made) in state.made_as.iter().filter(|(now, made)| !leads(made, now)) {
        diagnostics.push(
            Diagnostic::warning("Mark without a trace")
                .note(format!(
                    "the objects of `{now}` were made for `{made}`, and their marks say so; only the state knows"
                ))
                .hint(format!(
                    "keep `moved {{ from = {made}  to = {now} }}`: without it `infra state rebuild` cannot know"
                )),
        );
    }
    diagnostics
}
