//! Functions of types and marks, and those that catch what goes wrong.

use super::{Fault, Outcome};
use crate::eval::{Evaluated, Evaluator};
use crate::{Type, Value, convert, show};
use hcl_edit::expr::FuncCall;
use infra_diag::{Diagnostic, Diagnostics, Span};

fn to(args: &[Value], ty: &Type) -> Outcome {
    convert(&args[0], ty).map_err(|e| Fault::at(0, e.to_string()))
}

pub(super) fn tobool(args: &[Value]) -> Outcome {
    to(args, &Type::Bool)
}

pub(super) fn tonumber(args: &[Value]) -> Outcome {
    to(args, &Type::Number)
}

pub(super) fn tostring(args: &[Value]) -> Outcome {
    to(args, &Type::String)
}

pub(super) fn tolist(args: &[Value]) -> Outcome {
    to(args, &Type::list(Type::Any))
}

pub(super) fn toset(args: &[Value]) -> Outcome {
    to(args, &Type::set(Type::Any))
}

pub(super) fn tomap(args: &[Value]) -> Outcome {
    to(args, &Type::map(Type::Any))
}

pub(super) fn sensitive(args: &[Value]) -> Outcome {
    Ok(args[0].clone().with_sensitive(true))
}

pub(super) fn nonsensitive(args: &[Value]) -> Outcome {
    Ok(args[0].clone().without_mark())
}

pub(super) fn issensitive(args: &[Value]) -> Outcome {
    Ok(args[0].is_sensitive().into())
}

pub(super) fn describe(args: &[Value]) -> Outcome {
    Ok(show::describe(&args[0].type_of()).into())
}

/// The first argument that can be evaluated; when none can, what is wrong with each.
pub(super) fn try_(evaluator: &mut Evaluator<'_>, call: &FuncCall, span: Span) -> Evaluated {
    let mut wrong = Diagnostics::new();
    for arg in &call.args {
        match evaluator.attempt(|e| e.eval(arg)) {
            (Some(value), _) => return Some(value),
            (None, errors) => wrong.extend(errors),
        }
    }
    if wrong.is_empty() {
        let label = "try takes at least 1 argument, not 0";
        return evaluator.report(Diagnostic::error("Wrong number of arguments").at(span, label));
    }
    for error in wrong {
        evaluator.report::<Value>(error.note("no argument of this try can be evaluated"));
    }
    None
}

/// Whether the argument can be evaluated.
pub(super) fn can(evaluator: &mut Evaluator<'_>, call: &FuncCall, span: Span) -> Evaluated {
    let mut args = call.args.iter();
    let (Some(arg), None) = (args.next(), args.next()) else {
        let label = format!("can takes 1 argument, not {}", call.args.len());
        return evaluator.report(Diagnostic::error("Wrong number of arguments").at(span, label));
    };
    match evaluator.attempt(|e| e.eval(arg)).0 {
        Some(value) if value.contains_unknown() => Some(Value::unknown(Type::Bool)),
        value => Some(Value::bool(value.is_some())),
    }
}
