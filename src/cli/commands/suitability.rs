//! `infra suitability`: the table by which runtimes are chosen; `infra classes`: names for needs. Where the folder holds a
//! configuration, with what that lays over the table.

use std::sync::Arc;

use infra_lang::Mode;
use infra_suitability::Table;

use crate::cli::arguments::{self, Global};
use crate::cli::session::{self, Session};
use crate::cli::show;
use crate::cli::ui::{Exit, Stop, Ui};
use crate::reference;

pub(in crate::cli) fn table(
    args: &arguments::Suitability,
    global: &Global,
    ui: Ui,
) -> Result<Exit, Stop> {
    let table = known(&args.values, global, ui)?;
    if args.json {
        ui.json(&json(&table)?);
    } else if args.markdown {
        ui.result(&reference::suitability(&table));
    } else {
        ui.result(&show::suitability::table(&table));
    }
    Ok(Exit::Done)
}

pub(in crate::cli) fn classes(
    args: &arguments::Classes,
    global: &Global,
    ui: Ui,
) -> Result<Exit, Stop> {
    let table = known(&args.values, global, ui)?;
    if args.json {
        ui.json(&json(&table.classes)?);
    } else {
        ui.result(&show::suitability::classes(&table));
    }
    Ok(Exit::Done)
}

fn json(value: &impl serde::Serialize) -> Result<serde_json::Value, Stop> {
    serde_json::to_value(value).map_err(|e| Stop::error("writing the document", e))
}

fn known(values: &arguments::Values, global: &Global, ui: Ui) -> Result<Arc<Table>, Stop> {
    let planning = arguments::Planning {
        values: values.clone(),
        ..arguments::Planning::default()
    };
    let options = global.planning(&planning);
    if !session::declares(&options.directory) {
        return Ok(Arc::new(Table::built_in()));
    }
    let session = Session::open(options, Mode::Plan, ui)?;
    Ok(session.configuration.declared.table())
}
