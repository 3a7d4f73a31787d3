//! A domain that somebody else has made, as one that infra could have made. Pure.
//!
//! What is read of it is written again and compared with what was found, without what libvirt fills in by itself. What
//! it has beyond that becomes changes of the XML, and it is proved that with them it is the same one, and read as such.

pub(crate) mod network;
mod said;
pub(crate) mod storage;
mod usual;

use std::collections::BTreeMap;

use infra_api::target::{Boot, Clock, Hardware, Machine, MachineNetwork, VolumeRef, XmlPatch};
use infra_api::{Address, Mark, Project};

use super::compare::{added, differences, named};
use super::domain::patched::objections;
use super::domain::{Hypervisor, definition, write};
use super::domain_read;
use super::patch;
use super::pool::Pools;
use super::tree::{Child, Tree};

/// What is needed to understand a stranger's domain.
pub(crate) struct Around<'a> {
    pub(crate) pools: &'a Pools,
    /// The networks that infra could have made: a NIC in any other is none that a declaration could have.
    pub(crate) networks: &'a BTreeMap<String, MachineNetwork>,
    pub(crate) runs: Hypervisor,
}

/// Its next start, with its screens' passwords; or why infra could not have made it.
pub(crate) fn stored(xml: &str, around: &Around) -> Result<Machine, String> {
    let found = Tree::parse(xml)?.compact();
    refused(&found)?;
    let mut rest = with_paths(found, around.pools);
    let mut patches = taken_out(&mut rest, around);
    let machine = read(&rest, around)?;
    unsaid(&machine)?;
    let ours = Tree::parse(&write(&machine, &nobody(), around.pools, around.runs)?)?.compact();
    let more = differences(&usual::usual(ours), &usual::usual(rest.clone()));
    patches.extend(more);
    let machine = Machine { patches, ..machine };
    proved(
        &machine,
        &with_paths(Tree::parse(xml)?.compact(), around.pools),
        around,
    )?;
    Ok(machine)
}

/// What runs, where its definition is known: what libvirt makes of a running one is no change.
pub(crate) fn live(xml: &str, stored: &Machine, around: &Around) -> Result<Machine, String> {
    let mut found = with_paths(Tree::parse(xml)?.compact(), around.pools);
    for added in stored.patches.iter().filter(|patch| patch.add.is_some()) {
        patch::found(&mut found, added);
    }
    let machine = read(&found, around)?;
    let spelled_out = |cpu: &Tree| cpu.name == "cpu" && cpu.attribute("check") == Some("full");
    let mut hardware = machine.hardware.clone();
    if found.elements().any(spelled_out) {
        hardware.cpu.clone_from(&stored.hardware.cpu);
    }
    Ok(Machine {
        patches: stored.patches.clone(),
        hardware,
        ..machine
    })
}

/// As a mark would have it read: its own board, its disks where a declaration has them.
fn read(domain: &Tree, around: &Around) -> Result<Machine, String> {
    let mut machine = domain_read::plain(&domain.document()?, around.pools)?.machine;
    for nic in &mut machine.interfaces {
        if let Some(network) = around.networks.get(&nic.network) {
            nic.bridge.clone_from(&network.bridge);
            nic.driver.clone_from(&network.driver);
        }
    }
    machine.hardware.machine_type = board(domain);
    // What could be written.
    "running".clone_into(&mut machine.state);
    Ok(machine)
}

/// The very version: another one would be other hardware.
fn board(domain: &Tree) -> Option<String> {
    let os = domain.elements().find(|e| e.name == "os")?;
    let kind = os.elements().find(|e| e.name == "type")?;
    kind.attribute("machine")
        .map(str::to_owned)
        .filter(|name| name != "q35")
}

/// Devices that no declaration could name are added as they are.
fn taken_out(domain: &mut Tree, around: &Around) -> Vec<XmlPatch> {
    let mut out = Vec::new();
    let mut taken = Vec::new();
    for child in &mut domain.children {
        if let Child::Element(devices) = child
            && devices.name == "devices"
        {
            let all = std::mem::take(&mut devices.children);
            let said = |child: &Child, before: &[Child]| match child {
                Child::Element(device) => said::is_said(device, before, around.networks),
                Child::Text(_) => true,
            };
            for child in all {
                match said(&child, &devices.children) {
                    true => devices.children.push(child),
                    false => taken.push(child),
                }
            }
        }
    }
    for child in taken {
        if let Child::Element(device) = child
            && let Some(device) = usual::device(device)
        {
            out.push(added("devices", &device));
        }
    }
    out
}

/// Volumes of pools that are not ours are files of the host.
fn with_paths(mut domain: Tree, pools: &Pools) -> Tree {
    usual::each_device(&mut domain, &mut |disk| {
        if disk.name != "disk" || disk.attribute("type") != Some("volume") {
            return;
        }
        let source = disk.elements().find(|e| e.name == "source");
        let part = |name| source.and_then(|source| Some(source.attribute(name)?.to_owned()));
        let (Some(pool), Some(name)) = (part("pool"), part("volume")) else {
            return;
        };
        let Ok(path) = pools.path(&VolumeRef { pool, name }) else {
            return;
        };
        let (kind, attribute) = match path.starts_with("/dev/") {
            true => ("block", "dev"),
            false => ("file", "file"),
        };
        usual::put(disk, "type", kind);
        usual::each_child(disk, "source", &mut |source| {
            source.attributes = vec![(attribute.to_owned(), path.clone())];
        });
    });
    domain
}

/// What neither a declaration nor a change of the XML could keep.
fn refused(domain: &Tree) -> Result<(), String> {
    let mut secret = false;
    usual::each_device(&mut domain.clone(), &mut |device| {
        secret |= device.name == "graphics" && device.attribute("passwd").is_some();
    });
    if secret {
        return Err("its screen has a password (`devices/graphics/@passwd`), which a declaration would show".to_owned());
    }
    let os = domain.elements().find(|e| e.name == "os");
    let kind = os.and_then(|os| os.elements().find(|e| e.name == "type"));
    match kind.and_then(|kind| kind.attribute("arch")) {
        None | Some("x86_64") => Ok(()),
        Some(arch) => Err(format!("its architecture is {arch} (`os/type/@arch`)")),
    }
}

/// Values that the blocks of a machine have no word for.
fn unsaid(machine: &Machine) -> Result<(), String> {
    const KERNEL: &str = "it is started from a kernel of the host (`os/kernel`), and infra starts one of an image that \
                          it has put there";
    let hardware = &machine.hardware;
    let among = |words: &[&str], word: &String| words.contains(&word.as_str());
    let kinds = ["disk", "cdrom", "network"];
    let modes = ["host-passthrough", "host-model", "maximum", "custom"];
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name = machine.name.chars().all(plain)
        && machine
            .name
            .starts_with(|c: char| c.is_ascii_alphanumeric());
    let cases = [
        (
            !name,
            "its name has more than letters, digits, dots, dashes and underscores (`name`)",
        ),
        (matches!(machine.boot, Boot::Kernel { .. }), KERNEL),
        (
            machine.ignition.is_some(),
            "Ignition's configuration is a file of the host (`sysinfo`)",
        ),
        (
            hardware
                .cpu
                .as_ref()
                .is_some_and(|cpu| !among(&modes, &cpu.mode)),
            "its CPU is of a mode that infra does not know (`cpu/@mode`)",
        ),
        (
            machine.boot_order.iter().any(|word| !among(&kinds, word)),
            "it boots what infra has no word for (`os/boot`)",
        ),
    ];
    let clock = hardware.clock.as_ref().and_then(unsaid_clock);
    let case = cases.into_iter().find_map(|(is, why)| is.then_some(why));
    match case.or(clock).or(unsaid_end(hardware)) {
        Some(why) => Err(why.to_owned()),
        None => Ok(()),
    }
}

fn unsaid_clock(clock: &Clock) -> Option<&'static str> {
    let timers = ["rtc", "pit", "hpet", "tsc", "kvmclock", "hypervclock"];
    let offset = matches!(clock.offset.as_str(), "utc" | "localtime");
    let mut known = clock
        .timers
        .keys()
        .map(|timer| timers.contains(&timer.as_str()));
    match (offset, known.all(|known| known)) {
        (false, _) => Some("its clock is neither `utc` nor `localtime` (`clock/@offset`)"),
        (true, false) => Some("its clock has a timer that infra does not know (`clock/timer`)"),
        (true, true) => None,
    }
}

fn unsaid_end(hardware: &Hardware) -> Option<&'static str> {
    let usual = ["destroy", "restart", "preserve"];
    let crash = [&usual[..], &["coredump-destroy", "coredump-restart"]].concat();
    let known = |word: &Option<String>, words: &[&str]| {
        word.as_ref()
            .is_none_or(|word| words.contains(&word.as_str()))
    };
    if !known(&hardware.on_poweroff, &usual) {
        return Some("`on_poweroff` says what infra does not know");
    }
    if !known(&hardware.on_reboot, &usual) {
        return Some("`on_reboot` says what infra does not know");
    }
    (!known(&hardware.on_crash, &crash)).then_some("`on_crash` says what infra does not know")
}

/// Written with its changes it is the same domain, and is read as the same machine.
fn proved(machine: &Machine, found: &Tree, around: &Around) -> Result<(), String> {
    let lost = |names: Vec<String>| {
        format!(
            "it has what infra has no word for and cannot say by `xml` either: {}",
            names.join(", ")
        )
    };
    let named = |place: usize| machine.patches.get(place).map(named).unwrap_or_default();
    let against = objections(machine, &nobody());
    if !against.is_empty() {
        return Err(lost(
            against.into_iter().map(|(place, _)| named(place)).collect(),
        ));
    }
    let again = write(machine, &nobody(), around.pools, around.runs)?;
    let written = usual::usual(Tree::parse(&again)?.compact());
    let found = usual::usual(found.clone());
    if !written.is_same(&found) {
        let differ = differences(&written, &found);
        return Err(lost(differ.iter().map(super::compare::named).collect()));
    }
    let read = domain_read::read(&again, around.pools)?.machine;
    match definition(read) == definition(machine.clone()) {
        true => Ok(()),
        false => Err("it would be read as another machine once it is infra's".to_owned()),
    }
}

fn nobody() -> Mark {
    Mark {
        project: Project::new("import"),
        address: Address::new("workload.import"),
    }
}

/// A document with the notes that others have left in the one before it: theirs are not ours to remove.
pub(crate) fn with_notes_of(xml: String, before: &str) -> Result<String, String> {
    let (mut document, before) = (Tree::parse(&xml)?, Tree::parse(before)?);
    let metadata = |tree: &Tree| tree.elements().find(|e| e.name == "metadata").cloned();
    let Some(notes) = metadata(&before) else {
        return Ok(xml);
    };
    let outer: Vec<(String, String)> = [&before, &notes]
        .into_iter()
        .flat_map(|tree| tree.attributes.clone())
        .filter(|(name, _)| name.starts_with("xmlns:"))
        .collect();
    let with_outer = |note: &Tree| {
        let missing = outer
            .iter()
            .filter(|(name, _)| note.attribute(name).is_none());
        let mut note = note.clone();
        note.attributes
            .splice(0..0, missing.cloned().collect::<Vec<_>>());
        note
    };
    let theirs = notes
        .elements()
        .map(with_outer)
        .filter(|note| !is_mark(note));
    let theirs: Vec<Child> = theirs.map(Child::Element).collect();
    if theirs.is_empty() {
        return Ok(xml);
    }
    usual::each_child(&mut document, "metadata", &mut |metadata| {
        metadata.children.extend(theirs.iter().cloned());
    });
    document.document()
}

fn is_mark(note: &Tree) -> bool {
    let prefix = note
        .name
        .split_once(':')
        .map_or("xmlns".to_owned(), |(prefix, _)| format!("xmlns:{prefix}"));
    note.attribute(&prefix) == Some(super::mark::NAMESPACE)
}

#[cfg(test)]
mod tests;
