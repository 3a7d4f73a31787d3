//! Which instances a block has: one, or as many as its `count` or `for_each` says. Worked out once per
//! block, for declared blocks and module calls alike.

use crate::engine::Caller;
use crate::engine::{Answer, Engine, Failed, InstanceAt, ModuleAt, ModuleId, Node, Outcome};
use crate::fit::shown;
use crate::scope::Place;
use crate::syntax::Expr;
use crate::tree::Repeat;
use crate::{Address, Key, Mode};
use infra_diag::Diagnostic;
use infra_expr::{Kind, Type, Value, convert};
use std::collections::BTreeMap;
use std::sync::Arc;

/// More instances of one block than this are taken for a mistake.
const MOST: i64 = 1_000_000;

/// The instances of a block, by key; the numbers are instance or module ids.
#[derive(Debug)]
pub(crate) enum Expansion {
    Once(u32),
    Count(Vec<u32>),
    Each(BTreeMap<Arc<str>, u32>),
    /// How many is not known, which is only so when validating: one stands for all.
    Unknown(u32),
}

/// What `count.index`, `each.key` and `each.value` are.
#[derive(Clone, Debug)]
pub(crate) enum Repetition {
    Once,
    Count(Value),
    Each { key: Value, value: Value },
}

impl Expansion {
    pub(crate) fn ids(&self) -> Vec<u32> {
        match self {
            Self::Once(id) | Self::Unknown(id) => vec![*id],
            Self::Count(ids) => ids.clone(),
            Self::Each(ids) => ids.values().copied().collect(),
        }
    }

    /// The instance with a key, written as an index.
    pub(crate) fn get(&self, key: &Value) -> Option<u32> {
        match self {
            Self::Once(_) => None,
            Self::Unknown(id) => Some(*id),
            Self::Count(ids) => {
                let index = convert(key, &Type::Number).ok()?.as_i64()?;
                ids.get(usize::try_from(index).ok()?).copied()
            }
            Self::Each(ids) => ids
                .get(convert(key, &Type::String).ok()?.as_str()?)
                .copied(),
        }
    }

    /// The instance with a key, as part of an address.
    pub(crate) fn at(&self, key: Option<&Key>) -> Option<u32> {
        match (self, key) {
            (Self::Once(id), None) | (Self::Unknown(id), _) => Some(*id),
            (Self::Count(ids), Some(Key::Index(i))) => ids.get(usize::try_from(*i).ok()?).copied(),
            (Self::Each(ids), Some(Key::Text(key))) => ids.get(key).copied(),
            _ => None,
        }
    }

    /// All keys as a person would write them.
    pub(crate) fn keys(&self) -> Vec<String> {
        match self {
            Self::Once(_) | Self::Unknown(_) => Vec::new(),
            Self::Count(ids) => (0..ids.len()).map(|i| i.to_string()).collect(),
            Self::Each(ids) => ids.keys().map(|key| crate::address::quoted(key)).collect(),
        }
    }

    /// The whole as an expression sees it.
    pub(crate) fn gather(&self, mut value: impl FnMut(u32) -> Outcome<Value>) -> Outcome<Value> {
        match self {
            Self::Once(id) => value(*id),
            Self::Unknown(_) => Ok(Value::unknown(Type::Any)),
            Self::Count(ids) => {
                let values: Outcome<Vec<_>> = ids.iter().map(|id| value(*id)).collect();
                Ok(Value::tuple(values?))
            }
            Self::Each(ids) => {
                let members = ids.iter().map(|(key, id)| Ok((key.clone(), value(*id)?)));
                Ok(Value::object(members.collect::<Outcome<Vec<_>>>()?))
            }
        }
    }
}

impl Engine {
    pub(crate) fn expand_declared(
        &self,
        module: ModuleId,
        kind: &'static str,
        name: &Arc<str>,
    ) -> Outcome<Expansion> {
        let declared = self
            .declarations(module)
            .declared
            .get(kind)
            .and_then(|t| t.get(name));
        let declared = declared.ok_or(Failed::SAID)?;
        let path = self.module(module).path.clone();
        self.expand(module, &declared.repeat, &mut |key, repetition| {
            let address = Address::new(path.clone(), kind, name, key);
            push(
                &self.instances,
                InstanceAt {
                    module,
                    address,
                    kind,
                    repetition,
                },
            )
        })
    }

    pub(crate) fn expand_call(&self, module: ModuleId, name: &Arc<str>) -> Outcome<Expansion> {
        let call = self
            .declarations(module)
            .calls
            .get(name)
            .ok_or(Failed::SAID)?;
        let target = call.module.ok_or(Failed::SAID)?;
        let path = self.module(module).path.clone();
        self.expand(module, &call.repeat, &mut |key, repetition| {
            let caller = Some(Caller {
                module,
                name: name.clone(),
                repetition,
            });
            push(
                &self.modules,
                ModuleAt {
                    module: target,
                    path: path.join(name, key),
                    caller,
                },
            )
        })
    }

    fn expand(
        &self,
        module: ModuleId,
        repeat: &Repeat,
        make: &mut dyn FnMut(Option<Key>, Repetition) -> u32,
    ) -> Outcome<Expansion> {
        let Some(expr) = repeat.expr() else {
            return Ok(Expansion::Once(make(None, Repetition::Once)));
        };
        let value = self.evaluate(expr, &Place::module(self, module))?;
        match repeat {
            Repeat::ForEach(_) => match self.each_of(&value, expr, "for_each")? {
                Some(entries) => {
                    let one = |(key, value): (Arc<str>, Value)| {
                        let repetition = Repetition::Each {
                            key: Value::string(key.clone()),
                            value,
                        };
                        (key.clone(), make(Some(Key::Text(key)), repetition))
                    };
                    Ok(Expansion::Each(entries.into_iter().map(one).collect()))
                }
                None => {
                    let (key, value) = (Value::unknown(Type::String), Value::unknown(Type::Any));
                    Ok(Expansion::Unknown(make(
                        None,
                        Repetition::Each { key, value },
                    )))
                }
            },
            _ => match self.count_of(&value, expr)? {
                Some(count) => {
                    let one = |i| make(Some(Key::Index(i)), Repetition::Count(index(i)));
                    Ok(Expansion::Count((0..count).map(one).collect()))
                }
                None => {
                    let unknown = Repetition::Count(Value::unknown(Type::Number));
                    Ok(Expansion::Unknown(make(None, unknown)))
                }
            },
        }
    }

    /// Unknown values are only accepted when validating; then this is `None`.
    fn must_be_known(&self, expr: &Expr, what: &str) -> Outcome<()> {
        if self.inputs.mode == Mode::Validate {
            return Ok(());
        }
        Err(self.fail(
            Diagnostic::error("Unknown repetition")
                .at(
                    expr.span,
                    format!("this `{what}` is not known before addresses are allocated"),
                )
                .hint("let it depend on variables and locals only"),
        ))
    }

    fn count_of(&self, value: &Value, expr: &Expr) -> Outcome<Option<u64>> {
        let wrong = |text: String| {
            let error = Diagnostic::error("Invalid count").at(expr.span, text);
            self.fail(error.hint("write how many there are, as in count = 3; 0 is none"))
        };
        if value.contains_sensitive() {
            return Err(wrong("this is sensitive, and addresses are not".to_owned()));
        }
        if value.is_null() {
            return Err(wrong("this is null: a count is a whole number".to_owned()));
        }
        let number = convert(value, &Type::Number);
        let number = number.map_err(|_| wrong(format!("{} is no number", shown(value))))?;
        if number.is_unknown() {
            return self.must_be_known(expr, "count").map(|()| None);
        }
        let count = number.as_i64().filter(|count| (0..=MOST).contains(count));
        let count = count.and_then(|count| u64::try_from(count).ok());
        count.map(Some).ok_or_else(|| {
            wrong(format!(
                "{} is no whole number from 0 to {MOST}",
                shown(value)
            ))
        })
    }

    /// The entries of a `for_each`; `None` when they are not known.
    pub(crate) fn each_of(
        &self,
        value: &Value,
        expr: &Expr,
        what: &str,
    ) -> Outcome<Option<BTreeMap<Arc<str>, Value>>> {
        let wrong = |text: &str| Diagnostic::error("Invalid for_each").at(expr.span, text);
        let shape = "write { KEY = VALUE, … }, or toset([\"KEY\", …])";
        if value.is_sensitive() {
            let text = "this is sensitive, and the keys become parts of addresses";
            let hint = "take keys that are not, or unmark them with nonsensitive()";
            return Err(self.fail(wrong(text).hint(hint)));
        }
        match value.kind() {
            Kind::Unknown(_) => self.must_be_known(expr, what).map(|()| None),
            Kind::Map(_, members) | Kind::Object(members) => Ok(Some(
                members
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect(),
            )),
            Kind::Set(_, items) => self.each_of_set(items, expr, what),
            Kind::Null(_) => {
                let text = "this is null: it must be a map or a set of strings";
                Err(self.fail(wrong(text).hint(shape)))
            }
            Kind::List(..) | Kind::Tuple(_) => {
                let text = "this is a list: it must be a map or a set of strings";
                Err(self.fail(wrong(text).hint("write toset(…) around it")))
            }
            _ => Err(self.fail(wrong("this must be a map or a set of strings").hint(shape))),
        }
    }

    fn each_of_set(
        &self,
        items: &[Value],
        expr: &Expr,
        what: &str,
    ) -> Outcome<Option<BTreeMap<Arc<str>, Value>>> {
        if items.iter().any(Value::is_unknown) {
            return self.must_be_known(expr, what).map(|()| None);
        }
        let entry = |item: &Value| item.as_str().map(|key| (Arc::from(key), item.clone()));
        let entries: Option<BTreeMap<_, _>> = items.iter().map(entry).collect();
        entries.map(Some).ok_or_else(|| {
            let text = "this set has elements that are no strings";
            let error = Diagnostic::error("Invalid for_each").at(expr.span, text);
            self.fail(error.hint("write toset([for x in … : tostring(x)])"))
        })
    }

    /// `module.m` as an expression sees it.
    pub(crate) fn whole_call(
        &self,
        module: ModuleId,
        name: &Arc<str>,
        asked: infra_diag::Span,
    ) -> Outcome<Value> {
        let expansion = self.expansion(Node::Call(module, name.clone()), asked)?;
        expansion.gather(|id| self.value(Node::Outputs(id), asked))
    }

    /// All outputs of a module instance.
    pub(crate) fn outputs(&self, module: ModuleId, asked: infra_diag::Span) -> Outcome<Value> {
        let outputs = self.declarations(module).outputs.iter();
        let value = |name: &Arc<str>| self.value(Node::Output(module, name.clone()), asked);
        let members = outputs.map(|(name, ..)| Ok((name.clone(), value(name)?)));
        Ok(Value::object(members.collect::<Outcome<Vec<_>>>()?))
    }

    /// `workload.a` as an expression sees it.
    pub(crate) fn whole_declared(
        &self,
        module: ModuleId,
        kind: &'static str,
        name: &Arc<str>,
        asked: infra_diag::Span,
    ) -> Outcome<Value> {
        let expansion = self.expansion(Node::Declared(module, kind, name.clone()), asked)?;
        expansion.gather(|id| self.value(Node::Object(id), asked))
    }
}

fn index(index: u64) -> Value {
    Value::number(i64::try_from(index).unwrap_or(i64::MAX))
}

fn push<T>(all: &std::cell::RefCell<Vec<Arc<T>>>, one: T) -> u32 {
    let mut all = all.borrow_mut();
    all.push(Arc::new(one));
    u32::try_from(all.len() - 1).expect("fewer than 2^32 instances")
}

impl From<Expansion> for Answer {
    fn from(expansion: Expansion) -> Self {
        Self::Expansion(Arc::new(expansion))
    }
}
