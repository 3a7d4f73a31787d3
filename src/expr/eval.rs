//! Expressions → values. Every kind of expression is a method of [`Evaluator`]; the larger ones have a file
//! of their own under `eval/`.

mod call;
mod collections;
mod operators;
mod template;
mod traversal;

use crate::value::MAX_DEPTH;
use crate::{Empty, Number, Scope, Value};
use hcl_edit::expr::Expression;
use hcl_edit::template::Template;
use infra_diag::{Diagnostic, Diagnostics, SourceId, Span};
use std::sync::Arc;
use template::Layout;

/// Expressions nested deeper than this are refused. The parser's own limits are below it; trees that
/// were put together by other means meet this one.
const MAX_NESTING: usize = 200;

/// The summary of errors about names that do not exist. They are never caught, by `try` or in a branch that
/// is not taken, because no input will ever make them right; a scope that says so of what it does know
/// partly, such as a variable that is not declared, should use it too.
pub const UNKNOWN_NAME: &str = "Unknown name";

/// Evaluates an expression in a scope.
///
/// # Errors
/// All that is wrong with it, as far as that can be told.
pub fn evaluate(
    expr: &Expression,
    source: SourceId,
    scope: &dyn Scope,
) -> Result<Value, Diagnostics> {
    Evaluator::run(source, scope, |evaluator| evaluator.eval(expr))
}

/// Evaluates a template that is a whole text; the result is a string unless it is one interpolation.
///
/// # Errors
/// All that is wrong with it, as far as that can be told.
pub fn evaluate_template(
    template: &Template,
    source: SourceId,
    scope: &dyn Scope,
) -> Result<Value, Diagnostics> {
    Evaluator::run(source, scope, |evaluator| {
        evaluator.template(template, Layout::Lines { indent: 0 })
    })
}

/// Evaluates an expression that may use no names.
///
/// # Errors
/// All that is wrong with it.
pub fn constant(expr: &Expression, source: SourceId) -> Result<Value, Diagnostics> {
    evaluate(expr, source, &Empty)
}

/// The place of an expression.
pub(crate) fn span_of(node: &impl hcl_edit::Span, source: SourceId) -> Span {
    Span::new(source, node.span().unwrap_or(0..0))
}

/// A value, or nothing when what is wrong has been noted.
pub(crate) type Evaluated = Option<Value>;

/// What is needed on the way through one expression.
pub(crate) struct Evaluator<'a> {
    pub(crate) scope: &'a dyn Scope,
    source: SourceId,
    /// The variables of the `for` expressions around, innermost last.
    bound: Vec<(Arc<str>, Value)>,
    errors: Diagnostics,
    nesting: usize,
}

impl<'a> Evaluator<'a> {
    fn run(
        source: SourceId,
        scope: &'a dyn Scope,
        f: impl FnOnce(&mut Self) -> Evaluated,
    ) -> Result<Value, Diagnostics> {
        let mut evaluator = Self {
            scope,
            source,
            bound: Vec::new(),
            errors: Diagnostics::new(),
            nesting: 0,
        };
        match f(&mut evaluator) {
            Some(value) if !evaluator.errors.has_errors() => Ok(value),
            _ => Err(evaluator.errors),
        }
    }

    pub(crate) fn eval(&mut self, expr: &Expression) -> Evaluated {
        if self.nesting >= MAX_NESTING {
            return self.error(
                expr,
                "nested too deeply",
                "this is the innermost that can be evaluated",
            );
        }
        self.nesting += 1;
        let value = self.eval_inner(expr);
        self.nesting -= 1;
        match value {
            Some(value) if value.depth() > MAX_DEPTH => self.error(
                expr,
                "nested too deeply",
                format!("more than {MAX_DEPTH} collections inside one another"),
            ),
            value => value,
        }
    }

    fn eval_inner(&mut self, expr: &Expression) -> Evaluated {
        match expr {
            Expression::Null(_) => Some(Value::null()),
            Expression::Bool(b) => Some(Value::bool(*b.value())),
            Expression::Number(n) => self.number(
                expr,
                n.as_repr().map_or_else(|| n.to_string(), |r| r.to_string()),
            ),
            Expression::String(s) => Some(Value::string(s.as_str())),
            Expression::Array(array) => self.array(array),
            Expression::Object(object) => self.object(object),
            Expression::StringTemplate(template) => self.template(template, Layout::Quoted),
            Expression::HeredocTemplate(heredoc) => self.heredoc(heredoc),
            Expression::Parenthesis(inner) => self.eval(inner.inner()),
            Expression::Variable(name) => self.variable(name.as_str(), self.span(expr), Vec::new()),
            Expression::Conditional(conditional) => self.conditional(conditional),
            Expression::FuncCall(call) => self.call(call, self.span(expr)),
            Expression::Traversal(traversal) => self.traversal(traversal),
            Expression::UnaryOp(op) => self.unary(op),
            Expression::BinaryOp(op) => self.binary(op),
            Expression::ForExpr(for_expr) => self.for_expr(for_expr),
        }
    }

    fn number(&mut self, expr: &Expression, repr: String) -> Evaluated {
        let text: String = repr.chars().filter(|c| !c.is_whitespace()).collect();
        match Number::parse(&text) {
            Some(number) => Some(Value::number(number)),
            None => self.error(expr, "invalid number", "this number is out of range"),
        }
    }

    pub(crate) fn span(&self, node: &impl hcl_edit::Span) -> Span {
        span_of(node, self.source)
    }

    /// Notes an error at a node.
    fn error<T>(
        &mut self,
        node: &impl hcl_edit::Span,
        summary: &str,
        label: impl Into<String>,
    ) -> Option<T> {
        self.report(Diagnostic::error(summary).at(self.span(node), label))
    }

    pub(crate) fn report<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.errors.push(diagnostic);
        None
    }

    /// Does something whose errors do not count unless the caller says so; but names that do not exist
    /// always do, because no input will ever make them right.
    pub(crate) fn attempt<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> (T, Diagnostics) {
        let before = std::mem::take(&mut self.errors);
        let result = f(self);
        let mut caught = Diagnostics::new();
        for error in std::mem::replace(&mut self.errors, before) {
            if error.summary == UNKNOWN_NAME {
                self.errors.push(error)
            } else {
                caught.push(error)
            }
        }
        (result, caught)
    }
}
