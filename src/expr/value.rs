//! Values: what an expression comes to. Cheap to clone, and never changed once made.

use crate::{Attribute, Number, Type};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The members of a map or an object.
pub type Map = BTreeMap<Arc<str>, Value>;

/// A value, with what it is and whether it may be shown.
///
/// `==` is identity in all respects (types and marks too) and the order is only there to sort by; the
/// language's own `==` is [`Value::equals`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value {
    kind: Kind,
    sensitive: bool,
    inside: Inside,
}

/// What is known of everything inside a value, so that it need not be walked to be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Inside {
    /// How many collections are inside one another, the value itself counted if it is one.
    depth: u16,
    unknown: bool,
    sensitive: bool,
}

impl Inside {
    fn of<'a>(values: impl Iterator<Item = &'a Value>) -> Self {
        let mut inside = Self::default();
        for value in values {
            inside.depth = inside.depth.max(value.inside.depth);
            inside.unknown |= value.contains_unknown();
            inside.sensitive |= value.contains_sensitive();
        }
        inside.depth = inside.depth.saturating_add(1);
        inside
    }
}

/// What a value is. The order of the variants is the order of a set's elements.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Bool(bool),
    Number(Number),
    String(Arc<str>),
    /// The elements are all of the type.
    List(Type, Arc<[Value]>),
    /// The elements are all of the type, in ascending order and without repetition.
    Set(Type, Arc<[Value]>),
    Tuple(Arc<[Value]>),
    /// The members are all of the type.
    Map(Type, Arc<Map>),
    Object(Arc<Map>),
    Null(Type),
    Unknown(Type),
}

/// Deeper values than this are refused by the evaluator, so that walking one never exhausts the stack.
pub(crate) const MAX_DEPTH: u16 = 200;

/// Making values.
impl Value {
    pub(crate) fn new(kind: Kind) -> Self {
        let inside = match &kind {
            Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
                Inside::of(items.iter())
            }
            Kind::Map(_, members) | Kind::Object(members) => Inside::of(members.values()),
            _ => Inside::default(),
        };
        Self {
            kind,
            sensitive: false,
            inside,
        }
    }

    /// The null of no particular type.
    #[must_use]
    pub fn null() -> Self {
        Self::null_of(Type::Any)
    }

    #[must_use]
    pub fn null_of(ty: Type) -> Self {
        Self::new(Kind::Null(ty))
    }

    /// A value that is not known yet; [`Type::Any`] when not even its type is.
    #[must_use]
    pub fn unknown(ty: Type) -> Self {
        Self::new(Kind::Unknown(ty))
    }

    #[must_use]
    pub fn bool(value: bool) -> Self {
        Self::new(Kind::Bool(value))
    }

    #[must_use]
    pub fn number(value: impl Into<Number>) -> Self {
        Self::new(Kind::Number(value.into()))
    }

    #[must_use]
    pub fn string(value: impl Into<Arc<str>>) -> Self {
        Self::new(Kind::String(value.into()))
    }

    #[must_use]
    pub fn tuple(items: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Kind::Tuple(items.into_iter().collect()))
    }

    /// The elements must all be of the type; [`crate::convert`] makes a list of any that can be.
    #[must_use]
    pub fn list(element: Type, items: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Kind::List(element, items.into_iter().collect()))
    }

    /// The elements must all be of the type. Marks move from the elements to the set.
    #[must_use]
    pub fn set(element: Type, items: impl IntoIterator<Item = Self>) -> Self {
        let mut sensitive = false;
        let mut items: Vec<Self> = items
            .into_iter()
            .map(|v| v.take_sensitive(&mut sensitive))
            .collect();
        if items.iter().all(|v| v.inner().next().is_none()) {
            items.sort();
        } else {
            items.sort_by_cached_key(Self::sort_key);
        }
        items.dedup();
        Self::new(Kind::Set(element, items.into())).with_sensitive(sensitive)
    }

    #[must_use]
    pub fn object<K: Into<Arc<str>>>(members: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::new(Kind::Object(Arc::new(
            members.into_iter().map(|(k, v)| (k.into(), v)).collect(),
        )))
    }

    /// The members must all be of the type.
    #[must_use]
    pub fn map<K: Into<Arc<str>>>(
        element: Type,
        members: impl IntoIterator<Item = (K, Self)>,
    ) -> Self {
        let members = members.into_iter().map(|(k, v)| (k.into(), v)).collect();
        Self::new(Kind::Map(element, Arc::new(members)))
    }

    /// The same value, marked if `sensitive` is true; a mark is never taken away.
    #[must_use]
    pub fn with_sensitive(mut self, sensitive: bool) -> Self {
        self.sensitive |= sensitive;
        self
    }

    /// The same value without its own mark; marks inside it stay.
    #[must_use]
    pub fn without_mark(mut self) -> Self {
        self.sensitive = false;
        self
    }

    /// The same value without any mark, itself or inside; says in `found` whether there was one.
    #[must_use]
    pub fn take_sensitive(self, found: &mut bool) -> Self {
        if !self.contains_sensitive() {
            return self;
        }
        *found = true;
        Self::new(self.kind.map_values(|v| v.clone().take_sensitive(found)))
    }
}

/// Whether all of these pairs are equal, given that the shapes are.
fn all_equal<'a>(
    same_shape: bool,
    mut pairs: impl Iterator<Item = (&'a Value, &'a Value)>,
) -> Option<bool> {
    if !same_shape {
        return Some(false);
    }
    let mut all = Some(true);
    let different = pairs.any(|(a, b)| {
        let equal = a.equals(b);
        all = all.and(equal);
        equal == Some(false)
    });
    if different { Some(false) } else { all }
}

/// Asking.
impl Value {
    /// The language's `==`: equal in type and content; not known when that hangs on something unknown.
    /// Null equals null, of whatever type.
    #[must_use]
    pub fn equals(&self, other: &Self) -> Option<bool> {
        match (&self.kind, &other.kind) {
            (Kind::Unknown(_), _) | (_, Kind::Unknown(_)) => None,
            (Kind::Null(_), Kind::Null(_)) => Some(true),
            (Kind::Set(..), Kind::Set(..))
                if self.contains_unknown() || other.contains_unknown() =>
            {
                None
            }
            (Kind::List(_, a), Kind::List(_, b))
            | (Kind::Set(_, a), Kind::Set(_, b))
            | (Kind::Tuple(a), Kind::Tuple(b)) => {
                all_equal(a.len() == b.len(), a.iter().zip(b.iter()))
            }
            (Kind::Map(_, a), Kind::Map(_, b)) | (Kind::Object(a), Kind::Object(b)) => {
                all_equal(a.keys().eq(b.keys()), a.values().zip(b.values()))
            }
            (a, b) => Some(a == b),
        }
    }

    /// What sets of collections are sorted by, so that they come in the order Terraform has them in.
    fn sort_key(&self) -> String {
        let each = |values: &mut dyn Iterator<Item = &Self>| {
            values.map(|v| v.sort_key() + ";").collect::<String>()
        };
        match &self.kind {
            Kind::Bool(b) => if *b { "T" } else { "F" }.into(),
            Kind::Number(n) => n.to_string(),
            Kind::String(s) => format!("{s:?}"),
            Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => {
                format!("[{}]", each(&mut items.iter()))
            }
            Kind::Object(members) => format!("<{}>", each(&mut members.values())),
            Kind::Map(_, members) => {
                let members: String = members
                    .iter()
                    .map(|(k, v)| format!("{k:?}:{};", v.sort_key()))
                    .collect();
                format!("{{{members}}}")
            }
            Kind::Null(_) => "~".into(),
            Kind::Unknown(_) => "?".into(),
        }
    }

    #[must_use]
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null(_))
    }

    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self.kind, Kind::Unknown(_))
    }

    #[must_use]
    pub fn contains_unknown(&self) -> bool {
        self.is_unknown() || self.inside.unknown
    }

    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        self.sensitive
    }

    #[must_use]
    pub fn contains_sensitive(&self) -> bool {
        self.sensitive || self.inside.sensitive
    }

    /// How many collections are inside one another.
    pub(crate) fn depth(&self) -> u16 {
        self.inside.depth
    }

    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(b) => Some(b),
            _ => None,
        }
    }

    #[must_use]
    pub fn as_number(&self) -> Option<&Number> {
        match &self.kind {
            Kind::Number(n) => Some(n),
            _ => None,
        }
    }

    /// A whole number that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(Number::as_i64)
    }

    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(s) => Some(s),
            _ => None,
        }
    }

    /// The elements of a list, set or tuple.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The members of a map or an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&Map> {
        match &self.kind {
            Kind::Map(_, members) | Kind::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The member of that name, marked if the whole is.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Self> {
        self.as_object()?
            .get(name)
            .map(|v| v.clone().with_sensitive(self.sensitive))
    }

    /// What is directly inside: elements or members.
    pub fn inner(&self) -> impl Iterator<Item = &Self> {
        let members = self.as_object().into_iter().flat_map(Map::values);
        self.as_list().unwrap_or_default().iter().chain(members)
    }

    /// Pairs of key and value as `for` sees them: a list's by index, a set's by the element itself.
    /// `None` when this cannot be walked.
    #[must_use]
    pub fn entries(&self) -> Option<Box<dyn Iterator<Item = (Self, &Self)> + '_>> {
        match &self.kind {
            Kind::List(_, items) | Kind::Tuple(items) => Some(Box::new(
                items.iter().enumerate().map(|(i, v)| (Self::number(i), v)),
            )),
            Kind::Set(_, items) => Some(Box::new(items.iter().map(|v| (v.clone(), v)))),
            Kind::Map(_, members) | Kind::Object(members) => Some(Box::new(
                members.iter().map(|(k, v)| (Self::string(k.clone()), v)),
            )),
            _ => None,
        }
    }

    #[must_use]
    pub fn type_of(&self) -> Type {
        match &self.kind {
            Kind::Bool(_) => Type::Bool,
            Kind::Number(_) => Type::Number,
            Kind::String(_) => Type::String,
            Kind::List(element, _) => Type::list(element.clone()),
            Kind::Set(element, _) => Type::set(element.clone()),
            Kind::Map(element, _) => Type::map(element.clone()),
            Kind::Tuple(items) => Type::Tuple(items.iter().map(Self::type_of).collect()),
            Kind::Object(members) => Type::Object(Arc::new(
                members
                    .iter()
                    .map(|(k, v)| (k.clone(), Attribute::required(v.type_of())))
                    .collect(),
            )),
            Kind::Null(ty) | Kind::Unknown(ty) => ty.clone(),
        }
    }
}

impl Kind {
    /// The same shape with every value directly inside replaced.
    fn map_values(&self, mut f: impl FnMut(&Value) -> Value) -> Self {
        match self {
            Self::List(ty, items) => Self::List(ty.clone(), items.iter().map(f).collect()),
            Self::Set(ty, items) => Self::Set(ty.clone(), items.iter().map(f).collect()),
            Self::Tuple(items) => Self::Tuple(items.iter().map(f).collect()),
            Self::Map(ty, members) => Self::Map(
                ty.clone(),
                Arc::new(members.iter().map(|(k, v)| (k.clone(), f(v))).collect()),
            ),
            Self::Object(members) => Self::Object(Arc::new(
                members.iter().map(|(k, v)| (k.clone(), f(v))).collect(),
            )),
            plain => plain.clone(),
        }
    }
}

impl From<Number> for Value {
    fn from(value: Number) -> Self {
        Self::number(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::number(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::string(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::string(value)
    }
}
