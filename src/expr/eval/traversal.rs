//! Names, attributes, indices and splats.

use super::{Evaluated, Evaluator, UNKNOWN_NAME};
use crate::functions::nearest;
use crate::{Kind, Number, Step, Type, Value, convert, show};
use hcl_edit::Decorated;
use hcl_edit::expr::{Expression, Traversal, TraversalOperator};
use infra_diag::{Diagnostic, Span};
use std::sync::Arc;

const ATTRIBUTE: &str = "Unknown attribute";
const INDEX: &str = "Invalid index";

/// An operator of a traversal with its index evaluated.
enum Op {
    Step(Step),
    /// An attribute, or an index written `.0`: what `.*` takes to every element.
    Plain(Step),
    AttrSplat(Span),
    FullSplat(Span),
}

impl Op {
    fn step(&self) -> Option<&Step> {
        match self {
            Self::Step(step) | Self::Plain(step) => Some(step),
            Self::AttrSplat(_) | Self::FullSplat(_) => None,
        }
    }
}

impl Evaluator<'_> {
    pub(super) fn traversal(&mut self, node: &Traversal) -> Evaluated {
        let ops: Vec<Option<Op>> = node.operators.iter().map(|op| self.op(op)).collect();
        let root = match &node.expr {
            Expression::Variable(_) => None,
            other => Some(self.eval(other)?),
        };
        let ops = ops.into_iter().collect::<Option<Vec<_>>>()?;
        if let Some(root) = root {
            return self.follow(root, &ops);
        }
        let Expression::Variable(name) = &node.expr else {
            return None;
        };
        let steps: Vec<Step> = ops.iter().map_while(Op::step).cloned().collect();
        let rest = &ops[steps.len()..];
        let value = self.variable(name.as_str(), self.span(&node.expr), steps)?;
        self.follow(value, rest)
    }

    fn op(&mut self, op: &Decorated<TraversalOperator>) -> Option<Op> {
        let span = self.span(op);
        Some(match op.value() {
            TraversalOperator::AttrSplat(_) => Op::AttrSplat(span),
            TraversalOperator::FullSplat(_) => Op::FullSplat(span),
            TraversalOperator::GetAttr(name) => {
                Op::Plain(Step::Attr(name.as_str().into(), self.span(name)))
            }
            TraversalOperator::LegacyIndex(index) => {
                Op::Plain(Step::Index(Value::number(*index.value()), span))
            }
            TraversalOperator::Index(expr) => {
                Op::Step(Step::Index(self.eval(expr)?, self.span(expr)))
            }
        })
    }

    /// A name with the steps after it: a variable of a `for` around, or what the scope says.
    pub(super) fn variable(&mut self, name: &str, span: Span, steps: Vec<Step>) -> Evaluated {
        let bound = self.bound.iter().rev().find(|(bound, _)| &**bound == name);
        if let Some((_, value)) = bound {
            let value = value.clone();
            return self.steps(value, &steps);
        }
        match self.scope.lookup(name, span, &steps) {
            Some(Ok((value, used))) => self.steps(value, steps.get(used..).unwrap_or_default()),
            Some(Err(errors)) => {
                self.errors.extend(errors);
                None
            }
            None => self.unknown_name(name, span),
        }
    }

    fn unknown_name<T>(&mut self, name: &str, span: Span) -> Option<T> {
        let mut names = self.scope.names();
        names.extend(self.bound.iter().map(|(name, _)| name.to_string()));
        let mut diagnostic =
            Diagnostic::error(UNKNOWN_NAME).at(span, format!("there is no {name} here"));
        if let Some(near) = nearest(name, names.iter().map(String::as_str)) {
            diagnostic = diagnostic.hint(format!("did you mean {near}?"));
        } else if names.is_empty() {
            diagnostic = diagnostic.hint("no names can be used here, only constants and functions");
        } else {
            names.sort();
            names.dedup();
            diagnostic = diagnostic.hint(format!("what there is: {}", names.join(", ")));
        }
        self.report(diagnostic)
    }

    fn steps(&mut self, value: Value, steps: &[Step]) -> Evaluated {
        steps
            .iter()
            .try_fold(value, |value, step| self.step(&value, step))
    }

    fn follow(&mut self, mut value: Value, ops: &[Op]) -> Evaluated {
        for (i, op) in ops.iter().enumerate() {
            match op {
                Op::Step(step) | Op::Plain(step) => value = self.step(&value, step)?,
                // The full splat takes all that follows to every element, …
                Op::FullSplat(span) => return self.splat(&value, &ops[i + 1..], *span),
                Op::AttrSplat(span) => {
                    // … the other one only attributes.
                    let rest = &ops[i + 1..];
                    let inside = rest
                        .iter()
                        .take_while(|op| matches!(op, Op::Plain(_)))
                        .count();
                    value = self.splat(&value, &rest[..inside], *span)?;
                    return self.follow(value, &rest[inside..]);
                }
            }
        }
        Some(value)
    }

    fn splat(&mut self, value: &Value, ops: &[Op], span: Span) -> Evaluated {
        let result = match value.kind() {
            Kind::Unknown(Type::List(_) | Type::Set(_)) => Value::unknown(Type::list(Type::Any)),
            Kind::Unknown(_) => Value::unknown(Type::Any),
            Kind::Null(Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                let label = "this splat is of null, where a list was expected";
                return self.report(Diagnostic::error("Null value").at(span, label));
            }
            Kind::Null(_) => Value::tuple([]),
            Kind::Tuple(items) => Value::tuple(self.each(value, items, ops)?),
            Kind::List(_, items) | Kind::Set(_, items) => {
                let all = Value::tuple(self.each(value, items, ops)?);
                convert(&all, &Type::list(Type::Any)).unwrap_or(all)
            }
            _ => Value::tuple([self.follow(value.clone(), ops)?]),
        };
        Some(result.with_sensitive(value.is_sensitive()))
    }

    fn each(&mut self, whole: &Value, items: &[Value], ops: &[Op]) -> Option<Vec<Value>> {
        let follow =
            |item: &Value| self.follow(item.clone().with_sensitive(whole.is_sensitive()), ops);
        items.iter().map(follow).collect()
    }

    fn step(&mut self, value: &Value, step: &Step) -> Evaluated {
        let found = match step {
            Step::Attr(name, span) => attribute(value, name, *span),
            Step::Index(key, span) => index(value, key, *span),
        };
        match found {
            Ok(found) => Some(found.with_sensitive(value.is_sensitive())),
            Err(diagnostic) => self.report(*diagnostic),
        }
    }
}

type Found = Result<Value, Box<Diagnostic>>;

fn attribute(value: &Value, name: &Arc<str>, span: Span) -> Found {
    let error = |label: String| Err(Box::new(Diagnostic::error(ATTRIBUTE).at(span, label)));
    match value.kind() {
        Kind::Object(members) | Kind::Map(_, members) => match members.get(name) {
            Some(member) => Ok(member.clone()),
            None => Err(missing(value, name, Diagnostic::error(ATTRIBUTE), span)),
        },
        Kind::Unknown(ty) => match element_type(ty, name) {
            Some(ty) => Ok(Value::unknown(ty)),
            None => error(format!("a value of type {ty} has no attribute {name}")),
        },
        Kind::Null(_) => error(format!(
            "what this is an attribute of is null, so there is no {name}"
        )),
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
            let family = value.type_of().spoken();
            let label = format!("{family} has no attributes");
            let hint = format!("for {name} of every element write [*].{name}");
            Err(Box::new(
                Diagnostic::error(ATTRIBUTE).at(span, label).hint(hint),
            ))
        }
        _ => error(format!("{} has no attributes", value.type_of().spoken())),
    }
}

/// The type of the attribute, where the type of the whole is all that is known.
fn element_type(ty: &Type, name: &str) -> Option<Type> {
    match ty {
        Type::Any => Some(Type::Any),
        Type::Map(element) => Some((**element).clone()),
        Type::Object(attributes) => attributes.get(name).map(|a| a.ty.clone()),
        _ => None,
    }
}

fn missing(value: &Value, name: &str, diagnostic: Diagnostic, span: Span) -> Box<Diagnostic> {
    let (what, member) = match value.kind() {
        Kind::Object(_) => ("object", "attribute"),
        _ => ("map", "element"),
    };
    let diagnostic = diagnostic.at(
        span,
        format!("this {what} has no {member} {}", show::quote(name)),
    );
    // The keys of a sensitive map are as secret as the rest of it.
    let keys: Vec<&str> = if value.is_sensitive() {
        Vec::new()
    } else {
        value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(k, _)| &**k)
            .collect()
    };
    let hint = match nearest(name, keys.iter().copied()) {
        Some(near) => Some(format!("did you mean {near}?")),
        None if keys.is_empty() => None,
        None => Some(format!("it has {}", some_of(&keys))),
    };
    Box::new(hint.into_iter().fold(diagnostic, Diagnostic::hint))
}

fn some_of(keys: &[&str]) -> String {
    match keys.len() {
        ..=8 => keys.join(", "),
        more => format!("{} and {} more", keys[..8].join(", "), more - 8),
    }
}

fn index(value: &Value, key: &Value, span: Span) -> Found {
    let error = |label: String| Err(Box::new(Diagnostic::error(INDEX).at(span, label)));
    if key.is_null() {
        return error("this is null; it cannot be used as an index".into());
    }
    let found = match value.kind() {
        Kind::List(_, items) | Kind::Tuple(items) => at(items, value, key, span),
        Kind::Map(..) | Kind::Object(_) => member(value, key, span),
        Kind::Set(..) => {
            let hint = "turn it into a list first, with tolist";
            Err(Box::new(
                Diagnostic::error(INDEX)
                    .at(span, "the elements of a set have no index")
                    .hint(hint),
            ))
        }
        Kind::Unknown(ty) if !ty.is_primitive() => Ok(Value::unknown(indexed_type(ty, key))),
        Kind::Null(_) => error("what this is an index of is null".into()),
        _ => error(format!(
            "{} has no elements to index",
            value.type_of().spoken()
        )),
    }?;
    Ok(found.with_sensitive(key.is_sensitive()))
}

fn indexed_type(ty: &Type, key: &Value) -> Type {
    match ty {
        Type::List(element) | Type::Map(element) => (**element).clone(),
        Type::Object(_) => key
            .as_str()
            .and_then(|name| element_type(ty, name))
            .unwrap_or(Type::Any),
        _ => Type::Any,
    }
}

fn at(items: &[Value], value: &Value, key: &Value, span: Span) -> Found {
    let error = |label: String| Err(Box::new(Diagnostic::error(INDEX).at(span, label)));
    let number = match convert(key, &Type::Number) {
        Ok(number) => number,
        Err(e) => return error(e.to_string()),
    };
    let Some(number) = number.as_number() else {
        let ty = if let Kind::List(element, _) = value.kind() {
            element.clone()
        } else {
            Type::Any
        };
        return Ok(Value::unknown(ty));
    };
    match number.as_usize().and_then(|i| items.get(i)) {
        Some(item) => Ok(item.clone()),
        None if !number.is_whole() => error("an index is a whole number".into()),
        None if *number < Number::from(0) => error("an index is not negative".into()),
        None => error(match items.len() {
            0 => format!("this {} is empty", value.type_of().family()),
            n => format!(
                "out of range: the indices of this {} are 0 to {}",
                value.type_of().family(),
                n - 1
            ),
        }),
    }
}

fn member(value: &Value, key: &Value, span: Span) -> Found {
    let number_in_object = matches!(
        (value.kind(), key.kind()),
        (Kind::Object(_), Kind::Number(_))
    );
    if number_in_object {
        let label = "the attributes of an object have names, not numbers";
        return Err(Box::new(Diagnostic::error(INDEX).at(span, label)));
    }
    let key = match convert(key, &Type::String) {
        Ok(key) => key,
        Err(e) => return Err(Box::new(Diagnostic::error(INDEX).at(span, e.to_string()))),
    };
    let Some(name) = key.as_str() else {
        let ty = if let Kind::Map(element, _) = value.kind() {
            element.clone()
        } else {
            Type::Any
        };
        return Ok(Value::unknown(ty));
    };
    let found = value.as_object().and_then(|members| members.get(name));
    let error = Diagnostic::error(INDEX);
    match found {
        Some(found) => Ok(found.clone()),
        None if key.is_sensitive() => Err(Box::new(
            error.at(span, "there is nothing under this sensitive key"),
        )),
        None => Err(missing(value, name, error, span)),
    }
}
