//! Expressions → values.

use crate::{Empty, Scope, Value};
use hcl_edit::expr::Expression;
use hcl_edit::template::Template;
use infra_diag::{Diagnostics, SourceId};

/// Evaluates an expression in a scope.
///
/// # Errors
/// All that is wrong with it, as far as that can be told.
pub fn evaluate(
    _expr: &Expression,
    _source: SourceId,
    _scope: &dyn Scope,
) -> Result<Value, Diagnostics> {
    Ok(Value::null())
}

/// Evaluates a template that is a whole text; the result is a string unless it is one interpolation.
///
/// # Errors
/// All that is wrong with it, as far as that can be told.
pub fn evaluate_template(
    _template: &Template,
    _source: SourceId,
    _scope: &dyn Scope,
) -> Result<Value, Diagnostics> {
    Ok(Value::null())
}

/// Evaluates an expression that may use no names.
///
/// # Errors
/// All that is wrong with it.
pub fn constant(expr: &Expression, source: SourceId) -> Result<Value, Diagnostics> {
    evaluate(expr, source, &Empty)
}
