//! `infra facts [HOST]`: one host as it is found, as documented JSON.

use infra_api::HostName;
use infra_api::facts::Facts;
use infra_kernel::Root;
use infra_lang::Mode;

use crate::cli::arguments::{self, Global};
use crate::cli::session::{Session, kvm_probe};
use crate::cli::ui::{Exit, Stop, Ui};
use crate::declared::Host;
use crate::world::{World, providers};

pub(in crate::cli) async fn run(
    args: arguments::Facts,
    global: Global,
    ui: Ui,
) -> Result<Exit, Stop> {
    let facts = match (&args.sysfs, &args.host) {
        (Some(directory), _) => {
            if !directory.is_dir() {
                return Err(Stop::error(
                    format!("reading {}", directory.display()),
                    "it is not a directory",
                ));
            }
            let (facts, problems) = infra_kernel::read(&Root::at(directory));
            problems.iter().for_each(|p| ui.warning(&p.to_string()));
            untrue(&facts, ui);
            facts
        }
        (None, Some(name)) => declared(name, &args, &global, ui).await?,
        (None, None) => {
            let host = Host::local();
            let hosts = std::collections::BTreeMap::from([(host.name.clone(), host.clone())]);
            let endpoints = global.options(&args.values).endpoints;
            let world = World::connect(&hosts, &providers(), &endpoints).await;
            look(&world, &host.name, ui).await
        }
    };
    let text =
        serde_json::to_string_pretty(&facts).map_err(|e| Stop::error("writing the facts", e))?;
    ui.result(&format!("{text}\n"));
    Ok(Exit::Done)
}

async fn declared(
    name: &str,
    args: &arguments::Facts,
    global: &Global,
    ui: Ui,
) -> Result<Facts, Stop> {
    let session = Session::open_without_state(global.options(&args.values), Mode::Validate, ui)?;
    let hosts = &session.configuration.declared.hosts;
    let host = HostName::new(name);
    if !hosts.contains_key(&host) {
        let known: Vec<&str> = hosts.keys().map(HostName::as_str).collect();
        return Err(Stop::error(
            format!("reading host `{name}`"),
            "no `host` block has this label",
        )
        .hint(format!("declared: {}", known.join(", "))));
    }
    let world = session.connect().await?;
    Ok(look(&world, &host, ui).await)
}

async fn look(world: &World, host: &HostName, ui: Ui) -> Facts {
    let mut found = world.facts(host, &kvm_probe()).await;
    world.programs(host, &mut found.facts).await;
    found.problems.iter().for_each(|p| ui.warning(p));
    found
        .failures
        .iter()
        .for_each(|f| ui.warning(&f.to_string()));
    untrue(&found.facts, ui);
    found.facts
}

/// What cannot be true of them: no plan would be made on it.
fn untrue(facts: &Facts, ui: Ui) {
    let contradictions = facts.contradictions();
    contradictions
        .iter()
        .for_each(|c| ui.warning(&c.to_string()));
}
