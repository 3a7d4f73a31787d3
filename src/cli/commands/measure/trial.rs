//! The turns of all variants: each is started, warmed up, asked, and removed again; of a workload by its own benchmark,
//! of a host by a probe.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use infra_api::{Address, HostName, Placement, Runtime, Setting, Variant};
use infra_lang::Mode;
use infra_state::Lock;
use infra_suitability::{EvidenceFile, Failed, Measured, Summary};
use tokio::sync::watch;

use super::bench::{self, Target};
use super::progress::Progress;
use crate::cli::commands::apply::{self, Manner};
use crate::cli::session::{Options, Session, copy_of};
use crate::cli::ui::{Exit, Stop, Ui};
use crate::declared::Measure;
use crate::lower::called;
use crate::select::{Asked, Pattern};

/// Between two tries of a first run.
const PAUSE: Duration = Duration::from_millis(500);

/// What is measured, and how often.
pub(super) struct Subject<T> {
    pub(super) address: Address,
    pub(super) measure: Measure,
    pub(super) host: HostName,
    pub(super) runs: u32,
    pub(super) rounds: u32,
    /// What one run's output says.
    pub(super) read: fn(&Measure, &str) -> Result<T, String>,
    pub(super) made: Made,
    /// How a variant is called.
    pub(super) called: fn(Variant) -> String,
}

/// What is made for each variant.
#[derive(Clone, Debug)]
pub(super) enum Made {
    /// A copy, beside the workload itself.
    Copy,
    /// The workload itself, which is there for nothing else; as bare metal a plain process: the benchmark is this command.
    Itself { plain: Vec<String> },
}

/// What was found of a variant: its last place, where it had one, and what each run said.
pub(super) type Sampled<T> = (Option<Placement>, Vec<T>);

/// A trial under way.
pub(super) struct Trial<'a, T> {
    options: Options,
    manner: Manner,
    lock: &'a mut Lock,
    subject: Subject<T>,
    variants: &'a [Variant],
    found: BTreeMap<Variant, Sampled<T>>,
    failed: BTreeMap<Variant, String>,
    stop: watch::Receiver<bool>,
    progress: Progress,
    ui: Ui,
}

impl<'a, T> Trial<'a, T> {
    pub(super) fn new(
        options: Options,
        manner: Manner,
        lock: &'a mut Lock,
        (subject, variants): (Subject<T>, &'a [Variant]),
        ui: Ui,
    ) -> Self {
        let runs = variants.len() as u64 * u64::from(subject.runs);
        let starts = variants.len() as u64 * u64::from(subject.rounds);
        Self {
            options,
            manner,
            lock,
            variants,
            found: BTreeMap::new(),
            failed: BTreeMap::new(),
            stop: interrupts(),
            progress: Progress::new((starts, runs), subject.measure.warmup, ui),
            subject,
            // What its plans have to say was said by the first.
            ui: Ui { quiet: true, ..ui },
        }
    }

    /// All of it, and nothing of it is left.
    ///
    /// # Errors
    /// When it was interrupted, or something is left.
    pub(super) async fn whole(
        &mut self,
        before: &BTreeSet<Address>,
        doing: &str,
    ) -> Result<(), Stop> {
        self.all().await;
        self.clean(before).await?;
        match self.interrupted() {
            false => Ok(()),
            true => {
                let cause = "interrupted; nothing of it is left on the host";
                Err(Stop::error(doing, cause))
            }
        }
    }

    /// Everything, round by round; it ends early where it is interrupted.
    async fn all(&mut self) {
        for round in 0..self.subject.rounds {
            // As even as may be: the first rounds have one more.
            let (runs, rounds) = (self.subject.runs, self.subject.rounds);
            let own = runs / rounds + u32::from(round < runs % rounds);
            for variant in self.variants {
                if self.failed.contains_key(variant) {
                    continue;
                }
                if self.interrupted() {
                    return;
                }
                let called = (self.subject.called)(*variant);
                self.progress.turn(round + 1, self.subject.rounds, &called);
                let turn = self.turn(*variant, own).await;
                let removed = self.remove(&[self.made()]).await;
                if let Err(why) = turn.and(removed.map_err(|stop| words(&stop))) {
                    if self.interrupted() {
                        return;
                    }
                    self.progress.failed(&called, &why);
                    self.found.remove(variant);
                    self.failed.insert(*variant, why);
                }
            }
        }
        self.progress.end();
    }

    fn interrupted(&self) -> bool {
        *self.stop.borrow()
    }

    fn made(&self) -> Address {
        match self.subject.made {
            Made::Copy => copy_of(&self.subject.address),
            Made::Itself { .. } => self.subject.address.clone(),
        }
    }

    /// Starts a variant and runs the benchmark so often.
    async fn turn(&mut self, variant: Variant, runs: u32) -> Result<(), String> {
        let began = Instant::now();
        let (placement, target, measure) = self.start(variant).await?;
        self.progress.started(began.elapsed());
        let known = self.found.entry(variant).or_insert((None, Vec::new()));
        known.0 = placement;
        for n in 0..self.subject.measure.warmup + runs {
            let began = Instant::now();
            let tries = if n == 0 {
                self.subject.measure.tries
            } else {
                1
            };
            let value = self.run(&measure, &target, tries).await?;
            let counts = n >= self.subject.measure.warmup;
            self.progress.ran(began.elapsed(), counts);
            if let (true, Some((_, samples))) = (counts, self.found.get_mut(&variant)) {
                samples.push(value);
            }
        }
        Ok(())
    }

    async fn run(&mut self, measure: &Measure, target: &Target, tries: u32) -> Result<T, String> {
        let mut tried = 1;
        loop {
            let output = bench::once(measure, target, &mut self.stop).await;
            match output.and_then(|output| (self.subject.read)(measure, &output)) {
                Err(_) if tried < tries && !self.interrupted() => {
                    tried += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                ended => return ended,
            }
        }
    }

    /// Makes it as a variant, and says where it answers and what is run.
    async fn start(
        &mut self,
        variant: Variant,
    ) -> Result<(Option<Placement>, Target, Measure), String> {
        let measure = self.subject.measure.clone();
        if let (Runtime::BareMetal, Made::Itself { plain }) = (variant.runtime, &self.subject.made)
        {
            let command = self.beside(plain, variant)?;
            let target = Target {
                address: "127.0.0.1".to_owned(),
                name: String::new(),
                variant,
            };
            return Ok((None, target, Measure { command, ..measure }));
        }
        let (placement, target) = self.make(variant).await?;
        Ok((Some(placement), target, measure))
    }

    /// The command of a plain process: on the CPUs that another had to himself, where it is to have its own.
    fn beside(&self, plain: &[String], variant: Variant) -> Result<Vec<String>, String> {
        let mut command = plain.to_vec();
        if variant.with.has(Setting::Pinned) {
            let own = self
                .found
                .iter()
                .filter(|(v, _)| v.with.has(Setting::Pinned));
            let mut cpus = own.filter_map(|(_, (place, _))| Some(place.as_ref()?.cpus()));
            let cpus = cpus.find(|cpus| !cpus.is_empty());
            let cpus = cpus.ok_or("nobody else got CPUs of its own, so it is not known which")?;
            command.extend(["--cpus".to_owned(), cpus.to_string()]);
        }
        Ok(command)
    }

    async fn make(&mut self, variant: Variant) -> Result<(Placement, Target), String> {
        let made = async {
            let options = Options {
                asked: only(&[self.made()]),
                ..self.options.clone()
            };
            let mut session = Session::open(options, Mode::Plan, self.ui)?;
            let (address, host) = (&self.subject.address, &self.subject.host);
            let copy = match self.subject.made {
                Made::Copy => session.declare_copy(address, variant, host)?,
                Made::Itself { .. } => session.declare_as(address, variant, host)?,
            };
            let planned = session.plan(self.ui).await?;
            let placement = planned.plan.result.workloads.get(&copy).cloned();
            let (project, made_as) = (planned.session.project(), &planned.plan.result.made_as);
            let names = &planned.session.configuration.declared.names;
            let name = called(project, &copy, (names, made_as));
            let (session, world) = (&planned.session, &planned.world);
            let plan = (&planned.plan, None);
            apply::locked(world, plan.0, self.lock, &self.manner, self.ui).await?;
            let exit = apply::apply(session, world, plan, self.lock, &self.manner, self.ui).await?;
            Ok((exit, placement, name))
        };
        let (exit, placement, name) = made.await.map_err(|stop: Stop| words(&stop))?;
        if exit != Exit::Done {
            return Err("it could not be started".to_owned());
        }
        let placement = placement.ok_or("it got no place")?;
        let own = placement.addresses.values().next().map(ToString::to_string);
        let address = match (own, placement.runtime) {
            (Some(address), _) => address,
            // Its ports are the host's.
            (None, Runtime::Container | Runtime::BareMetal) => "127.0.0.1".to_owned(),
            (None, Runtime::Kvm) => String::new(),
        };
        let target = Target {
            address,
            name,
            variant,
        };
        Ok((placement, target))
    }

    /// Removes all that is recorded at some addresses.
    async fn remove(&mut self, addresses: &[Address]) -> Result<(), Stop> {
        let options = Options {
            destroy: true,
            asked: only(addresses),
            ..self.options.clone()
        };
        let session = Session::open(options, Mode::Plan, self.ui)?;
        let there = recorded(&session);
        if !addresses.iter().any(|address| there.contains(address)) {
            return Ok(());
        }
        let planned = session.plan(self.ui).await?;
        let (session, world) = (&planned.session, &planned.world);
        let plan = (&planned.plan, None);
        apply::locked(world, plan.0, self.lock, &self.manner, self.ui).await?;
        match apply::apply(session, world, plan, self.lock, &self.manner, self.ui).await? {
            Exit::Done => Ok(()),
            _ => Err(
                Stop::error("removing what was measured", "some of it is left")
                    .hint("`infra plan` shows it; `infra apply` removes it"),
            ),
        }
    }

    /// Removes all that was not there before: the copy, and what was made for it alone.
    pub(super) async fn clean(&mut self, before: &BTreeSet<Address>) -> Result<(), Stop> {
        let session = Session::open(self.options.clone(), Mode::Plan, self.ui)?;
        let now = recorded(&session);
        drop(session);
        let more: Vec<Address> = now.difference(before).cloned().collect();
        if more.is_empty() {
            return Ok(());
        }
        self.remove(&more).await
    }

    /// What came of it, and what could not be measured.
    pub(super) fn ended(self) -> (BTreeMap<Variant, Sampled<T>>, Vec<Failed>) {
        let failed = self.failed.into_iter();
        let failed = failed.map(|(variant, why)| Failed { variant, why });
        (self.found, failed.collect())
    }
}

impl Trial<'_, f64> {
    pub(super) fn into_evidence(self, evidence: &mut EvidenceFile) {
        let variants = self.variants;
        let (mut found, failed) = self.ended();
        evidence.failed = failed;
        for variant in variants {
            let Some((Some(placement), samples)) = found.remove(variant) else {
                continue;
            };
            let Some(summary) = Summary::of(&samples) else {
                continue;
            };
            evidence.variants.push(Measured {
                variant: *variant,
                placement,
                samples,
                summary,
                ratio: 1.0,
                as_good_as_best: false,
            });
        }
    }
}

/// Of what objects are recorded.
pub(super) fn recorded(session: &Session) -> BTreeSet<Address> {
    let records = session.prior().resources.values();
    records.map(|record| record.address.clone()).collect()
}

fn only(addresses: &[Address]) -> Asked {
    Asked {
        targets: addresses.iter().map(|a| Pattern::new(a.as_str())).collect(),
        excludes: Vec::new(),
    }
}

/// Set by the first Ctrl-C or SIGTERM.
fn interrupts() -> watch::Receiver<bool> {
    use tokio::signal::unix::{SignalKind, signal};
    let (asked, stop) = watch::channel(false);
    let signals = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    );
    if let (Ok(mut int), Ok(mut term)) = signals {
        tokio::spawn(async move {
            tokio::select! { _ = int.recv() => {}, _ = term.recv() => {} }
            asked.send_replace(true);
            // The receiver is heard as long as somebody could ask.
            std::future::pending::<()>().await;
        });
    }
    stop
}

/// Why something stopped, in one line.
fn words(stop: &Stop) -> String {
    match stop {
        Stop::Error { doing, cause, .. } => format!("{doing}: {cause}"),
        Stop::Several(stops) => stops.iter().map(words).collect::<Vec<_>>().join("; "),
        Stop::Diagnostics(diagnostics, _) => said(diagnostics),
        Stop::Refused(refused) => said(&refused.diagnostics),
    }
}

/// The first of each that is said.
fn said(diagnostics: &infra_diag::Diagnostics) -> String {
    let each = diagnostics.iter().map(|diagnostic| {
        let notes = diagnostic.notes.join("; ");
        match notes.is_empty() {
            true => diagnostic.summary.clone(),
            false => format!("{}: {notes}", diagnostic.summary),
        }
    });
    each.collect::<Vec<_>>().join("; ")
}
