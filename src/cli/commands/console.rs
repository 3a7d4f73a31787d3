//! `infra console`: an expression a line, from stdin or by hand.

use std::io::BufRead;

use infra_diag::{Style, render};
use infra_expr::{json, show};
use infra_lang::Mode;

use crate::cli::arguments::{self, Global};
use crate::cli::session::Session;
use crate::cli::ui::{Exit, Stop, Ui};

pub(in crate::cli) fn run(args: arguments::Console, global: Global, ui: Ui) -> Result<Exit, Stop> {
    let mut session = Session::open(global.options(&args.values), Mode::Validate, ui)?;
    let interactive = ui.is_interactive();
    let mut failed = false;
    if interactive {
        ui.say("An expression a line; Ctrl-D ends.\n> ");
    }
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|e| Stop::error("reading an expression", e))?;
        if !line.trim().is_empty() {
            failed |= !evaluate(&mut session, &line, args.json, ui);
        }
        if interactive {
            ui.say("> ");
        }
    }
    Ok(if failed && !interactive {
        Exit::Error
    } else {
        Exit::Done
    })
}

fn evaluate(session: &mut Session, line: &str, as_json: bool, ui: Ui) -> bool {
    let configuration = &mut session.configuration;
    let value = configuration.console(line);
    match (&value, as_json) {
        (Ok(value), false) => ui.result(&format!("{}\n", show::show(value))),
        (Ok(value), true) => {
            let sensitive = value.contains_sensitive();
            let shown = if sensitive {
                serde_json::Value::Null
            } else {
                json::encode(value).unwrap_or_default()
            };
            let line = serde_json::json!({
                "type": value.type_of().to_string(),
                "value": shown,
                "sensitive": sensitive,
                "unknown": value.contains_unknown(),
            });
            ui.result(&format!("{line}\n"));
        }
        (Err(diagnostics), false) => ui.diagnostics(diagnostics, &configuration.sources),
        (Err(diagnostics), true) => {
            let text = render(diagnostics, &configuration.sources, Style::Plain);
            let line = serde_json::json!({ "error": text, "diagnostics": infra_diag::json(diagnostics, &configuration.sources) });
            ui.result(&format!("{line}\n"));
        }
    }
    value.is_ok()
}
