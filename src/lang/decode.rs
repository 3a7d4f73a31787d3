//! Blocks of instances → evaluated blocks: each attribute by its expression or its default, and made to fit
//! its shape; nested blocks with what `dynamic` makes of them.

use crate::Mode;
use crate::declared::wrong_amount;
use crate::engine::{Engine, Failed, InstanceId, Node, Outcome};
use crate::evaluation::{Block, Spanned};
use crate::few::Few;
use crate::fit::{Misfit, fit, shown};
use crate::schema::{Attribute, Given, Nested, Shape};
use crate::scope::Place;
use crate::syntax::{Expr, twice};
use crate::tree::{Body, Dynamic, Item, Setting};
use hcl_edit::parser::parse_expr;
use infra_diag::{Diagnostic, SourceId, Span};
use infra_expr::{Type, Value, constant};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Engine {
    /// A top-level attribute of an instance; null where it is neither written nor has a default.
    pub(crate) fn attribute(&self, id: InstanceId, index: usize) -> Outcome<Value> {
        let at = self.instance(id);
        let body = &self.block(&at).body;
        self.setting(body, index, &Place::instance(self, &at))
    }

    /// The nested blocks of an instance that are of one kind.
    pub(crate) fn nested(&self, id: InstanceId, index: usize) -> Outcome<Vec<Arc<Block>>> {
        let at = self.instance(id);
        let body = &self.block(&at).body;
        self.items(body, index, body.header, &Place::instance(self, &at))
    }

    /// The whole block of an instance.
    pub(crate) fn decode(&self, id: InstanceId) -> Outcome<Block> {
        let at = self.instance(id);
        let body = &self.block(&at).body;
        let kind = body.kind;
        // All of them, before the first error counts: each may have one. What is not written needs no working out.
        let values: Vec<_> = (0..kind.attributes.len())
            .map(|i| match body.settings.get(&i) {
                Some(_) => (i, self.value(Node::Attribute(id, i), body.header)),
                None => (i, self.default(&kind.attributes[i], body)),
            })
            .map(|(i, value)| (i, self.said(value)))
            .collect();
        let blocks: Vec<_> = (0..kind.blocks.len())
            .filter(|i| body.items.get(i).is_some())
            .map(|i| self.said(self.blocks(Node::Nested(id, i), body.header)))
            .collect();
        let attributes = values.into_iter().map(|(i, value)| Ok((i, value?)));
        let attributes = written(body, attributes.collect::<Outcome<Vec<_>>>()?);
        let blocks: Outcome<Vec<_>> = blocks.into_iter().collect();
        let blocks = blocks?
            .iter()
            .flat_map(|blocks| blocks.iter().cloned())
            .collect();
        Ok(Block {
            kind: kind.name,
            label: None,
            attributes,
            blocks,
            span: body.header,
        })
    }

    fn setting(&self, body: &Body, index: usize, place: &Place<'_>) -> Outcome<Value> {
        let attribute = &body.kind.attributes[index];
        let Some(setting) = body.settings.get(&index) else {
            return self.default(attribute, body);
        };
        let value = match setting.only_names {
            true => self.evaluate(&setting.value, &place.only_names())?,
            false => self.evaluate(&setting.value, place)?,
        };
        let value = self.fitted(&value, attribute, setting, place)?;
        if !value.is_null() {
            return Ok(value.with_sensitive(attribute.sensitive));
        }
        if attribute.given == Given::Required {
            return Err(self.fail(
                Diagnostic::error("Missing attribute")
                    .at(
                        setting.value.span,
                        format!(
                            "`{}` needs `{}`, and this is null",
                            body.kind.name, attribute.name
                        ),
                    )
                    .hint("null is the same as not writing it"),
            ));
        }
        self.default(attribute, body)
    }

    fn fitted(
        &self,
        value: &Value,
        attribute: &Attribute,
        setting: &Setting,
        place: &Place<'_>,
    ) -> Outcome<Value> {
        let resolve = |value: &Value, kinds| self.resolve(value, kinds, place, setting.value.span);
        let fitted = fit(value, &attribute.shape, &resolve);
        fitted.map_err(|misfit| match misfit.summary {
            // Reported already, by what was asked on the way.
            "" => Failed::SAID,
            _ => self.fail(misfit.diagnostic(attribute.name, setting.value.span)),
        })
    }

    /// What a missing attribute becomes. A missing one that is required was reported before.
    fn default(&self, attribute: &Attribute, body: &Body) -> Outcome<Value> {
        let text = match attribute.given {
            Given::Optional => return Ok(Value::null_of(attribute.shape.ty())),
            Given::Required => return Err(Failed::SAID),
            Given::Default(text) => text,
        };
        let key = std::ptr::from_ref(attribute).addr();
        if let Some(known) = self.defaults.borrow().get(&key) {
            return known.clone();
        }
        let value = default_value(attribute, text).map_err(|why| {
            let text = format!("the default of `{}` is wrong: {why}", attribute.name);
            self.fail(Diagnostic::error("Error in the schema").at(body.header, text))
        });
        self.defaults.borrow_mut().insert(key, value.clone());
        value
    }

    /// Nested blocks of one kind, those made by `dynamic` in its place.
    fn items(
        &self,
        body: &Body,
        index: usize,
        outer: Span,
        place: &Place<'_>,
    ) -> Outcome<Vec<Arc<Block>>> {
        let Some(items) = body.items.get(&index) else {
            return Ok(Vec::new());
        };
        let mut blocks = Vec::new();
        let mut complete = true;
        let mut outcome = Ok(());
        for item in items {
            match item {
                Item::Block(inner) => match self.said(self.body(inner, inner.label.clone(), place))
                {
                    Ok(block) => blocks.push(Arc::new(block)),
                    Err(failed) => outcome = Err(failed),
                },
                Item::Dynamic(dynamic) => {
                    match self.said(self.dynamic(dynamic, &mut blocks, place)) {
                        Ok(known) => complete &= known,
                        Err(failed) => outcome = Err(failed),
                    }
                }
            }
        }
        outcome?;
        if complete && items.iter().any(|item| matches!(item, Item::Dynamic(_))) {
            self.amount(body, &body.kind.blocks[index], &blocks, outer)?;
        }
        Ok(blocks)
    }

    fn body(
        &self,
        body: &Body,
        label: Option<Spanned<Arc<str>>>,
        place: &Place<'_>,
    ) -> Outcome<Block> {
        let kind = body.kind;
        let values: Vec<_> = (0..kind.attributes.len())
            .map(|i| (i, self.said(self.setting(body, i, place))))
            .collect();
        let blocks: Vec<_> = (0..kind.blocks.len())
            .map(|i| self.said(self.items(body, i, body.header, place)))
            .collect();
        let attributes = values.into_iter().map(|(i, value)| Ok((i, value?)));
        let attributes = written(body, attributes.collect::<Outcome<Vec<_>>>()?);
        let blocks: Outcome<Vec<_>> = blocks.into_iter().collect();
        let blocks = blocks?.into_iter().flatten().collect();
        Ok(Block {
            kind: kind.name,
            label,
            attributes,
            blocks,
            span: body.header,
        })
    }

    /// Adds the blocks that a `dynamic` makes; false when it is not known which those are.
    fn dynamic(
        &self,
        dynamic: &Dynamic,
        blocks: &mut Vec<Arc<Block>>,
        place: &Place<'_>,
    ) -> Outcome<bool> {
        let value = self.evaluate(&dynamic.for_each, place)?;
        let Some(entries) = self.entries(&value, &dynamic.for_each)? else {
            return Ok(false);
        };
        let mut outcome = Ok(true);
        for (key, value) in entries {
            let place = place.at(&dynamic.iterator, &key, &value);
            let block = self.label(dynamic, &place);
            let block = block.and_then(|label| self.body(&dynamic.content, label, &place));
            match self.said(block) {
                Ok(block) => blocks.push(Arc::new(block)),
                Err(failed) => outcome = Err(failed),
            }
        }
        outcome
    }

    /// What `dynamic` goes through: any collection, as the blocks have no addresses of their own.
    fn entries(&self, value: &Value, expr: &Expr) -> Outcome<Option<Vec<(Value, Value)>>> {
        let wrong = |text: &str| Diagnostic::error("Invalid for_each").at(expr.span, text);
        if value.is_sensitive() {
            return Err(self.fail(wrong(
                "this is sensitive, and how many blocks there are is not",
            )));
        }
        if value.is_unknown() {
            return match self.inputs.mode {
                Mode::Validate => Ok(None),
                Mode::Plan => Err(self.fail(
                    wrong("this is not known before addresses are allocated")
                        .hint("let it depend on variables and locals only"),
                )),
            };
        }
        let entries = value
            .entries()
            .map(|all| all.map(|(key, value)| (key, value.clone())));
        match entries {
            Some(entries) => Ok(Some(entries.collect())),
            None => Err(self.fail(
                wrong("this must be a list, a set or a map")
                    .hint("write [VALUE, …] or { KEY = VALUE, … }"),
            )),
        }
    }

    fn label(&self, dynamic: &Dynamic, place: &Place<'_>) -> Outcome<Option<Spanned<Arc<str>>>> {
        let Some(labels) = &dynamic.labels else {
            return Ok(None);
        };
        let span = labels.span;
        let value = self.evaluate(labels, place)?;
        let wrong = |text: String| self.fail(Diagnostic::error("Invalid label").at(span, text));
        let [label] = value.as_list().unwrap_or_default() else {
            let kind = dynamic.content.kind.name;
            return Err(wrong(format!(
                "`{kind}` has one label, so this is a list of one"
            )));
        };
        if label.contains_sensitive() {
            return Err(wrong("a label is not sensitive, and this is".to_owned()));
        }
        if label.is_unknown() && self.inputs.mode == Mode::Validate {
            return Ok(None);
        }
        match infra_expr::convert(label, &Type::String)
            .ok()
            .as_ref()
            .and_then(Value::as_str)
        {
            Some(text) => Ok(Some(Spanned {
                value: text.into(),
                span,
            })),
            None => Err(wrong(format!("{} is no string", shown(label)))),
        }
    }

    /// Blocks made by `dynamic` are subject to what is checked of written ones in `declared.rs`.
    fn amount(
        &self,
        body: &Body,
        nested: &Nested,
        blocks: &[Arc<Block>],
        outer: Span,
    ) -> Outcome<()> {
        let headers: Vec<Span> = blocks.iter().map(|block| block.span).collect();
        if let Some(error) = wrong_amount(outer, body.kind.name, nested, &headers) {
            return Err(self.fail(error));
        }
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        for label in blocks.iter().filter_map(|block| block.label.as_ref()) {
            if let Some(first) = seen.insert(&label.value, label.span) {
                let what = format!("{} \"{}\"", nested.kind.name, label.value);
                return Err(self.fail(twice(&what, label.span, first)));
            }
        }
        Ok(())
    }
}

/// The attributes that have a value, each at its place.
fn written(body: &Body, values: Vec<(usize, Value)>) -> Few<&'static str, Spanned<Value>> {
    let values = values.into_iter().filter(|(_, value)| !value.is_null());
    let place = |index: &usize| {
        body.settings
            .get(index)
            .map_or(body.header, |s| s.value.span)
    };
    let named = |(index, value): (usize, Value)| {
        (
            body.kind.attributes[index].name,
            Spanned {
                span: place(&index),
                value,
            },
        )
    };
    values.map(named).collect()
}

/// The value of a default in the schema.
pub(crate) fn default_value(attribute: &Attribute, text: &str) -> Result<Value, String> {
    let node = parse_expr(text).map_err(|error| error.message().to_owned())?;
    let value = constant(&node, SourceId(0)).map_err(|_| "it does not evaluate".to_owned())?;
    if matches!(attribute.shape, Shape::Ref(_)) {
        return Err("a reference has no default".to_owned());
    }
    let no_reference = |_: &Value, _| Err(Misfit::new("", "holds a reference"));
    fit(&value, &attribute.shape, &no_reference).map_err(|misfit| misfit.text)
}

/// Nested blocks as an expression sees them: an object or null, a list, or a map by label.
pub(crate) fn readable<'a>(nested: &Nested, blocks: impl IntoIterator<Item = &'a Block>) -> Value {
    let object = |block: &Block| block_object(nested, block);
    let mut blocks = blocks.into_iter();
    if nested.kind.label.is_some() {
        let label = |block: &Block| block.label.as_ref().map(|label| label.value.clone());
        return Value::object(blocks.filter_map(|b| Some((label(b)?, object(b)))));
    }
    match nested.max {
        1 => blocks.next().map_or_else(Value::null, object),
        _ => Value::tuple(blocks.map(object)),
    }
}

fn block_object(nested: &Nested, block: &Block) -> Value {
    let attributes = nested.kind.attributes.iter().map(|attribute| {
        let value = block.get(attribute.name).map(|a| a.value.clone());
        (
            attribute.name,
            value.unwrap_or_else(|| Value::null_of(attribute.shape.ty())),
        )
    });
    let blocks = nested
        .kind
        .blocks
        .iter()
        .filter(|inner| inner.readable)
        .map(|inner| {
            let of_kind = block.nested(inner.kind.name);
            (inner.kind.name, readable(inner, of_kind))
        });
    Value::object(attributes.chain(blocks))
}
