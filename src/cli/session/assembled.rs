//! A decision and what was found → the plan.

use std::collections::BTreeMap;

use infra_api::{Address, Observed, ResourceId};
use infra_plan::{Outcome, Plan, Refusal, assemble};
use serde_json::Value;

use super::Session;
use crate::cli::ui::Stop;
use crate::decide::Decision;
use crate::inventory::Inventory;
use crate::select::Selection;
use crate::{lower, migrates, outputs};

/// What tags stand for now; of what is left out as it is recorded.
fn tags(decision: &Decision, prior: &Outcome, selection: &Selection) -> BTreeMap<String, String> {
    let mut tags = match selection.is_everything() {
        true => BTreeMap::new(),
        false => prior.tags.clone(),
    };
    tags.extend(decision.tags.clone());
    tags
}

impl Session {
    /// The decision, but for what it wants of daemons, which goes into the plan.
    pub(super) fn assembled(
        &self,
        decision: &mut Decision,
        (observed, imported): (
            &BTreeMap<ResourceId, Observed>,
            &BTreeMap<ResourceId, String>,
        ),
        (prior, inventory): (&Outcome, &Inventory),
        selection: &Selection,
    ) -> Result<Plan, Stop> {
        let replace = decision.made_anew(
            self.project(),
            (&self.configuration.declared.names, &prior.made_as),
            &self.options.replace,
        );
        let desired = std::mem::take(&mut decision.desired);
        let placements = &decision.placed.placements;
        let wanted = desired.iter().map(|d| &d.resource.id).collect();
        let mut left = selection.kept(prior, &wanted);
        left.extend(selection.strangers(observed, prior));
        let mut workloads = self.left_places(selection);
        workloads.extend(placements.clone());
        let impact = |id: &ResourceId, edit: &infra_api::Edit<'_>| {
            let provider = self.provider(id);
            provider.map_or(infra_api::Impact::Replace, |p| p.impact_of(&id.kind, edit))
        };
        let claims = |id: &ResourceId, address: &Address, body: &Value, wanted: bool| {
            let of = if wanted { placements } else { &prior.workloads };
            lower::claims(id, body, of.get(address))
        };
        let swaps = |id: &ResourceId| self.provider(id).is_some_and(|p| p.swaps(&id.kind));
        let prepared = |id: &ResourceId, before: &Value, after: &Value| {
            self.provider(id)?.prepared(&id.kind, before, after)
        };
        let migrates = |from: (&ResourceId, &Value), to: (&ResourceId, &Value)| {
            migrates::migrates(self.provider(to.0), inventory, from, to)
        };
        let inputs = infra_plan::Inputs {
            project: self.project(),
            basis: self.loaded.basis(),
            state: prior,
            secrets: lower::secrets(&desired),
            desired,
            observed,
            depends_on: &decision.depends_on,
            rolling: &decision.rolling,
            impact: &impact,
            claims: &claims,
            replace: &replace,
            swaps: &swaps,
            prepared: &prepared,
            migrates: &migrates,
            result: Outcome {
                resources: BTreeMap::new(),
                workloads,
                outputs: self.outputs_of(selection)?,
                made_as: prior.made_as.clone(),
                released: prior.released.clone(),
                tags: tags(decision, prior, selection),
            },
            destroy: self.options.destroy,
            left: &left,
            imported,
            in_doubt: &self.loaded.in_doubt.iter().cloned().collect(),
        };
        let plan = assemble(inputs).map_err(|refusals| self.refused(&refusals))?;
        self.told(plan, selection, prior)
    }

    /// With what only the session knows.
    fn told(&self, mut plan: Plan, selection: &Selection, prior: &Outcome) -> Result<Plan, Stop> {
        if self.options.facts.is_none() {
            plan.daemons = self.daemons();
        }
        plan.settle_names();
        plan.moved = self.moved.addresses.clone();
        plan.let_go = &self.moved.let_go & &plan.result.released;
        plan.left_out = self.left_out(selection, prior);
        plan.unreachable = self.left_unreachable(selection, prior);
        self.strays(&plan)?;
        Ok(plan)
    }

    /// Outputs as the state keeps them.
    ///
    /// # Errors
    /// When one is sensitive and the key cannot be had: it may be the first secret there is.
    pub fn outputs(&self) -> Result<BTreeMap<String, infra_plan::Output>, Stop> {
        outputs::of(&self.configuration, &mut |text| self.digest(text))
    }

    fn digest(&self, text: &str) -> Result<String, Stop> {
        Ok(self.store.key()?.digest(text))
    }

    fn refused(&self, refusals: &[Refusal]) -> Stop {
        let diagnostics = crate::refusals::diagnostics(refusals, &self.configuration.evaluation);
        Stop::Diagnostics(
            diagnostics.sorted(),
            Box::new(self.configuration.sources.clone()),
        )
    }
}
