//! `infra state rm|mv|pull|push|unlock`: the state changed by hand. Nothing outside is told.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use infra_api::{Address, ResourceId};
use infra_lang::Moves;
use infra_state::{Loaded, Lock, Store};

use crate::cli::arguments::{Global, Locking, Values};
use crate::cli::commands::apply::lock;
use crate::cli::session::{paths, read};
use crate::cli::ui::{Exit, Stop, Ui};
use crate::declared::SCHEMA;
use crate::moved;
use crate::select::Pattern;
use crate::world::Folder;

/// The state, under its lock.
fn locked(
    global: &Global,
    locking: &Locking,
    command: &str,
    ui: Ui,
) -> Result<(Store, Lock, Loaded), Stop> {
    let options = global.options(&Values::default());
    let lock = lock(&options, locking, command, ui)?;
    let project = read(&Folder::new(&options.directory))?.project();
    let store = Store::open(paths(&options));
    let loaded = store.load(&project)?;
    Ok((store, lock, loaded))
}

/// Forgets them; they stay, with their marks.
pub(super) fn rm(
    global: &Global,
    words: &[String],
    locking: &Locking,
    ui: Ui,
) -> Result<Exit, Stop> {
    let (store, lock, loaded) = locked(global, locking, "state rm", ui)?;
    let mut outcome = loaded.outcome().clone();
    let records = outcome.resources.values().map(|r| r.address.clone());
    let known: BTreeSet<Address> = records.chain(outcome.workloads.keys().cloned()).collect();
    let mut named = BTreeSet::new();
    for word in words {
        let pattern = Pattern::new(word);
        let matched: Vec<&Address> = known.iter().filter(|a| pattern.matches(a)).collect();
        if matched.is_empty() {
            return Err(unknown(&format!("forgetting `{word}`"), word, &known));
        }
        named.extend(matched);
    }
    let mut gone: BTreeSet<ResourceId> = BTreeSet::new();
    for address in named {
        moved::let_go(&mut outcome, address, &mut gone);
    }
    let left: BTreeSet<Address> = outcome
        .resources
        .values()
        .map(|r| r.address.clone())
        .collect();
    outcome.made_as.retain(|address| left.contains(address));
    store.amend(&lock, &loaded, outcome)?;
    for id in &gone {
        ui.result(&format!("Forgotten: {id}\n"));
    }
    ui.say(
        "They stay as they are, with their marks: what is still declared is taken back by the next plan, and `infra \
         state rebuild` finds all of them again. `removed { from = …  lifecycle { destroy = false } }` leaves them for \
         good.\n",
    );
    Ok(Exit::Done)
}

fn unknown(doing: &str, word: &str, known: &BTreeSet<Address>) -> Stop {
    let stop = Stop::error(doing, "the state knows nothing of it");
    let near = infra_lang::suggest(word, known.iter().map(Address::as_str), "it knows");
    stop.hint(near.unwrap_or_else(|| "`infra state list` shows what it knows".to_owned()))
}

/// As a `moved` block would, without one.
pub(super) fn mv(
    global: &Global,
    (from, to): (&str, &str),
    locking: &Locking,
    ui: Ui,
) -> Result<Exit, Stop> {
    let doing = format!("moving `{from}` to `{to}`");
    let moves = Moves::between(from, to, SCHEMA).map_err(|why| Stop::error(&doing, why))?;
    let (store, lock, loaded) = locked(global, locking, "state mv", ui)?;
    let before = loaded.outcome();
    let (outcome, done) = moved::obey(before.clone(), &moves);
    if let Some((_, taken)) = done.taken.first() {
        let cause = format!("there are objects of `{taken}` already");
        return Err(Stop::error(doing, cause).hint("move or remove those first"));
    }
    if done.addresses.is_empty() {
        let known = before.resources.values().map(|r| r.address.clone());
        return Err(unknown(&doing, from, &known.collect()));
    }
    store.amend(&lock, &loaded, outcome)?;
    for (now, was) in &done.addresses {
        ui.result(&format!("Moved: {was} is {now} now\n"));
    }
    ui.say(&format!(
        "The objects keep their names and marks. Write `moved {{ from = {from}  to = {to} }}` as well: without it `infra \
         state rebuild` finds them under the address they had.\n"
    ));
    Ok(Exit::Done)
}

pub(super) fn pull(global: &Global, ui: Ui) -> Result<Exit, Stop> {
    let options = global.options(&Values::default());
    let project = read(&Folder::new(&options.directory))?.project();
    let loaded = Store::open(paths(&options)).load(&project)?;
    let Some(state) = loaded.state else {
        return Err(Stop::error(
            "pulling the state",
            "nothing was ever applied here",
        ));
    };
    ui.result(&String::from_utf8_lossy(&state.to_bytes()?));
    Ok(Exit::Done)
}

pub(super) fn push(
    global: &Global,
    file: &Path,
    force: bool,
    locking: &Locking,
    ui: Ui,
) -> Result<Exit, Stop> {
    let doing = format!("reading {}", file.display());
    let bytes = content(file).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Stop::error(doing, "there is no such file"),
        _ => Stop::error(doing, e),
    })?;
    let options = global.options(&Values::default());
    let lock = lock(&options, locking, "state push", ui)?;
    let project = read(&Folder::new(&options.directory))?.project();
    let state = Store::open(paths(&options)).push(&lock, &project, &bytes, force)?;
    ui.result(&format!(
        "State pushed: serial {}, {} objects.\n",
        state.serial,
        state.outcome.resources.len()
    ));
    Ok(Exit::Done)
}

fn content(file: &Path) -> std::io::Result<Vec<u8>> {
    if file != Path::new("-") {
        return std::fs::read(file);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn unlock(global: &Global, id: &str, ui: Ui) -> Result<Exit, Stop> {
    let store = Store::open(paths(&global.options(&Values::default())));
    let holder = store.unlock(id)?;
    ui.result(&format!(
        "Unlocked: it was held by {}.\n",
        holder.describe()
    ));
    Ok(Exit::Done)
}
