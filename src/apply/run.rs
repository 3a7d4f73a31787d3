//! The apply: checks the whole plan against the world, then runs its steps as they become ready. What one
//! step does is [`crate::step`]; which may start is [`crate::ready`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{self, FuturesUnordered, StreamExt};
use infra_api::{Daemon, Failure, HostName, Moment, Observed, Pending, Remedy, ResourceId};
use infra_plan::{Before, Outcome, Plan, Step};
use infra_state::{Entry, Key, Log, Unfinished, Vault};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::ledger::Ledger;
use crate::step::Hands;
use crate::{EVENTS_VERSION, Event, Limits, Problem, Ready, Report, Sink, Skipped, Stale};

/// The daemons that can be reached.
pub trait World: Send + Sync {
    fn daemon(&self, host: &HostName, provider: &str) -> Option<&dyn Daemon>;

    /// Opens the way to a host anew where it has ended since; an error: it cannot be had again.
    fn reopen<'a>(&'a self, _host: &'a HostName) -> Pending<'a, Result<(), Failure>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// How often somebody asked to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    #[default]
    No,
    /// Running steps end, none starts.
    Finish,
    /// At once; the journal says what was started.
    Now,
}

/// Times and numbers, each with why.
#[derive(Clone, Debug)]
pub struct Settings {
    pub limits: Limits,
    /// How long a dependency may take to become ready.
    pub ready_deadline: Duration,
    /// How long one change may take. Uploading a disk image over a slow link takes many minutes.
    pub change_deadline: Duration,
    /// How long a daemon may take to answer a question. libvirt's first answer can take half a minute.
    pub read_deadline: Duration,
    /// How often a call is made in all, where the daemon says that it may go through later.
    pub attempts: u32,
    /// Before the second attempt; twice as long before each further one.
    pub pause: Duration,
    /// The time, from the shell: some steps may only be done in a certain one.
    pub now: Moment,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            ready_deadline: Duration::from_secs(120),
            change_deadline: Duration::from_secs(3600),
            read_deadline: Duration::from_secs(120),
            attempts: 3,
            pause: Duration::from_secs(1),
            now: Moment { day: 0, minute: 0 },
        }
    }
}

/// All an apply works with.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    pub plan: &'a Plan,
    /// What the state held when the plan was made.
    pub prior: &'a Outcome,
    pub world: &'a dyn World,
    pub log: &'a dyn Log,
    pub key: &'a Key,
    pub vault: &'a Vault,
    pub sink: &'a dyn Sink,
    pub settings: &'a Settings,
    /// How far applies before this one have come with the plan.
    pub earlier: &'a Unfinished,
    /// What an apply was cut off at, of whatever plan: its call may be going on in the daemon still.
    pub in_doubt: &'a [ResourceId],
    /// The plan was made of what was there a moment ago: nothing is to be checked before the first step.
    pub checked: bool,
}

/// How many objects are read at once before the first step.
const READS: usize = 16;

/// Applies the plan. An error: it cannot be applied at all, and nothing was.
pub async fn run(job: Job<'_>, mut stop: watch::Receiver<Stop>) -> Result<Report, Failure> {
    job.sink.event(&Event::Version {
        format_version: EVENTS_VERSION.to_owned(),
    });
    let ready = prepare(&job)?;
    let ledger = Ledger::new(job);
    let mut run = Run {
        job,
        ready,
        ledger: &ledger,
        failed: BTreeMap::new(),
        stale: Vec::new(),
        stop: Stop::No,
    };
    run.tell_held();
    if !job.checked {
        run.check(&mut stop).await;
    }
    run.drive(&mut stop).await;
    Ok(run.report())
}

/// What can be known to be wrong with a plan without asking the world.
fn prepare(job: &Job<'_>) -> Result<Ready, Failure> {
    let doing = "applying the plan";
    let plan = job.plan;
    let bad = |why: String| Failure::new(Remedy::Replan, doing, why).hint("plan again");
    let mut ready = Ready::new(&plan.steps, &job.settings.limits).map_err(bad)?;
    ready.hold(&held(plan, job.settings.now));
    let missing = plan
        .secrets
        .iter()
        .filter(|digest| job.vault.get(digest).is_none())
        .count();
    if missing > 0 {
        let why = format!("{missing} of its secret values are not those it was made with");
        return Err(bad(why));
    }
    Ok(ready)
}

/// What stops something that may not be stopped now, and all that needs it. What is removed to be made anew is not
/// removed where it cannot be made.
fn held(plan: &Plan, now: Moment) -> BTreeSet<u32> {
    let shut = |step: &Step| step.when.as_ref().is_some_and(|when| !when.is_open(now));
    let shut = plan.steps.iter().filter(|step| shut(step));
    let mut held: BTreeSet<u32> = shut.map(|step| step.number).collect();
    loop {
        let before = held.len();
        let mut kept: BTreeSet<&ResourceId> = BTreeSet::new();
        for step in &plan.steps {
            if step.needs.iter().any(|need| held.contains(need)) {
                held.insert(step.number);
            }
            if step.before == Before::Removed && held.contains(&step.number) {
                kept.insert(&step.resource);
            }
        }
        let removals = plan.steps.iter().filter(|s| kept.contains(&s.resource));
        held.extend(removals.map(|step| step.number));
        if held.len() == before {
            return held;
        }
    }
}

struct Run<'a> {
    job: Job<'a>,
    ledger: &'a Ledger<'a>,
    ready: Ready,
    failed: BTreeMap<u32, Failure>,
    stale: Vec<Stale>,
    stop: Stop,
}

/// A step, how it ended, and how long it took.
type Ended = (u32, Result<(), Failure>, Duration);

impl<'a> Run<'a> {
    fn tell_held(&self) {
        for step in self.ready.summary().held {
            self.tell(Event::Held { step });
        }
    }

    /// Every step's `before` against the world, before the first one starts: a stale plan touches nothing.
    async fn check(&mut self, stop: &mut watch::Receiver<Stop>) {
        let steps: Vec<&Step> = self
            .job
            .plan
            .steps
            .iter()
            .filter(|step| self.ledger.is_to_check(step) && !self.ready.is_held(step.number))
            .collect();
        let ledger = self.ledger;
        let all = async {
            let surveyed = &self.surveyed(&steps).await;
            let reads = stream::iter(steps).map(|step| async move {
                let hands = Hands::new(ledger, step);
                let told = surveyed.get(&step.resource);
                (step, hands.is_as_planned(told).await)
            });
            reads.buffer_unordered(READS).collect::<Vec<_>>().await
        };
        let mut found = tokio::select! {
            found = all => found,
            () = signalled(stop, Stop::No) => return self.heed(stop),
        };
        found.sort_by_key(|(step, _)| step.number);
        for (step, found) in found {
            match found {
                Ok(Ok(())) => {}
                Ok(Err(differs)) => self.stale(step, differs),
                Err(failure) => self.fail(step.number, failure, Duration::ZERO),
            }
        }
        if !self.stale.is_empty() || !self.failed.is_empty() {
            self.ready.stop();
        }
    }

    /// What the daemons tell of many objects at once. One that does not answer is asked for each.
    async fn surveyed(&self, steps: &[&Step]) -> BTreeMap<ResourceId, Observed> {
        let mut of: BTreeMap<(&HostName, &str), Vec<&ResourceId>> = BTreeMap::new();
        for step in steps {
            let id = &step.resource;
            let daemon = (&id.host, id.provider.as_str());
            of.entry(daemon).or_default().push(id);
        }
        let Job {
            world,
            plan,
            settings,
            ..
        } = self.job;
        let asked = of.iter().map(|((host, provider), ids)| async move {
            let survey = world.daemon(host, provider)?.survey(&plan.project, ids);
            timeout(settings.read_deadline, survey).await.ok()?.ok()
        });
        let told = join_all(asked).await;
        told.into_iter().flatten().flatten().collect()
    }

    async fn drive(&mut self, stop: &mut watch::Receiver<Stop>) {
        let mut running = FuturesUnordered::new();
        loop {
            self.heed(stop);
            let starting = self.ready.start();
            let steps: Vec<&Step> = starting.iter().filter_map(|n| self.find(*n)).collect();
            let begun = self.ledger.begin(&steps);
            for number in starting {
                running.push(self.step(number, begun.clone()));
            }
            if running.is_empty() {
                return;
            }
            tokio::select! {
                biased;
                () = signalled(stop, self.stop) => self.heed(stop),
                Some(ended) = running.next() => self.ended(ended),
            }
            if self.stop == Stop::Now {
                return;
            }
        }
    }

    fn find(&self, number: u32) -> Option<&'a Step> {
        let steps = &self.job.plan.steps;
        let found = steps.binary_search_by_key(&number, |step| step.number);
        found.ok().map(|index| &steps[index])
    }

    /// `begun`: whether the journal says so.
    fn step(
        &self,
        number: u32,
        begun: Result<(), Failure>,
    ) -> impl Future<Output = Ended> + use<'a> {
        let step = self.find(number);
        let ledger = self.ledger;
        async move {
            let began = Instant::now();
            let result = match (begun, step) {
                (Err(failure), _) => Err(failure),
                (Ok(()), Some(step)) => Hands::new(ledger, step).carry_out().await,
                (Ok(()), None) => Err(Failure::new(
                    Remedy::Replan,
                    "applying the plan",
                    format!("it has no step {number}"),
                )),
            };
            (number, result, began.elapsed())
        }
    }

    fn ended(&mut self, (number, result, elapsed): Ended) {
        match result {
            Ok(()) => {
                self.ready.done(number);
                self.tell(Event::Done {
                    step: number,
                    elapsed_ms: millis(elapsed),
                });
            }
            Err(failure) => self.fail(number, failure, elapsed),
        }
        if self.ledger.is_broken() {
            self.ready.stop();
        }
    }

    fn fail(&mut self, step: u32, failure: Failure, elapsed: Duration) {
        let problem = Problem::from(&failure);
        self.tell(Event::Failed {
            step,
            elapsed_ms: millis(elapsed),
            problem,
        });
        self.failed.insert(step, failure);
        for Skipped { step, because } in self.ready.failed(step) {
            self.tell(Event::Skipped { step, because });
        }
    }

    fn stale(&mut self, step: &Step, differs: String) {
        let Step {
            number,
            resource,
            address,
            ..
        } = step;
        let stale = Stale {
            step: *number,
            resource: resource.clone(),
            address: address.clone(),
            differs,
        };
        let Stale {
            step,
            resource,
            address,
            differs,
        } = stale.clone();
        self.tell(Event::Stale {
            step,
            resource,
            address,
            differs,
        });
        self.stale.push(stale);
    }

    /// Does what a signal asks for, if there is a new one.
    fn heed(&mut self, stop: &watch::Receiver<Stop>) {
        let signal = *stop.borrow();
        if signal <= self.stop {
            return;
        }
        self.stop = signal;
        self.ready.stop();
        self.tell(Event::Stopping {
            running: self.ready.summary().running,
        });
    }

    fn report(self) -> Report {
        let summary = self.ready.summary();
        let complete = summary.done.len() == self.job.plan.steps.len();
        // A journal that cannot be written any more has said so already, by the step it failed.
        if self.stop != Stop::Now {
            let _ = self.ledger.enter(&Entry::End { complete });
        }
        let unread = |step: &u32| !self.failed.contains_key(step);
        let left: Vec<u32> = summary.left.into_iter().filter(unread).collect();
        self.job.sink.event(&Event::Finished {
            done: summary.done.len(),
            failed: self.failed.len(),
            skipped: summary.skipped.len(),
            left: left.len() + summary.running.len(),
            held: summary.held.len(),
        });
        Report {
            done: summary.done,
            failed: self.failed.into_iter().collect(),
            skipped: summary.skipped,
            held: summary.held,
            left,
            abandoned: summary.running,
            stale: self.stale,
            interrupted: self.stop != Stop::No,
            outcome: if complete {
                self.job.plan.result.clone()
            } else {
                self.ledger.outcome()
            },
        }
    }

    fn tell(&self, event: Event) {
        self.job.sink.event(&event);
    }
}

/// Ends when there is more of a signal than `seen`; never, where nobody can signal any more.
async fn signalled(stop: &mut watch::Receiver<Stop>, seen: Stop) {
    if stop.wait_for(|signal| *signal > seen).await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn millis(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
