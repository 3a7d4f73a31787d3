//! Conversion: a value to a type, and several types to one.

use crate::unify::unify;
use crate::{Attribute, Kind, Map, Number, Type, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Why a value cannot become of a type, and where inside it that is (`[0].name`; empty for the whole).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvertError {
    pub path: String,
    pub message: String,
}

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.message),
            path => write!(f, "at {}: {}", path.trim_start_matches('.'), self.message),
        }
    }
}

impl ConvertError {
    fn new(message: impl Into<String>) -> Self {
        Self {
            path: String::new(),
            message: message.into(),
        }
    }

    /// The same, found inside the element or member `step` of something larger.
    fn inside(mut self, step: &str) -> Self {
        self.path.insert_str(0, step);
        self
    }
}

type Converted = Result<Value, ConvertError>;

/// Makes of a value one of the type, as assigning it to a variable of the type does: primitives by
/// their text, tuples to lists, objects to maps and to objects with fewer attributes; defaults of
/// optional attributes are filled in. `any` inside a collection becomes the one type all elements have.
///
/// # Errors
/// When there is no such conversion.
pub fn convert(value: &Value, ty: &Type) -> Converted {
    if exact(value, ty) {
        return Ok(value.clone());
    }
    match inner(value, ty) {
        Ok(converted) => Ok(converted.with_sensitive(value.is_sensitive())),
        // What is inside need not be marked itself, so nothing of it is told.
        Err(_) if value.is_sensitive() => Err(ConvertError::new(mismatch(ty, &value.type_of()))),
        Err(error) => Err(error),
    }
}

fn inner(value: &Value, ty: &Type) -> Converted {
    match (value.kind(), ty) {
        (_, Type::Any) => Ok(value.clone()),
        (Kind::Null(_), _) => Ok(Value::null_of(plain(ty))),
        (Kind::Unknown(from), _) => unknown(from, ty),
        (_, Type::Bool | Type::Number | Type::String) => primitive(value, ty),
        (_, Type::List(element)) => list(value, element),
        (_, Type::Set(element)) => set(value, element),
        (_, Type::Map(element)) => map(value, element),
        (_, Type::Tuple(types)) => tuple(value, types),
        (_, Type::Object(attributes)) => object(value, attributes),
    }
}

/// Whether the value is of the type as it is; only answered where that is quick to see.
fn exact(value: &Value, ty: &Type) -> bool {
    match (value.kind(), ty) {
        (Kind::Bool(_), Type::Bool)
        | (Kind::Number(_), Type::Number)
        | (Kind::String(_), Type::String) => true,
        (Kind::List(have, _), Type::List(want))
        | (Kind::Set(have, _), Type::Set(want))
        | (Kind::Map(have, _), Type::Map(want)) => have.is_primitive() && *have == **want,
        _ => false,
    }
}

/// The type a value of such a constraint has: no attribute of a value is optional.
fn plain(ty: &Type) -> Type {
    match ty {
        Type::List(element) => Type::list(plain(element)),
        Type::Set(element) => Type::set(plain(element)),
        Type::Map(element) => Type::map(plain(element)),
        Type::Tuple(items) => Type::Tuple(items.iter().map(plain).collect()),
        Type::Object(attributes) => Type::object(
            attributes
                .iter()
                .map(|(k, a)| (k.clone(), Attribute::required(plain(&a.ty)))),
        ),
        primitive => primitive.clone(),
    }
}

fn unknown(from: &Type, ty: &Type) -> Converted {
    if convertible(from, ty) {
        let settled = *from == Type::Any || !ty.contains_any();
        return Ok(Value::unknown(if settled {
            plain(ty)
        } else {
            from.clone()
        }));
    }
    Err(ConvertError::new(mismatch(ty, from)))
}

/// Whether some value of the one type can become of the other.
fn convertible(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::Any, _) | (_, Type::Any) => true,
        (Type::Bool | Type::Number | Type::String, Type::String) => true,
        (Type::String, Type::Bool | Type::Number) => true,
        (Type::List(a) | Type::Set(a), Type::List(b) | Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => convertible(a, b),
        (Type::Tuple(items), Type::List(element) | Type::Set(element)) => {
            items.iter().all(|i| convertible(i, element))
        }
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| convertible(a, b))
        }
        (Type::Object(attributes), Type::Map(element)) => {
            attributes.values().all(|a| convertible(&a.ty, element))
        }
        (Type::Map(element), Type::Object(attributes)) => {
            attributes.values().all(|a| convertible(element, &a.ty))
        }
        (Type::Object(have), Type::Object(want)) => {
            want.iter().all(|(name, attribute)| match have.get(name) {
                Some(have) => convertible(&have.ty, &attribute.ty),
                None => attribute.optional,
            })
        }
        _ => from == to,
    }
}

fn primitive(value: &Value, ty: &Type) -> Converted {
    let converted = match (value.kind(), ty) {
        (Kind::Bool(b), Type::String) => Some(Value::string(b.to_string())),
        (Kind::Number(n), Type::String) => Some(Value::string(n.to_string())),
        (Kind::String(s), Type::Bool) => match s.as_ref() {
            "true" | "1" => Some(Value::bool(true)),
            "false" | "0" => Some(Value::bool(false)),
            _ => None,
        },
        (Kind::String(s), Type::Number) => Number::parse(s).map(Value::number),
        _ => None,
    };
    converted.ok_or_else(|| ConvertError::new(unsuitable(value, ty)))
}

/// Says what was wanted and what is there, in the person's words unless they are secret.
fn unsuitable(value: &Value, ty: &Type) -> String {
    match value.as_str() {
        Some(text) if !value.is_sensitive() && text.chars().count() <= 40 => {
            format!("{ty} required, and {text:?} is not one")
        }
        _ => mismatch(ty, &value.type_of()),
    }
}

fn mismatch(want: &Type, have: &Type) -> String {
    // A long type is better looked up where it was written.
    let written = Some(want.to_string()).filter(|text| text.len() <= 60);
    let want = written.unwrap_or_else(|| want.family().into());
    format!("{want} required, but this is {}", have.spoken())
}

fn list(value: &Value, element: &Type) -> Converted {
    let Some(items) = value.as_list() else {
        return Err(ConvertError::new(mismatch(
            &Type::list(element.clone()),
            &value.type_of(),
        )));
    };
    let (element, items) = elements(items, element, "list")?;
    Ok(Value::list(element, items))
}

fn set(value: &Value, element: &Type) -> Converted {
    let Some(items) = value.as_list() else {
        return Err(ConvertError::new(mismatch(
            &Type::set(element.clone()),
            &value.type_of(),
        )));
    };
    let (element, items) = elements(items, element, "set")?;
    Ok(Value::set(element, items))
}

/// Converts elements to one type: the wanted one, where `any` in it is settled by all of them together.
fn elements(items: &[Value], want: &Type, what: &str) -> Result<(Type, Vec<Value>), ConvertError> {
    let convert_all = |ty: &Type| -> Result<Vec<Value>, ConvertError> {
        items
            .iter()
            .enumerate()
            .map(|(i, v)| convert(v, ty).map_err(|e| e.inside(&format!("[{i}]"))))
            .collect()
    };
    let first = convert_all(want)?;
    if !want.contains_any() {
        return Ok((plain(want), first));
    }
    let element = common(&first, want, what)?;
    Ok((
        element.clone(),
        first
            .iter()
            .map(|v| convert(v, &element))
            .collect::<Result<_, _>>()?,
    ))
}

/// The one type of values that meet the constraint each for itself.
fn common<'a>(
    values: impl IntoIterator<Item = &'a Value>,
    want: &Type,
    what: &str,
) -> Result<Type, ConvertError> {
    let mut types: Vec<Type> = values.into_iter().map(Value::type_of).collect();
    types.dedup();
    if types.is_empty() {
        return Ok(plain(want));
    }
    unify(&types).ok_or_else(|| {
        let families: std::collections::BTreeSet<_> = types.iter().map(Type::family).collect();
        let families: Vec<_> = families.into_iter().collect();
        ConvertError::new(format!(
            "the elements of a {what} must be of one type, and these are {}",
            families.join(" and ")
        ))
    })
}

fn map(value: &Value, element: &Type) -> Converted {
    let Some(members) = value.as_object() else {
        return Err(ConvertError::new(mismatch(
            &Type::map(element.clone()),
            &value.type_of(),
        )));
    };
    let first = members
        .iter()
        .map(|(k, v)| {
            Ok((
                k.clone(),
                convert(v, element).map_err(|e| e.inside(&member(k)))?,
            ))
        })
        .collect::<Result<Map, ConvertError>>()?;
    if !element.contains_any() {
        return Ok(Value::map(plain(element), first));
    }
    let element = common(first.values(), element, "map")?;
    let members = first
        .into_iter()
        .map(|(k, v)| Ok((k, convert(&v, &element)?)))
        .collect::<Result<Map, ConvertError>>()?;
    Ok(Value::map(element, members))
}

/// How a member is spoken of in a path.
fn member(name: &str) -> String {
    let plain = name
        .chars()
        .all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if plain {
        format!(".{name}")
    } else {
        format!("[{name:?}]")
    }
}

fn tuple(value: &Value, types: &[Type]) -> Converted {
    let Kind::Tuple(items) = value.kind() else {
        return Err(ConvertError::new(mismatch(
            &Type::Tuple(types.into()),
            &value.type_of(),
        )));
    };
    if items.len() != types.len() {
        return Err(ConvertError::new(format!(
            "{} elements required, but there are {}",
            types.len(),
            items.len()
        )));
    }
    let convert_one = |(i, (v, ty)): (usize, (&Value, &Type))| {
        convert(v, ty).map_err(|e| e.inside(&format!("[{i}]")))
    };
    let items = items
        .iter()
        .zip(types)
        .enumerate()
        .map(convert_one)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Value::tuple(items))
}

fn object(value: &Value, attributes: &BTreeMap<Arc<str>, Attribute>) -> Converted {
    let Some(members) = value.as_object() else {
        let want = Type::Object(Arc::new(attributes.clone()));
        return Err(ConvertError::new(mismatch(&want, &value.type_of())));
    };
    let missing: Vec<_> = attributes
        .iter()
        .filter(|(k, a)| !a.optional && !members.contains_key(*k))
        .map(|(k, _)| &**k)
        .collect();
    if !missing.is_empty() {
        let (plural, verb) = if missing.len() == 1 {
            ("", "is")
        } else {
            ("s", "are")
        };
        let names = missing.join(", ");
        return Err(ConvertError::new(format!(
            "the attribute{plural} {names} {verb} missing"
        )));
    }
    let attribute =
        |(name, attribute): (&Arc<str>, &Attribute)| -> Result<(Arc<str>, Value), ConvertError> {
            let value =
                assigned(members.get(name), attribute).map_err(|e| e.inside(&member(name)))?;
            Ok((name.clone(), value))
        };
    Ok(Value::object(
        attributes
            .iter()
            .map(attribute)
            .collect::<Result<Vec<_>, _>>()?,
    ))
}

/// What an attribute gets: a default counts where nothing or null was given.
fn assigned(given: Option<&Value>, attribute: &Attribute) -> Converted {
    match (given.filter(|v| !v.is_null()), &attribute.default) {
        (Some(given), _) => convert(given, &attribute.ty),
        (None, Some(default)) => Ok(default.clone()),
        (None, None) => Ok(Value::null_of(plain(&attribute.ty))),
    }
}
