//! Functions of lists, maps and objects. Most see parts: an unknown or sensitive element stays what it is and
//! leaves its neighbours alone.

use super::number::whole;
use super::{Fault, Outcome};
use crate::unify::unify;
use crate::{Kind, Map, Type, Value, convert};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use unicode_segmentation::UnicodeSegmentation as _;

/// The elements of a list, set or tuple.
fn items(args: &[Value], index: usize) -> Result<&[Value], Fault> {
    let wrong = || {
        Fault::at(
            index,
            format!(
                "a list is required, but this is {}",
                args[index].type_of().spoken()
            ),
        )
    };
    args[index].as_list().ok_or_else(wrong)
}

/// The members of a map or an object.
fn members(args: &[Value], index: usize) -> Result<&Map, Fault> {
    // Only when it is wrong is its type asked for, which takes a walk.
    let wrong = || {
        let have = args[index].type_of().spoken();
        Fault::at(
            index,
            format!("a map or an object is required, but this is {have}"),
        )
    };
    args[index].as_object().ok_or_else(wrong)
}

/// A list or tuple of some elements of the given one; a set's elements come as a list.
fn like(original: &Value, items: impl IntoIterator<Item = Value>) -> Value {
    match original.kind() {
        Kind::List(element, _) | Kind::Set(element, _) => Value::list(element.clone(), items),
        _ => Value::tuple(items),
    }
}

/// The type of a list's elements.
fn element_type(value: &Value) -> Type {
    match value.kind() {
        Kind::List(element, _) | Kind::Set(element, _) => element.clone(),
        _ => Type::Any,
    }
}

/// The result of asking all elements: sensitive if one of them is.
fn asked(args: &[Value], result: Option<bool>) -> Value {
    let result = result.map_or_else(|| Value::unknown(Type::Bool), Value::bool);
    result.with_sensitive(args.iter().any(Value::contains_sensitive))
}

pub(super) fn alltrue(args: &[Value]) -> Outcome {
    let mut all = Some(true);
    for item in items(args, 0)? {
        match item.kind() {
            Kind::Unknown(_) => all = None,
            Kind::Bool(true) => {}
            _ => return Ok(asked(args, all.map(|_| false))),
        }
    }
    Ok(asked(args, all))
}

pub(super) fn anytrue(args: &[Value]) -> Outcome {
    let items = items(args, 0)?;
    let any = items.iter().any(|v| v.as_bool() == Some(true));
    let unknown = items.iter().any(Value::is_unknown);
    Ok(asked(args, if unknown && !any { None } else { Some(any) }))
}

pub(super) fn chunklist(args: &[Value]) -> Outcome {
    let size =
        usize::try_from(whole(args, 1)?).map_err(|_| Fault::at(1, "it must not be negative"))?;
    let items = items(args, 0)?;
    let size = if size == 0 { items.len().max(1) } else { size };
    let element = element_type(&args[0]);
    let chunks = items
        .chunks(size)
        .map(|chunk| Value::list(element.clone(), chunk.iter().cloned()));
    Ok(Value::list(Type::list(element.clone()), chunks))
}

/// Sees everything as it is: what comes after the one that is chosen only counts by its type.
pub(super) fn coalesce(args: &[Value]) -> Outcome {
    let types: Vec<Type> = args.iter().map(Value::type_of).collect();
    let ty = unify(&types).ok_or("all arguments must be of one type")?;
    let sensitive = args.iter().any(Value::is_sensitive);
    for (i, arg) in args.iter().enumerate() {
        if arg.is_unknown() {
            return Ok(Value::unknown(ty).with_sensitive(sensitive));
        }
        if !arg.is_null() && arg.as_str() != Some("") {
            let chosen = convert(arg, &ty).map_err(|e| Fault::at(i, e.to_string()))?;
            return Ok(chosen.with_sensitive(sensitive));
        }
    }
    Err("every argument is null or an empty string".into())
}

pub(super) fn coalescelist(args: &[Value]) -> Outcome {
    for (i, arg) in args.iter().enumerate() {
        if !arg.is_null() && !items(args, i)?.is_empty() {
            return Ok(arg
                .clone()
                .with_sensitive(args.iter().any(Value::contains_sensitive)));
        }
    }
    Err("every argument is null or empty".into())
}

pub(super) fn compact(args: &[Value]) -> Outcome {
    let kept = items(args, 0)?
        .iter()
        .filter(|v| v.as_str().is_some_and(|s| !s.is_empty()));
    Ok(Value::list(Type::String, kept.cloned()))
}

pub(super) fn concat(args: &[Value]) -> Outcome {
    let mut all = Vec::new();
    for (i, arg) in args.iter().enumerate() {
        if matches!(arg.kind(), Kind::Set(..)) {
            return Err(Fault::at(
                i,
                "a list is required, but this is a set; tolist makes a list of it",
            ));
        }
        all.extend(items(args, i)?.iter().cloned());
    }
    let element = match args.iter().all(|arg| matches!(arg.kind(), Kind::List(..))) {
        true => unify(&args.iter().map(element_type).collect::<Vec<_>>()),
        false => None,
    };
    let tuple = Value::tuple(all);
    match element {
        Some(element) => convert(&tuple, &Type::list(element)).map_err(|e| e.to_string().into()),
        None => Ok(tuple),
    }
}

pub(super) fn contains(args: &[Value]) -> Outcome {
    let mut found = Some(false);
    for item in items(args, 0)? {
        match item.equals(&args[1]) {
            Some(true) => return Ok(asked(args, Some(true))),
            Some(false) => {}
            None => found = None,
        }
    }
    Ok(asked(args, found))
}

pub(super) fn distinct(args: &[Value]) -> Outcome {
    let mut seen = BTreeSet::new();
    let kept: Vec<Value> = items(args, 0)?
        .iter()
        .filter(|v| seen.insert(*v))
        .cloned()
        .collect();
    Ok(like(&args[0], kept))
}

pub(super) fn element(args: &[Value]) -> Outcome {
    if matches!(args[0].kind(), Kind::Set(..)) {
        return Err(Fault::at(
            0,
            "the elements of a set have no index; tolist makes a list of it",
        ));
    }
    let items = items(args, 0)?;
    if items.is_empty() {
        return Err(Fault::at(0, "there are no elements"));
    }
    let index =
        usize::try_from(whole(args, 1)?).map_err(|_| Fault::at(1, "an index is not negative"))?;
    Ok(items[index % items.len()].clone())
}

pub(super) fn flatten(args: &[Value]) -> Outcome {
    let mut flat = Flat::default();
    flat.add(items(args, 0)?);
    let result = if flat.unknown {
        Value::unknown(Type::Any)
    } else {
        Value::tuple(flat.items)
    };
    Ok(result.with_sensitive(flat.sensitive))
}

#[derive(Default)]
struct Flat {
    items: Vec<Value>,
    unknown: bool,
    sensitive: bool,
}

impl Flat {
    /// The depth of values is limited, and so is this recursion.
    fn add(&mut self, items: &[Value]) {
        for item in items {
            match (item.kind(), item.as_list()) {
                (Kind::Unknown(ty), _) if !ty.is_primitive() => self.unknown = true,
                (_, Some(inner)) => {
                    // How many elements a sensitive list has is not to be seen either.
                    self.sensitive |= item.is_sensitive();
                    self.add(inner);
                }
                _ => self.items.push(item.clone()),
            }
        }
    }
}

pub(super) fn index(args: &[Value]) -> Outcome {
    let found = items(args, 0)?
        .iter()
        .position(|v| v.equals(&args[1]) == Some(true));
    found
        .map(Value::number)
        .ok_or_else(|| Fault::at(0, "it has no such element"))
}

pub(super) fn keys(args: &[Value]) -> Outcome {
    let keys = members(args, 0)?.keys().map(|k| Value::string(k.clone()));
    Ok(match args[0].kind() {
        Kind::Map(..) => Value::list(Type::String, keys),
        _ => Value::tuple(keys),
    })
}

pub(super) fn length(args: &[Value]) -> Outcome {
    let value = &args[0];
    if let Some(text) = value.as_str() {
        return Ok(Value::number(text.graphemes(true).count()));
    }
    if matches!(value.kind(), Kind::Set(..))
        && value.contains_unknown()
        && value.inner().count() > 1
    {
        // Unknown elements may turn out to be the same as others.
        return Ok(Value::unknown(Type::Number));
    }
    match (value.as_list(), value.as_object()) {
        (Some(items), _) => Ok(Value::number(items.len())),
        (_, Some(members)) => Ok(Value::number(members.len())),
        _ => Err(Fault::at(
            0,
            format!("{} has no length", value.type_of().spoken()),
        )),
    }
}

pub(super) fn lookup(args: &[Value]) -> Outcome {
    let members = members(args, 0)?;
    let key = args[1].as_str().unwrap_or_default();
    let default = match (args.get(2), args[0].kind()) {
        (Some(default), Kind::Map(element, _)) => Some(
            convert(default, element)
                .map_err(|e| Fault::at(2, format!("it must be of the map's type: {e}")))?,
        ),
        (default, _) => default.cloned(),
    };
    let found = members.get(key).cloned().or(default);
    found.ok_or_else(|| Fault::at(1, format!("there is no {key:?}, and no default was given")))
}

pub(super) fn matchkeys(args: &[Value]) -> Outcome {
    let (values, keys, wanted) = (items(args, 0)?, items(args, 1)?, items(args, 2)?);
    if values.len() != keys.len() {
        return Err(Fault::at(1, "there must be as many keys as values"));
    }
    let wanted: BTreeSet<&Value> = wanted.iter().collect();
    let kept = values
        .iter()
        .zip(keys)
        .filter(|(_, key)| wanted.contains(key));
    Ok(like(
        &args[0],
        kept.map(|(value, _)| value.clone()).collect::<Vec<_>>(),
    ))
}

pub(super) fn merge(args: &[Value]) -> Outcome {
    let mut merged = Map::new();
    let mut map_types = BTreeSet::new();
    let mut all_maps = true;
    for (i, arg) in args.iter().enumerate().filter(|(_, arg)| !arg.is_null()) {
        match arg.kind() {
            Kind::Map(element, _) => drop(map_types.insert(element.clone())),
            _ => all_maps = false,
        }
        merged.extend(
            members(args, i)?
                .iter()
                .map(|(k, v)| (k.clone(), v.clone())),
        );
    }
    Ok(match map_types.pop_first() {
        Some(element) if all_maps && map_types.is_empty() => Value::map(element, merged),
        _ => Value::object(merged),
    })
}

pub(super) fn one(args: &[Value]) -> Outcome {
    match items(args, 0)? {
        [] => Ok(Value::null_of(element_type(&args[0]))),
        [only] => Ok(only.clone()),
        more => Err(Fault::at(
            0,
            format!("there must be one element or none, not {}", more.len()),
        )),
    }
}

pub(super) fn reverse(args: &[Value]) -> Outcome {
    Ok(like(
        &args[0],
        items(args, 0)?.iter().rev().cloned().collect::<Vec<_>>(),
    ))
}

pub(super) fn slice(args: &[Value]) -> Outcome {
    let items = items(args, 0)?;
    let place = |i: usize| {
        usize::try_from(whole(args, i)?).map_err(|_| Fault::at(i, "an index is not negative"))
    };
    let (start, end) = (place(1)?, place(2)?);
    if end > items.len() {
        return Err(Fault::at(
            2,
            format!("there are only {} elements", items.len()),
        ));
    }
    if start > end {
        return Err(Fault::at(1, "the start must not be after the end"));
    }
    Ok(like(&args[0], items[start..end].to_vec()))
}

pub(super) fn sort(args: &[Value]) -> Outcome {
    let mut sorted = items(args, 0)?.to_vec();
    if sorted.iter().any(Value::is_null) {
        return Err(Fault::at(0, "a null cannot be sorted"));
    }
    sorted.sort();
    Ok(Value::list(Type::String, sorted))
}

pub(super) fn values(args: &[Value]) -> Outcome {
    let values = members(args, 0)?.values().cloned();
    Ok(match args[0].kind() {
        Kind::Map(element, _) => Value::list(element.clone(), values),
        _ => Value::tuple(values),
    })
}

pub(super) fn zipmap(args: &[Value]) -> Outcome {
    let (keys, values) = (items(args, 0)?, items(args, 1)?);
    if keys.len() != values.len() {
        let message = format!("there are {} keys and {} values", keys.len(), values.len());
        return Err(message.into());
    }
    if keys.iter().any(Value::is_unknown) {
        let map =
            matches!(args[1].kind(), Kind::List(..)).then(|| Type::map(element_type(&args[1])));
        return Ok(Value::unknown(map.unwrap_or(Type::Any)));
    }
    let key = |v: &Value| {
        v.as_str()
            .map(Arc::<str>::from)
            .ok_or_else(|| Fault::at(0, "a key must not be null"))
    };
    let members = keys
        .iter()
        .zip(values)
        .map(|(k, v)| Ok((key(k)?, v.clone())))
        .collect::<Result<Map, Fault>>()?;
    let zipped = match args[1].kind() {
        Kind::List(element, _) => Value::map(element.clone(), members),
        _ => Value::object(members),
    };
    Ok(zipped.with_sensitive(keys.iter().any(Value::is_sensitive)))
}

/// Every value as a key, with the keys it was under.
pub(super) fn transpose(args: &[Value]) -> Outcome {
    let mut turned = BTreeMap::<String, Vec<Value>>::new();
    for (key, values) in args[0].as_object().into_iter().flatten() {
        for value in values.as_list().unwrap_or_default() {
            let value = value
                .as_str()
                .ok_or_else(|| Fault::at(0, "a null cannot become a key"))?;
            turned
                .entry(value.into())
                .or_default()
                .push(Value::string(key.clone()));
        }
    }
    let list = |keys| Value::list(Type::String, keys);
    Ok(Value::map(
        Type::list(Type::String),
        turned.into_iter().map(|(value, keys)| (value, list(keys))),
    ))
}
