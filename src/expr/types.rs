//! Types: what a value is, or must become; and how they are written.

use crate::{Value, show};
use hcl_edit::expr::Expression;
use infra_diag::{Diagnostics, SourceId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

mod parse;

/// A type, or a constraint on types: `any` and optional attributes only stand in constraints.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    Any,
    Bool,
    Number,
    String,
    List(Arc<Type>),
    Set(Arc<Type>),
    Map(Arc<Type>),
    Tuple(Arc<[Type]>),
    Object(Arc<BTreeMap<Arc<str>, Attribute>>),
}

/// An attribute of an object type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attribute {
    pub ty: Type,
    pub optional: bool,
    /// What an absent or null optional attribute becomes; null when there is none.
    pub default: Option<Value>,
}

impl Attribute {
    #[must_use]
    pub fn required(ty: Type) -> Self {
        Self {
            ty,
            optional: false,
            default: None,
        }
    }

    #[must_use]
    pub fn optional(ty: Type, default: Option<Value>) -> Self {
        Self {
            ty,
            optional: true,
            default,
        }
    }
}

impl Type {
    #[must_use]
    pub fn list(element: Self) -> Self {
        Self::List(Arc::new(element))
    }

    #[must_use]
    pub fn set(element: Self) -> Self {
        Self::Set(Arc::new(element))
    }

    #[must_use]
    pub fn map(element: Self) -> Self {
        Self::Map(Arc::new(element))
    }

    #[must_use]
    pub fn object<K: Into<Arc<str>>>(attributes: impl IntoIterator<Item = (K, Attribute)>) -> Self {
        Self::Object(Arc::new(
            attributes.into_iter().map(|(k, a)| (k.into(), a)).collect(),
        ))
    }

    /// Reads a type constraint: `string`, `list(object({ a = optional(string, "x") }))`, `any`, …
    ///
    /// # Errors
    /// When the expression is no type; all that is wrong with it.
    pub fn parse(expr: &Expression, source: SourceId) -> Result<Self, Diagnostics> {
        parse::parse(expr, source)
    }

    /// Whether `any` stands somewhere in it, so that values decide.
    #[must_use]
    pub fn contains_any(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Bool | Self::Number | Self::String => false,
            Self::List(element) | Self::Set(element) | Self::Map(element) => element.contains_any(),
            Self::Tuple(items) => items.iter().any(Self::contains_any),
            Self::Object(attributes) => attributes.values().any(|a| a.ty.contains_any()),
        }
    }

    #[must_use]
    pub fn is_primitive(&self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::String)
    }

    /// The family with its article, for sentences.
    #[must_use]
    pub fn spoken(&self) -> String {
        let family = self.family();
        let article = if family.starts_with(['a', 'o']) {
            "an"
        } else {
            "a"
        };
        format!("{article} {family}")
    }

    /// The type without its arguments.
    #[must_use]
    pub fn family(&self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Bool => "bool",
            Self::Number => "number",
            Self::String => "string",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Map(_) => "map",
            Self::Tuple(_) => "tuple",
            Self::Object(_) => "object",
        }
    }
}

/// As it is written in a configuration, on one line.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any | Self::Bool | Self::Number | Self::String => f.write_str(self.family()),
            Self::List(element) | Self::Set(element) | Self::Map(element) => {
                write!(f, "{}({element})", self.family())
            }
            Self::Tuple(items) => {
                let items: Vec<_> = items.iter().map(Self::to_string).collect();
                write!(f, "tuple([{}])", items.join(", "))
            }
            Self::Object(attributes) if attributes.is_empty() => f.write_str("object({})"),
            Self::Object(attributes) => {
                let attributes: Vec<_> = attributes
                    .iter()
                    .map(|(k, a)| format!("{k} = {a}"))
                    .collect();
                write!(f, "object({{ {} }})", attributes.join(", "))
            }
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.default, self.optional) {
            (Some(default), _) => write!(f, "optional({}, {})", self.ty, show::line(default)),
            (None, true) => write!(f, "optional({})", self.ty),
            (None, false) => write!(f, "{}", self.ty),
        }
    }
}
