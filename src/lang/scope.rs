//! What names mean at a place in the configuration. That every name means something was checked before
//! (`check.rs`), so what is not found here fails without a word.

use crate::check::readable_names;
use crate::engine::{Engine, Failed, InstanceAt, InstanceId, ModuleId, Node, Outcome};
use crate::expand::{Expansion, Repetition};
use crate::schema::Origin;
use crate::syntax::Expr;
use crate::words::listed;
use infra_diag::{Diagnostic, Diagnostics, Span};
use infra_expr::{Scope, Step, Type, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where an expression stands.
pub(crate) struct Place<'e> {
    engine: &'e Engine,
    module: ModuleId,
    repetition: Repetition,
    /// What `dynamic` blocks around it are at, innermost last.
    iterators: Vec<(Arc<str>, Value)>,
    /// Of declared blocks only the addresses are wanted.
    only_names: bool,
}

impl<'e> Place<'e> {
    /// In a module, but in no block that is repeated.
    pub(crate) fn module(engine: &'e Engine, module: ModuleId) -> Self {
        Self {
            engine,
            module,
            repetition: Repetition::Once,
            iterators: Vec::new(),
            only_names: false,
        }
    }

    /// In a module, as one of several.
    pub(crate) fn repeated(engine: &'e Engine, module: ModuleId, repetition: &Repetition) -> Self {
        Self {
            repetition: repetition.clone(),
            ..Self::module(engine, module)
        }
    }

    /// In the block of an instance.
    pub(crate) fn instance(engine: &'e Engine, at: &InstanceAt) -> Self {
        Self::repeated(engine, at.module, &at.repetition)
    }

    /// Within a `dynamic` block that is at a key.
    pub(crate) fn at(&self, iterator: &Arc<str>, key: &Value, value: &Value) -> Self {
        let mut iterators = self.iterators.clone();
        let at = Value::object([("key", key.clone()), ("value", value.clone())]);
        iterators.push((iterator.clone(), at));
        Self {
            iterators,
            repetition: self.repetition.clone(),
            ..*self
        }
    }

    pub(crate) fn only_names(&self) -> Self {
        let (iterators, repetition) = (self.iterators.clone(), self.repetition.clone());
        Self {
            iterators,
            repetition,
            only_names: true,
            ..*self
        }
    }

    pub(crate) fn module_id(&self) -> ModuleId {
        self.module
    }

    fn find(
        &self,
        root: &str,
        span: Span,
        steps: &[Step],
        needed: Option<&BTreeSet<Arc<str>>>,
    ) -> Outcome<(Value, usize)> {
        if let Some((_, value)) = self
            .iterators
            .iter()
            .rev()
            .find(|(name, _)| **name == *root)
        {
            return Ok((value.clone(), 0));
        }
        let name = steps.first().and_then(Step::name).ok_or(Failed::SAID)?;
        let asked = through(span, &steps[..1]);
        let declarations = self.engine.declarations(self.module);
        let one = |node| Ok((self.engine.value(node, asked)?, 1));
        match root {
            "var" => one(Node::Variable(
                self.module,
                key(declarations.variables.key(name))?,
            )),
            "local" => one(Node::Local(
                self.module,
                key(declarations.locals.key(name))?,
            )),
            "module" => {
                let name = key(declarations.calls.key(name))?;
                self.call(name, span, steps)
            }
            "path" => Ok((Value::string(self.path(name)), 1)),
            "each" | "count" => self.repetition(name).map(|value| (value, 1)),
            kind => {
                let (kind, table) = declarations
                    .declared
                    .get_key_value(kind)
                    .ok_or(Failed::SAID)?;
                self.declared(kind, key(table.key(name))?, span, steps, needed)
            }
        }
    }

    fn path(&self, name: &str) -> &str {
        match name {
            "module" => &self.engine.declarations(self.module).folder,
            _ => ".",
        }
    }

    fn repetition(&self, name: &str) -> Outcome<Value> {
        match (&self.repetition, name) {
            (Repetition::Count(index), "index") => Ok(index.clone()),
            (Repetition::Each { key, .. }, "key") => Ok(key.clone()),
            (Repetition::Each { value, .. }, "value") => Ok(value.clone()),
            _ => Err(Failed::SAID),
        }
    }

    /// `module.m…`: as little of it as is asked for.
    fn call(&self, name: Arc<str>, span: Span, steps: &[Step]) -> Outcome<(Value, usize)> {
        let asked = through(span, &steps[..1]);
        let expansion = self
            .engine
            .expansion(Node::Call(self.module, name.clone()), asked)?;
        let (id, taken) = match self.pick(&expansion, "module", &name, span, steps)? {
            Some(picked) => picked,
            None => return Ok((self.engine.value(Node::Calls(self.module, name), asked)?, 1)),
        };
        let all = |taken| Ok((self.engine.value(Node::Outputs(id), asked)?, taken));
        let Some(output) = steps.get(taken).and_then(Step::name) else {
            return all(taken);
        };
        let output = key(self.engine.declarations(id).outputs.key(output))?;
        let asked = through(span, &steps[..=taken]);
        Ok((
            self.engine.value(Node::Output(id, output), asked)?,
            taken + 1,
        ))
    }

    /// `workload.a…`: as little of it as is asked for.
    fn declared(
        &self,
        kind: &'static str,
        name: Arc<str>,
        span: Span,
        steps: &[Step],
        needed: Option<&BTreeSet<Arc<str>>>,
    ) -> Outcome<(Value, usize)> {
        let asked = through(span, &steps[..1]);
        let node = Node::Declared(self.module, kind, name.clone());
        let expansion = self.engine.expansion(node, asked)?;
        match self.pick(&expansion, kind, &name, span, steps)? {
            None if self.only_names => {
                Ok((expansion.gather(|id| Ok(self.engine.name_only(id)))?, 1))
            }
            None => match needed.filter(|_| steps.len() == 1) {
                Some(names) => {
                    let some = |id| {
                        self.engine
                            .object_of(id, &mut |name| names.contains(name), asked)
                    };
                    Ok((expansion.gather(some)?, 1))
                }
                None => Ok((
                    self.engine
                        .value(Node::Whole(self.module, kind, name), asked)?,
                    1,
                )),
            },
            Some((id, taken)) => {
                let asked = through(span, &steps[..steps.len().min(taken + 1)]);
                match steps.get(taken).and_then(Step::name) {
                    Some(part) => Ok((self.engine.part(id, part, asked)?, taken + 1)),
                    None if self.only_names => Ok((self.engine.name_only(id), taken)),
                    None => Ok((self.engine.value(Node::Object(id), asked)?, taken)),
                }
            }
        }
    }

    /// The one instance that is meant and the number of steps that took; `None` where it is all of them,
    /// or where which one is not known.
    fn pick(
        &self,
        expansion: &Expansion,
        kind: &str,
        name: &str,
        span: Span,
        steps: &[Step],
    ) -> Outcome<Option<(u32, usize)>> {
        if let Expansion::Once(id) = expansion {
            return match steps.get(1) {
                Some(Step::Index(index, at)) if index.as_number().is_some() => {
                    Err(not_repeated(kind, name, *at).into())
                }
                _ => Ok(Some((*id, 1))),
            };
        }
        let index = match steps.get(1) {
            Some(Step::Index(index, _)) => index.clone(),
            Some(Step::Attr(key, _)) if matches!(expansion, Expansion::Each(_)) => {
                Value::string(key.clone())
            }
            _ => return Ok(None),
        };
        if index.is_unknown() || index.is_sensitive() {
            return Ok(None);
        }
        match expansion.get(&index) {
            Some(id) => Ok(Some((id, 2))),
            None => {
                let error = no_such_key(expansion, kind, name, &index, through(span, &steps[..2]));
                Err(error.into())
            }
        }
    }
}

fn key(found: Option<&Arc<str>>) -> Outcome<Arc<str>> {
    found.cloned().ok_or(Failed::SAID)
}

/// The place from a root to the last of some steps.
fn through(root: Span, steps: &[Step]) -> Span {
    let end = steps
        .iter()
        .map(|step| step.span().end)
        .max()
        .unwrap_or(root.end);
    Span {
        end: end.max(root.end),
        ..root
    }
}

fn not_repeated(kind: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::error("No such instance")
        .at(
            span,
            format!("`{kind}.{name}` has neither count nor for_each"),
        )
        .hint(format!("write {kind}.{name}"))
}

fn no_such_key(
    expansion: &Expansion,
    kind: &str,
    name: &str,
    key: &Value,
    span: Span,
) -> Diagnostic {
    let shown = crate::fit::shown(key);
    let error = Diagnostic::error("No such instance")
        .at(span, format!("`{kind}.{name}` has no instance [{shown}]"));
    let keys = expansion.keys();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    match keys.len() {
        0 => error.hint("it has no instances at all"),
        1..=16 => error.hint(format!("it has {}", listed(&keys, "and"))),
        more => error.hint(format!(
            "it has {more}, from `{}` to `{}`",
            keys[0],
            keys[more - 1]
        )),
    }
}

/// What names mean in one expression at a place.
pub(crate) struct Names<'e> {
    pub(crate) place: &'e Place<'e>,
    pub(crate) expr: &'e Expr,
}

impl Scope for Names<'_> {
    fn lookup(
        &self,
        root: &str,
        span: Span,
        steps: &[Step],
    ) -> Option<Result<(Value, usize), Diagnostics>> {
        // What failed elsewhere was reported there; what fails here counts only if it is needed.
        Some(
            self.place
                .find(root, span, steps, self.expr.needs.get(&span))
                .map_err(Diagnostics::from),
        )
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    fn files(&self) -> &dyn infra_expr::Files {
        &*self.place.engine.tree.files
    }
}

/// Parts of instances.
impl Engine {
    /// The address of an instance and nothing else of it.
    pub(crate) fn name_only(&self, id: InstanceId) -> Value {
        self.touch(id);
        Value::object([("id", Value::string(self.instance(id).address.to_string()))])
    }

    /// One attribute of an instance, written or computed, or its nested blocks of a kind.
    pub(crate) fn part(&self, id: InstanceId, name: &str, asked: Span) -> Outcome<Value> {
        let at = self.instance(id);
        let kind = self.block(&at).kind;
        if let Some(index) = kind.attributes.iter().position(|a| a.name == name) {
            let written = self.value(Node::Attribute(id, index), asked)?;
            // What may be written and is not is derived.
            if kind.computed(name).is_none() || !written.is_null() {
                return Ok(written);
            }
        }
        if let Some(index) = kind
            .blocks
            .iter()
            .position(|b| b.readable && b.kind.name == name)
        {
            let blocks = self.blocks(Node::Nested(id, index), asked)?;
            return Ok(crate::decode::readable(
                &kind.blocks[index],
                blocks.iter().map(|b| &**b),
            ));
        }
        self.touch(id);
        if name == "id" {
            return Ok(Value::string(at.address.to_string()));
        }
        let computed = kind.computed(name).ok_or(Failed::SAID)?;
        Ok(match computed.origin {
            Origin::Derived(derive) => {
                let named = self.inputs.made_as.get(&at.address);
                derive(&self.tree.project, named.unwrap_or(&at.address))
            }
            Origin::Allocated => self.allocated(&at, name, (computed.ty)()),
        })
    }

    fn allocated(&self, at: &InstanceAt, name: &str, ty: Type) -> Value {
        match &self.allocated {
            None => {
                self.asked_early.set(true);
                Value::unknown(ty)
            }
            Some(all) => {
                let value = all.get(&at.address).and_then(|values| values.get(name));
                value.cloned().unwrap_or_else(|| Value::null_of(ty))
            }
        }
    }

    /// Everything of an instance that expressions may read.
    pub(crate) fn object(&self, id: InstanceId, asked: Span) -> Outcome<Value> {
        self.object_of(id, &mut |_| true, asked)
    }

    /// Some of what expressions may read of an instance.
    fn object_of(
        &self,
        id: InstanceId,
        wanted: &mut dyn FnMut(&str) -> bool,
        asked: Span,
    ) -> Outcome<Value> {
        self.touch(id);
        let kind = self.block(&self.instance(id)).kind;
        let names = readable_names(kind).filter(|name| wanted(name));
        let members: Vec<_> = names
            .map(|name| (name, self.part(id, name, asked)))
            .collect();
        let members = members.into_iter().map(|(name, value)| Ok((name, value?)));
        Ok(Value::object(members.collect::<Outcome<Vec<_>>>()?))
    }
}
