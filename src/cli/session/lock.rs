//! The locks of the hosts that an apply changes.

use std::collections::BTreeSet;
use std::time::Duration;

use infra_api::{Failure, HostName, Remedy};
use infra_plan::Plan;
use infra_state::Holder;

use crate::cli::ui::{Exit, Stop, Ui};
use crate::world::World;

/// Locks every host that a step is done on; whether all of them are as they were looked at, for all that we know: nobody else of
/// us was at work there in between.
///
/// # Errors
/// Who else is at work.
pub async fn lock_hosts(
    world: &World,
    plan: &Plan,
    (holder, wait): (&Holder, Duration),
    ui: Ui,
) -> Result<bool, Stop> {
    let steps = plan.steps.iter();
    let hosts = steps.clone().map(|step| &step.resource.host);
    let left = steps.filter_map(|step| Some(&step.migration.as_ref()?.from.host));
    let hosts: BTreeSet<HostName> = hosts.chain(left).cloned().collect();
    let who = format!("{}, project `{}`", holder.describe(), plan.project);
    let others = world.lock(&hosts, &who, wait).await;
    let others =
        others.map_err(|failures| Stop::Several(failures.into_iter().map(not_locked).collect()))?;
    for (host, who) in &others {
        ui.warning(&format!(
            "others were at work on host `{host}` since it was looked at: {who}"
        ));
    }
    Ok(others.is_empty())
}

fn not_locked(failure: Failure) -> Stop {
    let held = failure.remedy == Remedy::Retry;
    match Stop::from(failure) {
        Stop::Error {
            doing, cause, hint, ..
        } if held => Stop::Error {
            exit: Exit::Locked,
            doing,
            cause,
            hint,
        },
        other => other,
    }
}
