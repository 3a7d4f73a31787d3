//! `infra validate`: checks a configuration without contacting anything.

use infra_lang::Mode;

use crate::cli::arguments::{self, Global};
use crate::cli::session::Session;
use crate::cli::ui::{Exit, Stop, Ui};

pub(in crate::cli) fn run(
    args: &arguments::Validate,
    global: Global,
    ui: Ui,
) -> Result<Exit, Stop> {
    let outcome = Session::open_without_state(global.options(&args.values), Mode::Validate, ui);
    let (diagnostics, exit) = match outcome {
        Ok(session) => {
            let count = session.configuration.evaluation.instances.len();
            if !args.json {
                ui.result(&format!("The configuration is valid: {count} declared.\n"));
            }
            (
                infra_diag::json(
                    &session.configuration.diagnostics,
                    &session.configuration.sources,
                ),
                Exit::Done,
            )
        }
        Err(Stop::Diagnostics(diagnostics, sources)) if args.json => {
            (infra_diag::json(&diagnostics, &sources), Exit::Error)
        }
        Err(stop) => return Err(stop),
    };
    if args.json {
        ui.json(&serde_json::json!({ "format_version": "1.0", "valid": exit == Exit::Done, "diagnostics": diagnostics }));
    }
    Ok(exit)
}
