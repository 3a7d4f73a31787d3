//! `import { to = workload.a  id = "db" }`: what somebody else has made and is declared at an address from now on. With
//! `for_each` one block speaks of many.

use crate::engine::{Engine, Failed, Outcome};
use crate::expand::Repetition;
use crate::fit::shown;
use crate::moves::{self, Endpoint};
use crate::schema::Schema;
use crate::scope::Place;
use crate::syntax::{Expr, Section};
use crate::tree::Repeat;
use crate::{Address, Key, Mode};
use hcl_edit::expr::{Expression, TraversalOperator};
use infra_diag::{Diagnostic, Diagnostics, Span};
use infra_expr::{Type, Value, convert};
use std::collections::BTreeMap;

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub to: Address,
    /// As its daemon calls it, or whole: `HOST/docker/container/NAME`.
    pub id: String,
    /// Where the address is written, and where the id is.
    pub to_span: Span,
    pub id_span: Span,
}

/// One block of the root module, as it stands there.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) repeat: Repeat,
    to: Endpoint,
    to_span: Span,
    /// Keys in the address that are worked out, by the step they belong to.
    keys: BTreeMap<usize, Expr>,
    id: Expr,
}

impl Written {
    /// Those that may speak of `each`.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expr> {
        self.keys.values().chain([&self.id])
    }
}

pub(crate) fn import(
    mut section: Section,
    schema: Schema,
    found: &mut Diagnostics,
) -> Option<Written> {
    section.no_label(found);
    let to = section.required("to", found);
    let id = section.field("id");
    let for_each = section.field("for_each");
    if id.is_none() {
        found.push(
            Diagnostic::error("Missing attribute")
                .at(section.header, "`id` is not written")
                .hint("write the name that its daemon has for it, as in `id = \"db\"`"),
        );
    }
    section.finish(crate::language::nowhere, found);
    let (mut to, id) = (to?, id?.value);
    let to_span = to.span;
    let keys = keys(&mut to);
    let to = moves::endpoint(to, schema, found)?;
    if to.block.is_none() {
        found.push(
            Diagnostic::error("Invalid address")
                .at(to_span, "a module is no object")
                .hint("write workload.name, network.name, module.name.workload.name, …"),
        );
        return None;
    }
    let repeat = for_each.map_or(Repeat::Once, |field| Repeat::ForEach(field.value));
    Some(Written {
        repeat,
        to,
        to_span,
        keys,
        id,
    })
}

/// Takes the keys out of an address that are no literals: a number stands in the place of each.
fn keys(to: &mut Expr) -> BTreeMap<usize, Expr> {
    let source = to.source();
    let (mut keys, mut names) = (BTreeMap::new(), 0_usize);
    let Expression::Traversal(traversal) = &mut to.node else {
        return keys;
    };
    for operator in &mut traversal.operators {
        match operator.value_mut() {
            TraversalOperator::GetAttr(_) => names += 1,
            TraversalOperator::Index(Expression::Number(_) | Expression::String(_)) => {}
            TraversalOperator::Index(index) => {
                let placeholder = Expression::from(0_u64);
                let key = std::mem::replace(index, placeholder);
                // A kind and a name are one step; the first kind is the root.
                keys.insert(names.saturating_sub(1) / 2, Expr::new(key, source));
            }
            _ => {}
        }
    }
    keys
}

impl Engine {
    /// All that is imported. What the blocks say must be known before addresses are allocated: what is taken over is
    /// looked for while planning.
    pub(crate) fn imports(&self) -> Vec<Import> {
        let mut imports: Vec<Import> = Vec::new();
        for written in &self.tree.imports {
            let all = self.said(self.imports_of(written)).unwrap_or_default();
            for one in all {
                if let Some(first) = imports.iter().find(|first| first.to == one.to) {
                    self.report([twice(first, &one)]);
                }
                imports.push(one);
            }
        }
        imports
    }

    fn imports_of(&self, written: &Written) -> Outcome<Vec<Import>> {
        let one = |repetition: &Repetition| {
            let place = Place::repeated(self, 0, repetition);
            self.import(written, &place)
        };
        let Repeat::ForEach(expr) = &written.repeat else {
            return Ok(one(&Repetition::Once)?.into_iter().collect());
        };
        let value = self.evaluate(expr, &Place::module(self, 0))?;
        let entries = self.each_of(&value, expr, "for_each")?;
        let mut imports = Vec::new();
        for (key, value) in entries.into_iter().flatten() {
            let key = Value::string(key);
            imports.extend(one(&Repetition::Each { key, value })?);
        }
        Ok(imports)
    }

    /// Nothing where it is not known, which is only so when validating.
    fn import(&self, written: &Written, place: &Place<'_>) -> Outcome<Option<Import>> {
        let mut to = written.to.clone();
        for (step, expr) in &written.keys {
            let Some(value) = self.known(expr, place)? else {
                return Ok(None);
            };
            let key = key(&value).ok_or_else(|| {
                let text = format!("{} is no key of an instance", shown(&value));
                let error = Diagnostic::error("Invalid address").at(expr.span, text);
                self.fail(error.hint("a key is a text, or a whole number from 0 on"))
            })?;
            to.set_key(*step, key);
        }
        let Some(value) = self.known(&written.id, place)? else {
            return Ok(None);
        };
        let wrong = |summary, text: String, hint: &str| {
            let error = Diagnostic::error(summary).at(written.id.span, text);
            self.fail(error.hint(hint))
        };
        let text = convert(&value, &Type::String).ok();
        let Some(id) = text.as_ref().and_then(Value::as_str) else {
            let text = format!("{} is no text", shown(&value));
            return Err(wrong(
                "Wrong type",
                text,
                "write the name that its daemon has for it",
            ));
        };
        if id.is_empty() {
            let text = "an object's name is not empty".to_owned();
            return Err(wrong(
                "Invalid name",
                text,
                "write the name that its daemon has for it",
            ));
        }
        let to = to.instance().ok_or(Failed::SAID)?;
        Ok(Some(Import {
            to,
            id: id.to_owned(),
            to_span: written.to_span,
            id_span: written.id.span,
        }))
    }

    /// A value that stands in messages and decides what is looked at.
    fn known(&self, expr: &Expr, place: &Place<'_>) -> Outcome<Option<Value>> {
        let value = self.evaluate(expr, place)?;
        if value.contains_sensitive() {
            let text = "this is sensitive, and what is imported is shown";
            let error = Diagnostic::error("Import of a secret").at(expr.span, text);
            return Err(self.fail(error.hint("unmark it with nonsensitive()")));
        }
        if !value.contains_unknown() {
            return Ok(Some(value));
        }
        if self.inputs.mode == Mode::Validate {
            return Ok(None);
        }
        let text = "this is not known before addresses are allocated";
        let error = Diagnostic::error("Unknown import").at(expr.span, text);
        Err(self.fail(error.hint("let it depend on variables and locals only")))
    }
}

fn key(value: &Value) -> Option<Key> {
    match value.as_str() {
        Some(text) => Some(Key::Text(text.into())),
        None => u64::try_from(value.as_i64()?).ok().map(Key::Index),
    }
}

/// Two that name one address.
fn twice(first: &Import, again: &Import) -> Diagnostic {
    let error = Diagnostic::error("Imported twice")
        .at(again.to_span, format!("`{}` is one object", first.to));
    match first.to_span == again.to_span {
        true => error.hint("write a key in the address, as in workload.name[each.key]"),
        false => error
            .at(first.to_span, "another one is imported here")
            .hint("remove one of the two"),
    }
}

impl Endpoint {
    /// The one instance it is; none where it is a module.
    fn instance(&self) -> Option<Address> {
        let (kind, name, key) = self.block.clone()?;
        let module = crate::ModulePath(self.module.clone());
        Some(Address::new(module, &kind, &name, key))
    }

    fn set_key(&mut self, step: usize, key: Key) {
        match (self.module.get_mut(step), &mut self.block) {
            (Some(step), _) => step.key = Some(key),
            (None, Some((_, _, own))) => *own = Some(key),
            (None, None) => {}
        }
    }
}
