//! `infra apply` and `infra destroy`: do exactly what a plan says, and write down what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use infra_api::{Address, HostName, Moment};
use infra_apply::{Job, Limits, Report, Settings, Sink, Stop as StopAsked};
use infra_lang::Mode;
use infra_plan::{Plan, Step};
use infra_state::{Holder, Lock, Store};
use tokio::sync::watch;

use super::plan::shown;
use crate::cli::arguments::{self, Global, Locking, Running};
use crate::cli::clock::{SystemClock, lineage, rfc3339};
use crate::cli::plan_file;
use crate::cli::progress::{JsonLines, Progress};
use crate::cli::session::{Options, Session, Verified, lock_hosts, paths, read, verified};
use crate::cli::show::verification as show;
use crate::cli::ui::{Exit, Stop, Ui};
use crate::declared::Host;
use crate::verify::Verdict;
use crate::world::{Folder, World};

/// So long what a plan was made of is what is there: whatever comes between is found by the step that it concerns, as after
/// any check.
const MOMENT: Duration = Duration::from_secs(2);

/// What is asked before an apply.
struct Approval {
    given: bool,
    question: &'static str,
}

/// How it is gone about.
pub(super) struct Manner {
    locking: Locking,
    running: Running,
    json: bool,
    /// Nothing is told of its steps.
    silent: bool,
    /// What was changed is read back from the kernel.
    verify: bool,
}

impl Manner {
    /// Of what is done many times over for something else, which tells of itself.
    pub(super) fn silent() -> Self {
        Self {
            silent: true,
            ..Self::quiet(Locking::default())
        }
    }

    /// Of what has no steps: there is nothing to tell of.
    pub(super) fn quiet(locking: Locking) -> Self {
        Self {
            locking,
            running: Running::default(),
            json: false,
            silent: false,
            verify: false,
        }
    }
}

pub(in crate::cli) async fn run(
    args: arguments::Apply,
    global: Global,
    ui: Ui,
) -> Result<Exit, Stop> {
    let mut options = global.planning(&args.planning);
    if options.facts.is_some() {
        return Err(Stop::error(
            "applying",
            "a plan made from recorded facts cannot be applied: nothing was looked at",
        )
        .hint("leave out `--facts`"));
    }
    let approval = Approval {
        given: args.auto_approve,
        question: "\nApply this?",
    };
    let manner = Manner {
        locking: args.locking,
        running: args.running,
        json: args.json,
        silent: false,
        verify: !args.no_verify,
    };
    options.asked = args.selecting.asked();
    options.allow_unreachable = args.reaching.allow_unreachable;
    options.rebalance = args.rebalancing.most();
    options.refresh_only = args.refresh_only;
    if args.plan.is_some() {
        made_already(&options)?;
    }
    match &args.plan {
        Some(path) => {
            let plan = plan_file::read(path)?;
            from_file(plan, options, &manner, ui).await
        }
        None => fresh(options, &manner, &approval, "apply", ui).await,
    }
}

/// A plan says what is done: nothing can be added to it.
fn made_already(options: &Options) -> Result<(), Stop> {
    let given = [
        (!options.replace.is_empty(), "--replace"),
        (!options.rechoose.is_empty(), "--rechoose"),
        (options.refresh_only, "--refresh-only"),
        (options.rebalance.is_some(), "--rebalance"),
        (!options.asked.targets.is_empty(), "--target"),
        (options.allow_unreachable, "--allow-unreachable"),
        (!options.asked.excludes.is_empty(), "--exclude"),
    ];
    match given.iter().find(|(given, _)| *given) {
        Some((_, option)) => Err(Stop::error(
            "applying the plan",
            format!("`{option}` changes what is planned, and this plan is made already"),
        )
        .hint(format!("give `{option}` to `infra plan`"))),
        None => Ok(()),
    }
}

pub(in crate::cli) async fn destroy(
    args: arguments::Destroy,
    global: Global,
    ui: Ui,
) -> Result<Exit, Stop> {
    let mut options = global.options(&args.values);
    options.destroy = true;
    options.asked = args.selecting.asked();
    options.allow_unreachable = args.reaching.allow_unreachable;
    let approval = Approval {
        given: args.auto_approve,
        question: "\nRemove all of this? What is lost cannot be had back.",
    };
    let manner = Manner {
        locking: args.locking,
        running: args.running,
        json: args.json,
        silent: false,
        verify: false,
    };
    fresh(options, &manner, &approval, "destroy", ui).await
}

/// Plans, shows, asks, applies; under the lock from the first look at the state.
async fn fresh(
    options: Options,
    manner: &Manner,
    approval: &Approval,
    command: &str,
    ui: Ui,
) -> Result<Exit, Stop> {
    let mut lock = lock(&options, &manner.locking, command, ui)?;
    let (planned, began) = loop {
        let began = Instant::now();
        let planned = Session::open(options.clone(), Mode::Plan, ui)?
            .plan(ui)
            .await?;
        // A host that others have been at work on meanwhile is looked at once more.
        if locked(&planned.world, &planned.plan, &lock, manner, ui).await? {
            break (planned, began);
        }
    };
    if !manner.json {
        shown(&planned, false, false, ui);
    }
    let same_outputs = planned.plan.result.outputs == planned.session.prior().outputs;
    let same = same_outputs && planned.plan.result == *planned.session.prior();
    if planned.plan.is_empty() && same && planned.session.moved.is_empty() {
        return Ok(Exit::Done);
    }
    let asks = !planned.plan.is_empty()
        || !planned.plan.imports.is_empty()
        || planned.session.options.refresh_only;
    if asks && !approval.given {
        if !ui.is_interactive() {
            return Err(Stop::error(
                "applying",
                "nobody is there to say yes: this is no terminal",
            )
            .hint(
                "pass `--auto-approve`, or make a plan with `infra plan --out FILE` and apply that",
            ));
        }
        if !ui.confirm(approval.question) {
            ui.say("Nothing has been changed.\n");
            return Ok(Exit::Done);
        }
    }
    apply(
        &planned.session,
        &planned.world,
        (&planned.plan, Some(began)),
        &mut lock,
        manner,
        ui,
    )
    .await
}

/// Applies a plan that was made before: approved by being passed.
async fn from_file(plan: Plan, options: Options, manner: &Manner, ui: Ui) -> Result<Exit, Stop> {
    let mut lock = lock(&options, &manner.locking, "apply", ui)?;
    let session = Session::open(options, Mode::Plan, ui)?;
    if plan.project != *session.project() {
        let why = format!(
            "it is a plan of project `{}`, and this is `{}`",
            plan.project,
            session.project()
        );
        return Err(Stop::error("applying the plan", why)
            .hint("go to the folder the plan was made in, or use `-C DIR`"));
    }
    same_daemons(&plan, &session)?;
    let world = session.connect().await?;
    session.settle(&world).await;
    locked(&world, &plan, &lock, manner, ui).await?;
    apply(&session, &world, (&plan, None), &mut lock, manner, ui).await
}

/// Locks the hosts that a plan changes; whether nobody else was at work there since they were looked at.
pub(super) async fn locked(
    world: &World,
    plan: &Plan,
    lock: &Lock,
    manner: &Manner,
    ui: Ui,
) -> Result<bool, Stop> {
    let wait = manner.locking.lock_timeout.map_or(0, |time| time.0);
    let how = (lock.holder(), Duration::from_nanos(wait));
    lock_hosts(world, plan, how, ui).await
}

/// Takes the lock of a configuration's state: in a folder that holds none, nothing is made.
pub(super) fn lock(
    options: &Options,
    locking: &Locking,
    command: &str,
    ui: Ui,
) -> Result<Lock, Stop> {
    use infra_state::Clock;
    read(&Folder::new(&options.directory))?;
    let store = Store::open(paths(options));
    let name = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let holder = Holder {
        user: std::env::var("USER")
            .unwrap_or_else(|_| format!("uid {}", rustix::process::getuid().as_raw())),
        host: name,
        pid: std::process::id(),
        command: command.to_owned(),
        started: rfc3339(SystemClock.now()),
        lease_until: 0,
    };
    let wait = locking.lock_timeout.map(|d| Duration::from_nanos(d.0));
    let lock = store.lock(holder, wait, &SystemClock)?;
    if let Some(note) = lock.note() {
        ui.warning(note);
    }
    Ok(lock)
}

/// `seen`: since when the world was looked at for the plan, where that was here and now.
pub(super) async fn apply(
    session: &Session,
    world: &World,
    (plan, seen): (&Plan, Option<Instant>),
    lock: &mut Lock,
    manner: &Manner,
    ui: Ui,
) -> Result<Exit, Stop> {
    let drawn = lineage().map_err(|e| Stop::error("drawing a name for the state", e))?;
    let journal = session.store.begin(lock, &session.loaded, plan, &drawn)?;
    let key = session.store.key()?;
    let prior = session.prior();
    let sink: Box<dyn Sink> = if manner.silent {
        Box::new(Silence)
    } else if manner.json {
        Box::new(JsonLines::new())
    } else {
        Box::new(Progress::new(plan, ui.is_interactive()))
    };
    let settings = Settings {
        limits: limits(&session.configuration.declared.hosts, &manner.running),
        now: Moment::at(infra_state::Clock::now(&SystemClock)),
        ..Settings::default()
    };
    let job = Job {
        plan,
        prior,
        world,
        log: &journal,
        key: &key,
        vault: &session.vault,
        sink: &*sink,
        settings: &settings,
        earlier: &journal.begin().unfinished,
        in_doubt: &journal.begin().in_doubt,
        checked: seen.is_some_and(|seen| seen.elapsed() < MOMENT),
    };
    let (stop, asked) = watch::channel(StopAsked::No);
    interrupts(stop.clone());
    let ran = renewing(lock, &stop, infra_apply::run(job, asked)).await;
    drop(sink);
    let outcome = ran
        .as_ref()
        .map_or_else(|_| prior.clone(), |report| report.outcome.clone());
    session
        .store
        .finish(lock, &session.loaded, journal, outcome)?;
    let report = ran?;
    for stale in &report.stale {
        ui.say(&format!(
            "error: the plan is stale: {} ({}) is not as planned\n  {}\n",
            stale.resource, stale.address, stale.differs
        ));
    }
    if !report.stale.is_empty() {
        ui.say("\nhint: nothing was started; plan again\n");
    }
    let exit = exit(&report);
    match manner.verify && !proven(world, plan, &report, ui).await && exit == Exit::Done {
        true => Ok(Exit::Partly),
        false => Ok(exit),
    }
}

/// Whether the kernel does what was planned, of all that steps were done for.
async fn proven(world: &World, plan: &Plan, report: &Report, ui: Ui) -> bool {
    let done = |step: &&Step| report.done.contains(&step.number);
    let touched: BTreeSet<&Address> = plan.steps.iter().filter(done).map(|s| &s.address).collect();
    let Verified { checks, failures } = verified(
        world,
        &report.outcome,
        |address| touched.contains(address),
        None,
    )
    .await;
    for failure in failures {
        ui.warning(&format!("not verified: {failure}"));
    }
    let fails = checks.iter().any(|check| check.verdict == Verdict::Fails);
    if fails {
        let told = show::failing(&checks);
        ui.say(&format!(
            "\nerror: the kernel does not do what was planned\n{told}hint: `infra verify` looks again; `infra diff` tells what the daemons say\n"
        ));
    } else if !checks.is_empty() {
        ui.say(&format!("Verified: {}\n", show::summary(&checks)));
    }
    !fails
}

/// Tells of nothing but what failed.
struct Silence;

impl Sink for Silence {
    fn event(&self, event: &infra_apply::Event) {
        if let infra_apply::Event::Failed { problem, .. } = event {
            let _broken_pipe = std::io::Write::write_fmt(
                &mut anstream::stderr(),
                format_args!("{}: {}\n", problem.doing, problem.cause),
            );
        }
    }
}

/// What hosts say of themselves and of their daemons, and the command line of all.
fn limits(hosts: &BTreeMap<HostName, Host>, running: &Running) -> Limits {
    let mut limits = Limits::default();
    for (name, host) in hosts {
        for (provider, at_once) in &host.daemons_parallelism {
            limits = limits.daemon(name, provider, *at_once as usize);
        }
        if let Some(at_once) = host.parallelism {
            limits = limits.host(name, at_once as usize);
        }
    }
    match running.parallelism {
        Some(at_once) => limits.in_all(at_once as usize),
        None => limits,
    }
}

/// Does the work, and says every third of a lease that it is still at it.
async fn renewing<T>(
    lock: &mut Lock,
    stop: &watch::Sender<StopAsked>,
    work: impl Future<Output = T>,
) -> T {
    use infra_state::Clock;
    let mut work = std::pin::pin!(work);
    let mut beat = tokio::time::interval(infra_state::LEASE / 3);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = beat.tick() => if let Err(error) = lock.renew(SystemClock.now())
                && error.kind == infra_state::Kind::Locked
            {
                // Somebody took over while this stood still: what runs ends, nothing more is started.
                stop.send_if_modified(|asked| {
                    let first = *asked == StopAsked::No;
                    *asked = StopAsked::Finish.max(*asked);
                    first
                });
            },
        }
    }
}

/// A plan holds for the daemons it was made against.
fn same_daemons(plan: &Plan, session: &Session) -> Result<(), Stop> {
    let now = session.daemons();
    let moved = plan
        .daemons
        .iter()
        .find(|(name, was)| now.get(*name) != Some(was));
    let Some((name, was)) = moved else {
        return Ok(());
    };
    let is = now.get(name).map_or("nowhere", String::as_str);
    Err(Stop::Error {
        exit: Exit::Stale,
        doing: "applying the plan".to_owned(),
        cause: format!("it was made against {name} at {was}, which is now at {is}"),
        hint: Some("plan again, or point infra at the same daemon".to_owned()),
    })
}

fn exit(report: &Report) -> Exit {
    if !report.stale.is_empty() {
        Exit::Stale
    } else if report.is_complete() {
        Exit::Done
    } else if report.done.is_empty() && !report.interrupted {
        Exit::Error
    } else {
        Exit::Partly
    }
}

/// One Ctrl-C (or SIGTERM) lets running steps end, a second stops at once. Nothing is lost either way. From here on: before the
/// task that waits for them has its first turn, something may have been started already.
fn interrupts(asked: watch::Sender<StopAsked>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut int), Ok(mut term)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return;
    };
    tokio::spawn(async move {
        for stop in [StopAsked::Finish, StopAsked::Now] {
            tokio::select! { _ = int.recv() => {}, _ = term.recv() => {} }
            asked.send_replace(stop);
        }
    });
}
