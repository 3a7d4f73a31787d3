//! Which names an expression speaks of, without evaluating it.

use crate::eval::span_of;
use crate::{Step, Value, constant};
use hcl_edit::expr::{Expression, ForExpr, ObjectKey, Traversal, TraversalOperator};
use hcl_edit::template::{Directive, Element, Template};
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
pub fn references(expr: &Expression, source: SourceId) -> Vec<Reference> {
    let mut walker = Walker {
        source,
        bound: Vec::new(),
        found: Vec::new(),
    };
    walker.expr(expr);
    walker.found
}

struct Walker {
    source: SourceId,
    bound: Vec<String>,
    found: Vec<Reference>,
}

impl Walker {
    fn expr(&mut self, expr: &Expression) {
        match expr {
            Expression::Null(_)
            | Expression::Bool(_)
            | Expression::Number(_)
            | Expression::String(_) => {}
            Expression::Variable(name) => {
                self.name(name.as_str(), Vec::new(), span_of(expr, self.source))
            }
            Expression::Array(items) => items.iter().for_each(|item| self.expr(item)),
            Expression::Object(object) => {
                for (key, value) in object {
                    match key {
                        ObjectKey::Ident(_) | ObjectKey::Expression(Expression::Variable(_)) => {}
                        ObjectKey::Expression(key) => self.expr(key),
                    }
                    self.expr(value.expr());
                }
            }
            Expression::StringTemplate(template) => self.template(template),
            Expression::HeredocTemplate(heredoc) => self.template(&heredoc.template),
            Expression::Parenthesis(inner) => self.expr(inner.inner()),
            Expression::Conditional(node) => {
                [&node.cond_expr, &node.true_expr, &node.false_expr]
                    .into_iter()
                    .for_each(|e| self.expr(e));
            }
            Expression::FuncCall(call) => call.args.iter().for_each(|arg| self.expr(arg)),
            Expression::Traversal(node) => self.traversal(node),
            Expression::UnaryOp(op) => self.expr(&op.expr),
            Expression::BinaryOp(op) => [&op.lhs_expr, &op.rhs_expr]
                .into_iter()
                .for_each(|e| self.expr(e)),
            Expression::ForExpr(node) => self.for_expr(node),
        }
    }

    fn name(&mut self, name: &str, steps: Vec<Step>, span: Span) {
        if !self.bound.iter().any(|bound| bound == name) {
            let end = steps
                .last()
                .map_or(span.end, |step| step.span().end.max(span.end));
            self.found.push(Reference {
                root: name.into(),
                steps,
                span: Span { end, ..span },
            });
        }
    }

    fn traversal(&mut self, node: &Traversal) {
        match &node.expr {
            Expression::Variable(name) => {
                let steps = node
                    .operators
                    .iter()
                    .map_while(|op| self.step(op.value(), span_of(op, self.source)));
                let steps: Vec<Step> = steps.collect();
                self.name(name.as_str(), steps, span_of(&node.expr, self.source));
            }
            other => self.expr(other),
        }
        for op in &node.operators {
            if let TraversalOperator::Index(index) = op.value() {
                self.expr(index);
            }
        }
    }

    fn step(&self, op: &TraversalOperator, span: Span) -> Option<Step> {
        match op {
            TraversalOperator::GetAttr(name) => {
                Some(Step::Attr(name.as_str().into(), span_of(name, self.source)))
            }
            TraversalOperator::LegacyIndex(index) => {
                Some(Step::Index(Value::number(*index.value()), span))
            }
            TraversalOperator::Index(expr @ (Expression::Number(_) | Expression::String(_))) => {
                let value = constant(expr, self.source).ok()?;
                Some(Step::Index(value, span_of(expr, self.source)))
            }
            _ => None,
        }
    }

    fn for_expr(&mut self, node: &ForExpr) {
        self.expr(&node.intro.collection_expr);
        let names = [node.intro.key_var.as_ref(), Some(&node.intro.value_var)];
        self.within(
            names
                .into_iter()
                .flatten()
                .map(|name| name.as_str().to_owned()),
            |walker| {
                node.key_expr.iter().for_each(|key| walker.expr(key));
                walker.expr(&node.value_expr);
                node.cond.iter().for_each(|cond| walker.expr(&cond.expr));
            },
        );
    }

    fn within(&mut self, names: impl IntoIterator<Item = String>, f: impl FnOnce(&mut Self)) {
        let outer = self.bound.len();
        self.bound.extend(names);
        f(self);
        self.bound.truncate(outer);
    }

    fn template(&mut self, template: &Template) {
        for element in template {
            match element {
                Element::Literal(_) => {}
                Element::Interpolation(node) => self.expr(&node.expr),
                Element::Directive(directive) => self.directive(directive),
            }
        }
    }

    fn directive(&mut self, directive: &Directive) {
        match directive {
            Directive::If(node) => {
                self.expr(&node.if_expr.cond_expr);
                self.template(&node.if_expr.template);
                node.else_expr
                    .iter()
                    .for_each(|branch| self.template(&branch.template));
            }
            Directive::For(node) => {
                self.expr(&node.for_expr.collection_expr);
                let names = [
                    node.for_expr.key_var.as_ref(),
                    Some(&node.for_expr.value_var),
                ];
                self.within(
                    names
                        .into_iter()
                        .flatten()
                        .map(|name| name.as_str().to_owned()),
                    |walker| {
                        walker.template(&node.for_expr.template);
                    },
                );
            }
        }
    }
}
