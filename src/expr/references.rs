//! Which names an expression speaks of, without evaluating it.

use crate::Step;
use hcl_edit::expr::Expression;
use infra_diag::{SourceId, Span};
use std::sync::Arc;

/// A name from the scope, and the steps after it as far as they are static.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub root: Arc<str>,
    pub steps: Vec<Step>,
    /// From the root to the last of the steps.
    pub span: Span,
}

/// Every reference in the order of the text; names that a `for` binds are none.
#[must_use]
pub fn references(_expr: &Expression, _source: SourceId) -> Vec<Reference> {
    Vec::new()
}
