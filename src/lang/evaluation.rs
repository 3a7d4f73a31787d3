//! What a configuration comes to: instances with their evaluated blocks, outputs, and what depends on what.
//! Only the types; `engine.rs` and its neighbours make them.

use crate::{Address, Few, Import, ModulePath};
use infra_diag::{Diagnostics, Span};
use infra_expr::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A thing and the place it was written at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

/// An evaluated block: a declared one or one nested in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub kind: &'static str,
    /// A nested block's label.
    pub label: Option<Spanned<Arc<str>>>,
    /// Those that were written or have a default; null counts as not written. A default's place is the
    /// header of its block.
    pub attributes: Few<&'static str, Spanned<Value>>,
    /// In the order of the sources, kind by kind as the schema lists them.
    pub blocks: Vec<Arc<Block>>,
    /// The header.
    pub span: Span,
}

impl Block {
    #[must_use]
    pub fn get(&self, attribute: &str) -> Option<&Spanned<Value>> {
        self.attributes.get(attribute)
    }

    /// The nested blocks of a kind.
    pub fn nested<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        let blocks = self.blocks.iter().map(|block| &**block);
        blocks.filter(move |block| block.kind == kind)
    }
}

/// One declared thing, evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    pub address: Address,
    pub kind: &'static str,
    pub block: Block,
    /// The header of its block.
    pub origin: Span,
    /// What its `depends_on` names, and that of the modules it is in.
    pub depends_on: BTreeSet<Address>,
    /// What its expressions read, also by way of locals, variables and module outputs. May be cyclic:
    /// two instances may read different attributes of one another.
    pub references: BTreeSet<Address>,
    pub lifecycle: Lifecycle,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifecycle {
    pub prevent_destroy: bool,
    pub create_before_destroy: bool,
    pub ignore_changes: Ignore,
}

/// Changes of which attributes are not to be acted upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ignore {
    /// These, as dotted paths: `env`, `cpus.count`.
    These(BTreeSet<String>),
    All,
}

impl Default for Ignore {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

/// An output of the root module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub value: Value,
    pub sensitive: bool,
    pub description: Option<String>,
    /// The instances its value was made from.
    pub references: BTreeSet<Address>,
    pub span: Span,
}

/// A module instance and the folder it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    pub path: ModulePath,
    pub folder: String,
}

/// A configuration, evaluated as far as it can be.
#[derive(Debug)]
pub struct Evaluation {
    pub project: String,
    /// In the order of their addresses. Those that have errors are missing.
    pub instances: Vec<Instance>,
    pub outputs: BTreeMap<Arc<str>, Output>,
    pub modules: Vec<Module>,
    /// What it says about objects that somebody else has made.
    pub imports: Vec<Import>,
    /// Also those of the configuration and of the inputs it was made from, in the order of the sources.
    pub diagnostics: Diagnostics,
}

/// Why one instance comes after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The person said so.
    DependsOn,
    /// An expression reads it.
    Reference,
}

/// `from` needs `to`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    pub from: Address,
    pub to: Address,
    pub why: Why,
}

impl Evaluation {
    /// All dependencies in the order of the addresses; what is both said and implied is there twice.
    #[must_use]
    pub fn edges(&self) -> Vec<Edge> {
        let edge = |from: &Address, to: &Address, why| Edge {
            from: from.clone(),
            to: to.clone(),
            why,
        };
        let of = |i: &Instance| {
            let said = i
                .depends_on
                .iter()
                .map(|to| edge(&i.address, to, Why::DependsOn));
            let implied = i
                .references
                .iter()
                .map(|to| edge(&i.address, to, Why::Reference));
            said.chain(implied).collect::<Vec<_>>()
        };
        self.instances.iter().flat_map(of).collect()
    }

    #[must_use]
    pub fn instance(&self, address: &Address) -> Option<&Instance> {
        let found = self.instances.binary_search_by(|i| i.address.cmp(address));
        found.ok().map(|at| &self.instances[at])
    }
}
