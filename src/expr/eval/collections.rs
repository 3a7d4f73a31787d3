//! Collections that are written down: tuples, objects, and both kinds of `for`.

use super::{Evaluated, Evaluator};
use crate::{Kind, Map, Type, Value, convert, show};
use hcl_edit::expr::{Array, Expression, ForExpr, Object, ObjectKey};
use hcl_edit::{Decorated, Ident};
use infra_diag::Diagnostic;
use std::collections::BTreeMap;
use std::sync::Arc;

const KEY: &str = "Invalid key";

/// One round of a `for`: what its key variable and its value variable stand for.
pub(super) type Round = (Value, Value);

/// What a `for` walks over.
pub(super) enum Rounds {
    Unknown,
    Known(Vec<Round>),
}

impl Evaluator<'_> {
    pub(super) fn array(&mut self, array: &Array) -> Evaluated {
        // Every element is evaluated before giving up, to say all that is wrong.
        let items: Vec<Evaluated> = array.iter().map(|item| self.eval(item)).collect();
        items
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .map(Value::tuple)
    }

    pub(super) fn object(&mut self, object: &Object) -> Evaluated {
        let mut built = Members::default();
        let mut complete = true;
        for (key, value) in object {
            let (key, value) = (self.object_key(key), self.eval(value.expr()));
            match (key, value) {
                (Some(key), Some(value)) => drop(built.insert(&key, value)),
                _ => complete = false,
            }
        }
        complete.then(|| built.finish())
    }

    /// A bare word stands for itself; anything else is evaluated.
    fn object_key(&mut self, key: &ObjectKey) -> Evaluated {
        match key {
            ObjectKey::Ident(name) => Some(Value::string(name.as_str())),
            ObjectKey::Expression(Expression::Variable(name)) => Some(Value::string(name.as_str())),
            ObjectKey::Expression(expr) => self.key(expr),
        }
    }

    /// A string that is not null, or not known yet.
    fn key(&mut self, expr: &Expression) -> Evaluated {
        let value = self.eval(expr)?;
        if value.is_null() {
            return self.error(expr, KEY, "this is null; a key is a string");
        }
        match convert(&value, &Type::String) {
            Ok(value) => Some(value),
            Err(error) => self.error(expr, KEY, error.to_string()),
        }
    }

    pub(super) fn for_expr(&mut self, node: &ForExpr) -> Evaluated {
        let collection = self.eval(&node.intro.collection_expr)?;
        let Rounds::Known(rounds) = self.rounds(&collection, &node.intro.collection_expr)? else {
            return Some(Value::unknown(Type::Any).with_sensitive(collection.is_sensitive()));
        };
        let names = (node.intro.key_var.as_ref(), &node.intro.value_var);
        let result = match &node.key_expr {
            Some(key) if node.grouping => self.grouped(node, key, names, rounds),
            Some(key) => self.keyed(node, key, names, rounds),
            None => self.listed(node, names, rounds),
        };
        Some(result?.with_sensitive(collection.is_sensitive()))
    }

    fn listed(&mut self, node: &ForExpr, names: Names, rounds: Vec<Round>) -> Evaluated {
        let mut picked = Picked::default();
        let mut items = Vec::new();
        for round in rounds {
            let item = self.round(names, round, |e| {
                Some(if e.picks(node, &mut picked)? {
                    Some(e.eval(&node.value_expr)?)
                } else {
                    None
                })
            })?;
            items.extend(item);
        }
        Some(picked.finish(Value::tuple(items)))
    }

    fn keyed(
        &mut self,
        node: &ForExpr,
        key: &Expression,
        names: Names,
        rounds: Vec<Round>,
    ) -> Evaluated {
        let mut picked = Picked::default();
        let mut members = Members::default();
        for round in rounds {
            self.round(names, round, |e| {
                if !e.picks(node, &mut picked)? {
                    return Some(());
                }
                let (name, value) = (e.key(key), e.eval(&node.value_expr));
                let name = name?;
                if members.insert(&name, value?).is_some() {
                    return e.duplicate(key, &name);
                }
                Some(())
            })?;
        }
        Some(picked.finish(members.finish()))
    }

    fn duplicate<T>(&mut self, key: &Expression, name: &Value) -> Option<T> {
        let span = self.span(key);
        self.report(
            Diagnostic::error("Duplicate key")
                .at(
                    span,
                    format!("two elements give the key {}", show::line(name)),
                )
                .hint("write ... after the value to gather the values of each key in a list"),
        )
    }

    fn grouped(
        &mut self,
        node: &ForExpr,
        key: &Expression,
        names: Names,
        rounds: Vec<Round>,
    ) -> Evaluated {
        let mut picked = Picked::default();
        let mut groups: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
        let mut frame = Members::default();
        for round in rounds {
            self.round(names, round, |e| {
                if !e.picks(node, &mut picked)? {
                    return Some(());
                }
                let (name, value) = (e.key(key), e.eval(&node.value_expr));
                let (name, value) = (name?, value?);
                if let Some(name) = frame.note(&name) {
                    groups.entry(name).or_default().push(value);
                }
                Some(())
            })?;
        }
        frame.members = groups
            .into_iter()
            .map(|(k, values)| (k, Value::tuple(values)))
            .collect();
        Some(picked.finish(frame.finish()))
    }

    /// Whether this round passes the `if`.
    fn picks(&mut self, node: &ForExpr, picked: &mut Picked) -> Option<bool> {
        let Some(filter) = &node.cond else {
            return Some(true);
        };
        let condition = self.condition(&filter.expr)?;
        picked.unknown |= condition.is_unknown();
        picked.sensitive |= condition.is_sensitive();
        Some(condition.as_bool().unwrap_or(true))
    }

    /// What there is to walk over in a value.
    pub(super) fn rounds(&mut self, collection: &Value, expr: &Expression) -> Option<Rounds> {
        let secret = collection.is_sensitive();
        if let Some(entries) = collection.entries() {
            return Some(Rounds::Known(
                entries
                    .map(|(k, v)| (k.with_sensitive(secret), v.clone().with_sensitive(secret)))
                    .collect(),
            ));
        }
        match collection.kind() {
            Kind::Unknown(ty) if !ty.is_primitive() => Some(Rounds::Unknown),
            Kind::Null(_) => self.error(expr, "cannot iterate", "this is null"),
            _ => {
                let family = collection.type_of().spoken();
                self.error(
                    expr,
                    "cannot iterate",
                    format!("this is {family}, not a collection"),
                )
            }
        }
    }

    /// Does something with the variables of a `for` bound; what goes wrong is told with the round it was in.
    pub(super) fn round<T>(
        &mut self,
        (key_var, value_var): Names,
        (key, value): Round,
        f: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let outer = self.bound.len();
        if let Some(key_var) = key_var {
            self.bound.push((key_var.as_str().into(), key.clone()));
        }
        self.bound.push((value_var.as_str().into(), value));
        let (result, errors) = self.attempt(f);
        self.bound.truncate(outer);
        for error in errors {
            let round = format!("in the round of the element with key {}", show::line(&key));
            self.errors.push(error.note(round));
        }
        result
    }
}

/// The variables of a `for`.
pub(super) type Names<'a> = (Option<&'a Decorated<Ident>>, &'a Decorated<Ident>);

/// What the filters of all rounds came to.
#[derive(Default)]
struct Picked {
    unknown: bool,
    sensitive: bool,
}

impl Picked {
    /// With a filter that is not known, neither is the length nor anything else.
    fn finish(self, value: Value) -> Value {
        let value = if self.unknown {
            Value::unknown(Type::Any)
        } else {
            value
        };
        value.with_sensitive(self.sensitive)
    }
}

/// An object in the making. One unknown key makes all of it unknown, one sensitive key all of it sensitive.
#[derive(Default)]
struct Members {
    members: Map,
    unknown: bool,
    sensitive: bool,
}

impl Members {
    /// Gives back the value that was there before.
    fn insert(&mut self, key: &Value, value: Value) -> Evaluated {
        let name = self.note(key)?;
        self.members.insert(name, value)
    }

    fn note(&mut self, key: &Value) -> Option<Arc<str>> {
        self.sensitive |= key.is_sensitive();
        self.unknown |= key.is_unknown();
        key.as_str().map(Arc::from)
    }

    fn finish(self) -> Value {
        let value = if self.unknown {
            Value::unknown(Type::Any)
        } else {
            Value::object(self.members)
        };
        value.with_sensitive(self.sensitive)
    }
}
