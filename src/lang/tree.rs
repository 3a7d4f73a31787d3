//! A configuration as it was written, checked against the schema but not evaluated: modules and what they
//! declare, each by name. Made by `load.rs`, read by everything after it.

use crate::evaluation::{Ignore, Spanned};
use crate::few::Few;
use crate::moves::Written;
use crate::schema::{BlockKind, Schema};
use crate::syntax::Expr;
use crate::{Files, imports, syntax::twice};
use infra_diag::{Diagnostics, Span};
use infra_expr::{Type, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All modules of a configuration; the root is the first.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) schema: Schema,
    pub(crate) files: Arc<dyn Files>,
    pub(crate) project: String,
    pub(crate) modules: Vec<Module>,
    /// Of the root module.
    pub(crate) imports: Vec<imports::Written>,
}

/// A folder of files. It may be called from several places, and be several instances at each.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) folder: String,
    pub(crate) variables: Table<Variable>,
    pub(crate) locals: Table<Expr>,
    pub(crate) outputs: Table<Output>,
    pub(crate) calls: Table<Call>,
    pub(crate) declared: BTreeMap<&'static str, Table<Declared>>,
    /// `moved` and `removed`.
    pub(crate) moves: Vec<Written>,
    /// Parts of it did not parse: what seems to be missing may be there.
    pub(crate) partial: bool,
}

impl Module {
    /// All declared blocks: name, kind, block.
    pub(crate) fn declared(&self) -> impl Iterator<Item = (&Arc<str>, &'static str, &Declared)> {
        let all = self.declared.iter();
        all.flat_map(|(kind, table)| {
            table
                .iter()
                .map(move |(name, _, block)| (name, *kind, block))
        })
    }

    /// Whether a name is declared under a root: `var`, `local`, `module` or a kind of the schema.
    pub(crate) fn declares(&self, root: &str, name: &str) -> bool {
        match root {
            "var" => self.variables.get(name).is_some(),
            "local" => self.locals.get(name).is_some(),
            "module" => self.calls.get(name).is_some(),
            kind => self
                .declared
                .get(kind)
                .is_some_and(|table| table.get(name).is_some()),
        }
    }

    /// The names declared under a root.
    pub(crate) fn names(&self, root: &str) -> Vec<&str> {
        match root {
            "var" => self.variables.names().collect(),
            "local" => self.locals.names().collect(),
            "module" => self.calls.names().collect(),
            kind => self
                .declared
                .get(kind)
                .map(|t| t.names().collect())
                .unwrap_or_default(),
        }
    }
}

/// Things by name, and where each was declared.
#[derive(Debug)]
pub(crate) struct Table<T>(BTreeMap<Arc<str>, (Span, T)>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Table<T> {
    /// Adds a thing; `address` is what an error calls it when the name is taken.
    pub(crate) fn add(
        &mut self,
        name: Spanned<Arc<str>>,
        item: T,
        address: &str,
        found: &mut Diagnostics,
    ) {
        match self.0.get(&name.value) {
            Some((first, _)) => found.push(twice(address, name.span, *first)),
            None => drop(self.0.insert(name.value, (name.span, item))),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.0.get(name).map(|(_, item)| item)
    }

    /// The name as it is kept, for use where it must outlive the text asked with.
    pub(crate) fn key(&self, name: &str) -> Option<&Arc<str>> {
        self.0.get_key_value(name).map(|(name, _)| name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.keys().map(|name| &**name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, Span, &T)> {
        self.0
            .iter()
            .map(|(name, (span, item))| (name, *span, item))
    }
}

#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) header: Span,
    /// `None` where no type is written, which is not quite the same as `any`: see `inputs.rs`.
    pub(crate) ty: Option<Spanned<Type>>,
    pub(crate) default: Option<Spanned<Value>>,
    pub(crate) sensitive: bool,
    pub(crate) nullable: bool,
    pub(crate) validations: Vec<Check>,
}

impl Variable {
    pub(crate) fn constraint(&self) -> Type {
        self.ty.as_ref().map_or(Type::Any, |ty| ty.value.clone())
    }
}

/// `condition` and `error_message`, of a validation or a precondition.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) condition: Expr,
    pub(crate) message: Expr,
}

#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) header: Span,
    pub(crate) value: Expr,
    pub(crate) description: Option<String>,
    pub(crate) sensitive: bool,
    pub(crate) depends_on: Vec<Target>,
    pub(crate) preconditions: Vec<Check>,
}

/// `module "m" { … }`.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) header: Span,
    /// Index into [`Tree::modules`]; `None` when it could not be loaded.
    pub(crate) module: Option<usize>,
    pub(crate) repeat: Repeat,
    pub(crate) inputs: BTreeMap<Arc<str>, (Span, Expr)>,
    pub(crate) depends_on: Vec<Target>,
}

/// `workload "a" { … }` and every other block of the schema.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) kind: &'static BlockKind,
    pub(crate) repeat: Repeat,
    pub(crate) body: Body,
    pub(crate) depends_on: Vec<Target>,
    pub(crate) lifecycle: Lifecycle,
}

impl Declared {
    /// Whether there are expressions about it that are evaluated anew each time they are asked for.
    pub(crate) fn asks_beside_its_body(&self) -> bool {
        !self.lifecycle.preconditions.is_empty()
            || self.lifecycle.prevent_destroy.is_some()
            || self.depends_on.iter().any(|target| target.key.is_some())
    }
}

#[derive(Debug, Default)]
pub(crate) struct Lifecycle {
    pub(crate) prevent_destroy: Option<Expr>,
    pub(crate) create_before_destroy: Option<Expr>,
    pub(crate) ignore_changes: Ignore,
    pub(crate) preconditions: Vec<Check>,
}

#[derive(Debug, Default)]
pub(crate) enum Repeat {
    #[default]
    Once,
    Count(Expr),
    ForEach(Expr),
}

impl Repeat {
    pub(crate) fn expr(&self) -> Option<&Expr> {
        match self {
            Self::Once => None,
            Self::Count(expr) | Self::ForEach(expr) => Some(expr),
        }
    }
}

/// One entry of `depends_on`: a declared block or a module, or one instance of it.
#[derive(Debug)]
pub(crate) struct Target {
    /// `module` or a kind of the schema.
    pub(crate) kind: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) key: Option<Expr>,
    pub(crate) span: Span,
}

/// The body of a declared or nested block: everything in it is known to the schema.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) kind: &'static BlockKind,
    pub(crate) header: Span,
    pub(crate) label: Option<Spanned<Arc<str>>>,
    /// By the attribute's index in the schema.
    pub(crate) settings: Few<usize, Setting>,
    /// By the nested block's index in the schema; of kinds that are not there, nothing.
    pub(crate) items: Few<usize, Vec<Item>>,
}

#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) value: Expr,
    /// It only names declared blocks, so that nothing of them but their addresses is needed.
    pub(crate) only_names: bool,
}

#[derive(Debug)]
pub(crate) enum Item {
    Block(Body),
    Dynamic(Box<Dynamic>),
}

/// `dynamic "kind" { for_each … content { … } }`.
#[derive(Debug)]
pub(crate) struct Dynamic {
    pub(crate) for_each: Expr,
    pub(crate) iterator: Arc<str>,
    pub(crate) labels: Option<Expr>,
    pub(crate) content: Body,
}
