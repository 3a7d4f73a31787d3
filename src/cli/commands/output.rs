//! `infra output [NAME]`: outputs as of the last apply.

use std::collections::BTreeMap;

use infra_expr::{json, show};
use infra_plan::Output;
use infra_state::Store;
use serde_json::Value;

use crate::cli::arguments::{self, Global, Values};
use crate::cli::session::{paths, read};
use crate::cli::ui::{Exit, Stop, Ui};
use crate::world::Folder;

pub(in crate::cli) fn run(args: &arguments::Output, global: Global, ui: Ui) -> Result<Exit, Stop> {
    let options = global.options(&Values::default());
    let project = read(&Folder::new(&options.directory))?.project();
    let loaded = Store::open(paths(&options)).load(&project)?;
    let outputs = loaded.state.map(|s| s.outcome.outputs).unwrap_or_default();
    match &args.name {
        None => all(&outputs, args.json, ui),
        Some(name) => one(name, &outputs, args, ui)?,
    }
    Ok(Exit::Done)
}

fn all(outputs: &BTreeMap<String, Output>, as_json: bool, ui: Ui) {
    if as_json {
        let entry = |(name, o): (&String, &Output)| {
            (
                name.clone(),
                serde_json::json!({ "sensitive": o.value.is_none(), "value": o.value }),
            )
        };
        ui.json(&outputs.iter().map(entry).collect::<serde_json::Map<_, _>>());
    } else {
        let line = |(name, o): (&String, &Output)| format!("{name} = {}\n", text(o));
        ui.result(&outputs.iter().map(line).collect::<String>());
    }
}

fn one(
    name: &str,
    outputs: &BTreeMap<String, Output>,
    args: &arguments::Output,
    ui: Ui,
) -> Result<(), Stop> {
    let output = outputs.get(name).ok_or_else(|| {
        let known: Vec<&str> = outputs.keys().map(String::as_str).collect();
        Stop::error(
            format!("printing output `{name}`"),
            "the state has none of this name",
        )
        .hint(if known.is_empty() {
            "outputs are there after `infra apply`".to_owned()
        } else {
            format!("it has: {}", known.join(", "))
        })
    })?;
    let Some(value) = &output.value else {
        return Err(Stop::error(
            format!("printing output `{name}`"),
            "it is sensitive, and its value is kept nowhere",
        )
        .hint("give `nonsensitive(…)` of what it is made from to `infra console`"));
    };
    if args.json {
        ui.json(value);
    } else if args.raw {
        ui.result(&raw(name, value)?);
    } else {
        ui.result(&format!("{}\n", text(output)));
    }
    Ok(())
}

fn raw(name: &str, value: &Value) -> Result<String, Stop> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(Stop::error(
            format!("printing output `{name}` raw"),
            "it is no string, number or bool",
        )
        .hint("use `--json`")),
    }
}

fn text(output: &Output) -> String {
    output.value.as_ref().map_or_else(
        || "(sensitive value)".to_owned(),
        |v| show::show(&json::decode(v)),
    )
}
