//! Attributes of the language's own blocks that must be known without evaluating anything else.

use crate::syntax::{Expr, Field};
use infra_diag::{Diagnostic, Diagnostics};
use infra_expr::{Type, Value, constant, convert};

/// The value of an expression that may use no names.
pub(crate) fn value(expr: &Expr, found: &mut Diagnostics) -> Option<Value> {
    constant(&expr.node, expr.source())
        .map_err(|errors| found.extend(errors))
        .ok()
}

fn typed(field: Field, ty: &Type, found: &mut Diagnostics) -> Option<Value> {
    let value = value(&field.value, found)?;
    let fits = convert(&value, ty).ok().filter(|v| !v.is_null());
    if fits.is_none() {
        let text = format!("`{}` must be a literal {ty}", field.name.value);
        let hint = format!("write a {ty} as it is, without names or functions in it");
        found.push(
            Diagnostic::error("Wrong type")
                .at(field.value.span, text)
                .hint(hint),
        );
    }
    fits
}

pub(crate) fn bool(field: Option<Field>, default: bool, found: &mut Diagnostics) -> bool {
    let value = field.and_then(|field| typed(field, &Type::Bool, found));
    value.and_then(|value| value.as_bool()).unwrap_or(default)
}

pub(crate) fn string(field: Option<Field>, found: &mut Diagnostics) -> Option<String> {
    let value = typed(field?, &Type::String, found)?;
    value.as_str().map(str::to_owned)
}
