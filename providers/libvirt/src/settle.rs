//! Domains on a daemon, made as wanted.
//!
//! Every change is the same three steps: write the whole definition (libvirt takes it over the old one in one
//! call, running or not, so nothing is ever undefined on the way and a refused one changes nothing), make the
//! running machine like it, and see that it runs. Cut off anywhere, the same call goes on.

use std::time::Duration;

use infra_api::target::Machine;
use infra_api::{Failure, IdSet, Impact, Mark, Progress, Project, Remedy};
use tokio::time::{Instant, sleep};
use virt::connect::Connect;
use virt::domain::Domain;
use virt::sys;

use crate::domain::{live, lookup, state, stored};
use crate::failure::Doing;
use crate::text::domain::{self as text, Hypervisor};
use crate::text::pool::Pools;
use crate::wire::Wire;
use crate::{guard, pool};

const POLL: Duration = Duration::from_millis(200);

/// What makes a running machine like its new definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Nothing,
    Pin,
    Restart,
}

/// Makes the machine as wanted, whatever is there of it.
pub(crate) async fn settle(
    wire: &Wire,
    mark: &Mark,
    wanted: &Machine,
    allowed: Impact,
    patience: Duration,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let (name, owned) = (wanted.name.clone(), (mark.clone(), wanted.clone()));
    let define = move |connection: &Connect, _: &_| define(connection, &owned.0, &owned.1, allowed);
    if wire.act(progress, define).await? == Step::Restart {
        stop(wire, &name, patience, progress).await?;
    }
    let autostart = wanted.autostart;
    wire.act(progress, move |connection, _| {
        start(connection, &name, autostart)
    })
    .await
}

/// Writes the definition and pins what runs. Refuses before it touches anything.
fn define(
    connection: &Connect,
    mark: &Mark,
    wanted: &Machine,
    allowed: Impact,
) -> Result<Step, Failure> {
    let doing = || format!("defining the domain `{}`", wanted.name);
    let pools = pool::paths(connection)?;
    let xml = text::write(wanted, mark, &pools, hypervisor(connection)?).doing(doing)?;
    let there = lookup(connection, &wanted.name)?;
    let step = match &there {
        Some(domain) => next(domain, &pools, mark, wanted)?,
        None => Step::Nothing,
    };
    if step == Step::Restart && allowed == Impact::InPlace {
        return Err(Failure::new(
            Remedy::Replan,
            doing(),
            "this takes a restart, which was not planned",
        ));
    }
    if let Some(domain) = there.filter(|_| allowed == Impact::Restart) {
        forget_saved(&domain, &pools, wanted)?;
    }
    let domain = connection
        .define_domain_xml_flags(&xml, sys::VIR_DOMAIN_DEFINE_VALIDATE)
        .doing(doing)?;
    if step == Step::Pin {
        pin(&domain, wanted)?;
    }
    Ok(step)
}

/// A machine saved to disk (libvirt does that when its host goes down) would come back as it was, whatever its
/// definition says since. A restart that was planned throws that memory away.
fn forget_saved(domain: &Domain, pools: &Pools, wanted: &Machine) -> Result<(), Failure> {
    let doing = || format!("removing the saved memory of `{}`", wanted.name);
    let changed = stored(domain, pools)?.machine != text::definition(wanted.clone());
    match changed && domain.has_managed_save(0).doing(doing)? {
        true => domain.managed_save_remove(0).doing(doing),
        false => Ok(()),
    }
}

fn hypervisor(connection: &Connect) -> Result<Hypervisor, Failure> {
    let kind = connection
        .driver_type()
        .doing(|| "asking libvirt what it runs".into())?;
    Ok(if kind == "TEST" {
        Hypervisor::Test
    } else {
        Hypervisor::Qemu
    })
}

fn next(domain: &Domain, pools: &Pools, mark: &Mark, wanted: &Machine) -> Result<Step, Failure> {
    let what = format!("the domain `{}`", wanted.name);
    guard::ours(&what, stored(domain, pools)?.mark(), &mark.project)?;
    match domain.is_active().doing(|| format!("reading {what}"))? {
        true => Ok(step(&live(domain, pools)?.machine, wanted)),
        false => Ok(Step::Nothing),
    }
}

fn step(runs: &Machine, wanted: &Machine) -> Step {
    let (runs, wanted) = (
        text::definition(runs.clone()),
        text::definition(wanted.clone()),
    );
    let pinned = Machine {
        vcpu_pins: wanted.vcpu_pins.clone(),
        emulator_pin: wanted.emulator_pin.clone(),
        ..runs.clone()
    };
    // A pin can be moved, not taken away: a running machine that was pinned stays bound to some set.
    let unpinned = |had: bool, wants: bool| had && !wants;
    let lost = unpinned(!runs.vcpu_pins.is_empty(), !wanted.vcpu_pins.is_empty())
        || unpinned(runs.emulator_pin.is_some(), wanted.emulator_pin.is_some());
    match (runs == wanted, pinned == wanted && !lost) {
        (true, _) => Step::Nothing,
        (_, true) => Step::Pin,
        _ => Step::Restart,
    }
}

/// The definition has the new pins already; these are the running threads'.
fn pin(domain: &Domain, wanted: &Machine) -> Result<(), Failure> {
    for (vcpu, cpus) in &wanted.vcpu_pins {
        let pinned = domain.pin_vcpu_flags(*vcpu, &bitmap(cpus), sys::VIR_DOMAIN_AFFECT_LIVE);
        pinned.doing(|| format!("pinning vCPU {vcpu} of `{}` to {cpus}", wanted.name))?;
    }
    let Some(cpus) = &wanted.emulator_pin else {
        return Ok(());
    };
    let pinned = domain.pin_emulator(&bitmap(cpus), sys::VIR_DOMAIN_AFFECT_LIVE);
    pinned.doing(|| format!("pinning the emulator of `{}` to {cpus}", wanted.name))
}

/// A set as libvirt takes it: CPU `n` is bit `n % 8` of byte `n / 8`.
fn bitmap(cpus: &IdSet) -> Vec<u8> {
    let mut bytes = vec![0; cpus.last().map_or(1, |last| last as usize / 8 + 1)];
    for cpu in cpus {
        bytes[cpu as usize / 8] |= 1 << (cpu % 8);
    }
    bytes
}

/// Running, by whatever that takes from where it is.
fn start(connection: &Connect, name: &str, autostart: bool) -> Result<(), Failure> {
    let doing = || format!("starting the domain `{name}`");
    let Some(domain) = lookup(connection, name)? else {
        return Err(Failure::new(Remedy::Replan, doing(), "it is gone"));
    };
    if domain.autostart().doing(doing)? != autostart {
        domain.set_autostart(autostart).doing(doing)?;
    }
    match state(&domain)? {
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
    let mut off = wire
        .act(progress, move |connection, _| {
            ask_to_stop(connection, &asked)
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
    match lookup(connection, name)? {
        Some(domain) => domain
            .is_active()
            .map(|active| !active)
            .doing(|| format!("watching the domain `{name}`")),
        None => Ok(true),
    }
}

fn take_power(connection: &Connect, name: &str) -> Result<(), Failure> {
    if is_off(connection, name)? {
        return Ok(());
    }
    let Some(domain) = lookup(connection, name)? else {
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
    mark: &Mark,
    name: &str,
    patience: Duration,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let (name, project) = (name.to_owned(), mark.project.clone());
    let (asked, owner) = (name.clone(), project.clone());
    if !wire
        .ask(move |connection| claim(connection, &owner, &asked))
        .await?
    {
        return Ok(());
    }
    stop(wire, &name, patience, progress).await?;
    wire.act(progress, move |connection, _| {
        undefine(connection, &project, &name)
    })
    .await
}

/// Whether it is there; a failure if it is not ours.
fn claim(connection: &Connect, project: &Project, name: &str) -> Result<bool, Failure> {
    let Some(domain) = lookup(connection, name)? else {
        return Ok(false);
    };
    let there = stored(&domain, &pool::paths(connection)?)?;
    guard::ours(&format!("the domain `{name}`"), there.mark(), project).map(|()| true)
}

fn undefine(connection: &Connect, project: &Project, name: &str) -> Result<(), Failure> {
    // A transient domain is gone once it is stopped.
    if !claim(connection, project, name)? {
        return Ok(());
    }
    let Some(domain) = lookup(connection, name)? else {
        return Ok(());
    };
    let saved = sys::VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | sys::VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
    // Ours have no firmware with variables, but somebody may have given it one. The mock knows no such flag.
    let with = match hypervisor(connection)? {
        Hypervisor::Qemu => saved | sys::VIR_DOMAIN_UNDEFINE_NVRAM,
        Hypervisor::Test => saved,
    };
    domain
        .undefine_flags(with)
        .doing(|| format!("removing the domain `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bitmap_has_a_bit_a_cpu() {
        assert_eq!(bitmap(&IdSet::from([0, 1])), [3]);
        assert_eq!(bitmap(&IdSet::from([8, 17])), [0, 1, 2]);
        assert_eq!(bitmap(&IdSet::new()), [0]);
    }
}
