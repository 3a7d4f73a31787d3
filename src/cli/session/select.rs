//! What a plan leaves out, and what that leaves for the rest.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Address, Placement, Threads};
use infra_plan::Outcome;

use super::Session;
use crate::cli::ui::Stop;
use crate::decide::Decision;
use crate::inventory::Inventory;
use crate::placing::Held;
use crate::select::{Ground, NamesNothing, Selection, select};
use crate::world::ImageFiles;

impl Session {
    /// What is asked for, of what is declared and what is recorded.
    ///
    /// # Errors
    /// Every word that names nothing.
    pub(super) fn selection(
        &self,
        inventory: &Inventory,
        state: &Outcome,
    ) -> Result<Selection, Stop> {
        let asked = &self.options.asked;
        let away = self.away();
        if asked.is_everything() && away.is_empty() {
            return Ok(Selection::default());
        }
        let declared = &self.configuration.declared;
        let by_hosts = asked.names_hosts(&declared.hosts.keys().collect());
        let decided = if by_hosts && !self.options.destroy {
            self.roughly(inventory).placed.placements
        } else {
            BTreeMap::new()
        };
        let ground = Ground {
            evaluation: &self.configuration.evaluation,
            declared,
            state,
            decided: &decided,
            destroy: self.options.destroy,
            away: &away,
        };
        select(asked, &ground)
            .map_err(|words| Stop::Several(words.into_iter().map(nothing).collect()))
    }

    /// Where everything would run if all were planned. Nothing is read for it: places follow from no file.
    fn roughly(&self, inventory: &Inventory) -> Decision {
        let declared = &self.configuration.declared;
        self.decision(
            declared,
            inventory,
            &[],
            &ImageFiles::new(),
            &BTreeMap::new(),
        )
    }

    /// What workloads have that are left out.
    pub(super) fn held(&self, selection: &Selection) -> Vec<Held> {
        let workloads = self.configuration.declared.workloads.iter();
        let threads: BTreeMap<&Address, Threads> =
            workloads.map(|w| (&w.address, w.cpus.threads)).collect();
        let held = |(address, placement): (Address, Placement)| {
            let threads = threads.get(&address).copied().unwrap_or_default();
            Held::new(&address, placement, threads)
        };
        self.left_places(selection).into_iter().map(held).collect()
    }

    /// Where those run that are left out.
    pub(super) fn left_places(&self, selection: &Selection) -> BTreeMap<Address, Placement> {
        let places = self.prior().workloads.iter();
        let left = |(address, _): &(&Address, &Placement)| {
            !selection.is_everything() && selection.leaves_out(address)
        };
        let left = places.filter(left);
        left.map(|(address, place)| (address.clone(), place.clone()))
            .collect()
    }

    /// Outputs of what is planned are new, those of what is left out stay as they are recorded.
    ///
    /// # Errors
    /// When a digest cannot be made.
    pub(super) fn outputs_of(
        &self,
        selection: &Selection,
    ) -> Result<BTreeMap<String, infra_plan::Output>, Stop> {
        let destroy = self.options.destroy;
        let mut outputs = if destroy {
            BTreeMap::new()
        } else {
            self.outputs()?
        };
        if selection.is_everything() {
            return Ok(outputs);
        }
        let recorded = &self.prior().outputs;
        for (name, output) in &self.configuration.evaluation.outputs {
            let mut of = output.references.iter();
            let left = |a: &infra_lang::Address| selection.leaves_out(&Address::new(a.to_string()));
            let stays = if destroy { of.all(left) } else { of.any(left) };
            if stays {
                outputs.remove(&**name);
                let was = recorded.get(&**name);
                outputs.extend(was.map(|was| (name.to_string(), was.clone())));
            }
        }
        Ok(outputs)
    }

    /// What a plan says it leaves out: hosts only where something of theirs is recorded.
    pub(super) fn left_out(&self, selection: &Selection, state: &Outcome) -> BTreeSet<Address> {
        let recorded: BTreeSet<&Address> = state.resources.values().map(|r| &r.address).collect();
        let is_host = |address: &Address| {
            let parsed = address.as_str().parse::<infra_lang::Address>();
            parsed.is_ok_and(|a| &*a.kind == "host")
        };
        let left = selection.left().iter();
        left.filter(|a| recorded.contains(a) || !is_host(a))
            .cloned()
            .collect()
    }
}

fn nothing(words: NamesNothing) -> Stop {
    let NamesNothing { option, word, hint } = words;
    let stop = Stop::error(
        format!("planning with `{option} {word}`"),
        "nothing is declared or recorded there",
    );
    match hint {
        Some(hint) => stop.hint(hint),
        None => {
            stop.hint("`infra state list` shows what is recorded, `infra graph` what is declared")
        }
    }
}
