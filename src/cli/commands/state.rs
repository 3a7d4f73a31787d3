//! `infra state list|show|rebuild`; what changes it by hand, and what checks it, in rooms of their own.

mod edit;
mod fsck;

use std::collections::BTreeMap;

use infra_api::{HostName, Observed, Placement, Project, ResourceId};
use infra_lang::Mode;
use infra_plan::{Outcome, Record};
use infra_state::Store;

use super::apply::lock;
use crate::cli::arguments::{self, Global, Locking, StateCommand, Values};
use crate::cli::clock::lineage;
use crate::cli::session::{Session, paths, read};
use crate::cli::ui::{Exit, Stop, Ui};
use crate::moved;
use crate::recover;
use crate::world::{Folder, World};

pub(in crate::cli) async fn run(
    args: arguments::State,
    global: Global,
    ui: Ui,
) -> Result<Exit, Stop> {
    match args.command {
        StateCommand::List => list(&global, ui),
        StateCommand::Show { address } => show(&global, &address, ui),
        StateCommand::Rm { addresses, locking } => edit::rm(&global, &addresses, &locking, ui),
        StateCommand::Mv { from, to, locking } => edit::mv(&global, (&from, &to), &locking, ui),
        StateCommand::Pull => edit::pull(&global, ui),
        StateCommand::Push {
            file,
            force,
            locking,
        } => edit::push(&global, &file, force, &locking, ui),
        StateCommand::Unlock { id } => edit::unlock(&global, &id, ui),
        StateCommand::Fsck { values, offline } => fsck::run(&global, &values, offline, ui).await,
        StateCommand::Rebuild { values, locking } => rebuild(&global, &values, &locking, ui).await,
    }
}

fn outcome(global: &Global) -> Result<Outcome, Stop> {
    let options = global.options(&Values::default());
    let project = read(&Folder::new(&options.directory))?.project();
    let loaded = Store::open(paths(&options)).load(&project)?;
    Ok(loaded.state.map(|s| s.outcome).unwrap_or_default())
}

fn list(global: &Global, ui: Ui) -> Result<Exit, Stop> {
    let outcome = outcome(global)?;
    let lines = outcome
        .resources
        .iter()
        .map(|(id, record)| format!("{}\t{id}\n", record.address));
    ui.result(&lines.collect::<String>());
    Ok(Exit::Done)
}

fn show(global: &Global, address: &str, ui: Ui) -> Result<Exit, Stop> {
    let outcome = outcome(global)?;
    let resources: BTreeMap<&ResourceId, &Record> = outcome
        .resources
        .iter()
        .filter(|(id, r)| r.address.as_str() == address || id.to_string() == address)
        .collect();
    let placement = outcome
        .workloads
        .iter()
        .find(|(a, _)| a.as_str() == address)
        .map(|(_, p)| p);
    if resources.is_empty() && placement.is_none() {
        return Err(Stop::error(
            format!("showing `{address}`"),
            "the state knows nothing of it",
        )
        .hint("`infra state list` shows what it knows"));
    }
    ui.json(&serde_json::json!({ "placement": placement, "resources": resources }));
    Ok(Exit::Done)
}

/// Makes the state anew from what carries this project's mark on the declared hosts.
async fn rebuild(
    global: &Global,
    values: &Values,
    locking: &Locking,
    ui: Ui,
) -> Result<Exit, Stop> {
    let options = global.options(values);
    let store = Store::open(paths(&options));
    let lock = lock(&options, locking, "state rebuild", ui)?;
    let session = Session::open_without_state(options.clone(), Mode::Plan, ui)?;
    let world = session.connect().await?;
    unseen(&world, &store, session.project(), ui)?;
    let observed = session.observe(&world, &BTreeMap::new()).await?;
    let mut outcome = Outcome::default();
    for (id, found) in observed {
        if let Observed::Present { address, body } = found {
            outcome.resources.insert(
                id,
                Record {
                    address,
                    body,
                    after: Vec::new(),
                    prevent_destroy: false,
                    imported: None,
                    unready: false,
                },
            );
        }
    }
    unmarked(&session, &world, &mut outcome).await?;
    let (mut outcome, moved) = moved::obey(outcome, &read(&session.folder)?.moves());
    session.must(moved.diagnostics(), ui)?;
    // Once more, now that it is known what is named after an address it had before.
    let session = Session::open_named(options, &outcome.made_as, ui)?;
    for record in outcome.resources.values_mut() {
        record.body = session.opened(&record.address, &record.body)?.into();
        let evaluation = &session.configuration.evaluation;
        record.prevent_destroy = recover::prevents_destroy(evaluation, &record.address);
    }
    recover::edges(&mut outcome.resources);
    outcome.workloads = placements(&outcome, &session);
    outcome.outputs = session.outputs()?;
    let drawn = lineage().map_err(|e| Stop::error("drawing a name for the state", e))?;
    let state = store.rebuild(&lock, session.project(), &drawn, outcome)?;
    let outcome = &state.outcome;
    ui.result(&format!(
        "State rebuilt: {} objects of {} workloads.\n",
        outcome.resources.len(),
        outcome.workloads.len()
    ));
    Ok(Exit::Done)
}

/// What was imported carries no mark: `import` blocks tell of it.
async fn unmarked(session: &Session, world: &World, outcome: &mut Outcome) -> Result<(), Stop> {
    let imported = session.imported_before();
    let ids = imported.keys().cloned().collect();
    let observation = world.observe(session.project(), &ids).await;
    if !observation.failures.is_empty() {
        return Err(Stop::all(observation.failures));
    }
    for (id, address) in imported {
        let Some(Observed::Foreign {
            unmarked: Some(found),
            ..
        }) = observation.found.get(&id)
        else {
            continue;
        };
        let Ok(body) = &found.body else { continue };
        let record = Record {
            address,
            body: session.veiled(body)?.into(),
            after: Vec::new(),
            prevent_destroy: false,
            imported: Some(found.identity.clone()),
            unready: false,
        };
        outcome.resources.insert(id, record);
    }
    Ok(())
}

/// A daemon that does not answer hides what it has. Where the state of before has objects there, or where no daemon
/// answers at all, that is an error; else a host may just not have one.
fn unseen(world: &World, store: &Store, project: &Project, ui: Ui) -> Result<(), Stop> {
    let former = store.load(project).ok().and_then(|l| l.state);
    let holds = |host: &HostName, provider: &str| {
        let former = former.iter().flat_map(|s| s.outcome.resources.keys());
        former
            .into_iter()
            .any(|id| id.host == *host && id.provider == provider)
    };
    let none_answers = world.answering() == 0;
    for (host, provider, failure) in world.unreachable() {
        if none_answers || holds(host, provider) {
            return Err(failure.clone().into());
        }
        ui.warning(&format!(
            "nothing of {provider} on {host} is in the state: {failure}"
        ));
    }
    Ok(())
}

fn placements(outcome: &Outcome, session: &Session) -> BTreeMap<infra_api::Address, Placement> {
    recover::placements(&outcome.resources, &session.configuration.declared)
}
