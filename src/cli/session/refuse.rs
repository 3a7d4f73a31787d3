//! What stands against a plan beside the rules of `check`: it needs the state, or the command line.

use std::collections::BTreeSet;

use infra_api::Address;
use infra_diag::Diagnostic;
use infra_plan::Plan;

use super::Session;
use crate::check;
use crate::cli::ui::{Refused, Stop, Ui};
use crate::decide::Decision;
use crate::inventory::Inventory;
use crate::world::ImageFiles;

impl Session {
    /// What no finished plan may do, all of it said at once.
    pub(super) fn rules(
        &self,
        plan: &Plan,
        inventory: &Inventory,
        files: &ImageFiles,
        ui: Ui,
    ) -> Result<(), Stop> {
        let evaluation = &self.configuration.evaluation;
        let (declared, asked) = (&self.configuration.declared, &self.options.replace);
        let mut found = check::left(plan, evaluation);
        found.extend(check::space(plan, inventory, files));
        found.extend(check::shrink(plan, evaluation));
        found.extend(check::anew(plan, evaluation, declared, asked));
        let prior = &self.prior().workloads;
        found.extend(check::rechosen(plan, prior, evaluation, declared, asked));
        found.extend(check::imported(plan, self.prior(), evaluation));
        found.extend(check::written(plan, evaluation));
        found.extend(check::logical(plan, inventory, evaluation));
        self.must(found, ui)
    }

    /// A pool is where its volumes are: somewhere else it would be an empty one.
    pub(super) fn pools_stay(&self, decision: &Decision) -> Option<Diagnostic> {
        let prior = self.prior();
        let moved = decision
            .desired
            .iter()
            .filter(|d| d.resource.id.kind == "pool")
            .find_map(|d| {
                let recorded = &prior.resources.get(&d.resource.id)?.body["path"];
                let moved = *recorded != d.resource.body["path"];
                moved.then(|| (&d.resource.address, recorded.to_string()))
            })?;
        let (address, was) = moved;
        let error =
            Diagnostic::error("Pool moved").hint("write the old path again, or destroy first");
        let instance = address.as_str().parse().ok();
        let instance = instance.and_then(|a| self.configuration.evaluation.instance(&a));
        if let Some(pool) = instance.filter(|instance| instance.kind == "pool") {
            let text = format!("its volumes are in {was}; elsewhere they would all be made anew");
            return Some(error.at(pool.origin, text));
        }
        let error = error.note(format!(
            "the project's volumes are in {was}; another `pool_path` would make them all anew"
        ));
        let origin = self
            .configuration
            .declared
            .hosts
            .values()
            .find_map(|host| host.origin);
        Some(match origin {
            Some(origin) => error.at(origin, "`pool_path` is written here"),
            None => error,
        })
    }

    pub(super) fn without_a_place(self, decision: Decision, inventory: Inventory, ui: Ui) -> Stop {
        self.tell_unreachable(ui);
        Stop::Refused(Box::new(Refused {
            diagnostics: decision.diagnostics.clone().sorted(),
            prior: self.prior().clone(),
            project: self.project().clone(),
            sources: self.configuration.sources,
            decision,
            inventory,
        }))
    }

    /// What is to be made anew is made at all.
    pub(super) fn replaceable(&self, decision: &Decision) -> Result<(), Stop> {
        let made: BTreeSet<&Address> = decision
            .desired
            .iter()
            .map(|d| &d.resource.address)
            .collect();
        let Some(unknown) = self.options.replace.iter().find(|a| !made.contains(a)) else {
            return Ok(());
        };
        let made: Vec<&str> = made.into_iter().map(Address::as_str).collect();
        let doing = format!("planning with `--replace {unknown}`");
        Err(Stop::error(doing, "nothing is made at this address")
            .hint(format!("there are: {}", made.join(", "))))
    }

    /// What runs as something is declared as a workload.
    pub(super) fn rechoosable(&self) -> Result<(), Stop> {
        let workloads = &self.configuration.declared.workloads;
        let is = |address: &&Address| workloads.iter().any(|w| w.address == **address);
        let Some(unknown) = self.options.rechoose.iter().find(|a| !is(a)) else {
            return Ok(());
        };
        let known: Vec<&str> = workloads.iter().map(|w| w.address.as_str()).collect();
        let doing = format!("planning with `--rechoose {unknown}`");
        Err(Stop::error(doing, "no workload is declared there")
            .hint(format!("there are: {}", known.join(", "))))
    }

    /// Without a state, what carries the project's mark and is declared nowhere may well be another folder's: two
    /// folders of one name are one project.
    pub(super) fn strays(&self, plan: &Plan) -> Result<(), Stop> {
        let stray = |step: &&infra_plan::Step| step.reason == infra_plan::Reason::Stray;
        let strays: Vec<String> = plan
            .steps
            .iter()
            .filter(stray)
            .map(|s| s.resource.to_string())
            .collect();
        self.whose(&strays)
    }

    /// Without a state nobody can tell whose these objects of the project are.
    pub(super) fn whose(&self, strays: &[String]) -> Result<(), Stop> {
        if strays.is_empty() || self.loaded.state.is_some() {
            return Ok(());
        }
        let cause = format!(
            "there is no state here, and objects of project `{}` exist that are declared nowhere: {}",
            self.project(),
            strays.join(", ")
        );
        Err(Stop::error("planning", cause).hint(
            "if they are this configuration's, run `infra state rebuild`; else give it another `project`",
        ))
    }
}
