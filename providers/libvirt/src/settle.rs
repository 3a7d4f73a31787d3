//! Domains on a daemon, made as wanted.
//!
//! Every change is the same three steps: write the whole definition (libvirt takes it over the old one in one
//! call, running or not, so nothing is ever undefined on the way and a refused one changes nothing), make the
//! running machine like it, and see that it runs. Cut off anywhere, the same call goes on.

use std::time::Duration;

use infra_api::target::Machine;
use infra_api::{Failure, Impact, Mark, Progress, Remedy};
use tokio::time::{Instant, sleep};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::sys;

use crate::domain::{live, lookup, running, state, stored, theirs, understood};
use crate::failure::Doing;
use crate::guard::{Claim, taken};
use crate::link::Link;
use crate::plug::Running;
use crate::text::domain::{self as text, Hypervisor};
use crate::text::domain_read::Found;
use crate::text::pool::Pools;
use crate::text::theirs::with_notes_of;
use crate::way::{Step, moves_alone, way};
use crate::wire::Wire;

const POLL: Duration = Duration::from_millis(200);

/// What is still to be done when its definition is written, and it runs if it could.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Nothing,
    Restart,
}

/// How a definition was written.
enum Defined {
    /// There was none.
    Anew(Domain),
    /// And what runs is like it.
    Changed(Domain),
    /// What runs is not like it.
    Restart,
}

/// Makes the machine as wanted, whatever is there of it; `anew`, only where nothing is.
pub(crate) async fn settle(
    wire: &Wire,
    claim: &Claim,
    (wanted, anew): (&Machine, bool),
    allowed: Impact,
    patience: Duration,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let (name, owned) = (wanted.name.clone(), (claim.clone(), wanted.clone()));
    let define = move |link: &Link, _: &_| {
        let (claim, wanted) = &owned;
        match define(link, claim, (wanted, anew), allowed)? {
            Defined::Anew(domain) => begin(&domain, wanted.autostart).map(|()| Left::Nothing),
            Defined::Changed(domain) => run(&domain, wanted.autostart).map(|()| Left::Nothing),
            Defined::Restart => Ok(Left::Restart),
        }
    };
    if wire.act(progress, define).await? == Left::Restart {
        stop(wire, &name, patience_for(wanted, patience), progress).await?;
        let autostart = wanted.autostart;
        wire.act(progress, move |link, _| start(link, &name, autostart))
            .await?;
    }
    give_back(wire, wanted, patience * 2, progress).await
}

/// Waits until the guest has the memory it should; it may have to boot first. libvirt says yes to any balloon, also where nobody in the guest
/// hears of it.
async fn give_back(
    wire: &Wire,
    wanted: &Machine,
    patience: Duration,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let Some(target) = wanted.balloon_bytes else {
        return Ok(());
    };
    let began = Instant::now();
    loop {
        let name = wanted.name.clone();
        let has = wire.ask(move |link| balloon(link, &name)).await?;
        if has == Some(target) {
            return Ok(());
        }
        if began.elapsed() > patience {
            let has = has.unwrap_or(wanted.memory_bytes) >> 20;
            let why = format!(
                "the guest has kept {has} MiB, and was to have {}",
                target >> 20
            );
            return Err(Failure::new(
                Remedy::Operator,
                format!("taking memory back from `{}`", wanted.name),
                why,
            )
            .hint("it needs the driver virtio_balloon, and the memory to be free; or write `size` as large as `maximum`"));
        }
        progress.say("waiting for the guest to give memory back");
        sleep(POLL).await;
    }
}

/// What the guest has of less than all.
fn balloon(link: &Link, name: &str) -> Result<Option<u64>, Failure> {
    match lookup(link, name)? {
        Some(domain) => Ok(running(link, &domain)?.machine.balloon_bytes),
        None => Ok(None),
    }
}

/// Writes the definition and changes what runs. Refuses before it touches anything.
fn define(
    link: &Link,
    claim: &Claim,
    (wanted, anew): (&Machine, bool),
    allowed: Impact,
) -> Result<Defined, Failure> {
    let doing = || format!("defining the domain `{}`", wanted.name);
    let mark = &claim.mark;
    let there = lookup(link, &wanted.name)?;
    if anew && there.is_some() {
        return Err(taken(doing()));
    }
    let mut xml = written(link, wanted, mark, doing)?;
    let mut check = sys::VIR_DOMAIN_DEFINE_VALIDATE;
    let mut steps = Some(Vec::new());
    if let Some(domain) = &there {
        let before = domain.xml_desc(sys::VIR_DOMAIN_XML_INACTIVE).doing(doing)?;
        let found = understood(link, &before)?;
        steps = next(link, domain, &found, (claim, wanted))?;
        if steps.is_none() && allowed == Impact::InPlace {
            return Err(Failure::new(
                Remedy::Replan,
                doing(),
                "this takes a restart, which was not planned",
            ));
        }
        if allowed == Impact::Restart {
            forget_saved(domain, &found.machine, wanted)?;
        }
        xml = with_notes_of(xml, &before).doing(doing)?;
        if found.stamp.is_some() && moves_alone(&found.machine, wanted) {
            check = 0;
        }
    }
    let domain = link.define_domain_xml_flags(&xml, check).doing(doing)?;
    let Some(steps) = steps else {
        return Ok(Defined::Restart);
    };
    if there.is_none() {
        return Ok(Defined::Anew(domain));
    }
    let running = Running {
        connection: link,
        domain: &domain,
        mark,
        wanted,
    };
    running.go(&steps)?;
    Ok(Defined::Changed(domain))
}

pub(crate) fn written(
    link: &Link,
    machine: &Machine,
    mark: &Mark,
    doing: impl Fn() -> String,
) -> Result<String, Failure> {
    let runs = link.hypervisor()?;
    let write = |pools: &Pools| text::write(machine, mark, pools, runs);
    link.with_pools(write, |_| true)?.doing(doing)
}

/// Writes what its next start makes of it; what runs is left alone.
pub(crate) fn prepare(link: &Link, claim: &Claim, wanted: &Machine) -> Result<(), Failure> {
    let doing = || format!("preparing the next start of the domain `{}`", wanted.name);
    let xml = written(link, wanted, &claim.mark, doing)?;
    let gone = || Failure::new(Remedy::Replan, doing(), "it is gone");
    let domain = lookup(link, &wanted.name)?.ok_or_else(gone)?;
    let before = domain.xml_desc(sys::VIR_DOMAIN_XML_INACTIVE).doing(doing)?;
    let theirs = may(link, &domain, &understood(link, &before)?, claim)?;
    let xml = with_notes_of(xml, &before).doing(doing)?;
    let defined = link.define_domain_xml_flags(&xml, sys::VIR_DOMAIN_DEFINE_VALIDATE);
    let domain = defined.doing(doing)?;
    match theirs {
        Some(theirs) if domain.is_active().doing(doing)? => {
            let running = Running {
                connection: link,
                domain: &domain,
                mark: &claim.mark,
                wanted: &theirs,
            };
            running.go(&[Step::Remark])
        }
        _ => Ok(()),
    }
}

/// A machine saved to disk (libvirt does that when its host goes down) would come back as it was, whatever its
/// definition says since. A restart that was planned throws that memory away.
fn forget_saved(domain: &Domain, stored: &Machine, wanted: &Machine) -> Result<(), Failure> {
    let doing = || format!("removing the saved memory of `{}`", wanted.name);
    let changed = *stored != text::definition(wanted.clone());
    match changed && domain.has_managed_save(0).doing(doing)? {
        true => domain.managed_save_remove(0).doing(doing),
        false => Ok(()),
    }
}

/// Refuses what is not ours. What is imported and carries no mark yet is told as it is: it is no longer what infra
/// could make where somebody has changed it since, and written anew it would lose that.
fn may(
    link: &Link,
    domain: &Domain,
    found: &Found,
    claim: &Claim,
) -> Result<Option<Machine>, Failure> {
    let doing = || "reading a domain".to_owned();
    let what = format!("the domain `{}`", found.machine.name);
    claim.may(&what, found.mark(), &domain.uuid_string().doing(doing)?)?;
    if found.stamp.is_some() {
        return Ok(None);
    }
    theirs(link, domain)?.map(Some).map_err(|why| {
        Failure::new(Remedy::Operator, format!("changing {what}"), why)
            .hint("take that out of it first: written anew it would lose it")
    })
}

/// What makes it as wanted while it runs; nothing where that takes a restart.
fn next(
    link: &Link,
    domain: &Domain,
    found: &Found,
    (claim, wanted): (&Claim, &Machine),
) -> Result<Option<Vec<Step>>, Failure> {
    let theirs = may(link, domain, found, claim)?;
    let active = domain.is_active();
    if !active.doing(|| format!("reading the domain `{}`", wanted.name))? {
        return Ok(Some(Vec::new()));
    }
    let Some(theirs) = theirs else {
        return Ok(way(&live(link, domain)?.machine, wanted));
    };
    // What runs gets the mark as well: it says what libvirt has no place for.
    Ok(way(&theirs, wanted).map(|mut steps| {
        steps.push(Step::Remark);
        steps
    }))
}

fn start(connection: &Connect, name: &str, autostart: bool) -> Result<(), Failure> {
    match lookup(connection, name)? {
        Some(domain) => run(&domain, autostart),
        None => {
            let doing = format!("starting the domain `{name}`");
            Err(Failure::new(Remedy::Replan, doing, "it is gone"))
        }
    }
}

fn starting(domain: &Domain) -> String {
    format!(
        "starting the domain `{}`",
        domain.name().unwrap_or_default()
    )
}

/// One that was just defined is off, and not started with the host.
fn begin(domain: &Domain, autostart: bool) -> Result<(), Failure> {
    let doing = || starting(domain);
    if autostart {
        domain.set_autostart(true).doing(doing)?;
    }
    domain.create().doing(doing)
}

/// Running, by whatever that takes from where it is.
fn run(domain: &Domain, autostart: bool) -> Result<(), Failure> {
    let doing = || starting(domain);
    if domain.autostart().doing(doing)? != autostart {
        domain.set_autostart(autostart).doing(doing)?;
    }
    match state(domain)? {
        "running" => Ok(()),
        "paused" => domain.resume().doing(doing),
        "pmsuspended" => domain.pm_wakeup(0).doing(doing),
        "shutdown" => Err(Failure::new(
            Remedy::Retry,
            doing(),
            "it is still shutting down",
        )),
        _ => domain.create().doing(doing),
    }
}

/// How long its guest may take to shut down: its own time, or everybody's.
fn patience_for(machine: &Machine, patience: Duration) -> Duration {
    let own = machine.stop_timeout_s.map(u64::from);
    own.map_or(patience, Duration::from_secs)
}

/// A guest that is still booting does not hear the power button: it is pressed again after so many seconds.
const ASK_AGAIN_S: u64 = 3;

/// Asks the guest to shut down, waits, and then takes its power. A guest that listens to no power button
/// costs the whole wait.
async fn stop(
    wire: &Wire,
    name: &str,
    patience: Duration,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let name = name.to_owned();
    let asked = name.clone();
    let asks = !patience.is_zero();
    let mut off = wire
        .act(progress, move |connection, _| match asks {
            true => ask_to_stop(connection, &asked),
            false => Ok(true),
        })
        .await?;
    let (began, mut told) = (Instant::now(), None);
    while !off && began.elapsed() < patience {
        let second = began.elapsed().as_secs();
        if told.replace(second) != Some(second) {
            progress.say(&format!(
                "waiting for its shutdown, {second} of {} s",
                patience.as_secs()
            ));
            if second > 0 && second.is_multiple_of(ASK_AGAIN_S) {
                let asked = name.clone();
                wire.act(progress, move |connection, _| {
                    ask_to_stop(connection, &asked)
                })
                .await?;
            }
        }
        sleep(POLL).await;
        let asked = name.clone();
        off = wire
            .ask(move |connection| is_off(connection, &asked))
            .await?;
    }
    wire.act(progress, move |connection, _| take_power(connection, &name))
        .await
}

/// True: it need not be waited for. A paused guest hears nothing.
fn ask_to_stop(connection: &Connect, name: &str) -> Result<bool, Failure> {
    let Some(domain) = lookup(connection, name)? else {
        return Ok(true);
    };
    // One that cannot be asked is not waited for: its power is taken.
    Ok(state(&domain)? != "running" || domain.shutdown().is_err())
}

fn is_off(connection: &Connect, name: &str) -> Result<bool, Failure> {
    Ok(on(connection, name)?.is_none())
}

/// The one that runs.
fn on(connection: &Connect, name: &str) -> Result<Option<Domain>, Failure> {
    // What was just looked for has the number it runs under, if it does.
    Ok(lookup(connection, name)?.filter(|domain| domain.id().is_some()))
}

fn take_power(connection: &Connect, name: &str) -> Result<(), Failure> {
    let Some(domain) = on(connection, name)? else {
        return Ok(());
    };
    match domain.destroy() {
        // It went off by itself in between.
        Err(_) if is_off(connection, name)? => Ok(()),
        result => result.doing(|| format!("stopping the domain `{name}`")),
    }
}

pub(crate) async fn delete(
    wire: &Wire,
    claim: &Claim,
    name: &str,
    patience: Duration,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let (name, claim) = (name.to_owned(), claim.clone());
    let (asked, owner) = (name.clone(), claim.clone());
    let there = wire.ask(move |link| owned(link, &owner, &asked));
    let Some((_, machine)) = there.await? else {
        return Ok(());
    };
    stop(wire, &name, patience_for(&machine, patience), progress).await?;
    wire.act(progress, move |link, _| undefine(link, &claim, &name))
        .await
}

/// The one that is there, and what it is made of; a failure if it is not ours.
fn owned(link: &Link, claim: &Claim, name: &str) -> Result<Option<(Domain, Machine)>, Failure> {
    let Some(domain) = lookup(link, name)? else {
        return Ok(None);
    };
    let there = stored(link, &domain)?;
    let what = format!("the domain `{name}`");
    let identity = domain.uuid_string().doing(|| format!("reading {what}"))?;
    claim.may(&what, there.mark(), &identity)?;
    Ok(Some((domain, there.machine)))
}

fn undefine(link: &Link, claim: &Claim, name: &str) -> Result<(), Failure> {
    // A transient domain is gone once it is stopped.
    let Some((domain, _)) = owned(link, claim, name)? else {
        return Ok(());
    };
    let saved = sys::VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
    // Ours have no firmware with variables, but somebody may have given it one. The mock knows no such flag.
    let with = match link.hypervisor()? {
        Hypervisor::Qemu => saved | sys::VIR_DOMAIN_UNDEFINE_NVRAM,
        Hypervisor::Test => saved,
    };
    domain
        .undefine_flags(with)
        .doing(|| format!("removing the domain `{name}`"))
}
