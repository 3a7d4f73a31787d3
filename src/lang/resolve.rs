//! Attributes that name a declared instance: by the object itself, by its `id`, or by a bare name in the
//! same module. Whichever it is, the attribute's value becomes the instance's address.

use crate::Address;
use crate::engine::{Engine, InstanceId, Node, Outcome};
use crate::expand::Expansion;
use crate::fit::{Misfit, shown};
use crate::scope::Place;
use crate::words::{article, listed, nearest};
use infra_diag::Span;
use infra_expr::{Kind, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Engine {
    /// The address that a value names, as a string; the instance is then one of what it was made from.
    pub(crate) fn resolve(
        &self,
        value: &Value,
        kinds: &'static [&'static str],
        place: &Place<'_>,
        span: Span,
    ) -> Result<Value, Misfit> {
        let Some(name) = Self::named(value) else {
            let text = format!("must name {}, and is {}", one_of(kinds), shown(value));
            return Err(Misfit::new("Wrong type", text));
        };
        let id = match name.parse::<Address>() {
            Ok(address) => self.at_address(&address, kinds, span)?,
            Err(_) => self.by_name(&name, kinds, place, span)?,
        };
        self.touch(id);
        Ok(Value::string(self.instance(id).address.to_string()))
    }

    fn at_address(
        &self,
        address: &Address,
        kinds: &[&str],
        span: Span,
    ) -> Result<InstanceId, Misfit> {
        if !kinds.contains(&&*address.kind) {
            let text = format!("must name {}, and `{address}` is none", one_of(kinds));
            let hint = format!("write {}.NAME", kinds.join(".NAME or "));
            return Err(Misfit::new("Wrong kind of reference", text).hint(Some(hint)));
        }
        let found = self
            .said(self.find(address, span))
            .map_err(|_| Misfit::new("", ""))?;
        found.ok_or_else(|| {
            Misfit::new(
                "Reference to nothing",
                format!("names `{address}`, which there is not"),
            )
        })
    }

    /// A bare name: a block of the same module.
    fn by_name(
        &self,
        name: &str,
        kinds: &'static [&'static str],
        place: &Place<'_>,
        span: Span,
    ) -> Result<InstanceId, Misfit> {
        let module = place.module_id();
        let declared = &self.declarations(module).declared;
        let tables = kinds.iter().filter_map(|kind| declared.get_key_value(kind));
        let found = tables
            .clone()
            .find_map(|(kind, table)| Some((*kind, table.key(name)?.clone())));
        let Some((kind, name)) = found else {
            if self.declarations(module).partial {
                return Err(Misfit::new("", ""));
            }
            let names: BTreeSet<&str> = tables.flat_map(|(_, table)| table.names()).collect();
            let hint = match nearest(name, names.iter().copied()) {
                Some(near) => Some(format!("did you mean `{near}`?")),
                None => Some(format!(
                    "declare it: {} \"{name}\" {{ … }}",
                    kinds.first().unwrap_or(&"…")
                )),
            };
            let text = format!(
                "names \"{name}\", and there is no such {}",
                kinds.join(" or ")
            );
            return Err(Misfit::new("Reference to nothing", text).hint(hint));
        };
        let node = Node::Declared(module, kind, name.clone());
        let expansion = self
            .said(self.expansion(node, span))
            .map_err(|_| Misfit::new("", ""))?;
        match &*expansion {
            Expansion::Once(id) | Expansion::Unknown(id) => Ok(*id),
            Expansion::Count(_) | Expansion::Each(_) => {
                let text = format!("names \"{name}\", of which there are several");
                let hint = format!("say which: {kind}.{name}[…]");
                Err(Misfit::new("Ambiguous reference", text).hint(Some(hint)))
            }
        }
    }

    /// The instance at an address, if there is one.
    fn find(&self, address: &Address, asked: Span) -> Outcome<Option<InstanceId>> {
        let mut module = 0;
        for step in &address.module.0 {
            let Some(name) = self.declarations(module).calls.key(&step.name) else {
                return Ok(None);
            };
            let expansion = self.expansion(Node::Call(module, name.clone()), asked)?;
            let Some(inner) = expansion.at(step.key.as_ref()) else {
                return Ok(None);
            };
            module = inner;
        }
        let declared = &self.declarations(module).declared;
        let Some((kind, table)) = declared.get_key_value(&*address.kind) else {
            return Ok(None);
        };
        let Some(name) = table.key(&address.name) else {
            return Ok(None);
        };
        let expansion = self.expansion(Node::Declared(module, kind, name.clone()), asked)?;
        Ok(expansion.at(address.key.as_ref()))
    }

    /// What a value says that should name a declared instance: its `id`, or that of the object it is.
    fn named(value: &Value) -> Option<Arc<str>> {
        match value.kind() {
            Kind::String(text) => Some(text.clone()),
            Kind::Object(members) => members.get("id")?.as_str().map(Arc::from),
            _ => None,
        }
    }
}

fn one_of(kinds: &[&str]) -> String {
    format!(
        "{} {}",
        article(kinds.first().unwrap_or(&"")),
        listed(kinds, "or")
    )
}
