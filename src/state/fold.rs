//! What a journal adds up to: the outcome so far, and the objects nobody knows about. Pure; the running
//! apply and the recovery after a crash use the same few lines, so they cannot differ.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Address, Placement, ResourceId};
use infra_plan::{Outcome, Output, Record, StepAction};

use crate::{Begin, Entry, Unfinished};

/// An outcome, being changed entry by entry. Seeing an entry twice is seeing it once, so a journal may be
/// folded again into a state that holds it already.
#[derive(Clone, Debug)]
pub struct Folding {
    outcome: Outcome,
    workloads: BTreeMap<Address, Placement>,
    outputs: BTreeMap<String, Output>,
    tags: BTreeMap<String, String>,
    open: BTreeMap<u32, ResourceId>,
    in_doubt: BTreeSet<ResourceId>,
    /// Of these what a step was begun for that stops it.
    stopping: BTreeSet<ResourceId>,
    /// Addresses of which something was removed.
    removed: BTreeSet<Address>,
    unfinished: Unfinished,
}

impl Folding {
    /// `workloads`, `outputs` and `tags`: as they are planned.
    #[must_use]
    pub fn new(
        prior: Outcome,
        workloads: BTreeMap<Address, Placement>,
        outputs: BTreeMap<String, Output>,
        tags: BTreeMap<String, String>,
    ) -> Self {
        Self {
            outcome: prior,
            workloads,
            outputs,
            tags,
            open: BTreeMap::new(),
            in_doubt: BTreeSet::new(),
            stopping: BTreeSet::new(),
            removed: BTreeSet::new(),
            unfinished: Unfinished::default(),
        }
    }

    /// What a journal adds up to, on the state it began on.
    #[must_use]
    pub fn of(prior: Outcome, begin: &Begin, entries: &[Entry]) -> Self {
        let mut folding = Self::new(
            prior,
            begin.workloads.clone(),
            begin.outputs.clone(),
            begin.tags.clone(),
        );
        folding.in_doubt = begin.in_doubt.iter().cloned().collect();
        folding.stopping = begin.stopping.iter().cloned().collect();
        folding.unfinished = begin.unfinished.clone();
        entries.iter().for_each(|entry| folding.see(entry));
        folding
    }

    pub fn see(&mut self, entry: &Entry) {
        self.unfinished.see(entry);
        match entry {
            Entry::Begin(_) => {}
            Entry::Started {
                step,
                resource,
                action,
                ..
            } => {
                self.open.insert(*step, resource.clone());
                if stops(*action) {
                    self.stopping.insert(resource.clone());
                }
            }
            Entry::Failed {
                step,
                resource,
                left,
                from,
                ..
            } => {
                self.open.remove(step);
                self.stopping.remove(resource);
                self.is_no_more(from.as_ref());
                if let Some(record) = left {
                    self.in_doubt.remove(resource);
                    self.keep(resource, record);
                }
            }
            Entry::Done {
                step,
                resource,
                address,
                kept,
                from,
            } => {
                self.open.remove(step);
                self.stopping.remove(resource);
                self.in_doubt.remove(resource);
                self.is_no_more(from.as_ref());
                self.outcome.tags.clone_from(&self.tags);
                match kept {
                    Some(record) => self.keep(resource, record),
                    None => {
                        self.remove(resource, address);
                        self.place(address);
                    }
                }
            }
            Entry::End { complete: true } => {
                self.outcome.workloads = self.workloads.clone();
                self.outcome.outputs = self.outputs.clone();
                self.outcome.tags.clone_from(&self.tags);
            }
            Entry::End { complete: false } => {}
        }
    }

    /// Outputs are new only when all is done; before, they would speak of what is not there yet.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let mut outcome = self.outcome.clone();
        let left: BTreeSet<&Address> = outcome
            .resources
            .values()
            .map(|record| &record.address)
            .collect();
        let gone = |address: &Address| {
            self.removed.contains(address)
                && !left.contains(address)
                && !self.workloads.contains_key(address)
        };
        outcome.workloads.retain(|address, _| !gone(address));
        outcome
    }

    /// Started, and nobody knows how it ended: the next plan reads these whatever else it reads.
    #[must_use]
    pub fn in_doubt(&self) -> Vec<ResourceId> {
        let all: BTreeSet<&ResourceId> = self.in_doubt.iter().chain(self.open.values()).collect();
        all.into_iter().cloned().collect()
    }

    /// Of these what a daemon was told, or was about to be told, to stop: it may be about to end.
    #[must_use]
    pub fn stopping(&self) -> Vec<ResourceId> {
        self.stopping.iter().cloned().collect()
    }

    /// How far the plan has come, where it has begun and come to no end.
    #[must_use]
    pub fn unfinished(&self) -> Option<Unfinished> {
        self.unfinished.left()
    }

    fn keep(&mut self, resource: &ResourceId, record: &Record) {
        self.outcome
            .resources
            .insert(resource.clone(), record.clone());
        self.outcome.released.remove(resource);
        // What it will stand on over there says nothing of where it runs.
        if runs(resource) || !self.changes_host(&record.address) {
            self.place(&record.address);
        }
    }

    fn changes_host(&self, address: &Address) -> bool {
        let of = |places: &BTreeMap<Address, Placement>| Some(places.get(address)?.host.clone());
        let (now, planned) = (of(&self.outcome.workloads), of(&self.workloads));
        now.is_some() && planned.is_some() && now != planned
    }

    /// It has become another.
    fn is_no_more(&mut self, from: Option<&ResourceId>) {
        if let Some(from) = from {
            self.outcome.resources.remove(from);
            self.in_doubt.remove(from);
        }
    }

    fn remove(&mut self, resource: &ResourceId, address: &Address) {
        self.outcome.resources.remove(resource);
        self.removed.insert(address.clone());
    }

    /// From its first finished step on a workload holds its planned place, also where that step removed
    /// something (a replacement): the place stays claimed for what comes next.
    fn place(&mut self, address: &Address) {
        if let Some(placement) = self.workloads.get(address) {
            self.outcome
                .workloads
                .insert(address.clone(), placement.clone());
        }
    }
}

/// Whether it is what a workload runs as.
fn runs(id: &ResourceId) -> bool {
    matches!(id.kind.as_str(), "container" | "domain" | "unit")
}

fn stops(action: StepAction) -> bool {
    match action {
        StepAction::Restart | StepAction::Replace | StepAction::Delete => true,
        StepAction::Create | StepAction::Prepare | StepAction::Update | StepAction::Migrate => {
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use infra_api::{CpuPolicy, HostName, Project, Runtime};
    use serde_json::json;

    fn id(name: &str) -> ResourceId {
        ResourceId::new(&HostName::new("r1"), "sim", "container", name)
    }

    fn address(name: &str) -> Address {
        Address::new(format!("workload.{name}"))
    }

    fn placement(host: &str) -> Placement {
        Placement {
            runtime: Runtime::Container,
            with: infra_api::Settings::NONE,
            needs: infra_api::Needs::default(),
            host: HostName::new(host),
            policy: CpuPolicy::Shared,
            cells: vec![],
            helpers: BTreeMap::new(),
            devices: vec![],
            addresses: BTreeMap::new(),
            tiers: vec![],
        }
    }

    fn begin(workloads: &[&str]) -> Begin {
        Begin {
            format_version: "1.0".to_owned(),
            project: Project::new("demo"),
            lineage: "l".to_owned(),
            serial: 1,
            workloads: workloads
                .iter()
                .map(|w| (address(w), placement("new")))
                .collect(),
            outputs: [(
                "o".to_owned(),
                Output {
                    value: Some(json!(1)),
                    digest: None,
                },
            )]
            .into(),
            tags: [("r1 a:1".to_owned(), "a@sha256:1".to_owned())].into(),
            in_doubt: vec![id("old")],
            stopping: vec![],
            unfinished: Unfinished::default(),
        }
    }

    fn record(name: &str) -> Record {
        Record {
            address: address(name),
            body: json!({}).into(),
            after: vec![],
            prevent_destroy: false,
            imported: None,
            unready: false,
        }
    }

    fn started(step: u32, name: &str) -> Entry {
        Entry::Started {
            step,
            resource: id(name),
            address: address(name),
            action: StepAction::Create,
            from: None,
        }
    }

    fn made(step: u32, name: &str) -> Entry {
        Entry::Done {
            step,
            resource: id(name),
            address: address(name),
            kept: Some(record(name)),
            from: None,
        }
    }

    fn removed(step: u32, name: &str) -> Entry {
        Entry::Done {
            step,
            resource: id(name),
            address: address(name),
            kept: None,
            from: None,
        }
    }

    fn prior(names: &[&str]) -> Outcome {
        Outcome {
            resources: names.iter().map(|n| (id(n), record(n))).collect(),
            workloads: names
                .iter()
                .map(|n| (address(n), placement("old")))
                .collect(),
            ..Outcome::default()
        }
    }

    fn fold(prior: Outcome, workloads: &[&str], entries: &[Entry]) -> Folding {
        Folding::of(prior, &begin(workloads), entries)
    }

    #[test]
    fn tags_stand_for_what_was_planned_once_something_is_done() {
        let tags = |entries: &[Entry]| fold(prior(&["a"]), &["a"], entries).outcome().tags;
        assert!(tags(&[started(1, "a")]).is_empty());
        let planned = begin(&[]).tags;
        assert_eq!(tags(&[started(1, "a"), made(1, "a")]), planned);
        assert_eq!(tags(&[Entry::End { complete: true }]), planned);
    }

    #[test]
    fn done_counts_started_is_in_doubt_failed_is_neither() {
        let failed = Entry::Failed {
            step: 3,
            resource: id("c"),
            error: "no".to_owned(),
            left: None,
            from: None,
        };
        let entries = [
            started(1, "a"),
            made(1, "a"),
            started(2, "b"),
            started(3, "c"),
            failed,
        ];
        let folding = fold(Outcome::default(), &["a", "b", "c"], &entries);
        let outcome = folding.outcome();
        assert_eq!(outcome.resources.keys().collect::<Vec<_>>(), [&id("a")]);
        assert_eq!(
            outcome.workloads.keys().collect::<Vec<_>>(),
            [&address("a")]
        );
        assert_eq!(folding.in_doubt(), [id("b"), id("old")]);
        assert!(outcome.outputs.is_empty());
    }

    #[test]
    fn what_was_being_stopped_may_be_about_to_end() {
        let stopped = |step, name: &str| Entry::Started {
            step,
            resource: id(name),
            address: address(name),
            action: StepAction::Delete,
            from: None,
        };
        let entries = [
            started(1, "a"),
            stopped(2, "b"),
            stopped(3, "c"),
            removed(3, "c"),
        ];
        let folding = fold(prior(&["b", "c"]), &[], &entries);
        assert_eq!(folding.stopping(), [id("b")]);
    }

    /// What a failed step leaves is known, with what it stands on: a destroy removes it first.
    #[test]
    fn what_a_failed_step_leaves_is_kept() {
        let failed = Entry::Failed {
            step: 1,
            resource: id("a"),
            error: "no".to_owned(),
            left: Some(record("a")),
            from: None,
        };
        let folding = fold(Outcome::default(), &["a"], &[started(1, "a"), failed]);
        let outcome = folding.outcome();
        assert_eq!(outcome.resources, [(id("a"), record("a"))].into());
        assert_eq!(outcome.workloads, [(address("a"), placement("new"))].into());
    }

    #[test]
    fn a_place_is_dropped_with_the_last_object_unless_it_is_still_planned() {
        let gone = fold(
            prior(&["a", "b"]),
            &["b"],
            &[removed(1, "a"), removed(2, "b")],
        )
        .outcome();
        assert!(gone.resources.is_empty());
        assert_eq!(gone.workloads, [(address("b"), placement("new"))].into());
    }

    #[test]
    fn the_end_of_a_complete_apply_brings_outputs_and_places() {
        let entries = [made(1, "a"), Entry::End { complete: true }];
        let outcome = fold(prior(&["z"]), &["a", "other"], &entries).outcome();
        assert_eq!(outcome.outputs.len(), 1);
        assert_eq!(
            outcome.workloads.keys().collect::<Vec<_>>(),
            [&address("a"), &address("other")]
        );
    }

    #[test]
    fn folding_twice_is_folding_once() {
        let entries = [
            started(1, "a"),
            made(1, "a"),
            started(2, "b"),
            removed(2, "b"),
            started(3, "c"),
        ];
        let once = fold(prior(&["b"]), &["a"], &entries);
        let twice = fold(once.outcome(), &["a"], &entries);
        assert_eq!(
            (once.outcome(), once.in_doubt()),
            (twice.outcome(), twice.in_doubt())
        );
    }

    #[test]
    fn who_moves_is_where_he_was_until_he_has_moved() {
        let on = |host: &str, kind: &str| ResourceId::new(&HostName::new(host), "sim", kind, "a");
        let prior = Outcome {
            resources: [(on("old", "domain"), record("a"))].into(),
            workloads: [(address("a"), placement("old"))].into(),
            ..Outcome::default()
        };
        let done = |step, resource: ResourceId, from| Entry::Done {
            step,
            resource,
            address: address("a"),
            kept: Some(record("a")),
            from,
        };
        let mut folding = Folding::of(prior, &begin(&["a"]), &[]);
        let host = |folding: &Folding| folding.outcome().workloads[&address("a")].host.to_string();
        folding.see(&done(1, on("new", "volume"), None));
        assert_eq!(host(&folding), "old", "only what it will stand on is there");
        folding.see(&done(2, on("new", "domain"), Some(on("old", "domain"))));
        assert_eq!(host(&folding), "new");
        let there = folding.outcome().resources;
        assert!(!there.contains_key(&on("old", "domain")), "{there:?}");
    }
}
