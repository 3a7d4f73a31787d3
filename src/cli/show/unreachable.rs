//! What a plan says of hosts that nobody could look at, for a person.

use std::collections::BTreeSet;

use infra_api::Address;
use infra_plan::{Plan, Unreachable};

use super::names;
use super::page::{PLAIN, Page, YELLOW, count, paint};

/// So many addresses are named in one line; a document names them all.
const NAMED: usize = 20;

/// Writes them: why each was not looked at, and what stays and waits for that.
pub(super) fn unreachable(page: &mut Page, plan: &Plan) {
    for (host, left) in &plan.unreachable {
        let lead = format!("{} ", paint(YELLOW, "Not looked at:"));
        let why = names::clean(&left.why);
        page.folded(&lead, PLAIN, &format!("{host} cannot be reached: {why}"));
        page.folded("  ", PLAIN, &stays(left));
        if !left.wait.is_empty() {
            let waiting = count(left.wait.len(), "workload");
            let text = format!("{waiting} for {host}: {}", listed(left.wait.iter()));
            page.folded("Waiting: ", PLAIN, &text);
        }
    }
}

fn stays(left: &Unreachable) -> String {
    let objects = usize::try_from(left.objects).unwrap_or(usize::MAX);
    match (objects, left.stay.len()) {
        (0, 0) => "nothing is recorded there, and nothing is planned there".to_owned(),
        (_, 0) => format!("{} there: left as recorded", count(objects, "object")),
        (_, workloads) => format!(
            "{} there, of {}: left as recorded, and nothing is planned there",
            count(objects, "object"),
            count(workloads, "workload"),
        ),
    }
}

/// Why a workload is left as it is; nothing where that is not for its host.
pub(super) fn reason(plan: &Plan, address: &Address) -> Option<String> {
    plan.unreachable.iter().find_map(|(host, left)| {
        if left.stay.contains(address) {
            return Some(format!("not looked at: {host} cannot be reached"));
        }
        let waits = left.wait.contains(address);
        waits.then(|| format!("waits for {host}, which cannot be reached"))
    })
}

/// Names of many addresses, no more than can be read.
pub(super) fn listed<'a>(addresses: impl Iterator<Item = &'a Address>) -> String {
    let mut all: Vec<&Address> = addresses.collect();
    all.sort_by_key(|address| names::order(address));
    let mut words: Vec<String> = all.iter().take(NAMED).map(ToString::to_string).collect();
    if let Some(more) = all.len().checked_sub(NAMED).filter(|more| *more > 0) {
        words.push(format!("{more} more"));
    }
    words.join(", ")
}

/// Addresses that were said with their hosts.
pub(super) fn said(plan: &Plan) -> BTreeSet<&Address> {
    let hosts = plan.unreachable.values();
    hosts
        .flat_map(|left| left.stay.iter().chain(&left.wait))
        .collect()
}
