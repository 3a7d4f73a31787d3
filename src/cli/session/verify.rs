//! Reads back from the kernels what was made.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use infra_api::{Address, Failure, HostName, ResourceId, Running};
use infra_kernel::Search;
use infra_plan::{Outcome, Record};
use serde_json::Value;

use crate::verify::{Check, Subject, Wanted, alone, verify};
use crate::world::World;

/// What came of looking.
#[derive(Debug, Default)]
pub struct Verified {
    /// By the addresses of the workloads.
    pub checks: Vec<Check>,
    /// Why something could not be looked at.
    pub failures: Vec<Failure>,
}

/// Checks what is recorded of the workloads that are meant. `watch`: looks twice, so long after the first time.
pub async fn verified(
    world: &World,
    outcome: &Outcome,
    meant: impl Fn(&Address) -> bool,
    watch: Option<Duration>,
) -> Verified {
    let records: Vec<(&ResourceId, &Record)> = outcome
        .resources
        .iter()
        .filter(|(_, record)| meant(&record.address))
        .collect();
    let (subjects, mut failures) = subjects(world, outcome, &records).await;
    let looks = subjects.into_iter().map(|(host, subjects)| async move {
        let both = looked(world, &host, &subjects, watch).await;
        both.map(|(earlier, now)| verify(&subjects, &now, earlier.as_ref()))
    });
    let mut checks = Vec::new();
    for look in join_all(looks).await {
        match look {
            Ok(some) => checks.extend(some),
            Err(failure) => failures.push(failure),
        }
    }
    // Stable: those of one workload stay in their order.
    checks.sort_by(|a: &Check, b| a.address.cmp(&b.address));
    Verified { checks, failures }
}

type Subjects = BTreeMap<HostName, Vec<Subject>>;

/// What runs on each host, and by what its processes are known. What its daemon does not tell of is not looked for.
async fn subjects(
    world: &World,
    outcome: &Outcome,
    records: &[(&ResourceId, &Record)],
) -> (Subjects, Vec<Failure>) {
    let mut daemons: BTreeMap<(&HostName, &str), Vec<(&ResourceId, &Value)>> = BTreeMap::new();
    let mut all = Vec::new();
    for (id, record) in records {
        let placement = outcome.workloads.get(&record.address);
        if let Some(wanted) = Wanted::of(id, &record.body, placement) {
            daemons
                .entry((&id.host, &id.provider))
                .or_default()
                .push((id, &record.body));
            all.push((*id, &record.address, wanted));
        }
    }
    let asked = daemons
        .iter()
        .map(|(daemon, objects)| async move { (*daemon, world.traces(*daemon, objects).await) });
    let (mut traces, mut failures, mut silent) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
    for (daemon, told) in join_all(asked).await {
        match told {
            Ok(told) => traces.extend(told),
            Err(failure) => {
                failures.push(failure);
                silent.insert(daemon);
            }
        }
    }
    let mut subjects = Subjects::new();
    for (id, address, wanted) in all {
        if !silent.contains(&(&id.host, id.provider.as_str())) {
            subjects.entry(id.host.clone()).or_default().push(Subject {
                address: address.clone(),
                host: id.host.clone(),
                wanted,
                trace: traces.get(id).cloned(),
            });
        }
    }
    (subjects, failures)
}

async fn looked(
    world: &World,
    host: &HostName,
    subjects: &[Subject],
    watch: Option<Duration>,
) -> Result<(Option<Running>, Running), Failure> {
    let traces = subjects.iter().filter_map(|subject| subject.trace.as_ref());
    let functions = subjects
        .iter()
        .flat_map(|subject| &subject.wanted.functions);
    let settings = subjects.iter().flat_map(|subject| &subject.wanted.settings);
    let settings = settings.map(|setting| (setting.file.clone(), setting.value.clone()));
    let search = Search {
        traces: traces.map(|trace| trace.text().to_owned()).collect(),
        functions: functions.cloned().collect(),
        settings: settings.collect(),
        memory: true,
        others: !alone(subjects).is_empty(),
    };
    let Some(watch) = watch else {
        return Ok((None, world.look(host, &search).await?));
    };
    // Where its memory is does not matter to time.
    let first = Search {
        memory: false,
        ..search.clone()
    };
    let first = world.look(host, &first).await?;
    tokio::time::sleep(watch).await;
    Ok((Some(first), world.look(host, &search).await?))
}
