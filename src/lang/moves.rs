//! `moved` and `removed`: what has another address now, and what is let go of. Both speak of instances that were
//! declared once, so nothing in them is evaluated.

use crate::schema::Schema;
use crate::syntax::{Expr, Section, hinted};
use crate::tree::{Repeat, Tree};
use crate::words::suggest;
use crate::{Address, Key, ModulePath, Step, literal};
use hcl_edit::expr::{Expression, TraversalOperator};
use infra_diag::{Diagnostic, Diagnostics, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Kind, name and key.
pub(crate) type Part = (Arc<str>, Arc<str>, Option<Key>);

/// A block or a module, or one instance of it, as seen from the module it is written in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) module: Vec<Step>,
    /// None: it is a module.
    pub(crate) block: Option<Part>,
}

/// One block, as it stands in a module.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) from: Endpoint,
    pub(crate) what: What,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Moved { to: Endpoint },
    Removed { destroy: bool },
}

/// A block that holds for every instance of the module it is in.
#[derive(Clone, Debug)]
struct Rule {
    /// Names of modules from the root on.
    scope: Vec<Arc<str>>,
    written: Written,
}

/// Of a declared block, by the modules it is in, its kind and its name: whether it has a `count`.
type Counted = BTreeMap<Vec<Arc<str>>, BTreeMap<&'static str, BTreeMap<Arc<str>, bool>>>;

/// All that a configuration says about former addresses.
#[derive(Clone, Debug, Default)]
pub struct Moves {
    written: Vec<Rule>,
    counted: Counted,
    /// Whether any has.
    counts: bool,
}

/// `moved { from = workload.a  to = workload.b }`.
pub(crate) fn moved(
    mut section: Section,
    schema: Schema,
    found: &mut Diagnostics,
) -> Option<Written> {
    section.no_label(found);
    let span = section.header;
    let (from, to) = (
        section.required("from", found),
        section.required("to", found),
    );
    section.finish(crate::language::nowhere, found);
    let (from, to) = (from?, to?);
    let to_span = to.span;
    let (from, to) = (endpoint(from, schema, found), endpoint(to, schema, found));
    let (from, to) = (from?, to?);
    let kind = |e: &Endpoint| e.block.as_ref().map(|(kind, ..)| kind.clone());
    if kind(&from) != kind(&to) {
        let text = format!(
            "`{}` cannot become `{}`",
            kind(&from).as_deref().unwrap_or("module"),
            kind(&to).as_deref().unwrap_or("module")
        );
        found.push(
            Diagnostic::error("Moved to another kind")
                .at(to_span, text)
                .hint("write an address of the same kind"),
        );
        return None;
    }
    Some(Written {
        from,
        what: What::Moved { to },
        span,
    })
}

/// `removed { from = workload.a  lifecycle { destroy = false } }`.
pub(crate) fn removed(
    mut section: Section,
    schema: Schema,
    found: &mut Diagnostics,
) -> Option<Written> {
    section.no_label(found);
    let span = section.header;
    let from = section.required("from", found);
    let mut destroy = true;
    if let Some(mut lifecycle) = section.section("lifecycle", found) {
        lifecycle.no_label(found);
        destroy = literal::bool(lifecycle.field("destroy"), true, found);
        lifecycle.finish(crate::language::nowhere, found);
    }
    section.finish(crate::language::nowhere, found);
    let from = endpoint(from?, schema, found)?;
    Some(Written {
        from,
        what: What::Removed { destroy },
        span,
    })
}

pub(crate) fn endpoint(expr: Expr, schema: Schema, found: &mut Diagnostics) -> Option<Endpoint> {
    let span = expr.span;
    let endpoint = steps(expr.node).and_then(parts);
    match &endpoint {
        None => found.push(
            Diagnostic::error("Invalid address")
                .at(
                    span,
                    "this names no block, no module and no instance of one",
                )
                .hint(
                    "write workload.name, workload.name[0], workload.name[\"key\"], module.name, …",
                ),
        ),
        Some(Endpoint {
            block: Some((kind, ..)),
            ..
        }) if &**kind == "host" => found.push(
            Diagnostic::error("Hosts do not move")
                .at(span, "what is on a host is known by the host's label")
                .hint("keep the label, or destroy what is there first"),
        ),
        Some(Endpoint {
            block: Some((kind, ..)),
            ..
        }) if schema.kind(kind).is_none() => {
            let kinds = schema.kinds.iter().map(|kind| kind.name);
            let error = Diagnostic::error("Invalid address")
                .at(span, format!("there is no block `{kind}`"));
            found.push(hinted(error, suggest(kind, kinds, "there are")));
        }
        Some(_) => return endpoint,
    }
    None
}

/// `module.m[0].workload.a` as (module, m, 0), (workload, a, none).
fn steps(node: Expression) -> Option<Vec<Part>> {
    let Expression::Traversal(traversal) = node else {
        return None;
    };
    let mut kind: Option<Arc<str>> = Some(traversal.expr.as_variable()?.as_str().into());
    let mut steps: Vec<Part> = Vec::new();
    for operator in traversal.operators {
        match (operator.into_value(), kind.take()) {
            (TraversalOperator::GetAttr(name), Some(kind)) => {
                steps.push((kind, name.as_str().into(), None))
            }
            (TraversalOperator::GetAttr(name), None) => kind = Some(name.as_str().into()),
            (TraversalOperator::Index(index), None) => {
                let last = steps.last_mut().filter(|(_, _, key)| key.is_none())?;
                last.2 = Some(key(index)?);
            }
            _ => return None,
        }
    }
    kind.is_none().then_some(steps)
}

fn key(index: Expression) -> Option<Key> {
    match index {
        Expression::Number(n) => n.as_u64().map(Key::Index),
        Expression::String(text) => Some(Key::Text(text.as_str().into())),
        _ => None,
    }
}

fn parts(steps: Vec<Part>) -> Option<Endpoint> {
    let mut endpoint = Endpoint {
        module: Vec::new(),
        block: None,
    };
    for (kind, name, key) in steps {
        match &endpoint.block {
            Some(_) => return None,
            None if &*kind == "module" => endpoint.module.push(Step { name, key }),
            None => endpoint.block = Some((kind, name, key)),
        }
    }
    (endpoint.block.is_some() || !endpoint.module.is_empty()).then_some(endpoint)
}

impl Endpoint {
    /// What an address adds to this endpoint, where it is one of its instances or in one of them; `all`: an endpoint
    /// without a key stands for all its instances.
    fn split<'a>(
        &self,
        module: &'a [Step],
        address: &'a Address,
        all: bool,
    ) -> Option<(Option<&'a Key>, &'a [Step])> {
        let fits = |own: &Option<Key>, key: &'a Option<Key>| match (own, key) {
            (Some(own), Some(key)) if own == key => Some(None),
            (None, key) if all || key.is_none() => Some(key.as_ref()),
            _ => None,
        };
        match &self.block {
            Some((kind, name, key)) => {
                let same = *module == self.module && (&address.kind, &address.name) == (kind, name);
                same.then(|| fits(key, &address.key))
                    .flatten()
                    .map(|key| (key, module))
            }
            None => {
                let (last, outer) = self.module.split_last()?;
                let rest = module.strip_prefix(outer)?;
                let (step, rest) = rest.split_first()?;
                let key = (step.name == last.name)
                    .then(|| fits(&last.key, &step.key))
                    .flatten()?;
                Some((key, rest))
            }
        }
    }

    fn key(&self) -> Option<&Key> {
        match &self.block {
            Some((_, _, key)) => key.as_ref(),
            None => self.module.last().and_then(|step| step.key.as_ref()),
        }
    }
}

impl Rule {
    /// The part of an address's module path that is inside of this rule's module.
    fn inside<'a>(&self, address: &'a Address) -> Option<&'a [Step]> {
        let (outer, inner) = address.module.0.split_at_checked(self.scope.len())?;
        let same = outer
            .iter()
            .zip(&self.scope)
            .all(|(step, name)| step.name == *name);
        same.then_some(inner)
    }

    fn moved(&self, address: &Address) -> Option<Address> {
        let What::Moved { to } = &self.written.what else {
            return None;
        };
        let inner = self.inside(address)?;
        // An instance becomes an instance, a whole block a whole block with the keys it has.
        let all = to.key().is_none();
        let (kept, rest) = self.written.from.split(inner, address, all)?;
        let mut module = address.module.0[..self.scope.len()].to_vec();
        module.extend(to.module.iter().cloned());
        match &to.block {
            Some((kind, name, key)) => {
                let key = key.as_ref().or(kept).cloned();
                Some(Address::new(ModulePath(module), kind, name, key))
            }
            None => {
                if let (Some(last), Some(key)) = (module.last_mut(), kept) {
                    last.key = Some(key.clone());
                }
                module.extend(rest.iter().cloned());
                Some(Address {
                    module: ModulePath(module),
                    ..address.clone()
                })
            }
        }
    }

    fn removes(&self, address: &Address) -> Option<bool> {
        let What::Removed { destroy } = self.written.what else {
            return None;
        };
        let inner = self.inside(address)?;
        self.written
            .from
            .split(inner, address, true)
            .map(|_| destroy)
    }
}

impl Moves {
    pub(crate) fn of(tree: &Tree) -> Self {
        let mut moves = Self::default();
        // A module that includes itself was not loaded: this ends.
        let mut queue = vec![(Vec::new(), 0)];
        while let Some((scope, index)) = queue.pop() {
            let module = &tree.modules[index];
            let rule = |written: &Written| Rule {
                scope: scope.clone(),
                written: written.clone(),
            };
            moves.written.extend(module.moves.iter().map(rule));
            for (kind, table) in &module.declared {
                let counted = table.iter().filter_map(|(name, _, block)| {
                    let counted = match block.repeat {
                        Repeat::Once => false,
                        Repeat::Count(_) => true,
                        Repeat::ForEach(_) => return None,
                    };
                    Some((name.clone(), counted))
                });
                let counted: BTreeMap<Arc<str>, bool> = counted.collect();
                moves.counts |= counted.values().any(|counted| *counted);
                let kinds = moves.counted.entry(scope.clone()).or_default();
                kinds.insert(kind, counted);
            }
            for (name, _, call) in module.calls.iter() {
                let inner = scope.iter().chain([name]).cloned().collect();
                queue.extend(call.module.map(|module| (inner, module)));
            }
        }
        moves
    }

    /// One move from the root module, by two addresses as `moved` would have them.
    ///
    /// # Errors
    /// What is wrong with them, in words for a person.
    pub fn between(from: &str, to: &str, schema: Schema) -> Result<Self, String> {
        let read = |text: &str| {
            let parsed = text.parse::<Expression>().ok().and_then(steps);
            let endpoint = parsed.and_then(parts);
            endpoint
                .ok_or_else(|| format!("`{text}` names no block, no module and no instance of one"))
        };
        let (from, to) = (read(from)?, read(to)?);
        let kind = |e: &Endpoint| {
            e.block
                .as_ref()
                .map_or("module".into(), |(kind, ..)| kind.clone())
        };
        let (was, is) = (kind(&from), kind(&to));
        if was != is {
            return Err(format!("`{was}` cannot become `{is}`"));
        }
        if &*was == "host" {
            return Err("a host does not move: what is on it is known by its label".to_owned());
        }
        if &*was != "module" && schema.kind(&was).is_none() {
            return Err(format!("there is no block `{was}`"));
        }
        let span = Span::new(infra_diag::Sources::new().add("", ""), 0..0);
        let what = What::Moved { to };
        let written = Written { from, what, span };
        let scope = Vec::new();
        Ok(Self {
            written: vec![Rule { scope, written }],
            ..Self::default()
        })
    }

    /// Whether it may say anything about an address, told by its text alone: mostly it does not.
    #[must_use]
    pub fn concerns(&self, address: &str) -> bool {
        !self.written.is_empty() || self.counts || address.ends_with("[0]")
    }

    /// Where it is declared now without a word: a block that got a `count` is its first instance, and one that lost it
    /// was that.
    #[must_use]
    pub fn implied(&self, address: &Address) -> Option<Address> {
        let scope = address.module.0.iter().map(|step| step.name.clone());
        let kinds = self.counted.get(&scope.collect::<Vec<_>>())?;
        let counted = kinds.get(&*address.kind)?.get(&address.name)?;
        let key = match (counted, &address.key) {
            (true, None) => Some(Key::Index(0)),
            (false, Some(Key::Index(0))) => None,
            _ => return None,
        };
        Some(Address {
            key,
            ..address.clone()
        })
    }

    /// Where what was declared at an address is declared now; none where it stayed.
    #[must_use]
    pub fn now(&self, address: &Address) -> Option<Address> {
        let mut now = address.clone();
        let mut been = BTreeSet::from([now.clone()]);
        while let Some(next) = self.written.iter().find_map(|rule| rule.moved(&now)) {
            // In a circle, which is an error of its own.
            if !been.insert(next.clone()) {
                return None;
            }
            now = next;
        }
        (now != *address).then_some(now)
    }

    /// Whether what was made for an address is let go of instead of removed.
    #[must_use]
    pub fn lets_go(&self, address: &Address) -> bool {
        self.written
            .iter()
            .any(|rule| rule.removes(address) == Some(false))
    }

    /// What contradicts itself, or the addresses that are declared.
    #[must_use]
    pub fn check<'a>(&self, declared: impl Iterator<Item = (&'a Address, Span)>) -> Diagnostics {
        let mut found = Diagnostics::new();
        for (address, origin) in declared {
            for rule in &self.written {
                let span = rule.written.span;
                let (summary, text) = match (rule.moved(address), rule.removes(address)) {
                    (Some(to), _) if to == *address => {
                        ("Moved nowhere", "this leads back to itself".to_owned())
                    }
                    (Some(to), _) => (
                        "Moved and still declared",
                        format!("this says that `{address}` is `{to}` now"),
                    ),
                    (_, Some(_)) => (
                        "Removed and still declared",
                        format!("this says that `{address}` is gone"),
                    ),
                    _ => continue,
                };
                found.push(
                    Diagnostic::error(summary)
                        .at(span, text)
                        .at(origin, "it is declared here")
                        .hint("remove one of the two"),
                );
            }
        }
        found.extend(self.circles());
        found
    }

    fn circles(&self) -> Vec<Diagnostic> {
        let circle = |rule: &&Rule| {
            let from = &rule.written.from;
            let (kind, name, key) = from.block.clone()?;
            let scope = rule.scope.iter().map(|name| Step {
                name: name.clone(),
                key: None,
            });
            let module = ModulePath(scope.chain(from.module.iter().cloned()).collect());
            let start = Address::new(module, &kind, &name, key);
            let mut now = rule.moved(&start)?;
            for _ in &self.written {
                if now == start {
                    return Some(());
                }
                now = self.written.iter().find_map(|rule| rule.moved(&now))?;
            }
            None
        };
        let error = |rule: &Rule| {
            Diagnostic::error("Moved in a circle")
                .at(rule.written.span, "this leads back to where it began")
                .hint("remove it, or those that lead back")
        };
        self.written
            .iter()
            .filter(|rule| circle(rule).is_some())
            .map(error)
            .collect()
    }
}
