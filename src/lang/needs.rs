//! What an expression goes on to read of a block that it names as a whole: of `workload.a` in
//! `[for w in workload.a : w.address]` and in `workload.a[*].address` only the addresses. The rest need not
//! be worked out, so instances may read each other's addresses without that being a cycle.

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ForExpr, Traversal, TraversalOperator};
use hcl_edit::visit::{Visit, visit_expr, visit_for_expr, visit_traversal};
use infra_diag::{SourceId, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The attributes that are read, by the place of the root of the name. What is not in here is read whole.
pub(crate) type Needs = BTreeMap<Span, BTreeSet<Arc<str>>>;

pub(crate) fn needs(expr: &Expression, source: SourceId) -> Needs {
    let mut finder = Finder {
        source,
        found: Needs::new(),
    };
    finder.visit_expr(expr);
    finder.found
}

struct Finder {
    source: SourceId,
    found: Needs,
}

impl Finder {
    fn add(&mut self, root: &Expression, attributes: BTreeSet<Arc<str>>) {
        if let (Expression::Variable(_), Some(range)) = (root, root.span()) {
            self.found.insert(Span::new(self.source, range), attributes);
        }
    }
}

impl Visit for Finder {
    fn visit_for_expr(&mut self, node: &ForExpr) {
        if let Expression::Traversal(named) = &node.intro.collection_expr
            && named.operators.iter().all(|operator| !is_splat(operator))
            && let Some(attributes) = read_of(node, node.intro.value_var.as_str())
        {
            self.add(&named.expr, attributes);
        }
        visit_for_expr(self, node);
    }

    fn visit_traversal(&mut self, node: &Traversal) {
        let mut after = node
            .operators
            .iter()
            .skip_while(|operator| !is_splat(operator))
            .skip(1);
        if let Some(TraversalOperator::GetAttr(name)) = after.next().map(|o| o.value()) {
            self.add(&node.expr, BTreeSet::from([name.as_str().into()]));
        }
        visit_traversal(self, node);
    }
}

fn is_splat(operator: &TraversalOperator) -> bool {
    matches!(
        operator,
        TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_)
    )
}

/// The attributes that a `for` reads of its variable; `None` when it uses the variable otherwise.
fn read_of(node: &ForExpr, variable: &str) -> Option<BTreeSet<Arc<str>>> {
    let mut reader = Reader {
        variable,
        attributes: BTreeSet::new(),
        whole: false,
    };
    let condition = node.cond.iter().map(|condition| &condition.expr);
    for part in node
        .key_expr
        .iter()
        .chain([&node.value_expr])
        .chain(condition)
    {
        reader.visit_expr(part);
    }
    (!reader.whole).then_some(reader.attributes)
}

struct Reader<'a> {
    variable: &'a str,
    attributes: BTreeSet<Arc<str>>,
    whole: bool,
}

impl Reader<'_> {
    fn is_it(&self, expr: &Expression) -> bool {
        expr.as_variable()
            .is_some_and(|name| name.as_str() == self.variable)
    }
}

impl Visit for Reader<'_> {
    fn visit_expr(&mut self, node: &Expression) {
        self.whole |= self.is_it(node);
        visit_expr(self, node);
    }

    fn visit_traversal(&mut self, node: &Traversal) {
        match node.operators.first().map(|operator| operator.value()) {
            Some(TraversalOperator::GetAttr(name)) if self.is_it(&node.expr) => {
                self.attributes.insert(name.as_str().into());
                node.operators
                    .iter()
                    .for_each(|operator| self.visit_traversal_operator(operator));
            }
            _ => visit_traversal(self, node),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<String>> {
        let found = needs(&hcl_edit::parser::parse_expr(text).unwrap(), SourceId(0));
        found
            .into_values()
            .next()
            .map(|names| names.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_read_is_found() {
        let some = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect());
        assert_eq!(read("[for w in workload.a : w.x]"), some(&["x"]));
        assert_eq!(
            read("{ for k, w in workload.a : w.id => \"${k}${w.y.z}\" if w.c > 1 }"),
            some(&["c", "id", "y"])
        );
        assert_eq!(
            read("join(\",\", workload.a[*].address)"),
            some(&["address"])
        );
        assert_eq!(read("[for k, w in workload.a : k]"), some(&[]));
        assert_eq!(read("[for w in workload.a : [w]]"), None);
        assert_eq!(read("[for w in workload.a : f(w).x]"), None);
        assert_eq!(read("[for w in workload.a : w[\"x\"]]"), None);
        assert_eq!(read("workload.a[*]"), None);
        assert_eq!(read("workload.a"), None);
    }
}
