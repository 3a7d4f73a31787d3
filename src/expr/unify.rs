//! Several types → the one that values of all of them can become.

use crate::{Attribute, Type};
use std::sync::Arc;

/// The one type that values of all these types can become, if there is any. `any`, which is what nulls
/// and things not known yet have, agrees with everything.
pub(crate) fn unify(types: &[Type]) -> Option<Type> {
    let mut types = types.iter().filter(|ty| **ty != Type::Any);
    let Some(first) = types.next() else {
        return Some(Type::Any);
    };
    let rest: Vec<&Type> = types.collect();
    if rest.iter().all(|ty| *ty == first) {
        return Some(first.clone());
    }
    let all: Vec<&Type> = std::iter::once(first).chain(rest).collect();
    unify_primitives(&all)
        .or_else(|| unify_mappings(&all))
        .or_else(|| unify_sequences(&all))
}

fn unify_primitives(types: &[&Type]) -> Option<Type> {
    let fits = types.iter().all(|ty| ty.is_primitive()) && types.contains(&&Type::String);
    fits.then_some(Type::String)
}

fn unify_mappings(types: &[&Type]) -> Option<Type> {
    let objects: Option<Vec<_>> = types
        .iter()
        .map(|ty| {
            if let Type::Object(a) = ty {
                Some(a)
            } else {
                None
            }
        })
        .collect();
    if let Some(objects) = objects
        && let Some((first, rest)) = objects.split_first()
        && rest.iter().all(|object| object.keys().eq(first.keys()))
    {
        let attribute = |name: &Arc<str>| {
            let types: Vec<_> = objects
                .iter()
                .filter_map(|o| o.get(name))
                .map(|a| a.ty.clone())
                .collect();
            Some((name.clone(), Attribute::required(unify(&types)?)))
        };
        return first
            .keys()
            .map(attribute)
            .collect::<Option<Vec<_>>>()
            .map(Type::object);
    }
    let mut inner = Vec::new();
    for ty in types {
        match ty {
            Type::Map(element) => inner.push((**element).clone()),
            Type::Object(attributes) => inner.extend(attributes.values().map(|a| a.ty.clone())),
            _ => return None,
        }
    }
    unify(&inner).map(Type::map)
}

fn unify_sequences(types: &[&Type]) -> Option<Type> {
    let tuples: Option<Vec<_>> = types
        .iter()
        .map(|ty| {
            if let Type::Tuple(items) = ty {
                Some(items)
            } else {
                None
            }
        })
        .collect();
    if let Some(tuples) = tuples
        && let Some((first, rest)) = tuples.split_first()
        && rest.iter().all(|tuple| tuple.len() == first.len())
    {
        let item = |i: usize| unify(&tuples.iter().map(|t| t[i].clone()).collect::<Vec<_>>());
        return (0..first.len())
            .map(item)
            .collect::<Option<Vec<_>>>()
            .map(|items| Type::Tuple(items.into()));
    }
    let (mut inner, mut lists, mut sets) = (Vec::new(), 0, 0);
    for ty in types {
        match ty {
            Type::List(element) => (lists += 1, inner.push((**element).clone())).1,
            Type::Set(element) => (sets += 1, inner.push((**element).clone())).1,
            Type::Tuple(items) => inner.extend(items.iter().cloned()),
            _ => return None,
        }
    }
    let element = unify(&inner)?;
    Some(if sets > 0 && lists == 0 {
        Type::set(element)
    } else {
        Type::list(element)
    })
}
