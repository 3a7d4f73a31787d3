//! What may be declared: kinds of blocks, their attributes and nested blocks, as tables.
//! Only the types; the tables come from the caller, so the language knows nothing of machines.

use crate::Address;
use infra_expr::{Type, Value};

/// Everything that may be declared beside the language's own blocks.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    pub kinds: &'static [BlockKind],
}

/// A kind of block: a declared one (`workload "feed" { … }`) or one nested in another.
#[derive(Clone, Copy, Debug)]
pub struct BlockKind {
    pub name: &'static str,
    /// What its label is called in the documentation; `None` where it has none. A declared block has one.
    pub label: Option<&'static str>,
    pub doc: &'static str,
    pub attributes: &'static [Attribute],
    pub blocks: &'static [Nested],
    /// What expressions may read of an instance though nobody wrote it. Only of declared blocks.
    pub computed: &'static [Computed],
    /// Only of declared blocks.
    pub meta: Meta,
}

/// An attribute that is not written but worked out.
#[derive(Clone, Copy, Debug)]
pub struct Computed {
    pub name: &'static str,
    pub ty: fn() -> Type,
    pub origin: Origin,
    pub doc: &'static str,
}

/// Where a computed attribute comes from.
#[derive(Clone, Copy, Debug)]
pub enum Origin {
    /// From the project's name and the instance's address alone: known at once.
    Derived(fn(&str, &Address) -> Value),
    /// From an allocation that comes after the first evaluation: unknown until then.
    Allocated,
}

/// Which of the language's own arguments a declared block takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    pub count_for_each: bool,
    pub depends_on: bool,
    pub lifecycle: bool,
}

impl Meta {
    pub const ALL: Self = Self {
        count_for_each: true,
        depends_on: true,
        lifecycle: true,
    };
    pub const NONE: Self = Self {
        count_for_each: false,
        depends_on: false,
        lifecycle: false,
    };
}

/// A block inside a block, and how often it may stand there.
#[derive(Clone, Copy, Debug)]
pub struct Nested {
    pub kind: &'static BlockKind,
    pub min: usize,
    pub max: usize,
    /// Whether expressions elsewhere may read it: `workload.feed.cpus.count`.
    pub readable: bool,
}

impl Nested {
    /// At most one: read as an object, or null.
    #[must_use]
    pub const fn one(kind: &'static BlockKind) -> Self {
        Self {
            kind,
            min: 0,
            max: 1,
            readable: true,
        }
    }

    /// Any number: read as a list, or as a map where the kind has a label.
    #[must_use]
    pub const fn many(kind: &'static BlockKind) -> Self {
        Self {
            kind,
            min: 0,
            max: usize::MAX,
            readable: true,
        }
    }

    #[must_use]
    pub const fn required(self) -> Self {
        Self { min: 1, ..self }
    }

    #[must_use]
    pub const fn unreadable(self) -> Self {
        Self {
            readable: false,
            ..self
        }
    }
}

/// `name = value` in a block.
#[derive(Clone, Copy, Debug)]
pub struct Attribute {
    pub name: &'static str,
    pub shape: Shape,
    pub given: Given,
    pub sensitive: bool,
    pub doc: &'static str,
}

/// What holds when a person does not write an attribute, or writes null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    Required,
    Optional,
    /// An expression, as a person would have written it.
    Default(&'static str),
}

impl Attribute {
    #[must_use]
    pub const fn new(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self {
            name,
            shape,
            given: Given::Optional,
            sensitive: false,
            doc,
        }
    }

    #[must_use]
    pub const fn required(self) -> Self {
        Self {
            given: Given::Required,
            ..self
        }
    }

    #[must_use]
    pub const fn default(self, expression: &'static str) -> Self {
        Self {
            given: Given::Default(expression),
            ..self
        }
    }

    #[must_use]
    pub const fn sensitive(self) -> Self {
        Self {
            sensitive: true,
            ..self
        }
    }
}

/// What an attribute's value must be.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    Any,
    Bool,
    Number,
    /// A whole number within bounds, both included.
    Whole {
        min: i64,
        max: i64,
    },
    String,
    /// A string with a form of its own: a size, a CPU list, a duration.
    Text(&'static Text),
    /// One of a few words.
    OneOf(&'static [&'static str]),
    /// A declared instance of one of these kinds; the value is its address as a string.
    Ref(&'static [&'static str]),
    List(&'static Shape),
    /// A list, or one of what would be in it: the value is a list.
    OneOrMore(&'static Shape),
    Set(&'static Shape),
    Map(&'static Shape),
    /// Any type of the language.
    Of(fn() -> Type),
}

/// A string with a form of its own.
#[derive(Debug)]
pub struct Text {
    /// What it is: "a size".
    pub name: &'static str,
    /// One that is right: "8GiB".
    pub example: &'static str,
    /// What is wrong with it, to follow the text itself: "has no unit".
    pub check: fn(&str) -> Result<(), String>,
}

impl Schema {
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&'static BlockKind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }
}

impl BlockKind {
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
    }

    #[must_use]
    pub fn computed(&self, name: &str) -> Option<&'static Computed> {
        self.computed.iter().find(|computed| computed.name == name)
    }

    #[must_use]
    pub fn block(&self, name: &str) -> Option<&'static Nested> {
        self.blocks.iter().find(|nested| nested.kind.name == name)
    }
}
