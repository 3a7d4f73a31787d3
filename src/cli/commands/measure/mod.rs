//! `infra measure WORKLOAD`: runs a workload's own benchmark against every variant a host can offer, one after the other
//! and round by round, and writes down what it found. `infra measure host` does the same with a probe of its own.

mod bench;
mod host;
mod progress;
mod report;
mod shared;
mod trial;

use std::path::{Path, PathBuf};

use infra_api::{Address, HostName, Runtime, Variant};
use infra_lang::Mode;
use infra_suitability::{Benchmark, Better, EVIDENCE_VERSION, EvidenceFile, MeasuredHost};

use self::trial::{Made, Subject, Trial};
use crate::choose::{self, Choice};
use crate::cli::arguments::{self, Global};
use crate::cli::clock::{SystemClock, rfc3339};
use crate::cli::commands::apply::{self, Manner};
use crate::cli::session::Session;
use crate::cli::show;
use crate::cli::ui::{Exit, Stop, Ui};
use crate::declared::{Measure, Workload};
use crate::inventory::Inventory;
use crate::world::EVIDENCE;

/// A variant is started so often at most: between its turns the others have theirs, so that what changes on the host
/// meanwhile does not fall on one of them alone.
const ROUNDS: u32 = 3;

pub(in crate::cli) async fn run(
    args: arguments::Measure,
    global: Global,
    ui: Ui,
) -> Result<Exit, Stop> {
    if let Some(arguments::Measured::Host(args)) = args.what {
        return host::run(args, global, ui).await;
    }
    workload(args, global, ui).await
}

async fn workload(args: arguments::Measure, global: Global, ui: Ui) -> Result<Exit, Stop> {
    let planning = arguments::Planning {
        values: args.values.clone(),
        ..arguments::Planning::default()
    };
    let options = global.planning(&planning);
    let mut lock = apply::lock(&options, &args.locking, "measure", ui)?;
    let session = Session::open(options.clone(), Mode::Plan, ui)?;
    let address = Address::new(args.workload.as_deref().unwrap_or_default());
    let doing = || format!("measuring `{address}`");
    let (workload, measure) = benchmark(&session, &address)?;
    let (decision, inventory) = session.decide(ui).await?;
    let host = on(args.on.as_deref(), &inventory).map_err(|cause| Stop::error(doing(), cause))?;
    let variants = variants(&decision.choices[&address], &host, &args.runtimes);
    if variants.is_empty() {
        let cause = format!("{host} can offer none of what it is given as");
        return Err(Stop::error(doing(), cause)
            .hint(format!("`infra explain {address}` shows why, gate by gate")));
    }
    let runs = args.runs.unwrap_or(measure.runs).max(1);
    let subject = Subject {
        address: address.clone(),
        measure: measure.clone(),
        host: host.clone(),
        runs,
        rounds: ROUNDS.min(runs),
        read: bench::value,
        made: Made::Copy,
        called: |variant| variant.to_string(),
    };
    let mut evidence = blank(&subject, &inventory);
    let folder = session.folder.clone();
    let needs_nothing = workload.suits.needs.is_none();
    let before = trial::recorded(&session);
    drop(session);
    let mut trial = Trial::new(
        options,
        Manner::silent(),
        &mut lock,
        (subject, &variants),
        ui,
    );
    trial.whole(&before, &doing()).await?;
    trial.into_evidence(&mut evidence);
    evidence.measured = rfc3339(infra_state::Clock::now(&SystemClock));
    evidence.compare();
    written(
        &args,
        &folder,
        (&address, &host),
        &evidence,
        needs_nothing,
        ui,
    )
}

/// What is to be measured, and how.
fn benchmark<'a>(
    session: &'a Session,
    address: &Address,
) -> Result<(&'a Workload, &'a Measure), Stop> {
    let doing = || format!("measuring `{address}`");
    let workloads = &session.configuration.declared.workloads;
    let Some(workload) = workloads.iter().find(|w| w.address == *address) else {
        let known: Vec<&str> = workloads.iter().map(|w| w.address.as_str()).collect();
        return Err(Stop::error(doing(), "no workload is declared there")
            .hint(format!("declared: {}", known.join(", "))));
    };
    let Some(measure) = workload.measure.as_deref() else {
        return Err(Stop::error(doing(), "nothing says how: it has no `measure` block").hint(
            "write `measure { command = […] … }` in it: what is run against it, and where in its output the number stands",
        ));
    };
    if let Some(what) = shared::shared(workload) {
        let cause = format!("it writes to `{what}`, whose data a benchmark would touch");
        return Err(Stop::error(doing(), cause)
            .hint("measure one with disks of its own, of which a copy gets others; what is `read_only` is no hindrance"));
    }
    Ok((workload, measure))
}

/// Evidence of nothing yet.
fn blank(subject: &Subject<f64>, inventory: &Inventory) -> EvidenceFile {
    let (measure, host) = (&subject.measure, &subject.host);
    let facts = &inventory.hosts[host].facts;
    EvidenceFile {
        format_version: EVIDENCE_VERSION.to_owned(),
        workload: subject.address.to_string(),
        measured: String::new(),
        infra: env!("CARGO_PKG_VERSION").to_owned(),
        host: MeasuredHost {
            name: host.to_string(),
            class: choose::class(facts),
            versions: choose::versions(facts),
        },
        benchmark: Benchmark {
            command: measure.command.clone(),
            metric: measure.metric.to_string(),
            unit: measure.unit.clone(),
            better: match measure.higher_is_better {
                true => Better::Higher,
                false => Better::Lower,
            },
            warmup: measure.warmup,
            rounds: subject.rounds,
        },
        variants: Vec::new(),
        failed: Vec::new(),
    }
}

/// Shows what was found, and writes it down.
fn written(
    args: &arguments::Measure,
    folder: &crate::world::Folder,
    (address, host): (&Address, &HostName),
    evidence: &EvidenceFile,
    needs_nothing: bool,
    ui: Ui,
) -> Result<Exit, Stop> {
    if evidence.variants.is_empty() {
        let failed = evidence.failed.iter();
        let failed = failed.map(|f| {
            let doing = format!("measuring `{address}` as {}", f.variant);
            Stop::error(doing, &f.why)
        });
        return Err(Stop::Several(failed.collect()));
    }
    let path = match &args.out {
        Some(path) => path.clone(),
        None => folder.path(&file_name(address, host)),
    };
    write(&path, "the evidence", evidence)?;
    if args.json {
        ui.json(evidence);
    } else {
        ui.result(&report::page(evidence));
        ui.say(&format!("\nWritten to {}", path.display()));
        ui.say(match needs_nothing {
            true => "; it counts once the workload says what it needs (`class` or `needs`).\n",
            false => "; the next plan counts with it.\n",
        });
    }
    match evidence.failed.is_empty() {
        true => Ok(Exit::Done),
        false => Ok(Exit::Partly),
    }
}

/// `evidence/cache.r1.json`.
fn file_name(address: &Address, host: &HostName) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "._-".contains(c) {
            c
        } else {
            '_'
        }
    };
    let name = address.as_str();
    let name = name.strip_prefix("workload.").unwrap_or(name);
    let name: String = name.chars().map(plain).collect();
    format!("{EVIDENCE}/{name}.{host}.json")
}

/// All of it or nothing: a reader never sees half a file.
fn write(path: &Path, what: &str, document: &impl serde::Serialize) -> Result<(), Stop> {
    let failed =
        |e: &dyn std::fmt::Display| Stop::error(format!("writing {what} to {}", path.display()), e);
    let mut text = serde_json::to_string_pretty(document).map_err(|e| failed(&e))?;
    text.push('\n');
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory).map_err(|e| failed(&e))?;
    let beside = PathBuf::from(format!("{}.new", path.display()));
    std::fs::write(&beside, text).map_err(|e| failed(&e))?;
    std::fs::rename(&beside, path).map_err(|e| failed(&e))
}

/// Where it is measured.
fn on(asked: Option<&str>, inventory: &Inventory) -> Result<HostName, String> {
    let hosts: Vec<&HostName> = inventory.hosts.keys().collect();
    let names = || {
        hosts
            .iter()
            .map(|h| h.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    match (asked, hosts.as_slice()) {
        (Some(name), _) => {
            let host = hosts.iter().find(|host| host.as_str() == name);
            let host = host.map(|host| (*host).clone());
            host.ok_or_else(|| format!("there is no host `{name}`: there are {}", names()))
        }
        (None, [only]) => Ok((*only).clone()),
        (None, _) => Err(format!(
            "on which host? Write `--on` with one of {}",
            names()
        )),
    }
}

/// Of each runtime that the host offers the best variant and the plain one.
fn variants(choice: &Choice, host: &HostName, runtimes: &[Runtime]) -> Vec<Variant> {
    let there = choice.possible.iter().filter(|p| p.hosts.contains(host));
    let mut variants: Vec<Variant> = match &choice.suited {
        None => there.map(|possible| possible.variant).collect(),
        Some(suited) => {
            let shown = show::shown(suited);
            there
                .map(|p| p.variant)
                .filter(|v| shown.contains(v))
                .collect()
        }
    };
    variants.retain(|v| runtimes.is_empty() || runtimes.contains(&v.runtime));
    variants
}
