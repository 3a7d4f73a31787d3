//! `infra measure host`: what a host's processor, memory, disk and network are worth in each runtime, so that the table can
//! be re-based on it without an application.
//!
//! It is `infra measure WORKLOAD` of a configuration of its own, whose one workload is this program as a probe. That lies in
//! a folder of its own with its state: what `kill -9` leaves is removed by the next run.

mod configuration;
mod machine;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::os::linux::fs::MetadataExt;
use std::path::Path;

use infra_api::facts::{Facts, Offer};
use infra_api::{Address, HostName, Runtime, Setting, Settings, Variant};
use infra_lang::Mode;
use infra_suitability::{Failed, MeasuredHost, Table};

use self::configuration::Own;
use self::machine::Machine;
use super::trial::{Made, Sampled, Subject, Trial};
use super::{ROUNDS, benchmark, variants, write};
use crate::choose;
use crate::cli::arguments::{self, Global};
use crate::cli::clock::{SystemClock, rfc3339};
use crate::cli::commands::apply::{self, Manner};
use crate::cli::probe::{self, Found, Package};
use crate::cli::session::{Options, Session, kvm_probe, measuring};
use crate::cli::show::measured::{self, HostDocument};
use crate::cli::ui::{Exit, Stop, Ui};
use crate::declared::Host;
use crate::world::{World, providers};

pub(super) async fn run(
    args: arguments::MeasureHost,
    global: Global,
    ui: Ui,
) -> Result<Exit, Stop> {
    let packing = |e: std::io::Error| Stop::error("packing this program as a probe", e);
    let package = Package::of_this().map_err(packing)?;
    let host = host(&args, &global, ui)?;
    let doing = format!("measuring host `{}`", host.name);
    if !args.disk.is_dir() {
        let cause = format!("`--disk {}` is no folder", args.disk.display());
        return Err(Stop::error(doing, cause)
            .hint("name a folder on the disk that runtimes keep their data on"));
    }
    let machine = Machine::given(&args).map_err(|why| Stop::error(&doing, why))?;
    let options = Options {
        directory: measuring(),
        endpoints: global.options(&args.values).endpoints,
        ..Options::default()
    };
    let facts = facts(&host, &options, ui).await;
    let own = Own {
        host: &host,
        subnet: args.subnet,
        package: &package,
        machine: machine.as_ref().ok(),
        emulated: !offers(facts.runtimes.kvm.as_ref()),
        buffer_bytes: probe::buffer_for(facts.l3.iter().filter_map(|l3| l3.size_bytes).max()),
        runs: args.runs,
    };
    let _files = own
        .write(&options.directory)
        .map_err(|why| Stop::error(&doing, why))?;
    let (found, failed) = tried(&args, &own, options, ui).await?;
    let mut document = blank(&own, &facts);
    document.failed = failed;
    let missing = unmeasured(
        &args,
        &found,
        &document.failed,
        (&facts, machine.as_ref().err()),
    );
    document.failed.extend(missing);
    document.fill(found, number(&args.disk), number(Path::new(pool(&host))));
    written(&args, &document, ui)
}

/// Runs the probe as everything that the host offers.
async fn tried(
    args: &arguments::MeasureHost,
    own: &Own<'_>,
    options: Options,
    ui: Ui,
) -> Result<(BTreeMap<Variant, Sampled<Found>>, Vec<Failed>), Stop> {
    let address = Address::new(configuration::WORKLOAD);
    let mut lock = apply::lock(&options, &args.locking, "measure host", ui)?;
    let session = Session::open(options.clone(), Mode::Plan, ui)?;
    let (_, measure) = benchmark(&session, &address)?;
    let (decision, _) = session.decide(ui).await?;
    let offered = variants(&decision.choices[&address], &own.host.name, &args.runtimes);
    let variants = with_plain(offered);
    let subject = Subject {
        address,
        measure: measure.clone(),
        host: own.host.name.clone(),
        runs: args.runs,
        rounds: ROUNDS.min(args.runs),
        read: line,
        made: Made::Itself {
            plain: own.plain(&args.disk),
        },
        called: measured::called,
    };
    drop(session);
    let mut trial = Trial::new(
        options,
        Manner::silent(),
        &mut lock,
        (subject, &variants),
        ui,
    );
    // What a run that was killed has left.
    trial.clean(&BTreeSet::new()).await?;
    let doing = format!("measuring host `{}`", own.host.name);
    trial.whole(&BTreeSet::new(), &doing).await?;
    Ok(trial.ended())
}

/// A machine with nothing set is measured as well: settings that take nothing of the host are never without it else.
/// A plain process goes last: by then it is known which CPUs others had to themselves.
fn with_plain(mut variants: Vec<Variant>) -> Vec<Variant> {
    variants.retain(|v| v.runtime != Runtime::BareMetal);
    if variants.iter().any(|v| v.runtime == Runtime::Kvm) {
        variants.push(Runtime::Kvm.into());
        variants.sort();
        variants.dedup();
    }
    let bound = variants.iter().any(|v| v.with.has(Setting::Pinned));
    variants.push(Variant::from(Runtime::BareMetal));
    if bound {
        variants.push(Variant {
            runtime: Runtime::BareMetal,
            with: Settings::NONE.and(Setting::Pinned),
        });
    }
    variants
}

/// What a probe printed.
fn line(_: &crate::declared::Measure, output: &str) -> Result<Found, String> {
    serde_json::from_str(output.trim()).map_err(|e| format!("the probe printed no figures: {e}"))
}

/// This machine, or the host that the configuration calls so.
fn host(args: &arguments::MeasureHost, global: &Global, ui: Ui) -> Result<Host, Stop> {
    let Some(name) = &args.host else {
        return Ok(Host::local());
    };
    let session = Session::open_without_state(global.options(&args.values), Mode::Validate, ui)?;
    let hosts = &session.configuration.declared.hosts;
    let found = hosts.get(&HostName::new(name)).cloned();
    if found.as_ref().is_some_and(|host| host.login.is_some()) {
        let cause = "it is another machine: the plain process that all else is measured against runs on this one";
        let stop = Stop::error(format!("measuring host `{name}`"), cause);
        return Err(stop.hint("run `infra measure host` there"));
    }
    found.ok_or_else(|| {
        let known: Vec<&str> = hosts.keys().map(HostName::as_str).collect();
        let doing = format!("measuring host `{name}`");
        Stop::error(doing, "no `host` block has this label").hint(format!(
            "declared: {}; without a name it is this machine",
            known.join(", ")
        ))
    })
}

async fn facts(host: &Host, options: &Options, ui: Ui) -> Facts {
    let hosts = BTreeMap::from([(host.name.clone(), host.clone())]);
    let world = World::connect(&hosts, &providers(), &options.endpoints).await;
    let found = world.facts(&host.name, &kvm_probe()).await;
    found.problems.iter().for_each(|p| ui.warning(p));
    found.facts
}

fn offers(offer: Option<&Offer>) -> bool {
    offer.is_some_and(|offer| offer.offered)
}

fn blank(own: &Own<'_>, facts: &Facts) -> HostDocument {
    HostDocument {
        format_version: measured::FORMAT_VERSION.to_owned(),
        measured: rfc3339(infra_state::Clock::now(&SystemClock)),
        infra: env!("CARGO_PKG_VERSION").to_owned(),
        host: MeasuredHost {
            name: own.host.name.to_string(),
            class: choose::class(facts),
            versions: choose::versions(facts),
        },
        buffer_bytes: own.buffer_bytes,
        rounds: ROUNDS.min(own.runs),
        emulated: own.emulated,
        variants: Vec::new(),
        failed: Vec::new(),
    }
}

/// Why a runtime that was asked for was not even tried.
fn unmeasured(
    args: &arguments::MeasureHost,
    found: &BTreeMap<Variant, Sampled<Found>>,
    failed: &[Failed],
    (facts, no_kernel): (&Facts, Option<&String>),
) -> Vec<Failed> {
    let tried = |runtime| {
        found.keys().any(|v| v.runtime == runtime)
            || failed.iter().any(|f| f.variant.runtime == runtime)
    };
    let asked = |runtime| args.runtimes.is_empty() || args.runtimes.contains(&runtime);
    let missing = [Runtime::Container, Runtime::Kvm].into_iter();
    let missing = missing.filter(|runtime| asked(*runtime) && !tried(*runtime));
    let why = |runtime| {
        let offer = match runtime {
            Runtime::Kvm if no_kernel.is_some() => return no_kernel.cloned(),
            Runtime::Kvm => facts.runtimes.kvm.as_ref(),
            _ => facts.runtimes.container.as_ref(),
        };
        offer.and_then(|offer| offer.why_not.clone())
    };
    missing
        .map(|runtime| Failed {
            variant: runtime.into(),
            why: why(runtime).unwrap_or_else(|| "the host does not offer it".to_owned()),
        })
        .collect()
}

/// Where the project's pool lies, and what is nearest above it.
fn pool(host: &Host) -> &str {
    host.pool_path
        .as_deref()
        .unwrap_or(crate::declared::POOL_PATH)
}

/// Which disk a folder lies on, or will lie on.
fn number(folder: &Path) -> Option<String> {
    let there = folder
        .ancestors()
        .find_map(|folder| std::fs::metadata(folder).ok())?;
    let device = there.st_dev();
    Some(format!("{}:{}", libc::major(device), libc::minor(device)))
}

/// Shows what was found, and writes down the table.
fn written(args: &arguments::MeasureHost, document: &HostDocument, ui: Ui) -> Result<Exit, Stop> {
    if document.variants.is_empty() {
        let failed = document.failed.iter();
        let failed = failed.map(|f| {
            let doing = format!(
                "measuring host `{}` as {}",
                document.host.name,
                measured::called(f.variant)
            );
            Stop::error(doing, &f.why)
        });
        return Err(Stop::Several(failed.collect()));
    }
    let own = table::own(document, &Table::built_in());
    if let Some(path) = &args.out {
        write(
            path,
            "the table",
            &serde_json::json!({ "figures": own.figures }),
        )?;
    }
    match args.json {
        true => ui.json(document),
        false => ui.result(&measured::page(document)),
    }
    if let Some(path) = &args.out {
        ui.say(&told(path, &own));
    }
    match document.failed.is_empty() {
        true => Ok(Exit::Done),
        false => Ok(Exit::Partly),
    }
}

fn told(path: &Path, own: &table::OwnTable) -> String {
    let (count, path) = (own.figures.len(), path.display());
    let mut text = format!(
        "\n{count} figures written to {path}; `suitability \"ours\" {{ table = jsondecode(file(\"{path}\")) }}` takes them.\n"
    );
    for why in &own.left_out {
        text.push_str(&format!("Left out: {why}\n"));
    }
    text
}
