//! `infra show [PLAN]`: the state, or a plan file.

use crate::cli::arguments::{self, Global};
use crate::cli::plan_file;
use crate::cli::session::{paths, read};
use crate::cli::show::{self, PlanView};
use crate::cli::ui::{Exit, Stop, Ui};
use crate::moved;
use crate::world::Folder;
use infra_plan::{Outcome, Plan};
use infra_state::Store;

pub(in crate::cli) fn run(args: &arguments::Show, global: Global, ui: Ui) -> Result<Exit, Stop> {
    let Some(path) = &args.plan else {
        return state(args, &global, ui);
    };
    let plan = plan_file::read(path)?;
    // What it was made on, where that is still the state; a plan file can also be read elsewhere.
    let store = Store::open(paths(&global.options(&arguments::Values::default())));
    let prior = match store.load(&plan.project) {
        Ok(mut loaded) => {
            loaded.map(|outcome| (as_moved(outcome, &plan), ()));
            let made_on = loaded.basis() == plan.basis;
            loaded.state.filter(|_| made_on)
        }
        Err(_) => None,
    };
    let prior = prior.map_or_else(Outcome::default, |state| state.outcome);
    let view = PlanView {
        project: &plan.project,
        plan: &plan,
        prior: &prior,
        decision: None,
        inventory: None,
        concise: false,
    };
    if args.json {
        ui.json(&show::json::plan(&view));
    } else {
        ui.result(&show::plan::plan(&view));
    }
    Ok(Exit::Done)
}

/// The plan was made on the state with its pending moves.
fn as_moved(mut prior: Outcome, plan: &Plan) -> Outcome {
    moved::rename(&mut prior, &plan.moved);
    prior.resources.retain(|id, _| !plan.let_go.contains(id));
    prior.released.extend(plan.let_go.iter().cloned());
    prior
}

fn state(args: &arguments::Show, global: &Global, ui: Ui) -> Result<Exit, Stop> {
    let options = global.options(&arguments::Values::default());
    let project = read(&Folder::new(&options.directory))?.project();
    let loaded = Store::open(paths(&options)).load(&project)?;
    let Some(state) = loaded.state else {
        ui.say("Nothing was ever applied here.\n");
        return Ok(Exit::Done);
    };
    if args.json {
        ui.json(&serde_json::to_value(&state).map_err(|e| Stop::error("writing the state", e))?);
        return Ok(Exit::Done);
    }
    ui.result(&show::state::state(&state));
    Ok(Exit::Done)
}
