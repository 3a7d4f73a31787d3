//! `infra graph`: what depends on what, as DOT.

use infra_lang::Mode;

use crate::cli::arguments::{self, Global};
use crate::cli::plan_file;
use crate::cli::session::Session;
use crate::cli::show;
use crate::cli::ui::{Exit, Stop, Ui};

pub(in crate::cli) fn run(args: arguments::Graph, global: Global, ui: Ui) -> Result<Exit, Stop> {
    let session = Session::open_without_state(global.options(&args.values), Mode::Validate, ui)?;
    let plan = args.plan.as_deref().map(plan_file::read).transpose()?;
    ui.result(&show::graph::graph(
        &session.configuration.evaluation,
        plan.as_ref(),
    ));
    Ok(Exit::Done)
}
