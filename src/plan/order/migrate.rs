//! What a move that was cut off leaves on two hosts: never do both run.

use super::{Because, Graph};
use crate::StepAction;

impl Graph<'_> {
    /// Where the one that stands still is to run again, the other is removed first.
    pub(super) fn left_by_moves(&mut self) {
        let changes = self.drafts.iter().enumerate().filter(|(_, draft)| {
            matches!(draft.action, StepAction::Update | StepAction::Restart)
                && draft.id.kind == "domain"
        });
        let mut edges = Vec::new();
        for (n, draft) in changes {
            let other = self.removes.iter().filter(|(id, _)| {
                (&id.provider, &id.kind, &id.name)
                    == (&draft.id.provider, &draft.id.kind, &draft.id.name)
            });
            edges.extend(other.map(|(_, removed)| (*removed, n)));
        }
        for (removed, n) in edges {
            self.edge(removed, n, Because::Order);
        }
    }
}
